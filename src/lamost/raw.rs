//! What a file holds, before any astronomy is done with it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::files::regular;
use crate::spectrum::{Exposure, Pixels};
use crate::text::plain;
use crate::{Arm, Error};

/// Wavelengths: `LOGLAM` until DR9 v0, `WAVELENGTH` since DR9 v1.
pub use crate::spectrum::StoredWave;

/// One exposure of one star in one arm.
#[derive(Clone, Debug, PartialEq)]
pub struct RawSpectrum {
    /// Which arm.
    pub arm: Arm,
    /// Name of the HDU, such as `R-84420148`.
    pub hdu: String,
    /// Local (UTC+8) Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Middle of the exposure, seconds after the beginning of minute `lmjm`; NaN where the header tells no exposure time.
    pub mid_s: f64,
    /// The header tells no exposure time, or one that its dates contradict.
    pub time_uncertain: bool,
    /// Velocity that was taken off the wavelengths, km/s: lambda here = lambda observed (1 - this / c). `None` where the header does
    /// not say that it was, or what it says cannot be.
    pub helio_rv_km_s: Option<f64>,
    /// The wavelengths were moved into vacuum or into the Sun's frame, as the header says that they were in neither.
    pub frame_moved: bool,
    /// The header's heliocentric velocity cannot be: the wavelengths may be in another frame than those of other files.
    pub frame_doubtful: bool,
    /// Signal-to-noise ratio per pixel from the header; NaN where it has none.
    pub snr: f64,
    /// Its pixels, in ascending wavelength whatever the file's order; wavelengths are in the Sun's frame. They are masked where
    /// PIXMASK is set (nowhere if the file has no such column).
    pub pixels: Pixels,
}

impl<'a> From<&'a RawSpectrum> for Exposure<'a> {
    fn from(raw: &'a RawSpectrum) -> Self {
        Exposure {
            band: raw.arm.band(),
            pixels: &raw.pixels,
            snr: raw.snr,
            helio_rv_km_s: raw.helio_rv_km_s,
        }
    }
}

/// What the primary header says: one star, one night, one fibre.
#[derive(Clone, Debug, PartialEq)]
pub struct FileHeader {
    /// File it was read from.
    pub path: Arc<PathBuf>,
    /// Unique number of this star's observation, 0 where missing.
    pub obsid: i64,
    /// Name of the plate.
    pub planid: String,
    /// Spectrograph, 1-16.
    pub spid: i32,
    /// Fibre in the spectrograph, 1-250.
    pub fiberid: i32,
    /// Right ascension, degrees (J2000).
    pub ra_deg: f64,
    /// Declination, degrees (J2000).
    pub dec_deg: f64,
    /// What catalogues call the star.
    pub names: StarNames,
    /// Local Modified Julian Day, 0 where unknown.
    pub lmjd: i64,
    /// Exposures of each arm that should be in the file (`NEXP_B`, `NEXP_R`), in the order of [`Arm::ALL`].
    pub n_exposures: [Option<usize>; 2],
    /// What the wavelengths are.
    pub frame: Frame,
}

/// Names of a star in its file's header, each empty where there is none. They are copied to the products and never interpreted.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StarNames {
    /// LAMOST's designation (`DESIG`).
    pub desig: String,
    /// Name in the catalogue that the target is from (`OBJNAME`).
    pub objname: String,
    /// LAMOST's identifier of the star (`UQID`, since DR11).
    pub uqid: String,
    /// Number in Gaia's catalogue (`GAIA_SOURCE_ID`).
    pub gaia_source_id: String,
}

/// In which frame a file says its wavelengths are; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Moved to the Sun's frame (`HELIO`).
    pub is_heliocentric: Option<bool>,
    /// By this velocity, km/s (`HELIO_RV`).
    pub helio_rv_km_s: Option<f64>,
    /// In vacuum (`VACUUM`), not in air.
    pub is_vacuum: Option<bool>,
}

impl Frame {
    /// Whether the wavelengths in the observer's frame can be computed from those in the file.
    pub fn is_known(&self) -> bool {
        let by = match self.is_heliocentric {
            Some(true) => self.helio_rv_km_s.is_some(),
            // Not moved yet: relrv moves them, by a velocity that it computes.
            Some(false) => true,
            None => false,
        };
        by && self.is_vacuum.is_some()
    }

    /// Whether relrv has to move the wavelengths.
    pub fn is_moved(&self) -> bool {
        self.is_heliocentric == Some(false) || self.is_vacuum == Some(false)
    }
}

/// Content of one file: what can be used, and what cannot with the reason.
#[derive(Clone, Debug)]
pub struct MrsFile {
    /// Primary header.
    pub header: FileHeader,
    /// Single exposures of both arms, in the file's order. Coadds are not kept.
    pub spectra: Vec<RawSpectrum>,
    /// HDUs that could not be used.
    pub rejected: Vec<Rejection>,
}

/// An input that is not used, and why. Every input ends as a row of the result or as one of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// File.
    pub path: PathBuf,
    /// HDU, empty when the whole file is meant.
    pub hdu: String,
    /// Kind of reason, for counting.
    pub reason: RejectReason,
    /// What was expected and what was found.
    pub detail: String,
}

/// Why an input is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RejectReason {
    /// The operating system could not read it.
    Unreadable,
    /// The gzip stream is truncated or corrupt.
    BadGzip,
    /// Not a FITS file, or its structure is broken.
    NotFits,
    /// A key or column that is needed is missing or has the wrong type.
    MissingKey,
    /// A column is missing, of the wrong type or of the wrong length.
    BadColumn,
    /// The wavelengths are not finite, not monotonic or not those of the arm.
    BadWavelength,
    /// No pixel of the window is usable.
    NoGoodPixels,
    /// The same exposure came twice; the first one is used.
    Duplicate,
    /// Below the SNR cut.
    LowSnr,
    /// An arm that was not asked for.
    ArmNotAsked,
    /// The file has no exposure of a single arm at all.
    NoExposures,
    /// The header counts more exposures than there are.
    MissingExposure,
    /// The system had no descriptor left to open it with. Nothing is wrong with the input, so this ends the work and is on no list.
    OutOfDescriptors,
}

impl RejectReason {
    /// Every reason that a list of rejected inputs can have, in their order.
    pub const ALL: [RejectReason; 12] = [
        RejectReason::Unreadable,
        RejectReason::BadGzip,
        RejectReason::NotFits,
        RejectReason::MissingKey,
        RejectReason::BadColumn,
        RejectReason::BadWavelength,
        RejectReason::NoGoodPixels,
        RejectReason::Duplicate,
        RejectReason::LowSnr,
        RejectReason::ArmNotAsked,
        RejectReason::NoExposures,
        RejectReason::MissingExposure,
    ];

    /// The reason of this name; that a file could not be read where there is none.
    pub fn of_name(name: &str) -> Self {
        let known = RejectReason::ALL.into_iter().find(|r| r.name() == name);
        known.unwrap_or(RejectReason::Unreadable)
    }

    /// Something is wrong with the input, rather than it not being asked for.
    pub fn is_defect(self) -> bool {
        !matches!(self, RejectReason::LowSnr | RejectReason::ArmNotAsked)
    }

    /// Word for tables and summaries.
    pub fn name(self) -> &'static str {
        match self {
            RejectReason::Unreadable => "unreadable",
            RejectReason::BadGzip => "bad_gzip",
            RejectReason::NotFits => "not_fits",
            RejectReason::MissingKey => "missing_key",
            RejectReason::BadColumn => "bad_column",
            RejectReason::BadWavelength => "bad_wavelength",
            RejectReason::NoGoodPixels => "no_good_pixels",
            RejectReason::Duplicate => "duplicate",
            RejectReason::LowSnr => "low_snr",
            RejectReason::ArmNotAsked => "arm_not_asked",
            RejectReason::NoExposures => "no_exposures",
            RejectReason::MissingExposure => "missing_exposure",
            RejectReason::OutOfDescriptors => "out_of_descriptors",
        }
    }
}

impl Rejection {
    /// A whole file.
    pub fn file(path: &std::path::Path, reason: RejectReason, detail: impl Into<String>) -> Self {
        Self::hdu(path, "", reason, detail)
    }

    /// A file that the system did not open or read.
    pub fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Self {
        if regular::is_out_of_descriptors(error) {
            let detail = format!("{error}: raise the limit (ulimit -n), or take fewer --threads");
            return Self::file(path, RejectReason::OutOfDescriptors, detail);
        }
        Self::file(path, RejectReason::Unreadable, error.to_string())
    }

    /// The error that ends the work, where the input is not to blame.
    pub fn fault(&self) -> Option<Error> {
        (self.reason == RejectReason::OutOfDescriptors)
            .then(|| Error::io(&self.path, std::io::Error::other(self.detail.clone())))
    }

    /// One HDU of a file.
    pub fn hdu(
        path: &std::path::Path,
        hdu: &str,
        reason: RejectReason,
        detail: impl Into<String>,
    ) -> Self {
        Rejection {
            path: path.to_owned(),
            hdu: hdu.to_owned(),
            reason,
            detail: detail.into(),
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", plain::path(&self.path))?;
        if !self.hdu.is_empty() {
            write!(f, " [{}]", plain::line(&self.hdu))?;
        }
        let detail = plain::line(&self.detail);
        write!(f, ": {}: {detail}", self.reason.name())
    }
}

#[cfg(test)]
mod tests {
    use super::RejectReason;

    #[test]
    fn every_reason_is_listed_once() {
        for (i, reason) in RejectReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, i, "{}", reason.name());
        }
        // A reason that is added at the end must be added to the list too: this match stops compiling.
        let last = |reason| match reason {
            RejectReason::Unreadable
            | RejectReason::BadGzip
            | RejectReason::NotFits
            | RejectReason::MissingKey
            | RejectReason::BadColumn
            | RejectReason::BadWavelength
            | RejectReason::NoGoodPixels
            | RejectReason::Duplicate
            | RejectReason::LowSnr
            | RejectReason::ArmNotAsked
            | RejectReason::NoExposures
            | RejectReason::OutOfDescriptors => false,
            RejectReason::MissingExposure => true,
        };
        assert!(RejectReason::ALL.last().is_some_and(|r| last(*r)));
    }
}
