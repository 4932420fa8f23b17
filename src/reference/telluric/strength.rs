//! How strong the water lines are in each exposure, from many stars that were observed in it.
//!
//! A star's exposures are its own spectrum m times 1 - s T, with T moved by the Earth's velocity. The own spectrum is not
//! known; it is the same in all exposures, and it is taken to be a random pattern with the scatter that the star's mean spectrum
//! has. Marginalising over it leaves a small linear system for the strengths s of the exposures. What this says about
//! differences between exposures comes from differences of the same star's spectra, in which the star's own lines cancel. What it
//! says about the common level of the strengths comes from the shape of the spectra, and each star errs there by its own lines.
//! The systems of all stars are added.
//!
//! The equations and what they give are in docs/method.md, section 13. The limits below were chosen by hand.

use super::grid::{FLOOR, Gridded, take_off_running_mean, weighted_mean};
use super::moved::moved;
use crate::numbers::statistics::median_high;
use crate::spectrum::Normalized;

/// Heliocentric wavelengths that are looked at, A: those of the lines that matter, and around H alpha none.
const RANGE_AA: (f64, f64) = (6445.0, 6630.0);

/// Grid points of one line-spread function: so many neighbours have the same pattern of stellar lines, and know only once of it.
const CORRELATED: f64 = 6.0;

/// Stellar lines deeper than so many of the pattern's sigma are not looked at.
const DEEP_SIGMA: f64 = 4.0;

/// A point that is farther from the star's mean than so many sigma and [`FAR`] is a cosmic ray or the like.
const FAR_SIGMA: f64 = 5.0;
const FAR: f64 = 0.1;

/// A spectrum with fewer usable points than this says nothing.
const MIN_POINTS: usize = 200;

/// A strength of less than so many of its errors is taken for none, and one not far above is drawn towards 0.
const NO_WATER_SIGMA: f64 = 3.0;

/// Standard deviation of the strengths before anything is known, in units of 10 mm of water: 100 mm.
const PRIOR_SIGMA: f64 = 10.0;

/// Strength of the water lines in one exposure, in units of 10 mm of water.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// Local Modified Julian Minute of the exposure.
    pub lmjm: i64,
    /// As measured; its errors make it negative at times.
    pub value: f64,
    /// Standard error of `value`.
    pub error: f64,
}

impl Strength {
    /// What is to be divided out: drawn towards 0 where the error is not small, so that spectra without water keep their noise and get no other.
    pub fn shrunk(&self) -> f64 {
        let threshold = NO_WATER_SIGMA * self.error;
        if self.value > threshold {
            self.value * (1.0 - (threshold / self.value).powi(4))
        } else {
            0.0
        }
    }
}

/// One star's part of the linear system: `matrix` x strengths = `vector`.
#[derive(Clone, Debug)]
pub struct StarSystem {
    lmjm: Vec<i64>,
    matrix: Vec<f64>,
    vector: Vec<f64>,
    /// Sum of squares of the data over their variance; with `freedom`, its expectation, it tells how well the model fits.
    squares: f64,
    freedom: f64,
    /// Velocity of each exposure against their mean, and its error, km/s.
    moved: Vec<(f64, f64)>,
}

impl StarSystem {
    /// From the exposures of a star in the red arm: LMJM, HELIO_RV in km/s, and the spectrum. `None` if nothing of them is usable.
    pub fn new(exposures: &[(i64, f64, &Normalized)]) -> Option<Self> {
        let mut lmjm = Vec::new();
        let mut gridded = Vec::new();
        let (mut all_moved, spectra) = (Vec::new(), exposures.iter().map(|e| e.2));
        let found = moved(&spectra.collect::<Vec<_>>());
        for ((minute, helio_rv_km_s, spectrum), moved) in exposures.iter().zip(found) {
            let one = Gridded::new(spectrum, RANGE_AA, moved.shrunk_km_s(), *helio_rv_km_s);
            if one.weight.iter().filter(|w| **w > 0.0).count() >= MIN_POINTS {
                lmjm.push(*minute);
                gridded.push(one);
                all_moved.push((moved.by_km_s, moved.err_km_s));
            }
        }
        if gridded.is_empty() {
            return None;
        }
        let mean = weighted_mean(&gridded);
        reject_far(&mut gridded, &mean);
        // Water absorbs part of the star's light, not of the continuum.
        for one in &mut gridded {
            for (water, mean) in one.water.iter_mut().zip(&mean) {
                *water *= mean.clamp(0.0, 2.0);
            }
        }
        let mut used = vec![true; mean.len()];
        let mut pattern = pattern_of(&gridded, &used);
        // Strong lines distort the running mean around them, so it is taken again without them.
        for _ in 0..2 {
            let sigma = robust_sigma(&pattern, &used).max(FLOOR);
            for (used, pattern) in used.iter_mut().zip(&pattern) {
                *used &= pattern.abs() < DEEP_SIGMA * sigma;
            }
            pattern = pattern_of(&gridded, &used);
        }
        let sigma = robust_sigma(&pattern, &used).max(FLOOR);
        for one in &mut gridded {
            one.high_pass(&used);
        }
        let mut system = accumulate(lmjm, &gridded, 1.0 / (CORRELATED * sigma * sigma));
        system.moved = all_moved;
        (system.freedom >= MIN_POINTS as f64 / 2.0).then_some(system)
    }

    /// Of each exposure its time, the star's velocity against the mean of all, and the error of that, km/s.
    pub fn moved(&self) -> impl Iterator<Item = (i64, f64, f64)> {
        let all = self.lmjm.iter().zip(&self.moved);
        all.map(|(lmjm, (by_km_s, err_km_s))| (*lmjm, *by_km_s, *err_km_s))
    }

    /// By how much the star's errors are larger than its noise says, if the strengths are these: variable stars, double stars.
    fn inflation(&self, strengths: &[f64]) -> f64 {
        let n = strengths.len();
        let mut squares = self.squares;
        for i in 0..n {
            let row = &self.matrix[i * n..(i + 1) * n];
            let product: f64 = row.iter().zip(strengths).map(|(a, s)| a * s).sum();
            squares += strengths[i] * (product - 2.0 * self.vector[i]);
        }
        (squares / self.freedom).max(1.0)
    }
}

fn reject_far(exposures: &mut [Gridded], mean: &[f64]) {
    for one in exposures {
        let points = one.flux.iter().zip(&mut one.weight).zip(mean);
        for ((flux, weight), mean) in points {
            let far = (flux - mean).abs();
            if far > FAR && far * weight.sqrt() > FAR_SIGMA {
                *weight = 0.0;
            }
        }
    }
}

/// The mean of a star's exposures without its slow changes: the pattern of its lines.
fn pattern_of(exposures: &[Gridded], used: &[bool]) -> Vec<f64> {
    let mut pattern = weighted_mean(exposures);
    let weight: Vec<f64> = (0..pattern.len())
        .map(|i| match used[i] {
            true => exposures.iter().map(|e| e.weight[i]).sum(),
            false => 0.0,
        })
        .collect();
    take_off_running_mean(&mut pattern, &weight);
    pattern
}

/// Standard deviation by the median of absolute values, of the points in use.
fn robust_sigma(values: &[f64], used: &[bool]) -> f64 {
    let pairs = values.iter().zip(used);
    let mut sizes: Vec<f64> = pairs.filter(|(_, u)| **u).map(|(v, _)| v.abs()).collect();
    1.4826 * median_high(&mut sizes).unwrap_or(0.0)
}

/// Adds all points up; `prior` is the weight of what is known of the star's own pattern: that it is about 0.
fn accumulate(lmjm: Vec<i64>, exposures: &[Gridded], prior: f64) -> StarSystem {
    let n = exposures.len();
    let mut system = StarSystem {
        lmjm,
        matrix: vec![0.0; n * n],
        vector: vec![0.0; n],
        squares: 0.0,
        freedom: 0.0,
        moved: Vec::new(),
    };
    let n_points = exposures.first().map_or(0, |e| e.flux.len());
    let mut weighted = vec![0.0; n];
    for p in 0..n_points {
        let (mut weight, mut flux, mut count) = (0.0, 0.0, 0.0);
        for (e, weighted) in exposures.iter().zip(&mut weighted) {
            weight += e.weight[p];
            flux += e.weight[p] * e.flux[p];
            *weighted = e.weight[p] * e.water[p];
            count += if e.weight[p] > 0.0 { 1.0 } else { 0.0 };
        }
        if weight == 0.0 {
            continue;
        }
        let total = weight + prior;
        let mean = flux / total;
        system.freedom += count - weight / total;
        for i in 0..n {
            let e = &exposures[i];
            system.squares += e.weight[p] * e.flux[p] * (e.flux[p] - mean);
            system.vector[i] -= weighted[i] * (e.flux[p] - mean);
            system.matrix[i * n + i] += weighted[i] * e.water[p];
            for j in 0..n {
                system.matrix[i * n + j] -= weighted[i] * weighted[j] / total;
            }
        }
    }
    system
}

/// Strengths of all exposures that the stars have, by time, from all stars together.
pub fn solve(stars: &[StarSystem]) -> Vec<Strength> {
    let mut lmjm: Vec<i64> = stars.iter().flat_map(|s| &s.lmjm).copied().collect();
    lmjm.sort_unstable();
    lmjm.dedup();
    let places: Vec<Vec<usize>> = stars
        .iter()
        .map(|s| {
            s.lmjm
                .iter()
                .map(|t| lmjm.partition_point(|x| x < t))
                .collect()
        })
        .collect();
    let n = lmjm.len();
    let mut values = vec![0.0; n];
    let mut errors = vec![f64::INFINITY; n];
    let mut inflation = vec![1.0; stars.len()];
    // The first solution shows which stars the model describes badly. In the second and third their errors are larger, so that they
    // have less weight.
    for _ in 0..3 {
        let (mut matrix, mut vector) = (vec![0.0; n * n], vec![0.0; n]);
        for ((star, place), inflation) in stars.iter().zip(&places).zip(&inflation) {
            let m = place.len();
            for i in 0..m {
                vector[place[i]] += star.vector[i] / inflation;
                for j in 0..m {
                    matrix[place[i] * n + place[j]] += star.matrix[i * m + j] / inflation;
                }
            }
        }
        for i in 0..n {
            matrix[i * n + i] += 1.0 / (PRIOR_SIGMA * PRIOR_SIGMA);
        }
        let Some(inverse) = inverse(matrix, n) else {
            return Vec::new();
        };
        let times = |x: &[f64]| -> Vec<f64> {
            let row = |i: usize| inverse[i * n..(i + 1) * n].iter().zip(x);
            (0..n).map(|i| row(i).map(|(a, x)| a * x).sum()).collect()
        };
        values = times(&vector);
        // How well the stars agree is told by how far each of them alone would move the solution.
        let mut moved = vec![0.0; n];
        for ((star, place), inflation) in stars.iter().zip(&places).zip(&mut inflation) {
            let own: Vec<f64> = place.iter().map(|&p| values[p]).collect();
            let m = place.len();
            let mut pull = vec![0.0; n];
            for i in 0..m {
                let row = &star.matrix[i * m..(i + 1) * m];
                let product: f64 = row.iter().zip(&own).map(|(a, s)| a * s).sum();
                pull[place[i]] += (star.vector[i] - product) / *inflation;
            }
            for (moved, by) in moved.iter_mut().zip(times(&pull)) {
                *moved += by * by;
            }
            *inflation = star.inflation(&own);
        }
        let few = stars.len() as f64 / (stars.len() as f64 - 1.0).max(1.0);
        for i in 0..n {
            errors[i] = inverse[i * n + i].max(few * moved[i]).sqrt();
        }
    }
    let strengths = lmjm.into_iter().zip(values).zip(errors);
    strengths
        .map(|((lmjm, value), error)| Strength { lmjm, value, error })
        .collect()
}

/// Inverse of a positive definite matrix by Cholesky's factors.
fn inverse(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for j in 0..n {
        for k in 0..j {
            for i in j..n {
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            }
        }
        let pivot = a[j * n + j];
        if !(pivot.is_finite() && pivot > 0.0) {
            return None;
        }
        let root = pivot.sqrt();
        for i in j..n {
            a[i * n + j] /= root;
        }
    }
    let mut inverse = vec![0.0; n * n];
    let mut x = vec![0.0; n];
    for column in 0..n {
        for i in 0..n {
            let sum: f64 = (0..i).map(|k| a[i * n + k] * x[k]).sum();
            x[i] = (f64::from(u8::from(i == column)) - sum) / a[i * n + i];
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n)
                .map(|k| a[k * n + i] * inverse[k * n + column])
                .sum();
            inverse[i * n + column] = (x[i] - sum) / a[i * n + i];
        }
    }
    Some(inverse)
}
