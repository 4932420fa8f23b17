//! A FITS header that is written, card by card.

use super::escape::ascii;
use super::{BLOCK, CARD};

/// Characters of a string that one card holds: room is left for the quotes, and for the `&` of one that goes on.
const PART: usize = 67;

/// A header being written. What is not printable ASCII is written as `\u{...}`, see [`ascii`].
#[derive(Debug, Default)]
pub struct HeaderText {
    bytes: Vec<u8>,
    /// Comments of strings begin where those of numbers do.
    aligns: bool,
}

impl HeaderText {
    /// A header whose strings take as much room as numbers, so that all comments begin below each other, empty ones too: as the
    /// survey's pipeline prints them.
    #[cfg(feature = "lab")]
    pub fn aligned() -> Self {
        HeaderText {
            aligns: true,
            ..HeaderText::default()
        }
    }

    /// Adds a card of printable ASCII, cut or padded to its length.
    fn card(&mut self, text: &str) -> &mut Self {
        let start = self.bytes.len();
        self.bytes.extend(text.bytes().take(CARD));
        self.bytes.resize(start + CARD, b' ');
        self
    }

    /// Adds a COMMENT card.
    #[cfg(feature = "lab")]
    pub fn comment(&mut self, text: &str) -> &mut Self {
        self.card(&format!("COMMENT {}", ascii(text)))
    }

    /// Adds HISTORY cards, as many as the text needs.
    pub fn history(&mut self, text: &str) -> &mut Self {
        const ROOM: usize = CARD - "HISTORY ".len();
        let text: Vec<char> = ascii(text).chars().collect();
        for part in text.chunks(ROOM) {
            let part: String = part.iter().collect();
            self.card(&format!("HISTORY {part}"));
        }
        self
    }

    /// Adds an empty card.
    #[cfg(feature = "lab")]
    pub fn blank(&mut self) -> &mut Self {
        self.card("")
    }

    /// Adds a truth value.
    pub fn logical(&mut self, key: &str, value: bool, comment: &str) -> &mut Self {
        self.number(key, if value { "T" } else { "F" }, comment)
    }

    /// Adds an integer.
    pub fn integer(&mut self, key: &str, value: impl Into<i128>, comment: &str) -> &mut Self {
        let value: i128 = value.into();
        self.number(key, &value.to_string(), comment)
    }

    /// Adds a number with `decimals` decimals.
    pub fn real(&mut self, key: &str, value: f64, decimals: usize, comment: &str) -> &mut Self {
        self.number(key, &format!("{value:.decimals$}"), comment)
    }

    /// Adds a number, or another value without quotes, as it is spelled.
    pub fn number(&mut self, key: &str, value: &str, comment: &str) -> &mut Self {
        self.card(&format!("{key:<8}= {value:>20} / {}", ascii(comment)))
    }

    /// Adds a string of any length, at least eight characters wide inside its quotes: what does not fit in one card goes on in
    /// CONTINUE cards. A comment that finds no room is left out.
    pub fn text(&mut self, key: &str, value: &str, comment: &str) -> &mut Self {
        let parts = parts(&ascii(value));
        let last = parts.len() - 1;
        for (i, part) in parts.iter().enumerate() {
            let start = if i == 0 {
                format!("{key:<8}= ")
            } else {
                "CONTINUE  ".to_owned()
            };
            let amp = if i < last { "&" } else { "" };
            let mut card = format!("{start}'{:<8}'", format!("{part}{amp}"));
            let width = if self.aligns { 30 } else { 0 };
            let has_comment = self.aligns || !comment.is_empty();
            if last == 0 && has_comment && card.len() + 3 < CARD {
                card = format!("{card:<width$} / {}", ascii(comment));
            }
            self.card(&card);
        }
        self
    }

    /// The header with its END card, filled to a whole block.
    pub fn finish(mut self) -> Vec<u8> {
        self.card("END");
        let whole = self.bytes.len().next_multiple_of(BLOCK);
        self.bytes.resize(whole, b' ');
        self.bytes
    }
}

/// A string in pieces that fit a card, its quotes doubled; at least one.
fn parts(value: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for c in value.chars() {
        let width = if c == '\'' { 2 } else { 1 };
        if part.len() + width > PART {
            parts.push(std::mem::take(&mut part));
        }
        part.extend(std::iter::repeat_n(c, width));
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fits::header::Header;

    fn cards(h: HeaderText) -> Vec<String> {
        let bytes = h.finish();
        assert_eq!(bytes.len() % BLOCK, 0);
        let text = String::from_utf8(bytes).unwrap();
        let cards = (0..text.len() / CARD).map(|i| text[CARD * i..CARD * (i + 1)].trim_end());
        let cards = cards.take_while(|card| *card != "END");
        cards.map(str::to_owned).collect()
    }

    #[test]
    fn aligned_cards_look_like_the_surveys() {
        let mut h = HeaderText::aligned();
        h.text("PLANID", "TD193637N444141K01", "Plan ID in use")
            .text("DUST", "", "Reservation")
            .text("TTYPE1", "FLUX", "")
            .integer("SPID", 10, "Spectrograph ID")
            .real("HELIO_RV", -8.93644, 5, "[km/s] Heliocentric correction")
            .logical("HELIO", true, "Heliocentric correction")
            .blank()
            .comment(" *** End of mandatory fields ***");
        assert_eq!(
            cards(h),
            [
                "PLANID  = 'TD193637N444141K01' / Plan ID in use",
                "DUST    = '        '           / Reservation",
                "TTYPE1  = 'FLUX    '           /",
                "SPID    =                   10 / Spectrograph ID",
                "HELIO_RV=             -8.93644 / [km/s] Heliocentric correction",
                "HELIO   =                    T / Heliocentric correction",
                "",
                "COMMENT  *** End of mandatory fields ***",
            ]
        );
    }

    #[test]
    fn strings_of_any_length_come_back() {
        let quotes = "O'Neill's ".repeat(20);
        for value in [
            "",
            "a",
            "ends in &",
            &"x".repeat(67),
            &"x".repeat(68),
            quotes.trim_end(),
            "caf\u{e9}",
        ] {
            let mut h = HeaderText::default();
            h.text("KEY", value, "a comment")
                .text("NEXT", "another", "");
            let bytes = h.finish();
            let (header, _) = Header::parse(&bytes).unwrap();
            assert_eq!(header.string("KEY"), Some(ascii(value)), "{value}");
            assert_eq!(header.text("NEXT").as_deref(), Some("another"));
        }
    }

    #[test]
    fn a_comment_without_room_is_left_out() {
        let mut h = HeaderText::default();
        h.text("KEY", "value", "what it is")
            .text("BARE", "value", "")
            .text("LONG", &"x".repeat(66), "no room");
        assert_eq!(
            cards(h),
            [
                "KEY     = 'value   ' / what it is".to_owned(),
                "BARE    = 'value   '".to_owned(),
                format!("LONG    = '{}'", "x".repeat(66)),
            ]
        );
    }
}
