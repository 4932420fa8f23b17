//! `relrv validate phase`.

use std::path::PathBuf;

use super::listeners;
use crate::Result;
use crate::lab::validate::phase::section::{Settings, run};

/// Options of `relrv validate phase`.
#[derive(Clone, Debug, clap::Args)]
pub struct PhaseArgs {
    /// Directory for figures and numbers
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Spectra of each arm and signal-to-noise ratio
    #[arg(long, value_name = "N", default_value_t = Settings::default().n, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    n: u32,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    seed: u64,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

impl PhaseArgs {
    pub fn run(self) -> Result<()> {
        let settings = Settings {
            n: self.n,
            seed: self.seed,
        };
        let (mut told, bar) = listeners(self.quiet);
        run(&settings, &self.out, &bar, &mut told).map(drop)
    }
}
