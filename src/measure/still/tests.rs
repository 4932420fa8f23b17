use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::super::undrifted::test_rows;
use super::*;
use crate::likelihood::Measurement;

/// Where the detector lies in twelve exposures of four nights, km/s.
const PLACE_KM_S: [f64; 12] = [
    0.0, 0.2, 0.0, 27.0, 27.0, 26.8, 36.0, 36.2, 36.0, -15.0, -15.0, -15.2,
];

/// By how much the wavelengths of each exposure are too large.
const DRIFT_KM_S: [f64; 12] = [
    0.0, 0.1, -0.2, 1.3, 1.1, 1.2, -2.0, -1.7, -1.9, 0.4, 0.6, 0.7,
];

/// That of a ripple of 0.8 % over 50 km/s, (km/s)^-2.
const RIPPLE: f64 = 6e-9;

fn row(star: usize, exposure: usize, rv_km_s: f64, err_km_s: f64) -> RvRow {
    let plain = test_rows::row(star as i64, exposure as i64, Arm::Red, rv_km_s);
    RvRow {
        measurement: Measurement {
            rv_err_km_s: err_km_s * 2f64.sqrt(),
            rv_err_own_km_s: err_km_s,
            ..plain.measurement
        },
        is_reference: exposure == 4,
        n_reference: 12,
        ..plain
    }
}

/// A unit's rows with a ripple of this mean squared slope, how they lie on the detector, and the true velocities. One star of five moves.
fn unit(seed: u64, n_stars: usize, ripple: f64) -> (Vec<RvRow>, Vec<Still>, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut rows, mut still, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    for star in 0..n_stars {
        let mut normal = || -> f64 { rng.sample(StandardNormal) };
        // Slopes of cool stars to hot ones; errors go with them.
        let slope = 2e-3 * (-2.0 * (star as f64 / n_stars as f64)).exp();
        let err_km_s = 1.5e-4 / slope;
        let swing = if star % 5 == 0 { 20.0 } else { 0.0 };
        let own = |e: usize| swing * (1.7 * e as f64 + star as f64).sin() + DRIFT_KM_S[e];
        let x = |e: usize| PLACE_KM_S[e] - (own(e) - own(4));
        let from = |e: usize| (0..12).map(|j| drawn(x(e) - x(j))).sum::<f64>() / 12.0;
        for (e, place_km_s) in PLACE_KM_S.iter().enumerate() {
            let held = |e: usize| ripple / (slope * slope) * from(e);
            let true_km_s = own(e) - own(4);
            let noise = if e == 4 { 0.0 } else { err_km_s * normal() };
            rows.push(row(
                star,
                e,
                true_km_s + held(e) - held(4) + noise,
                err_km_s,
            ));
            truth.push(true_km_s);
            still.push(Still {
                place_km_s: 4e5 + place_km_s,
                n_pixels: 4136,
                slope2: slope * slope,
            });
        }
    }
    (rows, still, truth)
}

/// Mean over the stars of velocities about the truth, weighted, for each exposure: what a zero point would be wrong by; their rms.
fn common_km_s(rows: &[RvRow], truth: &[f64]) -> f64 {
    let of_exposure = |e: usize| {
        let (mut sum, mut all) = (0.0, 0.0);
        for (row, truth) in rows.iter().zip(truth).skip(e).step_by(12) {
            let weight = row.measurement.rv_err_own_km_s.powi(-2);
            sum += weight * (row.measurement.rv_km_s - truth);
            all += weight;
        }
        sum / all
    };
    let all: Vec<f64> = (0..12).map(of_exposure).collect();
    let mean = all.iter().sum::<f64>() / 12.0;
    (all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 12.0).sqrt()
}

/// Velocities and errors of all rows.
fn numbers(rows: &[RvRow]) -> Vec<[f64; 3]> {
    let of = |r: &RvRow| {
        let m = &r.measurement;
        [m.rv_km_s, m.rv_err_km_s, m.rv_err_own_km_s]
    };
    rows.iter().map(of).collect()
}

#[test]
fn what_holds_all_velocities_back_is_taken_off() {
    let (mut before, mut after) = (0.0, 0.0);
    for seed in 0..4 {
        let (mut rows, still, truth) = unit(seed, 60, RIPPLE);
        before += common_km_s(&rows, &truth).powi(2);
        let errors: Vec<f64> = rows.iter().map(|r| r.measurement.rv_err_own_km_s).collect();
        let held = rows.clone();
        correct(&mut rows, &still);
        after += common_km_s(&rows, &truth).powi(2);
        for (row, err) in rows.iter().zip(errors) {
            assert!(row.measurement.rv_err_own_km_s >= err);
            assert!(!row.is_reference || row.measurement.rv_km_s == 0.0);
        }
        // The hottest star is moved most, and what was taken off it is known to a sixth, and by the error of the slope.
        for i in rows.len() - 12..rows.len() {
            let (now, before) = (&rows[i].measurement, &held[i].measurement);
            let by_km_s = (now.rv_km_s - before.rv_km_s).abs();
            let more = (now.rv_err_own_km_s.powi(2) - before.rv_err_own_km_s.powi(2)).sqrt();
            let is_known = (0.14..0.4).contains(&(more / by_km_s));
            assert!(is_known || by_km_s < 0.02, "{more} of {by_km_s}");
        }
    }
    assert!(after < 0.15 * before, "{before} {after}");
}

#[test]
fn without_a_ripple_or_stars_nothing_changes() {
    let mut n_changed = 0;
    for seed in 10..20 {
        let (mut rows, still, _) = unit(seed, 60, 0.0);
        let before = numbers(&rows);
        correct(&mut rows, &still);
        n_changed += usize::from(numbers(&rows) != before);
    }
    assert!(n_changed < 3, "{n_changed}");
    let (mut few, still, _) = unit(20, 6, RIPPLE);
    let before = numbers(&few);
    correct(&mut few, &still);
    assert_eq!(numbers(&few), before);
    correct(&mut [], &[]);
}

#[test]
fn a_spectrum_that_cannot_be_compared_is_left_alone() {
    let (mut rows, mut still, _) = unit(30, 60, RIPPLE);
    // No coadd; another number of pixels; no place; another fibre; no velocity.
    still[7].slope2 = f64::NAN;
    still[20].n_pixels = 4000;
    still[30].place_km_s = f64::NAN;
    rows[56].fiberid = 99;
    rows[45].measurement.rv_km_s = f64::NAN;
    let before = rows.clone();
    correct(&mut rows, &still);
    for i in [7, 30] {
        assert_eq!(numbers(&rows[i..=i]), numbers(&before[i..=i]), "{i}");
    }
    assert!(rows[45].measurement.rv_km_s.is_nan());
    // Against a reference of other pixels or of another fibre nothing is known but what moved the reference itself.
    let by = |i: usize| rows[i].measurement.rv_km_s - before[i].measurement.rv_km_s;
    for (i, reference) in [(20, 16), (56, 52)] {
        let held = held(
            &before,
            &still,
            &(12 * (i / 12)..12 * (i / 12) + 12).collect::<Vec<_>>(),
        );
        let at = |row: usize| {
            held.iter()
                .find(|h| h.row == row)
                .unwrap()
                .from_reference_km_s
        };
        assert!(at(i) == 0.0 && at(reference) != 0.0 && by(i) != 0.0, "{i}");
    }
    assert!(
        rows.iter()
            .enumerate()
            .all(|(i, r)| i == 45 || r.measurement.rv_km_s.is_finite())
    );
}

#[test]
fn numbers_come_back_as_they_were() {
    let still = Still {
        place_km_s: -61.17,
        n_pixels: 4136,
        slope2: 1.3e-6,
    };
    assert_eq!(Still::from_numbers(still.to_numbers()), still);
    // Nothing holds back beyond a few waves, nor more than the distance itself.
    assert!(drawn(300.0) < 0.05 && (drawn(5.0) - 5.0).abs() < 0.02 && drawn(-5.0) == -drawn(5.0));
    assert_eq!((part(0.5), part(7.0)), (1.0, 1.0));
}
