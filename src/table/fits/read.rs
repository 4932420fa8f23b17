//! Reading the first table of a FITS file.

use std::io::Read;
use std::path::Path;

use super::field::{Field, field, is_scalar, left_out};
use crate::fits::checksum::{Sum, complaint};
use crate::fits::element::{ElementType, parse_form};
use crate::fits::header::{Header, MAX_HEADER, holds_end};
use crate::fits::reader::data_len;
use crate::fits::{BLOCK, plain};
use crate::table::outcome::{ReadTable, Skipped};
use crate::table::{Table, source};
use crate::{Error, Result};

/// Bytes of rows read at a time.
const CHUNK_BYTES: usize = 4 << 20;

/// Reads the first table of the file, gzip-compressed or not: a binary one, or one in ASCII.
pub(in crate::table) fn read(path: &Path) -> Result<ReadTable> {
    let mut input = Summed {
        inner: source::open(path)?,
        sum: Sum::default(),
    };
    let primary = read_header(&mut input, path, 0)?
        .ok_or_else(|| Error::format(path, "expected a FITS file, found an empty one"))?;
    skip_data(&mut input, &parsed(&primary, path, 0)?, path, 0)?;
    for hdu in 1.. {
        input.take_sum();
        let Some(header) = read_header(&mut input, path, hdu)? else {
            break;
        };
        let of_header = input.take_sum();
        let header = parsed(&header, path, hdu)?;
        let kind = header.text("XTENSION").unwrap_or_default();
        if !matches!(&*kind, "BINTABLE" | "TABLE") {
            skip_data(&mut input, &header, path, hdu)?;
            continue;
        }
        if header.is_true("ZTABLE") {
            return Err(Error::format(
                path,
                format!(
                    "HDU {hdu}: expected a plain table, found one that is compressed in itself (ZTABLE); funpack makes it plain"
                ),
            ));
        }
        let mut read = if kind == "TABLE" {
            read_ascii(&mut input, &header, path, hdu)?
        } else {
            read_rows(&mut input, &header, path, hdu)?
        };
        skip_heap(&mut input, &header, path, hdu)?;
        let of_data = input.take_sum();
        check_end(&mut input, &header, path, hdu)?;
        // Not an error: astropy writes the sums of the table that it read with those rows of it that were kept.
        if let Some(complaint) = complaint(&header, of_header, of_data) {
            read.notes.push(format!(
                "HDU {hdu}: {complaint}: the file was changed or damaged after its check sums were written; it is used as it is"
            ));
        }
        return Ok(read);
    }
    Err(Error::format(
        path,
        "expected a binary table (BINTABLE), found none",
    ))
}

/// Bytes that are added up as they are read.
struct Summed<R> {
    inner: R,
    sum: Sum,
}

impl<R> Summed<R> {
    /// The sum since this was asked last.
    fn take_sum(&mut self) -> Sum {
        std::mem::take(&mut self.sum)
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.sum.add(&buffer[..n]);
        Ok(n)
    }
}

/// A table in ASCII, made binary first.
fn read_ascii(
    input: &mut dyn Read,
    header: &Header<'_>,
    path: &Path,
    hdu: usize,
) -> Result<ReadTable> {
    let wrong = |problem: String| Error::format(path, format!("HDU {hdu}: {problem}"));
    let mut data = Vec::new();
    let size = data_len(header).map_err(wrong)?;
    input
        .take(size)
        .read_to_end(&mut data)
        .map_err(|e| Error::io(path, e))?;
    let table = plain::of_ascii(header, &data).map_err(wrong)?;
    let (header, length) = Header::parse(&table).map_err(wrong)?;
    read_rows(&mut &table[length..], &header, path, hdu)
}

/// Skips what a table has behind its rows, and the padding.
fn skip_heap(input: &mut dyn Read, header: &Header<'_>, path: &Path, hdu: usize) -> Result<()> {
    let size = |key: &str| {
        let value = header.int(key).and_then(|n| u64::try_from(n).ok());
        value.unwrap_or(0)
    };
    let failed = |e| Error::io(path, e);
    let rows = size("NAXIS1").saturating_mul(size("NAXIS2"));
    let heap = size("PCOUNT");
    std::io::copy(&mut (&mut *input).take(heap), &mut std::io::sink()).map_err(failed)?;
    let used = rows.saturating_add(heap) % BLOCK as u64;
    let mut padding = vec![0; (BLOCK - used as usize) % BLOCK];
    let n = read_full(input, &mut padding).map_err(failed)?;
    if is_empty(&padding[..n]) {
        return Ok(());
    }
    Err(more_data(header, path, hdu))
}

/// What follows a table must be another HDU or nothing: anything else is rows that NAXIS2 leaves out.
fn check_end(input: &mut dyn Read, header: &Header<'_>, path: &Path, hdu: usize) -> Result<()> {
    let mut next = [0; BLOCK];
    let n = read_full(input, &mut next).map_err(|e| Error::io(path, e))?;
    if next.starts_with(b"XTENSION") || is_empty(&next[..n]) {
        return Ok(());
    }
    Err(more_data(header, path, hdu))
}

fn is_empty(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| b == 0 || b == b' ')
}

fn more_data(header: &Header<'_>, path: &Path, hdu: usize) -> Error {
    Error::format(
        path,
        format!(
            "HDU {hdu}: expected the table to end after NAXIS2 = {} rows, found more data",
            header.int("NAXIS2").unwrap_or(0)
        ),
    )
}

/// Bytes of the next HDU's header; None at the end of the file.
fn read_header(input: &mut dyn Read, path: &Path, hdu: usize) -> Result<Option<Vec<u8>>> {
    let mut header = Vec::new();
    let mut block = [0; BLOCK];
    while header.len() < MAX_HEADER {
        let is_first = header.is_empty();
        let n = read_full(input, &mut block).map_err(|e| Error::io(path, e))?;
        if is_first && hdu > 0 && (n < BLOCK || !block.starts_with(b"XTENSION")) {
            // Nothing, or the padding that some writers leave behind the last HDU.
            return Ok(None);
        }
        if n < BLOCK {
            return Err(Error::format(
                path,
                format!(
                    "HDU {hdu}: expected a header that ends with END, found the end of the file"
                ),
            ));
        }
        if is_first && hdu == 0 && !block.starts_with(b"SIMPLE") {
            return Err(Error::format(
                path,
                "expected a FITS file that starts with SIMPLE, found something else",
            ));
        }
        header.extend_from_slice(&block);
        if holds_end(&block) {
            return Ok(Some(header));
        }
    }
    Err(Error::format(
        path,
        format!(
            "HDU {hdu}: expected END within {} blocks of header, found none",
            MAX_HEADER / BLOCK
        ),
    ))
}

fn parsed<'a>(bytes: &'a [u8], path: &Path, hdu: usize) -> Result<Header<'a>> {
    let header = Header::parse(bytes);
    let (header, _) =
        header.map_err(|problem| Error::format(path, format!("HDU {hdu}: {problem}")))?;
    Ok(header)
}

fn skip_data(input: &mut dyn Read, header: &Header<'_>, path: &Path, hdu: usize) -> Result<()> {
    let size = data_len(header);
    let size = size.and_then(|n| {
        let padded = n.checked_next_multiple_of(BLOCK as u64);
        padded.ok_or_else(|| "the size of the data overflows".to_owned())
    });
    let size = size.map_err(|problem| Error::format(path, format!("HDU {hdu}: {problem}")))?;
    std::io::copy(&mut input.take(size), &mut std::io::sink()).map_err(|e| Error::io(path, e))?;
    Ok(())
}

fn read_rows(
    input: &mut dyn Read,
    header: &Header<'_>,
    path: &Path,
    hdu: usize,
) -> Result<ReadTable> {
    let need = |key: &str| {
        let value = header.int(key).and_then(|n| usize::try_from(n).ok());
        value.ok_or_else(|| {
            let problem = format!("HDU {hdu}: expected {key} with a number >= 0");
            Error::format(path, problem)
        })
    };
    let (row_bytes, n_rows, n_fields) = (need("NAXIS1")?, need("NAXIS2")?, need("TFIELDS")?);
    let (mut fields, skipped) = columns(header, n_fields, row_bytes, path, hdu)?;
    // Rows are taken as they come: the header may promise more than the file holds.
    if let Some(chunk_rows) = CHUNK_BYTES.checked_div(row_bytes) {
        let chunk_rows = chunk_rows.clamp(1, n_rows.max(1));
        let mut buffer = Vec::new();
        let mut done = 0;
        while done < n_rows {
            let take = chunk_rows.min(n_rows - done);
            let want = (take as u64).saturating_mul(row_bytes as u64);
            buffer.clear();
            (&mut *input)
                .take(want)
                .read_to_end(&mut buffer)
                .map_err(|e| Error::io(path, e))?;
            if (buffer.len() as u64) < want {
                return Err(Error::format(
                    path,
                    format!(
                        "HDU {hdu}: expected {n_rows} rows, found the end of the file in row {}",
                        done + buffer.len() / row_bytes + 1
                    ),
                ));
            }
            for field in &mut fields {
                field.take(&buffer, row_bytes, done, path, hdu)?;
            }
            done += take;
        }
    }
    let columns = fields.into_iter().map(Field::finish).collect();
    Ok(ReadTable::new(
        Table {
            columns,
            times: Vec::new(),
        },
        skipped,
    ))
}

/// The columns that a table can hold, and those that it cannot.
fn columns(
    header: &Header<'_>,
    n_fields: usize,
    row_bytes: usize,
    path: &Path,
    hdu: usize,
) -> Result<(Vec<Field>, Vec<Skipped>)> {
    let mut fields = Vec::new();
    let mut skipped = Vec::new();
    let mut start = 0_usize;
    for n in 1..=n_fields.min(999) {
        let name = header
            .string(&format!("TTYPE{n}"))
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| format!("col{n}"));
        let wrong = |what: String| {
            let place = format!("HDU {hdu}, column {name}");
            Error::format(path, format!("{place}: {what} in TFORM{n}"))
        };
        let form = header.string(&format!("TFORM{n}")).unwrap_or_default();
        let (element, repeat) = parse_form(&form)
            .ok_or_else(|| wrong(format!("expected a format such as 1D, found {form:?}")))?;
        let bytes = element
            .row_bytes(repeat)
            .ok_or_else(|| wrong(format!("unknown format {form:?}")))?;
        let shape = header.string(&format!("TDIM{n}"));
        let is_known = !matches!(element, ElementType::Other(_));
        if is_known && is_scalar(element, repeat, shape.as_deref()) {
            fields.push(field(header, n, name, element, start, bytes));
        } else {
            skipped.push(Skipped {
                column: name,
                reason: left_out(element, repeat, &form),
            });
        }
        start = start.saturating_add(bytes);
    }
    if start != row_bytes {
        return Err(Error::format(
            path,
            format!(
                "HDU {hdu}: expected rows of {start} bytes from TFORMn, found NAXIS1 = {row_bytes}"
            ),
        ));
    }
    Ok((fields, skipped))
}

/// Fills the buffer as far as the input goes.
fn read_full(input: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match input.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}
