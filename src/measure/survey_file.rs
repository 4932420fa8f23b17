//! The spectra of one of the survey's files, as arrays: for whoever wants to look at them, or to measure them with others.

use std::path::{Path, PathBuf};

use ndarray::Array1;

use super::spectra::Spectrum;
use crate::lamost::inflate::Inflater;
use crate::lamost::mrs;
use crate::lamost::raw::{RawSpectrum, StoredWave};
use crate::lamost::times::Clock;
use crate::likelihood::RvFlags;
use crate::{Arm, Error, Result};

/// One of the survey's files: a star in one night.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SurveyFile {
    /// Where it is.
    pub path: PathBuf,
    /// Number of the star's observation, 0 where it is missing.
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
    /// Single exposures of both arms, in the file's order.
    pub spectra: Vec<SurveySpectrum>,
    /// Parts of the file that cannot be used, each with its reason in words.
    pub rejected: Vec<String>,
}

/// One exposure in one arm. All arrays have a value for each pixel, in ascending wavelength.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SurveySpectrum {
    /// Its arm.
    pub arm: Arm,
    /// Name of the HDU, such as `R-84420148`.
    pub hdu: String,
    /// Local (UTC+8) Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Heliocentric Julian date (UTC) of mid-exposure.
    pub hjd: f64,
    /// Barycentric Julian date (TDB) of mid-exposure.
    pub bjd_tdb: f64,
    /// Signal-to-noise ratio per pixel from the header; NaN where it has none.
    pub snr: f64,
    /// Velocity that was taken off the wavelengths, km/s; NaN where it is not known.
    pub helio_rv_km_s: f64,
    /// Wavelengths in vacuum and in the Sun's frame, A.
    pub wave_aa: Array1<f64>,
    /// Their decimal logarithms as they are stored, where the file has these.
    pub log10_wave_aa: Option<Array1<f32>>,
    /// Flux, in an arbitrary unit.
    pub flux: Array1<f64>,
    /// Its inverse variance.
    pub ivar: Array1<f64>,
    /// True for pixels that the file says are not to be used.
    pub mask: Array1<bool>,
    /// What the header says that a velocity of it has to be flagged with.
    pub flags: RvFlags,
}

impl SurveyFile {
    /// Reads one of the survey's files (`med-*.fits` or `med-*.fits.gz`, either layout).
    ///
    /// ```
    /// # fn main() -> relrv::Result<()> {
    /// # let folder = std::path::Path::new("data-samples/plate-small");
    /// # let path = folder.join("med-58630-TD044947N371059K01_sp01-012.fits.gz");
    /// let file = relrv::SurveyFile::read(&path)?;
    /// assert_eq!(file.spectra.len(), 4);
    /// assert!(file.spectra[0].spectrum()?.len() > 3000);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`] where it cannot be read or is no such file; the text says what was expected and what was found.
    pub fn read(path: &Path) -> Result<Self> {
        let file = mrs::read_file(path, &mut Inflater::default()).map_err(|rejection| {
            let message = format!("{}: {}", rejection.reason.name(), rejection.detail);
            Error::format(path, message)
        })?;
        let header = file.header;
        let mut clock = Clock::default();
        let mut spectrum = |raw: RawSpectrum| {
            let dates = clock.dates(raw.lmjm, raw.mid_s, header.ra_deg, header.dec_deg);
            SurveySpectrum::of(raw, dates.hjd, dates.bjd_tdb)
        };
        Ok(SurveyFile {
            path: path.to_owned(),
            obsid: header.obsid,
            spectra: file.spectra.into_iter().map(&mut spectrum).collect(),
            rejected: file.rejected.iter().map(ToString::to_string).collect(),
            planid: header.planid,
            spid: header.spid,
            fiberid: header.fiberid,
            ra_deg: header.ra_deg,
            dec_deg: header.dec_deg,
        })
    }
}

impl SurveySpectrum {
    fn of(raw: RawSpectrum, hjd: f64, bjd_tdb: f64) -> Self {
        let mut flags = RvFlags::empty();
        flags.set(RvFlags::TIME_UNCERTAIN, raw.time_uncertain);
        flags.set(RvFlags::FRAME_MOVED, raw.frame_moved);
        flags.set(RvFlags::FRAME_DOUBTFUL, raw.frame_doubtful);
        let (wave_aa, log10_wave_aa) = match raw.pixels.wave {
            StoredWave::Linear(wave) => (Array1::from(wave), None),
            StoredWave::Log10(log10) => {
                let wave = log10.iter().map(|l| 10_f64.powf(f64::from(*l)));
                (wave.collect(), Some(Array1::from(log10)))
            }
        };
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
        SurveySpectrum {
            arm: raw.arm,
            hdu: raw.hdu,
            lmjm: raw.lmjm,
            hjd,
            bjd_tdb,
            snr: raw.snr,
            helio_rv_km_s: raw.helio_rv_km_s.unwrap_or(f64::NAN),
            wave_aa,
            log10_wave_aa,
            flux: wide(raw.pixels.flux),
            ivar: wide(raw.pixels.ivar),
            mask: Array1::from(raw.pixels.masked),
            flags,
        }
    }

    /// The exposure as it is measured, with all that is known of it.
    ///
    /// # Errors
    /// As [`Spectrum::new`].
    pub fn spectrum(&self) -> Result<Spectrum<'_>> {
        let spectrum = match &self.log10_wave_aa {
            Some(log10) => Spectrum::from_log10(log10, &self.flux, &self.ivar),
            None => Spectrum::new(&self.wave_aa, &self.flux, &self.ivar),
        };
        let spectrum = spectrum?.with_mask(&self.mask)?.with_snr(self.snr);
        Ok(spectrum.with_helio_rv_km_s(self.helio_rv_km_s))
    }
}
