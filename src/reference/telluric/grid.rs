//! Exposures of a star on a common grid of wavelengths.

use super::{Absorption, to_observed};
use crate::C_KM_S;
use crate::spectrum::Normalized;

/// Step of the grid, km/s: about a pixel.
pub const STEP_KM_S: f64 = 7.0;

/// Half width of the running mean that is taken off, grid points: 8 A, broad against a line and narrow against wings of H alpha.
pub const HALF_WINDOW: usize = 50;

/// Error of the model, in units of the continuum, that is added to the noise: flat fields and widths of lines are not known better.
pub const FLOOR: f64 = 0.005;

/// One exposure on the grid. Points without a weight have no flux.
#[derive(Clone, Debug)]
pub struct Gridded {
    pub flux: Vec<f64>,
    pub weight: Vec<f64>,
    /// ln(wavelength) of the first point, and what makes it observed.
    first: f64,
    shift: f64,
}

impl Gridded {
    /// The pixels between two wavelengths (A) of an exposure whose wavelengths are too large by `moved_km_s`.
    pub fn new(
        spectrum: &Normalized,
        range_aa: (f64, f64),
        moved_km_s: f64,
        helio_rv_km_s: f64,
    ) -> Self {
        let (first, last) = (range_aa.0.ln(), range_aa.1.ln());
        let step = STEP_KM_S / C_KM_S;
        let n = ((last - first) / step) as usize;
        let (mut flux, mut weight) = (vec![0.0; n], vec![0.0; n]);
        let wave = &spectrum.ln_wave;
        let mut right = 0;
        for i in 0..n {
            let at = first + i as f64 * step;
            let at = at + moved_km_s / C_KM_S;
            while right < wave.len() && wave[right] < at {
                right += 1;
            }
            if right == 0 || right == wave.len() {
                continue;
            }
            let left = right - 1;
            let (a, b) = (spectrum.ivar[left], spectrum.ivar[right]);
            if a > 0.0 && b > 0.0 {
                let f = (at - wave[left]) / (wave[right] - wave[left]);
                flux[i] = spectrum.flux[left] + f * (spectrum.flux[right] - spectrum.flux[left]);
                weight[i] = 1.0 / ((1.0 - f) / a + f / b + FLOOR * FLOOR);
            }
        }
        Gridded {
            flux,
            weight,
            first,
            shift: to_observed(helio_rv_km_s),
        }
    }

    /// ln(observed wavelength) of a grid point.
    pub fn observed(&self, i: usize) -> f64 {
        self.first + i as f64 * (STEP_KM_S / C_KM_S) + self.shift
    }

    /// Absorption of water at unit strength, as a part of the continuum where the star's light is `starlight` of it.
    pub fn water(&self, water: &Absorption, starlight: &[f64]) -> Vec<f64> {
        let at = |(i, starlight): (usize, &f64)| starlight * water.at(self.observed(i));
        starlight.iter().enumerate().map(at).collect()
    }
}

/// Weighted mean of a star's exposures; 1 where there is none.
pub fn weighted_mean(exposures: &[Gridded]) -> Vec<f64> {
    let n = exposures.first().map_or(0, |e| e.flux.len());
    let mean = |i: usize| {
        let weight: f64 = exposures.iter().map(|e| e.weight[i]).sum();
        let sum: f64 = exposures.iter().map(|e| e.weight[i] * e.flux[i]).sum();
        if weight > 0.0 { sum / weight } else { 1.0 }
    };
    (0..n).map(mean).collect()
}

/// Values less their mean over the points with a weight among the neighbours. Each such point counts the same, so that the same is done to
/// flux and water.
pub fn take_off_running_mean(values: &mut [f64], weight: &[f64]) {
    let n = values.len();
    let mut sums = Vec::with_capacity(n + 1);
    let (mut sum, mut count) = (0.0, 0usize);
    sums.push((sum, count));
    for (value, weight) in values.iter().zip(weight) {
        if *weight > 0.0 {
            sum += value;
            count += 1;
        }
        sums.push((sum, count));
    }
    for (i, value) in values.iter_mut().enumerate() {
        let (low, high) = (
            sums[i.saturating_sub(HALF_WINDOW)],
            sums[(i + HALF_WINDOW + 1).min(n)],
        );
        let count = high.1 - low.1;
        *value -= if count > 0 {
            (high.0 - low.0) / count as f64
        } else {
            *value
        };
    }
}
