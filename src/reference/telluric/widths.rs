//! Equivalent widths of the groups of water lines, for given strengths of the exposures.
//!
//! The equations are those of the strengths (docs/method.md, section 13), with the widths as the unknowns: the star's own pattern is marginalised,
//! so that differences between its exposures tell, and the shape of its spectrum as far as its own lines leave it.

use super::Absorption;
use super::groups::Groups;
use super::star::{CORRELATED, Spectra};

/// Standard deviation of a group's equivalent width before anything is known, as a part of what the list has: a line of the list is wrong by a
/// factor of two at times. Chosen on simulated plates (seeds 9101-9106).
const PRIOR_OF_LISTED: f64 = 0.7;

/// By so much the squares of the errors are larger than the noise says, at least: neighbouring points share what the flat field, the moon and the
/// line-spread function leave, and so do all stars of an exposure, which do not tell of that by disagreeing. Chosen on simulated plates
/// (seeds 9101-9106).
const LEAST_INFLATION: f64 = 60.0;

/// Times that the stars' disagreement is found.
const TIMES: usize = 3;

/// Sweeps over the widths, at most, and the change of the last one that is none, km/s.
const MOST_SWEEPS: usize = 100;
const SMALL_KM_S: f64 = 1e-5;

/// What is known of a star's exposures.
pub struct Seen<'a> {
    pub spectra: &'a Spectra,
    /// Strengths of its exposures.
    pub strengths: Vec<f64>,
    /// By how much the squares of its errors are larger than its noise says.
    pub inflation: f64,
}

/// The linear system for changes of the groups' equivalent widths.
#[derive(Clone, Debug)]
pub struct System {
    n: usize,
    matrix: Vec<f64>,
    vector: Vec<f64>,
}

impl System {
    fn empty(n: usize) -> Self {
        System {
            n,
            matrix: vec![0.0; n * n],
            vector: vec![0.0; n],
        }
    }

    /// What is known before: the list.
    fn of_list(groups: &Groups, widths_km_s: &[f64]) -> Self {
        let n = widths_km_s.len();
        let mut system = System::empty(n);
        for (k, (group, width)) in groups.all.iter().zip(widths_km_s).enumerate() {
            let sigma = PRIOR_OF_LISTED * group.listed_km_s;
            let weight = 1.0 / (sigma * sigma);
            system.matrix[k * n + k] = weight;
            system.vector[k] = weight * (group.listed_km_s - width);
        }
        system
    }

    /// What a star says, if the lines have the shape `water` so far.
    pub fn of_star(groups: &Groups, water: &Absorption, star: &Seen) -> Self {
        let waters = star.spectra.waters(water);
        let mut system = System::empty(groups.all.len());
        let mut shared = vec![0.0; system.n];
        for p in 0..star.spectra.starlight.len() {
            system.add_point(groups, &waters, star, p, &mut shared);
        }
        system
    }

    /// Adds one point of the grid. `shared` is 0, and is left so.
    fn add_point(
        &mut self,
        groups: &Groups,
        waters: &[Vec<f64>],
        star: &Seen,
        p: usize,
        shared: &mut [f64],
    ) {
        let (n, spectra) = (self.n, star.spectra);
        let prior = 1.0 / (CORRELATED * spectra.variance_of_pattern(p));
        let weight = |e: usize| spectra.weight_of_all[e][p] / star.inflation;
        // What the water so far does not explain.
        let rest = |e: usize| spectra.exposures[e].flux[p] + star.strengths[e] * waters[e][p];
        let exposures = 0..star.strengths.len();
        let total = exposures.clone().map(weight).sum::<f64>() + prior / star.inflation;
        let mean = exposures.clone().map(|e| weight(e) * rest(e)).sum::<f64>() / total;
        let (mut first, mut behind) = (usize::MAX, 0);
        for e in exposures {
            let light = star.strengths[e] * spectra.starlight[p];
            let weight = weight(e);
            if !(weight > 0.0 && light > 0.0) {
                continue;
            }
            let (place, near) = groups.around(spectra.exposures[e].observed(p));
            if near.is_empty() {
                continue;
            }
            (first, behind) = (first.min(near.start), behind.max(near.end));
            for k in near.clone() {
                let of_k = weight * light * groups.all[k].at(place);
                shared[k] += of_k;
                self.vector[k] -= of_k * (rest(e) - mean);
                for l in near.clone() {
                    self.matrix[k * n + l] += of_k * light * groups.all[l].at(place);
                }
            }
        }
        for k in first..behind {
            for l in first..behind {
                self.matrix[k * n + l] -= shared[k] * shared[l] / total;
            }
        }
        for shared in shared.iter_mut().take(behind).skip(first) {
            *shared = 0.0;
        }
    }

    /// Whether it holds numbers, and not 0 alone.
    fn tells(&self) -> bool {
        let mut all = self.matrix.iter().chain(&self.vector);
        all.all(|x| x.is_finite()) && self.matrix.iter().any(|x| *x > 0.0)
    }

    /// Adds what a star says, with errors whose squares are larger by `inflation`.
    fn add(&mut self, star: &System, inflation: f64) {
        for (sum, a) in self.matrix.iter_mut().zip(&star.matrix) {
            *sum += a / inflation;
        }
        for (sum, a) in self.vector.iter_mut().zip(&star.vector) {
            *sum += a / inflation;
        }
    }

    /// By how much the squares of the star's errors are larger than it says, if the widths change by this.
    fn disagreement(&self, change_km_s: &[f64]) -> f64 {
        let (mut squares, mut expected) = (0.0, 0.0);
        for (row, vector) in self.matrix.chunks_exact(self.n).zip(&self.vector) {
            let product: f64 = row.iter().zip(change_km_s).map(|(a, c)| a * c).sum();
            squares += (vector - product).powi(2);
        }
        for k in 0..self.n {
            expected += self.matrix[k * self.n + k];
        }
        squares / expected
    }

    /// The widths that fit best, none of them negative.
    fn solved(&self, widths_km_s: &[f64]) -> Vec<f64> {
        let mut left = self.vector.clone();
        let mut new = widths_km_s.to_vec();
        for _ in 0..MOST_SWEEPS {
            let mut most = 0f64;
            for k in 0..self.n {
                let row = &self.matrix[k * self.n..(k + 1) * self.n];
                let better = (new[k] + left[k] / row[k]).max(0.0);
                let by = better - new[k];
                if by == 0.0 {
                    continue;
                }
                new[k] = better;
                most = most.max(by.abs());
                for (left, a) in left.iter_mut().zip(row) {
                    *left -= a * by;
                }
            }
            if most < SMALL_KM_S {
                break;
            }
        }
        new
    }
}

/// Better equivalent widths, km/s, from what all stars say; none where a width would be no number. Stars whose numbers are none do not count.
pub fn revised(stars: &[System], groups: &Groups, widths_km_s: &[f64]) -> Option<Vec<f64>> {
    let stars: Vec<&System> = stars.iter().filter(|star| star.tells()).collect();
    let few = stars.len() as f64 / (stars.len() as f64 - 1.0).max(1.0);
    let mut inflation = vec![LEAST_INFLATION; stars.len()];
    let mut new = widths_km_s.to_vec();
    for _ in 0..TIMES {
        let mut system = System::of_list(groups, widths_km_s);
        for (star, inflation) in stars.iter().zip(&inflation) {
            system.add(star, *inflation);
        }
        new = system.solved(widths_km_s);
        let change_km_s: Vec<f64> = new.iter().zip(widths_km_s).map(|(a, b)| a - b).collect();
        for (inflation, star) in inflation.iter_mut().zip(&stars) {
            *inflation = (few * star.disagreement(&change_km_s)).max(LEAST_INFLATION);
        }
    }
    let new = scaled(groups, new);
    new.iter().all(|width| width.is_finite()).then_some(new)
}

/// In the scale in which they are nearest to the list. Strengths and widths are known as products, and this makes a strength of 1 the 10 mm of
/// water of those lines that are about as listed.
fn scaled(groups: &Groups, widths_km_s: Vec<f64>) -> Vec<f64> {
    let (mut squares, mut products) = (0.0, 0.0);
    for (group, width) in groups.all.iter().zip(&widths_km_s) {
        squares += width * width;
        products += width * group.listed_km_s;
    }
    let scale = products / squares;
    widths_km_s.into_iter().map(|w| scale * w).collect()
}
