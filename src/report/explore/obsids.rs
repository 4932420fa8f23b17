//! Which stars an observation is of: the numbers by which the survey calls them, in order, in pieces of which a search loads one.

use std::io::{self, Write};

use super::Pieces;
use super::json;
use crate::Result;
use crate::report::finished::Finished;

/// A piece begins no other observation once it has so many lines: it is loaded without a wait that is felt.
const LINES: usize = 20_000;

/// Writes the pieces; the first observation of each.
pub fn write(pieces: &mut Pieces, products: &Finished) -> Result<Vec<i64>> {
    let c = &products.catalogue;
    // Rows and not copies of their numbers: a survey has many.
    let line = |row: &u32| (c.exposure(*row as usize).obsid, c.star[*row as usize]);
    let n = u32::try_from(c.len()).unwrap_or(u32::MAX);
    // No observation has the number 0, which stands where none is known.
    let mut rows: Vec<u32> = (0..n).filter(|row| line(row).0 > 0).collect();
    rows.sort_unstable_by_key(line);
    rows.dedup_by_key(|row| line(row));
    let mut starts = Vec::new();
    let mut rest = &rows[..];
    while let Some(first) = rest.first() {
        starts.push(line(first).0);
        // All stars of one observation are in one piece.
        let last = rest.get(LINES - 1).map(|row| line(row).0);
        let end = last.map_or(rest.len(), |last| {
            rest.partition_point(|row| line(row).0 <= last)
        });
        let (piece, others) = rest.split_at(end);
        pieces.write(&format!("obsids-{:05}", starts.len() - 1), |out| {
            columns(out, piece, line)
        })?;
        rest = others;
    }
    Ok(starts)
}

fn columns(
    out: &mut dyn Write,
    rows: &[u32],
    line: impl Fn(&u32) -> (i64, usize),
) -> io::Result<()> {
    write!(out, "{{\"n\":{}", rows.len())?;
    // As text: a browser's numbers have 53 bits.
    json::list(out, "obsid", rows, |out, row| {
        write!(out, "\"{}\"", line(row).0)
    })?;
    json::list(out, "star", rows, |out, row| write!(out, "{}", line(row).1))?;
    out.write_all(b"}")
}
