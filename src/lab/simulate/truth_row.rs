//! The truth beside the spectra.

/// One row of `truth.csv`: one spectrum. Velocities in km/s, positive away from us; empty where there is none. Where the
/// sky is not [`Sky::KIND`](super::Sky::KIND), the columns of [`SkyRow`](super::SkyRow) follow.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TruthRow {
    /// Name of the file.
    pub file: String,
    /// `blue` or `red`.
    pub arm: String,
    /// Local Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Spectrograph.
    pub spid: i32,
    /// Fibre.
    pub fiberid: i32,
    /// Designation of the star, the same in all its files.
    pub star: String,
    /// `constant`, `pulsator`, `sb1` or `sb2`.
    pub kind: String,
    /// Effective temperature at this exposure, K (the primary's).
    pub teff: f64,
    /// Signal-to-noise ratio per pixel asked for (median over 5000-5300 A or 6400-6700 A).
    pub snr: f64,
    /// Velocity at the middle of the exposure, km/s (the primary's).
    pub rv_true: f64,
    /// Error of the wavelength calibration, km/s: what is measured is `rv_true + zp_true`.
    pub zp_true: f64,
    /// Metallicity \[Fe/H\], dex.
    pub feh: f64,
    /// log10 of the surface gravity, cm/s^2.
    pub logg: f64,
    /// Projected rotational velocity, km/s.
    pub vsini: f64,
    /// Velocity of the secondary of a double-lined binary, km/s.
    pub rv2_true: Option<f64>,
    /// Light of the secondary over that of the primary.
    pub flux_ratio: Option<f64>,
}
