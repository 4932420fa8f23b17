//! Columns of a FITS binary table.

use super::element::{ElementType, parse_form};
use super::reader::Hdu;

#[derive(Clone, Debug)]
struct Field {
    /// Number in the header, from 1.
    number: usize,
    name: String,
    element: ElementType,
    repeat: usize,
    /// First byte and number of bytes in a row.
    offset: usize,
    len: usize,
}

/// A binary table whose size and columns fit its bytes.
#[derive(Clone, Debug)]
pub struct BinTable<'a> {
    hdu: &'a Hdu<'a>,
    rows: usize,
    row_len: usize,
    fields: Vec<Field>,
}

impl<'a> BinTable<'a> {
    /// Reads the layout. An error says what was expected and found.
    pub fn parse(hdu: &'a Hdu<'a>) -> Result<Self, String> {
        let header = &hdu.header;
        let size = |key: &str| -> Result<usize, String> {
            let value = header.int(key).ok_or(format!("no integer {key}"))?;
            usize::try_from(value).map_err(|_| format!("{key} = {value} is negative"))
        };
        if size("BITPIX")? != 8 || size("NAXIS")? != 2 {
            return Err("expected BITPIX = 8 and NAXIS = 2".to_owned());
        }
        let (row_len, rows, n_fields) = (size("NAXIS1")?, size("NAXIS2")?, size("TFIELDS")?);
        if row_len == 0 || rows == 0 {
            return Err(format!(
                "empty table: {rows} rows of {row_len} bytes (NAXIS2, NAXIS1)"
            ));
        }
        if row_len.checked_mul(rows).is_none_or(|n| n > hdu.data.len()) {
            return Err(format!(
                "expected {rows} rows of {row_len} bytes, found {} bytes",
                hdu.data.len()
            ));
        }
        if n_fields > 999 {
            return Err(format!("TFIELDS = {n_fields} is above 999"));
        }
        let mut fields = Vec::with_capacity(n_fields);
        let mut offset = 0usize;
        for number in 1..=n_fields {
            let form = header
                .text(&format!("TFORM{number}"))
                .ok_or(format!("no TFORM{number}"))?;
            let (element, repeat) =
                parse_form(&form).ok_or(format!("TFORM{number} = '{form}' is no column format"))?;
            let len = element
                .row_bytes(repeat)
                .filter(|len| offset.checked_add(*len).is_some_and(|end| end <= row_len))
                .ok_or(format!(
                    "TFORM{number} = '{form}' does not fit a row of {row_len} bytes"
                ))?;
            fields.push(Field {
                number,
                name: header.text(&format!("TTYPE{number}")).unwrap_or_default(),
                element,
                repeat,
                offset,
                len,
            });
            offset += len;
        }
        if offset != row_len {
            return Err(format!(
                "columns take {offset} bytes of a row of {row_len} (NAXIS1)"
            ));
        }
        Ok(BinTable {
            hdu,
            rows,
            row_len,
            fields,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// First column of this name, upper or lower case.
    pub fn column(&self, name: &str) -> Option<Column<'_>> {
        let field = self
            .fields
            .iter()
            .find(|f| f.name.eq_ignore_ascii_case(name))?;
        let key = |prefix: &str| format!("{prefix}{}", field.number);
        let header = &self.hdu.header;
        Some(Column {
            field,
            rows: self.rows,
            row_len: self.row_len,
            bytes: &self.hdu.data[..self.row_len * self.rows],
            scale: header.float(&key("TSCAL")).unwrap_or(1.0),
            zero: header.float(&key("TZERO")).unwrap_or(0.0),
            null: header.int(&key("TNULL")),
        })
    }
}

/// One column of all rows.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    field: &'a Field,
    rows: usize,
    row_len: usize,
    bytes: &'a [u8],
    scale: f64,
    zero: f64,
    null: Option<i64>,
}

impl Column<'_> {
    /// Number of elements in all rows.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        // Fits: the elements lie in `bytes`, see BinTable::parse.
        self.rows * self.field.repeat
    }

    /// Number of elements in a row.
    pub fn repeat(&self) -> usize {
        self.field.repeat
    }

    /// Type of the elements as stored.
    pub fn element(&self) -> ElementType {
        self.field.element
    }

    /// All elements as float32, TSCALn and TZEROn applied; TNULLn becomes NaN. `None` for a column that is not numeric.
    pub fn to_f32(self) -> Option<Vec<f32>> {
        Some(match (self.field.element, self.is_scaled()) {
            (ElementType::F32, false) => self.decode(f32::from_be_bytes),
            (ElementType::F64, false) => self.decode(|b| f64::from_be_bytes(b) as f32),
            (ElementType::I64, false) if self.null.is_none() => {
                // Not by way of float64, which would round twice.
                self.decode(|b| i64::from_be_bytes(b) as f32)
            }
            _ => self.to_f64()?.into_iter().map(|x| x as f32).collect(),
        })
    }

    /// All elements as float64, TSCALn and TZEROn applied; TNULLn becomes NaN. `None` for a column that is not numeric.
    pub fn to_f64(self) -> Option<Vec<f64>> {
        let (scale, zero, null) = (self.scale, self.zero, self.null);
        let of_int = |raw: i64| {
            if null == Some(raw) {
                f64::NAN
            } else {
                raw as f64 * scale + zero
            }
        };
        Some(match (self.field.element, self.is_scaled()) {
            (ElementType::F32, false) => self.decode(|b| f64::from(f32::from_be_bytes(b))),
            (ElementType::F64, false) => self.decode(f64::from_be_bytes),
            (ElementType::F32, true) => {
                self.decode(|b| f64::from(f32::from_be_bytes(b)) * scale + zero)
            }
            (ElementType::F64, true) => self.decode(|b| f64::from_be_bytes(b) * scale + zero),
            (ElementType::U8, _) => self.decode(|[b]: [u8; 1]| of_int(i64::from(b))),
            (ElementType::I16, _) => self.decode(|b| of_int(i64::from(i16::from_be_bytes(b)))),
            (ElementType::I32, _) => self.decode(|b| of_int(i64::from(i32::from_be_bytes(b)))),
            (ElementType::I64, _) => self.decode(|b| of_int(i64::from_be_bytes(b))),
            (ElementType::Logical | ElementType::Text | ElementType::Other(_), _) => return None,
        })
    }

    /// Which elements are not zero (or true, or NaN). `None` for text and the types that are not read.
    pub fn to_set(self) -> Option<Vec<bool>> {
        Some(match (self.field.element, self.is_scaled()) {
            (ElementType::Logical, _) => self.decode(|[b]: [u8; 1]| b == b'T'),
            (ElementType::U8, false) => self.decode(|b: [u8; 1]| b != [0; 1]),
            (ElementType::I16, false) => self.decode(|b| u16::from_ne_bytes(b) != 0),
            (ElementType::I32, false) => self.decode(|b| u32::from_ne_bytes(b) != 0),
            (ElementType::I64, false) => self.decode(|b| u64::from_ne_bytes(b) != 0),
            _ => self.to_f64()?.into_iter().map(|x| x != 0.0).collect(),
        })
    }

    fn is_scaled(&self) -> bool {
        self.scale != 1.0 || self.zero != 0.0
    }

    /// Decodes every element; `W` is the size of the column's type, so a cell is `W * repeat` bytes long.
    fn decode<const W: usize, T>(&self, of: impl Fn([u8; W]) -> T) -> Vec<T> {
        // BinTable::parse checked that this range lies in a row.
        let cell = self.field.offset..self.field.offset + self.field.len;
        let rows = self.bytes.chunks_exact(self.row_len);
        if self.rows == 1 {
            // Contiguous: the byte swap vectorises.
            let (elements, _) = self.bytes[cell].as_chunks();
            elements.iter().map(|&b| of(b)).collect()
        } else if self.field.repeat == 1 {
            // Of known length, so that nothing grows while it is filled; BinTable::parse checked the places.
            let element = |row: usize| {
                let bytes = self.bytes.get(row * self.row_len + cell.start..);
                let bytes = bytes.and_then(|b| b.first_chunk());
                of(bytes.copied().unwrap_or([0; W]))
            };
            (0..self.rows).map(element).collect()
        } else {
            rows.flat_map(|row| row[cell.clone()].as_chunks().0)
                .map(|&b| of(b))
                .collect()
        }
    }
}
