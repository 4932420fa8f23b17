//! What one of the paper's tests gives: numbers, small tables to print, figures; and how they are written.

use std::path::Path;

use plotters::prelude::*;

use super::cell::Cell;
use crate::files::whole;
use crate::report::plot::{Drawn, Figure};
use crate::table::{ColumnData, Table};
use crate::{Error, Result};

/// A small table for readers: text in cells.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// What it shows, one line.
    pub title: String,
    /// Heads of the columns.
    pub headers: Vec<String>,
    /// Rows, each as long as `headers`.
    pub rows: Vec<Vec<String>>,
    /// What to know about it; may be empty.
    pub note: String,
}

impl Grid {
    /// As Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = vec!["---".to_owned(); self.headers.len()];
        let mut text = format!(
            "**{}**\n\n{}{}",
            self.title,
            line(&self.headers),
            line(&rule)
        );
        self.rows.iter().for_each(|row| text += &line(row));
        if !self.note.is_empty() {
            text += &format!("\n{}\n", self.note);
        }
        text
    }
}

/// One test's results.
pub struct Section {
    /// Name of the subcommand, and of its files.
    pub name: &'static str,
    /// The command that gives it again, without `--out`.
    pub command: String,
    /// Tables for readers.
    pub grids: Vec<Grid>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// What was found, in words with numbers, by the paper's figure or table (`figure8`).
    pub facts: Vec<(&'static str, String)>,
}

impl Section {
    /// One without anything yet.
    pub fn new(name: &'static str, command: String) -> Self {
        Section {
            name,
            command,
            grids: Vec::new(),
            figures: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// Its tables as Markdown.
    pub fn markdown(&self) -> String {
        let grids: Vec<String> = self.grids.iter().map(Grid::markdown).collect();
        format!("`{}`\n\n{}", self.command, grids.join("\n"))
    }

    /// Writes the figures, and the tables as `tables.md`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, dir: &Path) -> Result<()> {
        whole::remove_parts(dir)?;
        for figure in &self.figures {
            let path = dir.join(figure.file_name());
            whole::write_bytes(&path, figure.svg.as_bytes())?;
        }
        whole::write_bytes(&dir.join("tables.md"), self.markdown().as_bytes())
    }
}

/// Writes all numbers as `NAME.csv` and `NAME.json`; `more` joins the rows in the JSON.
///
/// # Errors
/// [`Error::Io`].
pub fn write_numbers(
    dir: &Path,
    name: &str,
    table: &Table,
    more: serde_json::Map<String, serde_json::Value>,
) -> Result<()> {
    table.write(&dir.join(format!("{name}.csv")))?;
    let path = dir.join(format!("{name}.json"));
    let mut json = more;
    json.insert("rows".into(), rows(table).into());
    let bytes =
        serde_json::to_vec_pretty(&json).map_err(|e| Error::io(&path, std::io::Error::other(e)))?;
    whole::write_bytes(&path, &bytes)
}

fn rows(table: &Table) -> Vec<serde_json::Value> {
    let row = |i: usize| {
        let cells = table.columns.iter().map(|c| {
            let value = match &c.data {
                _ if c.is_null(i) => serde_json::Value::Null,
                ColumnData::Bool(v) => v[i].into(),
                ColumnData::I64(v) => v[i].into(),
                ColumnData::I32(v) => v[i].into(),
                // NaN becomes null.
                ColumnData::F64(v) => v[i].into(),
                ColumnData::F32(v) => v[i].into(),
                ColumnData::Text(v) => v[i].clone().into(),
            };
            (c.name.clone(), value)
        });
        serde_json::Value::Object(cells.collect())
    };
    (0..table.n_rows()).map(row).collect()
}

/// Rows by SNR, of cells that come in runs of one star and arm: `head` and a value each.
pub fn by_snr(cells: &[&Cell], snrs: &[f64], value: impl Fn(&Cell) -> String) -> Grid {
    let mut headers = vec!["star".to_owned(), "arm".to_owned()];
    headers.extend(snrs.iter().map(|snr| format!("SNR {snr}")));
    let mut rows: Vec<Vec<String>> = Vec::new();
    for c in cells {
        let start = [c.name, c.arm.name()];
        match rows.last_mut() {
            Some(row) if row[..2] == start => row.push(value(c)),
            _ => rows.push([&start.map(str::to_owned)[..], &[value(c)]].concat()),
        }
    }
    Grid {
        headers,
        rows,
        ..Grid::default()
    }
}

/// A figure that could not be drawn as an error of this crate.
///
/// # Errors
/// [`Error::Io`] with what the drawing said.
pub fn drawn<T>(dir: &Path, drawn: Drawn<T>) -> Result<T> {
    drawn.map_err(|e| {
        let detail = std::io::Error::other(format!("a figure cannot be drawn: {e}"));
        Error::io(dir, detail)
    })
}

/// Colours of up to seven series, from hot to cool; colour-blind readers can tell neighbours apart (Okabe & Ito, Tol).
pub const SERIES: [RGBColor; 7] = [
    RGBColor(0x33, 0x22, 0x88),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x88, 0x22, 0x55),
];
