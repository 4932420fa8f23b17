//! Options for the effects of sky, optics and detector.

use crate::lab::simulate::Sky;

/// Amounts of all effects at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SkyArg {
    /// None: noise, zero points, simple cosmic rays.
    #[default]
    Kind,
    /// All that real spectra have been seen to have.
    Hard,
}

/// Shapes of cosmic rays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum CosmicShapesArg {
    /// 1 to 3 pixels.
    Simple,
    /// As in real frames: flat ones, slanted trails up to 6 pixels.
    Real,
}

/// Effects of sky, optics and detector. Each option takes the place of the amount that `--sky` has; 0 turns it off.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Sky, optics and detector (in place of what --sky has; 0 = off)")]
pub struct SkyArgs {
    /// Amounts of all the effects below.
    #[arg(long, value_enum, default_value_t = SkyArg::Kind)]
    pub sky: SkyArg,
    /// Shapes of the cosmic rays.
    #[arg(long, value_enum, value_name = "SHAPES")]
    pub cosmic_shapes: Option<CosmicShapesArg>,
    /// Strength of the water lines; 1 = as at a real site in a median night (hard: 1).
    #[arg(long, value_name = "F")]
    pub water: Option<f64>,
    /// Moonlight, share of the continuum of a star of middle brightness in a median night (hard: 0.05).
    #[arg(long, value_name = "SHARE")]
    pub moon: Option<f64>,
    /// Scatter of the width of the line-spread function, share of it (hard: 0.05).
    #[arg(long, value_name = "SHARE")]
    pub lsf_width: Option<f64>,
    /// Scatter of the skewness of the line-spread function (hard: 0.1).
    #[arg(long, value_name = "F")]
    pub lsf_skew: Option<f64>,
    /// Largest stretch of the wavelengths, km/s at the ends of the window (hard: 0.4).
    #[arg(long, value_name = "KM_S")]
    pub stretch: Option<f64>,
    /// Largest slope of the zero points over the fibres, km/s at the first and the last (hard: 0.25).
    #[arg(long, value_name = "KM_S")]
    pub fibre_slope: Option<f64>,
    /// Amplitude of the flat field's ripple, share of the continuum (hard: 0.008).
    #[arg(long, value_name = "SHARE")]
    pub ripple: Option<f64>,
    /// Relative error of the inverse variance, a factor per spectrum (kind: 0.1, hard: 0.2).
    #[arg(long, value_name = "F")]
    pub ivar_error: Option<f64>,
    /// Mean number of steps of 1 to 2 % in a spectrum (hard: 0.05).
    #[arg(long, value_name = "N")]
    pub steps: Option<f64>,
    /// Mean number of hot columns of a fibre, arm and night (hard: 0.3).
    #[arg(long, value_name = "N")]
    pub hot_columns: Option<f64>,
    /// Scatter of what is left of the strongest sky line, standard deviations of a pixel (hard: 3).
    #[arg(long, value_name = "SIGMA")]
    pub sky_lines: Option<f64>,
    /// Correlation of the noise of neighbouring pixels, at most 0.5 (hard: 0.05).
    #[arg(long, value_name = "F")]
    pub noise_correlation: Option<f64>,
    /// Share of the stars whose best exposure is damaged in both arms (hard: 0.1).
    #[arg(long, value_name = "SHARE")]
    pub damaged: Option<f64>,
    /// Share of the stars that have hardly a line (hard: 0.15).
    #[arg(long, value_name = "SHARE")]
    pub weak_lined: Option<f64>,
}

impl SkyArgs {
    /// The amounts.
    pub fn into_sky(self) -> Sky {
        let preset = match self.sky {
            SkyArg::Kind => Sky::KIND,
            SkyArg::Hard => Sky::HARD,
        };
        Sky {
            real_cosmics: self
                .cosmic_shapes
                .map_or(preset.real_cosmics, |s| s == CosmicShapesArg::Real),
            water: self.water.unwrap_or(preset.water),
            moon: self.moon.unwrap_or(preset.moon),
            lsf_width: self.lsf_width.unwrap_or(preset.lsf_width),
            lsf_skew: self.lsf_skew.unwrap_or(preset.lsf_skew),
            stretch_km_s: self.stretch.unwrap_or(preset.stretch_km_s),
            fibre_zp_km_s: self.fibre_slope.unwrap_or(preset.fibre_zp_km_s),
            ripple: self.ripple.unwrap_or(preset.ripple),
            ivar_error: self.ivar_error.unwrap_or(preset.ivar_error),
            steps: self.steps.unwrap_or(preset.steps),
            hot_columns: self.hot_columns.unwrap_or(preset.hot_columns),
            sky_lines_sigma: self.sky_lines.unwrap_or(preset.sky_lines_sigma),
            noise_correlation: self.noise_correlation.unwrap_or(preset.noise_correlation),
            damaged: self.damaged.unwrap_or(preset.damaged),
            weak_lined: self.weak_lined.unwrap_or(preset.weak_lined),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: SkyArgs,
    }

    fn sky(options: &str) -> Sky {
        Cli::parse_from(format!("x {options}").split_whitespace())
            .args
            .into_sky()
    }

    #[test]
    fn options_take_the_place_of_the_preset() {
        assert_eq!(sky(""), Sky::KIND);
        assert_eq!(sky("--sky hard"), Sky::HARD);
        let changed = sky("--sky hard --water 0 --cosmic-shapes simple");
        assert_eq!(
            changed,
            Sky {
                water: 0.0,
                real_cosmics: false,
                ..Sky::HARD
            }
        );
    }

    #[test]
    fn every_effect_has_its_option() {
        let all = "--cosmic-shapes real --water 1 --moon 0.02 --lsf-width 0.03 --lsf-skew 0.04 --stretch 0.5 \
                   --fibre-slope 0.6 --ripple 0.007 --ivar-error 0.8 --steps 9 --hot-columns 10 --sky-lines 11 \
                   --noise-correlation 0.12 --damaged 0.13 --weak-lined 0.14";
        assert_eq!(
            sky(all),
            Sky {
                real_cosmics: true,
                water: 1.0,
                moon: 0.02,
                lsf_width: 0.03,
                lsf_skew: 0.04,
                stretch_km_s: 0.5,
                fibre_zp_km_s: 0.6,
                ripple: 0.007,
                ivar_error: 0.8,
                steps: 9.0,
                hot_columns: 10.0,
                sky_lines_sigma: 11.0,
                noise_correlation: 0.12,
                damaged: 0.13,
                weak_lined: 0.14,
            }
        );
    }
}
