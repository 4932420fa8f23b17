//! FITS headers and binary tables from bytes, in safe Rust.
//!
//! Headers, and columns of fixed width in `BINTABLE` extensions; [`super::plain`] makes such of others. Nothing here copies more than
//! one column, allocates by a number that the file claims, or panics on any bytes: every offset is checked against the
//! slice it points into.
//!
//! Why not a crate. `fitsrs` 0.4.1 was tried first. (1) A header with `TFIELDS = 1099511627776` kept it busy until it was
//! killed after 200 s (with that one card spared, 2000 corruptions of both layouts gave no panic). (2) It brings 40 crates,
//! among them `futures`, `async-trait` and `wcs`, for a reader that needs none of them. (3) Its rows are boxed values:
//! 4-5 ms for a file of rows and 11 ms for one of vectors, before any use of them, where 2 ms are the budget of everything.
//! cfitsio (crate `fitsio`) reads and writes outside of its memory when headers are damaged, as `docs/architecture.md` tells; it
//! is the second opinion in the tests, where both must agree bit for bit.

use super::BLOCK;
use super::header::Header;

/// Longest header of an HDU in a file that is split, bytes: 10,000 cards, so that a file of broken headers does not take long.
const MAX_HEADER: usize = 278 * BLOCK;

/// A part of a file: an HDU, or bytes that are none.
#[derive(Clone, Debug)]
pub enum Part<'a> {
    /// Header and data.
    Hdu(Hdu<'a>),
    /// Bytes that should start an HDU and do not.
    Gap {
        /// First byte of the gap in the file.
        #[cfg(test)]
        start: usize,
        /// Number of bytes.
        len: usize,
        /// It begins with text, so it looks like a damaged header (otherwise the HDU before it has a wrong size).
        is_text: bool,
        /// What is wrong with it.
        problem: String,
    },
}

/// One header and its data.
#[derive(Clone, Debug)]
pub struct Hdu<'a> {
    /// Number in the file, the primary HDU is 0.
    pub index: usize,
    /// Its cards.
    pub header: Header<'a>,
    /// The data that are there, without padding: `declared_len` bytes, fewer if the file ends before.
    pub data: &'a [u8],
    /// Size of the data that the header declares, bytes.
    pub declared_len: u64,
}

impl Hdu<'_> {
    /// Name of the extension (`EXTNAME`), trimmed; empty where missing.
    pub fn name(&self) -> String {
        self.header.text("EXTNAME").unwrap_or_default()
    }

    /// Whether the file ends before the data do.
    pub fn is_cut(&self) -> bool {
        (self.data.len() as u64) < self.declared_len
    }

    /// Whether it is a binary table.
    pub fn is_bintable(&self) -> bool {
        self.header.text("XTENSION").as_deref() == Some("BINTABLE")
    }
}

/// Splits a file into its HDUs. An error says why it is not a FITS file at all.
///
/// Damage does not end the walk: the next block that starts with `XTENSION=` is looked for.
pub fn split(bytes: &[u8]) -> Result<Vec<Part<'_>>, String> {
    if !bytes.starts_with(b"SIMPLE  =") {
        return Err(format!(
            "expected a FITS file (starting with 'SIMPLE  ='), found {} bytes starting with {}",
            bytes.len(),
            printable(bytes)
        ));
    }
    let mut parts = Vec::new();
    let (mut pos, mut index) = (0, 0);
    while pos < bytes.len() {
        let rest = &bytes[pos..];
        // Padding after the last HDU is allowed.
        if rest.iter().all(|&b| b == 0 || b == b' ') {
            break;
        }
        let problem = if index > 0 && !rest.starts_with(b"XTENSION=") {
            format!(
                "expected 'XTENSION=' at byte {pos}, found {}",
                printable(rest)
            )
        } else {
            match parse_hdu(rest, index) {
                Ok((hdu, used)) => {
                    parts.push(Part::Hdu(hdu));
                    index += 1;
                    pos += used;
                    continue;
                }
                Err(problem) => format!("header at byte {pos}: {problem}"),
            }
        };
        if index == 0 {
            return Err(problem);
        }
        let len = (BLOCK..rest.len())
            .step_by(BLOCK)
            .find(|&at| rest[at..].starts_with(b"XTENSION="))
            .unwrap_or(rest.len());
        parts.push(Part::Gap {
            #[cfg(test)]
            start: pos,
            len,
            is_text: rest.iter().take(80).all(|b| (b' '..=b'~').contains(b)),
            problem,
        });
        index += 1;
        pos += len;
    }
    Ok(parts)
}

/// HDU at the start of `bytes`, and the bytes it takes with its padding.
fn parse_hdu(bytes: &[u8], index: usize) -> Result<(Hdu<'_>, usize), String> {
    let (header, header_len) = Header::parse(&bytes[..bytes.len().min(MAX_HEADER)])?;
    let declared_len = data_len(&header)?;
    let rest = &bytes[header_len..];
    let have = usize::try_from(declared_len).map_or(rest.len(), |n| n.min(rest.len()));
    let hdu = Hdu {
        index,
        header,
        data: &rest[..have],
        declared_len,
    };
    let padded = have.div_ceil(BLOCK) * BLOCK;
    Ok((hdu, header_len + padded.min(rest.len())))
}

/// Size of the data that a header declares, bytes, without padding: |BITPIX|/8 * GCOUNT * (PCOUNT + product of NAXISn) (FITS 4.0, equation 2).
pub fn data_len(header: &Header<'_>) -> Result<u64, String> {
    let bitpix = header.int("BITPIX").ok_or("no BITPIX")?;
    if ![8, 16, 32, 64, -32, -64].contains(&bitpix) {
        return Err(format!(
            "BITPIX = {bitpix} is none of 8, 16, 32, 64, -32, -64"
        ));
    }
    let naxis = header.int("NAXIS").ok_or("no NAXIS")?;
    if !(0..=999).contains(&naxis) {
        return Err(format!("NAXIS = {naxis} is not within 0..999"));
    }
    if naxis == 0 {
        return Ok(0);
    }
    let size = |key: &str, missing: Option<i64>| -> Result<u64, String> {
        let value = header.int(key).or(missing).ok_or(format!("no {key}"))?;
        u64::try_from(value).map_err(|_| format!("{key} = {value} is negative"))
    };
    let (pcount, gcount) = (size("PCOUNT", Some(0))?, size("GCOUNT", Some(1))?);
    let mut n = 1u64;
    for axis in 1..=naxis {
        n = n
            .checked_mul(size(&format!("NAXIS{axis}"), None)?)
            .ok_or("the product of the axes overflows")?;
    }
    n.checked_add(pcount)
        .and_then(|n| n.checked_mul(gcount))
        .and_then(|n| n.checked_mul(bitpix.unsigned_abs() / 8))
        .ok_or_else(|| "the size of the data overflows".to_owned())
}

/// The first bytes, for a message.
fn printable(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(16)];
    format!("'{}'", head.escape_ascii())
}

#[cfg(test)]
mod tests;
