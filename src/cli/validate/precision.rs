//! `relrv validate precision`.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::PossibleValuesParser;

use super::listeners;
use crate::Result;
use crate::lab::validate::precision::section::{Settings, run};
use crate::lab::validate::types::TYPES;

/// The lists that are taken where none is given.
static RATIOS: LazyLock<String> = LazyLock::new(|| list(&Settings::default().ratios));
static SNRS: LazyLock<String> = LazyLock::new(|| list(&Settings::default().snrs));
static ALL_TYPES: LazyLock<String> = LazyLock::new(|| list(&Settings::default().types));

/// As an option takes them.
fn list<T: ToString>(values: &[T]) -> String {
    let words: Vec<String> = values.iter().map(T::to_string).collect();
    words.join(",")
}

/// Options of `relrv validate precision`.
#[derive(Clone, Debug, clap::Args)]
pub struct PrecisionArgs {
    /// Directory for figures and numbers
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Spectra of each type, arm and signal-to-noise ratio (the paper has 1000)
    #[arg(long, value_name = "N", default_value_t = Settings::default().n, value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    n: u32,
    /// Signal-to-noise ratios of the references over that of the exposures; the figure shows the first
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = RATIOS.as_str(), value_parser = ratio)]
    ratio: Vec<f64>,
    /// Signal-to-noise ratios of the exposures
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = SNRS.as_str(), value_parser = snr)]
    snr: Vec<f64>,
    /// Spectral types
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = ALL_TYPES.as_str(), value_parser = PossibleValuesParser::new(TYPES.map(|t| t.name)))]
    types: Vec<String>,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    seed: u64,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

fn ratio(text: &str) -> std::result::Result<f64, String> {
    match text.trim().parse() {
        Ok(ratio) if (0.1..=100.0).contains(&ratio) => Ok(ratio),
        _ => Err("expected numbers of 0.1 to 100".to_owned()),
    }
}

fn snr(text: &str) -> std::result::Result<f64, String> {
    match text.trim().parse() {
        Ok(snr) if (1.0..=1000.0).contains(&snr) => Ok(snr),
        _ => Err("expected numbers of 1 to 1000".to_owned()),
    }
}

impl PrecisionArgs {
    pub fn run(self) -> Result<()> {
        let settings = Settings {
            n: self.n,
            ratios: self.ratio,
            snrs: self.snr,
            types: self.types,
            seed: self.seed,
        };
        let (mut told, bar) = listeners(self.quiet);
        run(&settings, &self.out, &bar, &mut told).map(drop)
    }
}
