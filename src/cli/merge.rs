//! `relrv merge`: the products of a plan whose units are measured.

use std::path::PathBuf;

use super::Outcome;
use super::interrupt;
use super::progress::Bar;
use super::run::{Words, tell_done};
use super::threads::Threads;
use crate::{Result, run};

/// Calibrate and write the products of the plan in DIR, whose units have been measured (relrv unit).
///
/// Where units are not whole they are named, nothing is written, and the exit status is 1.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// Directory of the plan, and of the products.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Make the products of those units that are whole, name the others, and end with exit status 2.
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    threads: Threads,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
    /// List every rejected input, and the time of each stage.
    #[arg(short, long)]
    verbose: bool,
}

impl MergeArgs {
    /// Makes the products.
    pub fn run(self) -> Result<Outcome> {
        interrupt::watch()?;
        let pool = self.threads.pool()?;
        let progress = Bar::of_files(true);
        let (done, report) = pool.install(|| run::merge(&self.dir, self.partial, &progress))?;
        let words = Words {
            quiet: self.quiet,
            verbose: self.verbose,
        };
        tell_done(&done, report.as_deref(), &self.dir, words)
    }
}
