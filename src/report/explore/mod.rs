//! The explorer: a page on which a run's stars are sorted, filtered and looked at one by one, beside the page of figures.
//!
//! It is opened from the disk, where a browser lets a page load scripts and nothing else. So the data are scripts, in pieces: the list of
//! stars at once, the curves when a star is looked at.

mod by_star;
mod curves;
mod exposures;
mod html;
mod json;
mod obsids;
mod stars;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::finished::Finished;
use crate::catalogue::flags;
use crate::files::page_files::{self, EXPLORER_DIR, MARK};
use crate::files::whole::{self, Prepared};
use crate::{Error, Result};
use by_star::ByStar;

/// The scripts of the page, in the order they depend on each other.
const SCRIPT: &str = concat!(
    include_str!("page/data.js"),
    include_str!("page/words.js"),
    include_str!("page/choose.js"),
    include_str!("page/columns.js"),
    include_str!("page/table.js"),
    include_str!("page/bars.js"),
    include_str!("page/star.js"),
    include_str!("page/exposure.js"),
    include_str!("page/main.js"),
);
const STYLE: &str = include_str!("page/page.css");
const PLOTS: &str = include_str!("../vendor/uplot/uPlot.iife.min.js");
const PLOTS_STYLE: &str = include_str!("../vendor/uplot/uPlot.min.css");
const PLOTS_LICENCE: &str = include_str!("../vendor/uplot/LICENSE");

/// Writes the explorer into the folder of a report, and removes the data of an older one. It holds a piece at a time.
///
/// # Errors
/// [`Error::Io`].
pub fn write(report: &Path, products: &Finished) -> Result<()> {
    let folder = report.join(EXPLORER_DIR);
    whole::remove_parts(&folder)?;
    let of_stars = ByStar::new(products);
    let mut pieces = Pieces {
        folder: folder.clone(),
        written: HashSet::new(),
    };
    let star_pieces = stars::write(&mut pieces, products, &of_stars)?;
    let curve_starts = curves::write(&mut pieces, products, &of_stars)?;
    let exposure_pieces = exposures::write(&mut pieces, products, &of_stars)?;
    let obsid_starts = obsids::write(&mut pieces, products)?;
    pieces.write("index", |out| {
        write!(
            out,
            "{{\"stars\":{},\"rows\":{},\"star_pieces\":{star_pieces},\"exposure_pieces\":{exposure_pieces}",
            products.catalogue.stars.len(),
            products.catalogue.len()
        )?;
        json::list(out, "curve_starts", &curve_starts, |out, n| write!(out, "{n}"))?;
        json::list(out, "obsid_starts", &obsid_starts, |out, n| {
            write!(out, "\"{n}\"")
        })?;
        json::list(out, "verdicts", stars::VERDICTS, json::text)?;
        json::list(out, "flags", flags::all(), |out, (bit, name, meaning)| {
            write!(out, "[{bit},")?;
            json::text(out, name)?;
            out.write_all(b",")?;
            json::text(out, meaning)?;
            out.write_all(b"]")
        })?;
        out.write_all(b"}")
    })?;
    for path in page_files::pieces(report) {
        if !pieces.written.contains(&path) {
            page_files::remove_made(&path)?;
        }
    }
    let plots = format!("{PLOTS_LICENCE}*/\n{PLOTS}");
    let style = format!("*/\n{PLOTS_STYLE}\n{STYLE}");
    let script = format!("*/\n{SCRIPT}");
    for (name, text) in [
        ("uplot.js", plots),
        ("page.css", style),
        ("page.js", script),
    ] {
        let text = format!("/* {MARK}\n{text}");
        whole::write_bytes(&folder.join(name), text.as_bytes())?;
    }
    whole::write_bytes(
        &report.join("stars.html"),
        html::page(&products.record).as_bytes(),
    )
}

/// The data's files.
struct Pieces {
    folder: PathBuf,
    written: HashSet<PathBuf>,
}

impl Pieces {
    /// Writes a piece: a script that gives a value to a name.
    fn write(
        &mut self,
        name: &str,
        value: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let path = self.folder.join(format!("{name}.js"));
        let write = |out: &mut dyn Write| {
            write!(
                out,
                "/* {MARK} */\n(window.relrvData ??= {{}})[\"{name}\"]="
            )?;
            value(out)?;
            out.write_all(b";\n")
        };
        let piece = Prepared::new(&path, |mut out| {
            write(&mut out).map_err(|e| Error::io(&path, e))
        })?;
        piece.persist()?;
        self.written.insert(path);
        Ok(())
    }
}
