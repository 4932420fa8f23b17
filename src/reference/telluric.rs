//! Water vapour lines of the Earth's atmosphere, 0.5-4 % deep at the survey's resolution around H alpha, and how they are divided out.
//!
//! They stand still in the observer's frame, so in heliocentric spectra they move by the Earth's velocity from night to
//! night, and their strength changes with the weather: a reference made of one night has them at the wrong place, with the
//! wrong depth, for another. [`strength`] finds one strength for each exposure from many stars together;
//! this file has the shape of the lines and [`divide_out`]. A mask instead would leave holes in the reference, and because the lines
//! move, they would be elsewhere for every night. `docs/method.md`, section 13, has the method and what it gives.

mod grid;
mod moved;
pub mod strength;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use crate::C_KM_S;
use crate::spectrum::Normalized;

/// The lines: `wave_aa` (vacuum) and `ew_ma` are the first two columns; its head tells where they come from.
const LINES: &str = include_str!("telluric/lines.csv");

/// Full width at half maximum of the survey's line-spread function, km/s (R = 7500). The lines' own width is a twentieth of it.
pub const LSF_FWHM_KM_S: f64 = 40.0;

/// Step of the table, km/s: with it the interpolation is right to 0.2 % of a line's depth.
const STEP_KM_S: f64 = 2.0;

/// The table goes this far beyond the first line and the last.
const MARGIN_KM_S: f64 = 120.0;

/// A Gaussian is 0 beyond so many of its sigma.
const REACH_SIGMA: f64 = 5.0;

/// Transmissions below this are raised to it: these water lines are a few per cent deep, and division by less would only raise the
/// noise.
const MIN_TRANSMISSION: f64 = 0.5;

/// Water on the line of sight at unit strength, mm.
#[cfg(feature = "report")]
pub const UNIT_MM: f64 = 10.0;

/// Absorption at unit strength, 10 mm of water on the line of sight, at the survey's resolution.
#[derive(Debug)]
struct Template {
    first_ln_wave: f64,
    depth: Vec<f64>,
}

impl Template {
    fn new() -> Self {
        let lines: Vec<(f64, f64)> = lines().collect();
        let ends = lines
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), line| {
                (low.min(line.0), high.max(line.0))
            });
        let margin = MARGIN_KM_S / C_KM_S;
        let step = STEP_KM_S / C_KM_S;
        let first = ends.0.ln() - margin;
        let n = ((ends.1.ln() + margin - first) / step).ceil().max(0.0) as usize;
        let sigma = LSF_FWHM_KM_S / C_KM_S / (8.0 * 2.0_f64.ln()).sqrt();
        let mut depth = vec![0.0; n];
        for (wave_aa, ew_ma) in lines {
            let peak = 1e-3 * ew_ma / (wave_aa * sigma * std::f64::consts::TAU.sqrt());
            let centre = wave_aa.ln() - first;
            let from = ((centre - REACH_SIGMA * sigma) / step).max(0.0) as usize;
            let to = (((centre + REACH_SIGMA * sigma) / step) as usize + 1).min(n);
            for (i, depth) in depth.iter_mut().enumerate().take(to).skip(from) {
                let x = (i as f64 * step - centre) / sigma;
                *depth += peak * (-0.5 * x * x).exp();
            }
        }
        Template {
            first_ln_wave: first,
            depth,
        }
    }

    fn at(&self, ln_wave: f64) -> f64 {
        let place = (ln_wave - self.first_ln_wave) * (C_KM_S / STEP_KM_S);
        // Also where it is not a number.
        if !(place >= 0.0 && place < self.depth.len() as f64) {
            return 0.0;
        }
        let i = place as usize;
        match self.depth.get(i..i + 2) {
            Some(pair) => pair[0] + (place - i as f64) * (pair[1] - pair[0]),
            None => 0.0,
        }
    }
}

/// Vacuum wavelengths in A and equivalent widths in mA of the list.
fn lines() -> impl Iterator<Item = (f64, f64)> {
    LINES.lines().filter_map(|line| {
        let mut fields = line.split(',');
        let wave_aa = fields.next()?.parse().ok()?;
        let ew_ma = fields.next()?.parse().ok()?;
        Some((wave_aa, ew_ma))
    })
}

/// Part of the light that water absorbs at unit strength, at ln(vacuum wavelength / A) in the observer's frame.
///
/// Unit strength is 10 mm of precipitable water on the line of sight. Lines of a few per cent are weak: smeared, they grow
/// in proportion to the water, and the transmission is 1 - strength x this.
pub fn absorption(ln_wave_observed: f64) -> f64 {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(Template::new).at(ln_wave_observed)
}

/// What is left of the light after water of this strength.
pub fn transmission(strength: f64, ln_wave_observed: f64) -> f64 {
    (1.0 - strength * absorption(ln_wave_observed)).max(MIN_TRANSMISSION)
}

/// ln(observed / heliocentric wavelength) of a spectrum whose file says that `helio_rv_km_s` was taken off.
///
/// The survey's wavelengths are lambda_observed (1 - HELIO_RV / c).
pub fn to_observed(helio_rv_km_s: f64) -> f64 {
    -(-helio_rv_km_s / C_KM_S).ln_1p()
}

/// Divides water lines of this strength out of an exposure.
pub fn divide_out(spectrum: &mut Normalized, helio_rv_km_s: f64, strength: f64) {
    if strength.is_nan() || strength <= 0.0 {
        return;
    }
    let shift = to_observed(helio_rv_km_s);
    let pixels = spectrum.flux.iter_mut().zip(&mut spectrum.ivar);
    for ((flux, ivar), ln_wave) in pixels.zip(&spectrum.ln_wave) {
        let left = transmission(strength, ln_wave + shift);
        *flux /= left;
        *ivar *= left * left;
    }
}
