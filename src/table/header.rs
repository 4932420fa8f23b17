//! Cards of a FITS header (FITS standard 4.0, section 4).

use super::escape::ascii;

/// Bytes of a FITS block.
pub(super) const BLOCK: usize = 2880;
/// Bytes of a header card.
pub(super) const CARD: usize = 80;

/// A header being written.
#[derive(Default)]
pub(super) struct HeaderText {
    bytes: Vec<u8>,
}

impl HeaderText {
    fn push(&mut self, card: &str) {
        let mut card: Vec<u8> = card.bytes().take(CARD).collect();
        card.resize(CARD, b' ');
        self.bytes.extend_from_slice(&card);
    }

    pub(super) fn logical(&mut self, key: &str, value: bool, comment: &str) {
        let value = if value { "T" } else { "F" };
        self.push(&format!("{key:<8}= {value:>20} / {}", ascii(comment)));
    }

    pub(super) fn int(&mut self, key: &str, value: impl Into<i128>, comment: &str) {
        let value: i128 = value.into();
        self.push(&format!("{key:<8}= {value:>20} / {}", ascii(comment)));
    }

    pub(super) fn real(&mut self, key: &str, value: f64, comment: &str) {
        self.push(&format!("{key:<8}= {value:>20.1} / {}", ascii(comment)));
    }

    /// Text of any length: what does not fit in one card goes on in CONTINUE cards.
    pub(super) fn text(&mut self, key: &str, value: &str, comment: &str) {
        let mut parts = vec![String::new()];
        for c in ascii(value).chars() {
            let piece = if c == '\'' {
                "''".to_owned()
            } else {
                c.to_string()
            };
            // 67 characters leave room for the quotes and for the & of a card that is continued.
            if parts.last().map_or(0, String::len) + piece.len() > 67 {
                parts.push(String::new());
            }
            if let Some(last) = parts.last_mut() {
                last.push_str(&piece);
            }
        }
        let last = parts.len() - 1;
        for (i, part) in parts.iter().enumerate() {
            let start = if i == 0 {
                format!("{key:<8}= ")
            } else {
                "CONTINUE  ".to_owned()
            };
            let amp = if i < last { "&" } else { "" };
            let mut card = format!("{start}'{:<8}'", format!("{part}{amp}"));
            if last == 0 && !comment.is_empty() && card.len() + 3 < CARD {
                card.push_str(" / ");
                card.push_str(&ascii(comment));
            }
            self.push(&card);
        }
    }

    /// The header with its END card, filled to a whole block.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.push("END");
        let whole = self.bytes.len().div_ceil(BLOCK) * BLOCK;
        self.bytes.resize(whole, b' ');
        self.bytes
    }
}

/// A header that was read: keys and values in order.
#[derive(Debug, Default)]
pub(super) struct Header {
    cards: Vec<(String, Value)>,
}

/// Value of a card.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// Number or logical as it is spelled.
    Other(String),
}

impl Header {
    /// Takes the cards of one block; true when END was met.
    pub(super) fn add_block(&mut self, block: &[u8]) -> bool {
        for card in block.chunks_exact(CARD) {
            let key = String::from_utf8_lossy(&card[..8]).trim_end().to_owned();
            if key == "END" {
                return true;
            }
            let rest = &card[8..];
            if key == "CONTINUE" {
                if let Value::Text(more) = parse_value(&rest[2..])
                    && let Some((_, Value::Text(text))) = self.cards.last_mut()
                    && text.ends_with('&')
                {
                    text.pop();
                    text.push_str(&more);
                }
                continue;
            }
            if rest.starts_with(b"= ") || (rest.starts_with(b"=") && !key.is_empty()) {
                self.cards.push((key, parse_value(&rest[1..])));
            }
        }
        false
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.cards.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text.trim_end()),
            _ => None,
        }
    }

    pub(super) fn int(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(Value::Other(text)) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Other(text)) if text == "T")
    }

    pub(super) fn float(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            Some(Value::Other(text)) => text.replace(['D', 'd'], "E").parse().ok(),
            _ => None,
        }
    }
}

/// Value of the bytes after `=`.
fn parse_value(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let Some(quoted) = text.strip_prefix('\'') else {
        let value = text.split('/').next().unwrap_or("").trim();
        return Value::Other(value.to_owned());
    };
    let mut value = String::new();
    let mut chars = quoted.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.peek() != Some(&'\'') {
                break;
            }
            chars.next();
        }
        value.push(c);
    }
    Value::Text(value)
}
