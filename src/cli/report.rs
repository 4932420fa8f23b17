//! `relrv report`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Outcome;
use crate::files::workplace::Workplace;
use crate::text::plain;
use crate::{Result, report, tell};

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
        // Its products must not change meanwhile.
        let _lock = Workplace::open_if_kept(&self.dir, "run")?;
        let path = report::write(&self.dir)?;
        tell_report(&path);
        Ok(Outcome::Done)
    }
}

/// Tells where the page is. A closed standard output is no error: the page is written.
pub fn tell_report(path: &Path) {
    tell::say!("report            {}", plain::path(path));
}
