//! The directory of `relrv calibrate`: whose it is, and how products take the place of older ones.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::calibrate_columns::ColumnArgs;
use crate::calibrate::arms::CalibrateOptions;
use crate::files::page_files::refuse_unmarked;
use crate::files::same_file;
use crate::files::whole::Prepared;
use crate::files::workplace::{self, Note, Noted, Which, Workplace};
use crate::run::differences;
use crate::{Error, Result};

const COMMAND: &str = "calibrate";
/// Tables, without their endings.
const TABLES: [&str; 5] = ["zeropoints", "components", "stars", "fibres", "calibrated"];
/// Formats that they can have.
pub const FORMATS: [&str; 3] = ["fits", "csv", "parquet"];
/// What vouches for them.
pub const SUMMARY: &str = "calibration.json";
/// The page.
pub const PAGE: &str = "calibration.html";

/// Every file that a calibration into `dir` may write.
pub fn outputs(dir: &Path) -> Vec<PathBuf> {
    let tables = table_names(&FORMATS);
    let all = tables.into_iter().chain([PAGE, SUMMARY].map(str::to_owned));
    all.map(|name| dir.join(name)).collect()
}

fn table_names(formats: &[&str]) -> Vec<String> {
    let of = |table: &str| formats.iter().map(|f| format!("{table}.{f}")).collect();
    TABLES
        .iter()
        .flat_map(|t| -> Vec<String> { of(t) })
        .collect()
}

/// What the directory is asked to hold.
pub struct Asked<'a> {
    /// The table that is calibrated.
    pub table: &'a Path,
    /// The directory.
    pub out: &'a Path,
    /// Formats of the tables.
    pub format: &'a [String],
    /// Whatever it holds may be replaced.
    pub overwrite: bool,
    /// Columns and unit by name, and known constants.
    pub columns: &'a ColumnArgs,
}

/// A directory that this calibration alone writes to.
#[derive(Debug)]
pub struct CalibrateDir {
    place: Workplace,
    note: Note,
    /// Tables, and the page, that an older calibration may have written.
    older: Vec<String>,
}

impl CalibrateDir {
    /// Takes the directory, making it if missing. Products stay as they are.
    ///
    /// # Errors
    /// [`Error::OutputIsInput`]; [`Error::Occupied`] if it belongs to another command, if another program works in it, or if it
    /// holds another calibration or files of these names and `--overwrite` is not given; [`Error::InTheWay`], [`Error::Io`].
    pub fn open(asked: &Asked<'_>, config: &CalibrateOptions) -> Result<Self> {
        let dir = asked.out;
        let list = asked.columns.constants.as_deref();
        same_file::refuse_inputs(outputs(dir), [asked.table].into_iter().chain(list))?;
        workplace::refuse_others(dir, COMMAND)?;
        workplace::refuse_folders(outputs(dir))?;
        let note = Note {
            command: COMMAND.to_owned(),
            settings: settings(asked, config)?,
            ..Note::default()
        };
        older(asked, &note)?;
        let place = Workplace::open(dir, COMMAND, &[])?;
        let older = older(asked, &note)?;
        Ok(CalibrateDir { place, note, older })
    }

    /// Path of a product.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.dir().join(name)
    }

    /// Puts products in the place of those that are there, the summary last; other products of an older calibration go.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn replace(self, products: Vec<(String, Prepared)>, summary: Prepared) -> Result<()> {
        workplace::remove(&self.path(SUMMARY))?;
        let names: HashSet<&String> = products.iter().map(|(name, _)| name).collect();
        for name in self.older.iter().filter(|name| !names.contains(name)) {
            workplace::remove(&self.path(name))?;
        }
        self.place.write_note(Which::Config, &self.note)?;
        for (_, product) in products {
            product.persist()?;
        }
        summary.persist()
    }
}

/// Everything that the products depend on beside the table's content.
fn settings(asked: &Asked<'_>, config: &CalibrateOptions) -> Result<Map<String, Value>> {
    let place = std::path::absolute(asked.table).unwrap_or_else(|_| asked.table.to_owned());
    let mut formats = asked.format.to_vec();
    formats.sort();
    formats.dedup();
    let mut all = json!({
        "relrv": env!("CARGO_PKG_VERSION"),
        "table": place.display().to_string(),
        "format": formats,
        "calibration": config,
    });
    // Those that were not given are not there, as in notes of earlier versions.
    if let Some(all) = all.as_object_mut() {
        all.extend(asked.columns.settings());
    }
    // Through text, so that it is equal to what was read from a file.
    serde_json::from_str(&all.to_string()).map_err(|e| Error::Config(format!("settings: {e}")))
}

/// Products of the calibration that the directory holds; refuses what may not be replaced.
fn older(asked: &Asked<'_>, note: &Note) -> Result<Vec<String>> {
    let dir = asked.out;
    let found = workplace::read_note(dir, Which::Config)?;
    let refused = match &found {
        _ if asked.overwrite => None,
        Noted::Note(old) if old.settings == note.settings => None,
        Noted::Note(old) => Some(differences(&old.settings, &note.settings)),
        Noted::Damaged(what) => Some(vec![what.clone()]),
        Noted::Nothing => match outputs(dir).into_iter().find(|path| path.exists()) {
            None => None,
            Some(path) => {
                return Err(Error::Occupied(format!(
                    "{} is there already, and nothing tells that relrv calibrate wrote it: choose another directory, or replace it with --overwrite",
                    path.display()
                )));
            }
        },
    };
    // Versions before had no page, so a note of theirs vouches for none.
    if !asked.overwrite && refused.is_none() {
        refuse_unmarked(&dir.join(PAGE))?;
    }
    if let Some(lines) = refused {
        return Err(Error::Occupied(format!(
            "{} holds another calibration:\n  {}\nchoose another directory, or replace it with --overwrite",
            dir.display(),
            lines.join("\n  ")
        )));
    }
    Ok(match found {
        Noted::Note(old) => {
            let formats = old.settings.get("format").and_then(Value::as_array);
            let formats: Vec<&str> = formats
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .filter(|format| FORMATS.contains(format))
                .collect();
            let mut names = table_names(&formats);
            names.push(PAGE.to_owned());
            names
        }
        _ => Vec::new(),
    })
}
