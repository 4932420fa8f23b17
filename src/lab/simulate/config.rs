//! What to simulate, checked before anything is made.

use std::path::PathBuf;

use super::effects::Sky;
use crate::{Error, Result};

/// Table layout of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Until DR9 v0: a row per pixel, LOGLAM.
    #[default]
    Dr7,
    /// Since DR9 v1: one row of vectors, WAVELENGTH, and the exposure's times in its header.
    Dr9,
}

/// Sizes of the errors of the wavelength calibration, standard deviations in km/s in the red arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZeroPointScale {
    /// Between spectrographs, the same for all nights.
    pub spectrograph_km_s: f64,
    /// From night to night, each spectrograph for itself.
    pub night_km_s: f64,
    /// From exposure to exposure of one night.
    pub exposure_km_s: f64,
    /// How much larger all of them are in the blue arm, which has fewer lamp lines (paper, section 4).
    pub blue_factor: f64,
}

impl Default for ZeroPointScale {
    fn default() -> Self {
        ZeroPointScale {
            spectrograph_km_s: 0.5,
            night_km_s: 1.5,
            exposure_km_s: 0.4,
            blue_factor: 1.2,
        }
    }
}

/// Shares of the kinds of stars; the rest is constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindShares {
    /// Pulsating stars.
    pub pulsator: f64,
    /// Single-lined binaries.
    pub sb1: f64,
    /// Double-lined binaries.
    pub sb2: f64,
}

impl Default for KindShares {
    fn default() -> Self {
        KindShares {
            pulsator: 0.05,
            sb1: 0.12,
            sb2: 0.08,
        }
    }
}

/// A plate to simulate.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Directory for the files; made if missing, must be empty.
    pub out: PathBuf,
    /// Everything follows from it: the same seed gives the same bytes.
    pub seed: u64,
    /// Stars in each spectrograph, 1-250.
    pub stars: usize,
    /// Nights, 1-365.
    pub nights: usize,
    /// Exposures in each night, 1-25.
    pub exposures: usize,
    /// Spectrographs, 1-16.
    pub spectrographs: usize,
    /// Range of the signal-to-noise ratio per pixel; no spectrum is asked to leave it, but damaged ones may by 15 %.
    pub snr: (f64, f64),
    /// Table layout.
    pub layout: Layout,
    /// Share of the observations (star and exposure) that are missing, 0 to below 1.
    pub missing: f64,
    /// Mean number of cosmic rays in a spectrum.
    pub cosmics_per_spectrum: f64,
    /// Write the coadded spectra too, as the survey does.
    pub coadds: bool,
    /// Errors of the wavelength calibration.
    pub zero_points: ZeroPointScale,
    /// Shares of the kinds of stars.
    pub kinds: KindShares,
    /// Range of effective temperatures, K; all types if none. Pulsating stars have their own, 6000-7200 K, and so
    /// have weak-lined stars and companions.
    pub teff_k: Option<(f64, f64)>,
    /// Amounts of the effects of sky, optics and detector.
    pub sky: Sky,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            out: PathBuf::from("simulated"),
            seed: 1,
            stars: 20,
            nights: 4,
            exposures: 3,
            spectrographs: 1,
            snr: (20.0, 100.0),
            layout: Layout::Dr7,
            missing: 0.0,
            cosmics_per_spectrum: 4.0,
            coadds: true,
            zero_points: ZeroPointScale::default(),
            kinds: KindShares::default(),
            teff_k: None,
            sky: Sky::KIND,
        }
    }
}

impl Config {
    /// Says what is wrong, if anything: the text begins with the name of the option, if there is one.
    pub fn check(&self) -> Result<()> {
        let whole = |name: &str, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                return Ok(());
            }
            Err(Error::Config(format!(
                "{name} must be 1 to {most}, not {value}"
            )))
        };
        whole("stars (per spectrograph)", self.stars, 250)?;
        whole("nights", self.nights, 365)?;
        whole("exposures (per night)", self.exposures, 25)?;
        whole("spectrographs", self.spectrographs, 16)?;
        let (low, high) = self.snr;
        if !(low > 0.0 && high >= low && high <= 10_000.0) {
            return Err(Error::Config(format!(
                "snr (signal-to-noise ratio) must rise from above 0 to at most 10000, not {low},{high}"
            )));
        }
        let real = |name: &str, value: f64, most: f64| {
            if (0.0..=most).contains(&value) {
                return Ok(());
            }
            Err(Error::Config(format!(
                "{name} must be 0 to {most}, not {value}"
            )))
        };
        if self.missing >= 1.0 {
            return Err(Error::Config(format!(
                "missing (share of the observations) must be below 1, not {}",
                self.missing
            )));
        }
        real("missing (share of the observations)", self.missing, 1.0)?;
        real(
            "cosmics (cosmic rays per spectrum)",
            self.cosmics_per_spectrum,
            1000.0,
        )?;
        let z = &self.zero_points;
        real(
            "the zero points' spread between spectrographs (km/s)",
            z.spectrograph_km_s,
            1000.0,
        )?;
        real(
            "the zero points' spread between nights (km/s)",
            z.night_km_s,
            1000.0,
        )?;
        real(
            "the zero points' spread between exposures (km/s)",
            z.exposure_km_s,
            1000.0,
        )?;
        real("the blue zero points' factor", z.blue_factor, 1000.0)?;
        let k = &self.kinds;
        let shares = [k.pulsator, k.sb1, k.sb2, k.pulsator + k.sb1 + k.sb2];
        if !shares.iter().all(|share| (0.0..=1.0).contains(share)) {
            return Err(Error::Config(format!(
                "kinds (shares of the kinds of stars) must be 0 to 1, each of them and their sum, not {},{},{}",
                k.pulsator, k.sb1, k.sb2
            )));
        }
        if let Some((low, high)) = self.teff_k
            && !(low >= 3000.0 && high >= low && high <= 45_000.0)
        {
            return Err(Error::Config(format!(
                "teff (effective temperatures) must rise within 3000 to 45000 K, not {low},{high}"
            )));
        }
        self.sky.check()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_nonsense_is_named() {
        Config::default().check().unwrap();
        type Spoil = fn(&mut Config);
        let bad: [(&str, Spoil); 12] = [
            ("stars", |c| c.stars = 0),
            ("stars", |c| c.stars = 251),
            ("exposures", |c| c.exposures = 26),
            ("spectrographs", |c| c.spectrographs = 17),
            ("signal-to-noise", |c| c.snr = (30.0, 20.0)),
            ("signal-to-noise", |c| c.snr = (f64::NAN, 20.0)),
            ("missing", |c| c.missing = 1.0),
            ("cosmic", |c| c.cosmics_per_spectrum = -1.0),
            ("kind", |c| c.kinds.sb1 = 0.95),
            ("temperatures", |c| c.teff_k = Some((5000.0, 4000.0))),
            ("temperatures", |c| c.teff_k = Some((f64::NAN, 4000.0))),
            ("water", |c| c.sky.water = -1.0),
        ];
        for (word, spoil) in bad {
            let mut config = Config::default();
            spoil(&mut config);
            let message = config.check().unwrap_err().to_string();
            assert!(message.contains(word), "{word}: {message}");
        }
    }
}
