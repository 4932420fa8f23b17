//! Reading tables that relrv or others wrote.

use std::path::Path;

use super::format::Format;
use super::outcome::ReadTable;
use super::{Table, csv, fits, parquet, votable};
use crate::Result;

impl Table {
    /// Reads the file and lists the columns that a table cannot hold; see [`Table::read`].
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_noting(path: &Path) -> Result<ReadTable> {
        let mut read = match Format::to_read(path)? {
            Format::Fits => fits::read::read(path)?,
            Format::Csv => csv::read::read(path)?,
            Format::Parquet => parquet::read::read(path)?,
            Format::Votable => votable::read::read(path)?,
            Format::Mrt => {
                return Err(crate::Error::Config(format!(
                    "{}: .mrt tables are written only; .fits, .csv and .parquet are read",
                    path.display()
                )));
            }
        };
        read.part_names();
        read.table
            .check()
            .map_err(|e| crate::Error::format(path, e.to_string()))?;
        Ok(read)
    }

    /// Reads a table in the format that the ending of its name tells: `.fits`, `.csv`, `.ecsv`, `.parquet`, `.vot` (`.votable`,
    /// `.xml`), each of them also inside gzip, whether the name ends in `.gz` or not.
    ///
    /// - FITS: the first table, binary or in ASCII; scalars of the formats A, L, B, I, J, K, E, D. Integers with a fractional
    ///   TSCAL/TZERO become floats; unsigned ones beyond 2^63 become text.
    /// - CSV: a header line; each column is integers, floats, truth values or text, whichever its cells all are, those
    ///   without a value aside. Digits with leading zeros or a plus are text, and so are
    ///   integers that do not fit 64 bits. A column without a name is called `col1`, `col2`, ... by its place. UTF-8 or
    ///   UTF-16. In ECSV the header's types and units count.
    /// - Parquet: top-level columns of primitive type. Decimals become integers or floats where nothing is lost, else
    ///   text; times become text (ISO 8601), 16-bit floats become 32-bit ones, unsigned integers beyond 2^63 become text.
    ///
    /// - VOTable: the first table with FIELDs, in TABLEDATA, BINARY or BINARY2.
    ///
    /// Columns that hold vectors or nested values are left out: [`Table::read_noting`] lists them.
    ///
    /// # Errors
    /// [`crate::Error::Io`], or [`crate::Error::Format`] naming file, HDU or line, column and row.
    pub fn read(path: &Path) -> Result<Table> {
        Ok(Self::read_noting(path)?.table)
    }
}
