//! What was done to each spectrum, for `truth.csv`.

/// Columns of `truth.csv` beside those of [`TruthRow`](crate::lab::simulate::TruthRow), where the sky is not
/// [`Sky::KIND`](super::amounts::Sky::KIND).
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SkyRow {
    /// `emission`, `scattered` or `wrong_fibre`; empty where nothing is wrong.
    pub damage: String,
    /// 1 for a star with hardly a line in the windows.
    pub weak_lined: u8,
    /// Velocity of the telescope away from the star, km/s, as HELIO_RV has it.
    pub helio_rv: f64,
    /// Strength of the water lines.
    pub water: f64,
    /// Share of moonlight in the spectrum's continuum.
    pub moon: f64,
    /// Width of the line-spread function over the nominal one.
    pub lsf_width: f64,
    /// Skewness of the line-spread function.
    pub lsf_skew: f64,
    /// Error of the wavelengths at the red end of the window beside `zp_true`, km/s; at the blue end its negative.
    pub stretch: f64,
    /// Part of `zp_true` that belongs to the fibre, km/s.
    pub zp_fibre: f64,
    /// Quoted inverse variance over the true one.
    pub ivar_factor: f64,
    /// Correlation of the noise of neighbouring pixels.
    pub noise_corr: f64,
    /// Amplitude of the flat field's ripple, share of the continuum.
    pub ripple: f64,
    /// Number of hot columns.
    pub hot_columns: usize,
    /// Number of steps.
    pub steps: usize,
    /// Number of cosmic rays.
    pub cosmics: usize,
    /// Height of the strongest residual sky line, standard deviations of a pixel.
    pub sky_lines: f64,
    /// Height of the residual of the Earth's H-alpha, standard deviations of a pixel.
    pub sky_halpha: f64,
}
