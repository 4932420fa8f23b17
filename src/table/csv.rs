//! CSV: a header line, then a line per row.

use std::io::{BufReader, Read, Write};
use std::path::Path;

use super::formula::{guard, unguard};
use super::{Column, ColumnData, Table};
use crate::{Error, Result, regular};

/// The fewest digits that read back the same; the empty text for NaN.
pub(super) fn float_text<T: Into<f64> + std::fmt::Debug + Copy>(x: T) -> String {
    let wide: f64 = x.into();
    if wide.is_nan() {
        String::new()
    } else if wide.is_infinite() {
        if wide > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else {
        // Debug, not Display: it changes to exponents where plain digits would run to hundreds.
        format!("{x:?}")
    }
}

/// Writes the table; see [`Table::write`].
pub(super) fn write(table: &Table, path: &Path, out: &mut (dyn Write + Send)) -> Result<()> {
    let failed = |e: ::csv::Error| Error::io(path, std::io::Error::other(e));
    // A lone empty cell must be quoted, or readers take its line for a blank one.
    let mut writer = ::csv::WriterBuilder::new().from_writer(out);
    writer
        .write_record(table.columns.iter().map(|c| guard(&c.name).into_owned()))
        .map_err(failed)?;
    for row in 0..table.n_rows() {
        for column in &table.columns {
            match &column.data {
                ColumnData::Text(v) => writer.write_field(&*guard(&v[row])),
                data => writer.write_field(data.text_at(row)),
            }
            .map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    writer.flush().map_err(|e| Error::io(path, e))
}

/// What the cells of a column seen so far can be.
#[derive(Clone, Copy)]
struct Guess {
    bool_: bool,
    int: bool,
    float: bool,
    empty: bool,
    any: bool,
}

impl Guess {
    fn see(&mut self, cell: &str) {
        if cell.is_empty() {
            self.empty = true;
            return;
        }
        self.any = true;
        self.bool_ &= parse_bool(cell).is_some();
        self.int &= parse_int(cell).is_some();
        self.float &= parse_float(cell).is_some();
    }

    fn data(self) -> ColumnData {
        if !self.any {
            // Nothing but empty cells: missing floats, if there are rows at all.
            ColumnData::F64(Vec::new())
        } else if self.int && !self.empty {
            ColumnData::I64(Vec::new())
        } else if self.float {
            ColumnData::F64(Vec::new())
        } else if self.bool_ && !self.empty {
            ColumnData::Bool(Vec::new())
        } else {
            ColumnData::Text(Vec::new())
        }
    }
}

fn parse_bool(cell: &str) -> Option<bool> {
    match cell {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// An integer in its usual spelling. `007` and `+7` are names, not numbers: as numbers they would not come back.
fn parse_int(cell: &str) -> Option<i64> {
    let value: i64 = cell.parse().ok()?;
    (value.to_string() == cell).then_some(value)
}

/// A float; the usual words for missing values are NaN. Digits with leading zeros are names.
fn parse_float(cell: &str) -> Option<f64> {
    match cell {
        "" | "nan" | "NaN" | "NAN" | "NA" | "N/A" | "null" | "None" => return Some(f64::NAN),
        _ => {}
    }
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let bytes = digits.as_bytes();
    if bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_digit() {
        return None;
    }
    cell.parse().ok()
}

/// Reads the file twice: once to find each column's type, once for the values, so that memory holds the result only.
pub(super) fn read(path: &Path) -> Result<Table> {
    let (names, guesses) = scan(path)?;
    let mut data: Vec<ColumnData> = guesses.iter().map(|g| g.data()).collect();
    let mut reader = open(path)?;
    let mut record = ::csv::StringRecord::new();
    next(&mut reader, &mut record, path)?; // the header
    while next(&mut reader, &mut record, path)? {
        if is_blank(&record, names.len()) {
            continue;
        }
        for (cell, column) in record.iter().zip(&mut data) {
            let known = match column {
                ColumnData::Text(v) => {
                    v.push(unguard(cell).to_owned());
                    true
                }
                ColumnData::I64(v) => parse_int(cell.trim()).map(|x| v.push(x)).is_some(),
                ColumnData::Bool(v) => parse_bool(cell.trim()).map(|x| v.push(x)).is_some(),
                ColumnData::F64(v) => parse_float(cell.trim()).map(|x| v.push(x)).is_some(),
                ColumnData::I32(_) | ColumnData::F32(_) => false,
            };
            if !known {
                return Err(Error::format(path, "the file changed while it was read"));
            }
        }
    }
    let columns = names
        .into_iter()
        .zip(data)
        .map(|(name, data)| Column {
            name,
            unit: String::new(),
            meaning: String::new(),
            data,
        })
        .collect();
    Ok(Table { columns })
}

/// Names of the columns and what their cells can be.
fn scan(path: &Path) -> Result<(Vec<String>, Vec<Guess>)> {
    let mut reader = open(path)?;
    let mut record = ::csv::StringRecord::new();
    if !next(&mut reader, &mut record, path)? {
        return Err(Error::format(
            path,
            "expected a header line with the names of the columns, found an empty file",
        ));
    }
    let names: Vec<String> = record
        .iter()
        .enumerate()
        .map(|(i, name)| {
            // Spreadsheets put a byte order mark before the first name.
            let name = if i == 0 {
                name.trim_start_matches('\u{feff}')
            } else {
                name
            };
            unguard(name.trim()).to_owned()
        })
        .collect();
    let fresh = Guess {
        bool_: true,
        int: true,
        float: true,
        empty: false,
        any: false,
    };
    let mut guesses = vec![fresh; names.len()];
    while next(&mut reader, &mut record, path)? {
        if is_blank(&record, names.len()) {
            continue;
        }
        if record.len() != names.len() {
            let line = record.position().map_or(0, |p| p.line());
            return Err(Error::format(
                path,
                format!(
                    "line {line}: expected {} cells like the header, found {}",
                    names.len(),
                    record.len()
                ),
            ));
        }
        for (cell, guess) in record.iter().zip(&mut guesses) {
            guess.see(cell.trim());
        }
    }
    Ok((names, guesses))
}

/// A line of nothing but blanks in a table of several columns.
fn is_blank(record: &::csv::StringRecord, n_columns: usize) -> bool {
    n_columns > 1 && record.len() == 1 && record[0].trim().is_empty()
}

fn open(path: &Path) -> Result<::csv::Reader<Box<dyn Read>>> {
    let file = regular::reader(path).map_err(|e| Error::io(path, e))?;
    let file: Box<dyn Read> = Box::new(BufReader::with_capacity(1 << 20, file));
    Ok(::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(file))
}

fn next(
    reader: &mut ::csv::Reader<Box<dyn Read>>,
    record: &mut ::csv::StringRecord,
    path: &Path,
) -> Result<bool> {
    reader.read_record(record).map_err(|e| {
        let line = e.position().map_or(0, |p| p.line());
        match e.into_kind() {
            ::csv::ErrorKind::Io(e) => Error::io(path, e),
            ::csv::ErrorKind::Utf8 { .. } => Error::format(
                path,
                format!("line {line}: expected UTF-8 text, found other bytes"),
            ),
            other => Error::format(path, format!("line {line}: {other:?}")),
        }
    })
}
