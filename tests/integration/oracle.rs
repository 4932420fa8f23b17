//! The float32 path against the float64 oracle, on simulated exposures with all their defects.

use relrv::Arm;
use relrv::lab::simulate::{SpectrumOptions, StellarParams};
use relrv::lamost::arm::KNOT_PIXELS;
use relrv::likelihood::{Batch, Cpu, Likelihood, oracle};
use relrv::reference::Reference;

use crate::monte_carlo::*;

/// What is demanded: |dv| < 1 m/s at SNR 5-200, errors to 0.1 %.
#[test]
fn float32_follows_the_oracle() {
    let mut dv_m_s = Vec::new();
    let mut error_ratio = Vec::new();
    let mut flags_differ = 0;
    for arm in Arm::ALL {
        for snr in [5.0, 10.0, 20.0, 50.0, 100.0, 200.0] {
            let case = Case {
                arm,
                star: StellarParams::dwarf(5200.0),
                snr,
                reference_snr: 1.5 * snr,
                n_references: 8,
                n_per_reference: 4,
                spread_km_s: 20.0,
                options: SpectrumOptions::default(),
                seed: 77,
            };
            let here = std::sync::Mutex::new(Vec::new());
            run_with(&case, |exposures, best| {
                let grid = grid();
                let reference = Reference::new(best, KNOT_PIXELS).unwrap();
                let batch = Batch::of_one(reference.clone(), exposures, &grid);
                let fast = Cpu.measure(&batch).unwrap();
                for (exposure, fast) in exposures.iter().zip(&fast) {
                    here.lock()
                        .unwrap()
                        .push((*fast, oracle::measure(exposure, &reference, &grid)));
                }
                fast
            });
            for (fast, judge) in here.into_inner().unwrap() {
                assert!(judge.rv_km_s.is_finite());
                dv_m_s.push(1e3 * (fast.rv_km_s - judge.rv_km_s).abs());
                error_ratio.push((fast.rv_err_km_s / judge.rv_err_km_s - 1.0).abs());
                error_ratio.push((fast.rv_err_own_km_s / judge.rv_err_own_km_s - 1.0).abs());
                flags_differ += usize::from(fast.flags != judge.flags);
            }
        }
    }
    let [dv_75, dv_99, dv_max] = quantiles(&mut dv_m_s);
    let [err_75, err_99, err_max] = quantiles(&mut error_ratio);
    println!(
        "|dv| m/s: q75 {dv_75:.3}, q99 {dv_99:.3}, max {dv_max:.3} of {}",
        dv_m_s.len()
    );
    println!(
        "error ratio - 1: q75 {err_75:.1e}, q99 {err_99:.1e}, max {err_max:.1e}; flags differ in {flags_differ}"
    );
    assert!(dv_max < 1.0 && err_max < 1e-3 && flags_differ == 0);
}

/// 75 %, 99 % and 100 % quantiles.
fn quantiles(values: &mut [f64]) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [0.75, 0.99, 1.0]
        .map(|q| values[((values.len() as f64 * q).ceil() as usize).clamp(1, values.len()) - 1])
}
