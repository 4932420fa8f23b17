//! What a simulated file is about.

use super::config::Layout;
use super::plate::{Exposure, Plate, Star};
use super::spectrum::Simulated;

/// What the file is about.
pub struct FileContent<'a> {
    /// Plate.
    pub plate: &'a Plate,
    /// Star.
    pub star: &'a Star,
    /// Index of the night.
    pub night: usize,
    /// Unique number of the observation.
    pub obsid: i64,
    /// Table layout.
    pub layout: Layout,
    /// Whether coadded spectra are written.
    pub coadds: bool,
    /// Correction of the first exposure to the Sun, km/s.
    pub heliocentric_km_s: f64,
    /// Exposures with their spectra, arms in the order of [`Arm::ALL`], in order of time; at least one.
    pub exposures: Vec<(Exposure, [Simulated; 2])>,
}

impl FileContent<'_> {
    /// Name of the file without the ending `.gz`.
    pub fn name(&self) -> String {
        format!(
            "med-{}-{}_sp{:02}-{:03}.fits",
            self.plate.nights[self.night].lmjd,
            self.plate.planid,
            self.plate.spectrographs[self.star.spectrograph].spid,
            self.star.fiberid
        )
    }
}
