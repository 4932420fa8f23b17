//! What a star's spectrum depends on.

/// What a star's spectrum depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StellarParams {
    /// Effective temperature, K (3000-45,000).
    pub teff_k: f64,
    /// log10 of the surface gravity, cm/s^2.
    pub logg: f64,
    /// Metallicity \[Fe/H\], dex.
    pub feh: f64,
    /// Projected rotational velocity, km/s.
    pub vsini_km_s: f64,
}

impl StellarParams {
    /// A dwarf of solar metallicity with the rotation usual at its temperature.
    pub fn dwarf(teff_k: f64) -> Self {
        StellarParams {
            teff_k,
            logg: 4.4,
            feh: 0.0,
            vsini_km_s: typical_vsini_km_s(teff_k),
        }
    }
}

/// Rotation usual at a temperature: slow below the Kraft break near 6500 K, fast above it, km/s.
pub fn typical_vsini_km_s(teff_k: f64) -> f64 {
    4.0 + 86.0 / (1.0 + ((7600.0 - teff_k) / 450.0).exp())
}
