//! The format of a table, by the ending of its file's name.

use std::path::Path;

use crate::{Error, Result};

/// Format of a table file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Fits,
    Csv,
    Parquet,
    Mrt,
    Votable,
}

impl Format {
    /// Format by the ending of the name of a file that is read: `.ecsv`, `.vot`, `.votable`, `.xml` and a further `.gz` are
    /// allowed.
    pub(super) fn to_read(path: &Path) -> Result<Self> {
        let has_ending = |path: &Path, ending| {
            path.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case(ending))
        };
        let inner = if has_ending(path, "gz") {
            path.with_extension("")
        } else {
            path.to_owned()
        };
        if has_ending(&inner, "ecsv") {
            return Ok(Format::Csv);
        }
        if ["vot", "votable", "xml"]
            .iter()
            .any(|e| has_ending(&inner, e))
        {
            return Ok(Format::Votable);
        }
        Self::of(&inner)
    }

    /// Format by the ending of the file's name.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        match ending.to_ascii_lowercase().as_str() {
            "fits" | "fit" => Ok(Format::Fits),
            "csv" => Ok(Format::Csv),
            "parquet" => Ok(Format::Parquet),
            "mrt" => Ok(Format::Mrt),
            _ => Err(Error::Config(format!(
                "{}: expected a table's name to end in .fits, .csv or .parquet (.mrt to write, .ecsv and .vot to read), found {:?}",
                path.display(),
                ending
            ))),
        }
    }
}
