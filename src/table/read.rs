//! Reading tables that relrv or others wrote.

use std::collections::HashMap;
use std::path::Path;

use super::write::Format;
use super::{Table, csv_read, fits_read, free_name, parquet_read};
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
    /// Columns that have another name in it, in sentences for the user.
    pub renamed: Vec<String>,
}

impl ReadTable {
    pub(super) fn new(table: Table, skipped: Vec<Skipped>) -> Self {
        ReadTable {
            table,
            skipped,
            renamed: Vec::new(),
        }
    }

    /// Names that differ in letter case alone (magnitudes `B` and `b`) are one in FITS: the later column gets another.
    /// The same name twice is left to [`Table::check`]: nobody knows which of the two is meant.
    fn part_names(&mut self) {
        let mut seen: HashMap<String, String> = HashMap::new();
        for i in 0..self.table.columns.len() {
            let name = self.table.columns[i].name.clone();
            let lower = name.to_ascii_lowercase();
            match seen.get(&lower) {
                Some(first) if *first != name => {
                    let new = free_name(&format!("{name}_2"), |new| {
                        let mut names = self.table.columns.iter().map(|c| &c.name);
                        names.any(|n| n.eq_ignore_ascii_case(new))
                    });
                    self.renamed.push(format!(
                        "column {name}: kept as {new}, because it differs from {first} in letter case alone"
                    ));
                    self.table.columns[i].name = new;
                }
                Some(_) => {}
                None => {
                    seen.insert(lower, name);
                }
            }
        }
    }
}

impl Table {
    /// Reads the file and lists the columns that a table cannot hold; see [`Table::read`].
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_noting(path: &Path) -> Result<ReadTable> {
        let mut read = match Format::to_read(path)? {
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
        read.part_names();
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
    ///   without a value aside. Digits with leading zeros or a plus are text, and so are
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
