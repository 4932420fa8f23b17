//! What part of the light the water lines absorb: a table over the wavelength, as listed or as a unit's stars show it.

use crate::C_KM_S;

/// Step of the table, km/s: with it the interpolation is right to 0.2 % of a line's depth.
pub const STEP_KM_S: f64 = 2.0;

/// Transmissions below this are raised to it: these water lines are a few per cent deep, and division by less would only raise the
/// noise.
pub const MIN_TRANSMISSION: f64 = 0.5;

/// Absorption at unit strength, 10 mm of water on the line of sight, at the survey's resolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Absorption {
    first_ln_wave: f64,
    depth: Vec<f64>,
}

impl Absorption {
    /// A table that begins at `first_ln_wave`, every [`STEP_KM_S`].
    pub fn new(first_ln_wave: f64, depth: Vec<f64>) -> Self {
        Absorption {
            first_ln_wave,
            depth,
        }
    }

    /// Part of the light that water absorbs at unit strength, at ln(vacuum wavelength / A) in the observer's frame.
    ///
    /// Unit strength is 10 mm of precipitable water on the line of sight. Lines of a few per cent are weak: smeared, they grow
    /// in proportion to the water, and the transmission is 1 - strength x this.
    pub fn at(&self, ln_wave_observed: f64) -> f64 {
        let place = (ln_wave_observed - self.first_ln_wave) * (C_KM_S / STEP_KM_S);
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

    /// What is left of the light after water of this strength.
    pub fn transmission(&self, strength: f64, ln_wave_observed: f64) -> f64 {
        (1.0 - strength * self.at(ln_wave_observed)).max(MIN_TRANSMISSION)
    }
}
