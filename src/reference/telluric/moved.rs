//! By how much a star's lines lie elsewhere in each of its exposures, from wavelengths without lines of the air.
//!
//! Wavelengths drift from exposure to exposure by some km/s, those of the star's lines and of the water's alike. A star's lines must lie
//! at the same places before its exposures are compared. And what all stars of an exposure have in common is the drift, so it tells where
//! the exposure has its water lines.

use super::grid::{Gridded, STEP_KM_S, take_off_running_mean, weighted_mean};
use crate::spectrum::Normalized;

/// Stretches of the red arm without lines of the air, A.
const RANGES_AA: [(f64, f64); 2] = [(6345.0, 6445.0), (6635.0, 6720.0)];

/// Standard deviation of a drift before anything is known, km/s. Chosen by hand.
const PRIOR_KM_S: f64 = 2.0;

/// A star that moves by more than this varies: where its lines are then is no small change of where they were, km/s.
const MOST_KM_S: f64 = 8.0;

/// A point so many errors off counts half: a cosmic ray.
const FAR_SIGMA: f64 = 4.0;

/// How far an exposure lies from the mean of a star's exposures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    pub by_km_s: f64,
    /// Infinite where nothing is known.
    pub err_km_s: f64,
}

impl Moved {
    /// The velocity to be expected, with what is known of drifts.
    pub fn shrunk_km_s(&self) -> f64 {
        let prior = PRIOR_KM_S * PRIOR_KM_S;
        let by_km_s = self.by_km_s.clamp(-MOST_KM_S, MOST_KM_S);
        by_km_s * prior / (prior + self.err_km_s * self.err_km_s)
    }
}

/// Of the slopes' squares at least this part must be the star's, and not the noise's, for its lines to tell anything.
const LEAST_OF_STAR: f64 = 0.2;

/// Sums over the points of an exposure.
#[derive(Clone, Copy, Default)]
struct Sums {
    product: f64,
    /// Squares of the slopes, and what of them is not noise.
    squares: f64,
    of_star: f64,
}

/// Of each exposure of a star, by its lines against their mean.
pub fn moved(exposures: &[&Normalized]) -> Vec<Moved> {
    let mut sums = vec![Sums::default(); exposures.len()];
    for range_aa in RANGES_AA {
        let grid = |spectrum: &&Normalized| Gridded::new(spectrum, range_aa, 0.0, 0.0);
        let mut gridded: Vec<Gridded> = exposures.iter().map(grid).collect();
        for one in &mut gridded {
            take_off_running_mean(&mut one.flux, &one.weight);
        }
        let mean = weighted_mean(&gridded);
        let of_point = |p: usize| gridded.iter().map(|e| e.weight[p]).sum::<f64>();
        let weight_of_mean: Vec<f64> = (0..mean.len()).map(of_point).collect();
        for p in 1..mean.len().saturating_sub(1) {
            let [before, after] = [weight_of_mean[p - 1], weight_of_mean[p + 1]];
            // Beside a gap there is no slope.
            if !(before > 0.0 && weight_of_mean[p] > 0.0 && after > 0.0) {
                continue;
            }
            let slope = (mean[p + 1] - mean[p - 1]) / (2.0 * STEP_KM_S);
            let noise = (1.0 / before + 1.0 / after) / (2.0 * STEP_KM_S).powi(2);
            for (sums, one) in sums.iter_mut().zip(&gridded) {
                let left = one.flux[p] - mean[p];
                let far = left * left * one.weight[p] / (FAR_SIGMA * FAR_SIGMA);
                let weight = one.weight[p] / (1.0 + far);
                sums.product -= weight * left * slope;
                sums.squares += weight * slope * slope;
                sums.of_star += weight * (slope * slope - noise);
            }
        }
    }
    let one = |s: Sums| match s.of_star > LEAST_OF_STAR * s.squares {
        true => Moved {
            by_km_s: s.product / s.of_star,
            err_km_s: s.squares.sqrt() / s.of_star,
        },
        false => Moved {
            by_km_s: 0.0,
            err_km_s: f64::INFINITY,
        },
    };
    sums.into_iter().map(one).collect()
}
