//! Quotes of a CSV file that do not come in pairs: everything after such a quote would be taken for one cell, and rows
//! would be lost without a word. The same pass looks for zero bytes, which no text has.

use std::io::{Error, ErrorKind, Read, Result};

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Before the first byte of a cell.
    Start,
    /// In a cell without quotes; a quote in it is a character like any other.
    Plain,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: the end of the cell, or the first of two that stand for one.
    Closed,
}

/// Passes on what it reads, up to a quote that cannot be right.
pub(in crate::table) struct CheckQuotes<R> {
    inner: R,
    delimiter: u8,
    place: Place,
    /// Line that is read, and line of the last opening quote, from 1.
    line: u64,
    opened: u64,
}

impl<R: Read> CheckQuotes<R> {
    /// `line` is the number of the first line, from 1.
    pub(in crate::table) fn new(inner: R, delimiter: u8, line: u64) -> Self {
        CheckQuotes {
            inner,
            delimiter,
            place: Place::Start,
            line,
            opened: line,
        }
    }

    fn see(&mut self, byte: u8) -> Result<()> {
        if byte == 0 {
            // A zero byte: the rest of a file after a crash, or an encoding that is not known.
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!("line {}: expected text, found a byte of zero", self.line),
            ));
        }
        let is_end = byte == self.delimiter || byte == b'\n' || byte == b'\r';
        self.place = match (self.place, byte) {
            (Place::Start, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, _) | (Place::Closed, b'"') => Place::Quoted,
            _ if is_end => Place::Start,
            (Place::Closed, _) => {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    format!(
                        "line {}: expected the end of the cell after its closing quote (opened in line {}), found more text",
                        self.line, self.opened
                    ),
                ));
            }
            _ => Place::Plain,
        };
        self.line += u64::from(byte == b'\n');
        Ok(())
    }
}

impl<R: Read> Read for CheckQuotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let n = self.inner.read(buffer)?;
        for &byte in &buffer[..n] {
            self.see(byte)?;
        }
        if n == 0 && !buffer.is_empty() && self.place == Place::Quoted {
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!("line {}: a quote opens a cell that never ends", self.opened),
            ));
        }
        Ok(n)
    }
}
