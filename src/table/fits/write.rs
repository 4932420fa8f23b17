//! FITS binary tables, written in safe Rust: a header and rows of big-endian values (FITS standard 4.0, 7.3), with check sums.
//!
//! Not through cfitsio, which puts the time into its check sums, so that the same table would not give the same bytes; the tests
//! read what is written here with it.

use std::io::Write;
use std::path::Path;

use crate::fits::BLOCK;
use crate::fits::checksum::{Sum, finish_with_sums};
use crate::fits::escape::{ascii, is_plain};
use crate::fits::header_text::HeaderText;
use crate::table::about::CREATOR;
use crate::table::pieces::of_columns;
use crate::table::{About, Column, ColumnData, Pieces, Table, TimeColumn};
use crate::{Error, Result};

/// Widest text column in bytes: a stray long text would otherwise widen every row of the table.
const MAX_TEXT_WIDTH: usize = 1 << 16;

/// Bytes of rows made at a time.
const PIECE_BYTES: usize = 1 << 16;

/// Writes the table; see [`Table::write`].
pub(in crate::table) fn write(
    table: &dyn Pieces,
    path: &Path,
    out: &mut (dyn Write + Send),
    about: &About,
) -> Result<()> {
    let stored = of_columns(table, |column| Stored::of(column, path), Stored::join)?;
    let row_bytes: usize = stored.iter().map(|s| s.bytes).sum();
    if stored.len() > 999 {
        return Err(Error::Table(format!(
            "{}: FITS allows 999 columns, found {}",
            path.display(),
            stored.len()
        )));
    }

    let mut primary = HeaderText::default();
    primary
        .logical("SIMPLE", true, "FITS standard 4.0")
        .integer("BITPIX", 8, "no data in this HDU")
        .integer("NAXIS", 0, "no data in this HDU")
        .logical("EXTEND", true, "a table follows")
        .text("CREATOR", CREATOR, "program and its version");
    // The header comes before the rows and holds their sum: they are made twice, and never held as a whole.
    let mut sum = Sum::default();
    let mut header = None;
    table.each(&mut |piece| {
        header.get_or_insert_with(|| {
            let mut header = table_header(piece, table.n_rows(), &stored, path);
            tell_times(&mut header, piece, about);
            tell_columns(&mut header, piece, &stored);
            for line in &about.history {
                header.history(line);
            }
            header
        });
        rows_of(piece, &stored, |rows| {
            sum.add(rows);
            Ok(())
        })
    })?;
    let failed = |e| Error::io(path, e);
    out.write_all(&finish_with_sums(primary, Sum::default()))
        .map_err(failed)?;
    out.write_all(&finish_with_sums(header.unwrap_or_default(), sum))
        .map_err(failed)?;
    table.each(&mut |piece| rows_of(piece, &stored, |rows| out.write_all(rows).map_err(failed)))?;
    let used = (table.n_rows() * row_bytes) % BLOCK;
    if used > 0 {
        out.write_all(&vec![0; BLOCK - used]).map_err(failed)?;
    }
    Ok(())
}

/// Gives the bytes of a piece's rows, some of them at a time.
fn rows_of(
    table: &Table,
    stored: &[Stored],
    mut take: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut rows = Vec::with_capacity(PIECE_BYTES);
    for i in 0..table.n_rows() {
        for (column, stored) in table.columns.iter().zip(stored) {
            push_cell(&mut rows, column, stored, i);
        }
        if rows.len() >= PIECE_BYTES {
            take(&rows)?;
            rows.clear();
        }
    }
    take(&rows)
}

fn table_header(table: &Table, n_rows: usize, stored: &[Stored], path: &Path) -> HeaderText {
    let row_bytes: usize = stored.iter().map(|s| s.bytes).sum();
    let mut header = HeaderText::default();
    header.text("XTENSION", "BINTABLE", "binary table");
    header.integer("BITPIX", 8, "bytes");
    header.integer("NAXIS", 2, "rows of bytes");
    header.integer("NAXIS1", row_bytes as u64, "bytes in a row");
    header.integer("NAXIS2", n_rows as u64, "rows");
    header.integer("PCOUNT", 0, "");
    header.integer("GCOUNT", 1, "");
    header.integer("TFIELDS", table.columns.len() as u64, "columns");
    let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("table");
    header.text("EXTNAME", name, "");
    header.text("CREATOR", CREATOR, "program and its version");
    header
}

/// The columns of dates that the table has.
fn times(table: &Table) -> Vec<&TimeColumn> {
    let times = table.times.iter();
    times
        .filter(|time| table.column(time.column).is_some())
        .collect()
}

/// TIMESYS and TREFPOS hold for dates that have no scale and place of their own: those of the header. Each column of dates has its own
/// (FITS standard 4.0, section 9).
fn tell_times(header: &mut HeaderText, table: &Table, about: &About) {
    let last = times(table).last().map(|time| (time.scale, time.position));
    let of_dates = about.dates.as_ref().map(|_| ("TDB", "BARYCENTER"));
    if let Some((scale, position)) = of_dates.or(last) {
        header.text("TIMESYS", scale, "time scale");
        header.text("TREFPOS", position, "where the times are those of");
    }
    if last.is_some() {
        header.text("TIMEUNIT", "d", "unit of times");
        header.real("JDREF", 0.0, 1, "times are Julian dates");
    }
    if let Some((first, last)) = &about.dates {
        header.text("DATE-BEG", first, "middle of the first exposure");
        header.text("DATE-END", last, "middle of the last exposure");
    }
}

fn tell_columns(header: &mut HeaderText, table: &Table, stored: &[Stored]) {
    let times = times(table);
    for (i, (column, stored)) in table.columns.iter().zip(stored).enumerate() {
        let n = i + 1;
        header.text(&format!("TTYPE{n}"), &column.name, &column.meaning);
        let form = match stored.letter {
            'A' => format!("{}A", stored.bytes),
            letter => letter.to_string(),
        };
        header.text(&format!("TFORM{n}"), &form, "");
        if !column.unit.is_empty() {
            header.text(&format!("TUNIT{n}"), &column.unit, "");
        }
        if !column.meaning.is_empty() {
            header.text(&format!("TCOMM{n}"), &column.meaning, "");
        }
        // Not in the standard, and what TOPCAT and the large catalogues write.
        if !column.ucd.is_empty() {
            header.text(&format!("TUCD{n}"), &column.ucd, "");
        }
        if let Some(time) = times.iter().find(|time| time.column == column.name) {
            header.text(&format!("TCTYP{n}"), time.scale, "time scale");
            header.text(&format!("TCUNI{n}"), "d", "");
            header.text(&format!("TRPOS{n}"), time.position, "");
        }
        if stored.zero != 0 {
            header.integer(
                &format!("TZERO{n}"),
                stored.zero,
                "is added to what is stored",
            );
        }
        if let Some(mark) = stored.null {
            header.integer(&format!("TNULL{n}"), mark, "stands for no value");
        }
        if stored.is_escaped {
            header.logical(&format!("TESC{n}"), true, "text holds escaped characters");
        }
    }
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

/// How a column's values are stored.
struct Stored {
    letter: char,
    bytes: usize,
    /// TZERO of integers.
    zero: i128,
    /// The stored integer that stands for a null.
    null: Option<i64>,
    /// A text of it holds characters that FITS does not allow.
    is_escaped: bool,
}

impl Stored {
    fn of(column: &Column, path: &Path) -> Result<Self> {
        let (letter, bytes, zero) = match &column.data {
            ColumnData::Text(values) => ('A', text_bytes(column, values, path)?, 0),
            ColumnData::I64(_) => ('K', 8, 0),
            ColumnData::I32(_) => ('J', 4, 0),
            ColumnData::F64(_) => ('D', 8, 0),
            ColumnData::F32(_) => ('E', 4, 0),
            ColumnData::Bool(_) if column.width.is_some() => ('I', 2, 0),
            ColumnData::Bool(_) => ('L', 1, 0),
        };
        let plain = Stored {
            letter,
            bytes,
            zero,
            null: None,
            is_escaped: is_escaped(column),
        };
        let has_null = column
            .nulls
            .as_ref()
            .is_some_and(|nulls| nulls.contains(&true));
        if let Some(width) = column.kept_width() {
            let (letter, bytes, zero) = width.in_fits();
            let mut narrow = Stored {
                letter,
                bytes,
                zero,
                null: None,
                is_escaped: plain.is_escaped,
            };
            narrow.null = narrow.null_mark(column);
            // All 256 values of a byte may be in use: then it is stored in more of them. So are unsigned ones with nulls:
            // astropy takes TNULL for a value after TZERO, and would show a null as 0.
            if !has_null || (narrow.null.is_some() && zero == 0) {
                return Ok(narrow);
            }
        }
        Ok(Stored {
            null: plain.null_mark(column),
            ..plain
        })
    }

    /// How a column is stored that comes in two parts.
    fn join(self, other: Stored) -> Result<Stored> {
        let is_same = (self.letter, self.zero) == (other.letter, other.zero);
        if !is_same || self.null.is_some() || other.null.is_some() {
            let what = "a table with integers that are missing is written to FITS as a whole only";
            return Err(Error::Table(what.to_owned()));
        }
        Ok(Stored {
            bytes: self.bytes.max(other.bytes),
            is_escaped: self.is_escaped || other.is_escaped,
            ..self
        })
    }

    /// The lowest integer that the column does not store. None where it needs none, or has none.
    fn null_mark(&self, column: &Column) -> Option<i64> {
        let nulls = column
            .nulls
            .as_ref()
            .filter(|nulls| nulls.contains(&true))?;
        let (lowest, highest) = match self.letter {
            'B' => (0, 255),
            'I' => (i64::from(i16::MIN), i64::from(i16::MAX)),
            'J' => (i64::from(i32::MIN), i64::from(i32::MAX)),
            'K' => (i64::MIN, i64::MAX),
            _ => return None,
        };
        // Among n + 1 numbers there is one that none of the n rows has.
        let highest = highest.min(lowest.saturating_add(nulls.len() as i64));
        let used: std::collections::HashSet<i64> = (0..nulls.len())
            .filter(|&row| !nulls[row])
            .map(|row| self.integer(column, row))
            .filter(|&x| x <= highest)
            .collect();
        (lowest..=highest).find(|mark| !used.contains(mark))
    }

    /// An integer as it is stored: without TZERO, or the mark of a null.
    fn integer(&self, column: &Column, row: usize) -> i64 {
        let value = match &column.data {
            ColumnData::I64(v) => v[row],
            ColumnData::I32(v) => i64::from(v[row]),
            ColumnData::Bool(v) => i64::from(v[row]),
            _ => 0,
        };
        // Column::kept_width has seen to it that this fits.
        (i128::from(value) - self.zero) as i64
    }
}

/// Bytes of a cell of text.
fn text_bytes(column: &Column, values: &[String], path: &Path) -> Result<usize> {
    let width = values.iter().map(|v| ascii(v).len()).max().unwrap_or(0);
    if width > MAX_TEXT_WIDTH {
        return Err(Error::Table(format!(
            "{}: column {}: a text of {width} bytes does not fit in FITS (at most {MAX_TEXT_WIDTH})",
            path.display(),
            column.name
        )));
    }
    Ok(width.max(1))
}

/// A null goes in the standard's way: TNULLn, byte 0 for truth values and in place of a text's first character.
fn push_cell(row: &mut Vec<u8>, column: &Column, stored: &Stored, i: usize) {
    let is_null = column.nulls.as_ref().is_some_and(|nulls| nulls[i]);
    let is_verdict = matches!(column.data, ColumnData::Bool(_)) && stored.letter != 'L';
    match &column.data {
        ColumnData::Text(_) | ColumnData::Bool(_) if is_null && !is_verdict => {
            row.resize(row.len() + stored.bytes, 0)
        }
        ColumnData::Text(v) => {
            let start = row.len();
            row.extend_from_slice(ascii(&v[i]).as_bytes());
            row.resize(start + stored.bytes, b' ');
        }
        ColumnData::Bool(v) if !is_verdict => row.push(if v[i] { b'T' } else { b'F' }),
        ColumnData::I64(_) | ColumnData::I32(_) | ColumnData::Bool(_) => {
            let value = match stored.null {
                Some(mark) if is_null => mark,
                _ => stored.integer(column, i),
            };
            let bytes = value.to_be_bytes();
            row.extend_from_slice(&bytes[bytes.len() - stored.bytes..]);
        }
        ColumnData::F64(v) => row.extend_from_slice(&one_nan(v[i]).to_be_bytes()),
        ColumnData::F32(v) => {
            let x = if v[i].is_nan() { f32::NAN } else { v[i] };
            row.extend_from_slice(&x.to_be_bytes());
        }
    }
}

/// NaN has many bit patterns, and which one a computation gives differs between machines.
fn one_nan(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x }
}
