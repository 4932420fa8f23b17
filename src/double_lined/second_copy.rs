//! An exposure as the sum of two copies of its reference: how much the second one explains.

use multiversion::multiversion;

use super::coarse::{CoarseExposure, CoarseReference};

/// Distances of a second copy that are tried, bins. Nearer than one and a half widths of the line-spread function it is part of the
/// first copy's line; farther than any pair of stars moves apart it would be a chance coincidence.
pub(super) const NEAREST: usize = 6;
const FARTHEST: usize = 40;
/// Least part of a second copy that the first one, moved by a bin or widened, cannot make. Broad lines moved by less than their width
/// have hardly any.
const MIN_NEW: f64 = 0.3;

/// Lags beside the highest second copy that do not count as its surroundings.
const SURROUNDINGS: usize = 8;

/// Least amplitude of the first copy that the share of the second one is formed with: below it the reference does not fit the exposure
/// at all.
const FAINTEST: f64 = 0.05;

/// A second copy that is less significant than this is not looked at more closely.
const FAINT_SIGMA: f64 = 5.0;

/// The scatter of copies at other velocities is not formed from fewer than this.
const MIN_OTHERS: usize = 6;

/// What a second copy of the reference explains of an exposure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SecondCopy {
    /// Its amplitude over the error of that.
    pub sigma: f64,
    /// Its amplitude over that of the first copy.
    pub share: f64,
    /// Its velocity less that of the first copy, km/s.
    pub separation_km_s: f64,
    /// Root mean square of `sigma` at other velocities; 1 for noise.
    pub others_sigma: f64,
    /// Excess of chi^2 without it, in standard deviations.
    pub misfit_sigma: f64,
    /// Part of the reference's lines, in squared depth, that is its noise.
    pub noise_share: f64,
    /// Part of the amplitude that each quarter of the lines gives; NaN below 5 sigma.
    pub quarters: [f64; 4],
}

/// A reference with what is the same for all exposures.
pub(super) struct Search<'a> {
    reference: &'a CoarseReference,
    /// Part of a second copy that is new beside the first, by distance.
    new: Vec<f64>,
    noise_share: f64,
}

impl<'a> Search<'a> {
    pub(super) fn new(reference: &'a CoarseReference) -> Self {
        let all = reference.correlate(reference.sharp_at(0));
        let max_lag = reference.max_lag;
        let own = |lag: usize| all[max_lag - lag] / all[max_lag];
        // The exposure is fitted with the first copy and its neighbours one bin to either side, which allow for a shift by a
        // fraction of a bin and for somewhat wider lines. These are their products.
        let near: Matrix =
            std::array::from_fn(|i| std::array::from_fn(|j: usize| own(i.abs_diff(j))));
        let new = (0..max_lag)
            .map(|lag| {
                if lag < NEAREST {
                    return 0.0;
                }
                let far = [own(lag - 1), own(lag), own(lag + 1)];
                let fit = solve(&near, &far);
                1.0 - far.iter().zip(fit).map(|(a, b)| a * b).sum::<f64>()
            })
            .collect();
        Search {
            reference,
            new,
            noise_share: reference.mean_variance() * reference.n_bins() as f64 / all[max_lag],
        }
    }

    pub(super) fn second_copy(&self, exposure: &CoarseExposure) -> Option<SecondCopy> {
        let CoarseExposure { sharp, weight, .. } = exposure;
        let weighed = |values: &[f64]| -> Vec<f32> {
            let both = values.iter().zip(weight);
            both.map(|(v, w)| (v * w) as f32).collect()
        };
        let max_lag = self.reference.max_lag;
        let first = self.reference.correlate(&weighed(sharp));
        // As many lags on either side of 0, leaving out the ends so that each has a neighbour.
        let top = highest(&first[1..2 * max_lag])? + 1;
        let lag = max_lag as isize - top as isize;
        let copies: [&[f32]; 3] =
            std::array::from_fn(|i| self.reference.sharp_at(lag + 1 - i as isize));
        let near = products(copies, weight);
        let power = near[1][1];
        let fit = solve(&near, &[first[top - 1], first[top], first[top + 1]]);
        let all = fit.iter().sum::<f64>();
        let (rest, chi2) = remainder(sharp, weight, copies, &fit);
        let n = weight.iter().filter(|w| **w > 0.0).count() as f64;
        let second = self.reference.correlate(&weighed(&rest));
        let is_tried = |place: usize| {
            let distance = place.abs_diff(top);
            (NEAREST..=FARTHEST).contains(&distance) && self.new[distance] > MIN_NEW
        };
        let error2 = |place: usize| self.new[place.abs_diff(top)] * power;
        let sigma: Vec<f64> = (0..second.len())
            .map(|place| match is_tried(place) {
                true => second[place] / error2(place).sqrt(),
                false => f64::NAN,
            })
            .collect();
        let place = highest(&sigma)?;
        let (mut squares, mut n_others) = (0.0, 0usize);
        for (other, sigma) in sigma.iter().enumerate() {
            if sigma.is_finite() && other.abs_diff(place) > SURROUNDINGS {
                squares += sigma * sigma;
                n_others += 1;
            }
        }
        Some(SecondCopy {
            sigma: sigma[place],
            share: second[place] / error2(place) / all.max(FAINTEST),
            separation_km_s: self.reference.bin_km_s * (top as f64 - place as f64),
            others_sigma: if n_others >= MIN_OTHERS {
                (squares / n_others as f64).sqrt()
            } else {
                1.0
            },
            misfit_sigma: (chi2 / n - 1.0) * (n / 2.0_f64).sqrt(),
            noise_share: self.noise_share,
            quarters: if sigma[place] > FAINT_SIGMA {
                let lag = max_lag as isize - place as isize;
                quarters(self.reference.sharp_at(lag), weight, &rest)
            } else {
                [f64::NAN; 4]
            },
        })
    }
}

/// Sums over the bins of the weighted products of three copies.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn products(copies: [&[f32]; 3], weight: &[f64]) -> Matrix {
    const LANES: usize = 4;
    let pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)];
    let mut sums = [[0.0f64; LANES]; 6];
    let [a, b, c] = copies.map(|copy| copy.chunks(LANES));
    for (weight, ((a, b), c)) in weight.chunks(LANES).zip(a.zip(b).zip(c)) {
        let mut values = [[0.0f64; LANES]; 4];
        for (l, w) in weight.iter().enumerate() {
            values[3][l] = *w;
            for (values, copy) in values.iter_mut().zip([a, b, c]) {
                values[l] = copy.get(l).map_or(0.0, |v| f64::from(*v));
            }
        }
        for (sum, (i, j)) in sums.iter_mut().zip(pairs) {
            for l in 0..LANES {
                sum[l] += values[3][l] * values[i][l] * values[j][l];
            }
        }
    }
    let mut out = [[0.0; 3]; 3];
    for (sum, (i, j)) in sums.iter().zip(pairs) {
        out[i][j] = sum.iter().sum();
        out[j][i] = out[i][j];
    }
    out
}

/// What three copies with the amplitudes `fit` leave, and its chi^2.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn remainder(
    values: &[f64],
    weight: &[f64],
    copies: [&[f32]; 3],
    fit: &[f64; 3],
) -> (Vec<f64>, f64) {
    let mut rest = values.to_vec();
    for (copy, fit) in copies.iter().zip(fit) {
        for (rest, copy) in rest.iter_mut().zip(*copy) {
            *rest -= fit * f64::from(*copy);
        }
    }
    const LANES: usize = 4;
    let mut chi2 = [0.0f64; LANES];
    for (rest, weight) in rest.chunks(LANES).zip(weight.chunks(LANES)) {
        for (chi2, (rest, weight)) in chi2.iter_mut().zip(rest.iter().zip(weight)) {
            *chi2 += weight * rest * rest;
        }
    }
    (rest, chi2.iter().sum())
}

/// Parts of the sum of `copy` times `rest`, weighted, that come from the quarters of `copy` squared.
fn quarters(copy: &[f32], weight: &[f64], rest: &[f64]) -> [f64; 4] {
    let bins = || copy.iter().map(|c| f64::from(*c)).zip(weight);
    let all: f64 = bins().map(|(c, w)| w * c * c).sum();
    let (mut so_far, mut quarter, mut parts) = (0.0, 0, [0.0; 4]);
    for ((copy, weight), rest) in bins().zip(rest) {
        so_far += weight * copy * copy;
        if quarter < 3 && 4.0 * so_far >= (quarter + 1) as f64 * all {
            quarter += 1;
        }
        parts[quarter] += weight * copy * rest;
    }
    let sum: f64 = parts.iter().sum();
    parts.map(|part| part / sum)
}

pub(super) type Matrix = [[f64; 3]; 3];

/// Solves the normal equations of three neighbouring copies. Where lines are broad these are nearly the same; a millionth of the
/// diagonal is added, so that the equations have one solution.
pub(super) fn solve(matrix: &Matrix, right: &[f64; 3]) -> [f64; 3] {
    let mut m = *matrix;
    let ridge = 1e-6 * (0..3).map(|i| m[i][i]).fold(0.0, f64::max);
    let mut r = *right;
    (0..3).for_each(|i| m[i][i] += ridge);
    for i in 0..3 {
        for below in i + 1..3 {
            let row = m[i];
            let factor = m[below][i] / row[i];
            m[below]
                .iter_mut()
                .zip(row)
                .for_each(|(a, b)| *a -= factor * b);
            r[below] -= factor * r[i];
        }
    }
    let mut out = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|k| m[i][k] * out[k]).sum();
        out[i] = (r[i] - known) / m[i][i];
    }
    out
}

/// Index of the highest finite value.
fn highest(values: &[f64]) -> Option<usize> {
    let finite = (0..values.len()).filter(|i| values[*i].is_finite());
    finite.max_by(|a, b| values[*a].total_cmp(&values[*b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_are_the_same_do_not_spoil_the_solution() {
        let fit = solve(
            &[[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]],
            &[6.0, 10.0, 8.0],
        );
        for (found, expected) in fit.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-4, "{fit:?}");
        }
        let fit = solve(&[[1.0; 3]; 3], &[1.0; 3]);
        assert!((fit.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{fit:?}");
    }
}
