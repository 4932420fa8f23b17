//! `relrv validate all`.

use std::path::PathBuf;

use super::listeners;
use crate::Result;
use crate::lab::validate::all::run;
use crate::lab::validate::settings::Settings;

/// Options of `relrv validate all`.
#[derive(Clone, Debug, clap::Args)]
pub struct AllArgs {
    /// Directory: index.html, tables.md, and a directory for each test
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Small samples: a minute or two, and numbers that scatter
    #[arg(long)]
    quick: bool,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    seed: u64,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

impl AllArgs {
    pub fn run(self) -> Result<()> {
        let settings = Settings {
            quick: self.quick,
            seed: self.seed,
        };
        let (mut told, bar) = listeners(self.quiet);
        run(&settings, &self.out, &bar, &mut told)
    }
}
