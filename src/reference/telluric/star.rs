//! What one star says of the water in its exposures: its spectra on a common grid, and its part of the linear system for the strengths.

use super::Absorption;
use super::grid::{FLOOR, Gridded, take_off_running_mean, weighted_mean};
use super::moved::moved;
use crate::numbers::statistics::median_high;
use crate::spectrum::Normalized;

/// Heliocentric wavelengths that are looked at, A: those of the lines that matter, and around H alpha none.
const RANGE_AA: (f64, f64) = (6445.0, 6630.0);

/// Grid points of one line-spread function: so many neighbours have the same pattern of stellar lines, and know only once of it.
pub const CORRELATED: f64 = 6.0;

/// Stellar lines deeper than so many of the pattern's sigma are not looked at.
const DEEP_SIGMA: f64 = 4.0;

/// A point that is farther from the star's mean than so many sigma and [`FAR`] is a cosmic ray or the like.
const FAR_SIGMA: f64 = 5.0;
const FAR: f64 = 0.1;

/// A spectrum with fewer usable points than this says nothing.
const MIN_POINTS: usize = 200;

/// One star's part of the linear system: `matrix` x strengths = `vector`.
#[derive(Clone, Debug)]
pub struct StarSystem {
    pub(super) lmjm: Vec<i64>,
    pub(super) matrix: Vec<f64>,
    pub(super) vector: Vec<f64>,
    /// Sum of squares of the data over their variance; with `freedom`, its expectation, it tells how well the model fits.
    squares: f64,
    freedom: f64,
    /// Velocity of each exposure against their mean, and its error, km/s.
    moved: Vec<(f64, f64)>,
    spectra: Spectra,
}

/// A star's exposures on the grid, without slow changes.
#[derive(Clone, Debug)]
pub struct Spectra {
    pub exposures: Vec<Gridded>,
    /// Weights of the exposures' points, also of those in deep lines, which have none in `exposures`.
    pub weight_of_all: Vec<Vec<f64>>,
    /// The star's light as a part of the continuum.
    pub starlight: Vec<f64>,
    /// The star's lines: its mean without slow changes.
    pub pattern: Vec<f64>,
    /// Which points are in no deep line.
    pub used: Vec<bool>,
    /// Standard deviation of the pattern at these.
    pub sigma: f64,
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
        let weight_of_all = gridded.iter().map(|one| one.weight.clone()).collect();
        for one in &mut gridded {
            for (weight, used) in one.weight.iter_mut().zip(&used) {
                if !used {
                    *weight = 0.0;
                }
            }
            take_off_running_mean(&mut one.flux, &one.weight);
        }
        let spectra = Spectra {
            exposures: gridded,
            weight_of_all,
            // Water absorbs part of the star's light, not of the continuum.
            starlight: mean.into_iter().map(|m| m.clamp(0.0, 2.0)).collect(),
            pattern,
            used,
            sigma,
        };
        let system = StarSystem::under(Absorption::listed(), lmjm, all_moved, spectra);
        (system.freedom >= MIN_POINTS as f64 / 2.0).then_some(system)
    }

    /// Of a star's spectra under lines of this shape.
    fn under(water: &Absorption, lmjm: Vec<i64>, moved: Vec<(f64, f64)>, spectra: Spectra) -> Self {
        let n = lmjm.len();
        let mut system = StarSystem {
            lmjm,
            matrix: vec![0.0; n * n],
            vector: vec![0.0; n],
            squares: 0.0,
            freedom: 0.0,
            moved,
            spectra,
        };
        system.accumulate(water);
        system
    }

    pub fn spectra(&self) -> &Spectra {
        &self.spectra
    }

    pub fn lmjm(&self) -> &[i64] {
        &self.lmjm
    }

    /// Of each exposure its time, the star's velocity against the mean of all, and the error of that, km/s.
    pub fn moved(&self) -> impl Iterator<Item = (i64, f64, f64)> {
        let all = self.lmjm.iter().zip(&self.moved);
        all.map(|(lmjm, (by_km_s, err_km_s))| (*lmjm, *by_km_s, *err_km_s))
    }

    /// By how much the star's errors are larger than its noise says, if the strengths are these: variable stars, double stars.
    pub fn inflation(&self, strengths: &[f64]) -> f64 {
        let n = strengths.len();
        let mut squares = self.squares;
        for i in 0..n {
            let row = &self.matrix[i * n..(i + 1) * n];
            let product: f64 = row.iter().zip(strengths).map(|(a, s)| a * s).sum();
            squares += strengths[i] * (product - 2.0 * self.vector[i]);
        }
        (squares / self.freedom).max(1.0)
    }

    /// Adds all points up for lines of this shape. What is known of the star's own pattern: that it is about 0.
    pub fn accumulate(&mut self, water: &Absorption) {
        let n = self.lmjm.len();
        let spectra = &self.spectra;
        let prior = 1.0 / (CORRELATED * spectra.sigma * spectra.sigma);
        let waters: Vec<Vec<f64>> = spectra.waters(water);
        (self.squares, self.freedom) = (0.0, 0.0);
        self.matrix.fill(0.0);
        self.vector.fill(0.0);
        let mut weighted = vec![0.0; n];
        for p in 0..spectra.starlight.len() {
            let (mut weight, mut flux, mut count) = (0.0, 0.0, 0.0);
            for ((e, water), weighted) in spectra.exposures.iter().zip(&waters).zip(&mut weighted) {
                weight += e.weight[p];
                flux += e.weight[p] * e.flux[p];
                *weighted = e.weight[p] * water[p];
                count += if e.weight[p] > 0.0 { 1.0 } else { 0.0 };
            }
            if weight == 0.0 {
                continue;
            }
            let total = weight + prior;
            let mean = flux / total;
            self.freedom += count - weight / total;
            for i in 0..n {
                let e = &spectra.exposures[i];
                self.squares += e.weight[p] * e.flux[p] * (e.flux[p] - mean);
                self.vector[i] -= weighted[i] * (e.flux[p] - mean);
                self.matrix[i * n + i] += weighted[i] * waters[i][p];
                for j in 0..n {
                    self.matrix[i * n + j] -= weighted[i] * weighted[j] / total;
                }
            }
        }
    }
}

impl Spectra {
    /// Variance of the star's own pattern at a point. In deep lines it is known to be large.
    pub fn variance_of_pattern(&self, p: usize) -> f64 {
        let usual = self.sigma * self.sigma;
        match self.used[p] {
            true => usual,
            false => usual.max(self.pattern[p] * self.pattern[p]),
        }
    }

    /// What water of unit strength absorbs in each exposure, less its slow changes.
    pub fn waters(&self, water: &Absorption) -> Vec<Vec<f64>> {
        let of_exposure = |one: &Gridded| {
            let mut water = one.water(water, &self.starlight);
            take_off_running_mean(&mut water, &one.weight);
            water
        };
        self.exposures.iter().map(of_exposure).collect()
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
