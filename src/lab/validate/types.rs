//! The spectral types of the paper's figure 8, as simulated stars.

use crate::lab::simulate::StellarParams;
use crate::lab::simulate::params::typical_vsini_km_s;

/// A spectral type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectralType {
    /// Its letter.
    pub name: &'static str,
    /// Effective temperature, K.
    pub teff_k: f64,
    /// log10 of the surface gravity, cm/s^2.
    pub logg: f64,
}

/// Dwarfs in the middle of each type. The paper took one bright observed star of each and does not say which.
pub const TYPES: [SpectralType; 7] = [
    of("O", 36_000.0, 4.0),
    of("B", 18_000.0, 4.0),
    of("A", 9000.0, 4.2),
    of("F", 6700.0, 4.3),
    of("G", 5800.0, 4.4),
    of("K", 4700.0, 4.6),
    of("M", 3700.0, 4.7),
];

const fn of(name: &'static str, teff_k: f64, logg: f64) -> SpectralType {
    SpectralType { name, teff_k, logg }
}

impl SpectralType {
    /// The star: solar metallicity, and the rotation usual at its temperature.
    pub fn star(&self) -> StellarParams {
        StellarParams {
            teff_k: self.teff_k,
            logg: self.logg,
            feh: 0.0,
            vsini_km_s: typical_vsini_km_s(self.teff_k),
        }
    }
}
