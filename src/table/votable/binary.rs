//! Rows of BINARY and BINARY2: numbers of the highest byte first, one cell after the other, in base64.

use super::field::{Kind, Shape, VoField};
use crate::table::cells::Cells;

/// Where a row is wrong: the column, if it is one's fault, and what is.
pub type Fault<'a> = (Option<&'a VoField>, String);

/// Takes one row off the bytes. `has_marks` is true of BINARY2, whose rows begin with a bit for each column that has no value there.
///
/// # Errors
/// What was expected.
pub fn take_row<'f>(
    fields: &'f [VoField],
    cells: &mut [Option<Cells>],
    has_marks: bool,
    rest: &mut &[u8],
) -> Result<(), Fault<'f>> {
    let before = rest.len();
    let ends = || "expected more bytes, found the end of the data".to_owned();
    let marks = match has_marks {
        true => take(rest, fields.len().div_ceil(8)).ok_or_else(|| (None, ends()))?,
        false => &[],
    };
    for (i, (field, cells)) in fields.iter().zip(cells).enumerate() {
        let is_null = marks
            .get(i / 8)
            .is_some_and(|byte| byte & (0x80 >> (i % 8)) != 0);
        let bytes = cell(field, rest).ok_or_else(|| (Some(field), ends()))?;
        match cells {
            Some(cells) if is_null => cells.push_null(),
            Some(cells) => field
                .take_bytes(cells, bytes)
                .map_err(|e| (Some(field), e))?,
            None => {}
        }
    }
    match rest.len() < before {
        true => Ok(()),
        // There would be no end of such rows.
        false => Err((None, "expected cells with bytes in them".to_owned())),
    }
}

/// The bytes of a cell.
fn cell<'a>(field: &VoField, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n = match field.shape {
        Shape::One => 1,
        Shape::Fixed(n) => n,
        Shape::Any(of) => {
            let count = take(rest, 4)?.try_into().ok().map(u32::from_be_bytes)?;
            of.checked_mul(usize::try_from(count).ok()?)?
        }
    };
    let bytes = match field.kind {
        Kind::Bit => return take(rest, n.div_ceil(8)),
        Kind::Boolean | Kind::Byte | Kind::Char => 1,
        Kind::Short | Kind::Unicode => 2,
        Kind::Int | Kind::Float => 4,
        Kind::Long | Kind::Double | Kind::FloatComplex => 8,
        Kind::DoubleComplex => 16,
        // Nobody knows how long it is.
        Kind::Unknown => return None,
    };
    take(rest, n.checked_mul(bytes)?)
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(n)?;
    *rest = left;
    Some(taken)
}

/// Bytes of a text in base64 (RFC 4648), blanks and line breaks aside; None for anything else.
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits, mut n_padding) = (0_u32, 0, 0);
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                n_padding += 1;
                continue;
            }
            _ => return None,
        };
        if n_padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(six);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push((bits >> n_bits) as u8);
            bits &= (1 << n_bits) - 1;
        }
    }
    // A lone letter holds no byte, and the bits that fill the last one are 0.
    let expected = match n_bits {
        0 => 0,
        2 => 1,
        4 => 2,
        _ => return None,
    };
    (bits == 0 && n_padding == expected).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_and_nothing_else() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm 9v\nYmFy", b"foobar"),
            ("+/+/", b"\xfb\xff\xbf"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(bytes), "{text}");
        }
        for text in ["Z", "Zg=", "Zg", "Zh==", "Zg==Zg==", "Zm8!", "===="] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
