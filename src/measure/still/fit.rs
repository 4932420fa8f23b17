//! The mean squared slope of the ripple, from the velocities of a unit's stars.

use super::super::drift;
use crate::numbers::statistics::{MEDIAN_CHI2, median};

/// A ripple whose mean squared slope is not this many errors above 0 is taken for none, and one not far above is drawn towards 0.
const NO_RIPPLE_SIGMA: f64 = 2.0;

/// No flat field leaves a mean squared slope of more than this, (km/s)^-2: it would be that of 3 % over 50 km/s. Chosen by hand.
const MOST: f64 = 2e-7;

/// Fewer stars than this tell nothing.
const FEWEST_STARS: usize = 8;

/// Velocities farther than so many errors from the star's count less.
const FAR_SIGMA: f64 = 3.0;

/// Rounds in which the weights settle, and in which the means of stars and exposures do.
const ROUNDS: usize = 3;
const MEANS: usize = 30;

/// The velocity of an exposure.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Number of the exposure.
    pub exposure: usize,
    pub rv_km_s: f64,
    pub err_km_s: f64,
    /// By how much the ripple moves it, km/s, over the ripple's mean squared slope.
    pub per_slope2: f64,
}

/// Mean squared slope of the ripple, (km/s)^-2, and its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ripple {
    pub slope2: f64,
    pub sigma: f64,
}

/// The ripple that the velocities of stars in `n` exposures tell of; none where they tell of none.
pub fn ripple(stars: &[Vec<Point>], n: usize) -> Option<Ripple> {
    let stars: Vec<&Vec<Point>> = stars.iter().filter(|star| star.len() > 2).collect();
    if stars.len() < FEWEST_STARS {
        return None;
    }
    let mut found = Ripple {
        slope2: 0.0,
        sigma: f64::INFINITY,
    };
    for _ in 0..ROUNDS {
        let weights = weights(&stars, n, found.slope2);
        found = solve(&stars, &weights, n);
    }
    let Ripple { slope2, sigma } = found;
    let threshold = NO_RIPPLE_SIGMA * sigma;
    let is_ripple = slope2 > threshold && slope2 < MOST;
    is_ripple.then(|| Ripple {
        slope2: slope2 * (1.0 - (threshold / slope2).powi(4)),
        sigma,
    })
}

/// Weights of all velocities: those of stars that vary, and those far from the star's others, count less.
fn weights(stars: &[&Vec<Point>], n: usize, slope2: f64) -> Vec<Vec<f64>> {
    let free = |p: &Point| p.rv_km_s - slope2 * p.per_slope2;
    let of_drift = |star: &&Vec<Point>| {
        let velocity = |p: &Point| (p.exposure, free(p), p.err_km_s);
        star.iter().map(velocity).collect()
    };
    let drift_km_s = drift::of_exposures(&stars.iter().map(of_drift).collect::<Vec<_>>(), n);
    let of_star = |star: &&Vec<Point>| {
        let own = |p: &Point| free(p) - drift_km_s[p.exposure];
        let middle = median(&mut star.iter().map(own).collect::<Vec<f64>>());
        let chi2 = |p: &Point| ((own(p) - middle) / p.err_km_s).powi(2);
        let usual = median(&mut star.iter().map(chi2).collect::<Vec<f64>>()) / MEDIAN_CHI2;
        // `f64::max` gives 1 also where there is no number.
        let inflation = usual.max(1.0);
        let weight = |p: &Point| {
            let far = 1.0 + chi2(p) / inflation / (FAR_SIGMA * FAR_SIGMA);
            let weight = 1.0 / (p.err_km_s * p.err_km_s * inflation * far);
            if weight.is_finite() { weight } else { 0.0 }
        };
        star.iter().map(weight).collect()
    };
    stars.iter().map(of_star).collect()
}

/// Least squares with the velocity of each star and the drift of each exposure free. The error is from the sums of each star: what the
/// ripple moves beside is the same in all exposures of a night.
fn solve(stars: &[&Vec<Point>], weights: &[Vec<f64>], n: usize) -> Ripple {
    let of = |value: fn(&Point) -> f64| {
        let of_stars = stars.iter().map(|star| star.iter().map(value).collect());
        without_means(stars, weights, of_stars.collect(), n)
    };
    let (rv, per) = (of(|p| p.rv_km_s), of(|p| p.per_slope2));
    let sums = |i: usize| {
        let all = weights[i].iter().zip(&rv[i]).zip(&per[i]);
        all.fold((0.0, 0.0), |(product, square), ((w, v), q)| {
            (product + w * q * v, square + w * q * q)
        })
    };
    let of_stars: Vec<(f64, f64)> = (0..stars.len()).map(sums).collect();
    let product: f64 = of_stars.iter().map(|s| s.0).sum();
    let square: f64 = of_stars.iter().map(|s| s.1).sum();
    let slope2 = product / square;
    // A star of large weight has drawn the solution to itself.
    let left = |(product, of_star): &(f64, f64)| {
        let without_it = 1.0 - (of_star / square).min(0.9);
        ((product - slope2 * of_star) / without_it).powi(2)
    };
    Ripple {
        slope2,
        sigma: of_stars.iter().map(left).sum::<f64>().sqrt() / square,
    }
}

/// Values less the means of their stars and exposures.
fn without_means(
    stars: &[&Vec<Point>],
    weights: &[Vec<f64>],
    mut values: Vec<Vec<f64>>,
    n: usize,
) -> Vec<Vec<f64>> {
    for _ in 0..MEANS {
        for (values, weights) in values.iter_mut().zip(weights) {
            let all: f64 = weights.iter().sum();
            let mean = values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / all;
            if mean.is_finite() {
                values.iter_mut().for_each(|v| *v -= mean);
            }
        }
        let mut means = vec![(0.0, 0.0); n];
        for ((star, values), weights) in stars.iter().zip(&values).zip(weights) {
            for ((p, v), w) in star.iter().zip(values).zip(weights) {
                let (sum, all) = &mut means[p.exposure];
                *sum += w * v;
                *all += w;
            }
        }
        for (star, values) in stars.iter().zip(&mut values) {
            for (p, v) in star.iter().zip(values) {
                let (sum, all) = means[p.exposure];
                if all > 0.0 {
                    *v -= sum / all;
                }
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt as _, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    const RIPPLE: f64 = 6e-9;

    /// Stars in 10 exposures of 5 nights. `of_night_km_s` is what moves a star alike in the exposures of a night.
    fn stars(seed: u64, n: usize, ripple: f64, of_night_km_s: f64) -> Vec<Vec<Point>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || -> f64 { rng.sample(StandardNormal) };
        let star = |i: usize| {
            let slope2 = (8e-4 * (-0.6 * i as f64 / n as f64).exp()).powi(2);
            let of_nights: [f64; 5] = std::array::from_fn(|_| of_night_km_s * normal());
            let point = |exposure: usize| {
                let per_slope2 = 12.0 * (1.3 * (exposure / 2) as f64).sin() / slope2;
                let noise = 0.1 * normal() + of_nights[exposure / 2];
                Point {
                    exposure,
                    rv_km_s: 7.0 * i as f64 + 0.9 * exposure as f64 + ripple * per_slope2 + noise,
                    err_km_s: 0.1,
                    per_slope2,
                }
            };
            (0..10).map(point).collect()
        };
        (0..n).map(star).collect()
    }

    #[test]
    fn the_slope_of_the_ripple_is_found_with_its_error() {
        for of_night_km_s in [0.0, 0.1] {
            let mut chi2 = 0.0;
            for seed in 0..20 {
                let found = ripple(&stars(seed, 60, RIPPLE, of_night_km_s), 10).unwrap();
                chi2 += ((found.slope2 - RIPPLE) / found.sigma).powi(2) / 20.0;
                assert!(found.sigma < 0.15 * RIPPLE, "{found:?}");
            }
            // Where a night's exposures agree by more than their noise, the error knows it.
            println!("{of_night_km_s} {chi2}");
            assert!((0.5..2.0).contains(&chi2), "{of_night_km_s} {chi2}");
        }
    }

    #[test]
    fn stars_that_vary_and_what_is_no_number_spoil_nothing() {
        let mut all = stars(30, 40, RIPPLE, 0.0);
        for (i, star) in all.iter_mut().enumerate().filter(|(i, _)| i % 4 == 0) {
            for p in star {
                p.rv_km_s += 30.0 * (2.1 * p.exposure as f64 + i as f64).sin();
            }
        }
        all[5][3].rv_km_s += 50.0;
        all[6][2].err_km_s = 0.0;
        let found = ripple(&all, 10).unwrap();
        assert!((found.slope2 / RIPPLE - 1.0).abs() < 0.2, "{found:?}");
        all[7][1].rv_km_s = f64::NAN;
        assert_eq!(ripple(&all, 10), None);
        assert_eq!(ripple(&stars(31, 7, RIPPLE, 0.0), 10), None);
    }

    #[test]
    fn no_ripple_is_found_where_none_is_or_where_none_can_be() {
        let n_found = (40..80).filter(|seed| ripple(&stars(*seed, 40, 0.0, 0.05), 10).is_some());
        assert!(n_found.count() < 4);
        assert_eq!(ripple(&stars(90, 40, -RIPPLE, 0.0), 10), None);
        assert_eq!(ripple(&stars(91, 40, 50.0 * RIPPLE, 0.0), 10), None);
        // Three times as high a ripple as usual is one.
        let high = ripple(&stars(92, 40, 15.0 * RIPPLE, 0.0), 10).unwrap();
        assert!((high.slope2 / RIPPLE / 15.0 - 1.0).abs() < 0.2, "{high:?}");
    }
}
