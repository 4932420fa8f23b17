//! Reading the first binary table of a FITS file.

use std::io::Read;
use std::path::Path;

use super::cells::Cells;
use super::escape::restore;
use super::header::{BLOCK, Header};
use super::read::{ReadTable, Skipped};
use super::{Column, ColumnData, Table, Width, source};
use crate::{Error, Result};

/// Longest header taken for one, in blocks: 36 000 cards.
const MAX_HEADER_BLOCKS: usize = 1000;
/// Bytes of rows read at a time.
const CHUNK_BYTES: usize = 4 << 20;

/// Reads the first BINTABLE of the file, gzip-compressed or not.
pub(super) fn read(path: &Path) -> Result<ReadTable> {
    let mut input = source::open(path)?;
    let primary = read_header(&mut *input, path, 0)?
        .ok_or_else(|| Error::format(path, "expected a FITS file, found an empty one"))?;
    if primary.int("NAXIS").is_none() {
        return Err(Error::format(
            path,
            "HDU 0: expected a FITS header with NAXIS, found none",
        ));
    }
    skip_data(&mut *input, &primary, path, 0)?;
    for hdu in 1.. {
        let Some(header) = read_header(&mut *input, path, hdu)? else {
            break;
        };
        if header.text("XTENSION") == Some("TABLE") {
            return Err(Error::format(
                path,
                format!(
                    "HDU {hdu}: expected a binary table (BINTABLE), found one in ASCII (TABLE)"
                ),
            ));
        }
        if header.text("XTENSION") == Some("BINTABLE") {
            let read = read_rows(&mut *input, &header, path, hdu)?;
            check_rest(&mut *input, &header, path, hdu)?;
            return Ok(read);
        }
        skip_data(&mut *input, &header, path, hdu)?;
    }
    Err(Error::format(
        path,
        "expected a binary table (BINTABLE), found none",
    ))
}

/// What follows the rows must be the heap, padding and another HDU or nothing: anything else is rows that NAXIS2 leaves
/// out.
fn check_rest(input: &mut dyn Read, header: &Header, path: &Path, hdu: usize) -> Result<()> {
    let failed = |e| Error::io(path, e);
    let size = |key: &str| {
        header
            .int(key)
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0)
    };
    let rows = size("NAXIS1").saturating_mul(size("NAXIS2"));
    let heap = size("PCOUNT");
    std::io::copy(&mut (&mut *input).take(heap), &mut std::io::sink()).map_err(failed)?;
    let used = rows.saturating_add(heap) % BLOCK as u64;
    let mut padding = vec![0; (BLOCK - used as usize) % BLOCK];
    let n = read_full(input, &mut padding).map_err(failed)?;
    padding.truncate(n);
    let mut next = [0; BLOCK];
    let n = read_full(input, &mut next).map_err(failed)?;
    let is_empty = |bytes: &[u8]| bytes.iter().all(|&b| b == 0 || b == b' ');
    if !is_empty(&padding) || !(next.starts_with(b"XTENSION") || is_empty(&next[..n])) {
        return Err(Error::format(
            path,
            format!(
                "HDU {hdu}: expected the table to end after NAXIS2 = {} rows, found more data",
                size("NAXIS2")
            ),
        ));
    }
    Ok(())
}

/// Header of the next HDU; None at the end of the file.
fn read_header(input: &mut dyn Read, path: &Path, hdu: usize) -> Result<Option<Header>> {
    let mut header = Header::default();
    let mut block = [0; BLOCK];
    for i in 0..MAX_HEADER_BLOCKS {
        let n = read_full(input, &mut block).map_err(|e| Error::io(path, e))?;
        if i == 0 && hdu > 0 && (n < BLOCK || !block.starts_with(b"XTENSION")) {
            // Nothing, or the padding that some writers leave behind the last HDU.
            return Ok(None);
        }
        if n < BLOCK {
            return Err(Error::format(
                path,
                format!(
                    "HDU {hdu}: expected a header that ends with END, found the end of the file"
                ),
            ));
        }
        if i == 0 && hdu == 0 && !block.starts_with(b"SIMPLE") {
            return Err(Error::format(
                path,
                "expected a FITS file that starts with SIMPLE, found something else",
            ));
        }
        if header.add_block(&block) {
            return Ok(Some(header));
        }
    }
    Err(Error::format(
        path,
        format!("HDU {hdu}: expected END within {MAX_HEADER_BLOCKS} blocks of header, found none"),
    ))
}

fn skip_data(input: &mut dyn Read, header: &Header, path: &Path, hdu: usize) -> Result<()> {
    let bad = |what: &str| Error::format(path, format!("HDU {hdu}: {what} makes no sense"));
    let naxis = header.int("NAXIS").unwrap_or(0);
    let mut elements: u64 = u64::from(naxis > 0);
    for i in 1..=naxis.clamp(0, 999) {
        let key = format!("NAXIS{i}");
        let n = header
            .int(&key)
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| bad(&key))?;
        elements = elements.checked_mul(n).ok_or_else(|| bad(&key))?;
    }
    let bytes = header.int("BITPIX").unwrap_or(8).unsigned_abs() / 8;
    let pcount = u64::try_from(header.int("PCOUNT").unwrap_or(0)).map_err(|_| bad("PCOUNT"))?;
    let gcount = u64::try_from(header.int("GCOUNT").unwrap_or(1)).map_err(|_| bad("GCOUNT"))?;
    let total = elements
        .checked_add(pcount)
        .and_then(|n| n.checked_mul(bytes))
        .and_then(|n| n.checked_mul(gcount))
        .and_then(|n| n.checked_next_multiple_of(BLOCK as u64))
        .ok_or_else(|| bad("the size of the data"))?;
    std::io::copy(&mut input.take(total), &mut std::io::sink()).map_err(|e| Error::io(path, e))?;
    Ok(())
}

/// How the cells of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Logical,
    Byte,
    Short,
    Int,
    Long,
    Float,
    Double,
}

/// Place and reading of one column.
struct Field {
    name: String,
    unit: String,
    meaning: String,
    kind: Kind,
    start: usize,
    bytes: usize,
    /// TSCALn, TZEROn when they change the values.
    scale: Option<(f64, f64)>,
    /// An integer TZEROn alone: the usual way to store unsigned integers.
    offset: i128,
    null: Option<i64>,
    /// Characters are written as `\u{...}`.
    is_escaped: bool,
    /// Truth values were stored as bytes 0 and 1 by somebody who does not know the standard's T and F.
    has_ones: bool,
    /// Integers to be written as they came.
    width: Option<Width>,
    cells: Cells,
}

fn read_rows(input: &mut dyn Read, header: &Header, path: &Path, hdu: usize) -> Result<ReadTable> {
    let need = |key: &str| {
        header
            .int(key)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| {
                Error::format(
                    path,
                    format!("HDU {hdu}: expected {key} with a number >= 0"),
                )
            })
    };
    let (row_bytes, n_rows, n_fields) = (need("NAXIS1")?, need("NAXIS2")?, need("TFIELDS")?);
    let mut fields = Vec::new();
    let mut skipped = Vec::new();
    let mut start = 0_usize;
    for n in 1..=n_fields.min(999) {
        let name = header
            .text(&format!("TTYPE{n}"))
            .filter(|name| !name.trim().is_empty())
            .map_or_else(|| format!("col{n}"), str::to_owned);
        let form = header.text(&format!("TFORM{n}")).unwrap_or("").to_owned();
        let (repeat, code) = parse_form(&form).ok_or_else(|| {
            Error::format(
                path,
                format!("HDU {hdu}, column {name}: expected a format such as 1D in TFORM{n}, found {form:?}"),
            )
        })?;
        let (unit_bytes, kind) = match code {
            'A' => (1, Some(Kind::Text)),
            'L' => (1, Some(Kind::Logical)),
            'B' => (1, Some(Kind::Byte)),
            'I' => (2, Some(Kind::Short)),
            'J' => (4, Some(Kind::Int)),
            'K' => (8, Some(Kind::Long)),
            'E' => (4, Some(Kind::Float)),
            'D' => (8, Some(Kind::Double)),
            'C' | 'P' => (8, None),
            'M' | 'Q' => (16, None),
            'X' => (0, None),
            _ => {
                return Err(Error::format(
                    path,
                    format!("HDU {hdu}, column {name}: unknown format {form:?} in TFORM{n}"),
                ));
            }
        };
        let bytes = if code == 'X' {
            repeat.div_ceil(8)
        } else {
            repeat.saturating_mul(unit_bytes)
        };
        let shape = header.text(&format!("TDIM{n}"));
        match kind.filter(|&kind| is_scalar(kind, repeat, shape)) {
            None => skipped.push(Skipped {
                column: name,
                reason: left_out(code, repeat, &form),
            }),
            Some(kind) => fields.push(field(header, n, name, kind, start, bytes)),
        }
        start = start.saturating_add(bytes);
    }
    if start != row_bytes {
        return Err(Error::format(
            path,
            format!(
                "HDU {hdu}: expected rows of {start} bytes from TFORMn, found NAXIS1 = {row_bytes}"
            ),
        ));
    }
    // Rows are taken as they come: the header may promise more than the file holds.
    if let Some(chunk_rows) = CHUNK_BYTES.checked_div(row_bytes) {
        let chunk_rows = chunk_rows.clamp(1, n_rows.max(1));
        let mut buffer = Vec::new();
        let mut done = 0;
        while done < n_rows {
            let take = chunk_rows.min(n_rows - done);
            let want = (take as u64).saturating_mul(row_bytes as u64);
            buffer.clear();
            (&mut *input)
                .take(want)
                .read_to_end(&mut buffer)
                .map_err(|e| Error::io(path, e))?;
            if (buffer.len() as u64) < want {
                return Err(Error::format(
                    path,
                    format!(
                        "HDU {hdu}: expected {n_rows} rows, found the end of the file in row {}",
                        done + buffer.len() / row_bytes + 1
                    ),
                ));
            }
            for field in &mut fields {
                field.take(&buffer, row_bytes, done, path, hdu)?;
            }
            done += take;
        }
    }
    let columns = fields.into_iter().map(Field::finish).collect();
    Ok(ReadTable {
        table: Table { columns },
        skipped,
    })
}

/// Whether a row has one value of the column. A text of several pieces (TDIM with two lengths) is a vector.
fn is_scalar(kind: Kind, repeat: usize, shape: Option<&str>) -> bool {
    let pieces = || {
        let lengths = shape?.trim().strip_prefix('(')?.strip_suffix(')')?;
        let rest = lengths.split(',').skip(1);
        rest.map(|n| n.trim().parse::<usize>().ok())
            .try_fold(1_usize, |all, n| all.checked_mul(n?))
    };
    match kind {
        Kind::Text => pieces().unwrap_or(1) == 1,
        _ => repeat == 1,
    }
}

/// Why a column has no place in a table.
fn left_out(code: char, repeat: usize, form: &str) -> String {
    let what = match code {
        'A' => "texts",
        'L' => "truth values",
        'B' => "8-bit integers",
        'I' => "16-bit integers",
        'J' => "32-bit integers",
        'K' => "64-bit integers",
        'E' => "32-bit floats",
        'D' => "64-bit floats",
        'X' => "bits",
        'C' | 'M' => "complex numbers",
        _ => "lists of any length",
    };
    let found = match code {
        'P' | 'Q' | 'C' | 'M' | 'A' => what.to_owned(),
        _ => format!("vectors of {repeat} {what}"),
    };
    format!("found {found} (TFORM {form}); one number or text in each row would serve")
}

/// Repeat count and type letter of a TFORM.
fn parse_form(form: &str) -> Option<(usize, char)> {
    let form = form.trim();
    let digits = form.len() - form.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let repeat = if digits == 0 {
        1
    } else {
        form[..digits].parse().ok()?
    };
    Some((repeat, form[digits..].chars().next()?.to_ascii_uppercase()))
}

fn field(header: &Header, n: usize, name: String, kind: Kind, start: usize, bytes: usize) -> Field {
    let text = |key: &str| header.text(&format!("{key}{n}")).unwrap_or("").to_owned();
    let scale = header.float(&format!("TSCAL{n}")).unwrap_or(1.0);
    let zero = header.float(&format!("TZERO{n}")).unwrap_or(0.0);
    let is_int = matches!(kind, Kind::Byte | Kind::Short | Kind::Int | Kind::Long);
    let null = header.int(&format!("TNULL{n}")).filter(|_| is_int);
    let whole = scale == 1.0 && zero.fract() == 0.0 && zero.abs() <= 9_223_372_036_854_775_808.0;
    let plain = scale == 1.0 && zero == 0.0;
    let offset = if is_int && whole { zero as i128 } else { 0 };
    let scaled = !(plain || is_int && whole) && kind != Kind::Text && kind != Kind::Logical;
    let data = match kind {
        Kind::Text => ColumnData::Text(Vec::new()),
        Kind::Logical => ColumnData::Bool(Vec::new()),
        _ if scaled => ColumnData::F64(Vec::new()),
        Kind::Byte | Kind::Short => ColumnData::I32(Vec::new()),
        Kind::Int if offset == 0 => ColumnData::I32(Vec::new()),
        Kind::Int | Kind::Long => ColumnData::I64(Vec::new()),
        Kind::Float => ColumnData::F32(Vec::new()),
        Kind::Double => ColumnData::F64(Vec::new()),
    };
    let is_escaped = header.is_true(&format!("TESC{n}"));
    let restored = |text: String| if is_escaped { restore(&text) } else { text };
    Field {
        name: restored(name),
        unit: restored(text("TUNIT")),
        meaning: restored(text("TCOMM")),
        kind,
        start,
        bytes,
        scale: scaled.then_some((scale, zero)),
        offset,
        null,
        is_escaped,
        has_ones: false,
        width: width(kind, offset, scaled),
        cells: Cells::new(data),
    }
}

fn width(kind: Kind, offset: i128, scaled: bool) -> Option<Width> {
    if scaled {
        return None;
    }
    let letter = match kind {
        Kind::Byte => 'B',
        Kind::Short => 'I',
        Kind::Int => 'J',
        Kind::Long => 'K',
        _ => return None,
    };
    [
        Width::I8,
        Width::U8,
        Width::I16,
        Width::U16,
        Width::U32,
        Width::U64,
    ]
    .into_iter()
    .find(|width| matches!(width.in_fits(), (l, _, zero) if l == letter && zero == offset))
}

impl Field {
    /// Takes this column's cells of the rows in `buffer`, the first of which is row `first` (from 0).
    fn take(
        &mut self,
        buffer: &[u8],
        row_bytes: usize,
        first: usize,
        path: &Path,
        hdu: usize,
    ) -> Result<()> {
        for (i, row) in buffer.chunks_exact(row_bytes).enumerate() {
            let cell = &row[self.start..self.start + self.bytes];
            let wrong = |found: String| {
                Error::format(
                    path,
                    format!(
                        "HDU {hdu}, column {}, row {}: {found}",
                        self.name,
                        first + i + 1
                    ),
                )
            };
            let is_int = matches!(self.kind, Kind::Byte | Kind::Short | Kind::Int | Kind::Long);
            let stored = match self.kind {
                Kind::Byte => i64::from(cell[0]),
                Kind::Short => i64::from(i16::from_be_bytes(array(cell))),
                Kind::Int => i64::from(i32::from_be_bytes(array(cell))),
                Kind::Long => i64::from_be_bytes(array(cell)),
                _ => 0,
            };
            if is_int && self.null == Some(stored) {
                self.cells.push_null();
                continue;
            }
            let shifted = || {
                let value = i128::from(stored) + self.offset;
                i64::try_from(value).map_err(|_| value)
            };
            match &mut self.cells.data {
                // A column of integers that became one of text, see below.
                ColumnData::Text(v) if is_int => {
                    v.push((i128::from(stored) + self.offset).to_string());
                }
                // The standard's null, and astropy's empty text.
                ColumnData::Text(_) if cell.first() == Some(&0) => self.cells.push_null(),
                ColumnData::Text(v) => {
                    let end = cell.iter().position(|&b| b == 0).unwrap_or(cell.len());
                    let text = std::str::from_utf8(&cell[..end]).map_err(|_| {
                        wrong("expected ASCII or UTF-8 text, found other bytes".to_owned())
                    })?;
                    let text = text.trim_end();
                    v.push(if self.is_escaped {
                        restore(text)
                    } else {
                        text.to_owned()
                    });
                }
                ColumnData::Bool(v) => match cell[0] {
                    b'T' => v.push(true),
                    b'F' => v.push(false),
                    0 => self.cells.push_null(),
                    1 => {
                        self.has_ones = true;
                        v.push(true);
                    }
                    other => {
                        return Err(wrong(format!("expected T or F, found byte {other}")));
                    }
                },
                ColumnData::I32(v) => {
                    let value = shifted().ok().and_then(|x| i32::try_from(x).ok());
                    v.push(value.ok_or_else(|| {
                        let value = i128::from(stored) + self.offset;
                        wrong(format!("expected a 32-bit integer, found {value}"))
                    })?);
                }
                ColumnData::I64(v) => match shifted() {
                    Ok(value) => v.push(value),
                    // Unsigned, beyond 2^63: exact as text.
                    Err(value) => {
                        self.cells.turn_to_text();
                        if let ColumnData::Text(v) = &mut self.cells.data {
                            v.push(value.to_string());
                        }
                    }
                },
                ColumnData::F32(v) => v.push(f32::from_be_bytes(array(cell))),
                ColumnData::F64(v) => {
                    let raw = match self.kind {
                        Kind::Float => f64::from(f32::from_be_bytes(array(cell))),
                        Kind::Double => f64::from_be_bytes(array(cell)),
                        _ => stored as f64,
                    };
                    v.push(self.scale.map_or(raw, |(scale, zero)| scale * raw + zero));
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Column {
        let (data, nulls) = self.cells.finish();
        Column {
            name: self.name,
            unit: self.unit,
            meaning: self.meaning,
            data,
            // Where true is 1, false is 0.
            nulls: nulls.filter(|_| !self.has_ones),
            width: None,
        }
        .with_width(self.width)
    }
}

/// The first N bytes; callers slice cells to at least that many.
fn array<const N: usize>(cell: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&cell[..N]);
    out
}

/// Fills the buffer as far as the input goes.
fn read_full(input: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match input.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}
