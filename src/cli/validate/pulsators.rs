//! `relrv validate pulsators`.

use std::path::PathBuf;

use super::listeners;
use crate::Result;
use crate::lab::validate::pulsators::section::{Settings, run};

/// Options of `relrv validate pulsators`.
#[derive(Clone, Debug, clap::Args)]
pub struct PulsatorsArgs {
    /// Directory for figures and numbers
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Spectra of each temperature, arm and signal-to-noise ratio (the paper has 1000)
    #[arg(long, value_name = "N", default_value_t = Settings::default().n, value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    n: u32,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    seed: u64,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

impl PulsatorsArgs {
    pub fn run(self) -> Result<()> {
        let settings = Settings {
            n: self.n,
            seed: self.seed,
        };
        let (mut told, bar) = listeners(self.quiet);
        run(&settings, &self.out, &bar, &mut told).map(drop)
    }
}
