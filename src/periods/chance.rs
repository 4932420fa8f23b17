//! How probable it is that velocities without a period show a peak as high.
//!
//! Baluev (2008, MNRAS 385, 1279, sections 2 and 3) bounds it from above by the number of times that the power of noise is expected to
//! cross the level on its way up. Where nights repeat, each peak has copies of itself a cycle a day away, the bound counts all of them,
//! and is several times too large. Where it is small that does not matter; elsewhere sets of noise at the star's own times are counted
//! (Besag and Clifford 1991, Biometrika 78, 301): until [`ENOUGH`] of them show as high a peak, or all have been seen.

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

use super::epochs::Epochs;
use super::grid::Grid;

/// Below this the bound is told as it is.
pub const DECIDED: f64 = 1e-4;

/// Peaks among noise that are enough to tell how probable they are.
const ENOUGH: usize = 3;

/// Sets of noise that are looked at one after the other, as long as they are needed: 300 in all, so that a probability
/// of 1 % can be told. The first ones are looked at together with the star's velocities.
pub const SETS_OF_NOISE: [usize; 5] = [7, 16, 32, 64, 181];

/// A bound from above on the probability that noise shows this power (the share of the scatter between times that a sinusoid takes away)
/// at any of the frequencies.
pub fn bound(epochs: &Epochs, grid: &Grid, power: f64) -> f64 {
    let dof = epochs.dof() as f64;
    let total: f64 = epochs.total.iter().sum();
    let mean_of = |f: &dyn Fn(f64) -> f64| -> f64 {
        let sum: f64 = (0..epochs.len())
            .map(|i| epochs.weight_of(i) * f(epochs.time_d[i]))
            .sum();
        sum / total
    };
    let mean_d = mean_of(&|t| t);
    let effective_d = (4.0 * PI * mean_of(&|t| (t - mean_d).powi(2))).sqrt();
    let gamma = (2.0 / dof).sqrt() * (ln_gamma(dof / 2.0) - ln_gamma((dof - 1.0) / 2.0)).exp();
    let left = 1.0 - power.clamp(0.0, 1.0);
    let of_one = 0.5 * (dof - 2.0);
    let z = 0.5 * dof * power;
    let crossings = gamma * grid.width() * effective_d * left.powf(of_one - 0.5) * z.sqrt();
    // At the lowest frequency the power may be above the level without having crossed it.
    let above = left.powf(of_one);
    // 1 - (1 - above) exp(-crossings), also where that is far below the rounding of 1.
    -((-above).ln_1p() - crossings).exp_m1()
}

/// Counts sets of noise with a peak that is as high.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    n_sets: usize,
    n_high: usize,
}

impl Counted {
    /// Counts one more, unless enough is known.
    pub fn add(&mut self, is_high: bool) {
        if !self.is_enough() {
            self.n_sets += 1;
            self.n_high += usize::from(is_high);
        }
    }

    /// Whether no more are needed.
    pub fn is_enough(&self) -> bool {
        self.n_high == ENOUGH
    }

    /// The probability: of noise it is below any value that it can have as often as that value says.
    pub fn probability(&self) -> f64 {
        match self.is_enough() {
            true => self.n_high as f64 / self.n_sets as f64,
            false => (self.n_high + 1) as f64 / (self.n_sets + 1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_counted_until_enough_is_known() {
        let count = |highs: &[bool]| {
            let mut counted = Counted::default();
            highs.iter().for_each(|high| counted.add(*high));
            counted.probability()
        };
        assert_eq!(count(&[true; 7]), 1.0);
        // The third high one ends it, whatever comes then.
        let late = [false, true, true, false, false, true, true, true];
        assert_eq!(count(&late), 0.5);
        let all: usize = SETS_OF_NOISE.iter().sum();
        let mut few = vec![false; all];
        assert_eq!(count(&few), 1.0 / 301.0);
        few[7] = true;
        few[8] = true;
        // Two of 300: the largest probability below 1 %.
        assert_eq!(count(&few), 3.0 / 301.0);
    }

    #[test]
    fn the_bound_falls_from_one_to_nothing() {
        let velocities = (0..20).map(|i| (1.7 * f64::from(i), 0.0, 1.0, 0));
        let (epochs, _) = Epochs::of(velocities);
        let grid = Grid::new(epochs.span_d(), 1.0).unwrap();
        let bounds: Vec<f64> = (0..=20)
            .map(|i| bound(&epochs, &grid, 0.05 * f64::from(i)))
            .collect();
        assert_eq!((bounds[0], bounds[20]), (1.0, 0.0));
        assert!(
            bounds.windows(2).all(|pair| pair[1] <= pair[0]),
            "{bounds:?}"
        );
        let tiny = bound(&epochs, &grid, 1.0 - 1e-6);
        assert!(tiny > 1e-48 && tiny < 1e-44, "{tiny:e}");
        // By hand: times of a standard deviation of 9.803 d, W = 0.9845 sqrt(4 pi) 9.803 = 34.21, gamma = 0.9599; at p = 0.8 of 19
        // degrees of freedom z = 7.6, (1 - p)^8 = 2.56e-6, (1 - p)^8.5 = 1.145e-6.
        assert!(
            (bounds[16] / 2.329e-4 - 1.0).abs() < 1e-3,
            "{:e}",
            bounds[16]
        );
    }
}
