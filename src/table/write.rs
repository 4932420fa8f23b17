//! Writing a table whole or not at all, in the format its file name asks for.

use std::io::Write;
use std::path::Path;

use super::format::Format;
use super::{About, Pieces, Table, csv, fits, mrt, parquet};
use crate::files::whole::{Prepared, directory_of, or_here};
use crate::{Error, Result};

impl Table {
    /// Checks, before any work is done, that [`Table::write`] knows the ending of `path` and can make a file there.
    /// Leaves nothing behind.
    ///
    /// # Errors
    /// [`Error::Config`] for an ending that is no format's, [`Error::Io`] for a place that cannot be written.
    pub fn check_path(path: &Path) -> Result<()> {
        if path.is_dir() {
            return Err(Error::Config(format!(
                "{}: expected the name of a file for the table, such as {}, found a directory",
                path.display(),
                path.join("velocities.fits").display()
            )));
        }
        Format::of(path)?;
        // Missing directories will be made: the nearest one that exists must allow it.
        let mut dir = directory_of(path);
        while std::fs::symlink_metadata(dir).is_err()
            && let Some(parent) = dir.parent()
        {
            dir = or_here(parent);
        }
        tempfile::tempfile_in(dir).map_err(|e| Error::io(dir, e))?;
        Ok(())
    }

    /// Whether the ending of a file's name is that of a table that can be read.
    pub fn is_table(path: &Path) -> bool {
        !matches!(Format::to_read(path), Err(_) | Ok(Format::Mrt))
    }

    /// Writes the table by the ending of `path`: `.fits`, `.csv`, `.parquet` or `.mrt`.
    ///
    /// The directory is made if missing. The file appears under its name only when it is whole (it is
    /// written beside it and renamed), and the same table always gives the same bytes.
    ///
    /// - FITS: one binary table named after the file, the program's version in `CREATOR`, units in `TUNITn`, meanings in `TCOMMn`, nulls as `TNULLn` or
    ///   zero bytes; text is ASCII, other characters are written as `\u{...}` and the column marked with `TESCn = T`.
    /// - CSV: a header line with the names, an empty cell for NaN and nulls, floats with the fewest digits that read
    ///   back the same. No units: readers stumble over comment lines.
    /// - Parquet: nulls, also for a float's NaN; units and meanings are in the key `table_meta_yaml` (as JSON, which is
    ///   YAML: astropy reads it) and in `IVOA.VOTable-Parquet.content` (TOPCAT reads it).
    ///
    /// - MRT: fixed-width text after a byte-by-byte description (CDS, AAS journals), blank for NaN; floats are rounded.
    ///
    /// # Errors
    /// [`Error::Config`] for another ending, [`Error::Format`] for columns of unequal length or repeated names; [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        self.prepare(path)?.persist()
    }

    /// Writes the table under a temporary name. The file is whole then, and gets its name by `persist`.
    ///
    /// # Errors
    /// As [`Table::write`].
    pub fn prepare(&self, path: &Path) -> Result<Prepared> {
        prepare(self, path, &About::default())
    }
}

/// As [`Table::prepare`], of a table that is made some rows at a time, with what is known of it beside.
///
/// # Errors
/// As [`Table::write`].
pub fn prepare(table: &dyn Pieces, path: &Path, about: &About) -> Result<Prepared> {
    let format = Format::of(path)?;
    let named = |e| match e {
        Error::Table(message) => Error::format(path, message),
        other => other,
    };
    let write = |out: &mut (dyn Write + Send)| match format {
        Format::Fits => fits::write::write(table, path, out, about),
        Format::Csv => csv::write::write(table, path, out),
        Format::Parquet => parquet::write::write(table, path, out),
        Format::Mrt => mrt::write(table, path, out),
        Format::Votable => Err(Error::Config(format!(
            "{}: VOTables are read only",
            path.display()
        ))),
    };
    Prepared::new(path, |out| write(out).map_err(named))
}
