//! By how much the wavelengths of each exposure have moved: what the velocities of all stars of an exposure have in common.
//!
//! Moonlight goes through the same spectrograph as the star's light, so where an exposure's wavelengths are too large, the lines of the Sun
//! lie at larger wavelengths than HELIO_RV says. In stars like the Sun that counts: 1 km/s changes the pull of moonlight by as much. The
//! zero points proper are found later, from stars that do not vary (`calibrate`); here a few tenths of a km/s do.

use crate::numbers::statistics::median;

/// Velocities of fewer stars than this say nothing of their exposure.
const FEWEST_STARS: usize = 3;

/// Added to the errors of velocities: variable stars, and slopes along the slit, km/s. Chosen by hand.
const SCATTER_KM_S: f64 = 0.3;

/// Rounds of the solution; what changes in the last ones is below the errors.
const ROUNDS: usize = 10;

/// The same, from what is nearly the solution.
const ROUNDS_AGAIN: usize = 3;

/// By how much each of `n` exposures has moved, km/s, about their mean; 0 for those of too few stars. `stars` are the velocities of each:
/// exposure, velocity and error.
pub fn of_exposures(stars: &[Vec<(usize, f64, f64)>], n: usize) -> Vec<f64> {
    rounds(stars, vec![0.0; n], ROUNDS)
}

/// The same, where the velocities are nearly those of which `drift` was found.
pub fn again(stars: &[Vec<(usize, f64, f64)>], drift: Vec<f64>) -> Vec<f64> {
    rounds(stars, drift, ROUNDS_AGAIN)
}

fn rounds(stars: &[Vec<(usize, f64, f64)>], mut drift: Vec<f64>, rounds: usize) -> Vec<f64> {
    let n = drift.len();
    let several = || stars.iter().filter(|star| star.len() > 1);
    for _ in 0..rounds {
        let mut left: Vec<Vec<(f64, f64)>> = vec![Vec::new(); n];
        for star in several() {
            let mut own: Vec<f64> = star.iter().map(|(e, rv, _)| rv - drift[*e]).collect();
            let middle = median(&mut own);
            for (exposure, rv, err) in star {
                let weight = 1.0 / (err * err + SCATTER_KM_S * SCATTER_KM_S);
                left[*exposure].push((rv - middle, weight));
            }
        }
        for (drift, left) in drift.iter_mut().zip(left) {
            if left.len() >= FEWEST_STARS {
                *drift = weighted_median(left);
            }
        }
        let mean = drift.iter().sum::<f64>() / n.max(1) as f64;
        drift.iter_mut().for_each(|d| *d -= mean);
    }
    match drift.iter().all(|d| d.is_finite()) {
        true => drift,
        false => vec![0.0; n],
    }
}

/// The value that has half of the weight below it.
fn weighted_median(mut values: Vec<(f64, f64)>) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * values.iter().map(|v| v.1).sum::<f64>();
    let mut below = 0.0;
    let reaches_half = |(_, weight): &&(f64, f64)| {
        below += weight;
        below >= half
    };
    values.iter().find(reaches_half).map_or(0.0, |v| v.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt as _, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    #[test]
    fn what_all_stars_have_in_common_is_found_whatever_some_do() {
        let truth = [-3.0, 1.0, 2.5, -0.5, 0.0];
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut normal = || -> f64 { rng.sample(StandardNormal) };
        let mut stars: Vec<Vec<(usize, f64, f64)>> = Vec::new();
        for star in 0..40 {
            let err = if star % 4 == 0 { 3.0 } else { 0.1 };
            let swing = if star % 3 == 0 { 30.0 } else { 0.0 };
            let velocity = |e: usize| {
                let rv = 20.0 * star as f64 + truth[e] + err * normal();
                (e, rv + swing * (2.1 * e as f64 + star as f64).sin(), err)
            };
            // Not every star is in every exposure.
            stars.push((usize::from(star % 5 == 0)..5).map(velocity).collect());
        }
        let found = of_exposures(&stars, 6);
        for e in 0..5 {
            let off = (found[e] - found[4]) - (truth[e] - truth[4]);
            assert!(off.abs() < 0.15, "{found:?}");
        }
        assert!(found.iter().sum::<f64>().abs() < 1e-9);
    }

    #[test]
    fn few_stars_and_no_numbers_say_nothing() {
        assert!(of_exposures(&[], 0).is_empty());
        let two = vec![vec![(0, 5.0, 0.1), (1, 9.0, 0.1)]; 2];
        assert_eq!(of_exposures(&two, 2), [0.0, 0.0]);
        let mut none = vec![vec![(0, 5.0, 0.1), (1, 9.0, 0.1)]; 4];
        assert!((of_exposures(&none, 2)[1] - 2.0).abs() < 1e-12);
        none[0][0].1 = f64::NAN;
        assert!(of_exposures(&none, 2).iter().all(|d| d.is_finite()));
    }
}
