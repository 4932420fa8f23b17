//! The page of a finished run: its numbers and figures, from the products alone, readable without a network.
//!
//! Figures follow those of Xiong et al. 2021, so that a run can be compared with the paper.

mod about;
mod axis;
#[cfg(feature = "cli")]
pub mod calibrated;
mod chi2;
mod errors;
mod escape;
mod explore;
mod fibres;
pub(crate) mod finished;
mod link;
mod log_axis;
mod minute;
pub mod one_star;
pub(crate) mod page;
pub(crate) mod plot;
mod png;
mod scatter;
mod sky;
mod slit;
mod slits;
mod slopes;
mod star_list;
pub(crate) mod tick;
mod uncorrected;
mod variables;
mod violin;
mod zero_points;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::catalogue::Products;
#[cfg(feature = "lab")]
pub use crate::files::page_files::FIGURES;
#[cfg(not(feature = "lab"))]
use crate::files::page_files::FIGURES;
use crate::files::page_files::{MARK, REPORT_DIR, refuse_foreign};
use crate::files::whole;
use crate::{Error, Result};
use finished::Finished;
use plot::{Figure, Shown};

/// Writes `report/index.html` of the finished run in `dir`, each figure beside it as SVG, and the page on which its stars are looked at; the
/// path of the first.
///
/// # Errors
/// [`Error::NoRun`] if `dir` holds no finished run with tables that can be read, [`Error::Format`] if a product is
/// not what a run writes, [`Error::InTheWay`] for files of these names that no report consists of, [`Error::Io`].
pub fn write(dir: &Path) -> Result<PathBuf> {
    refuse_foreign(dir)?;
    write_page(dir, &Finished::read(dir)?)
}

/// The same, of products that have just been written to `dir` and are still in memory.
///
/// # Errors
/// As [`write`], but that no table needs to be one that can be read.
pub(crate) fn write_of(dir: &Path, made: Products) -> Result<PathBuf> {
    refuse_foreign(dir)?;
    write_page(dir, &Finished::of(dir, made)?)
}

fn write_page(dir: &Path, products: &Finished) -> Result<PathBuf> {
    let report = dir.join(REPORT_DIR);
    whole::remove_parts(&report)?;
    let shown = shown(products, &report)?;
    for figure in drawn(&shown) {
        let svg = format!("<!-- {MARK} -->\n{}", figure.svg);
        whole::write_bytes(&report.join(figure.file_name()), svg.as_bytes())?;
    }
    let is_drawn = |name: &str| drawn(&shown).any(|figure| figure.name == name);
    // Of a page made before.
    for name in FIGURES.into_iter().filter(|name| !is_drawn(name)) {
        let path = report.join(format!("{name}.svg"));
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path, e)),
            _ => {}
        }
    }
    explore::write(&report, products)?;
    let path = report.join("index.html");
    whole::write_bytes(&path, page::html(products, &shown).as_bytes())?;
    Ok(path)
}

/// Those that are figures.
pub(crate) fn drawn(shown: &[Shown]) -> impl Iterator<Item = &Figure> {
    shown.iter().filter_map(|shown| match shown {
        Shown::Figure(figure) => Some(figure),
        Shown::Nothing(..) => None,
    })
}

/// All figures of a run, or why they are not there; an error names `place`.
pub(crate) fn shown(products: &Finished, place: &Path) -> Result<Vec<Shown>> {
    let drawings = [
        zero_points::figure,
        slopes::figure,
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
