//! What a star's velocities say of its part in the moonlight: where moonlight changes, they move.
//!
//! Stars like the Sun are moved most, and their spectra show sunlight least. What is common to all stars of an exposure is its drift and
//! says nothing here.

use super::levels::{FAR_SIGMA, FEWEST_EXPOSURES};
use crate::numbers::statistics::{MEDIAN_CHI2, median};

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

/// What the velocities tell of the star's factor beside its own velocity; nothing if they are too few. `factor` is what it is taken for
/// now: velocities that are far from what it says count less.
pub fn told(points: &[Option<Point>], factor: f64) -> Told {
    let points: Vec<Point> = points.iter().flatten().copied().collect();
    if points.len() < FEWEST_EXPOSURES {
        return Told::default();
    }
    let left = |p: &Point| p.rv_km_s - factor * p.moved_km_s;
    let middle = median(&mut points.iter().map(left).collect::<Vec<f64>>());
    let chi2 = |p: &Point| (left(p) - middle).powi(2) / p.variance;
    let inflation = inflation(points.iter().map(chi2).collect());
    let weight = |p: &Point| {
        let far = 1.0 + chi2(p) / inflation / (FAR_SIGMA * FAR_SIGMA);
        1.0 / (p.variance * inflation * far)
    };
    let sum: f64 = points.iter().map(weight).sum();
    let mean = |value: fn(&Point) -> f64| {
        let all = points.iter().map(|p| weight(p) * value(p));
        all.sum::<f64>() / sum
    };
    let (mean_rv, mean_moved) = (mean(|p| p.rv_km_s), mean(|p| p.moved_km_s));
    let mut told = Told::default();
    for p in &points {
        let (rv, moved) = (p.rv_km_s - mean_rv, p.moved_km_s - mean_moved);
        told.information += weight(p) * moved * moved;
        told.product += weight(p) * moved * rv;
    }
    let are_finite = told.information.is_finite() && told.product.is_finite();
    if are_finite { told } else { Told::default() }
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
        let (mut factor, mut err) = (1.0, 0.0);
        for _ in 0..10 {
            let told = told(points, factor);
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
        for points in [few, points(f64::NAN, |_| 0.0)] {
            let told = told(&points, 1.0);
            assert_eq!((told.information, told.product), (0.0, 0.0));
        }
    }
}
