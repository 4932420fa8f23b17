//! Scatter against the Cramer-Rao bound, and quoted errors against the scatter.

use crate::monte_carlo::*;
use relrv::Arm;
use relrv::simulate::spectrum::SpectrumOptions;
use relrv::simulate::template::StellarParams;

#[test]
fn explore() {
    let n: usize = std::env::var("N").map_or(300, |v| v.parse().unwrap());
    let teff: f64 = std::env::var("TEFF").map_or(5800.0, |v| v.parse().unwrap());
    for knots in std::env::var("KNOTS")
        .unwrap_or("3".into())
        .split(',')
        .map(|k| k.parse().unwrap())
    {
        for arm in Arm::ALL {
            for (snr, reference_snr) in [
                (10.0, 20.0),
                (20.0, 40.0),
                (50.0, 50.0),
                (50.0, 100.0),
                (100.0, 150.0),
                (200.0, 200.0),
            ] {
                let case = Case {
                    arm,
                    star: StellarParams::dwarf(teff),
                    snr,
                    reference_snr,
                    n_references: n,
                    n_per_reference: 4,
                    spread_km_s: 6.0,
                    options: SpectrumOptions::clean(),
                    seed: 11,
                };
                let samples = run(&case, knots);
                let errors: Vec<f64> = samples.iter().map(|s| s.error_km_s()).collect();
                let own: Vec<f64> = samples
                    .chunks(4)
                    .flat_map(|c| {
                        let m = mean(&c.iter().map(|s| s.error_km_s()).collect::<Vec<_>>());
                        c.iter()
                            .map(move |s| (s.error_km_s() - m) * (4.0f64 / 3.0).sqrt())
                            .collect::<Vec<_>>()
                    })
                    .collect();
                let quoted = rms(&samples
                    .iter()
                    .map(|s| s.measurement.rv_err_km_s)
                    .collect::<Vec<_>>());
                let quoted_own = rms(&samples
                    .iter()
                    .map(|s| s.measurement.rv_err_own_km_s)
                    .collect::<Vec<_>>());
                let (bound, bound_own) = bounds_km_s(&case);
                let chi2 = mean(
                    &samples
                        .iter()
                        .map(|s| s.measurement.chi2_red)
                        .collect::<Vec<_>>(),
                );
                let out = errors
                    .iter()
                    .zip(&samples)
                    .filter(|(e, s)| e.abs() > 5.0 * s.measurement.rv_err_km_s)
                    .count();
                println!(
                    "knots {knots} {arm} snr {snr} ref {reference_snr}: bound {bound:.3} scatter/bound {:.3} own {:.3} quoted/scatter {:.3} own {:.3} mean/err {:.3} chi2 {chi2:.3} out {out} flags {}",
                    rms(&errors) / bound,
                    rms(&own) / bound_own,
                    quoted / rms(&errors),
                    quoted_own / rms(&own),
                    mean(&errors) / quoted,
                    samples.iter().filter(|s| s.measurement.flags != 0).count()
                );
            }
        }
    }
}
