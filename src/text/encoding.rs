//! Text files of others: which bytes are which characters.

/// How the characters of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, or anything else that has ASCII in it.
    Utf8,
    /// The same after a byte order mark of three bytes.
    MarkedUtf8,
    /// Two bytes a character, the lower one first: what Windows calls "Unicode".
    Utf16Le,
    /// Two bytes a character, the higher one first.
    Utf16Be,
}

impl Encoding {
    /// Encoding by the first bytes of a file (four are enough). Without a mark, a zero beside an ASCII character tells
    /// UTF-16: no other text has zeros.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [0xef, 0xbb, 0xbf, ..] => Self::MarkedUtf8,
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            [1..=0x7f, 0, 1..=0x7f, 0, ..] => Self::Utf16Le,
            [0, 1..=0x7f, 0, 1..=0x7f, ..] => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }
}

/// The bytes as UTF-8 without a byte order mark; those that are neither marked nor UTF-16 as they are.
///
/// # Errors
/// What is wrong with UTF-16 that is none.
pub(crate) fn to_utf8(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let unit: fn([u8; 2]) -> u16 = match Encoding::of(&bytes) {
        Encoding::Utf8 => return Ok(bytes),
        Encoding::MarkedUtf8 => return Ok(bytes[3..].to_vec()),
        Encoding::Utf16Le => u16::from_le_bytes,
        Encoding::Utf16Be => u16::from_be_bytes,
    };
    let (units, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(
            "expected UTF-16 text, two bytes a character, found an odd number of bytes".to_owned(),
        );
    }
    let mut text = String::with_capacity(units.len());
    for (i, c) in char::decode_utf16(units.iter().map(|&u| unit(u))).enumerate() {
        match c {
            Ok('\u{feff}') if i == 0 => {}
            Ok(c) => text.push(c),
            Err(_) => {
                return Err(format!(
                    "expected UTF-16 text, found half a character after {i}"
                ));
            }
        }
    }
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "a\u{e9},\u{1d11e}\r\n";
        let utf16 = |mark: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("{mark}x{text}")
                .encode_utf16()
                .flat_map(unit)
                .collect()
        };
        for bytes in [
            format!("x{text}").into_bytes(),
            format!("\u{feff}x{text}").into_bytes(),
            utf16("\u{feff}", u16::to_le_bytes),
            utf16("\u{feff}", u16::to_be_bytes),
            utf16("y", u16::to_le_bytes).split_off(2),
        ] {
            assert_eq!(to_utf8(bytes).unwrap(), format!("x{text}").into_bytes());
        }
        let ascii: Vec<u8> = "ab\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(to_utf8(ascii).unwrap(), b"ab\n");
    }

    #[test]
    fn broken_utf_16_is_an_error_and_other_bytes_are_left_alone() {
        assert!(
            to_utf8(b"\xff\xfea\x00b".to_vec())
                .unwrap_err()
                .contains("odd")
        );
        assert!(to_utf8(b"\xff\xfea\x00\x00\xd8".to_vec()).is_err());
        for bytes in [&b"caf\xe9"[..], b"", b"\xff", b"\x00", b"a\x00"] {
            assert_eq!(to_utf8(bytes.to_vec()).unwrap(), bytes);
        }
    }
}
