//! How much of each effect of sky, optics and detector a plate has.

use crate::{Error, Result};

/// What comes between the stars and the files beside noise and zero points. Zero turns an effect off. A sky is called kind if it has
/// none of these effects ([`Sky::KIND`], the default of `relrv simulate`), and hard if it has all of them ([`Sky::HARD`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// Cosmic rays in the widths of real frames (flat ones, slanted trails) in place of 1 to 3 pixels.
    pub real_cosmics: bool,
    /// Strength of the water lines in a median night; 1 = as at a real site. Each night has its own.
    pub water: f64,
    /// Moonlight in a median night, share of the continuum of a star of the plate's middle brightness; from night to night 0.4 to 1.6 of
    /// it. A star that is fainter has more, and fibres scatter.
    pub moon: f64,
    /// Scatter of the width of the line-spread function, share of it (0.05 = 5 %), by exposure and spectrograph.
    pub lsf_width: f64,
    /// Scatter of the skewness of the line-spread function, by exposure and spectrograph.
    pub lsf_skew: f64,
    /// Largest stretch of the wavelengths, km/s from the middle to the end of the window, by exposure and spectrograph.
    pub stretch_km_s: f64,
    /// Largest slope of the zero points over the 250 fibres, km/s from the middle to the edge, another each exposure.
    pub fibre_zp_km_s: f64,
    /// Amplitude of the flat field's ripple, share of the continuum, fixed to the pixels of a fibre.
    pub ripple: f64,
    /// Relative error of the inverse variance, one factor per spectrum (standard deviation of its logarithm).
    pub ivar_error: f64,
    /// Mean number of steps in a spectrum: from a pixel on the flux is 1 to 2 % higher or lower.
    pub steps: f64,
    /// Mean number of hot columns of a fibre, arm and night: 1 or 2 pixels raised by 5 to 30 % in all its exposures.
    pub hot_columns: f64,
    /// Scatter of what is left of the strongest sky line, in standard deviations of a pixel.
    pub sky_lines_sigma: f64,
    /// Correlation of the noise of neighbouring pixels, 0 to 0.5.
    pub noise_correlation: f64,
    /// Share of the stars whose best exposure is damaged.
    pub damaged: f64,
    /// Share of the stars that have hardly a line in the windows.
    pub weak_lined: f64,
}

impl Sky {
    /// The kind sky: no effect but an inverse variance that is off by 10 %.
    pub const KIND: Sky = Sky {
        real_cosmics: false,
        water: 0.0,
        moon: 0.0,
        lsf_width: 0.0,
        lsf_skew: 0.0,
        stretch_km_s: 0.0,
        fibre_zp_km_s: 0.0,
        ripple: 0.0,
        ivar_error: 0.1,
        steps: 0.0,
        hot_columns: 0.0,
        sky_lines_sigma: 0.0,
        noise_correlation: 0.0,
        damaged: 0.0,
        weak_lined: 0.0,
    };

    /// The hard sky: every effect that real spectra have been seen to have, in about the same amounts.
    pub const HARD: Sky = Sky {
        real_cosmics: true,
        water: 1.0,
        moon: 0.05,
        lsf_width: 0.05,
        lsf_skew: 0.1,
        stretch_km_s: 0.4,
        fibre_zp_km_s: 0.25,
        ripple: 0.008,
        ivar_error: 0.2,
        steps: 0.05,
        hot_columns: 0.3,
        sky_lines_sigma: 3.0,
        noise_correlation: 0.05,
        damaged: 0.1,
        weak_lined: 0.15,
    };

    /// Says what is wrong, if anything: the text begins with the name of the option.
    pub fn check(&self) -> Result<()> {
        for (name, value, most) in [
            ("water (strength of the water lines)", self.water, 20.0),
            ("moon (share of moonlight)", self.moon, 0.5),
            (
                "lsf-width (scatter of the width of lines)",
                self.lsf_width,
                0.2,
            ),
            (
                "lsf-skew (scatter of the skewness of lines)",
                self.lsf_skew,
                0.4,
            ),
            ("stretch (km/s)", self.stretch_km_s, 100.0),
            (
                "fibre-slope (of the zero points over the fibres, km/s)",
                self.fibre_zp_km_s,
                100.0,
            ),
            ("ripple (share of the continuum)", self.ripple, 0.1),
            ("ivar-error (of the inverse variance)", self.ivar_error, 2.0),
            ("steps (per spectrum)", self.steps, 100.0),
            (
                "hot-columns (of a fibre, arm and night)",
                self.hot_columns,
                100.0,
            ),
            (
                "sky-lines (what is left of them)",
                self.sky_lines_sigma,
                1000.0,
            ),
            (
                "noise-correlation (of neighbouring pixels)",
                self.noise_correlation,
                0.5,
            ),
            ("damaged (share of the stars)", self.damaged, 1.0),
            ("weak-lined (share of the stars)", self.weak_lined, 1.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return Err(Error::Config(format!(
                    "{name} must be 0 to {most}, not {value}"
                )));
            }
        }
        Ok(())
    }
}

impl Default for Sky {
    fn default() -> Self {
        Sky::KIND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_nonsense_is_named() {
        Sky::KIND.check().unwrap();
        Sky::HARD.check().unwrap();
        type Spoil = fn(&mut Sky);
        let bad: [(&str, Spoil); 4] = [
            ("water", |s| s.water = f64::NAN),
            ("moonlight", |s| s.moon = -0.1),
            ("correlation", |s| s.noise_correlation = 0.6),
            ("damaged", |s| s.damaged = 1.1),
        ];
        for (word, spoil) in bad {
            let mut sky = Sky::HARD;
            spoil(&mut sky);
            let message = sky.check().unwrap_err().to_string();
            assert!(message.contains(word), "{word}: {message}");
        }
    }
}
