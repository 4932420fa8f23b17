//! What a FIELD says of its column, and how the cells of a column become values.

use super::xml::{Element, Node, Xml};
use crate::Result;
use crate::table::cells::Cells;
use crate::table::outcome::Skipped;
use crate::table::words::is_missing;
use crate::table::{Column, ColumnData, Width};

/// Type of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Bit,
    Byte,
    Short,
    Int,
    Long,
    Char,
    Unicode,
    Float,
    Double,
    FloatComplex,
    DoubleComplex,
    Unknown,
}

/// Elements of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    One,
    Fixed(usize),
    /// As many of these as the cell tells.
    Any(usize),
}

/// A FIELD.
#[derive(Debug)]
pub struct VoField {
    pub name: String,
    pub kind: Kind,
    pub shape: Shape,
    datatype: String,
    unit: String,
    ucd: String,
    meaning: String,
    null: Option<String>,
    /// More than one dimension.
    is_nested: bool,
}

impl VoField {
    /// Of an element that has just begun, to its end. `number` counts from 1.
    ///
    /// # Errors
    /// Those of reading on; [`crate::Error::Format`] for an `arraysize` that is none.
    pub fn read(xml: &mut Xml<'_>, element: &Element, number: usize) -> Result<Self> {
        let text = |name: &str| element.get(name).unwrap_or_default().trim().to_owned();
        let name = [text("name"), text("ID"), format!("col{number}")];
        let name = name.into_iter().find(|name| !name.is_empty());
        let datatype = text("datatype");
        let size = text("arraysize");
        let shape = shape(&size).ok_or_else(|| {
            xml.wrong(format!(
                "FIELD {number}: expected an arraysize such as 8, * or 2x3, found {size:?}"
            ))
        })?;
        let mut field = VoField {
            name: name.unwrap_or_default(),
            kind: kind(&datatype),
            shape,
            datatype,
            unit: text("unit"),
            ucd: text("ucd"),
            meaning: String::new(),
            null: None,
            is_nested: size.contains('x'),
        };
        loop {
            match xml.next()? {
                Node::Open(inner) if inner.name == "DESCRIPTION" => {
                    let words = xml.text()?;
                    let words: Vec<&str> = words.split_whitespace().collect();
                    field.meaning = words.join(" ");
                }
                Node::Open(inner) if inner.name == "VALUES" => {
                    field.null = inner.get("null").map(|null| null.trim().to_owned());
                }
                Node::Close(name) if name == "FIELD" => return Ok(field),
                _ => {}
            }
        }
    }

    /// What takes the values, or why the column has no place in a table.
    pub fn cells(&self) -> std::result::Result<Cells, Skipped> {
        let is_text = matches!(self.kind, Kind::Char | Kind::Unicode);
        let reason = match self.kind {
            Kind::Bit => Some("bits".to_owned()),
            Kind::FloatComplex | Kind::DoubleComplex => Some("complex numbers".to_owned()),
            Kind::Unknown => Some(format!("a datatype {:?}, which is unknown", self.datatype)),
            _ if is_text && self.is_nested => Some("several texts in a cell".to_owned()),
            _ if !is_text && self.shape != Shape::One => {
                Some(format!("several of {} in a cell", self.datatype))
            }
            _ => None,
        };
        match reason {
            None => Ok(Cells::new(self.data())),
            Some(found) => Err(Skipped {
                column: self.name.clone(),
                reason: format!("{found}; one number or text in each row would serve"),
            }),
        }
    }

    fn data(&self) -> ColumnData {
        match self.kind {
            Kind::Boolean => ColumnData::Bool(Vec::new()),
            Kind::Byte | Kind::Short | Kind::Int => ColumnData::I32(Vec::new()),
            Kind::Long => ColumnData::I64(Vec::new()),
            Kind::Float => ColumnData::F32(Vec::new()),
            Kind::Double => ColumnData::F64(Vec::new()),
            _ => ColumnData::Text(Vec::new()),
        }
    }

    /// The column of these cells.
    pub fn column(self, cells: Cells) -> Column {
        let (data, nulls) = cells.finish();
        let column = Column {
            unit: self.unit,
            meaning: self.meaning,
            ucd: self.ucd,
            nulls,
            ..Column::new(&self.name, "", "", data)
        };
        column.with_width(match self.kind {
            Kind::Byte => Some(Width::U8),
            Kind::Short => Some(Width::I16),
            _ => None,
        })
    }

    /// Takes a cell of TABLEDATA; an error is what was expected.
    pub fn take_text(&self, cells: &mut Cells, cell: &str) -> std::result::Result<(), String> {
        let word = cell.trim();
        let is_text = matches!(cells.data, ColumnData::Text(_));
        if self.null.as_deref() == Some(word) || (!is_text && is_missing(word)) {
            cells.push_null();
            return Ok(());
        }
        let is_taken = match &mut cells.data {
            ColumnData::Text(v) => push(v, Some(cell.to_owned())),
            ColumnData::Bool(_) if word == "?" => {
                cells.push_null();
                true
            }
            ColumnData::Bool(v) => push(
                v,
                match word.to_ascii_lowercase().as_str() {
                    "true" | "t" | "1" => Some(true),
                    "false" | "f" | "0" => Some(false),
                    _ => None,
                },
            ),
            ColumnData::I32(v) => push(v, integer(word).and_then(|x| x.try_into().ok())),
            ColumnData::I64(v) => push(v, integer(word)),
            ColumnData::F32(v) => push(v, word.parse().ok()),
            ColumnData::F64(v) => push(v, word.parse().ok()),
        };
        match is_taken {
            true => Ok(()),
            false => Err(format!("expected {}, found {cell:?}", self.datatype)),
        }
    }

    /// Takes the bytes of a cell of BINARY; an error is what was expected.
    pub fn take_bytes(&self, cells: &mut Cells, bytes: &[u8]) -> std::result::Result<(), String> {
        let other = || format!("expected {}, found other bytes", self.datatype);
        // A sign is kept by all but the unsigned bytes.
        let whole = || match *bytes {
            [a] => Some(i64::from(a)),
            [a, b] => Some(i16::from_be_bytes([a, b]).into()),
            [a, b, c, d] => Some(i32::from_be_bytes([a, b, c, d]).into()),
            _ => bytes.try_into().ok().map(i64::from_be_bytes),
        };
        let is_integer = matches!(cells.data, ColumnData::I32(_) | ColumnData::I64(_));
        if is_integer && self.null.is_some() && self.null.as_deref().and_then(integer) == whole() {
            cells.push_null();
            return Ok(());
        }
        let is_taken = match &mut cells.data {
            ColumnData::Text(v) => push(v, self.text_of(bytes)),
            ColumnData::Bool(_) if matches!(bytes, [0 | b' ' | b'?']) => {
                cells.push_null();
                true
            }
            ColumnData::Bool(v) => push(
                v,
                match bytes {
                    [b'T' | b't' | b'1'] => Some(true),
                    [b'F' | b'f' | b'0'] => Some(false),
                    _ => None,
                },
            ),
            ColumnData::I32(v) => push(v, whole().and_then(|x| x.try_into().ok())),
            ColumnData::I64(v) => push(v, whole()),
            ColumnData::F32(v) => push(v, bytes.try_into().ok().map(f32::from_be_bytes)),
            ColumnData::F64(v) => push(v, bytes.try_into().ok().map(f64::from_be_bytes)),
        };
        is_taken.then_some(()).ok_or_else(other)
    }

    /// Text, without what fills a cell of fixed length.
    fn text_of(&self, bytes: &[u8]) -> Option<String> {
        let text = match self.kind {
            Kind::Unicode => {
                let units = bytes
                    .chunks_exact(2)
                    .map(|b| u16::from_be_bytes([b[0], b[1]]));
                let chars: std::result::Result<String, _> = char::decode_utf16(units).collect();
                chars.ok()?
            }
            _ => String::from_utf8(bytes.to_vec()).ok()?,
        };
        let text = text.split('\0').next().unwrap_or_default();
        Some(match self.shape {
            Shape::Fixed(_) => text.trim_end().to_owned(),
            _ => text.to_owned(),
        })
    }
}

fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let is_some = value.is_some();
    values.extend(value);
    is_some
}

/// An integer, which may be hexadecimal.
fn integer(word: &str) -> Option<i64> {
    match word.strip_prefix("0x").or(word.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

fn kind(datatype: &str) -> Kind {
    match datatype {
        "boolean" => Kind::Boolean,
        "bit" => Kind::Bit,
        "unsignedByte" => Kind::Byte,
        "short" => Kind::Short,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "char" => Kind::Char,
        "unicodeChar" => Kind::Unicode,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "floatComplex" => Kind::FloatComplex,
        "doubleComplex" => Kind::DoubleComplex,
        _ => Kind::Unknown,
    }
}

/// `arraysize`: dimensions with `x` between, of which the last may be variable.
fn shape(size: &str) -> Option<Shape> {
    if size.is_empty() || size == "1" {
        return Some(Shape::One);
    }
    let (inner, last) = match size.rsplit_once('x') {
        Some((inner, last)) => (inner, last),
        None => ("", size),
    };
    let dimensions = inner.split('x').filter(|d| !d.is_empty());
    let mut n = dimensions.map(|d| d.trim().parse::<usize>().ok());
    let n = n.try_fold(1, |product: usize, d| product.checked_mul(d?))?;
    match last.strip_suffix('*') {
        // The number before the star is the most that there may be.
        Some(most) if most.is_empty() || most.parse::<usize>().is_ok() => Some(Shape::Any(n)),
        Some(_) => None,
        None => Some(Shape::Fixed(n.checked_mul(last.trim().parse().ok()?)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_cells_are_understood() {
        for (size, expected) in [
            ("", Some(Shape::One)),
            ("1", Some(Shape::One)),
            ("8", Some(Shape::Fixed(8))),
            ("*", Some(Shape::Any(1))),
            ("12*", Some(Shape::Any(1))),
            ("2x3", Some(Shape::Fixed(6))),
            ("2x3x*", Some(Shape::Any(6))),
            ("99999999999x99999999999", None),
            ("-1", None),
            ("x", None),
            ("a*", None),
        ] {
            assert_eq!(shape(size), expected, "{size}");
        }
    }
}
