//! Zero points that change along the slit.
//!
//! A spectrograph's fibres lie side by side along its slit, and its wavelengths may be off by another amount at each of them. A zero
//! point is therefore a polynomial in the place p of the fibre, from -1 at one end of the slit to 1 at the other:
//! z(p) = zp + slope p + curve (p^2 - 1/3). The last term has no mean along the slit, so that `zp` is the mean of z(p).

use serde::{Deserialize, Serialize};

/// Terms of a zero point at most: mean, slope and curve.
pub const MOST_TERMS: usize = 3;

/// Highest power of the fibre's place that a zero point may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum FibreOrder {
    /// The one that the velocities of the whole run speak for.
    #[default]
    Auto,
    /// One zero point for all fibres.
    #[serde(rename = "0")]
    #[cfg_attr(feature = "cli", value(name = "0"))]
    Constant,
    /// A slope along the slit.
    #[serde(rename = "1")]
    #[cfg_attr(feature = "cli", value(name = "1"))]
    Slope,
    /// A slope and a curve.
    #[serde(rename = "2")]
    #[cfg_attr(feature = "cli", value(name = "2"))]
    Curve,
}

/// What multiplies mean, slope and curve of a zero point at a place along the slit (-1 to 1).
pub fn terms(place: f64) -> [f64; MOST_TERMS] {
    [1.0, place, place * place - 1.0 / 3.0]
}

/// How the zero points of a solution depend on the place along the slit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape {
    /// Highest power of the place: 0, 1 or 2.
    pub order: usize,
    /// How firmly slope and curve are held at 0: the inverse of the variance that they have from exposure to exposure. In the inverse
    /// square of the velocities' unit.
    pub stiffness: [f64; MOST_TERMS - 1],
}

impl Shape {
    /// Number of terms.
    pub fn n_terms(&self) -> usize {
        self.order + 1
    }
}

/// Covariance of the terms of one zero point, in the square of the velocities' unit. Rows and columns of terms that a solution does not
/// have are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Covariance(pub [[f64; MOST_TERMS]; MOST_TERMS]);

impl Covariance {
    /// That of a zero point that is nowhere known.
    pub const UNKNOWN: Self = Covariance([[f64::NAN; MOST_TERMS]; MOST_TERMS]);

    /// A zero point without slope, of this variance.
    pub fn of_mean(variance: f64) -> Self {
        let mut out = Covariance::default();
        out.0[0][0] = variance;
        out
    }

    /// Variance of the zero point at a place along the slit.
    pub fn at(&self, place: f64) -> f64 {
        let x = terms(place);
        let mut sum = 0.0;
        for (row, a) in self.0.iter().zip(x) {
            for (value, b) in row.iter().zip(x) {
                sum += value * a * b;
            }
        }
        sum
    }

    /// 1-sigma error of a term: 0 the mean, 1 the slope, 2 the curve.
    pub fn error_of(&self, term: usize) -> f64 {
        let variance = self.0[term][term];
        // Rounding may leave a variance of 0 below 0. One that is not known stays so.
        if variance < 0.0 { 0.0 } else { variance.sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_at_a_place_is_that_of_the_sum_of_terms() {
        let c = Covariance([[4.0, 1.0, 0.5], [1.0, 9.0, -2.0], [0.5, -2.0, 16.0]]);
        assert_eq!(Covariance::of_mean(4.0).at(0.7), 4.0);
        // At p = 1 the terms are 1, 1, 2/3.
        let q = 2.0 / 3.0;
        let expected = 4.0 + 9.0 + 16.0 * q * q + 2.0 * (1.0 + 0.5 * q - 2.0 * q);
        assert!((c.at(1.0) - expected).abs() < 1e-12);
        assert!(c.at(-1.0) != c.at(1.0));
        assert_eq!((c.error_of(1), c.error_of(2)), (3.0, 4.0));
        assert!(Covariance::UNKNOWN.error_of(0).is_nan());
        assert_eq!(Covariance::of_mean(-1e-20).error_of(0), 0.0);
    }

    #[test]
    fn the_curve_has_no_mean_along_the_slit() {
        let n = 20_000;
        let place = |i: usize| (i as f64 + 0.5) / (n as f64) * 2.0 - 1.0;
        for term in 1..MOST_TERMS {
            let mean: f64 = (0..n).map(|i| terms(place(i))[term]).sum::<f64>() / n as f64;
            assert!(mean.abs() < 1e-6, "{term}: {mean}");
        }
    }
}
