//! Reductions of chi^2 against least squares in their plainest form.

use std::f64::consts::TAU;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Star, binary, times_d};
use crate::periods::epochs::ARMS;
use crate::periods::grid::{Grid, LANES};
use crate::periods::power::{SETS, go_through, sinusoid};

/// chi^2 of weighted least squares with these columns, by Gaussian elimination.
fn chi2(columns: &[Vec<f64>], rv: &[f64], err: &[f64]) -> f64 {
    let n = columns.len();
    let dot = |a: &[f64], b: &[f64]| -> f64 {
        let terms = a.iter().zip(b).zip(err);
        terms.map(|((a, b), e)| a * b / (e * e)).sum()
    };
    let mut m: Vec<Vec<f64>> = columns
        .iter()
        .map(|row| {
            let mut line: Vec<f64> = columns.iter().map(|column| dot(row, column)).collect();
            line.push(dot(row, rv));
            line
        })
        .collect();
    for i in 0..n {
        for j in 0..n {
            if i != j {
                let factor = m[j][i] / m[i][i];
                let pivot = m[i].clone();
                m[j].iter_mut()
                    .zip(&pivot)
                    .for_each(|(x, p)| *x -= factor * p);
            }
        }
    }
    let best: Vec<f64> = (0..n).map(|i| m[i][n] / m[i][i]).collect();
    let residual = |k: usize| -> f64 {
        let model: f64 = (0..n).map(|i| best[i] * columns[i][k]).sum();
        (rv[k] - model) / err[k]
    };
    (0..rv.len()).map(|k| residual(k).powi(2)).sum()
}

/// Columns of the means of the arms.
fn means(star: &Star) -> Vec<Vec<f64>> {
    let of = |arm: usize| star.arm.iter().map(move |a| f64::from(u8::from(*a == arm)));
    (0..ARMS).map(|arm| of(arm).collect()).collect()
}

#[test]
fn reductions_of_chi2_are_those_of_least_squares() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let times = times_d(&mut rng, 9, 2, 150.0);
    let mut star = binary(&mut rng, &times, 3.0, 2.2);
    // Times with one arm, and with both.
    star.rv_err_km_s[3] = f64::NAN;
    star.rv_err_km_s[8] = f64::NAN;
    let good: Vec<usize> = (0..star.arm.len())
        .filter(|i| ![3, 8].contains(i))
        .collect();
    let mut sound = Star::default();
    for i in good {
        sound.push(
            star.bjd_tdb[i],
            star.rv_km_s[i],
            star.rv_err_km_s[i],
            star.arm[i],
        );
    }
    let (epochs, rv) = star.epochs();
    let own = epochs.deviations(&rv);
    let without = chi2(&means(&sound), &sound.rv_km_s, &sound.rv_err_km_s);
    let first = sound.bjd_tdb.iter().copied().fold(f64::INFINITY, f64::min);
    let with = |frequency: f64| {
        let mut columns = means(&sound);
        for wave in [f64::cos, f64::sin] {
            let at = |t: &f64| wave(TAU * frequency * (t - first));
            columns.push(sound.bjd_tdb.iter().map(at).collect());
        }
        without - chi2(&columns, &sound.rv_km_s, &sound.rv_err_km_s)
    };
    let grid = Grid::new(epochs.span_d(), 3.0).unwrap();
    let sets: Vec<[f64; SETS]> = own
        .weighted
        .iter()
        .map(|w| [*w, 0.0, 2.0 * w, 0.0])
        .collect();
    let mut n = 0;
    go_through(&epochs, &[sets], &grid, |first, _, found| {
        // Also where sines were turned on hundreds of times.
        for lane in (0..LANES).filter(|lane| (first + lane) % 37 == 0) {
            let frequency = grid.at((first + lane) as f64);
            let expected = with(frequency);
            let scale = 1e-7 * without;
            assert!((found[0][lane] - expected).abs() < scale, "{first} {lane}");
            assert!((found[2][lane] - 4.0 * expected).abs() < 4.0 * scale);
            let alone = sinusoid(&epochs, &own.weighted, frequency);
            assert!((alone.reduction - expected).abs() < scale);
            n += 1;
        }
    });
    assert!(n > 50, "{n}");

    // What any value at each time would take away.
    let mut times = sound.bjd_tdb.clone();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut columns: Vec<Vec<f64>> = times
        .iter()
        .map(|t| {
            sound
                .bjd_tdb
                .iter()
                .map(|x| f64::from(u8::from(x == t)))
                .collect()
        })
        .collect();
    columns.push(means(&sound).remove(1));
    let between = without - chi2(&columns, &sound.rv_km_s, &sound.rv_err_km_s);
    assert!((own.chi2_between / between - 1.0).abs() < 1e-9);
    assert_eq!(epochs.dof(), times.len() - 1);
}
