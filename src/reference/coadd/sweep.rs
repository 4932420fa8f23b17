//! One exposure against the coadd of the others: where it lies, how well that is known, and how it differs.

use multiversion::multiversion;

use super::clip::far_off;
use super::foreign::{self, Light};
use super::misfit::{Depth, Misfit, NOISE_MOST2, PIECES, Piece, noise_scale, pieces_chi2, smooth};
use super::view::{AtPixels, View};
use crate::spectrum::MODEL_SIGMA;
use crate::spectrum::normalize::Normalized;

/// Variance of the fitted flux over that of the pixels it was fitted to, about. Used for clipping alone, where it need not be exact.
pub(super) const FLUX_VARIANCE_SHARE: f64 = 0.35;

/// Velocities are moved by no more than this in one round, in bins of a quarter of the line-spread function's width. A step is
/// computed from the slope of the lines, and is only good as far as these are straight. Chosen by hand.
const MAX_STEP_BINS: f64 = 1.5;

/// Sums over the window at the place where the exposure lies. S = sigma_t^2 + sigma_ref^2, f' = d f_ref / d v.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// sum f' r / S.
    pub gradient: f64,
    /// I = sum f'^2 / S.
    pub slope2: f64,
    /// sum f'^2 / sigma_t^2.
    pub information: f64,
    /// sum sigma_t^2 f'^2 / S^2.
    pub own_slope2: f64,
    /// sum V / S, V the variance of f'.
    pub slope_noise: f64,
    /// sum r^2 / (sigma_t^2 + variance of the fitted flux).
    pub chi2: f64,
    /// sum r^2 / S + ln S.
    pub ln_l: f64,
    /// Pixels that count.
    pub n_pix: usize,
}

/// An exposure against the coadd of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweep {
    pub totals: Totals,
    /// By how much its velocity is off, km/s.
    pub step_km_s: f64,
    pub misfit: Misfit,
    /// Residual of each pixel in sigma; 0 where there is none.
    pub z: Vec<f64>,
    /// Pixels that are off whatever the velocity.
    pub far: Vec<usize>,
    /// Foreign light at each pixel from number `foreign_first` on; empty where there is none.
    pub foreign: Vec<f64>,
    pub foreign_first: usize,
}

/// Sums over a piece of the window.
#[derive(Clone, Copy, Debug, Default)]
struct PieceSums {
    totals: Totals,
    with_model: Piece,
    depth: Depth,
    noise2: f64,
    n_noise: usize,
}

/// Lanes of a sum.
const LANES: usize = 4;

type Lanes = [f64; LANES];

/// So many values of S are multiplied before the logarithm is taken. S lies between 1e-8 and 1e6, so a product of 32 fits float64.
const LOGARITHM: usize = 32;

/// Sums over pixels `range`, counted from the first one of `at`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sum_piece(ivar: &[f64], at: &AtPixels, range: std::ops::Range<usize>) -> PieceSums {
    const MODEL2: f64 = MODEL_SIGMA * MODEL_SIGMA;
    let mut sums = [[0.0f64; LANES]; 17];
    let mut product: Lanes = [1.0; LANES];
    let mut ln_s = 0.0;
    let end = range.end;
    let mut rows = 0;
    let columns: [&[f64]; 7] = [
        &ivar[at.first..],
        &at.flux,
        &at.slope,
        &at.variance,
        &at.residual,
        &at.of_flux,
        &at.of_slope,
    ];
    let mut start = range.start;
    while start < end {
        let n = LANES.min(end - start);
        let mut v = [[0.0f64; LANES]; 7];
        for (lanes, column) in v.iter_mut().zip(columns) {
            lanes[..n].copy_from_slice(&column[start..start + n]);
        }
        for l in 0..LANES {
            let is_good = v[0][l] > 0.0;
            let one = if is_good { 1.0 } else { 0.0 };
            let noise2 = 1.0 / if is_good { v[0][l] } else { 1.0 };
            let s = noise2 + v[3][l];
            let inverse = one / s;
            let (slope, residual) = (v[2][l], v[4][l]);
            let slope2 = slope * slope;
            let with_model = one / (s + MODEL2);
            let line = v[1][l] - 1.0;
            let terms = [
                slope * residual * inverse,
                slope2 * inverse,
                slope2 * v[0][l],
                slope2 * noise2 * inverse * inverse,
                v[6][l] * inverse,
                one * residual * residual / (noise2 + v[5][l]),
                residual * residual * inverse,
                one,
                slope * residual * with_model,
                slope2 * with_model,
                with_model,
                line * with_model,
                line * line * with_model,
                residual * with_model,
                line * residual * with_model,
            ];
            for (sum, term) in sums.iter_mut().zip(terms) {
                sum[l] += term;
            }
            product[l] *= if is_good { s } else { 1.0 };
        }
        rows += 1;
        if rows % LOGARITHM == 0 {
            ln_s += product.iter().map(|p| p.ln()).sum::<f64>();
            product = [1.0; LANES];
        }
        start += LANES;
    }
    ln_s += product.iter().map(|p| p.ln()).sum::<f64>();
    let (mut noise2, mut n_noise) = (0.0, 0.0);
    for k in range.start + 1..end {
        let (a, b) = (ivar[at.first + k - 1], ivar[at.first + k]);
        let difference = at.residual[k] - at.residual[k - 1];
        let weight = a * b / (a + b);
        let is_known = a > 0.0 && b > 0.0;
        let square = if is_known {
            (difference * difference * weight).min(NOISE_MOST2)
        } else {
            0.0
        };
        noise2 += square;
        n_noise += if is_known { 1.0 } else { 0.0 };
    }
    let sum = |i: usize| sums[i].iter().sum::<f64>();
    PieceSums {
        totals: Totals {
            gradient: sum(0),
            slope2: sum(1),
            information: sum(2),
            own_slope2: sum(3),
            slope_noise: sum(4),
            chi2: sum(5),
            ln_l: sum(6) + ln_s,
            n_pix: sum(7) as usize,
        },
        with_model: Piece {
            gradient: sum(8),
            slope2: sum(9),
        },
        depth: Depth {
            weight: sum(10),
            line: sum(11),
            line2: sum(12),
            residual: sum(13),
            product: sum(14),
        },
        noise2,
        n_noise: n_noise as usize,
    }
}

/// All pieces of the window.
fn sum_window(exposure: &Normalized, at: &AtPixels, out: &mut Sweep) {
    let (low, high) = exposure.band.ln_window();
    let n = at.flux.len();
    let ln_wave = &exposure.ln_wave[at.first..at.first + n];
    let edge = |i: usize| {
        let l = low + (high - low) * i as f64 / PIECES as f64;
        match i == PIECES {
            true => ln_wave.partition_point(|w| *w <= l),
            false => ln_wave.partition_point(|w| *w < l),
        }
    };
    let (mut plain, mut with_model) = ([Piece::default(); PIECES], [Piece::default(); PIECES]);
    let mut depth = Depth::default();
    let (mut noise2, mut n_noise) = (0.0, 0);
    let totals = &mut out.totals;
    *totals = Totals::default();
    for i in 0..PIECES {
        let sums = sum_piece(&exposure.ivar, at, edge(i)..edge(i + 1));
        let t = &sums.totals;
        totals.gradient += t.gradient;
        totals.slope2 += t.slope2;
        totals.information += t.information;
        totals.own_slope2 += t.own_slope2;
        totals.slope_noise += t.slope_noise;
        totals.chi2 += t.chi2;
        totals.ln_l += t.ln_l;
        totals.n_pix += t.n_pix;
        plain[i] = Piece {
            gradient: t.gradient,
            slope2: t.slope2,
        };
        with_model[i] = sums.with_model;
        depth.weight += sums.depth.weight;
        depth.line += sums.depth.line;
        depth.line2 += sums.depth.line2;
        depth.residual += sums.depth.residual;
        depth.product += sums.depth.product;
        noise2 += sums.noise2;
        n_noise += sums.n_noise;
    }
    let (of_lines, depth_sigma) = depth.solve();
    let (chi2, dof) = pieces_chi2(&plain);
    let (chi2_model, dof_model) = pieces_chi2(&with_model);
    out.misfit = Misfit {
        depth: of_lines,
        depth_sigma,
        pieces_chi2: chi2,
        pieces_dof: dof,
        pieces_chi2_model: chi2_model / dof_model.max(1.0),
        slope2: with_model.iter().map(|p| p.slope2).sum::<f64>() / depth.weight,
        noise_scale: noise_scale(noise2, n_noise),
        ..Misfit::default()
    };
    let step = totals.gradient / totals.slope2;
    let most_km_s = MAX_STEP_BINS * exposure.band.second_lines.bin_km_s;
    out.step_km_s = match step.is_finite() {
        true => step.clamp(-most_km_s, most_km_s),
        false => 0.0,
    };
}

/// Notes foreign light, and takes the night sky's lines out of the residuals. Returns by how much the curvature of the velocity,
/// sum f'^2 / S, becomes smaller because the light is found from the same pixels.
///
/// Sunlight stays in the residuals: its shape after division by another star's continuum is not known well enough to correct
/// velocities. But it is known well enough how far it moves them.
fn take_off(exposure: &Normalized, lights: &[Light], at: &mut AtPixels, out: &mut Sweep) -> f64 {
    let mut lost = 0.0;
    let n = at.flux.len();
    for light in lights {
        let mut sums = foreign::Sums::default();
        // Pixels of the light within the others' cover.
        let from = light.first.max(at.first);
        let end = (light.first + light.profile.len()).min(at.first + n);
        let mut all = 0.0;
        for k in from..end {
            let ivar = exposure.ivar[k];
            let i = k - at.first;
            let p = light.at(k, at.flux[i]);
            all += p * p;
            if ivar > 0.0 {
                sums.profile += p * p;
                let inverse = 1.0 / (1.0 / ivar + at.variance[i]);
                sums.power += p * p * inverse;
                sums.slope += p * at.slope[i] * inverse;
                sums.residual += p * at.residual[i] * inverse;
            }
        }
        if sums.profile < foreign::LEAST_SEEN * all {
            continue;
        }
        if light.is_mixed {
            let (share, error) = sums.free_amount(out.totals.gradient, out.totals.slope2);
            if share.is_finite() {
                out.misfit.sunlight = share;
                out.misfit.sunlight_sigma = error;
            }
        }
        let (amount, less) = sums.amount(out.totals.gradient, out.totals.slope2, light);
        if amount == 0.0 {
            continue;
        }
        if light.is_mixed {
            out.misfit.sunlight_rv_km_s = amount * sums.slope / out.totals.slope2;
        }
        out.foreign_first = at.first;
        out.foreign.resize(n, 0.0);
        for i in from - at.first..end.max(from) - at.first {
            let added = amount * light.at(at.first + i, at.flux[i]);
            out.foreign[i] += added;
            if !light.is_mixed {
                at.residual[i] -= added;
            }
        }
        if !light.is_mixed {
            lost += less;
        }
    }
    lost
}

/// Compares `exposure`, whose pixels lie at `x`, with the others.
pub(super) fn sweep(
    exposure: &Normalized,
    x: &[f64],
    lights: &[Light],
    others: &View<'_>,
    at: &mut AtPixels,
) -> Sweep {
    let mut out = Sweep::default();
    at.evaluate(exposure, x, others);
    sum_window(exposure, at, &mut out);
    let lost = take_off(exposure, lights, at, &mut out);
    if lost > 0.0 {
        let Misfit {
            sunlight,
            sunlight_sigma,
            sunlight_rv_km_s,
            ..
        } = out.misfit;
        sum_window(exposure, at, &mut out);
        out.misfit = Misfit {
            sunlight,
            sunlight_sigma,
            sunlight_rv_km_s,
            ..out.misfit
        };
        let totals = &mut out.totals;
        // Velocity and foreign light are found from the same pixels, so less is known of the velocity.
        let left = (1.0 - lost / totals.slope2).max(0.1);
        totals.slope2 *= left;
        totals.own_slope2 *= left;
        totals.slope_noise *= left;
    }
    out.z = vec![0.0; x.len()];
    let model2 = MODEL_SIGMA * MODEL_SIGMA;
    let error2 =
        |k: usize, variance: f64| 1.0 / exposure.ivar[k] + FLUX_VARIANCE_SHARE * variance + model2;
    for (i, residual) in at.residual.iter().enumerate() {
        let k = at.first + i;
        if exposure.ivar[k] > 0.0 {
            out.z[k] = residual / error2(k, at.variance[i]).sqrt();
        }
    }
    let (smooth, smooth_sigma) = smooth(exposure, &out.z);
    out.misfit.smooth = smooth;
    out.misfit.smooth_sigma = smooth_sigma;
    let (first, last) = (others.covered.0 as f64, others.covered.1 as f64);
    out.far = far_off(&out.z, others.scale.pixels_in(out.step_km_s), |k, shift| {
        let error2 = error2(k, at.variance[k - at.first]);
        others.flux((x[k] - shift).clamp(first, last)) / error2.sqrt()
    });
    out
}
