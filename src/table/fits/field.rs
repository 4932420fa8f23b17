//! A column of a FITS table that is read: its type by the header, its cells by their bytes.

use std::path::Path;

use crate::fits::element::ElementType;
use crate::fits::escape::restore;
use crate::fits::header::Header;
use crate::table::cells::Cells;
use crate::table::{Column, ColumnData, Width};
use crate::{Error, Result};

/// Place and reading of one column.
pub(super) struct Field {
    name: String,
    unit: String,
    meaning: String,
    ucd: String,
    element: ElementType,
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
    /// Width of the integers in the file, to be written again.
    width: Option<Width>,
    cells: Cells,
}

/// Whether a row has one value of the column. A text of several pieces (TDIM with two lengths) is a vector.
pub(super) fn is_scalar(element: ElementType, repeat: usize, shape: Option<&str>) -> bool {
    let pieces = || {
        let lengths = shape?.trim().strip_prefix('(')?.strip_suffix(')')?;
        let rest = lengths.split(',').skip(1);
        rest.map(|n| n.trim().parse::<usize>().ok())
            .try_fold(1_usize, |all, n| all.checked_mul(n?))
    };
    match element {
        ElementType::Text => pieces().unwrap_or(1) == 1,
        _ => repeat == 1,
    }
}

/// Why a column has no place in a table.
pub(super) fn left_out(element: ElementType, repeat: usize, form: &str) -> String {
    let what = element.words();
    let found = match element {
        ElementType::Text | ElementType::Other('P' | 'Q' | 'C' | 'M') => what.to_owned(),
        _ => format!("vectors of {repeat} {what}"),
    };
    format!("found {found} (TFORM {form}); one number or text in each row would serve")
}

/// A column as the header tells it: its number, and the place of its cells in a row.
pub(super) fn field(
    header: &Header<'_>,
    n: usize,
    name: String,
    element: ElementType,
    start: usize,
    bytes: usize,
) -> Field {
    let text = |key: &str| header.string(&format!("{key}{n}")).unwrap_or_default();
    let scale = header.float(&format!("TSCAL{n}")).unwrap_or(1.0);
    let zero = header.float(&format!("TZERO{n}")).unwrap_or(0.0);
    let is_int = element.is_integer();
    let null = header.int(&format!("TNULL{n}")).filter(|_| is_int);
    let whole = scale == 1.0 && zero.fract() == 0.0 && zero.abs() <= 9_223_372_036_854_775_808.0;
    let plain = scale == 1.0 && zero == 0.0;
    let offset = if is_int && whole { zero as i128 } else { 0 };
    let scaled = !(plain || is_int && whole)
        && element != ElementType::Text
        && element != ElementType::Logical;
    let data = match element {
        // Columns of other types were left out before.
        ElementType::Text | ElementType::Other(_) => ColumnData::Text(Vec::new()),
        ElementType::Logical => ColumnData::Bool(Vec::new()),
        _ if scaled => ColumnData::F64(Vec::new()),
        ElementType::U8 | ElementType::I16 => ColumnData::I32(Vec::new()),
        ElementType::I32 if offset == 0 => ColumnData::I32(Vec::new()),
        ElementType::I32 | ElementType::I64 => ColumnData::I64(Vec::new()),
        ElementType::F32 => ColumnData::F32(Vec::new()),
        ElementType::F64 => ColumnData::F64(Vec::new()),
    };
    let is_escaped = header.is_true(&format!("TESC{n}"));
    let restored = |text: String| if is_escaped { restore(&text) } else { text };
    Field {
        name: restored(name),
        unit: restored(text("TUNIT")),
        meaning: restored(text("TCOMM")),
        ucd: text("TUCD"),
        element,
        start,
        bytes,
        scale: scaled.then_some((scale, zero)),
        offset,
        null,
        is_escaped,
        has_ones: false,
        width: width(element, offset, scaled),
        cells: Cells::new(data),
    }
}

fn width(element: ElementType, offset: i128, scaled: bool) -> Option<Width> {
    if scaled {
        return None;
    }
    Some(match (element, offset) {
        (ElementType::U8, -128) => Width::I8,
        (ElementType::U8, 0) => Width::U8,
        (ElementType::I16, 0) => Width::I16,
        (ElementType::I16, 0x8000) => Width::U16,
        (ElementType::I32, 0x8000_0000) => Width::U32,
        (ElementType::I64, 0x8000_0000_0000_0000) => Width::U64,
        _ => return None,
    })
}

impl Field {
    /// Takes this column's cells of the rows in `buffer`, the first of which is row `first` (from 0).
    pub(super) fn take(
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
            let is_int = self.element.is_integer();
            let stored = match self.element {
                ElementType::U8 => i64::from(cell[0]),
                ElementType::I16 => i64::from(i16::from_be_bytes(array(cell))),
                ElementType::I32 => i64::from(i32::from_be_bytes(array(cell))),
                ElementType::I64 => i64::from_be_bytes(array(cell)),
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
                // A column of integers that was turned into text because of a value beyond 2^63, see below.
                ColumnData::Text(v) if is_int => {
                    v.push((i128::from(stored) + self.offset).to_string());
                }
                // A first byte of 0 is the standard's null; astropy writes an empty text in the same way.
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
                    let raw = match self.element {
                        ElementType::F32 => f64::from(f32::from_be_bytes(array(cell))),
                        ElementType::F64 => f64::from_be_bytes(array(cell)),
                        _ => stored as f64,
                    };
                    v.push(self.scale.map_or(raw, |(scale, zero)| scale * raw + zero));
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Column {
        let (data, nulls) = self.cells.finish();
        Column {
            name: self.name,
            unit: self.unit,
            meaning: self.meaning,
            ucd: self.ucd,
            data,
            // In a column whose true is the byte 1, the byte 0 is false and not a null.
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
