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
mod variables;
mod zero_points;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::{Error, Result, whole};
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

/// Writes `report/index.html` of the finished run in `dir`, and each figure beside it as SVG; the path of the page.
///
/// # Errors
/// [`Error::Config`] if `dir` holds no finished run with tables that can be read, [`Error::Format`] if a product is
/// not what a run writes, [`Error::Io`].
pub fn write(dir: &Path) -> Result<PathBuf> {
    let products = Products::read(dir)?;
    let report = dir.join(REPORT_DIR);
    let figures = figures(&products, &report)?;
    for figure in &figures {
        whole::write_bytes(&report.join(figure.file_name()), figure.svg.as_bytes())?;
    }
    let path = report.join("index.html");
    whole::write_bytes(&path, page::html(&products, &figures).as_bytes())?;
    Ok(path)
}

/// Removes what [`write()`] wrote, if anything, and the folder if nothing else is in it.
///
/// # Errors
/// [`Error::Io`].
pub fn remove(dir: &Path) -> Result<()> {
    let report = dir.join(REPORT_DIR);
    let figures = FIGURES.map(|name| report.join(format!("{name}.svg")));
    for path in figures.into_iter().chain([report.join("index.html")]) {
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path, e)),
            _ => {}
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
