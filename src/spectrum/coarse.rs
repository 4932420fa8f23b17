//! A star's exposures on a coarse grid in ln(wavelength), without what is smooth: where a second set of lines is looked for.
//!
//! Steps of 10 km/s are a quarter of the line-spread function's width. An exposure is compared with the reference at
//! hundreds of velocities for a hundredth of what the likelihood costs; no velocity that users see comes from here.

use multiversion::multiversion;

use super::normalize::Normalized;
use super::reference::Reference;
use crate::{Arm, C_KM_S};

/// Width of a bin, km/s.
pub const STEP_KM_S: f64 = 10.0;

/// Lags of a correlation, in bins.
pub const LAGS: usize = 96;

/// The lag whose place is 0; lags go down from here to `MAX_LAG - LAGS + 1`.
pub const MAX_LAG: usize = 47;

/// What is smooth is the mean over this many bins on either side (300 km/s): continuum, and wings of Balmer lines.
const SMOOTH_BINS: usize = 30;

/// Shorter windows hold too few lines to tell two sets from one.
const MIN_BINS: usize = 200;

/// Bins between values of the variance of the fitted reference.
const VARIANCE_BINS: usize = 8;

/// Lags done at a time: four AVX registers.
const TILE: usize = 32;

/// The reference of a star in one arm.
#[derive(Clone, Debug)]
pub struct CoarseReference {
    ln_first: f64,
    /// Flux less 1.
    lines: Vec<f32>,
    /// The same without what is smooth.
    sharp: Vec<f32>,
    /// Variance of the fitted flux, every [`VARIANCE_BINS`].
    variance: Vec<f64>,
    /// Bins of the window for which the reference is known at every lag.
    window: std::ops::Range<usize>,
}

/// An exposure on the reference's grid, in its window.
#[derive(Debug, Default)]
pub struct CoarseExposure {
    /// Flux less 1, without what is smooth; length of the window.
    pub sharp: Vec<f64>,
    /// Inverse variance, the reference's included; 0 in bins without a pixel.
    pub weight: Vec<f64>,
    flux: Vec<f64>,
    ivar: Vec<f64>,
    sums: Vec<[f64; 2]>,
}

impl CoarseReference {
    /// Samples `reference`. None where the arm's window is hardly covered.
    pub fn new(reference: &Reference, arm: Arm) -> Option<Self> {
        let (ln_first, ln_last) = reference.coverage();
        let step = STEP_KM_S / C_KM_S;
        let n = ((ln_last - ln_first) / step) as usize;
        let (low_aa, high_aa) = arm.window_aa();
        let bin = |aa: f64| (aa.ln() - ln_first) / step;
        let first = (bin(low_aa).max(0.0) as usize + 1).max(MAX_LAG + 1);
        let end = (bin(high_aa).max(0.0) as usize).min(n.saturating_sub(LAGS - MAX_LAG));
        if end < first + MIN_BINS {
            return None;
        }
        let mut lines = Vec::with_capacity(n);
        reference.sample_flux(ln_first, step, n, |_, flux, _| {
            lines.push(flux as f32 - 1.0)
        });
        let mut variance = Vec::with_capacity(n / VARIANCE_BINS + 1);
        let every = step * VARIANCE_BINS as f64;
        reference.sample(ln_first, every, n / VARIANCE_BINS + 1, |_, value| {
            variance.push(value.flux_variance);
        });
        let mut sums = Vec::new();
        let sums = running_sums(&mut sums, lines.iter().map(|f| (f64::from(*f), true)));
        let sharp = (0..n)
            .map(|k| lines[k] - mean_around(sums, k) as f32)
            .collect();
        Some(CoarseReference {
            ln_first,
            lines,
            sharp,
            variance,
            window: first..end,
        })
    }

    /// Bins of the window.
    pub fn n_bins(&self) -> usize {
        self.window.len()
    }

    /// Mean variance of the fitted flux in the window.
    pub fn mean_variance(&self) -> f64 {
        let of = self
            .window
            .clone()
            .map(|bin| self.variance[bin / VARIANCE_BINS]);
        of.sum::<f64>() / self.n_bins() as f64
    }

    /// Lines of the window, moved by `lag` bins to the red.
    pub fn sharp_at(&self, lag: isize) -> &[f32] {
        &self.sharp[self.window.start.wrapping_add_signed(-lag)..][..self.n_bins()]
    }

    /// Puts the pixels of `exposure` into bins, the nearest to each, so that the noise of bins is independent.
    pub fn bin(&self, exposure: &Normalized, out: &mut CoarseExposure) {
        let per_ln = C_KM_S / STEP_KM_S;
        let first = self.window.start.saturating_sub(SMOOTH_BINS);
        let end = (self.window.end + SMOOTH_BINS).min(self.sharp.len());
        for values in [&mut out.flux, &mut out.ivar] {
            values.clear();
            values.resize(end - first, 0.0);
        }
        let pixels = exposure.flux.iter().zip(&exposure.ivar);
        for (ln_wave, (flux, ivar)) in exposure.ln_wave.iter().zip(pixels) {
            // Half a bin more, and what is negative becomes 0: a bin that is not looked at, or outside.
            let place = (ln_wave - self.ln_first) * per_ln + 0.5 - first as f64;
            if place >= 0.0 && (place as usize) < end - first {
                out.flux[place as usize] += ivar * (flux - 1.0);
                out.ivar[place as usize] += ivar;
            }
        }
        for (flux, ivar) in out.flux.iter_mut().zip(&out.ivar) {
            *flux = if *ivar > 0.0 { *flux / ivar } else { 0.0 };
        }
        let known = out.flux.iter().zip(&out.ivar).map(|(f, w)| (*f, *w > 0.0));
        let sums = running_sums(&mut out.sums, known);
        out.sharp.clear();
        out.weight.clear();
        for bin in self.window.clone() {
            let k = bin - first;
            let ivar = out.ivar[k];
            let variance = self.variance[bin / VARIANCE_BINS];
            out.sharp.push(out.flux[k] - mean_around(sums, k));
            out.weight.push(ivar / (1.0 + ivar * variance));
        }
    }

    /// sum over the window of `values` times the reference's lines, moved by each lag.
    pub fn correlate(&self, values: &[f32]) -> [f64; LAGS] {
        let start = self.window.start - MAX_LAG;
        correlate(values, &self.sharp[start..])
    }

    /// Correlation of the reference with itself at lags 0, 1, ...; 1 at lag 0. Each line is first made narrow: what
    /// is left of it stands above the mean of the flux `side` bins to its left and right.
    pub fn self_correlation(&self, side: usize) -> Vec<f64> {
        let n = self.lines.len();
        let narrow: Vec<f32> = (0..n)
            .map(|k| {
                let (before, after) = (k.saturating_sub(side), (k + side).min(n - 1));
                self.lines[k] - 0.5 * (self.lines[before] + self.lines[after])
            })
            .collect();
        let at = |lag: usize| &narrow[self.window.start - lag..][..self.n_bins()];
        let all = correlate(at(0), &narrow[self.window.start - MAX_LAG..]);
        let power = |values: &[f32]| values.iter().map(|v| f64::from(v * v)).sum::<f64>();
        let own = power(at(0));
        (0..=MAX_LAG)
            .map(|lag| all[MAX_LAG - lag] / (own * power(at(lag))).sqrt())
            .collect()
    }
}

/// Sums of the values and numbers of those known, before each of them.
fn running_sums(
    out: &mut Vec<[f64; 2]>,
    values: impl Iterator<Item = (f64, bool)>,
) -> &Vec<[f64; 2]> {
    out.clear();
    let mut sum = [0.0, 0.0];
    out.push(sum);
    for (value, known) in values {
        if known {
            sum = [sum[0] + value, sum[1] + 1.0];
        }
        out.push(sum);
    }
    out
}

/// Mean of the known values within [`SMOOTH_BINS`] of value `k`; 0 if there are none.
fn mean_around(sums: &[[f64; 2]], k: usize) -> f64 {
    let before = sums[k.saturating_sub(SMOOTH_BINS)];
    let after = sums[(k + SMOOTH_BINS + 1).min(sums.len() - 1)];
    let n = after[1] - before[1];
    if n > 0.0 {
        (after[0] - before[0]) / n
    } else {
        0.0
    }
}

/// Element q is the sum over k of `values[k] lines[k + q]`; lags are the SIMD lanes.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn correlate(values: &[f32], lines: &[f32]) -> [f64; LAGS] {
    /// Values after which float32 sums go to float64 ones.
    const BLOCK: usize = 256;
    let mut out = [0.0; LAGS];
    for (tile, out) in out.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        let lines = lines.get(tile * TILE..).unwrap_or_default();
        for (block, values) in values.chunks(BLOCK).enumerate() {
            let mut sums = [0.0f32; TILE];
            let rows = lines.get(block * BLOCK..).unwrap_or_default();
            for (value, row) in values.iter().zip(rows.windows(TILE)) {
                for (sum, line) in sums.iter_mut().zip(row) {
                    *sum += value * line;
                }
            }
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out += f64::from(*sum);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_is_the_plain_sum() {
        let values: Vec<f32> = (0..700)
            .map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0)
            .collect();
        let lines: Vec<f32> = (0..900)
            .map(|i| ((i * 53) % 97) as f32 / 48.0 - 1.0)
            .collect();
        let fast = correlate(&values, &lines);
        for q in [0, 1, 31, 32, 63, 95] {
            let plain: f64 = (0..700)
                .map(|k| f64::from(values[k]) * f64::from(lines[k + q]))
                .sum();
            assert!((fast[q] - plain).abs() < 1e-3, "{q}: {} {plain}", fast[q]);
        }
    }

    #[test]
    fn means_leave_out_what_is_not_known() {
        let values = (0..100).map(|i| {
            if i % 2 == 0 {
                (3.0, true)
            } else {
                (9.0, false)
            }
        });
        let mut sums = Vec::new();
        let sums = running_sums(&mut sums, values);
        for k in [0, 7, 50, 99] {
            assert!((mean_around(sums, k) - 3.0).abs() < 1e-12);
        }
        assert_eq!(mean_around(&[[0.0, 0.0], [0.0, 0.0]], 0), 0.0);
    }
}
