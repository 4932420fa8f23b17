//! Sums over the pixels of an exposure against the coadd of the others.

use std::ops::Range;

use multiversion::multiversion;

use super::foreign::{self, Light};
use super::misfit::{Depth, NOISE_MOST2, Piece};
use super::view::{AtPixels, LANES, Lanes, lanes};
use crate::spectrum::MODEL_SIGMA;
use crate::spectrum::normalize::Normalized;

/// Sums over the window at the place where the exposure lies. S = sigma_t^2 + sigma_ref^2, f' = d f_ref / d v.
///
/// The first three are those of any sweep, the others of a [whole](super::sweep::Extent::Whole) one.
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

/// Sums over a piece of the window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PieceSums {
    pub totals: Totals,
    pub with_model: Piece,
    pub depth: Depth,
    pub noise2: f64,
    pub n_noise: usize,
}

/// So many values of S are multiplied before the logarithm is taken. S lies between 1e-8 and 1e6, so a product of 32 fits float64.
const LOGARITHM: usize = 32;

/// The pixels of `exposure` within its window, counted from the first one of `at`.
pub(super) fn window(exposure: &Normalized, at: &AtPixels) -> Range<usize> {
    let (low, high) = exposure.band.ln_window();
    let ln_wave = &exposure.ln_wave[at.first..at.first + at.n];
    let start = ln_wave.partition_point(|w| *w < low);
    start..ln_wave.partition_point(|w| *w <= high).max(start)
}

/// Sums of any sweep over pixels `range`, counted from the first one of `at`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn sum_steps(ivar: &[f64], at: &AtPixels, range: Range<usize>) -> Totals {
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
pub(super) fn sum_piece(ivar: &[f64], at: &AtPixels, range: Range<usize>) -> PieceSums {
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

/// Sums over the pixels of a light, and the sum of all squares of its profile within `which`, pixels counted from the first one of
/// `at`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn sum_light(light: &Light, at: &AtPixels, which: Range<usize>) -> (foreign::Sums, f64) {
    let mut sums = [[0.0f64; LANES]; 5];
    // Nothing where the others do not reach the light.
    let skipped = (at.first + which.start).saturating_sub(light.first);
    let profile = light.profile.get(skipped..).unwrap_or_default();
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
