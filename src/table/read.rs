//! Reading tables that relrv or others wrote.

use std::path::Path;

use super::write::Format;
use super::{Table, csv, fits_read, parquet_read};
use crate::Result;

/// A column of a file that has no place in a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Name of the column.
    pub column: String,
    /// What was expected and what was found.
    pub reason: String,
}

/// A table as it was read, with the columns that could not be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadTable {
    /// The table.
    pub table: Table,
    /// Columns that are not in it: vectors, complex numbers, nested ones.
    pub skipped: Vec<Skipped>,
}

impl Table {
    /// Reads the file and lists the columns that a table cannot hold; see [`Table::read`].
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_noting(path: &Path) -> Result<ReadTable> {
        let is_gz = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("gz"));
        let inner = if is_gz {
            path.with_extension("")
        } else {
            path.to_owned()
        };
        let read = match Format::of(&inner)? {
            Format::Fits => fits_read::read(path)?,
            _ if is_gz => {
                return Err(crate::Error::Config(format!(
                    "{}: of compressed tables only .fits.gz is read",
                    path.display()
                )));
            }
            Format::Csv => ReadTable {
                table: csv::read(path)?,
                skipped: Vec::new(),
            },
            Format::Parquet => parquet_read::read(path)?,
            Format::Mrt => {
                return Err(crate::Error::Config(format!(
                    "{}: .mrt tables are written only; .fits, .csv and .parquet are read",
                    path.display()
                )));
            }
        };
        read.table
            .check()
            .map_err(|e| crate::Error::format(path, e.to_string()))?;
        Ok(read)
    }

    /// Reads a table by the ending of its name: `.fits` (or `.fits.gz`), `.csv`, `.parquet`.
    ///
    /// - FITS: the first binary table; scalars of the formats A, L, B, I, J, K, E, D. Integers with TNULL or a
    ///   fractional TSCAL/TZERO become floats, NaN where null.
    /// - CSV: a header line; each column is integers, floats, truth values or text, whichever its cells all are.
    ///   An empty cell is NaN. Numbers with leading zeros are text.
    /// - Parquet: top-level columns of primitive type; integers with nulls become floats.
    ///
    /// Columns that hold vectors or nested values are left out: [`Table::read_noting`] lists them.
    ///
    /// # Errors
    /// [`crate::Error::Io`], or [`crate::Error::Format`] naming file, HDU or line, column and row.
    pub fn read(path: &Path) -> Result<Table> {
        Ok(Self::read_noting(path)?.table)
    }
}
