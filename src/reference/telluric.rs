//! Water vapour lines of the Earth's atmosphere, 0.5-4 % deep at the survey's resolution around H alpha, and how they are divided out.
//!
//! They stand still in the observer's frame, so in heliocentric spectra they move by the Earth's velocity from night to
//! night, and their strength changes with the weather: a reference made of one night has them at the wrong place, with the
//! wrong depth, for another. [`strength`] finds one strength for each exposure from many stars together, and [`own`] how strong each
//! of the lines is; this file has the list of lines and [`divide_out`]. A mask instead would leave holes in the reference, and because the lines
//! move, they would be elsewhere for every night. `docs/method.md`, section 13, has the method and what it gives.

mod absorption;
mod grid;
mod groups;
mod moved;
pub mod night;
pub mod own;
pub mod star;
pub mod strength;
mod widths;

#[cfg(test)]
mod own_tests;
#[cfg(test)]
mod tests;

pub use absorption::Absorption;

use crate::C_KM_S;
use crate::spectrum::Normalized;

/// The lines: `wave_aa` (vacuum) and `ew_ma` are the first two columns; its head tells where they come from.
const LINES: &str = include_str!("telluric/lines.csv");

/// Full width at half maximum of the survey's line-spread function, km/s (R = 7500). The lines' own width is a twentieth of it.
pub const LSF_FWHM_KM_S: f64 = 40.0;

/// Water on the line of sight at unit strength, mm.
#[cfg(feature = "report")]
pub const UNIT_MM: f64 = 10.0;

/// Vacuum wavelengths in A and equivalent widths in mA of the list.
fn lines() -> impl Iterator<Item = (f64, f64)> {
    LINES.lines().filter_map(|line| {
        let mut fields = line.split(',');
        let wave_aa = fields.next()?.parse().ok()?;
        let ew_ma = fields.next()?.parse().ok()?;
        Some((wave_aa, ew_ma))
    })
}

/// ln(observed / heliocentric wavelength) of a spectrum whose file says that `helio_rv_km_s` was taken off.
///
/// The survey's wavelengths are lambda_observed (1 - HELIO_RV / c).
pub fn to_observed(helio_rv_km_s: f64) -> f64 {
    -(-helio_rv_km_s / C_KM_S).ln_1p()
}

/// What water of this strength leaves of the light at each pixel of an exposure.
pub fn left_by(water: &Absorption, strength: f64, ln_wave: &[f64], helio_rv_km_s: f64) -> Vec<f64> {
    let shift = to_observed(helio_rv_km_s);
    let left = |ln_wave: &f64| water.transmission(strength, ln_wave + shift);
    ln_wave.iter().map(left).collect()
}

/// Divides an exposure by what was left of its light.
pub fn divide_out(spectrum: &mut Normalized, left: &[f64]) {
    let pixels = spectrum.flux.iter_mut().zip(&mut spectrum.ivar);
    for ((flux, ivar), left) in pixels.zip(left) {
        *flux /= left;
        *ivar *= left * left;
    }
}
