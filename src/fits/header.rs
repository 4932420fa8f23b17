//! Cards of a FITS header that is read.

use std::borrow::Cow;

use super::{BLOCK, CARD};

/// Longest header that is read, bytes: 1000 blocks, which are 36,000 cards. LAMOST primary headers have about 90; a table of 999
/// columns may have 8000.
pub const MAX_HEADER: usize = 1000 * BLOCK;

/// The cards of one header, without `END`.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    cards: &'a [u8],
}

impl<'a> Header<'a> {
    /// Header at the start of `bytes`, and its length with padding (no longer than `bytes`).
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), String> {
        let within = &bytes[..bytes.len().min(MAX_HEADER)];
        let n_cards = within
            .chunks_exact(CARD)
            .position(is_end)
            .ok_or_else(|| format!("no END card within {} bytes", within.len()))?;
        let padded = ((n_cards + 1) * CARD).div_ceil(BLOCK) * BLOCK;
        let cards = &bytes[..n_cards * CARD];
        Ok((Header { cards }, padded.min(bytes.len())))
    }

    /// Cards from the first with this key on.
    fn from(&self, key: &str) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
        let mut cards = self.cards.chunks_exact(CARD).peekable();
        while cards
            .next_if(|card| value_of(card, key).is_none())
            .is_some()
        {}
        cards.peek()?;
        Some(cards)
    }

    /// Value as text: the inside of a quoted string, with what CONTINUE cards add to it, or the bare word before the
    /// comment; trimmed. `None` where the key is missing, its value empty, or the bytes not ASCII.
    pub fn text(&self, key: &str) -> Option<String> {
        let mut cards = self.from(key)?;
        let value = value_of(cards.next()?, key)?;
        if !value.is_ascii() {
            return None;
        }
        let text = if value.starts_with(b"'") {
            Cow::Owned(string_of(value, cards)?)
        } else {
            String::from_utf8_lossy(bare(value))
        };
        let text = text.trim();
        (text.is_ascii() && !text.is_empty()).then(|| text.to_owned())
    }

    /// Value of a string in quotes, with what CONTINUE cards add to it: blanks in front count, those at the end do not. What is not
    /// ASCII, which no header may hold, is taken for UTF-8. `None` where the key is missing, or its value no string.
    pub fn string(&self, key: &str) -> Option<String> {
        let mut cards = self.from(key)?;
        string_of(value_of(cards.next()?, key)?, cards)
    }

    /// Whether the value is `T`.
    pub fn is_true(&self, key: &str) -> bool {
        let value = self.from(key).and_then(|mut cards| cards.next());
        value.and_then(|card| value_of(card, key)).map(bare) == Some(b"T")
    }

    /// Value as a finite number, also if it is stored as text. `None` where it is not one.
    pub fn float(&self, key: &str) -> Option<f64> {
        let text = self.text(key)?;
        let number = text
            .parse()
            .or_else(|_| text.replace(['D', 'd'], "E").parse());
        number.ok().filter(|x: &f64| x.is_finite())
    }

    /// Value as an integer, also if it is stored as text or as `12.0`. `None` where it is not one.
    pub fn int(&self, key: &str) -> Option<i64> {
        // Beyond 2^53 a float is not the integer that was written.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let text = self.text(key)?;
        if let Ok(value) = text.parse() {
            return Some(value);
        }
        let value = self.float(key)?;
        (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
    }
}

/// Whether a header's block holds the card that ends it.
pub fn holds_end(block: &[u8]) -> bool {
    block.chunks_exact(CARD).any(is_end)
}

fn is_end(card: &[u8]) -> bool {
    card.starts_with(b"END     ") && card[8..].iter().all(|&b| b == b' ')
}

/// A value without quotes, which ends where the comment begins.
fn bare(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|&b| b == b'/');
    value[..end.unwrap_or(value.len())].trim_ascii()
}

/// A string in quotes, with the CONTINUE cards among those that follow it.
fn string_of<'a>(value: &[u8], mut rest: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut text = quoted(value)?;
    while text.ends_with(b"&")
        && let Some(card) = rest.next().filter(|card| card.starts_with(b"CONTINUE  "))
        && let Some(more) = quoted(card[10..].trim_ascii())
    {
        text.pop();
        text.extend(more);
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Inside of a string in quotes, without the blanks at its end, which do not count; `None` if it has no end.
fn quoted(value: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut bytes = value.strip_prefix(b"'")?.iter().peekable();
    loop {
        match bytes.next()? {
            // Two quotes stand for one.
            b'\'' if bytes.next_if(|&&b| b == b'\'').is_some() => text.push(b'\''),
            b'\'' => break,
            &b => text.push(b),
        }
    }
    text.truncate(text.trim_ascii_end().len());
    Some(text)
}

/// Value field and comment of a card, if it is of this key. Keys of more than eight letters are those of the convention
/// `HIERARCH key = value`.
fn value_of<'a>(card: &'a [u8], key: &str) -> Option<&'a [u8]> {
    if key.len() > 8 {
        let rest = card.strip_prefix(b"HIERARCH ")?.trim_ascii_start();
        let rest = rest.strip_prefix(key.as_bytes())?.trim_ascii_start();
        return Some(rest.strip_prefix(b"=")?.trim_ascii());
    }
    let (name, rest) = card.split_at_checked(8)?;
    let is_key = name.trim_ascii_end() == key.as_bytes();
    Some(rest.strip_prefix(b"= ").filter(|_| is_key)?.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(cards: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for card in cards {
            let start = bytes.len();
            bytes.extend(card.bytes());
            bytes.resize(start + CARD, b' ');
        }
        bytes.extend(format!("{:<80}", "END").into_bytes());
        bytes.resize(bytes.len().div_ceil(BLOCK) * BLOCK, b' ');
        bytes
    }

    #[test]
    fn values_of_every_kind() {
        let bytes = header(&[
            "NAXIS1  =                   14 /Number of bytes per row",
            "LMJM    = '84420148'           / Local Modified Julian Minute",
            "SNR     =                12.88 / Signal to noise ratio",
            "RA      =           2.92058716D2",
            "NAME    = 'O''Neill / x  '     / a quote and a slash",
            "EMPTY   = '        '           /",
            "OPEN    = 'no end",
            "FLOATINT=                 12.0",
            "BAD     =                 12x0",
            "NOTNUM  =                  NaN",
            "YES     =                    T / it is",
            "NO      =                    F",
            "QUOTED  = 'T'",
            "PLACE   = '  caf\u{e9}  '     / blanks in front count",
            "COMMENT = not a value",
            "HIERARCH GAIA_SOURCE_ID = 2081900940499099136 / of DR3",
        ]);
        let (h, len) = Header::parse(&bytes).unwrap();
        assert_eq!(len, BLOCK);
        assert_eq!(h.int("NAXIS1"), Some(14));
        assert_eq!(h.int("LMJM"), Some(84_420_148));
        assert_eq!(h.text("LMJM").as_deref(), Some("84420148"));
        assert_eq!(h.float("SNR"), Some(12.88));
        assert_eq!(h.float("RA"), Some(292.058716));
        assert_eq!(h.text("NAME").as_deref(), Some("O'Neill / x"));
        assert_eq!(h.text("EMPTY"), None);
        assert_eq!(h.text("OPEN"), None);
        assert_eq!(h.int("FLOATINT"), Some(12));
        assert_eq!(h.int("SNR"), None);
        assert_eq!(h.float("BAD"), None);
        assert_eq!(h.float("NOTNUM"), None);
        assert_eq!(h.int("MISSING"), None);
        assert_eq!(h.int("MUCHTOOLONGKEY"), None);
        assert_eq!(h.int("GAIA_SOURCE_ID"), Some(2_081_900_940_499_099_136));
        assert_eq!(h.int("GAIA_SOURCE"), None);
        // As strings: in quotes alone, and as they are.
        assert_eq!(h.string("LMJM").as_deref(), Some("84420148"));
        assert_eq!(h.string("EMPTY").as_deref(), Some(""));
        assert_eq!(h.string("PLACE").as_deref(), Some("  caf\u{e9}"));
        assert_eq!(h.text("PLACE"), None);
        for none in ["SNR", "OPEN", "MISSING"] {
            assert_eq!(h.string(none), None, "{none}");
        }
        assert!(h.is_true("YES") && !h.is_true("NO") && !h.is_true("QUOTED"));
    }

    #[test]
    fn long_strings_go_on_in_continue_cards() {
        let bytes = header(&[
            "LONG    = 'a first part, &'     / a comment",
            "CONTINUE  'a second, O''&'",
            "CONTINUE  'Neill''s, and the end  ' / that is all",
            "AMP     = 'ends in &'",
            "NEXT    = 'another'",
            "OPEN    = 'goes on&'",
            "CONTINUE  'no end",
        ]);
        let (h, _) = Header::parse(&bytes).unwrap();
        let text = |key| h.text(key).unwrap();
        assert_eq!(
            text("LONG"),
            "a first part, a second, O'Neill's, and the end"
        );
        assert_eq!(text("AMP"), "ends in &");
        assert_eq!(text("NEXT"), "another");
        assert_eq!(text("OPEN"), "goes on&");
        assert_eq!(h.text("CONTINUE"), None);
    }

    #[test]
    fn a_header_without_end_is_an_error() {
        let mut bytes = header(&["NAXIS   = 0"]);
        bytes.truncate(100);
        assert!(Header::parse(&bytes).is_err());
        assert!(Header::parse(&[]).is_err());
        assert!(Header::parse(&vec![b' '; 2_000_000]).is_err());
    }

    #[test]
    fn a_header_cut_after_its_end_card_still_reads() {
        let mut bytes = header(&["NAXIS   =                    0"]);
        bytes.truncate(160);
        let (h, len) = Header::parse(&bytes).unwrap();
        assert_eq!((h.int("NAXIS"), len), (Some(0), 160));
    }
}
