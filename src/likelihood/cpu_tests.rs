use super::test_data::{exposure, reference};
use super::*;
use crate::reference::Reference;
use crate::spectrum::Normalized;

fn batch(grid: &VelocityGrid, reference: &Reference, exposures: &[Normalized]) -> Batch {
    Batch::of_one(reference.clone(), exposures, grid)
}

#[test]
fn agrees_with_the_oracle_to_a_metre_per_second() {
    let grid = VelocityGrid::new(60.0, 1.0).unwrap();
    for snr in [5.0, 10.0, 50.0, 200.0] {
        let reference = reference(1.5 * snr);
        let exposures: Vec<_> = (1..9)
            .map(|k| exposure(f64::from(k as u32) * 5.3 - 20.0, snr, k))
            .collect();
        let batch = self::batch(&grid, &reference, &exposures);
        for (exposure, fast) in exposures.iter().zip(Cpu.measure(&batch).unwrap()) {
            let judge = oracle::measure(exposure, &reference, &grid);
            let dv_m_s = 1e3 * (fast.rv_km_s - judge.rv_km_s);
            assert!(dv_m_s.abs() < 1.0, "SNR {snr}: {dv_m_s} m/s");
            assert!(
                (fast.rv_err_km_s / judge.rv_err_km_s - 1.0).abs() < 1e-3,
                "SNR {snr} {fast:?} {judge:?}"
            );
            assert!((fast.rv_err_own_km_s / judge.rv_err_own_km_s - 1.0).abs() < 1e-3);
            assert!((fast.chi2_red / judge.chi2_red - 1.0).abs() < 1e-3);
            assert!(
                (fast.lnl_max - judge.lnl_max).abs() < 0.1,
                "{} {}",
                fast.lnl_max,
                judge.lnl_max
            );
            assert_eq!((fast.flags, fast.n_pix), (judge.flags, judge.n_pix));
        }
    }
}

#[test]
fn curves_follow_the_oracle_everywhere() {
    let grid = VelocityGrid::new(200.0, 1.0).unwrap();
    let reference = reference(60.0);
    let exposures = [exposure(7.7, 40.0, 3)];
    let curve = Cpu.curve(&batch(&grid, &reference, &exposures), 0).unwrap();
    assert_eq!(curve.len(), grid.len());
    for (i, fast) in curve.iter().enumerate() {
        let judge =
            oracle::ln_likelihood(&exposures[0], &reference, &grid, grid.shift_km_s(i as f64));
        assert!(
            (fast - judge).abs() < 2e-4 * judge.abs() + 0.02,
            "velocity {i}: {fast} {judge}"
        );
    }
}

#[test]
fn redshifts_are_positive() {
    let grid = VelocityGrid::new(100.0, 1.0).unwrap();
    let reference = reference(100.0);
    let found = Cpu
        .measure(&batch(&grid, &reference, &[exposure(31.0, 80.0, 1)]))
        .unwrap()[0];
    assert!(
        (found.rv_km_s - 31.0).abs() < 5.0 * found.rv_err_km_s,
        "{found:?}"
    );
}

#[test]
fn odd_numbers_of_pixels_and_none() {
    let grid = VelocityGrid::new(50.0, 1.0).unwrap();
    let reference = reference(50.0);
    let full = exposure(4.0, 50.0, 1);
    for n_pixels in [0, 1, 3, 4, 5, 63, 64, 65] {
        let mut exposure = full.clone();
        let used: Vec<usize> = batch::usable(&full, &reference, &grid).collect();
        for i in &used[n_pixels..] {
            exposure.ivar[*i] = 0.0;
        }
        let fast = Cpu
            .measure(&batch(&grid, &reference, &[exposure.clone()]))
            .unwrap()[0];
        let judge = oracle::measure(&exposure, &reference, &grid);
        assert_eq!(
            (fast.n_pix, fast.flags),
            (n_pixels, judge.flags),
            "{n_pixels} pixels"
        );
        assert!(fast.flags.intersects(RvFlags::FEW_PIXELS));
    }
    assert!(
        Cpu.measure(&batch(&grid, &reference, &[]))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn results_do_not_depend_on_company() {
    let grid = VelocityGrid::new(50.0, 1.0).unwrap();
    let reference = reference(50.0);
    let exposures: Vec<_> = (1..20).map(|k| exposure(1.0, 30.0, k)).collect();
    let together = Cpu.measure(&batch(&grid, &reference, &exposures)).unwrap();
    for (exposure, expected) in exposures.iter().zip(together) {
        let alone = Cpu
            .measure(&batch(&grid, &reference, std::slice::from_ref(exposure)))
            .unwrap()[0];
        assert_eq!(alone, expected);
    }
}

/// Eq. 3 in float64 by the nearest entries, with the reference's variance of every velocity.
fn nearest(pixels: &SpectrumPixels, table: &ReferenceTable, lane: usize) -> f64 {
    let mut ln_l = 0.0;
    for i in 0..pixels.len() {
        let entry = pixels.index[i] as usize + usize::from(pixels.frac[i] >= 0.5);
        let place = table.place(entry + reference_table::PHASES * lane);
        let s = 1.0 / f64::from(pixels.ivar[i]) + f64::from(table.variance[place]);
        let residual = f64::from(pixels.flux[i] - table.flux[place]);
        ln_l -= 0.5 * (residual * residual / s + s.ln());
    }
    ln_l
}

#[test]
fn a_variance_constant_over_a_block_changes_little() {
    for (snr, step) in [
        (5.0, 1.0),
        (20.0, 1.0),
        (100.0, 1.0),
        (100.0, 0.3),
        (20.0, 5.0),
    ] {
        let grid = VelocityGrid::new(200.0, step).unwrap();
        let reference = reference(1.5 * snr);
        let batch = batch(&grid, &reference, &[exposure(7.7, snr, 3)]);
        let (pixels, n) = (&batch.spectra[0], grid.len());
        let table = &ReferenceTable::new(&batch.references[0], &grid);
        let mut curve = Vec::new();
        search::search(&mut curve, &mut Vec::new(), pixels, table, n);
        let literal: Vec<f64> = (0..n).rev().map(|l| nearest(pixels, table, l)).collect();
        let top = literal.iter().copied().fold(f64::MIN, f64::max);
        let height = top - literal.iter().sum::<f64>() / n as f64;
        let offset: Vec<f64> = curve.iter().zip(&literal).map(|(a, b)| a - b).collect();
        let mean = offset.iter().sum::<f64>() / n as f64;
        for i in 1..n {
            let far = (offset[i] - mean).abs() / height;
            assert!(
                far < 0.05,
                "SNR {snr} step {step} velocity {i}: {far} of the height"
            );
            let jump = (offset[i] - offset[i - 1]).abs();
            assert!(
                jump < 0.3 || literal[i].min(literal[i - 1]) < top - 20.0,
                "SNR {snr} step {step} velocity {i}: {jump}"
            );
        }
    }
}
