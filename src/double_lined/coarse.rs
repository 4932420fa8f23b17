//! A star's exposures on a coarse grid in ln(wavelength), without what is smooth: where a second set of lines is looked for.
//!
//! Bins are a quarter of the line-spread function's width: 10 km/s at a resolving power of 7500. A lag is a number of bins by which one
//! spectrum is moved against another. An exposure is compared with the reference at a hundred lags for a hundredth of what the
//! likelihood costs; no velocity that users see comes from here.
//!
//! The limits here and in the other files of this folder were chosen on simulated plates: docs/method.md, section 12, "What is found".
//! `tests/integration/sb2.rs` shows on another plate what they give.

use std::ops::Range;

use multiversion::multiversion;

use crate::C_KM_S;
use crate::reference::single::Reference;
use crate::spectrum::Band;
use crate::spectrum::normalize::Normalized;

/// What is smooth is the mean over this many bins on either side (300 km/s, where they have 10): continuum, and wings of Balmer lines.
const SMOOTH_BINS: usize = 30;

/// The same for the test of broad lines (`line_width`): 1000 km/s, so that such lines keep their width.
const SMOOTH_BINS_BROAD: usize = 100;

/// Fewest lags on the positive side: second copies are looked for as far as 40 bins.
const LEAST_REACH: f64 = 46.0;

/// A window of fewer bins than this holds too few lines to tell two sets from one.
const MIN_BINS: usize = 200;

/// The variance of the fitted reference is sampled once in so many bins: it changes slowly.
const VARIANCE_BINS: usize = 16;

/// Lags done at a time: four AVX registers.
const TILE: usize = 32;

/// The reference of a star in one arm.
#[derive(Clone, Debug)]
pub struct CoarseReference {
    ln_first: f64,
    /// Width of a bin, km/s.
    pub bin_km_s: f64,
    /// The lag whose place in a correlation is 0; lags go down from here to `-max_lag - 1`.
    pub max_lag: usize,
    /// Flux less 1.
    lines: Vec<f32>,
    /// The same without what is smooth.
    sharp: Vec<f32>,
    /// Variance of the fitted flux in each bin of the window; equal in runs of [`VARIANCE_BINS`].
    variance: Vec<f64>,
    /// Bins of the window for which the reference is known at every lag.
    window: Range<usize>,
    /// Bins on either side whose mean is what is smooth.
    smooth_bins: usize,
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
    known: Vec<f64>,
    sums: Vec<[f64; 2]>,
}

impl CoarseReference {
    /// Samples `reference`. None where the band's window is hardly covered.
    pub fn new(reference: &Reference, band: &Band) -> Option<Self> {
        let (ln_first, ln_last) = reference.coverage();
        let bin_km_s = band.second_lines.bin_km_s;
        let max_lag = max_lag(band.second_lines.reach_km_s / bin_km_s);
        let step = bin_km_s / C_KM_S;
        let n = ((ln_last - ln_first) / step) as usize;
        let (low, high) = band.ln_window();
        let bin = |ln_wave: f64| (ln_wave - ln_first) / step;
        let first = (bin(low).max(0.0) as usize + 1).max(max_lag + 1);
        let end = (bin(high).max(0.0) as usize).min(n.saturating_sub(n_lags(max_lag) - max_lag));
        if end < first + MIN_BINS {
            return None;
        }
        let mut lines = Vec::with_capacity(n);
        reference.sample_flux(ln_first, step, n, |_, flux, _| {
            lines.push(flux as f32 - 1.0)
        });
        let mut variance = Vec::with_capacity(end - first + VARIANCE_BINS);
        let (every, n_values) = (VARIANCE_BINS, (end - first).div_ceil(VARIANCE_BINS));
        let from = ln_first + step * first as f64;
        reference.sample(from, step * every as f64, n_values, |_, value| {
            variance.extend([value.flux_variance; VARIANCE_BINS]);
        });
        variance.truncate(end - first);
        Some(CoarseReference {
            ln_first,
            bin_km_s,
            max_lag,
            sharp: without_smooth(&lines, SMOOTH_BINS),
            lines,
            variance,
            window: first..end,
            smooth_bins: SMOOTH_BINS,
        })
    }

    /// The same reference with its broad lines left as they are: only what is smoother still is taken off.
    pub fn with_broad_lines(&self) -> Self {
        CoarseReference {
            ln_first: self.ln_first,
            bin_km_s: self.bin_km_s,
            max_lag: self.max_lag,
            lines: Vec::new(),
            sharp: without_smooth(&self.lines, SMOOTH_BINS_BROAD),
            variance: self.variance.clone(),
            window: self.window.clone(),
            smooth_bins: SMOOTH_BINS_BROAD,
        }
    }

    /// Bins of the window.
    pub fn n_bins(&self) -> usize {
        self.window.len()
    }

    /// Variance of the fitted flux in the bins of the window.
    pub fn variance(&self) -> &[f64] {
        &self.variance
    }

    /// Mean variance of the fitted flux in the window.
    pub fn mean_variance(&self) -> f64 {
        self.variance.iter().sum::<f64>() / self.n_bins() as f64
    }

    /// Lines of the window, moved by `lag` bins to the red.
    pub fn sharp_at(&self, lag: isize) -> &[f32] {
        &self.sharp[self.window.start.wrapping_add_signed(-lag)..][..self.n_bins()]
    }

    /// Puts the pixels of `exposure` into bins, the nearest to each, so that the noise of bins is independent.
    pub fn bin(&self, exposure: &Normalized, out: &mut CoarseExposure) {
        let per_ln = C_KM_S / self.bin_km_s;
        let first = self.window.start.saturating_sub(self.smooth_bins);
        let end = (self.window.end + self.smooth_bins).min(self.sharp.len());
        for values in [&mut out.flux, &mut out.ivar] {
            values.clear();
            values.resize(end - first, 0.0);
        }
        // Positions are in units of bins, with half a bin added, so that their whole part is the nearest bin.
        let origin = self.ln_first * per_ln - 0.5 + first as f64;
        let ln_wave = &exposure.ln_wave;
        let place = |ln_wave: f64| ln_wave * per_ln - origin;
        let from = ln_wave.partition_point(|l| place(*l) < 0.0);
        let to = ln_wave.partition_point(|l| place(*l) < (end - first) as f64);
        let to = to.max(from);
        let pixels = exposure.flux[from..to].iter().zip(&exposure.ivar[from..to]);
        for (ln_wave, (flux, ivar)) in ln_wave[from..to].iter().zip(pixels) {
            let bin = place(*ln_wave) as usize;
            if let (Some(sum), Some(weight)) = (out.flux.get_mut(bin), out.ivar.get_mut(bin)) {
                *sum += ivar * (flux - 1.0);
                *weight += ivar;
            }
        }
        mean(&mut out.flux, &out.ivar, &mut out.known);
        sharpen(&mut out.flux, &out.known, &mut out.sums, self.smooth_bins);
        let window = self.window.start - first..self.window.end - first;
        out.sharp.clear();
        out.sharp.extend_from_slice(&out.flux[window.clone()]);
        out.weight.clear();
        out.weight.extend_from_slice(&out.ivar[window]);
        add_variance(&mut out.weight, &self.variance);
    }

    /// sum over the window of `values` times the reference's lines, moved by each lag.
    pub fn correlate(&self, values: &[f32]) -> Vec<f64> {
        let start = self.window.start - self.max_lag;
        correlate(values, &self.sharp[start..], n_lags(self.max_lag))
    }

    /// Correlation of the reference with itself at lags 0, 1, ...; 1 at lag 0. Each line is first made narrow: what
    /// is left of it stands above the mean of the flux `side` bins to its left and right. The second value is the part of these
    /// narrow lines, in squared depth, that is noise.
    pub fn self_correlation(&self, side: usize) -> (Vec<f64>, f64) {
        let n = self.lines.len();
        let narrow: Vec<f32> = (0..n)
            .map(|k| {
                let (before, after) = (k.saturating_sub(side), (k + side).min(n - 1));
                self.lines[k] - 0.5 * (self.lines[before] + self.lines[after])
            })
            .collect();
        let Range { start, end } = self.window;
        let lines = &narrow[start - self.max_lag..];
        let all = correlate(&narrow[start..end], lines, n_lags(self.max_lag));
        let own: f64 = narrow[start..end].iter().map(square).sum();
        // Half of each of two neighbours is subtracted: the variance is 1 + 2 / 4 times that of a bin.
        let noise_share = 1.5 * self.variance.iter().sum::<f64>() / own;
        let mut power = own;
        let by_lag = (0..=self.max_lag)
            .map(|lag| {
                if lag > 0 {
                    // One bin comes in at the start, one goes at the end.
                    power += square(&narrow[start - lag]) - square(&narrow[end - lag]);
                }
                all[self.max_lag - lag] / (own * power).sqrt()
            })
            .collect();
        (by_lag, noise_share)
    }
}

/// The largest lag for exposures that are at most `reach_bins` apart. There is one more lag beyond it on either side, and the number
/// of all lags is a multiple of [`TILE`].
fn max_lag(reach_bins: f64) -> usize {
    let needed = reach_bins.max(LEAST_REACH).ceil() as usize + 2;
    needed.next_multiple_of(TILE / 2) - 1
}

/// Lags of a correlation.
fn n_lags(max_lag: usize) -> usize {
    2 * (max_lag + 1)
}

/// Turns sums of weighted values into means, 0 where there is no weight; `known` becomes 1 where there is.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn mean(values: &mut [f64], weight: &[f64], known: &mut Vec<f64>) {
    known.clear();
    known.extend(weight.iter().map(|w| if *w > 0.0 { 1.0 } else { 0.0 }));
    // Bins without weight become 0 / 1.
    for (value, (weight, known)) in values.iter_mut().zip(weight.iter().zip(&*known)) {
        *value /= weight + (1.0 - known);
    }
}

/// Adds variances to those whose inverse is `weight`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn add_variance(weight: &mut [f64], variance: &[f64]) {
    for (weight, variance) in weight.iter_mut().zip(variance) {
        *weight /= 1.0 + *weight * variance;
    }
}

fn square(value: &f32) -> f64 {
    f64::from(value * value)
}

/// `lines` without the mean of `smooth_bins` on either side.
fn without_smooth(lines: &[f32], smooth_bins: usize) -> Vec<f32> {
    let mut sharp: Vec<f64> = lines.iter().map(|f| f64::from(*f)).collect();
    let known = vec![1.0; lines.len()];
    sharpen(&mut sharp, &known, &mut Vec::new(), smooth_bins);
    sharp.into_iter().map(|f| f as f32).collect()
}

/// Takes from each value the mean of those within `smooth_bins` of it; `known` is 1 for what counts, 0 for the rest, whose values
/// must be 0.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sharpen(values: &mut [f64], known: &[f64], sums: &mut Vec<[f64; 2]>, smooth_bins: usize) {
    // Sums before each value, the ends repeated so that every mean has both.
    sums.clear();
    let mut sum = [0.0, 0.0];
    sums.resize(smooth_bins + 1, sum);
    for (value, known) in values.iter().zip(known) {
        sum = [sum[0] + value, sum[1] + known];
        sums.push(sum);
    }
    sums.resize(sums.len() + smooth_bins, sum);
    let ends = sums.iter().zip(&sums[2 * smooth_bins + 1..]);
    for (value, (before, after)) in values.iter_mut().zip(ends) {
        *value -= (after[0] - before[0]) / (after[1] - before[1]).max(1.0);
    }
}

/// Element q is the sum over k of `values[k] lines[k + q]`; lags are the SIMD lanes, and fill whole tiles.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn correlate(values: &[f32], lines: &[f32], n_lags: usize) -> Vec<f64> {
    /// Values after which float32 sums go to float64 ones.
    const BLOCK: usize = 256;
    let mut out = vec![0.0; n_lags];
    for (tile, out) in out.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        let lines = lines.get(tile * TILE..).unwrap_or_default();
        for (block, values) in values.chunks(BLOCK).enumerate() {
            let mut sums = [0.0f32; TILE];
            let rows = lines.get(block * BLOCK..).unwrap_or_default();
            for (value, row) in values.iter().zip(rows.windows(TILE)) {
                for (sum, line) in sums.iter_mut().zip(row) {
                    *sum = value.mul_add(*line, *sum);
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
        let fast = correlate(&values, &lines, 96);
        for q in [0, 1, 31, 32, 63, 95] {
            let plain: f64 = (0..700)
                .map(|k| f64::from(values[k]) * f64::from(lines[k + q]))
                .sum();
            assert!((fast[q] - plain).abs() < 1e-3, "{q}: {} {plain}", fast[q]);
        }
    }

    #[test]
    fn means_leave_out_what_is_not_known() {
        let known: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 3 != 1))).collect();
        let mut values: Vec<f64> = known.iter().map(|k| 3.0 * k).collect();
        sharpen(&mut values, &known, &mut Vec::new(), 30);
        for k in [0, 5, 65, 135, 199] {
            assert!(
                (values[k] - if k % 3 == 1 { -3.0 } else { 0.0 }).abs() < 1e-12,
                "{k}"
            );
        }
        let mut none = vec![0.0; 70];
        sharpen(&mut none, &[0.0; 70], &mut Vec::new(), 30);
        assert!(none.iter().all(|v| *v == 0.0));
    }
}
