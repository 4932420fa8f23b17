//! How much sunlight an exposure holds, found together with what else may differ between two exposures of one star, and how far it
//! moves the velocity.
//!
//! docs/method.md, section 14, has the method.

use super::foreign::Light;
use super::misfit::smooth;
use super::sweep::FLUX_VARIANCE_SHARE;
use super::view::{AtPixels, View};
use super::{Coadd, total};
use crate::reference::single::{longest_covered, smooth_variance};
use crate::reference::sunlight::Sunlight;
use crate::spectrum::MODEL_SIGMA;
use crate::spectrum::normalize::Normalized;
use crate::spline::bspline::SplineFit;

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

/// What is fitted to the residuals together: a velocity, the width and the skewness of the line-spread function, a level, and sunlight.
const N: usize = 5;

impl Coadd {
    /// Sunlight in each exposure, where these lie now; none for an exposure that does not tell by what velocity its wavelengths were
    /// moved, or of a band without a table of sunlight.
    pub fn sunlit(&self) -> Vec<Option<Sunlit>> {
        self.of_each(|compared, lines, at| find(compared, lines, at))
    }

    /// For each exposure the share of sunlight in it, and [`Misfit::smooth`](super::Misfit::smooth) of what it leaves.
    pub fn smooth_without_sunlight(&self) -> Vec<Option<(f64, f64)>> {
        self.of_each(|compared, lines, at| {
            let Sunlit { share, .. } = find(compared, lines, at)?;
            let mut z = vec![0.0; compared.exposure.flux.len()];
            for i in 0..at.flux.len() {
                let k = at.first + i;
                let ivar = compared.exposure.ivar[k];
                if ivar > 0.0 {
                    let left = at.residual[i] - share * (compared.sun[k] - at.flux[i]);
                    let variance = 1.0 / ivar + FLUX_VARIANCE_SHARE * at.variance[i];
                    z[k] = left / (variance + MODEL_SIGMA * MODEL_SIGMA).sqrt();
                }
            }
            Some((share, smooth(compared.exposure, &z).0))
        })
    }

    /// Compares each exposure that may hold sunlight with the coadd of the others.
    fn of_each<T: Clone>(
        &self,
        mut with: impl FnMut(&Compare<'_>, &[&Light], &AtPixels) -> Option<T>,
    ) -> Vec<Option<T>> {
        let mut fit = SplineFit::default();
        let mut at = AtPixels::default();
        let all = total(&self.all.ivar);
        let mut out = vec![None; self.parts.len()];
        let mut own = Vec::new();
        self.each_without_one(0..self.parts.len(), |i, sums| {
            let exposure = &self.exposures[i];
            let of_light = self.lights[i].iter().find(|light| light.is_mixed);
            let sun = match of_light {
                Some(light) => &light.profile,
                None if fill_sun(exposure, &mut own) => &own,
                None => return,
            };
            let Some(covered) = longest_covered(&sums.ivar) else {
                return;
            };
            fit.coefficients_with_prior(&sums.equations, &self.prior);
            let variance = smooth_variance(self.knots, &sums.ivar);
            let others = View {
                scale: &self.scale,
                knots: self.knots,
                coefficients: &fit.coefficients,
                variance: &variance,
                spread: &self.spread,
                spread_factor: all / total(&sums.ivar),
                covered,
            };
            at.evaluate(exposure, &self.parts[i].x, &others);
            let lines = self.lights[i].iter().filter(|light| !light.is_mixed);
            let lines: Vec<&Light> = lines.collect();
            out[i] = with(&Compare { exposure, sun }, &lines, &at);
        });
        out
    }
}

/// An exposure and the Sun at its pixels.
struct Compare<'a> {
    exposure: &'a Normalized,
    sun: &'a [f64],
}

/// The Sun at the pixels of an exposure; false where it is not known.
fn fill_sun(exposure: &Normalized, sun: &mut Vec<f64>) -> bool {
    let Some(helio_rv_km_s) = exposure
        .helio_rv_km_s
        .filter(|_| exposure.band.sky.is_some())
    else {
        return false;
    };
    let Some(sunlight) = Sunlight::over(exposure.band.window_aa) else {
        return false;
    };
    sunlight.fill_normalized(&exposure.ln_wave, helio_rv_km_s, sun);
    true
}

/// Fits the residuals of an exposure. Pixels under the night sky's `lines` say nothing of sunlight.
fn find(compare: &Compare<'_>, lines: &[&Light], at: &AtPixels) -> Option<Sunlit> {
    let Compare { exposure, sun } = compare;
    let (low, high) = exposure.band.ln_window();
    let n = at.flux.len();
    let from = exposure.ln_wave.partition_point(|l| *l < low);
    let end = exposure.ln_wave.partition_point(|l| *l <= high);
    // Differences reach two pixels to either side.
    let from = from.max(at.first + 2);
    let end = end.min((at.first + n).saturating_sub(2)).max(from);
    let mut is_line = vec![false; end - from];
    for line in lines {
        let first = line.first.clamp(from, end);
        let last = (line.first + line.profile.len()).clamp(from, end);
        is_line[first - from..last - from].fill(true);
    }
    let mut matrix = [[0.0; N]; N];
    let mut vector = [0.0; N];
    let (mut moved, mut slope2, mut weights) = (0.0, 0.0, 0.0);
    for k in from..end {
        let i = k - at.first;
        let ivar = exposure.ivar[k];
        if ivar <= 0.0 {
            continue;
        }
        let variance = 1.0 / ivar + at.variance[i];
        let slope = at.slope[i];
        let p = sun[k] - at.flux[i];
        moved += p * slope / variance;
        slope2 += slope * slope / variance;
        if is_line[k - from] {
            continue;
        }
        let weight = 1.0 / (variance + MODEL_SIGMA * MODEL_SIGMA);
        weights += weight;
        let width = at.slope[i + 1] - at.slope[i - 1];
        let skew = at.slope[i + 2] - 2.0 * slope + at.slope[i - 2];
        // Factors that make all columns of one size.
        let columns = [300.0 * slope, 300.0 * width, 300.0 * skew, 1.0, p];
        for (a, column) in columns.iter().enumerate() {
            let weighted = column * weight;
            vector[a] += weighted * at.residual[i];
            for (sum, other) in matrix[a].iter_mut().zip(columns) {
                *sum += weighted * other;
            }
        }
    }
    let (share, power) = last_of(&mut matrix, &mut vector);
    let found = Sunlit {
        share,
        sigma: power.powf(-0.5),
        distinct: power / weights,
        pull_km_s: moved / slope2,
    };
    let all = [found.share, found.sigma, found.distinct, found.pull_km_s];
    all.iter().all(|v| v.is_finite()).then_some(found)
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
