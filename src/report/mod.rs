//! The page of a finished run: its numbers and figures, from the products alone, readable without a network.
//!
//! Figures follow those of Xiong et al. 2021, so that a run can be laid beside the paper.

mod axis;
mod chi2;
mod errors;
mod fibres;
mod log_axis;
pub(crate) mod page;
pub(crate) mod plot;
pub(crate) mod products;
mod scatter;
mod sky;
pub(crate) mod tick;
mod variables;
mod zero_points;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::files::{whole, workplace};
use crate::{Error, Result};
use plot::Figure;
use products::Products;

/// Directory of the report within that of the run.
pub const REPORT_DIR: &str = "report";

/// Names of all figures, in the order of the page.
pub const FIGURES: [&str; 7] = [
    "zero_points",
    "errors",
    "scatter",
    "fibres",
    "variables",
    "chi2",
    "sky",
];

/// In every file that a report consists of, near its beginning: what bears it may be replaced.
pub(crate) const MARK: &str = "made by relrv";
/// Bytes within which it is.
const MARK_WITHIN: u64 = 512;

/// Every file that a report may consist of.
pub fn paths(dir: &Path) -> Vec<PathBuf> {
    let report = dir.join(REPORT_DIR);
    let figures = FIGURES
        .iter()
        .map(|name| report.join(format!("{name}.svg")));
    figures.chain([report.join("index.html")]).collect()
}

/// Writes `report/index.html` of the finished run in `dir`, and each figure beside it as SVG; the path of the page.
///
/// # Errors
/// [`Error::Config`] if `dir` holds no finished run with tables that can be read, [`Error::Format`] if a product is
/// not what a run writes, [`Error::InTheWay`] for files of these names that no report consists of, [`Error::Io`].
pub fn write(dir: &Path) -> Result<PathBuf> {
    refuse_foreign(dir)?;
    let products = Products::read(dir)?;
    let report = dir.join(REPORT_DIR);
    whole::remove_parts(&report)?;
    let figures = figures(&products, &report)?;
    for figure in &figures {
        let svg = format!("<!-- {MARK} -->\n{}", figure.svg);
        whole::write_bytes(&report.join(figure.file_name()), svg.as_bytes())?;
    }
    let path = report.join("index.html");
    whole::write_bytes(&path, page::html(&products, &figures).as_bytes())?;
    Ok(path)
}

/// Refuses a place where files of a report's names are somebody's own, or that a symbolic link leads to.
///
/// # Errors
/// [`Error::InTheWay`] naming the first.
pub fn refuse_foreign(dir: &Path) -> Result<()> {
    if !workplace::is_folder(&dir.join(REPORT_DIR))? {
        return Ok(());
    }
    for path in paths(dir) {
        if workplace::is_file(&path)? && !is_marked(&path)? {
            let found = "is there already, and is no page or figure that relrv made";
            return Err(Error::in_the_way(&path, found));
        }
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

/// Removes what [`write()`] wrote, if anything, and the folder if nothing else is in it.
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
    // Somebody's own files keep it.
    let _ = std::fs::remove_dir(&report);
    Ok(())
}

/// All figures of a run; an error names `place`.
pub(crate) fn figures(products: &Products, place: &Path) -> Result<Vec<Figure>> {
    let drawings = [
        zero_points::figure,
        errors::figure,
        scatter::figure,
        fibres::figure,
        variables::figure,
        chi2::figure,
        sky::figure,
    ];
    let drawn = drawings.iter().map(|draw| {
        draw(products).map_err(|e| {
            let detail = std::io::Error::other(format!("a figure cannot be drawn: {e}"));
            Error::io(place, detail)
        })
    });
    drawn.collect()
}
