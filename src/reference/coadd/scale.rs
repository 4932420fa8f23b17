//! The pixels on which exposures are laid over each other.

use crate::C_KM_S;

/// The common scale of pixels.
#[derive(Clone, Debug, Default)]
pub(super) struct Scale {
    /// ln wavelength of each pixel.
    pub ln_wave: Vec<f64>,
    /// Pixels per unit of ln wavelength, from each pixel to the next.
    pub per_ln: Vec<f64>,
}

impl Scale {
    /// The pixels of an exposure, two at least.
    pub fn new(ln_wave: &[f64]) -> Self {
        let per_ln = ln_wave.windows(2).map(|w| 1.0 / (w[1] - w[0]));
        Scale {
            per_ln: per_ln.collect(),
            ln_wave: ln_wave.to_vec(),
        }
    }

    /// In the middle.
    pub fn pixels_in(&self, rv_km_s: f64) -> f64 {
        rv_km_s / C_KM_S * self.per_ln[self.per_ln.len() / 2]
    }
}
