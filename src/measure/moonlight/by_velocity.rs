//! What a star's velocities say of its part in the moonlight: where moonlight changes, they move.
//!
//! Stars like the Sun are moved most, and their spectra show sunlight least. What is common to all stars of an exposure is its drift and
//! says nothing here.

use super::levels::{FAR_SIGMA, FEWEST_EXPOSURES, MEDIAN_CHI2};
use crate::numbers::statistics::median;

/// The velocity of an exposure.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Without the drift of the exposure.
    pub rv_km_s: f64,
    /// By how much moonlight has moved it if the star has as much as its brightness suggests.
    pub moved_km_s: f64,
    /// Square of its error, km^2/s^2.
    pub variance: f64,
}

/// Sums that tell of the star's factor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub information: f64,
    pub product: f64,
}

/// How well the velocities are described.
#[derive(Clone, Debug)]
pub struct ByVelocity {
    /// Residual of each, km/s.
    residual: Vec<f64>,
    /// By how much their variances are larger than those quoted: the star may vary.
    inflation: f64,
}

impl ByVelocity {
    /// Of so many exposures.
    pub fn new(n: usize) -> Self {
        ByVelocity {
            residual: vec![0.0; n],
            inflation: 1.0,
        }
    }

    /// What the velocities tell of the factor beside the star's own velocity; nothing if they are too few. `factor` is what it is taken
    /// for now.
    pub fn fit(&mut self, points: &[Option<Point>], factor: f64) -> Told {
        if points.iter().flatten().count() < FEWEST_EXPOSURES {
            return Told::default();
        }
        let weights = self.weights(points);
        let all = || {
            points
                .iter()
                .zip(&weights)
                .filter_map(|(p, w)| Some(((*p)?, *w)))
        };
        let sum: f64 = all().map(|(_, w)| w).sum();
        let mean = |value: fn(&Point) -> f64| all().map(|(p, w)| w * value(&p)).sum::<f64>() / sum;
        let (mean_rv, mean_moved) = (mean(|p| p.rv_km_s), mean(|p| p.moved_km_s));
        let (mut told, mut chi2) = (Told::default(), Vec::with_capacity(points.len()));
        for ((point, weight), residual) in points.iter().zip(&weights).zip(&mut self.residual) {
            let Some(p) = point else { continue };
            let (rv, moved) = (p.rv_km_s - mean_rv, p.moved_km_s - mean_moved);
            told.information += weight * moved * moved;
            told.product += weight * moved * rv;
            *residual = rv - factor * moved;
            chi2.push(*residual * *residual / p.variance);
        }
        self.inflation = inflation(chi2);
        let are_finite = told.information.is_finite() && told.product.is_finite();
        if are_finite { told } else { Told::default() }
    }

    fn weights(&self, points: &[Option<Point>]) -> Vec<f64> {
        let weight = |(point, residual): (&Option<Point>, &f64)| {
            let variance = self.inflation * point.map_or(f64::INFINITY, |p| p.variance);
            let far = 1.0 + residual * residual / variance / (FAR_SIGMA * FAR_SIGMA);
            1.0 / (variance * far)
        };
        points.iter().zip(&self.residual).map(weight).collect()
    }
}

/// By how much the variances are larger than those quoted: by the middle of chi^2, or by its mean without what is far. A star that varies
/// tells by a few velocities as well as by many.
fn inflation(mut chi2: Vec<f64>) -> f64 {
    let usual = (median(&mut chi2) / MEDIAN_CHI2).max(1.0);
    let most = FAR_SIGMA * FAR_SIGMA * usual;
    let bounded: f64 = chi2.iter().map(|c| c.min(most)).sum();
    // `f64::max` gives the other where one is no number.
    usual.max(bounded / (chi2.len() as f64 - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVED_KM_S: [f64; 8] = [0.3, -0.2, 0.5, 0.1, -0.4, 0.0, 0.25, -0.1];

    fn points(factor: f64, other: impl Fn(usize) -> f64) -> Vec<Option<Point>> {
        let one = |(i, moved_km_s): (usize, f64)| {
            Some(Point {
                rv_km_s: 12.0 + factor * moved_km_s + other(i),
                moved_km_s,
                variance: 0.0025,
            })
        };
        MOVED_KM_S.into_iter().enumerate().map(one).collect()
    }

    fn settled(points: &[Option<Point>]) -> (f64, f64) {
        let (mut of_star, mut factor, mut err) = (ByVelocity::new(points.len()), 1.0, 0.0);
        for _ in 0..10 {
            let told = of_star.fit(points, factor);
            factor = told.product / told.information;
            err = told.information.powf(-0.5);
        }
        (factor, err)
    }

    #[test]
    fn velocities_that_move_with_the_moonlight_tell_how_much_a_star_has() {
        let (factor, err) = settled(&points(0.6, |i| if i % 2 == 0 { 0.01 } else { -0.01 }));
        assert!((factor - 0.6).abs() < 0.03 && err < 0.08, "{factor} {err}");
        // One velocity far off, and one that there is not, change little.
        let mut some = points(0.6, |i| if i == 4 { 7.0 } else { 0.0 });
        some[1] = None;
        let (factor, _) = settled(&some);
        assert!((factor - 0.6).abs() < 0.1, "{factor}");
    }

    #[test]
    fn a_star_that_varies_tells_little() {
        let (_, still) = settled(&points(1.0, |_| 0.0));
        let (_, varies) = settled(&points(1.0, |i| 5.0 * (1.7 * i as f64).sin()));
        assert!(varies > 20.0 * still, "{varies} {still}");
    }

    #[test]
    fn two_velocities_or_none_that_is_a_number_tell_nothing() {
        let mut few = points(1.0, |_| 0.0);
        few[2..].fill(None);
        assert_eq!(ByVelocity::new(8).fit(&few, 1.0).information, 0.0);
        let none = points(f64::NAN, |_| 0.0);
        let mut of_star = ByVelocity::new(8);
        for _ in 0..3 {
            let told = of_star.fit(&none, 1.0);
            assert_eq!((told.information, told.product), (0.0, 0.0));
        }
        assert!(of_star.inflation >= 1.0);
    }
}
