//! A FITS writer for what a simulated file needs: header cards as the survey's pipeline prints them, binary tables.
//!
//! Own code because the bytes must be the same for the same seed and cheap to make; cfitsio reads them back in the
//! tests.

/// Length of a FITS block.
const BLOCK: usize = 2880;

/// A header under construction.
#[derive(Default)]
pub struct Header {
    bytes: Vec<u8>,
}

impl Header {
    /// Adds a card, cut or padded to 80 characters.
    fn card(&mut self, text: &str) {
        let start = self.bytes.len();
        // Headers are ASCII; anything else would break the card's length.
        self.bytes.extend(
            text.bytes()
                .map(|b| if b.is_ascii_graphic() { b } else { b' ' })
                .take(80),
        );
        self.bytes.resize(start + 80, b' ');
    }

    /// Adds a COMMENT card.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        self.card(&format!("COMMENT {text}"));
        self
    }

    /// Adds an empty card.
    pub fn blank(&mut self) -> &mut Self {
        self.card("");
        self
    }

    /// Adds a text value, at least eight characters wide inside its quotes.
    pub fn text(&mut self, key: &str, value: &str, comment: &str) -> &mut Self {
        let quoted = format!("'{:<8}'", value.replace('\'', "''"));
        self.card(&format!("{key:<8}= {quoted:<20} / {comment}"));
        self
    }

    /// Adds a truth value.
    pub fn logical(&mut self, key: &str, value: bool, comment: &str) -> &mut Self {
        self.raw(key, if value { "T" } else { "F" }, comment)
    }

    /// Adds an integer.
    pub fn integer(&mut self, key: &str, value: i64, comment: &str) -> &mut Self {
        self.raw(key, &value.to_string(), comment)
    }

    /// Adds a number with `decimals` decimals.
    pub fn real(&mut self, key: &str, value: f64, decimals: usize, comment: &str) -> &mut Self {
        self.raw(key, &format!("{value:.decimals$}"), comment)
    }

    fn raw(&mut self, key: &str, value: &str, comment: &str) -> &mut Self {
        self.card(&format!("{key:<8}= {value:>20} / {comment}"));
        self
    }

    /// Ends the header and appends it to `out`.
    pub fn write(mut self, out: &mut Vec<u8>) {
        self.card("END");
        out.extend_from_slice(&self.bytes);
        pad(out, b' ');
    }
}

/// Pads to a whole block.
fn pad(out: &mut Vec<u8>, with: u8) {
    out.resize(out.len().next_multiple_of(BLOCK), with);
}

/// A column of a binary table.
pub enum ColumnValues<'a> {
    /// Format E.
    F32(&'a [f32]),
    /// Format I.
    I16(&'a [i16]),
}

impl ColumnValues<'_> {
    fn len(&self) -> usize {
        match self {
            ColumnValues::F32(v) => v.len(),
            ColumnValues::I16(v) => v.len(),
        }
    }

    fn width(&self) -> usize {
        match self {
            ColumnValues::F32(_) => 4,
            ColumnValues::I16(_) => 2,
        }
    }

    fn letter(&self) -> char {
        match self {
            ColumnValues::F32(_) => 'E',
            ColumnValues::I16(_) => 'I',
        }
    }

    fn push(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            ColumnValues::F32(v) => out.extend_from_slice(&v[row].to_be_bytes()),
            ColumnValues::I16(v) => out.extend_from_slice(&v[row].to_be_bytes()),
        }
    }
}

/// Appends a binary table of columns of equal length to `out`: a row per entry, or (`one_row`) one row of vectors.
/// `keys` adds the table's own keys.
pub fn write_table(
    out: &mut Vec<u8>,
    keys: impl FnOnce(&mut Header),
    columns: &[(&str, ColumnValues<'_>)],
    one_row: bool,
) {
    let length = columns.first().map_or(0, |c| c.1.len());
    debug_assert!(columns.iter().all(|c| c.1.len() == length));
    let entry: usize = columns.iter().map(|c| c.1.width()).sum();
    let (row_bytes, rows) = if one_row {
        (entry * length, 1)
    } else {
        (entry, length)
    };

    let mut h = Header::default();
    h.text("XTENSION", "BINTABLE", "Binary table")
        .integer("BITPIX", 8, "Required value")
        .integer("NAXIS", 2, "Required value")
        .integer("NAXIS1", row_bytes as i64, "Number of bytes per row")
        .integer("NAXIS2", rows as i64, "Number of rows")
        .integer("PCOUNT", 0, "Normally 0 (no varying arrays)")
        .integer("GCOUNT", 1, "Required value")
        .integer(
            "TFIELDS",
            columns.len() as i64,
            "Number of columns in table",
        )
        .comment("")
        .comment(" *** End of mandatory fields ***")
        .comment("");
    keys(&mut h);
    h.comment("").comment(" *** Column names ***").comment("");
    for (i, (name, _)) in columns.iter().enumerate() {
        h.text(&format!("TTYPE{}", i + 1), name, "");
    }
    h.comment("").comment(" *** Column formats ***").comment("");
    for (i, (_, values)) in columns.iter().enumerate() {
        let format = if one_row {
            format!("{length}{}", values.letter())
        } else {
            values.letter().to_string()
        };
        h.text(&format!("TFORM{}", i + 1), &format, "");
    }
    h.write(out);

    out.reserve(entry * length + BLOCK);
    if one_row {
        for (_, values) in columns {
            (0..length).for_each(|i| values.push(i, out));
        }
    } else {
        for i in 0..length {
            columns.iter().for_each(|(_, values)| values.push(i, out));
        }
    }
    pad(out, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_look_like_the_surveys() {
        let mut h = Header::default();
        h.text("PLANID", "TD193637N444141K01", "Plan ID in use")
            .text("DUST", "", "Reservation")
            .integer("SPID", 10, "Spectrograph ID")
            .real("HELIO_RV", -8.93644, 5, "[km/s] Heliocentric correction")
            .logical("HELIO", true, "Heliocentric correction");
        let text = String::from_utf8(h.bytes).unwrap();
        let cards: Vec<&str> = (0..5)
            .map(|i| text[80 * i..80 * i + 80].trim_end())
            .collect();
        assert_eq!(
            cards,
            [
                "PLANID  = 'TD193637N444141K01' / Plan ID in use",
                "DUST    = '        '           / Reservation",
                "SPID    =                   10 / Spectrograph ID",
                "HELIO_RV=             -8.93644 / [km/s] Heliocentric correction",
                "HELIO   =                    T / Heliocentric correction",
            ]
        );
    }

    #[test]
    fn everything_comes_in_whole_blocks() {
        for (n, one_row) in [(0, false), (1, false), (5000, false), (5000, true)] {
            let values = vec![1.5f32; n];
            let mut out = Vec::new();
            write_table(
                &mut out,
                |_| {},
                &[("FLUX", ColumnValues::F32(&values))],
                one_row,
            );
            assert_eq!(out.len() % BLOCK, 0);
        }
    }
}
