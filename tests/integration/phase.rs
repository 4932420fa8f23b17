//! The half-pixel trap: velocities must not depend on where the pixels of two exposures fall with respect to each other.

use relrv::lab::validate::phase::{PhaseCurve, case};
use relrv::likelihood::{Measurement, VelocityGrid};
use relrv::spectrum::Normalized;
use relrv::{Arm, C_KM_S};

use crate::monte_carlo::*;

const SEED: u64 = 5;

/// What is demanded, in units of the quoted error: the mean error in every tenth of a pixel is within 0.15 of the overall mean, and the
/// overall mean is within 0.2 of zero.
#[test]
fn velocities_do_not_depend_on_the_phase() {
    let mut worst = (0.0f64, 0.0f64);
    for arm in Arm::ALL {
        for snr in [10.0, 20.0, 50.0, 100.0] {
            let curve = PhaseCurve::of(&run(&case(arm, snr, 700, SEED)), arm);
            let tenths: Vec<String> = curve
                .by_tenth
                .iter()
                .map(|t| format!("{:+.3}", t - curve.all))
                .collect();
            println!(
                "{:<5} SNR {snr:>3}: mean {:+.3}, by tenth {}",
                arm.name(),
                curve.all,
                tenths.join(" ")
            );
            worst = (worst.0.max(curve.pull()), worst.1.max(curve.all.abs()));
        }
    }
    println!(
        "largest: tenth {:.3} (limit 0.15), mean {:.3} (limit 0.2)",
        worst.0, worst.1
    );
    assert!(worst.0 < 0.15 && worst.1 < 0.2, "{worst:?}");
}

/// The formula read word for word shows the pull, so the test above can see it: here the *observed* spectrum is shifted and
/// interpolated onto the reference's pixels, with its variance propagated.
#[test]
fn interpolating_the_observed_spectrum_pulls_to_half_pixels() {
    let arm = Arm::Blue;
    let samples = run_with(&case(arm, 50.0, 40, SEED), |exposures, reference| {
        exposures.iter().map(|e| literal(e, reference)).collect()
    });
    let curve = PhaseCurve::of(&samples, arm);
    println!(
        "literal Eq. 3: largest departure of a tenth {:.1} quoted errors",
        curve.pull()
    );
    assert!(curve.pull() > 1.0, "the pull is gone: {}", curve.pull());
}

/// Eq. 3 with the observed spectrum interpolated linearly; the error is that of the likelihood's width.
fn literal(exposure: &Normalized, reference: &Normalized) -> Measurement {
    const STEP_KM_S: f64 = 0.1;
    let (low, high) = exposure.band.window_aa;
    let ln_l = |v_km_s: f64| -> f64 {
        let mut sum = 0.0;
        let mut j = 0;
        for i in 0..reference.flux.len() {
            let ln_wave = reference.ln_wave[i];
            if reference.ivar[i] == 0.0 || ln_wave < low.ln() || ln_wave > high.ln() {
                continue;
            }
            let place = ln_wave + v_km_s / C_KM_S;
            while exposure.ln_wave[j + 1] < place {
                j += 1;
            }
            if exposure.ivar[j] == 0.0 || exposure.ivar[j + 1] == 0.0 {
                continue;
            }
            let t = (place - exposure.ln_wave[j]) / (exposure.ln_wave[j + 1] - exposure.ln_wave[j]);
            let flux = (1.0 - t) * exposure.flux[j] + t * exposure.flux[j + 1];
            let variance = (1.0 - t).powi(2) / exposure.ivar[j] + t * t / exposure.ivar[j + 1];
            let s = variance + 1.0 / reference.ivar[i];
            sum -= 0.5 * (flux - reference.flux[i]).powi(2) / s + 0.5 * s.ln();
        }
        sum
    };
    let curve: Vec<f64> = (-150..=150)
        .map(|k| ln_l(f64::from(k) * STEP_KM_S))
        .collect();
    let top = (1..curve.len() - 1)
        .max_by(|a, b| curve[*a].total_cmp(&curve[*b]))
        .unwrap();
    let (before, peak, after) = (curve[top - 1], curve[top], curve[top + 1]);
    let curvature = (2.0 * peak - before - after) / (STEP_KM_S * STEP_KM_S);
    let offset = 0.5 * (after - before) / (2.0 * peak - before - after);
    let rv_err_km_s = curvature.powf(-0.5);
    Measurement {
        rv_km_s: (top as f64 - 150.0 + offset) * STEP_KM_S,
        rv_err_km_s,
        rv_err_own_km_s: rv_err_km_s,
        ..Measurement::without_pixels()
    }
}

/// The grid of the tests holds every velocity they use.
#[test]
fn test_grid_is_wide_enough() {
    assert!(grid().max_shift_km_s() > 10.0 && VelocityGrid::new(500.0, 1.0).is_ok());
}
