//! Reading the first binary table of a FITS file.

use std::io::Read;
use std::path::Path;

use super::fits_field::{Field, Kind, field, is_scalar, left_out, parse_form};
use super::header::{BLOCK, Header};
use super::read::{ReadTable, Skipped};
use super::{Table, source};
use crate::{Error, Result};

/// Longest header taken for one, in blocks: 36 000 cards.
const MAX_HEADER_BLOCKS: usize = 1000;
/// Bytes of rows read at a time.
const CHUNK_BYTES: usize = 4 << 20;

/// Reads the first BINTABLE of the file, gzip-compressed or not.
pub(super) fn read(path: &Path) -> Result<ReadTable> {
    let mut input = source::open(path)?;
    let primary = read_header(&mut *input, path, 0)?
        .ok_or_else(|| Error::format(path, "expected a FITS file, found an empty one"))?;
    if primary.int("NAXIS").is_none() {
        return Err(Error::format(
            path,
            "HDU 0: expected a FITS header with NAXIS, found none",
        ));
    }
    skip_data(&mut *input, &primary, path, 0)?;
    for hdu in 1.. {
        let Some(header) = read_header(&mut *input, path, hdu)? else {
            break;
        };
        if header.text("XTENSION") == Some("TABLE") {
            return Err(Error::format(
                path,
                format!(
                    "HDU {hdu}: expected a binary table (BINTABLE), found one in ASCII (TABLE)"
                ),
            ));
        }
        if header.text("XTENSION") == Some("BINTABLE") {
            let read = read_rows(&mut *input, &header, path, hdu)?;
            check_rest(&mut *input, &header, path, hdu)?;
            return Ok(read);
        }
        skip_data(&mut *input, &header, path, hdu)?;
    }
    Err(Error::format(
        path,
        "expected a binary table (BINTABLE), found none",
    ))
}

/// What follows the rows must be the heap, padding and another HDU or nothing: anything else is rows that NAXIS2 leaves
/// out.
fn check_rest(input: &mut dyn Read, header: &Header, path: &Path, hdu: usize) -> Result<()> {
    let failed = |e| Error::io(path, e);
    let size = |key: &str| {
        header
            .int(key)
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0)
    };
    let rows = size("NAXIS1").saturating_mul(size("NAXIS2"));
    let heap = size("PCOUNT");
    std::io::copy(&mut (&mut *input).take(heap), &mut std::io::sink()).map_err(failed)?;
    let used = rows.saturating_add(heap) % BLOCK as u64;
    let mut padding = vec![0; (BLOCK - used as usize) % BLOCK];
    let n = read_full(input, &mut padding).map_err(failed)?;
    padding.truncate(n);
    let mut next = [0; BLOCK];
    let n = read_full(input, &mut next).map_err(failed)?;
    let is_empty = |bytes: &[u8]| bytes.iter().all(|&b| b == 0 || b == b' ');
    if !is_empty(&padding) || !(next.starts_with(b"XTENSION") || is_empty(&next[..n])) {
        return Err(Error::format(
            path,
            format!(
                "HDU {hdu}: expected the table to end after NAXIS2 = {} rows, found more data",
                size("NAXIS2")
            ),
        ));
    }
    Ok(())
}

/// Header of the next HDU; None at the end of the file.
fn read_header(input: &mut dyn Read, path: &Path, hdu: usize) -> Result<Option<Header>> {
    let mut header = Header::default();
    let mut block = [0; BLOCK];
    for i in 0..MAX_HEADER_BLOCKS {
        let n = read_full(input, &mut block).map_err(|e| Error::io(path, e))?;
        if i == 0 && hdu > 0 && (n < BLOCK || !block.starts_with(b"XTENSION")) {
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
        if i == 0 && hdu == 0 && !block.starts_with(b"SIMPLE") {
            return Err(Error::format(
                path,
                "expected a FITS file that starts with SIMPLE, found something else",
            ));
        }
        if header.add_block(&block) {
            return Ok(Some(header));
        }
    }
    Err(Error::format(
        path,
        format!("HDU {hdu}: expected END within {MAX_HEADER_BLOCKS} blocks of header, found none"),
    ))
}

fn skip_data(input: &mut dyn Read, header: &Header, path: &Path, hdu: usize) -> Result<()> {
    let bad = |what: &str| Error::format(path, format!("HDU {hdu}: {what} makes no sense"));
    let naxis = header.int("NAXIS").unwrap_or(0);
    let mut elements: u64 = u64::from(naxis > 0);
    for i in 1..=naxis.clamp(0, 999) {
        let key = format!("NAXIS{i}");
        let n = header
            .int(&key)
            .and_then(|n| u64::try_from(n).ok())
            .ok_or_else(|| bad(&key))?;
        elements = elements.checked_mul(n).ok_or_else(|| bad(&key))?;
    }
    let bytes = header.int("BITPIX").unwrap_or(8).unsigned_abs() / 8;
    let pcount = u64::try_from(header.int("PCOUNT").unwrap_or(0)).map_err(|_| bad("PCOUNT"))?;
    let gcount = u64::try_from(header.int("GCOUNT").unwrap_or(1)).map_err(|_| bad("GCOUNT"))?;
    let total = elements
        .checked_add(pcount)
        .and_then(|n| n.checked_mul(bytes))
        .and_then(|n| n.checked_mul(gcount))
        .and_then(|n| n.checked_next_multiple_of(BLOCK as u64))
        .ok_or_else(|| bad("the size of the data"))?;
    std::io::copy(&mut input.take(total), &mut std::io::sink()).map_err(|e| Error::io(path, e))?;
    Ok(())
}

fn read_rows(input: &mut dyn Read, header: &Header, path: &Path, hdu: usize) -> Result<ReadTable> {
    let need = |key: &str| {
        header
            .int(key)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| {
                Error::format(
                    path,
                    format!("HDU {hdu}: expected {key} with a number >= 0"),
                )
            })
    };
    let (row_bytes, n_rows, n_fields) = (need("NAXIS1")?, need("NAXIS2")?, need("TFIELDS")?);
    let mut fields = Vec::new();
    let mut skipped = Vec::new();
    let mut start = 0_usize;
    for n in 1..=n_fields.min(999) {
        let name = header
            .text(&format!("TTYPE{n}"))
            .filter(|name| !name.trim().is_empty())
            .map_or_else(|| format!("col{n}"), str::to_owned);
        let form = header.text(&format!("TFORM{n}")).unwrap_or("").to_owned();
        let (repeat, code) = parse_form(&form).ok_or_else(|| {
            Error::format(
                path,
                format!("HDU {hdu}, column {name}: expected a format such as 1D in TFORM{n}, found {form:?}"),
            )
        })?;
        let (unit_bytes, kind) = match code {
            'A' => (1, Some(Kind::Text)),
            'L' => (1, Some(Kind::Logical)),
            'B' => (1, Some(Kind::Byte)),
            'I' => (2, Some(Kind::Short)),
            'J' => (4, Some(Kind::Int)),
            'K' => (8, Some(Kind::Long)),
            'E' => (4, Some(Kind::Float)),
            'D' => (8, Some(Kind::Double)),
            'C' | 'P' => (8, None),
            'M' | 'Q' => (16, None),
            'X' => (0, None),
            _ => {
                return Err(Error::format(
                    path,
                    format!("HDU {hdu}, column {name}: unknown format {form:?} in TFORM{n}"),
                ));
            }
        };
        let bytes = if code == 'X' {
            repeat.div_ceil(8)
        } else {
            repeat.saturating_mul(unit_bytes)
        };
        let shape = header.text(&format!("TDIM{n}"));
        match kind.filter(|&kind| is_scalar(kind, repeat, shape)) {
            None => skipped.push(Skipped {
                column: name,
                reason: left_out(code, repeat, &form),
            }),
            Some(kind) => fields.push(field(header, n, name, kind, start, bytes)),
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
