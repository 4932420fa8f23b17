//! Two rare kinds of tables are turned into binary tables with columns of fixed width, which everything else here reads: tables in
//! ASCII (FITS standard 4.0, section 7.2), and those with columns of lists of any length (section 7.3.5).
//!
//! Not through cfitsio 3.49, which the crate `fitsio` brings: it reads integers of ASCII tables by way of floats, so that
//! identities of 19 digits run together, and does not round decimals to the nearest float.

use super::BLOCK;
use super::element::{ElementType, parse_form};
use super::header::Header;
use super::header_text::HeaderText;
use super::reader::Hdu;

/// Most columns of a table.
const MAX_COLUMNS: usize = 999;

/// A column of the binary table that is made.
struct Made {
    /// Number of the column in the header that it comes from.
    number: usize,
    form: String,
    /// The integer that stands for a missing value, in a column of integers that has missing values.
    null: Option<i64>,
    /// Bytes of a cell; all of them have as many.
    width: usize,
    cells: Vec<u8>,
}

/// A binary table (header and data) with the values of one in ASCII: integers of 32 or 64 bits, 64-bit floats and texts. A cell
/// that holds `TNULLn`, or where a number should be nothing, has no value.
///
/// # Errors
/// What is wrong with the table, with the column and the row.
pub fn of_ascii(header: &Header<'_>, data: &[u8]) -> Result<Vec<u8>, String> {
    let (row_len, rows, n_fields) = shape(header)?;
    if let Some(row) = data.len().checked_div(row_len).filter(|n| *n < rows) {
        return Err(format!(
            "expected {rows} rows, found the end of the file in row {}",
            row + 1
        ));
    }
    let mut room = row_len;
    let mut columns = Vec::with_capacity(n_fields);
    for number in 1..=n_fields {
        let column = AsciiColumn::of(header, number, row_len)?;
        // Columns may not overlap so much that their widths exceed the row: so the table that is made is not much larger than this one.
        room = room.checked_sub(column.width).ok_or_else(|| {
            format!("the columns take more than the {row_len} characters of a row (NAXIS1)")
        })?;
        let cells = data.chunks_exact(row_len.max(1)).take(rows);
        let cells = cells.map(|row| &row[column.start..column.start + column.width]);
        columns.push(column.made(cells)?);
    }
    Ok(table(header, &columns, rows))
}

/// A binary table (header and data) of one row with vectors in place of its lists; `None` if it has no list or several rows.
///
/// # Errors
/// What is wrong with a list.
pub fn of_lists(hdu: &Hdu<'_>) -> Option<Result<Vec<u8>, String>> {
    let header = &hdu.header;
    let (row_len, rows, n_fields) = shape(header).ok()?;
    let forms: Option<Vec<String>> = (1..=n_fields)
        .map(|n| header.text(&format!("TFORM{n}")))
        .collect();
    let forms = forms?;
    let is_list =
        |form: &String| matches!(parse_form(form), Some((ElementType::Other('P' | 'Q'), _)));
    if !hdu.is_bintable() || rows != 1 || !forms.iter().any(is_list) {
        return None;
    }
    Some(lists(hdu, row_len, &forms).map(|columns| table(header, &columns, rows)))
}

/// The columns of one row, lists as vectors.
fn lists(hdu: &Hdu<'_>, row_len: usize, forms: &[String]) -> Result<Vec<Made>, String> {
    let row = hdu.data.get(..row_len).ok_or("the row is cut")?;
    let heap_start = hdu.header.int("THEAP").unwrap_or(row_len as i64);
    let heap = usize::try_from(heap_start).ok();
    let heap = heap.filter(|start| *start >= row_len);
    let heap = heap.and_then(|start| hdu.data.get(start..));
    let heap = heap.ok_or_else(|| format!("THEAP = {heap_start} is outside of the data"))?;
    let mut room = heap.len();
    let mut offset = 0;
    let mut columns = Vec::with_capacity(forms.len());
    for (i, form) in forms.iter().enumerate() {
        let number = i + 1;
        let wrong = |what: &str| format!("TFORM{number} = '{form}': {what}");
        let (element, repeat) = parse_form(form).ok_or_else(|| wrong("no column format"))?;
        let len = element.row_bytes(repeat);
        let cell = len.and_then(|len| row.get(offset..)?.get(..len));
        let cell = cell.ok_or_else(|| wrong("does not fit the row"))?;
        offset += cell.len();
        let mut made = Made {
            number,
            form: form.clone(),
            null: hdu.header.int(&format!("TNULL{number}")),
            width: cell.len(),
            cells: cell.to_vec(),
        };
        if matches!(element, ElementType::Other('P' | 'Q')) {
            let letter = form
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .get(1..2);
            let letter = letter.ok_or_else(|| wrong("a list of nothing"))?;
            let (of, _) = parse_form(letter).ok_or_else(|| wrong("a list of nothing"))?;
            let list = descriptor(cell).and_then(|(n, start)| {
                let len = of.row_bytes(n)?;
                Some((n, heap.get(start..)?.get(..len)?))
            });
            let (n, list) = list.ok_or_else(|| wrong("a list that is outside of the data"))?;
            // Lists that share their bytes could turn a small file into a large table, so their lengths together are bounded.
            room = room
                .checked_sub(list.len())
                .ok_or_else(|| wrong("lists overlap"))?;
            made.form = format!("{n}{letter}");
            (made.width, made.cells) = (list.len(), list.to_vec());
        }
        columns.push(made);
    }
    Ok(columns)
}

/// Number of elements and first byte of a list, of one descriptor of 32 or 64 bits each.
fn descriptor(cell: &[u8]) -> Option<(usize, usize)> {
    let number = |bytes: &[u8]| match bytes.len() {
        4 => i32::from_be_bytes(bytes.try_into().ok()?).try_into().ok(),
        8 => i64::from_be_bytes(bytes.try_into().ok()?).try_into().ok(),
        _ => None,
    };
    let (n, start) = cell.split_at(cell.len() / 2);
    Some((number(n)?, number(start)?))
}

/// Bytes in a row, rows, and columns.
fn shape(header: &Header<'_>) -> Result<(usize, usize, usize), String> {
    let size = |key: &str| {
        let value = header.int(key).and_then(|n| usize::try_from(n).ok());
        value.ok_or_else(|| format!("expected {key} with a number >= 0"))
    };
    let shape = (size("NAXIS1")?, size("NAXIS2")?, size("TFIELDS")?);
    if shape.2 > MAX_COLUMNS {
        return Err(format!("TFIELDS = {} is above {MAX_COLUMNS}", shape.2));
    }
    if shape.0 == 0 && shape.1 > 0 {
        return Err("expected rows of some length, found NAXIS1 = 0".to_owned());
    }
    Ok(shape)
}

/// Header and rows.
fn table(header: &Header<'_>, columns: &[Made], rows: usize) -> Vec<u8> {
    let row_len: usize = columns.iter().map(|c| c.width).sum();
    let mut text = HeaderText::default();
    text.text("XTENSION", "BINTABLE", "")
        .integer("BITPIX", 8, "")
        .integer("NAXIS", 2, "")
        .integer("NAXIS1", row_len as u64, "")
        .integer("NAXIS2", rows as u64, "")
        .integer("PCOUNT", 0, "")
        .integer("GCOUNT", 1, "")
        .integer("TFIELDS", columns.len() as u64, "");
    for (i, column) in columns.iter().enumerate() {
        let n = i + 1;
        text.text(&format!("TFORM{n}"), &column.form, "");
        for key in ["TTYPE", "TUNIT", "TCOMM", "TUCD"] {
            if let Some(value) = header.string(&format!("{key}{}", column.number)) {
                text.text(&format!("{key}{n}"), &value, "");
            }
        }
        for key in ["TSCAL", "TZERO"] {
            // The value is copied as it is spelled, so that an integer stays an integer.
            if let Some(value) = header.text(&format!("{key}{}", column.number)) {
                text.number(&format!("{key}{n}"), &value, "");
            }
        }
        if let Some(null) = column.null {
            text.integer(&format!("TNULL{n}"), null, "");
        }
    }
    let mut out = text.finish();
    for row in 0..rows {
        for column in columns {
            out.extend(&column.cells[row * column.width..(row + 1) * column.width]);
        }
    }
    out.resize(out.len().next_multiple_of(BLOCK), 0);
    out
}

/// What an ASCII column holds.
#[derive(Clone, Copy, PartialEq)]
enum AsciiKind {
    Text,
    Integer,
    /// Floats; the number is how many of the last digits are decimals where a cell has no point.
    Float(usize),
}

/// A column of an ASCII table: its place, and how its cells are read.
struct AsciiColumn {
    number: usize,
    /// For messages.
    name: String,
    kind: AsciiKind,
    start: usize,
    width: usize,
    null: Option<String>,
}

impl AsciiColumn {
    fn of(header: &Header<'_>, number: usize, row_len: usize) -> Result<Self, String> {
        let name = header.text(&format!("TTYPE{number}"));
        let name = name.unwrap_or_else(|| format!("col{number}"));
        let form = header.text(&format!("TFORM{number}")).unwrap_or_default();
        let (kind, width) = ascii_form(&form).ok_or_else(|| {
            format!("column {name}: expected a format such as I10, F8.3 or A5 in TFORM{number}, found {form:?}")
        })?;
        let first = header.int(&format!("TBCOL{number}")).unwrap_or(0);
        // Counted from 1.
        let start = usize::try_from(first).ok().and_then(|n| n.checked_sub(1));
        let start =
            start.filter(|start| start.checked_add(width).is_some_and(|end| end <= row_len));
        let start = start.ok_or_else(|| {
            format!("column {name}: TBCOL{number} = {first} with {width} characters does not fit a row of {row_len}")
        })?;
        let null = header.string(&format!("TNULL{number}"));
        Ok(AsciiColumn {
            number,
            name,
            kind,
            start,
            width,
            null: null.map(|text| text.trim().to_owned()),
        })
    }

    fn made<'a>(&self, cells: impl Iterator<Item = &'a [u8]>) -> Result<Made, String> {
        let mut made = Made {
            number: self.number,
            form: String::new(),
            null: None,
            width: 8,
            cells: Vec::new(),
        };
        // An integer of at most nine characters fits 32 bits.
        let is_short = self.width <= 9;
        let mark = if is_short {
            i64::from(i32::MIN)
        } else {
            i64::MIN
        };
        for (i, cell) in cells.enumerate() {
            let wrong = |what: &str| {
                format!(
                    "column {}, row {}: expected {what}, found '{}'",
                    self.name,
                    i + 1,
                    cell.escape_ascii()
                )
            };
            let text = std::str::from_utf8(cell).map_err(|_| wrong("ASCII"))?;
            let word = text.trim();
            let is_null = self.null.as_deref() == Some(word);
            match self.kind {
                AsciiKind::Text if is_null => made.cells.extend(vec![0; self.width]),
                AsciiKind::Text => made.cells.extend(cell),
                AsciiKind::Integer => {
                    let value = if is_null || word.is_empty() {
                        made.null = Some(mark);
                        mark
                    } else {
                        let value = word.parse().map_err(|_| wrong("an integer"))?;
                        if value == mark {
                            return Err(wrong("an integer that is not the lowest of all"));
                        }
                        value
                    };
                    let bytes = value.to_be_bytes();
                    made.cells.extend(&bytes[if is_short { 4 } else { 0 }..]);
                }
                AsciiKind::Float(decimals) => {
                    let value = if is_null || word.is_empty() {
                        f64::NAN
                    } else {
                        float(word, decimals).ok_or_else(|| wrong("a number"))?
                    };
                    made.cells.extend(value.to_be_bytes());
                }
            }
        }
        (made.form, made.width) = match self.kind {
            AsciiKind::Text => (format!("{}A", self.width), self.width),
            AsciiKind::Integer if is_short => ("J".to_owned(), 4),
            AsciiKind::Integer => ("K".to_owned(), 8),
            AsciiKind::Float(_) => ("D".to_owned(), 8),
        };
        Ok(made)
    }
}

/// Kind and width of an ASCII column: `Aw`, `Iw`, `Fw.d`, `Ew.d` or `Dw.d`.
fn ascii_form(form: &str) -> Option<(AsciiKind, usize)> {
    let mut letters = form.trim().chars();
    let letter = letters.next()?.to_ascii_uppercase();
    let (width, decimals) = match letters.as_str().split_once('.') {
        Some((width, decimals)) => (width, decimals.parse().ok()?),
        None => (letters.as_str(), 0),
    };
    let kind = match letter {
        'A' => AsciiKind::Text,
        'I' => AsciiKind::Integer,
        'F' | 'E' | 'D' => AsciiKind::Float(decimals),
        _ => return None,
    };
    let width = width.parse().ok().filter(|w| *w > 0)?;
    Some((kind, width))
}

/// A number as FORTRAN writes it: D for E, and without a point its last `decimals` digits are behind it.
fn float(word: &str, decimals: usize) -> Option<f64> {
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.');
    let (mantissa, exponent) = match word.find(|c| !is_plain(c)) {
        None => (word, "0"),
        Some(at) if matches!(word.as_bytes()[at], b'E' | b'D' | b'e' | b'd') => {
            (&word[..at], &word[at + 1..])
        }
        // What numpy and others write for no number.
        Some(_) => return word.eq_ignore_ascii_case("nan").then_some(f64::NAN),
    };
    if mantissa.contains('.') || decimals == 0 {
        return format!("{mantissa}e{exponent}").parse().ok();
    }
    let exponent: i64 = exponent.parse().ok()?;
    let exponent = exponent.checked_sub(i64::try_from(decimals).ok()?)?;
    format!("{mantissa}e{exponent}").parse().ok()
}

#[cfg(test)]
mod tests;
