//! One row per measured spectrum.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Arm;
use crate::likelihood::Measurement;

/// A measured spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct RvRow {
    /// Number of the star in this table, from 1.
    pub star: i64,
    /// Name of the star from its position in its first file.
    pub designation: Arc<str>,
    /// Right ascension of the star, degrees (J2000).
    pub ra_deg: f64,
    /// Declination of the star, degrees (J2000).
    pub dec_deg: f64,
    /// Number of the star's observation.
    pub obsid: i64,
    /// Plate.
    pub planid: Arc<str>,
    /// Spectrograph.
    pub spid: i32,
    /// Fibre.
    pub fiberid: i32,
    /// Arm.
    pub arm: Arm,
    /// Local Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Heliocentric Julian date (UTC) of mid-exposure.
    pub hjd: f64,
    /// Barycentric Julian date (TDB) of mid-exposure.
    pub bjd_tdb: f64,
    /// Signal-to-noise ratio per pixel.
    pub snr: f64,
    /// What was measured.
    pub measurement: Measurement,
    /// This exposure is the star's reference in this arm.
    pub is_reference: bool,
    /// Exposures that the star's reference is made of: 1 where it is the best one.
    pub n_reference: i32,
    /// Factor on the quoted noise, as the residuals show it; 1 where the quoted noise is used as it is.
    pub noise_scale: f64,
    /// Where the star's lines lie in the arm's window, weighted by what tells of a velocity: -1 at its blue end, 1 at its red end. NaN where the
    /// star has no coadd.
    pub line_place: f64,
    /// Width of the star's lines as observed: standard deviation of a Gaussian line whose slope changes as fast, km/s. NaN where the star
    /// has no coadd.
    pub line_width_km_s: f64,
    /// File.
    pub path: Arc<PathBuf>,
}
