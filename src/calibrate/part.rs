//! The velocities of a star that share one mean.

use super::tail::{FAR, Tail};
use crate::numbers::statistics::median;

/// Steps of the search for a star's mean.
const MEAN_STEPS: usize = 4;

/// A velocity of a star.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datum {
    /// Its place in the graph.
    pub(super) k: usize,
    /// Velocity less the zero point that the other stars give.
    pub(super) y: f64,
    /// Variance of its error.
    pub(super) own_var: f64,
    /// Variance of its error and of that zero point.
    pub(super) var: f64,
    /// Probability that it is no outlier.
    pub(super) inlier: f64,
    /// Velocity less the zero point.
    pub(super) corrected: f64,
}

/// The velocities of a star that share one mean.
pub(super) struct Part {
    pub(super) data: Vec<Datum>,
}

impl Part {
    /// Mean of the velocities, and the sum of their weights, with a jitter squared.
    pub(super) fn mean(&self, jitter2: f64) -> (f64, f64) {
        let (mut sum, mut total) = (0.0, 0.0);
        for d in &self.data {
            let w = d.inlier / (d.var + jitter2);
            sum += w * d.y;
            total += w;
        }
        (sum / total, total)
    }

    /// Outliers by the scatter that the star shows: a start for [`Part::mark_outliers`].
    pub(super) fn first_inliers(&mut self, tail: Tail) {
        let mut values: Vec<f64> = self.data.iter().map(|d| d.y).collect();
        let middle = median(&mut values);
        let mut sizes: Vec<f64> = self.data.iter().map(|d| (d.y - middle).abs()).collect();
        // The median of a normal distribution's absolute values is 0.6745 sigma.
        let spread = median(&mut sizes) / 0.6745;
        for d in &mut self.data {
            let var = d.var.max(spread * spread);
            d.inlier = tail.inlier((d.y - middle).powi(2) / var);
        }
    }

    /// Largest distance between two velocities.
    pub(super) fn widest(&self) -> f64 {
        let values = || self.data.iter().map(|d| d.y);
        values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min)
    }

    /// Mean of the velocities less the zero points as they are, with a jitter squared.
    pub(super) fn corrected_mean(&self, jitter2: f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for d in &self.data {
            let w = d.inlier / (d.var + jitter2);
            sum += w * d.corrected;
            total += w;
        }
        sum / total
    }

    /// The probability of each velocity to be no outlier, with a jitter squared. Gives the mean.
    pub(super) fn mark_outliers(&mut self, jitter2: f64, tail: Tail) -> f64 {
        let mut mean = self.mean(jitter2).0;
        for _ in 0..MEAN_STEPS {
            for d in &mut self.data {
                d.inlier = tail.inlier((d.y - mean).powi(2) / (d.var + jitter2));
            }
            mean = self.mean(jitter2).0;
        }
        mean
    }

    /// Natural logarithm of the likelihood with a jitter squared, the mean being free.
    pub(super) fn log_likelihood(&self, jitter2: f64, tail: Tail) -> f64 {
        let (mean, total) = self.mean(jitter2);
        if !(total > 0.0 && mean.is_finite()) {
            // Velocities that no sum holds say nothing.
            return 0.0;
        }
        let mut sum = -0.5 * total.ln();
        // One logarithm for two velocities: their densities are not so small that the product is 0.
        for pair in self.data.chunks(2) {
            let mut product = 1.0;
            for d in pair {
                let var = d.var + jitter2;
                let u2 = (d.y - mean).powi(2) / var;
                if u2 < FAR {
                    let density = tail.density(u2);
                    product *= density * density / var;
                } else {
                    product /= var;
                    sum += tail.log_density_far(u2.min(f64::MAX));
                }
            }
            sum += 0.5 * product.ln();
        }
        sum
    }

    /// Outliers taken back: all velocities count.
    pub(super) fn without_outliers(&self) -> Self {
        let all = self.data.iter().map(|d| Datum { inlier: 1.0, ..*d });
        Part {
            data: all.collect(),
        }
    }

    /// Number of outliers.
    pub(super) fn n_outliers(&self) -> f64 {
        self.data.iter().map(|d| 1.0 - d.inlier).sum()
    }

    /// Sum of squared residuals in units of their variance with a jitter squared, each cut at the tail's limit and without outliers.
    pub(super) fn chi2(&self, jitter2: f64, tail: Tail) -> f64 {
        let mean = self.mean(jitter2).0;
        let term = |d: &Datum| {
            let u2 = (d.y - mean).powi(2) / (d.var + jitter2);
            d.inlier * u2.min(tail.limit2)
        };
        self.data.iter().map(term).sum()
    }

    /// Degrees of freedom of [`Part::chi2`].
    pub(super) fn dof(&self) -> f64 {
        let n: f64 = self.data.iter().map(|d| d.inlier).sum();
        (n - 1.0).max(0.0)
    }
}
