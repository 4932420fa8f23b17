//! Whether a star shows two sets of lines: docs/method.md, section 11.
//!
//! Each exposure is fitted with a copy of the reference, and then with a second copy at another velocity. And the reference
//! is compared with itself: if it has every line twice, it looks like itself when moved by the distance of the two.

use super::coarse::{CoarseExposure, CoarseReference, LAGS, MAX_LAG, STEP_KM_S};
use super::normalize::Normalized;
use super::reference::Reference;

/// Distances of a second copy that are tried, bins: nearer than the line-spread function's width and a half it is part
/// of the first one's line, farther than any pair of stars moves it is a chance.
const NEAREST: usize = 6;
const FARTHEST: usize = 40;
/// The same of two sets of lines in the reference; lines of one magnesium triplet are 310 km/s apart.
const FARTHEST_OWN: usize = 30;

/// Part of a second copy that must be new beside the first: broad lines moved by less than their width hold none.
const MIN_NEW: f64 = 0.3;

/// Lags beside the highest second copy that do not count as its surroundings.
const SURROUNDINGS: usize = 8;

/// A second copy is there for certain: its significance, its share of the first, and its height over the root mean square
/// of copies at other velocities. Chosen, with the limits below, on 730 simulated single stars (constant, pulsating,
/// rotating with 80-250 km/s) and 300 double ones; the figures in docs/method.md are of others.
const SURE_SIGMA: f64 = 7.0;
const SURE_SHARE: f64 = 0.12;
const SURE_OVER_OTHERS: f64 = 2.0;

/// Part of the reference's lines that is noise, at most, for anything to be certain: of two copies of broad and noisy lines the
/// mean is less noisy than one, and fits better. The second one's share must be larger by as much, too.
const MAX_NOISE_SHARE: f64 = 0.3;

/// The same where the star is known to be double; and the excess of chi^2, in standard deviations, that is enough then.
const LIKELY_SIGMA: f64 = 5.0;
const LIKELY_OVER_OTHERS: f64 = 1.5;
const LIKELY_MISFIT_SIGMA: f64 = 5.0;

/// Correlation of the reference with itself, moved, above which its lines are double: blue, red, mean of both arms.
const OWN_CORRELATION: [f64; 2] = [0.38, 0.42];
const OWN_CORRELATION_MEAN: f64 = 0.33;
/// Lines are taken against the flux this many bins beside them (the line-spread function's width).
const OWN_SIDE: usize = 4;

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
}

impl SecondCopy {
    /// Two sets of lines, whatever the star's other exposures show.
    pub fn is_sure(&self) -> bool {
        self.sigma > SURE_SIGMA
            && self.noise_share < MAX_NOISE_SHARE
            && self.share > SURE_SHARE + self.noise_share
            && self.sigma > SURE_OVER_OTHERS * self.others_sigma.max(1.0)
    }

    /// Two sets of lines, or another mixture of them than in the reference, if the star is double.
    pub fn is_likely(&self) -> bool {
        (self.sigma > LIKELY_SIGMA && self.sigma > LIKELY_OVER_OTHERS * self.others_sigma)
            || self.misfit_sigma > LIKELY_MISFIT_SIGMA
    }
}

/// What a star's exposures in one arm show.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Of each exposure; None for the reference and for what cannot be compared with it.
    pub second: Vec<Option<SecondCopy>>,
    /// Correlation of the reference with itself by lag; empty where it could not be had.
    own: Vec<f64>,
    /// Which exposure is the reference.
    reference: usize,
}

/// Looks for second copies of `reference`, which is exposure number `reference_index`.
pub fn evidence<'a>(
    reference: &Reference,
    exposures: impl ExactSizeIterator<Item = &'a Normalized>,
    reference_index: usize,
    scratch: &mut CoarseExposure,
) -> Evidence {
    let n = exposures.len();
    let mut exposures = exposures.enumerate().peekable();
    let arm = exposures.peek().map(|(_, e)| e.arm);
    let coarse = arm.and_then(|arm| CoarseReference::new(reference, arm));
    let Some(coarse) = coarse else {
        return Evidence {
            second: vec![None; n],
            own: Vec::new(),
            reference: reference_index,
        };
    };
    let search = Search::new(&coarse);
    let second = exposures
        .map(|(i, exposure)| {
            if i == reference_index {
                return None;
            }
            coarse.bin(exposure, scratch);
            search.second_copy(scratch)
        })
        .collect();
    Evidence {
        second,
        own: coarse.self_correlation(OWN_SIDE),
        reference: reference_index,
    }
}

/// Which exposures of a star show two sets of lines, given what all of them show in both arms (blue, red; empty for an
/// arm without exposures). All false if the star shows one set only.
pub fn judge(arms: [&Evidence; 2]) -> [Vec<bool>; 2] {
    let sure = |e: &&Evidence| e.second.iter().flatten().any(SecondCopy::is_sure);
    let own = own_lines_are_double(arms.map(|e| &e.own[..]));
    let is_double = own.iter().any(|d| *d) || arms.iter().any(sure);
    std::array::from_fn(|arm| {
        let of = |(i, second): (usize, &Option<SecondCopy>)| {
            let is_reference = i == arms[arm].reference && own[arm];
            is_double && (is_reference || second.is_some_and(|s| s.is_sure() || s.is_likely()))
        };
        arms[arm].second.iter().enumerate().map(of).collect()
    })
}

/// Whether each arm's reference has its lines twice, from correlations with themselves.
fn own_lines_are_double(arms: [&[f64]; 2]) -> [bool; 2] {
    let alone: [bool; 2] = std::array::from_fn(|a| side_peak(arms[a]) > OWN_CORRELATION[a]);
    let mean: Vec<f64> = arms[0]
        .iter()
        .zip(arms[1])
        .map(|(blue, red)| 0.5 * (blue + red))
        .collect();
    // The same distance in both arms.
    if side_peak(&mean) > OWN_CORRELATION_MEAN {
        return [true; 2];
    }
    alone
}

/// Highest maximum beside lag 0, in the range of distances that are tried; 0 if there is none.
fn side_peak(own: &[f64]) -> f64 {
    own.windows(3)
        .skip(NEAREST - 1)
        .take(FARTHEST_OWN + 1 - NEAREST)
        .filter(|w| w[1] >= w[0] && w[1] >= w[2])
        .map(|w| w[1])
        .fold(0.0, f64::max)
}

/// A reference with what is the same for all exposures.
struct Search<'a> {
    reference: &'a CoarseReference,
    /// Part of a second copy that is new beside the first, by distance.
    new: Vec<f64>,
    noise_share: f64,
}

impl<'a> Search<'a> {
    fn new(reference: &'a CoarseReference) -> Self {
        let all = reference.correlate(reference.sharp_at(0));
        let own = |lag: usize| all[MAX_LAG - lag] / all[MAX_LAG];
        // The first copy, one bin to either side of it too: a fraction of a bin, and somewhat wider lines.
        let near: Matrix =
            std::array::from_fn(|i| std::array::from_fn(|j: usize| own(i.abs_diff(j))));
        let new = (0..MAX_LAG)
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
            noise_share: reference.mean_variance() * reference.len() as f64 / all[MAX_LAG],
        }
    }

    fn second_copy(&self, exposure: &CoarseExposure) -> Option<SecondCopy> {
        let CoarseExposure { sharp, weight, .. } = exposure;
        let weighed = |values: &[f64]| -> Vec<f32> {
            let both = values.iter().zip(weight);
            both.map(|(v, w)| (v * w) as f32).collect()
        };
        let first = self.reference.correlate(&weighed(sharp));
        let top = highest(&first[1..LAGS - 1])? + 1;
        let lag = MAX_LAG as isize - top as isize;
        let copies: [&[f32]; 3] =
            std::array::from_fn(|i| self.reference.sharp_at(lag + 1 - i as isize));
        let (mut near, mut sums) = ([[0.0; 3]; 3], [0.0; 3]);
        for (k, (value, w)) in sharp.iter().zip(weight).enumerate() {
            for i in 0..3 {
                let with_weight = w * f64::from(copies[i][k]);
                sums[i] += with_weight * value;
                for (j, near) in near[i].iter_mut().enumerate().take(i + 1) {
                    *near += with_weight * f64::from(copies[j][k]);
                }
            }
        }
        for i in 0..3 {
            for j in i + 1..3 {
                near[i][j] = near[j][i];
            }
        }
        let power = near[1][1];
        let fit = solve(&near, &sums);
        let share_of = fit.iter().sum::<f64>();
        let (mut chi2, mut n) = (0.0, 0.0);
        let rest: Vec<f64> = (0..sharp.len())
            .map(|k| {
                let model: f64 = (0..3).map(|i| fit[i] * f64::from(copies[i][k])).sum();
                let rest = sharp[k] - model;
                chi2 += weight[k] * rest * rest;
                n += f64::from(u8::from(weight[k] > 0.0));
                rest
            })
            .collect();
        let second = self.reference.correlate(&weighed(&rest));
        let is_tried = |place: usize| {
            let distance = place.abs_diff(top);
            (NEAREST..=FARTHEST).contains(&distance) && self.new[distance] > MIN_NEW
        };
        let error2 = |place: usize| self.new[place.abs_diff(top)] * power;
        let sigma: Vec<f64> = (0..LAGS)
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
        /// A first copy fainter than this fits nothing.
        const FAINTEST: f64 = 0.05;
        Some(SecondCopy {
            sigma: sigma[place],
            share: second[place] / error2(place) / share_of.max(FAINTEST),
            separation_km_s: STEP_KM_S * (top as f64 - place as f64),
            others_sigma: if n_others > 5 {
                (squares / n_others as f64).sqrt()
            } else {
                1.0
            },
            misfit_sigma: (chi2 / n - 1.0) * (n / 2.0_f64).sqrt(),
            noise_share: self.noise_share,
        })
    }
}

type Matrix = [[f64; 3]; 3];

/// Solves the normal equations of three neighbours that are nearly the same where lines are broad; a millionth of the
/// diagonal keeps them apart.
fn solve(matrix: &Matrix, right: &[f64; 3]) -> [f64; 3] {
    let mut m = *matrix;
    let ridge = 1e-6 * (0..3).map(|i| m[i][i]).fold(0.0, f64::max);
    let mut r = *right;
    (0..3).for_each(|i| m[i][i] += ridge);
    for i in 0..3 {
        for below in i + 1..3 {
            let factor = m[below][i] / m[i][i];
            for k in i..3 {
                m[below][k] -= factor * m[i][k];
            }
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
