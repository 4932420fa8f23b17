//! What enters a fibre, and how the spectrograph spreads it over the pixels.

use super::lsf::Lsf;
use super::water;
use crate::lab::simulate::spectrum::Component;
use crate::lab::simulate::template::{Template, convolve};
use crate::{Arm, C_KM_S};

/// Step of the table that light is put together in, km/s.
const STEP_KM_S: f64 = 1.0;

/// Light that enters a fibre, all spectra as sharp as [`Template::sharp`] gives them.
#[derive(Clone, Copy, Debug)]
pub struct Light<'a> {
    /// The stars.
    pub components: &'a [Component<'a>],
    /// The Sun.
    pub sun: &'a Template,
    /// Share of the continuum that is sunlight, at rest in the observer's frame.
    pub sun_share: f64,
    /// Strength of the water lines.
    pub water: f64,
}

/// How the light comes to lie on the wavelengths of a file.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Velocity of the telescope towards the star, km/s: the file's wavelengths are the observed ones times 1 + v/c.
    pub heliocentric_km_s: f64,
    /// Error of the wavelengths in the middle of the window, km/s.
    pub zp_km_s: f64,
    /// What is added to it at the red end of the window, and taken from it at the blue end, km/s.
    pub stretch_km_s: f64,
    /// Line-spread function.
    pub lsf: Lsf,
}

impl View {
    /// Error of the wavelengths at `wave_aa`, km/s.
    pub fn zp_at_km_s(&self, arm: Arm, wave_aa: f64) -> f64 {
        let (from, to) = arm.window_aa();
        self.zp_km_s + self.stretch_km_s * (2.0 * wave_aa - from - to) / (to - from)
    }

    /// ln of the wavelength in the observer's frame (A) of the light in pixels that a file says lie at `ln_wave`.
    pub fn ln_observed(&self, arm: Arm, ln_wave: &[f64]) -> Vec<f64> {
        let helio = (self.heliocentric_km_s / C_KM_S).ln_1p();
        ln_wave
            .iter()
            .map(|ln| ln - (self.zp_at_km_s(arm, ln.exp()) / C_KM_S).ln_1p() - helio)
            .collect()
    }

    /// Flux over continuum in pixels at `ln_wave` (ln A, ascending, as the file has them).
    pub fn spread(&self, arm: Arm, light: &Light<'_>, ln_wave: &[f64]) -> Vec<f64> {
        let observed = self.ln_observed(arm, ln_wave);
        let kernel = self.lsf.kernel(STEP_KM_S);
        let (Some(first), Some(last)) = (observed.first(), observed.last()) else {
            return Vec::new();
        };
        let step = STEP_KM_S / C_KM_S;
        let margin = kernel.len() + 4;
        let ln_first = first - step * margin as f64;
        let count = ((last - first) / step) as usize + 2 * margin;
        let ln_table: Vec<f64> = (0..count).map(|i| ln_first + step * i as f64).collect();
        let mut flux = self.entering(light, &ln_table);
        water::absorb(light.water, ln_first, STEP_KM_S, &mut flux);
        // `convolve` is made for symmetric kernels and runs through the kernel from its end, so a skewed one is turned round first.
        let turned: Vec<f64> = kernel.into_iter().rev().collect();
        let spread = convolve(&flux, &turned);
        observed
            .iter()
            .map(|ln| cubic(&spread, (ln - ln_first) / step))
            .collect()
    }

    /// Light above the atmosphere at wavelengths of the observer's frame.
    fn entering(&self, light: &Light<'_>, ln_observed: &[f64]) -> Vec<f64> {
        let mut flux = vec![0.0; ln_observed.len()];
        let mut one = Vec::with_capacity(flux.len());
        let mut add = |template: &Template, rv_km_s: f64, share: f64| {
            template.fill(ln_observed, rv_km_s, &mut one);
            for (sum, value) in flux.iter_mut().zip(&one) {
                *sum += share * value;
            }
        };
        // The telescope's own motion comes off the star's velocity.
        let moving = |rv_km_s: f64| {
            let factor = (1.0 + rv_km_s / C_KM_S) / (1.0 + self.heliocentric_km_s / C_KM_S);
            C_KM_S * (factor - 1.0)
        };
        for component in light.components {
            let share = (1.0 - light.sun_share) * component.light;
            add(component.template, moving(component.rv_km_s), share);
        }
        if light.sun_share > 0.0 {
            add(light.sun, 0.0, light.sun_share);
        }
        flux
    }
}

/// Value at the fractional entry `x`, by the cubic through the four nearest.
fn cubic(table: &[f64], x: f64) -> f64 {
    let i = (x.max(1.0) as usize).min(table.len().saturating_sub(3));
    let t = x - i as f64;
    let [a, b, c, d] = [table[i - 1], table[i], table[i + 1], table[i + 2]];
    let c3 = (d - a) / 6.0 + (b - c) / 2.0;
    let c2 = (a + c) / 2.0 - b;
    let c1 = c - a / 3.0 - b / 2.0 - d / 6.0;
    b + t * (c1 + t * (c2 + t * c3))
}

#[cfg(test)]
#[path = "light_tests.rs"]
mod tests;
