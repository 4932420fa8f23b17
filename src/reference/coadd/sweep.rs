//! One exposure against the coadd of the others: where it lies, how well that is known, and how it differs.

use std::ops::Range;

use multiversion::multiversion;

use super::clip::{far_off, off};
use super::foreign::{self, Light};
use super::misfit::{Depth, Misfit, NOISE_MOST2, PIECES, Piece, noise_scale, pieces_chi2, smooth};
use super::sums::Part;
use super::view::{AtPixels, LANES, Lanes, View, lanes};
use crate::spectrum::MODEL_SIGMA;
use crate::spectrum::normalize::Normalized;

/// Variance of the fitted flux over that of the pixels it was fitted to, about. Used for clipping alone, where it need not be exact.
pub(super) const FLUX_VARIANCE_SHARE: f64 = 0.35;

/// Velocities are moved by no more than this in one round, in bins of a quarter of the line-spread function's width. A step is
/// computed from the slope of the lines, and is only good as far as these are straight. Chosen by hand.
const MAX_STEP_BINS: f64 = 1.5;

/// How much of a sweep is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// How far the exposure is to be moved, and which of its pixels are off: half of the work.
    Step,
    /// That, how well its velocity is known and how it differs.
    Whole,
}

/// Sums over the window at the place where the exposure lies. S = sigma_t^2 + sigma_ref^2, f' = d f_ref / d v.
///
/// The first three are those of any sweep, the others of a [whole](Extent::Whole) one.
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
    /// In a whole sweep alone.
    pub misfit: Misfit,
    /// Residual of each pixel in sigma; 0 where there is none.
    pub z: Vec<f64>,
    /// Pixels that are off by as much as a defect ([`off`]).
    pub off: Vec<usize>,
    /// Those that are off whatever the velocity ([`far_off`]).
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

/// So many values of S are multiplied before the logarithm is taken. S lies between 1e-8 and 1e6, so a product of 32 fits float64.
const LOGARITHM: usize = 32;

/// The pixels of `exposure` within its window, counted from the first one of `at`.
fn window(exposure: &Normalized, at: &AtPixels) -> Range<usize> {
    let (low, high) = exposure.band.ln_window();
    let ln_wave = &exposure.ln_wave[at.first..at.first + at.n];
    let start = ln_wave.partition_point(|w| *w < low);
    start..ln_wave.partition_point(|w| *w <= high).max(start)
}

/// Sums of any sweep over pixels `range`, counted from the first one of `at`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sum_steps(ivar: &[f64], at: &AtPixels, range: Range<usize>) -> Totals {
    let mut sums = [[0.0f64; LANES]; 3];
    let ivar = &ivar[at.first..];
    for start in range.clone().step_by(LANES) {
        let of = |column: &[f64]| lanes(column, start, range.end);
        let (ivar, inverse) = (of(ivar), of(&at.inverse));
        let (slope, residual) = (of(&at.slope), of(&at.residual));
        for l in 0..LANES {
            let slope2 = slope[l] * slope[l];
            sums[0][l] += slope[l] * residual[l] * inverse[l];
            sums[1][l] += slope2 * inverse[l];
            sums[2][l] += slope2 * ivar[l];
        }
    }
    let [gradient, slope2, information] = sums.map(|lanes| lanes.iter().sum::<f64>());
    Totals {
        gradient,
        slope2,
        information,
        ..Totals::default()
    }
}

/// Sums of a whole sweep over pixels `range`, counted from the first one of `at`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sum_piece(ivar: &[f64], at: &AtPixels, range: Range<usize>) -> PieceSums {
    const MODEL2: f64 = MODEL_SIGMA * MODEL_SIGMA;
    let mut sums = [[0.0f64; LANES]; 15];
    let mut product: Lanes = [1.0; LANES];
    let mut ln_s = 0.0;
    let ivar = &ivar[at.first..];
    let end = range.end;
    for (row, start) in range.clone().step_by(LANES).enumerate() {
        let of = |column: &[f64]| lanes(column, start, end);
        let (ivar, flux) = (of(ivar), of(&at.flux));
        let (slope, residual) = (of(&at.slope), of(&at.residual));
        let (noise2, inverse, variance) = (of(&at.noise2), of(&at.inverse), of(&at.variance));
        let (of_flux, of_slope) = (of(&at.of_flux), of(&at.of_slope));
        for l in 0..LANES {
            let is_good = ivar[l] > 0.0;
            let one = if is_good { 1.0 } else { 0.0 };
            let s = noise2[l] + variance[l];
            let slope2 = slope[l] * slope[l];
            let residual2 = residual[l] * residual[l];
            // What does not count is divided by 1 here: beyond the end there is nothing.
            let safe = |value: f64| if is_good { value } else { 1.0 };
            let with_model = one / safe(s + MODEL2);
            let line = flux[l] - 1.0;
            let terms = [
                slope[l] * residual[l] * inverse[l],
                slope2 * inverse[l],
                slope2 * ivar[l],
                slope2 * noise2[l] * inverse[l] * inverse[l],
                of_slope[l] * inverse[l],
                one * residual2 / safe(noise2[l] + of_flux[l]),
                residual2 * inverse[l],
                one,
                slope[l] * residual[l] * with_model,
                slope2 * with_model,
                with_model,
                line * with_model,
                line * line * with_model,
                residual[l] * with_model,
                line * residual[l] * with_model,
            ];
            for (sum, term) in sums.iter_mut().zip(terms) {
                sum[l] += term;
            }
            product[l] *= safe(s);
        }
        if (row + 1) % LOGARITHM == 0 {
            ln_s += product.iter().map(|p| p.ln()).sum::<f64>();
            product = [1.0; LANES];
        }
    }
    ln_s += product.iter().map(|p| p.ln()).sum::<f64>();
    let [noise2, n_noise] = sum_differences(ivar, at, range);
    let sums = sums.map(|lanes| lanes.iter().sum::<f64>());
    PieceSums {
        totals: Totals {
            gradient: sums[0],
            slope2: sums[1],
            information: sums[2],
            own_slope2: sums[3],
            slope_noise: sums[4],
            chi2: sums[5],
            ln_l: sums[6] + ln_s,
            n_pix: sums[7] as usize,
        },
        with_model: Piece {
            gradient: sums[8],
            slope2: sums[9],
        },
        depth: Depth {
            weight: sums[10],
            line: sums[11],
            line2: sums[12],
            residual: sums[13],
            product: sums[14],
        },
        noise2,
        n_noise: n_noise as usize,
    }
}

/// Sum of squared differences of neighbours in units of their variance, and their number.
#[inline(always)]
fn sum_differences(ivar: &[f64], at: &AtPixels, range: Range<usize>) -> [f64; 2] {
    let mut sums = [[0.0f64; LANES]; 2];
    let end = range.end;
    for start in (range.start + 1..end).step_by(LANES) {
        let of = |column: &[f64], before: usize| lanes(column, start - before, end - before);
        let (a, b) = (of(ivar, 1), of(ivar, 0));
        let (left, right) = (of(&at.residual, 1), of(&at.residual, 0));
        for l in 0..LANES {
            let difference = right[l] - left[l];
            let is_known = a[l] > 0.0 && b[l] > 0.0;
            let one = if is_known { 1.0 } else { 0.0 };
            let both = if is_known { a[l] + b[l] } else { 1.0 };
            let square = difference * difference * (a[l] * b[l] / both);
            sums[0][l] += one * square.min(NOISE_MOST2);
            sums[1][l] += one;
        }
    }
    sums.map(|lanes| lanes.iter().sum())
}

/// All pieces of the window.
fn sum_window(exposure: &Normalized, at: &AtPixels, out: &mut Sweep) {
    let (low, high) = exposure.band.ln_window();
    let ln_wave = &exposure.ln_wave[at.first..at.first + at.n];
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
    let mut start = edge(0);
    for i in 0..PIECES {
        let end = edge(i + 1).max(start);
        let sums = sum_piece(&exposure.ivar, at, start..end);
        start = end;
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
}

/// By how much the velocity is off, km/s, as these sums tell.
fn step_km_s(exposure: &Normalized, totals: &Totals) -> f64 {
    let step = totals.gradient / totals.slope2;
    let most_km_s = MAX_STEP_BINS * exposure.band.second_lines.bin_km_s;
    match step.is_finite() {
        true => step.clamp(-most_km_s, most_km_s),
        false => 0.0,
    }
}

/// Sums over the pixels of a light, and the sum of all squares of its profile within `which`, pixels counted from the first one of
/// `at`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sum_light(light: &Light, at: &AtPixels, which: Range<usize>) -> (foreign::Sums, f64) {
    let mut sums = [[0.0f64; LANES]; 5];
    let profile = &light.profile[(at.first + which.start).saturating_sub(light.first)..];
    let mixed = if light.is_mixed { 1.0 } else { 0.0 };
    for start in which.clone().step_by(LANES) {
        let of = |column: &[f64]| lanes(column, start, which.end);
        let profile = lanes(profile, start - which.start, which.len());
        let (flux, slope) = (of(&at.flux), of(&at.slope));
        let (residual, inverse) = (of(&at.residual), of(&at.inverse));
        for l in 0..LANES {
            let p = profile[l] - mixed * flux[l];
            let square = p * p;
            sums[0][l] += square;
            sums[1][l] += if inverse[l] > 0.0 { square } else { 0.0 };
            sums[2][l] += square * inverse[l];
            sums[3][l] += p * slope[l] * inverse[l];
            sums[4][l] += p * residual[l] * inverse[l];
        }
    }
    let [all, profile, power, slope, residual] = sums.map(|lanes| lanes.iter().sum::<f64>());
    let sums = foreign::Sums {
        power,
        profile,
        slope,
        residual,
    };
    (sums, all)
}

/// Notes foreign light, and takes the night sky's lines out of the residuals. Returns by how much the curvature of the velocity,
/// sum f'^2 / S, becomes smaller because the light is found from the same pixels.
///
/// Sunlight stays in the residuals: its shape after division by another star's continuum is not known well enough to correct
/// velocities. But it is known well enough how far it moves them.
fn take_off<'a>(
    lights: impl Iterator<Item = &'a Light>,
    at: &mut AtPixels,
    out: &mut Sweep,
) -> f64 {
    let mut lost = 0.0;
    let n = at.n;
    for light in lights {
        // Pixels of the light within the others' cover.
        let from = light.first.max(at.first);
        let end = (light.first + light.profile.len()).min(at.first + n);
        let which = from - at.first..end.max(from) - at.first;
        let (sums, all) = sum_light(light, at, which.clone());
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
        for i in which {
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

/// Residuals in units of their errors, into `z`, which has a place for each pixel of the exposure.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn in_sigma(z: &mut [f64], at: &AtPixels) {
    const MODEL2: f64 = MODEL_SIGMA * MODEL_SIGMA;
    let noise = at.noise2.iter().zip(&at.variance);
    let values = at.residual.iter().zip(&at.inverse).zip(noise);
    let z = z[at.first..at.first + at.n].iter_mut();
    for (z, ((residual, inverse), (noise2, variance))) in z.zip(values) {
        let error2 = noise2 + FLUX_VARIANCE_SHARE * variance + MODEL2;
        let one = if *inverse > 0.0 { 1.0 } else { 0.0 };
        *z = one * residual / error2.sqrt();
    }
}

/// Compares `exposure`, whose pixels lie as `part` says, with the others.
pub(super) fn sweep(
    exposure: &Normalized,
    part: &Part,
    lights: &[Light],
    others: &View<'_>,
    extent: Extent,
    at: &mut AtPixels,
    out: &mut Sweep,
) {
    out.foreign.clear();
    out.misfit = Misfit::default();
    at.evaluate(exposure, part, others);
    let window = window(exposure, at);
    out.totals = sum_steps(&exposure.ivar, at, window.clone());
    // Mixed light stays in the residuals, and moves nothing.
    let which = |light: &&Light| extent == Extent::Whole || !light.is_mixed;
    let lost = take_off(lights.iter().filter(which), at, out);
    let Misfit {
        sunlight,
        sunlight_sigma,
        sunlight_rv_km_s,
        ..
    } = out.misfit;
    match extent {
        Extent::Step if lost > 0.0 => out.totals = sum_steps(&exposure.ivar, at, window),
        Extent::Step => {}
        Extent::Whole => {
            at.add_spread(part, others);
            sum_window(exposure, at, out);
        }
    }
    out.step_km_s = step_km_s(exposure, &out.totals);
    if lost > 0.0 {
        let totals = &mut out.totals;
        // Velocity and foreign light are found from the same pixels, so less is known of the velocity.
        let left = (1.0 - lost / totals.slope2).max(0.1);
        totals.slope2 *= left;
        totals.own_slope2 *= left;
        totals.slope_noise *= left;
    }
    out.z.clear();
    out.z.resize(part.x.len(), 0.0);
    in_sigma(&mut out.z, at);
    if extent == Extent::Whole {
        let (smooth, smooth_sigma) = smooth(exposure, &out.z);
        out.misfit = Misfit {
            sunlight,
            sunlight_sigma,
            sunlight_rv_km_s,
            smooth,
            smooth_sigma,
            ..out.misfit
        };
    }
    let (first, last) = (others.covered.0 as f64, others.covered.1 as f64);
    out.off = off(&out.z);
    let step = others.scale.pixels_in(out.step_km_s);
    out.far = far_off(&out.z, &out.off, step, |k, shift| {
        // z is the residual in units of the pixel's error.
        let i = k - at.first;
        let error = at.residual[i] / out.z[k];
        others.flux((part.x[k] - shift).clamp(first, last)) / error
    });
}
