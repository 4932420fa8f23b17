//! Binary tables of a simulated file, with the layout and the header cards of the survey's pipeline.

use crate::fits::BLOCK;
use crate::fits::header_text::HeaderText;

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
    keys: impl FnOnce(&mut HeaderText),
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

    let mut h = HeaderText::aligned();
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
    out.extend(h.finish());

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
