//! Sunlight in an exposure: found together with what else may differ between two exposures of one star, and how far it moves the
//! velocity. docs/method.md, section 14, has the method.

use multiversion::multiversion;

use super::foreign::Light;
use super::view::AtPixels;
use crate::spectrum::MODEL_SIGMA;
use crate::spectrum::normalize::Normalized;

/// Sunlight in an exposure against the coadd of the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sunlit {
    /// Share of sunlight in it, less that in the others.
    pub share: f64,
    /// Error of `share`; infinite where it is not known.
    pub sigma: f64,
    /// Mean square of what sunlight adds to the spectrum and nothing else that was fitted can add, for a share of 1. Where it is small,
    /// the star is so much like the Sun that `share` says little, whatever its error.
    pub distinct: f64,
    /// By how much a share of 1 moves the velocity, km/s.
    pub pull_km_s: f64,
}

/// An exposure's wavelengths may be wrong by some km/s, and moonlight came through the same spectrograph: its lines are as wrong as the
/// star's. By how much is known only when all stars have been measured, so sunlight is looked for at three places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SunlitWhere {
    at: [Sunlit; 3],
}

/// Distance of the three places, km/s: about what wavelengths are wrong by, and little against the width of a line, 40 km/s.
const PLACES_KM_S: f64 = 3.0;

/// Wavelengths that are wrong by more are taken as wrong by this, km/s: a parabola does not reach farther.
const FARTHEST_KM_S: f64 = 6.0;

impl SunlitWhere {
    /// From what `find` finds where all wavelengths are too large by so many km/s.
    pub fn found(find: &mut dyn FnMut(f64) -> Option<Sunlit>) -> Option<Self> {
        let at = [-PLACES_KM_S, 0.0, PLACES_KM_S].map(find);
        let [Some(before), Some(here), Some(after)] = at else {
            return None;
        };
        Some(SunlitWhere {
            at: [before, here, after],
        })
    }

    /// How many numbers it is.
    pub const N_NUMBERS: usize = 12;

    /// As numbers, to be kept.
    pub fn to_numbers(self) -> [f64; Self::N_NUMBERS] {
        let [a, b, c] = self.at.map(|s| [s.share, s.sigma, s.distinct, s.pull_km_s]);
        std::array::from_fn(|i| [a, b, c][i / 4][i % 4])
    }

    /// From what [`SunlitWhere::to_numbers`] gave; `None` where one of them is no number, as what is found never is.
    pub fn from_numbers(numbers: [f64; Self::N_NUMBERS]) -> Option<Self> {
        let at = [0, 4, 8].map(|first| Sunlit {
            share: numbers[first],
            sigma: numbers[first + 1],
            distinct: numbers[first + 2],
            pull_km_s: numbers[first + 3],
        });
        let is_found = numbers.iter().all(|v| v.is_finite());
        is_found.then_some(SunlitWhere { at })
    }

    /// What was found if the wavelengths of the exposure are too large by `by_km_s`, on the parabola through the three.
    pub fn moved(&self, by_km_s: f64) -> Sunlit {
        let x = by_km_s.clamp(-FARTHEST_KM_S, FARTHEST_KM_S) / PLACES_KM_S;
        let parts = [0.5 * x * (x - 1.0), 1.0 - x * x, 0.5 * x * (x + 1.0)];
        let sum = |value: fn(&Sunlit) -> f64| -> f64 {
            let terms = self.at.iter().zip(parts).map(|(s, part)| part * value(s));
            terms.sum()
        };
        Sunlit {
            share: sum(|s| s.share),
            // Both are positive.
            sigma: sum(|s| s.sigma.ln()).exp(),
            distinct: sum(|s| s.distinct.ln()).exp(),
            pull_km_s: sum(|s| s.pull_km_s),
        }
    }
}

/// What is fitted to the residuals together: a velocity, the width and the skewness of the line-spread function, a level, and sunlight.
const N: usize = 5;

/// An exposure and the Sun at its pixels.
pub(super) struct Compare<'a> {
    pub exposure: &'a Normalized,
    pub sun: &'a [f64],
}

/// Fits the residuals of an exposure. Pixels under the night sky's `lines` say nothing of sunlight.
pub(super) fn find(compare: &Compare<'_>, lines: &[&Light], at: &AtPixels) -> Option<Sunlit> {
    let Compare { exposure, sun } = compare;
    let (low, high) = exposure.band.ln_window();
    let n = at.n;
    let from = exposure.ln_wave.partition_point(|l| *l < low);
    let end = exposure.ln_wave.partition_point(|l| *l <= high);
    // Differences reach two pixels to either side.
    let from = from.max(at.first + 2);
    let end = end.min((at.first + n).saturating_sub(2)).max(from);
    if end == from {
        return None;
    }
    let mut counts = vec![1.0; end - from];
    for line in lines {
        let first = line.first.clamp(from, end);
        let last = (line.first + line.profile.len()).clamp(from, end);
        counts[first - from..last - from].fill(0.0);
    }
    let range = from - at.first..end - at.first;
    let sums = sum(
        &exposure.ivar[from..end],
        &sun[from..end],
        &counts,
        at,
        range,
    );
    let (mut matrix, mut vector) = ([[0.0; N]; N], [0.0; N]);
    let mut next = sums.products.into_iter();
    let mut both = |a: usize, b: usize, product: f64| {
        matrix[a][b] = product;
        matrix[b][a] = product;
    };
    for (a, value) in vector.iter_mut().enumerate() {
        for b in a..N {
            both(a, b, next.next().unwrap_or_default());
        }
        *value = next.next().unwrap_or_default();
    }
    let (share, power) = last_of(&mut matrix, &mut vector);
    let found = Sunlit {
        share,
        sigma: power.powf(-0.5),
        distinct: power / sums.weights,
        pull_km_s: sums.moved / sums.slope2,
    };
    let all = [found.share, found.sigma, found.distinct, found.pull_km_s];
    all.iter().all(|v| v.is_finite()).then_some(found)
}

/// Sums over pixels.
struct Sums {
    /// Of each unknown its products with itself and those after it, and with the residual, in turn; weighted.
    products: [f64; PRODUCTS],
    weights: f64,
    /// sum p f' / S and sum f'^2 / S.
    moved: f64,
    slope2: f64,
}

const PRODUCTS: usize = N * (N + 1) / 2 + N;

/// Lanes of a sum.
const LANES: usize = 4;

/// Sums over the pixels `range` of `at`; the other slices have one value for each of these. Pixels that do not `count` say nothing of
/// sunlight.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sum(
    ivar: &[f64],
    sun: &[f64],
    counts: &[f64],
    at: &AtPixels,
    range: std::ops::Range<usize>,
) -> Sums {
    const MODEL2: f64 = MODEL_SIGMA * MODEL_SIGMA;
    let n = ivar.len();
    let (start, end) = (range.start, range.end);
    let columns: [&[f64]; 11] = [
        ivar,
        sun,
        counts,
        &at.flux[start..end],
        &at.variance[start..end],
        &at.residual[start..end],
        &at.slope[start..end],
        &at.slope[start - 1..end - 1],
        &at.slope[start + 1..end + 1],
        &at.slope[start - 2..end - 2],
        &at.slope[start + 2..end + 2],
    ];
    let mut sums = [[0.0f64; LANES]; PRODUCTS + 3];
    let mut first = 0;
    while first < n {
        let some = LANES.min(n - first);
        let mut v = [[0.0f64; LANES]; 11];
        for (lanes, column) in v.iter_mut().zip(columns) {
            lanes[..some].copy_from_slice(&column[first..first + some]);
        }
        for l in 0..LANES {
            let is_good = v[0][l] > 0.0;
            let one = if is_good { 1.0 } else { 0.0 };
            let s = 1.0 / if is_good { v[0][l] } else { 1.0 } + v[4][l];
            let slope = v[6][l];
            let p = v[1][l] - v[3][l];
            let weight = one * v[2][l] / (s + MODEL2);
            // Factors that make all columns of one size.
            let a = 300.0 * slope;
            let b = 300.0 * (v[8][l] - v[7][l]);
            let c = 300.0 * (v[10][l] - 2.0 * slope + v[9][l]);
            let r = v[5][l];
            let [wa, wb, wc, wp] = [weight * a, weight * b, weight * c, weight * p];
            let in_s = one * slope / s;
            let terms = [
                wa * a,
                wa * b,
                wa * c,
                wa,
                wa * p,
                wa * r,
                wb * b,
                wb * c,
                wb,
                wb * p,
                wb * r,
                wc * c,
                wc,
                wc * p,
                wc * r,
                weight,
                wp,
                weight * r,
                wp * p,
                wp * r,
                weight,
                p * in_s,
                slope * in_s,
            ];
            for (sum, term) in sums.iter_mut().zip(terms) {
                sum[l] += term;
            }
        }
        first += LANES;
    }
    let total = |i: usize| sums[i].iter().sum::<f64>();
    Sums {
        products: std::array::from_fn(total),
        weights: total(PRODUCTS),
        moved: total(PRODUCTS + 1),
        slope2: total(PRODUCTS + 2),
    }
}

/// The last unknown of a system of normal equations, and its information once all others are known from the same data.
fn last_of(matrix: &mut [[f64; N]; N], vector: &mut [f64; N]) -> (f64, f64) {
    for j in 0..N - 1 {
        let pivot = matrix[j];
        for i in j + 1..N {
            let factor = matrix[i][j] / pivot[j];
            for (value, of_pivot) in matrix[i].iter_mut().zip(pivot) {
                *value -= factor * of_pivot;
            }
            vector[i] -= factor * vector[j];
        }
    }
    let power = matrix[N - 1][N - 1];
    (vector[N - 1] / power, power)
}
