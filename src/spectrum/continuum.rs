//! Pseudo-continuum (paper 3.1): a smoothing spline, fitted again without what lies far from it.

use std::ops::Range;

use multiversion::multiversion;

use crate::spline::smoothing_spline::{Piece, SmoothingSpline};

/// How the pseudo-continuum is found. The defaults are the paper's numbers, and those of its code, laspec, where the paper has none.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContinuumConfig {
    /// Smoothing parameter of csaps, with wavelengths in A (laspec: 1e-6).
    pub p: f64,
    /// Rounds of rejection (paper: 3).
    pub iterations: usize,
    /// Pixels this many standard deviations above the spline do not count (paper: 3).
    pub clip_above_sigma: f64,
    /// Pixels this many standard deviations below it do not count: absorption lines (laspec: 1).
    pub clip_below_sigma: f64,
    /// The standard deviation is that of the residuals within segments of this width (paper: 100 A).
    pub segment_aa: f64,
}

impl Default for ContinuumConfig {
    fn default() -> Self {
        ContinuumConfig {
            p: 1e-6,
            iterations: 3,
            clip_above_sigma: 3.0,
            clip_below_sigma: 1.0,
            segment_aa: 100.0,
        }
    }
}

/// Neighbouring pixels whose mean is one point of the spline. It bends over 20 A, that is 150 pixels: a point every A is
/// all it can see, and an eighth of the work.
const BIN: usize = 8;

/// 1 / n for the n pixels of a bin; 0 for none.
const INVERSE: [f64; BIN + 1] = {
    let mut inverse = [0.0; BIN + 1];
    let mut n = 1;
    while n <= BIN {
        inverse[n] = 1.0 / n as f64;
        n += 1;
    }
    inverse
};

/// The points of the spline: means over the kept pixels of a bin, where it has any.
#[derive(Debug, Default)]
struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
    inverse_weight: Vec<f64>,
    /// The point nearest to each bin: its own, or the one before where it has none.
    of_bin: Vec<usize>,
}

/// Fits continua; its vectors are reused between calls.
#[derive(Debug, Default)]
pub struct ContinuumFitter {
    spline: SmoothingSpline,
    /// 1 for good pixels, 0 for the rest.
    good: Vec<f64>,
    /// 1 for what is kept, 0 for the rest.
    keep: Vec<f64>,
    points: Points,
    /// Stretches of pixels in each of which the scatter is measured.
    segments: Vec<Range<usize>>,
}

impl ContinuumFitter {
    /// The continuum at each of `wave_aa` (ascending), into `continuum`. False when too few pixels are `good`.
    pub fn fit(
        &mut self,
        config: &ContinuumConfig,
        wave_aa: &[f64],
        flux: &[f64],
        good: &[bool],
        continuum: &mut [f64],
    ) -> bool {
        ones(&mut self.good, good);
        self.keep.clone_from(&self.good);
        set_segments(&mut self.segments, wave_aa, config.segment_aa);
        for round in 0..=config.iterations {
            mean_points(&mut self.points, wave_aa, flux, &self.keep);
            let Points {
                x,
                y,
                inverse_weight,
                ..
            } = &self.points;
            if !self.spline.fit(x, y, inverse_weight, config.p) {
                return false;
            }
            evaluate(
                self.spline.pieces(),
                &self.points.of_bin,
                wave_aa,
                continuum,
            );
            if round < config.iterations {
                self.reject(config, flux, continuum);
            }
        }
        true
    }

    /// Chooses again among all good pixels, so that one rejected by an early, poor spline can come back.
    fn reject(&mut self, config: &ContinuumConfig, flux: &[f64], continuum: &[f64]) {
        for segment in &self.segments {
            let segment = segment.clone();
            let (flux, continuum) = (&flux[segment.clone()], &continuum[segment.clone()]);
            let keep = &mut self.keep[segment.clone()];
            let (count, square) = scatter(flux, continuum, keep);
            // From fewer pixels no scatter can be told; then the segment keeps the pixels that it has.
            if count >= 10.0 {
                let sigma = (square / count).sqrt();
                let (low, high) = (
                    -config.clip_below_sigma * sigma,
                    config.clip_above_sigma * sigma,
                );
                choose(keep, &self.good[segment], flux, continuum, low, high);
            }
        }
    }
}

/// 1 for true, 0 for false.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn ones(ones: &mut Vec<f64>, are: &[bool]) {
    ones.clear();
    ones.resize(are.len(), 0.0);
    for (one, is) in ones.iter_mut().zip(are) {
        *one = if *is { 1.0 } else { 0.0 };
    }
}

/// Stretches of `segment_aa`, one after the other.
fn set_segments(segments: &mut Vec<Range<usize>>, wave_aa: &[f64], segment_aa: f64) {
    segments.clear();
    let mut start = 0;
    while start < wave_aa.len() {
        let limit = wave_aa[start] + segment_aa;
        let end = start + wave_aa[start..].partition_point(|w| *w < limit).max(1);
        segments.push(start..end);
        start = end;
    }
}

/// Mean wavelength and flux of the kept pixels of each bin, and 1 over their number.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn mean_points(points: &mut Points, wave_aa: &[f64], flux: &[f64], keep: &[f64]) {
    let (wave_bins, wave_rest) = wave_aa.as_chunks::<BIN>();
    let (flux_bins, flux_rest) = flux.as_chunks::<BIN>();
    let (keep_bins, keep_rest) = keep.as_chunks::<BIN>();
    let n_bin = wave_aa.len().div_ceil(BIN);
    let Points {
        x,
        y,
        inverse_weight,
        of_bin,
    } = points;
    for values in [&mut *x, &mut *y, &mut *inverse_weight] {
        values.clear();
        values.resize(n_bin, 0.0);
    }
    of_bin.clear();
    of_bin.resize(n_bin, 0);
    let mut n_point = 0;
    let bins = wave_bins.iter().zip(flux_bins).zip(keep_bins);
    for (((wave, flux), keep), of_bin) in bins.zip(&mut *of_bin) {
        let (mut wave_sum, mut flux_sum) = (*wave, *flux);
        for i in 0..BIN {
            wave_sum[i] *= keep[i];
            flux_sum[i] *= keep[i];
        }
        let n = sum_of_8(*keep);
        let inverse = INVERSE[(n as usize).min(BIN)];
        // A bin without pixels is written over by the next one.
        x[n_point] = sum_of_8(wave_sum) * inverse;
        y[n_point] = sum_of_8(flux_sum) * inverse;
        inverse_weight[n_point] = inverse;
        n_point += usize::from(n > 0.0);
        *of_bin = n_point.saturating_sub(1);
    }
    if let Some(of_bin) = of_bin.get_mut(keep_bins.len()) {
        let n: f64 = keep_rest.iter().sum();
        let inverse = INVERSE[(n as usize).min(BIN)];
        let mean = |values: &[f64]| {
            let kept = values.iter().zip(keep_rest).map(|(v, k)| v * k);
            kept.sum::<f64>() * inverse
        };
        x[n_point] = mean(wave_rest);
        y[n_point] = mean(flux_rest);
        inverse_weight[n_point] = inverse;
        n_point += usize::from(n > 0.0);
        *of_bin = n_point.saturating_sub(1);
    }
    for values in [x, y, inverse_weight] {
        values.truncate(n_point);
    }
}

/// Sum of eight numbers, in halves as SIMD lanes add.
#[inline(always)]
fn sum_of_8(v: [f64; BIN]) -> f64 {
    let [a, b, c, d] = [v[0] + v[4], v[1] + v[5], v[2] + v[6], v[3] + v[7]];
    (a + c) + (b + d)
}

/// Values of the spline at `x`, of whose bins each has its piece.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn evaluate(pieces: &[Piece], of_bin: &[usize], x: &[f64], out: &mut [f64]) {
    let (x_bins, x_rest) = x.as_chunks::<BIN>();
    let (out_bins, out_rest) = out.as_chunks_mut::<BIN>();
    for ((x, out), piece) in x_bins.iter().zip(out_bins).zip(of_bin) {
        let piece = pieces[*piece];
        for i in 0..BIN {
            out[i] = piece.at(x[i]);
        }
    }
    if let Some(last) = of_bin.get(x_bins.len()) {
        for (x, out) in x_rest.iter().zip(out_rest) {
            *out = pieces[*last].at(*x);
        }
    }
}

/// Number of kept pixels, and the sum of their squared residuals.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn scatter(flux: &[f64], continuum: &[f64], keep: &[f64]) -> (f64, f64) {
    let (flux_8, flux_rest) = flux.as_chunks::<8>();
    let (continuum_8, continuum_rest) = continuum.as_chunks::<8>();
    let (keep_8, keep_rest) = keep.as_chunks::<8>();
    let (mut count, mut square) = ([0.0; 8], [0.0; 8]);
    for ((flux, continuum), keep) in flux_8.iter().zip(continuum_8).zip(keep_8) {
        for i in 0..8 {
            let residual = flux[i] - continuum[i];
            count[i] += keep[i];
            square[i] += keep[i] * (residual * residual);
        }
    }
    let rest = flux_rest.iter().zip(continuum_rest).zip(keep_rest);
    for (i, ((flux, continuum), keep)) in rest.enumerate() {
        count[i] += keep;
        square[i] += keep * (flux - continuum).powi(2);
    }
    (sum_of_8(count), sum_of_8(square))
}

/// Keeps the good pixels whose residual lies in `low..=high`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn choose(keep: &mut [f64], good: &[f64], flux: &[f64], continuum: &[f64], low: f64, high: f64) {
    let pixels = good.iter().zip(flux).zip(continuum);
    for (keep, ((good, flux), continuum)) in keep.iter_mut().zip(pixels) {
        let residual = flux - continuum;
        let inside = (residual >= low) & (residual <= high);
        *keep = if inside { *good } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_spikes_do_not_pull_the_continuum() {
        let n = 4000;
        let wave_aa: Vec<f64> = (0..n).map(|i| 4950.0 + 0.1 * i as f64).collect();
        let truth = |w: f64| 1000.0 + 0.8 * (w - 5000.0) + 100.0 * ((w - 5000.0) / 120.0).sin();
        let flux: Vec<f64> = wave_aa
            .iter()
            .map(|w| {
                let lines: f64 = (0..40)
                    .map(|k| 0.4 * (-0.5 * ((w - 4960.0 - 9.5 * k as f64) / 0.3).powi(2)).exp())
                    .sum();
                truth(*w) * (1.0 - lines)
            })
            .collect();
        let mut continuum = vec![0.0; n];
        assert!(ContinuumFitter::default().fit(
            &ContinuumConfig::default(),
            &wave_aa,
            &flux,
            &vec![true; n],
            &mut continuum
        ));
        for i in 100..n - 100 {
            let ratio = continuum[i] / truth(wave_aa[i]);
            assert!((ratio - 1.0).abs() < 0.01, "{} A: {ratio}", wave_aa[i]);
        }
    }

    /// The same in plain loops.
    fn plain(config: &ContinuumConfig, wave_aa: &[f64], flux: &[f64], good: &[bool]) -> Vec<f64> {
        let n = flux.len();
        let mut keep = good.to_vec();
        let mut continuum = vec![0.0; n];
        for round in 0..=config.iterations {
            let (mut x, mut y, mut v) = (vec![], vec![], vec![]);
            for start in (0..n).step_by(BIN) {
                let kept = || (start..n.min(start + BIN)).filter(|i| keep[*i]);
                let count = kept().count() as f64;
                if count > 0.0 {
                    x.push(kept().map(|i| wave_aa[i]).sum::<f64>() / count);
                    y.push(kept().map(|i| flux[i]).sum::<f64>() / count);
                    v.push(1.0 / count);
                }
            }
            let mut spline = SmoothingSpline::default();
            assert!(spline.fit(&x, &y, &v, config.p));
            for (w, level) in wave_aa.iter().zip(&mut continuum) {
                let before = x.partition_point(|x| x <= w).saturating_sub(1);
                *level = spline.pieces()[before].at(*w);
            }
            let mut start = 0;
            while start < n && round < config.iterations {
                let end = (start..n)
                    .find(|i| wave_aa[*i] >= wave_aa[start] + config.segment_aa)
                    .unwrap_or(n);
                let residual = |i: usize| flux[i] - continuum[i];
                let kept: Vec<usize> = (start..end).filter(|i| keep[*i]).collect();
                if kept.len() >= 10 {
                    let square: f64 = kept.iter().map(|i| residual(*i).powi(2)).sum();
                    let sigma = (square / kept.len() as f64).sqrt();
                    for i in start..end {
                        keep[i] = good[i]
                            && residual(i) <= config.clip_above_sigma * sigma
                            && residual(i) >= -config.clip_below_sigma * sigma;
                    }
                }
                start = end;
            }
        }
        continuum
    }

    #[test]
    fn fast_loops_give_what_plain_ones_give() {
        let mut fitter = ContinuumFitter::default();
        for n in [640, 1001, 4136] {
            let wave_aa: Vec<f64> = (0..n).map(|i| 4900.0 + 0.12 * i as f64).collect();
            let flux: Vec<f64> = (0..n)
                .map(|i| {
                    let spike = if i % 89 == 7 { 9.0 } else { 0.0 };
                    10.0 + (0.01 * i as f64).sin() + (7.7 * (i * i % 997) as f64).sin() + spike
                })
                .collect();
            // Whole bins without a good pixel, at the ends and between.
            let good: Vec<bool> = (0..n)
                .map(|i| i > 30 && i + 43 < n && !(200..260).contains(&i) && i % 11 != 3)
                .collect();
            let config = ContinuumConfig::default();
            let mut fast = vec![0.0; n];
            assert!(fitter.fit(&config, &wave_aa, &flux, &good, &mut fast));
            for (i, (a, b)) in fast
                .iter()
                .zip(plain(&config, &wave_aa, &flux, &good))
                .enumerate()
            {
                assert!((a - b).abs() < 1e-9, "n {n} pixel {i}: {a} {b}");
            }
        }
    }

    #[test]
    fn no_good_pixel_is_no_continuum() {
        let wave_aa: Vec<f64> = (0..100).map(f64::from).collect();
        let mut out = vec![0.0; 100];
        assert!(!ContinuumFitter::default().fit(
            &ContinuumConfig::default(),
            &wave_aa,
            &wave_aa,
            &[false; 100],
            &mut out
        ));
    }
}
