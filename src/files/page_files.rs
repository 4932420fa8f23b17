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

/// The page on which stars are looked at one by one, beside `index.html`.
const EXPLORER: &str = "stars.html";
/// Folder of its scripts and data within that of the report.
pub const EXPLORER_DIR: &str = "explore";
/// Files there that every report has.
const SCRIPTS: [&str; 4] = ["index.js", "page.css", "page.js", "uplot.js"];
/// Its data, in as many pieces as the run needs: these words, a number of five digits or more, and `.js`.
const PIECES: [&str; 4] = ["curves-", "exposures-", "obsids-", "stars-"];

/// Text near the beginning of every file that a report consists of. A file that has it may be replaced.
pub const MARK: &str = "made by relrv";
/// The mark is within so many bytes from the beginning of the file.
const MARK_WITHIN: u64 = 512;

/// Every file that a report may consist of; of its data those that are there.
pub fn paths(dir: &Path) -> Vec<PathBuf> {
    let report = dir.join(REPORT_DIR);
    let figures = FIGURES
        .iter()
        .map(|name| report.join(format!("{name}.svg")));
    let pages = ["index.html", EXPLORER].map(|name| report.join(name));
    let scripts = SCRIPTS.map(|name| report.join(EXPLORER_DIR).join(name));
    let all = figures.chain(pages).chain(scripts).chain(pieces(&report));
    all.collect()
}

/// The pieces of data that are in the folder of a report, in the order of their names.
pub fn pieces(report: &Path) -> Vec<PathBuf> {
    let folder = report.join(EXPLORER_DIR);
    // Nothing behind a link is looked at.
    if !is_true_folder(&folder) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut pieces: Vec<PathBuf> = names
        .filter(|name| is_piece(name))
        .map(|name| folder.join(name))
        .collect();
    pieces.sort();
    pieces
}

fn is_piece(name: &str) -> bool {
    let number = PIECES
        .iter()
        .find_map(|word| name.strip_prefix(word)?.strip_suffix(".js"));
    number.is_some_and(|n| n.len() >= 5 && n.bytes().all(|b| b.is_ascii_digit()))
}

fn is_true_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// Refuses a place where files of a report's names are somebody's own, or that a symbolic link leads to.
///
/// # Errors
/// [`Error::InTheWay`] naming the first.
pub fn refuse_foreign(dir: &Path) -> Result<()> {
    let report = dir.join(REPORT_DIR);
    if !workplace::is_folder(&report)? {
        return Ok(());
    }
    workplace::is_folder(&report.join(EXPLORER_DIR))?;
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

/// Removes a file if it is one that relrv made.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_made(path: &Path) -> Result<()> {
    let is_file = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
    match is_file && is_marked(path)? {
        true => workplace::remove(path),
        false => Ok(()),
    }
}

/// Removes the pages, figures and data, if there are any, and the folders if nothing else is in them.
///
/// # Errors
/// [`Error::Io`].
pub fn remove(dir: &Path) -> Result<()> {
    let report = dir.join(REPORT_DIR);
    // Nothing behind a link is touched.
    if !is_true_folder(&report) {
        return Ok(());
    }
    let explorer = report.join(EXPLORER_DIR);
    let is_link = std::fs::symlink_metadata(&explorer).is_ok_and(|meta| !meta.is_dir());
    for path in paths(dir) {
        if !(is_link && path.starts_with(&explorer)) {
            remove_made(&path)?;
        }
    }
    // A folder with files of somebody else in it is not empty, and stays.
    if !is_link {
        let _ = std::fs::remove_dir(&explorer);
    }
    let _ = std::fs::remove_dir(&report);
    Ok(())
}
