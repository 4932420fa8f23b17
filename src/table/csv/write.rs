//! Writing CSV: a header line, then a line per row.

use std::io::Write;
use std::path::Path;

use crate::table::formula::guard;
use crate::table::{ColumnData, Pieces, Table};
use crate::{Error, Result};

/// Writes the table; see [`Table::write`].
pub(in crate::table) fn write(
    table: &dyn Pieces,
    path: &Path,
    out: &mut (dyn Write + Send),
) -> Result<()> {
    let failed = |e: ::csv::Error| Error::io(path, std::io::Error::other(e));
    // A lone empty cell must be quoted, or readers take its line for a blank one.
    let mut writer = ::csv::WriterBuilder::new().from_writer(out);
    let mut is_first = true;
    table.each(&mut |piece| {
        piece.check()?;
        if std::mem::take(&mut is_first) {
            let names = piece.columns.iter().map(|c| guard(&c.name).into_owned());
            writer.write_record(names).map_err(failed)?;
        }
        write_rows(piece, &mut writer).map_err(failed)
    })?;
    writer.flush().map_err(|e| Error::io(path, e))
}

fn write_rows<W: Write>(table: &Table, writer: &mut ::csv::Writer<W>) -> ::csv::Result<()> {
    for row in 0..table.n_rows() {
        for column in &table.columns {
            match &column.data {
                ColumnData::Text(v) => writer.write_field(&*guard(&v[row]))?,
                _ => writer.write_field(column.text_at(row))?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}
