//! JSON that is harmless wherever it stands: ASCII alone, and nothing in it that ends a script or begins a tag.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::text::plain;

/// Text of unknown origin. What turns the direction of text, and controls, are told as they are elsewhere on the page.
pub fn text(out: &mut dyn Write, text: impl AsRef<str>) -> io::Result<()> {
    let mut safe = String::with_capacity(text.as_ref().len() + 2);
    let mut units = [0; 2];
    safe.push('"');
    for c in plain::line(text.as_ref()).chars() {
        match c {
            ' '..='~' if !matches!(c, '"' | '\\' | '<' | '>' | '&' | '\'' | '/') => safe.push(c),
            c => {
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a String cannot fail.
                    let _ = write!(safe, "\\u{unit:04x}");
                }
            }
        }
    }
    safe.push('"');
    out.write_all(safe.as_bytes())
}

/// A number in units of a fraction, as an integer: half the length of one with a point. `null` where there is none.
pub fn scaled(out: &mut dyn Write, x: f64, per_unit: f64) -> io::Result<()> {
    match x.is_finite() {
        true => write!(out, "{}", (x * per_unit).round() as i64),
        false => out.write_all(b"null"),
    }
}

/// A number to four digits, for probabilities.
pub fn rough(out: &mut dyn Write, x: f64) -> io::Result<()> {
    match (x.is_finite(), x == 0.0 || x == 1.0) {
        (false, _) => out.write_all(b"null"),
        (_, true) => write!(out, "{x}"),
        _ => write!(out, "{x:.3e}"),
    }
}

/// A number with all its digits.
pub fn exact(out: &mut dyn Write, x: f64) -> io::Result<()> {
    match x.is_finite() {
        true => write!(out, "{x}"),
        false => out.write_all(b"null"),
    }
}

/// A further key of an object, with a list.
pub fn list<T>(
    out: &mut dyn Write,
    key: &str,
    items: impl IntoIterator<Item = T>,
    each: impl Fn(&mut dyn Write, T) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, ",\"{key}\":[")?;
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        each(out, item)?;
    }
    out.write_all(b"]\n")
}
