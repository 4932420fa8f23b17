//! Reading CSV: names, then a line per row; with or without an ECSV header above.

use std::path::Path;

use super::ecsv::{self, Head};
use super::quotes::CheckQuotes;
use crate::table::cells::Cells;
use crate::table::formula::unguard;
use crate::table::outcome::{ReadTable, Skipped};
use crate::table::words::{is_missing, number, parse_bool, parse_float, parse_int};
use crate::table::yaml_meta::ColumnMeta;
use crate::table::{Column, ColumnData, Table, free_name, source};
use crate::{Error, Result};

/// What the cells of a column seen so far can be.
#[derive(Clone, Copy)]
struct Guess {
    bool_: bool,
    int: bool,
    float: bool,
    any: bool,
}

impl Guess {
    const FRESH: Self = Guess {
        bool_: true,
        int: true,
        float: true,
        any: false,
    };

    fn see(&mut self, cell: &str) {
        if is_missing(cell) {
            return;
        }
        self.any = true;
        self.bool_ = self.bool_ && parse_bool(cell).is_some();
        self.int = self.int && parse_int(cell).is_some();
        self.float = self.float && parse_float(cell).is_some();
    }

    fn data(self) -> ColumnData {
        if !self.any {
            // A column with nothing but missing cells is one of floats.
            ColumnData::F64(Vec::new())
        } else if self.int {
            ColumnData::I64(Vec::new())
        } else if self.float {
            ColumnData::F64(Vec::new())
        } else if self.bool_ {
            ColumnData::Bool(Vec::new())
        } else {
            ColumnData::Text(Vec::new())
        }
    }
}

/// Reads the file twice: once to find each column's type, once for the values, so that memory holds the result only.
pub(in crate::table) fn read(path: &Path) -> Result<ReadTable> {
    let (head, names, guesses) = scan(path)?;
    let told: Vec<Option<&ColumnMeta>> = names.iter().map(|name| head.meta.column(name)).collect();
    let mut skipped = Vec::new();
    let mut cells: Vec<Option<Cells>> = Vec::new();
    for ((name, guess), told) in names.iter().zip(&guesses).zip(&told) {
        let data = match told.map_or(Ok(None), told_type) {
            Ok(data) => Some(data.unwrap_or_else(|| guess.data())),
            Err(reason) => {
                skipped.push(Skipped {
                    column: name.clone(),
                    reason,
                });
                None
            }
        };
        cells.push(data.map(Cells::new));
    }
    let mut lines = Lines::open(path)?;
    while lines.next_row(names.len())? {
        for (i, (cell, column)) in lines.record.iter().zip(&mut cells).enumerate() {
            let Some(column) = column else { continue };
            if !push(column, cell) {
                let message = match told[i] {
                    Some(told) => format!(
                        "line {}, column {}: expected {} as the header says, found {cell:?}",
                        lines.line(),
                        names[i],
                        told.datatype
                    ),
                    None => "the file changed while it was read".to_owned(),
                };
                return Err(Error::format(path, message));
            }
        }
    }
    let mut columns = Vec::new();
    for ((name, cells), told) in names.iter().zip(cells).zip(&told) {
        if let Some(cells) = cells {
            let (data, nulls) = cells.finish();
            let column = Column {
                name: name.clone(),
                unit: told.map_or_else(String::new, |told| told.unit.clone()),
                meaning: told.map_or_else(String::new, |told| told.description.clone()),
                ucd: String::new(),
                data,
                nulls,
                width: None,
            };
            columns.push(column.with_width(told.and_then(|told| told.width())));
        }
    }
    let mut table = Table {
        columns,
        times: Vec::new(),
    };
    head.meta.apply_masks(&mut table);
    Ok(ReadTable::new(table, skipped))
}

/// Type by an ECSV header, None where it tells none that is known; an error is the reason why the column is left out.
fn told_type(told: &ColumnMeta) -> std::result::Result<Option<ColumnData>, String> {
    if !told.subtype.is_empty() {
        return Err(format!(
            "a column of {} in cells of {}; one number or text in each row would serve",
            told.subtype, told.datatype
        ));
    }
    Ok(match told.datatype.as_str() {
        "bool" => Some(ColumnData::Bool(Vec::new())),
        "int8" | "int16" | "int32" | "uint8" | "uint16" => Some(ColumnData::I32(Vec::new())),
        "int64" | "uint32" | "uint64" => Some(ColumnData::I64(Vec::new())),
        "float16" | "float32" => Some(ColumnData::F32(Vec::new())),
        "float64" | "float128" => Some(ColumnData::F64(Vec::new())),
        "string" => Some(ColumnData::Text(Vec::new())),
        complex if complex.starts_with("complex") => {
            return Err("complex numbers; one number in each row would serve".to_owned());
        }
        _ => None,
    })
}

/// Takes a cell; false if the column cannot hold it.
fn push(cells: &mut Cells, cell: &str) -> bool {
    let word = cell.trim();
    let is_text = matches!(cells.data, ColumnData::Text(_));
    if !is_text && is_missing(word) {
        cells.push_null();
        return true;
    }
    let taken = match &mut cells.data {
        ColumnData::Text(v) => keep(v, Some(unguard(cell).to_owned())),
        ColumnData::Bool(v) => keep(v, parse_bool(word)),
        ColumnData::I32(v) => keep(v, word.parse().ok()),
        ColumnData::I64(v) => keep(v, word.parse().ok()),
        ColumnData::F64(v) => keep(v, number(word)),
        ColumnData::F32(v) => keep(v, word.parse().ok()),
    };
    if !taken && matches!(cells.data, ColumnData::I64(_)) && word.parse::<u64>().is_ok() {
        // An unsigned integer beyond 2^63 does not fit, and is kept as text.
        cells.turn_to_text();
        return push(cells, word);
    }
    taken
}

fn keep<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let is_some = value.is_some();
    values.extend(value);
    is_some
}

/// What is above the rows, the columns' names and what their cells can be.
fn scan(path: &Path) -> Result<(Head, Vec<String>, Vec<Guess>)> {
    let mut lines = Lines::open(path)?;
    let names = named(std::mem::take(&mut lines.names));
    let mut guesses = vec![Guess::FRESH; names.len()];
    while lines.next_row(names.len())? {
        if lines.record.len() != names.len() {
            return Err(Error::format(
                path,
                format!(
                    "line {}: expected {} cells like the header, found {}",
                    lines.line(),
                    names.len(),
                    lines.record.len()
                ),
            ));
        }
        for (cell, guess) in lines.record.iter().zip(&mut guesses) {
            guess.see(cell.trim());
        }
    }
    Ok((lines.head, names, guesses))
}

/// Columns without a name (pandas writes its row numbers so) get one that no other has.
fn named(mut names: Vec<String>) -> Vec<String> {
    for i in 0..names.len() {
        if names[i].is_empty() {
            names[i] = free_name(&format!("col{}", i + 1), |name| {
                names.iter().any(|n| n.eq_ignore_ascii_case(name))
            });
        }
    }
    names
}

/// The lines of a file, the names taken off.
struct Lines<'a> {
    path: &'a Path,
    head: Head,
    names: Vec<String>,
    reader: ::csv::Reader<CheckQuotes<Box<dyn std::io::BufRead>>>,
    record: ::csv::StringRecord,
}

impl<'a> Lines<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let mut input = source::open_text(path)?;
        let mut head = ecsv::take_head(&mut *input, path)?;
        let names = head.names.take();
        let input = CheckQuotes::new(input, head.delimiter, head.n_lines + 1);
        let reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(head.delimiter)
            .from_reader(input);
        let mut lines = Lines {
            path,
            head,
            names: Vec::new(),
            reader,
            record: ::csv::StringRecord::new(),
        };
        lines.names = match names {
            Some(names) => names,
            None => {
                if !lines.next()? {
                    return Err(Error::format(
                        path,
                        "expected a header line with the names of the columns, found an empty file",
                    ));
                }
                lines
                    .record
                    .iter()
                    .map(|name| unguard(name.trim()).to_owned())
                    .collect()
            }
        };
        Ok(lines)
    }

    /// The next line that is not blank; false at the end.
    fn next_row(&mut self, n_columns: usize) -> Result<bool> {
        while self.next()? {
            let is_blank =
                n_columns > 1 && self.record.len() == 1 && self.record[0].trim().is_empty();
            if !is_blank {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Line of the file in which the last record began.
    fn line(&self) -> u64 {
        self.record.position().map_or(0, |p| p.line()) + self.head.n_lines
    }

    fn next(&mut self) -> Result<bool> {
        self.reader.read_record(&mut self.record).map_err(|e| {
            let line = e.position().map_or(0, |p| p.line()) + self.head.n_lines;
            match e.into_kind() {
                ::csv::ErrorKind::Io(e) => Error::io(self.path, e),
                ::csv::ErrorKind::Utf8 { .. } => Error::format(
                    self.path,
                    format!("line {line}: expected UTF-8 text, found other bytes; saved as UTF-8 it would serve"),
                ),
                _ => Error::format(self.path, format!("line {line}: expected a line of cells")),
            }
        })
    }
}
