//! The files of a run's page: where they are, and how they are told from somebody's own. A build that makes no page needs this too, as
//! an older page must not speak of products that are no more.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{whole, workplace};
use crate::{Error, Result};

/// Directory of the report within that of the run.
pub const REPORT_DIR: &str = "report";

/// Names of all figures, in the order of the page.
pub const FIGURES: [&str; 8] = [
    "zero_points",
    "slopes",
    "errors",
    "scatter",
    "fibres",
    "variables",
    "chi2",
    "sky",
];

/// Text near the beginning of every file that a report consists of. A file that has it may be replaced.
pub const MARK: &str = "made by relrv";
/// The mark is within so many bytes from the beginning of the file.
const MARK_WITHIN: u64 = 512;

/// Every file that a report may consist of.
pub fn paths(dir: &Path) -> Vec<PathBuf> {
    let report = dir.join(REPORT_DIR);
    let figures = FIGURES
        .iter()
        .map(|name| report.join(format!("{name}.svg")));
    figures.chain([report.join("index.html")]).collect()
}

/// Refuses a place where files of a report's names are somebody's own, or that a symbolic link leads to.
///
/// # Errors
/// [`Error::InTheWay`] naming the first.
pub fn refuse_foreign(dir: &Path) -> Result<()> {
    if !workplace::is_folder(&dir.join(REPORT_DIR))? {
        return Ok(());
    }
    paths(dir).iter().try_for_each(|path| refuse_unmarked(path))
}

/// Refuses a place where there is a file of somebody's own.
///
/// # Errors
/// [`Error::InTheWay`].
pub fn refuse_unmarked(path: &Path) -> Result<()> {
    if workplace::is_file(path)? && !is_marked(path)? {
        let found = "is there already, and is no page or figure that relrv made";
        return Err(Error::in_the_way(path, found));
    }
    Ok(())
}

fn is_marked(path: &Path) -> Result<bool> {
    let failed = |e| Error::io(path, e);
    let file = whole::open_without_links(path, File::options().read(true)).map_err(failed)?;
    let mut start = Vec::new();
    file.take(MARK_WITHIN)
        .read_to_end(&mut start)
        .map_err(failed)?;
    Ok(start
        .windows(MARK.len())
        .any(|part| part == MARK.as_bytes()))
}

/// Removes the page and its figures, if there are any, and the folder if nothing else is in it.
///
/// # Errors
/// [`Error::Io`].
pub fn remove(dir: &Path) -> Result<()> {
    let report = dir.join(REPORT_DIR);
    // Nothing behind a link is touched.
    if !std::fs::symlink_metadata(&report).is_ok_and(|meta| meta.is_dir()) {
        return Ok(());
    }
    for path in paths(dir) {
        let is_file = std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file());
        if is_file && is_marked(&path)? {
            workplace::remove(&path)?;
        }
    }
    // A folder with files of somebody else in it is not empty, and stays.
    let _ = std::fs::remove_dir(&report);
    Ok(())
}
