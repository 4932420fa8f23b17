//! The terms of a zero point: what it is for all stars, how it changes along the slit, and how it depends on a star's lines.
//!
//! A spectrograph's fibres lie side by side along its slit, and its wavelengths may be off by another amount at each of them. A zero
//! point is therefore a polynomial in the place p of the fibre, from -1 at one end of the slit to 1 at the other:
//! zp + slope p + curve (p^2 - 1/3). The last term has no mean along the slit, so that `zp` is the mean along it.
//!
//! Stars of different kinds are moved differently, too. Where the wavelengths are stretched, what counts is where in the window a
//! star's lines lie; where the line-spread function is skew, it moves narrow lines by less than broad ones, whose
//! middle follows its mean and not its peak. Both are the same for all stars once it is known where their lines lie and how sharp they
//! are ([`LineKind`]): stretch (x - mean of x) + skew (h - mean of h).

use serde::{Deserialize, Serialize};

/// Terms of a zero point at most.
pub const MOST_TERMS: usize = 5;

/// Numbers of the terms: what is the same for all stars, slope and curve along the slit, stretch of the wavelengths, and skewness
/// of the line-spread function.
pub const MEAN: usize = 0;
pub const SLOPE: usize = 1;
pub const CURVE: usize = 2;
pub const STRETCH: usize = 3;
pub const SKEW: usize = 4;

/// A number for each term: the terms themselves, or what multiplies them at an observation.
pub type Terms = [f64; MOST_TERMS];

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

/// Whether zero points may depend on the lines of the stars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum ByLines {
    /// Where the velocities of the whole run speak for it.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// Where the lines of a star lie in an arm, and how sharp they are. Each about its mean over the run; 0 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LineKind {
    /// Place in the arm's window, -1 at its blue end and 1 at its red end, weighted by what tells of a velocity.
    pub place: f64,
    /// Square of the width of a line that is not resolved over that of the star's lines.
    pub sharpness: f64,
}

/// What multiplies the terms of a zero point for a fibre at this place along the slit (-1 to 1) and a star with these lines.
pub fn multipliers(place: f64, lines: LineKind) -> Terms {
    let curve = place * place - 1.0 / 3.0;
    [1.0, place, curve, lines.place, lines.sharpness]
}

/// Value of a zero point with these terms where they are multiplied by `at`.
pub fn value(of: &Terms, at: &Terms) -> f64 {
    of.iter().zip(at).map(|(a, b)| a * b).sum()
}

/// Which terms the zero points of a solution have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    has: [bool; MOST_TERMS],
    /// How firmly each term but the first is held at 0: the inverse of the variance that it has from exposure to exposure. In the
    /// inverse square of the velocities' unit; 0 for the first.
    stiffness: Terms,
}

impl Default for Shape {
    /// One number for all stars.
    fn default() -> Self {
        let mut has = [false; MOST_TERMS];
        has[MEAN] = true;
        Shape {
            has,
            stiffness: [0.0; MOST_TERMS],
        }
    }
}

impl Shape {
    /// With another term.
    pub fn add(&mut self, term: usize, stiffness: f64) {
        self.has[term] = true;
        self.stiffness[term] = stiffness;
    }

    /// Without a term.
    pub fn without(mut self, term: usize) -> Self {
        self.has[term] = false;
        self.stiffness[term] = 0.0;
        self
    }

    /// Which terms there are.
    pub fn has(&self) -> [bool; MOST_TERMS] {
        self.has
    }

    /// Numbers of the terms that there are, in order.
    pub fn terms(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        let has = self.has;
        (0..MOST_TERMS).filter(move |term| has[*term])
    }

    /// Number of terms.
    pub fn n_terms(&self) -> usize {
        self.terms().count()
    }

    /// How firmly a term is held at 0.
    pub fn stiffness(&self, term: usize) -> f64 {
        self.stiffness[term]
    }
}

/// Highest power of the place along the slit in zero points that have these terms.
pub fn fibre_order(has: &[bool; MOST_TERMS]) -> usize {
    match (has[SLOPE], has[CURVE]) {
        (_, true) => 2,
        (true, false) => 1,
        (false, false) => 0,
    }
}

/// Covariance of the terms of one zero point, in the square of the velocities' unit. Rows and columns of terms that a solution does not
/// have are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Covariance(pub [[f64; MOST_TERMS]; MOST_TERMS]);

impl Covariance {
    /// That of a zero point that is nowhere known.
    pub const UNKNOWN: Self = Covariance([[f64::NAN; MOST_TERMS]; MOST_TERMS]);

    /// A zero point that is the same for all stars, of this variance.
    pub fn of_mean(variance: f64) -> Self {
        let mut out = Covariance::default();
        out.0[MEAN][MEAN] = variance;
        out
    }

    /// From one in which the terms of `shape` follow each other without gaps.
    pub fn spread_out(&self, shape: &Shape) -> Self {
        let mut out = Covariance::default();
        for (i, a) in shape.terms().enumerate() {
            for (j, b) in shape.terms().enumerate() {
                out.0[a][b] = self.0[i][j];
            }
        }
        out
    }

    /// Variance of the zero point where its terms are multiplied by `at`.
    pub fn at(&self, at: &Terms) -> f64 {
        let mut sum = 0.0;
        for (row, a) in self.0.iter().zip(at) {
            for (value, b) in row.iter().zip(at) {
                sum += value * a * b;
            }
        }
        sum
    }

    /// 1-sigma error of a term.
    pub fn error_of(&self, term: usize) -> f64 {
        let variance = self.0[term][term];
        // Rounding may leave a variance of 0 below 0. One that is not known stays so.
        if variance < 0.0 { 0.0 } else { variance.sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LINES: LineKind = LineKind {
        place: 0.0,
        sharpness: 0.0,
    };

    #[test]
    fn the_variance_is_that_of_the_sum_of_terms() {
        let mut c = Covariance::default();
        c.0[0][..3].copy_from_slice(&[4.0, 1.0, 0.5]);
        c.0[1][..3].copy_from_slice(&[1.0, 9.0, -2.0]);
        c.0[2][..3].copy_from_slice(&[0.5, -2.0, 16.0]);
        assert_eq!(
            Covariance::of_mean(4.0).at(&multipliers(0.7, NO_LINES)),
            4.0
        );
        // At p = 1 the terms are 1, 1, 2/3.
        let q = 2.0 / 3.0;
        let expected = 4.0 + 9.0 + 16.0 * q * q + 2.0 * (1.0 + 0.5 * q - 2.0 * q);
        assert!((c.at(&multipliers(1.0, NO_LINES)) - expected).abs() < 1e-12);
        assert!(c.at(&multipliers(-1.0, NO_LINES)) != c.at(&multipliers(1.0, NO_LINES)));
        assert_eq!((c.error_of(1), c.error_of(2)), (3.0, 4.0));
        assert!(Covariance::UNKNOWN.error_of(0).is_nan());
        assert_eq!(Covariance::of_mean(-1e-20).error_of(0), 0.0);
        c.0[STRETCH][STRETCH] = 25.0;
        c.0[SKEW][SKEW] = 36.0;
        let lines = LineKind {
            place: 2.0,
            sharpness: -0.5,
        };
        let more = c.at(&multipliers(1.0, lines)) - c.at(&multipliers(1.0, NO_LINES));
        assert!((more - (25.0 * 4.0 + 36.0 * 0.25)).abs() < 1e-9);
    }

    #[test]
    fn the_curve_has_no_mean_along_the_slit() {
        let n = 20_000;
        let place = |i: usize| (i as f64 + 0.5) / (n as f64) * 2.0 - 1.0;
        for term in [SLOPE, CURVE] {
            let all = (0..n).map(|i| multipliers(place(i), NO_LINES)[term]);
            let mean: f64 = all.sum::<f64>() / n as f64;
            assert!(mean.abs() < 1e-6, "{term}: {mean}");
        }
    }

    #[test]
    fn terms_go_to_their_places() {
        let mut shape = Shape::default();
        assert_eq!((shape.n_terms(), fibre_order(&shape.has())), (1, 0));
        shape.add(SKEW, 2.0);
        shape.add(SLOPE, 3.0);
        assert_eq!(shape.terms().collect::<Vec<_>>(), [MEAN, SLOPE, SKEW]);
        assert_eq!((shape.stiffness(SKEW), fibre_order(&shape.has())), (2.0, 1));
        let mut close = Covariance::default();
        for (i, row) in close.0.iter_mut().enumerate().take(3) {
            for (j, value) in row.iter_mut().enumerate().take(3) {
                *value = (10 * i + j) as f64;
            }
        }
        let wide = close.spread_out(&shape);
        assert_eq!(wide.0[SKEW][SLOPE], 21.0);
        assert_eq!((wide.0[SLOPE][SKEW], wide.0[MEAN][SKEW]), (12.0, 2.0));
        assert_eq!((wide.0[CURVE], wide.0[STRETCH]), ([0.0; 5], [0.0; 5]));
    }
}
