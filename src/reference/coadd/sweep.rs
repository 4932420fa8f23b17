//! One exposure against the coadd of the others: where it lies, how well that is known, and how it differs.

use multiversion::multiversion;

use super::clip::{far_off, off};
use super::foreign::{self, Light};
use super::lines::LineSums;
use super::misfit::{Depth, Misfit, PIECES, Piece, noise_scale, pieces_chi2, smooth};
use super::pixel_sums::{Totals, sum_light, sum_piece, sum_steps, window};
use super::sums::Part;
use super::view::{AtPixels, View};
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

/// An exposure against the coadd of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweep {
    pub totals: Totals,
    /// By how much its velocity is off, km/s.
    pub step_km_s: f64,
    /// In a whole sweep alone.
    pub misfit: Misfit,
    /// In a whole sweep alone.
    pub lines: LineSums,
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
            out.lines = LineSums::new(exposure, at);
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
