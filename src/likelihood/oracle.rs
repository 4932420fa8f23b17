//! The likelihood straight from the equations, in float64, one number at a time. The fast back ends are tested against it, so it is
//! never optimised.

use std::f64::consts::TAU;

use super::batch::{n_window, usable};
use super::grid::VelocityGrid;
use super::peak::{Measurement, PeakContext, Refinement, measure_peak};
use super::precision::{PixelAtPeak, PrecisionSums};
use crate::C_KM_S;
use crate::reference::Reference;
use crate::spectrum::Normalized;

/// ln L (paper Eq. 3, without the constants) of the shift `shift_km_s` = c ln(1 + v/c) of `exposure` against `reference`:
/// the observed pixels stay where they are, the reference is moved.
pub fn ln_likelihood(
    exposure: &Normalized,
    reference: &Reference,
    grid: &VelocityGrid,
    shift_km_s: f64,
) -> f64 {
    let mut ln_l = 0.0;
    for i in usable(exposure, reference, grid) {
        let value = reference.at(exposure.ln_wave[i] - shift_km_s / C_KM_S);
        let s = 1.0 / exposure.ivar[i] + value.pixel_variance;
        ln_l -=
            0.5 * (exposure.flux[i] - value.flux).powi(2) / s + 0.5 * (s * exposure.ivar[i]).ln();
    }
    ln_l
}

/// Sums from which error and chi^2 come, at `shift_km_s`.
pub fn precision_sums(
    exposure: &Normalized,
    reference: &Reference,
    grid: &VelocityGrid,
    shift_km_s: f64,
) -> PrecisionSums {
    let mut sums = PrecisionSums::default();
    for i in usable(exposure, reference, grid) {
        let value = reference.at(exposure.ln_wave[i] - shift_km_s / C_KM_S);
        sums.add(&PixelAtPeak {
            residual: exposure.flux[i] - value.flux,
            variance: 1.0 / exposure.ivar[i],
            reference_variance: value.pixel_variance,
            slope: value.slope,
            flux_variance: value.flux_variance,
            slope_variance: value.slope_variance,
        });
    }
    sums
}

/// Measures the velocity of `exposure` against `reference` as the back ends do, from likelihoods in float64.
pub fn measure(exposure: &Normalized, reference: &Reference, grid: &VelocityGrid) -> Measurement {
    let ln_l = |position: f64| ln_likelihood(exposure, reference, grid, grid.shift_km_s(position));
    let pixels: Vec<usize> = usable(exposure, reference, grid).collect();
    let ln_ivar: f64 = pixels.iter().map(|i| exposure.ivar[*i].ln()).sum();
    let context = PeakContext {
        grid: *grid,
        n_pix: pixels.len(),
        n_window: n_window(exposure),
        ln_constant: 0.5 * ln_ivar - 0.5 * pixels.len() as f64 * TAU.ln(),
        response: reference.response,
    };
    if pixels.is_empty() {
        return Measurement::without_pixels();
    }
    let curve: Vec<f64> = (0..grid.len()).map(|i| ln_l(i as f64)).collect();
    let exact = |refinement: Refinement| refinement.positions().map(ln_l).collect();
    measure_peak(&context, &curve, exact, |shift| {
        precision_sums(exposure, reference, grid, shift)
    })
}
