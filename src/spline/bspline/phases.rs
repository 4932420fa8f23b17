//! What is the same at the pixels of every knot interval, as knots lie on pixels.

use super::Knots;

/// [`quadratic_form`](super::quadratic_form) for the same four factors at many places.
#[derive(Clone, Copy, Debug)]
pub struct QuadraticForm {
    /// Row j: products of factor j with itself and those after it, the latter twice; 0 beyond the last.
    products: [[f64; 4]; 4],
}

impl QuadraticForm {
    /// With the factors `b`.
    pub fn new(b: &[f64; 4]) -> Self {
        let product = |j: usize, d: usize| match d {
            0 => b[j] * b[j],
            _ if j + d < 4 => 2.0 * b[j] * b[j + d],
            _ => 0.0,
        };
        QuadraticForm {
            products: std::array::from_fn(|j| std::array::from_fn(|d| product(j, d))),
        }
    }

    /// For the coefficients that start at `first`.
    #[inline(always)]
    pub fn at(&self, covariance: &[[f64; 4]], first: usize) -> f64 {
        let mut sums = [0.0; 4];
        for (products, row) in self.products.iter().zip(&covariance[first..first + 4]) {
            for d in 0..4 {
                sums[d] += products[d] * row[d];
            }
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }
}

/// Factors of the splines at a pixel, and the form with them.
#[derive(Clone, Copy, Debug)]
pub struct PixelPhase {
    /// The four splines, or their slopes.
    pub factors: [f64; 4],
    /// Variance of the sum of the coefficients with these factors.
    pub variance: QuadraticForm,
}

impl Knots {
    /// What `of` gives (from the fraction of the knot interval) at the pixels of one interval, the one on its end included.
    pub fn phases(self, of: impl Fn(f64) -> [f64; 4]) -> Vec<PixelPhase> {
        let phase = |pixel: usize| {
            let factors = of(pixel as f64 / self.spacing as f64);
            PixelPhase {
                factors,
                variance: QuadraticForm::new(&factors),
            }
        };
        (0..=self.spacing).map(phase).collect()
    }

    /// Interval and number of the phase of pixel `i`.
    #[inline]
    pub fn phase_of(self, i: usize) -> (usize, usize) {
        let interval = (i / self.spacing).min(self.n_interval - 1);
        (interval, (i - interval * self.spacing).min(self.spacing))
    }
}
