//! Reading tables that relrv or others wrote.

use std::path::Path;

use super::write::Format;
use super::{Table, csv_read, fits_read, parquet_read};
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
        let read = match Format::to_read(path)? {
            Format::Fits => fits_read::read(path)?,
            Format::Csv => csv_read::read(path)?,
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

    /// Reads a table by the ending of its name: `.fits`, `.csv`, `.ecsv`, `.parquet`, each of them also inside gzip,
    /// whether the name ends in `.gz` or not.
    ///
    /// - FITS: the first binary table; scalars of the formats A, L, B, I, J, K, E, D. Integers with a fractional
    ///   TSCAL/TZERO become floats; unsigned ones beyond 2^63 become text.
    /// - CSV: a header line; each column is integers, floats, truth values or text, whichever its cells all are, those
    ///   without a value ([`super::is_missing`]) aside. Digits with leading zeros or a plus are text, and so are
    ///   integers that do not fit 64 bits. A column without a name is called `col1`, `col2`, ... by its place. UTF-8 or
    ///   UTF-16. In ECSV the header's types and units count.
    /// - Parquet: top-level columns of primitive type. Decimals become integers or floats where nothing is lost, else
    ///   text; times become text (ISO 8601), floats of 16 bits such of 32, unsigned integers beyond 2^63 text.
    ///
    /// Columns that hold vectors or nested values are left out: [`Table::read_noting`] lists them.
    ///
    /// # Errors
    /// [`crate::Error::Io`], or [`crate::Error::Format`] naming file, HDU or line, column and row.
    pub fn read(path: &Path) -> Result<Table> {
        Ok(Self::read_noting(path)?.table)
    }
}
