//! `relrv calibrate DIR`: the zero points of a run anew, with nothing measured.

use std::path::{Path, PathBuf};

use super::Outcome;
use super::progress::Bar;
use super::run::{Words, tell_done};
use crate::calibrate::arms::CalibrateOptions;
use crate::files::workplace;
use crate::run as job;
use crate::{Error, Result};

/// Formats of a catalogue that can be read back, the most exact first.
const READABLE: [&str; 3] = ["fits", "parquet", "csv"];

/// Refuses options that a run has no use for.
///
/// # Errors
/// [`Error::Config`] naming them.
pub fn check(dir: &Path, has_columns: bool, has_formats: bool) -> Result<()> {
    if has_columns {
        return Err(Error::Config(format!(
            "--out: expected with options about columns, units and constants: they are for tables, and {} is a directory, of \
             which the catalogue is then the table",
            dir.display()
        )));
    }
    if has_formats {
        return Err(Error::Config(
            "--format: a run that is calibrated anew keeps its formats; relrv run with the same inputs changes them".to_owned(),
        ));
    }
    Ok(())
}

/// Calibrates the run in `dir` anew and writes its products, in their formats, in place of those that are there.
pub fn run(dir: &Path, options: &CalibrateOptions, quiet: bool) -> Result<Outcome> {
    refuse_no_run(dir)?;
    let progress = Bar::of_files(true);
    let (done, report) = job::recalibrate(dir, options, &progress)?;
    let words = Words {
        quiet,
        verbose: false,
    };
    tell_done(&done, report.as_deref(), dir, words)
}

/// The catalogue of the run in `dir`, in a format that can be read.
///
/// # Errors
/// [`Error::NothingUsable`] where there is none.
pub fn catalogue_of(dir: &Path) -> Result<PathBuf> {
    let paths = READABLE.map(|ending| dir.join(format!("catalogue.{ending}")));
    paths.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Error::NothingUsable(format!(
            "{} is a directory, and holds no catalogue.fits, .parquet or .csv: a table, or the directory of a finished run, was expected",
            dir.display()
        ))
    })
}

fn refuse_no_run(dir: &Path) -> Result<()> {
    match workplace::owner(dir)?.as_deref() {
        Some("run") => Ok(()),
        _ => Err(Error::NothingUsable(format!(
            "{} is a directory, and not that of a run: a table (with --out DIR), or the directory of a run, was expected",
            dir.display()
        ))),
    }
}
