//! FITS binary tables, written in safe Rust.
//!
//! Not through cfitsio: its Rust crate has no safe call that writes truth values, and cfitsio writes column by
//! column with seeks. A table of scalars is a header and rows of big-endian values (FITS standard 4.0, 7.3);
//! the tests read what is written here with cfitsio.

use std::io::Write;
use std::path::Path;

use super::header::{BLOCK, HeaderText, ascii};
use super::{Column, ColumnData, Table};
use crate::{Error, Result};

/// Widest text column in bytes: a stray long text would otherwise widen every row of the table.
const MAX_TEXT_WIDTH: usize = 1 << 16;

/// Writes the table; see [`Table::write`].
pub(super) fn write(table: &Table, path: &Path, out: &mut (dyn Write + Send)) -> Result<()> {
    let widths = table
        .columns
        .iter()
        .map(width)
        .collect::<Result<Vec<usize>>>()?;
    let row_bytes: usize = widths.iter().sum();
    if table.columns.len() > 999 {
        return Err(Error::Config(format!(
            "{}: FITS allows 999 columns, found {}",
            path.display(),
            table.columns.len()
        )));
    }

    let mut primary = HeaderText::default();
    primary.logical("SIMPLE", true, "FITS standard 4.0");
    primary.int("BITPIX", 8, "no data in this HDU");
    primary.int("NAXIS", 0, "no data in this HDU");
    primary.logical("EXTEND", true, "a table follows");
    let failed = |e| Error::io(path, e);
    out.write_all(&primary.finish()).map_err(failed)?;
    out.write_all(&table_header(table, &widths, row_bytes, path))
        .map_err(failed)?;

    let n_rows = table.n_rows();
    let mut row = Vec::with_capacity(row_bytes);
    for i in 0..n_rows {
        row.clear();
        for (column, &width) in table.columns.iter().zip(&widths) {
            push_cell(&mut row, &column.data, i, width);
        }
        out.write_all(&row).map_err(failed)?;
    }
    let used = (n_rows * row_bytes) % BLOCK;
    if used > 0 {
        out.write_all(&vec![0; BLOCK - used]).map_err(failed)?;
    }
    Ok(())
}

fn table_header(table: &Table, widths: &[usize], row_bytes: usize, path: &Path) -> Vec<u8> {
    let mut header = HeaderText::default();
    header.text("XTENSION", "BINTABLE", "binary table");
    header.int("BITPIX", 8, "bytes");
    header.int("NAXIS", 2, "rows of bytes");
    header.int("NAXIS1", row_bytes as u64, "bytes in a row");
    header.int("NAXIS2", table.n_rows() as u64, "rows");
    header.int("PCOUNT", 0, "");
    header.int("GCOUNT", 1, "");
    header.int("TFIELDS", table.columns.len() as u64, "columns");
    let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("table");
    header.text("EXTNAME", name, "");
    for (i, (column, width)) in table.columns.iter().zip(widths).enumerate() {
        let n = i + 1;
        header.text(&format!("TTYPE{n}"), &column.name, &column.meaning);
        let form = match column.data {
            ColumnData::Text(_) => format!("{width}A"),
            ColumnData::I64(_) => "K".to_owned(),
            ColumnData::I32(_) => "J".to_owned(),
            ColumnData::F64(_) => "D".to_owned(),
            ColumnData::F32(_) => "E".to_owned(),
            ColumnData::Bool(_) => "L".to_owned(),
        };
        header.text(&format!("TFORM{n}"), &form, "");
        if !column.unit.is_empty() {
            header.text(&format!("TUNIT{n}"), &column.unit, "");
        }
        if !column.meaning.is_empty() {
            header.text(&format!("TCOMM{n}"), &column.meaning, "");
        }
    }
    header.finish()
}

/// Bytes of one value.
fn width(column: &Column) -> Result<usize> {
    Ok(match &column.data {
        ColumnData::Text(values) => {
            let width = values.iter().map(|v| ascii(v).len()).max().unwrap_or(0);
            if width > MAX_TEXT_WIDTH {
                return Err(Error::Config(format!(
                    "column {}: a text of {width} bytes does not fit in FITS (at most {MAX_TEXT_WIDTH})",
                    column.name
                )));
            }
            width.max(1)
        }
        ColumnData::I64(_) | ColumnData::F64(_) => 8,
        ColumnData::I32(_) | ColumnData::F32(_) => 4,
        ColumnData::Bool(_) => 1,
    })
}

fn push_cell(row: &mut Vec<u8>, data: &ColumnData, i: usize, width: usize) {
    match data {
        ColumnData::Text(v) => {
            let start = row.len();
            row.extend_from_slice(ascii(&v[i]).as_bytes());
            row.resize(start + width, b' ');
        }
        ColumnData::I64(v) => row.extend_from_slice(&v[i].to_be_bytes()),
        ColumnData::I32(v) => row.extend_from_slice(&v[i].to_be_bytes()),
        ColumnData::F64(v) => row.extend_from_slice(&one_nan(v[i]).to_be_bytes()),
        ColumnData::F32(v) => {
            let x = if v[i].is_nan() { f32::NAN } else { v[i] };
            row.extend_from_slice(&x.to_be_bytes());
        }
        ColumnData::Bool(v) => row.push(if v[i] { b'T' } else { b'F' }),
    }
}

/// NaN has many bit patterns, and which one a computation gives differs between machines.
fn one_nan(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}
