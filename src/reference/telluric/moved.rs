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

/// Of each exposure of a star, by its lines against their mean.
pub fn moved(exposures: &[&Normalized]) -> Vec<Moved> {
    let (mut products, mut squares) = (vec![0.0; exposures.len()], vec![0.0; exposures.len()]);
    for range_aa in RANGES_AA {
        let grid = |spectrum: &&Normalized| Gridded::new(spectrum, range_aa, 0.0, 0.0);
        let mut gridded: Vec<Gridded> = exposures.iter().map(grid).collect();
        for one in &mut gridded {
            take_off_running_mean(&mut one.flux, &one.weight);
        }
        let mean = weighted_mean(&gridded);
        for (i, one) in gridded.iter().enumerate() {
            for p in 1..mean.len().saturating_sub(1) {
                let (slope, left) = (
                    (mean[p + 1] - mean[p - 1]) / (2.0 * STEP_KM_S),
                    one.flux[p] - mean[p],
                );
                let far = left * left * one.weight[p] / (FAR_SIGMA * FAR_SIGMA);
                let weight = one.weight[p] / (1.0 + far);
                products[i] -= weight * left * slope;
                squares[i] += weight * slope * slope;
            }
        }
    }
    let one = |(product, square): (f64, f64)| match square > 0.0 {
        true => Moved {
            by_km_s: product / square,
            err_km_s: square.powf(-0.5),
        },
        false => Moved {
            by_km_s: 0.0,
            err_km_s: f64::INFINITY,
        },
    };
    products.into_iter().zip(squares).map(one).collect()
}
