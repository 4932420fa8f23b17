//! `relrv simulate`: the options and the settings they make.

mod sky;

use std::path::PathBuf;

pub use sky::SkyArgs;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::Outcome;
use super::numbers::{real, whole};
use super::words::words;
use crate::Error;
use crate::lab::simulate::{self, Config, KindShares, Layout};
use crate::tell;
use crate::text::count::count;
use crate::text::plain;

words!(Layout {
    Dr7 = "dr7": "Until DR9 v0: a row per pixel, LOGLAM",
    Dr9 = "dr9": "Since DR9 v1: one row of vectors, WAVELENGTH",
});

/// Make a plate of spectra in the LAMOST MRS format, with the truth in truth.csv.
#[derive(Clone, Debug, clap::Args)]
pub struct SimulateArgs {
    /// Directory for the files; made if missing, must be empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The same seed gives the same bytes.
    #[arg(long, value_name = "N", default_value_t = Config::default().seed, value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: u64,
    /// Stars in each spectrograph (1-250).
    #[arg(long, value_name = "N", default_value_t = Config::default().stars, value_parser = whole::<usize>(1..=250))]
    pub stars: usize,
    /// Nights.
    #[arg(long, value_name = "N", default_value_t = Config::default().nights, value_parser = whole::<usize>(1..=365))]
    pub nights: usize,
    /// Exposures in each night (1-25).
    #[arg(long, value_name = "N", default_value_t = Config::default().exposures, value_parser = whole::<usize>(1..=25))]
    pub exposures: usize,
    /// Spectrographs (1-16).
    #[arg(long, value_name = "N", default_value_t = Config::default().spectrographs, value_parser = whole::<usize>(1..=16))]
    pub spectrographs: usize,
    /// Range of the signal-to-noise ratio per pixel.
    #[arg(long, value_name = "LO,HI", default_value_t = Range(Config::default().snr), allow_hyphen_values = true)]
    pub snr: Range,
    /// Table layout of the files.
    #[arg(long, value_enum, default_value_t = Config::default().layout)]
    pub layout: Layout,
    /// Share of the observations that are missing.
    #[arg(long, value_name = "F", default_value_t = Config::default().missing, value_parser = real(0.0..=1.0))]
    pub missing: f64,
    /// Mean number of cosmic rays in a spectrum.
    #[arg(long, value_name = "N", default_value_t = Config::default().cosmics_per_spectrum, value_parser = real(0.0..=1000.0))]
    pub cosmics: f64,
    /// Shares of pulsating stars, single-lined and double-lined binaries; the rest is constant.
    #[arg(long, value_name = "PULSATOR,SB1,SB2", default_value_t = Shares(Config::default().kinds), allow_hyphen_values = true)]
    pub kinds: Shares,
    /// Range of effective temperatures, K; all types if not given. Pulsating and weak-lined stars have their own.
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true)]
    pub teff: Option<Range>,
    /// Effects of sky, optics and detector.
    #[command(flatten)]
    pub sky: SkyArgs,
}

impl SimulateArgs {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option.
    pub fn check(&self) -> crate::Result<()> {
        self.clone().into_config().check().map_err(|e| match e {
            // The settings are called by the names of the options.
            Error::Config(what) => Error::Config(format!("--{what}")),
            other => other,
        })
    }

    /// Makes the plate and tells what it holds.
    pub fn run(self) -> crate::Result<Outcome> {
        let config = self.into_config();
        let made = simulate::run(&config).map_err(|e| match e {
            Error::Io { path, source } => {
                let more = format!("{source}\nthe same command makes the plate again in its place");
                Error::io(&path, std::io::Error::new(source.kind(), more))
            }
            other => other,
        })?;
        tell::say!(
            "{}, {} of {} in {}",
            count(made.files, "file"),
            count(made.spectra, "spectrum"),
            count(made.stars, "star"),
            plain::path(&config.out)
        );
        Ok(Outcome::Done)
    }

    /// The settings; [`crate::lab::simulate::run`] checks their values.
    pub fn into_config(self) -> Config {
        Config {
            out: self.out,
            seed: self.seed,
            stars: self.stars,
            nights: self.nights,
            exposures: self.exposures,
            spectrographs: self.spectrographs,
            snr: self.snr.0,
            layout: self.layout,
            missing: self.missing,
            cosmics_per_spectrum: self.cosmics,
            kinds: self.kinds.0,
            teff_k: self.teff.map(|range| range.0),
            sky: self.sky.into_sky(),
            ..Config::default()
        }
    }
}

/// Two numbers, `LO,HI`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range(pub (f64, f64));

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{}", self.0.0, self.0.1)
    }
}

impl std::str::FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match numbers(text)?[..] {
            [low, high] => Ok(Range((low, high))),
            _ => Err("expected two numbers, LO,HI".to_owned()),
        }
    }
}

/// Three numbers, `PULSATOR,SB1,SB2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares(pub KindShares);

impl std::fmt::Display for Shares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let KindShares { pulsator, sb1, sb2 } = self.0;
        write!(f, "{pulsator},{sb1},{sb2}")
    }
}

impl std::str::FromStr for Shares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match numbers(text)?[..] {
            [pulsator, sb1, sb2] => Ok(Shares(KindShares { pulsator, sb1, sb2 })),
            _ => Err("expected three numbers, PULSATOR,SB1,SB2".to_owned()),
        }
    }
}

/// Numbers separated by commas.
fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let number = |s: &str| {
        s.trim()
            .parse::<f64>()
            .map_err(|_| format!("'{s}' is not a number"))
    };
    text.split(',').map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::simulate::Sky;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: SimulateArgs,
    }

    #[test]
    fn no_option_means_the_default() {
        let config = Cli::parse_from(["x", "--out", "simulated"])
            .args
            .into_config();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn options_reach_the_settings() {
        let text = "x --out d --seed 9 --stars 3 --nights 5 --exposures 6 --spectrographs 2 --snr 8,30.5 --layout dr9 --missing 0.25 --cosmics 0 --kinds 0.1,0.2,0 --teff 4300,9000 --sky hard --moon 0";
        let config = Cli::parse_from(text.split(' ')).args.into_config();
        let expected = Config {
            out: "d".into(),
            seed: 9,
            stars: 3,
            nights: 5,
            exposures: 6,
            spectrographs: 2,
            snr: (8.0, 30.5),
            layout: Layout::Dr9,
            missing: 0.25,
            cosmics_per_spectrum: 0.0,
            kinds: KindShares {
                pulsator: 0.1,
                sb1: 0.2,
                sb2: 0.0,
            },
            teff_k: Some((4300.0, 9000.0)),
            sky: Sky {
                moon: 0.0,
                ..Sky::HARD
            },
            ..Config::default()
        };
        assert_eq!(config, expected);
        assert!(Cli::try_parse_from(["x", "--out", "d", "--snr", "20"]).is_err());
        assert!(Cli::try_parse_from(["x", "--out", "d", "--kinds", "0.1,0.2"]).is_err());
    }
}
