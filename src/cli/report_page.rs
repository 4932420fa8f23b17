//! `relrv report`.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use crate::{Result, report};

/// Make the page of a finished run again: DIR/report/index.html and its figures, from the products alone.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Directory of the run.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

impl ReportArgs {
    /// Writes the page and tells where it is.
    pub fn run(self) -> Result<Outcome> {
        let path = report::write(&self.dir)?;
        println!("report            {}", path.display());
        Ok(Outcome::Done)
    }
}
