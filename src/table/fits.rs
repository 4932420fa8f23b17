//! FITS binary tables, written in safe Rust.
//!
//! Not through cfitsio: its Rust crate has no safe call that writes truth values, and cfitsio writes column by
//! column with seeks. A table of scalars is a header and rows of big-endian values (FITS standard 4.0, 7.3);
//! the tests read what is written here with cfitsio.

use std::io::Write;
use std::path::Path;

use super::escape::{ascii, is_plain};
use super::header::{BLOCK, HeaderText};
use super::{Column, ColumnData, Table};
use crate::{Error, Result};

/// Widest text column in bytes: a stray long text would otherwise widen every row of the table.
const MAX_TEXT_WIDTH: usize = 1 << 16;

/// Writes the table; see [`Table::write`].
pub(super) fn write(table: &Table, path: &Path, out: &mut (dyn Write + Send)) -> Result<()> {
    let widths = table
        .columns
        .iter()
        .map(|column| width(column, path))
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
    let marks: Vec<Option<i64>> = table.columns.iter().map(null_mark).collect();
    out.write_all(&table_header(table, &widths, &marks, path))
        .map_err(failed)?;

    let n_rows = table.n_rows();
    let mut row = Vec::with_capacity(row_bytes);
    for i in 0..n_rows {
        row.clear();
        for ((column, &width), &mark) in table.columns.iter().zip(&widths).zip(&marks) {
            if column.nulls.as_ref().is_some_and(|nulls| nulls[i]) {
                push_null(&mut row, &column.data, mark, width);
            } else {
                push_cell(&mut row, &column.data, i, width);
            }
        }
        out.write_all(&row).map_err(failed)?;
    }
    let used = (n_rows * row_bytes) % BLOCK;
    if used > 0 {
        out.write_all(&vec![0; BLOCK - used]).map_err(failed)?;
    }
    Ok(())
}

fn table_header(table: &Table, widths: &[usize], marks: &[Option<i64>], path: &Path) -> Vec<u8> {
    let row_bytes: usize = widths.iter().sum();
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
    let times: Vec<_> = table
        .times
        .iter()
        .filter(|time| table.column(time.column).is_some())
        .collect();
    // The scale and place of what has none of its own; each column of dates has (FITS standard 4.0, section 9).
    if let Some(last) = times.last() {
        header.text("TIMESYS", last.scale, "time scale");
        header.text("TREFPOS", last.position, "where the times are those of");
        header.text("TIMEUNIT", "d", "unit of times");
        header.real("JDREF", 0.0, "times are Julian dates");
    }
    for (i, ((column, width), mark)) in table.columns.iter().zip(widths).zip(marks).enumerate() {
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
        if let Some(time) = times.iter().find(|time| time.column == column.name) {
            header.text(&format!("TCTYP{n}"), time.scale, "time scale");
            header.text(&format!("TCUNI{n}"), "d", "");
            header.text(&format!("TRPOS{n}"), time.position, "");
        }
        if let Some(mark) = mark {
            header.int(&format!("TNULL{n}"), *mark, "stands for no value");
        }
        if is_escaped(column) {
            header.logical(&format!("TESC{n}"), true, "text holds escaped characters");
        }
    }
    header.finish()
}

/// Whether a text of the column, or its name, unit or meaning, holds what FITS does not allow: `TESCn`, which is relrv's
/// own, tells its readers to put the characters back.
fn is_escaped(column: &Column) -> bool {
    let about = [&column.name, &column.unit, &column.meaning];
    let cells = match &column.data {
        ColumnData::Text(values) => &values[..],
        _ => &[],
    };
    !about.into_iter().chain(cells).all(|text| is_plain(text))
}

/// The integer that stands for a null: the lowest that the column does not hold. None where it needs none.
fn null_mark(column: &Column) -> Option<i64> {
    let nulls = column.nulls.as_ref()?;
    let lowest = match &column.data {
        _ if !nulls.contains(&true) => return None,
        ColumnData::I64(_) => i64::MIN,
        ColumnData::I32(_) => i64::from(i32::MIN),
        _ => return None,
    };
    let value = |row: usize| match &column.data {
        ColumnData::I64(v) => v[row],
        ColumnData::I32(v) => i64::from(v[row]),
        _ => 0,
    };
    // Among one more number than there are rows there is one that no row has.
    let highest = lowest.saturating_add(nulls.len() as i64);
    let used: std::collections::HashSet<i64> = (0..nulls.len())
        .filter(|&row| !nulls[row])
        .map(value)
        .filter(|&x| x <= highest)
        .collect();
    (lowest..=highest).find(|mark| !used.contains(mark))
}

/// Bytes of one value.
fn width(column: &Column, path: &Path) -> Result<usize> {
    Ok(match &column.data {
        ColumnData::Text(values) => {
            let width = values.iter().map(|v| ascii(v).len()).max().unwrap_or(0);
            if width > MAX_TEXT_WIDTH {
                return Err(Error::Config(format!(
                    "{}: column {}: a text of {width} bytes does not fit in FITS (at most {MAX_TEXT_WIDTH})",
                    path.display(),
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

/// A null in the standard's way: TNULLn, byte 0 for truth values and in place of a text's first character.
fn push_null(row: &mut Vec<u8>, data: &ColumnData, mark: Option<i64>, width: usize) {
    let mark = mark.unwrap_or(0);
    match data {
        ColumnData::I64(_) => row.extend_from_slice(&mark.to_be_bytes()),
        ColumnData::I32(_) => row.extend_from_slice(&(mark as i32).to_be_bytes()),
        ColumnData::F64(_) => row.extend_from_slice(&f64::NAN.to_be_bytes()),
        ColumnData::F32(_) => row.extend_from_slice(&f32::NAN.to_be_bytes()),
        ColumnData::Text(_) | ColumnData::Bool(_) => row.resize(row.len() + width, 0),
    }
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
