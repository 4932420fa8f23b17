//! Moonlight in the exposures of a unit, and limits that all who look for it share.

/// Stars that must tell of an exposure for its moonlight to be known.
pub const FEWEST_STARS: usize = 4;

/// A star with fewer exposures than this is not looked at.
pub const FEWEST_EXPOSURES: usize = 3;

/// An exposure whose share of sunlight is so many errors off has half of its weight; it may be damaged.
pub const FAR_SIGMA: f64 = 3.0;

/// Moonlight in a unit's exposures of one arm.
#[derive(Clone, Debug)]
pub struct Levels {
    /// Share of moonlight in a star of usual brightness, by exposure, and its error.
    pub level: Vec<f64>,
    pub level_err: Vec<f64>,
    /// Error that all levels share.
    pub common_err: f64,
    /// Mean square of the errors of the table of sunlight, as far as they look like nothing else.
    pub mismatch: f64,
    /// Scatter of stars' factors, and of one star's moonlight from exposure to exposure, as parts of it.
    pub of_fibre: f64,
    pub of_exposure: f64,
    /// By how much the wavelengths of each exposure are too large, km/s, about their mean.
    pub drift_km_s: Vec<f64>,
    /// Stars that tell of each exposure.
    pub n_stars: Vec<usize>,
}

impl Levels {
    /// Whether enough stars tell of an exposure.
    pub fn is_known(&self, exposure: usize) -> bool {
        self.n_stars[exposure] >= FEWEST_STARS
    }
}
