//! Machine-readable tables: text of fixed width after a byte-by-byte description, as CDS and the AAS journals want them
//! (CDS, "Standards for Astronomical Catalogues", version 2.0, section 3.2).

use std::io::Write;
use std::path::Path;

use super::pieces::{Pieces, whole};
use super::{Column, ColumnData, Table};
use crate::fits::escape::ascii;
use crate::{Error, Result};

/// Width of a page of the description.
const PAGE: usize = 80;
/// Where the explanations begin.
const INDENT: usize = 44;

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    /// As they are.
    Plain,
    /// With this many decimals.
    Fixed(usize),
    /// With an exponent and this many decimals.
    Exponent(usize),
}

/// Where a column stands in the line.
struct Placement {
    style: Style,
    width: usize,
    format: String,
    /// Some cells are blank.
    has_null: bool,
}

/// Writes the table; see [`Table::write`].
pub(super) fn write(table: &dyn Pieces, path: &Path, out: &mut (dyn Write + Send)) -> Result<()> {
    // Tables that are printed are short, and how numbers are written depends on all of them.
    let table = &whole(table)?;
    let layouts: Vec<Placement> = table.columns.iter().map(layout).collect();
    let name = path.file_name().and_then(|s| s.to_str()).unwrap_or("table");
    let failed = |e| Error::io(path, e);
    out.write_all(description(table, &layouts, name).as_bytes())
        .map_err(failed)?;
    let mut line = String::new();
    for row in 0..table.n_rows() {
        line.clear();
        for (column, layout) in table.columns.iter().zip(&layouts) {
            let cell = cell(column, layout.style, row);
            let pad = layout.width.saturating_sub(cell.len());
            let is_text = matches!(column.data, ColumnData::Text(_));
            let (before, after) = if is_text { (0, pad) } else { (pad, 0) };
            line.extend(std::iter::repeat_n(' ', before));
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', after + 1));
        }
        line.pop();
        line.push('\n');
        out.write_all(line.as_bytes()).map_err(failed)?;
    }
    Ok(())
}

fn layout(column: &Column) -> Placement {
    let style = style(column);
    let n = column.data.len();
    let mut width = 1;
    let mut has_null = false;
    for row in 0..n {
        let cell = cell(column, style, row);
        has_null |= cell.is_empty();
        width = width.max(cell.len());
    }
    let format = match (&column.data, style) {
        (ColumnData::Text(_), _) => format!("A{width}"),
        (_, Style::Plain) => format!("I{width}"),
        (_, Style::Fixed(decimals)) => format!("F{width}.{decimals}"),
        (_, Style::Exponent(decimals)) => format!("E{width}.{decimals}"),
    };
    Placement {
        style,
        width,
        format,
        has_null,
    }
}

/// Decimals by the unit, finer than any error; an exponent where they would not do.
fn style(column: &Column) -> Style {
    let Some(values) = (match column.data {
        ColumnData::F64(_) | ColumnData::F32(_) => column.data.to_f64(),
        _ => None,
    }) else {
        return Style::Plain;
    };
    let decimals = match column.unit.as_str() {
        // 4 milliarcseconds.
        "deg" => 6,
        // 0.1 s.
        "d" => 6,
        // 0.1 m/s.
        "km/s" => 4,
        _ => 4,
    };
    let finite = || values.iter().filter(|v| v.is_finite()).map(|v| v.abs());
    let has_infinite = values.iter().any(|v| v.is_infinite());
    let small = finite().any(|v| v > 0.0 && v < 1e-3);
    let large = finite().any(|v| v >= 1e9);
    if has_infinite || large || (small && column.unit.is_empty()) {
        Style::Exponent(6)
    } else {
        Style::Fixed(decimals)
    }
}

/// One value; empty for NaN and nulls. Infinity has no place in these files: it is the largest number that E can hold.
fn cell(column: &Column, style: Style, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    let float = |v: f64| match style {
        Style::Exponent(decimals) => exponent(v.clamp(-9.9e99, 9.9e99), decimals),
        Style::Fixed(decimals) => no_minus_zero(format!("{v:.decimals$}")),
        Style::Plain => v.to_string(),
    };
    match &column.data {
        ColumnData::Text(v) => ascii(v[row].trim()),
        ColumnData::F64(v) => float(v[row]),
        ColumnData::F32(v) => float(f64::from(v[row])),
        ColumnData::Bool(v) => u8::from(v[row]).to_string(),
        ColumnData::I64(_) | ColumnData::I32(_) => column.text_at(row),
    }
}

/// `1.234560E-05`: Fortran's spelling, with two digits of exponent at least.
fn exponent(v: f64, decimals: usize) -> String {
    let text = format!("{v:.decimals$e}");
    match text.split_once('e') {
        Some((mantissa, power)) => {
            let (sign, digits) = match power.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', power),
            };
            format!("{}E{sign}{digits:0>2}", no_minus_zero(mantissa.to_owned()))
        }
        None => text,
    }
}

fn no_minus_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        _ => text,
    }
}

/// Everything above the data.
fn description(table: &Table, layouts: &[Placement], file: &str) -> String {
    let title = file.strip_suffix(".mrt").unwrap_or(file);
    let thin = "-".repeat(PAGE);
    let mut text = format!(
        "Title: {title}\nAuthors: relrv {}\nTable: {title}\n{}\nByte-by-byte Description of file: {}\n{thin}\n",
        env!("CARGO_PKG_VERSION"),
        "=".repeat(PAGE),
        ascii(file)
    );
    text.push_str("   Bytes Format Units   Label            Explanations\n");
    text.push_str(&thin);
    text.push('\n');
    let mut first = 1;
    for (column, layout) in table.columns.iter().zip(layouts) {
        let last = first + layout.width - 1;
        let bytes = if first == last {
            format!("{last:>9}")
        } else {
            format!("{first:>4}-{last:>4}")
        };
        let unit = if column.unit.is_empty() {
            "---"
        } else {
            &column.unit
        };
        let mut meaning = ascii(&column.meaning);
        if matches!(column.data, ColumnData::Bool(_)) {
            meaning.push_str(" (1 = yes, 0 = no)");
        }
        if layout.has_null {
            meaning.insert_str(0, "? ");
        }
        let label = ascii(&column.name.replace(' ', "_"));
        let start = format!("{bytes} {:<6} {unit:<7} {label:<16} ", layout.format);
        push_wrapped(&mut text, &start, &meaning);
        first = last + 2;
    }
    text.push_str(&thin);
    text.push('\n');
    text
}

/// Puts words on lines of a page. A line of the explanation must not begin with a digit: readers would take it for a
/// column's bytes.
fn push_wrapped(text: &mut String, start: &str, meaning: &str) {
    let mut line = start.to_owned();
    let mut is_empty = true;
    for word in meaning.split_whitespace() {
        let starts_with_digit = word.starts_with(|c: char| c.is_ascii_digit());
        if !is_empty && !starts_with_digit && line.len() + word.len() > PAGE {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(INDENT);
        }
        line.push_str(word);
        line.push(' ');
        is_empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_fortran_does() {
        for (v, text) in [
            (0.0, "0.000000E+00"),
            (-1.5e-30, "-1.500000E-30"),
            (2e120, "9.900000E+99"),
            (f64::INFINITY, "9.900000E+99"),
        ] {
            let column = Column::new("x", "", "", ColumnData::F64(vec![v]));
            assert_eq!(cell(&column, Style::Exponent(6), 0), text);
        }
        let data = ColumnData::F64(vec![-0.00001, 1.23456, f64::NAN]);
        let column = Column::new("x", "", "", data);
        let cells = [0, 1, 2].map(|row| cell(&column, Style::Fixed(4), row));
        assert_eq!(cells, ["0.0000", "1.2346", ""]);
    }

    #[test]
    fn a_table_is_described_byte_by_byte() {
        let mut table = Table::new();
        table
            .push_text(
                "star",
                "",
                "name",
                vec!["J1".into(), "\u{e9}t\u{e9}".into()],
            )
            .push_f64("rv", "km/s", "velocity", vec![-10.25, f64::NAN])
            .push_f64("p", "", "probability", vec![1e-9, 0.5])
            .push_i32("n", "", "number", vec![3, 12])
            .push_bool("constant", "", "is constant", vec![true, false]);
        let mut out = Vec::new();
        write(&table, Path::new("made/t.mrt"), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let rows: Vec<&str> = text.lines().rev().take(2).collect();
        let blank = |n| " ".repeat(n);
        let first = format!("J1{}-10.2500 1.000000E-09  3 1", blank(12));
        let second = format!(r"\u{{e9}}t\u{{e9}}{}5.000000E-01 12 0", blank(10));
        assert_eq!([rows[1], rows[0]], [&first, &second]);
        for line in [
            "   1-  13 A13    ---     star             name",
            "  15-  22 F8.4   km/s    rv               ? velocity",
            "  24-  35 E12.6  ---     p                probability",
            "  37-  38 I2     ---     n                number",
            "       40 I1     ---     constant         is constant (1 = yes, 0 = no)",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert!(text.lines().all(|l| l.len() <= PAGE && l.is_ascii()));
    }
}
