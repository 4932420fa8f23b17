//! `relrv validate mock`.

use std::path::PathBuf;

use super::listeners;
use crate::Result;
use crate::lab::validate::mock::section::{Settings, run};

/// Options of `relrv validate mock`.
#[derive(Clone, Debug, clap::Args)]
pub struct MockArgs {
    /// Directory for figures and numbers
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Mocks of each kind
    #[arg(long, value_name = "N", default_value_t = Settings::default().seeds, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

impl MockArgs {
    pub fn run(self) -> Result<()> {
        let settings = Settings { seeds: self.seeds };
        let (mut told, _) = listeners(self.quiet);
        run(&settings, &self.out, &mut told).map(drop)
    }
}
