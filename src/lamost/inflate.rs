//! Files into memory, inflated where they are gzip (by their first bytes, not by their name).
//!
//! libdeflate inflates two to three times as fast as a streaming decoder, but its safe wrapper does not say how much input it
//! took: a file of two gzip members (complete streams, one after the other) would come back as its first half, without an error. So
//! the trailer of the *file* must fit the output (CRC-32 and length), and no other member may begin inside; where either fails, a
//! streaming decoder decides.

use std::io::Read;
use std::path::Path;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{DecompressionError, Decompressor};
use multiversion::multiversion;

use super::content::{Content, is_gzip};
use super::raw::{RejectReason, Rejection};
use crate::files::regular;

/// Largest file that is read, and largest content it may inflate to, bytes. A LAMOST file inflates to 0.6 MB.
pub const MAX_BYTES: usize = 64 << 20;

/// Buffers above this are given back after use, bytes.
const KEEP_BYTES: usize = 16 << 20;

/// Bytes of trailer: CRC-32 and length modulo 2^32 (RFC 1952).
const TRAILER: usize = 8;

/// Buffers and decoders of one thread, reused from file to file.
pub struct Inflater {
    fast: Decompressor,
    stream: Decompress,
    stored: Vec<u8>,
    inflated: Vec<u8>,
    content: Content,
    traffic: Traffic,
}

/// What went through an [`Inflater`], bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// As they lie in files.
    pub stored: u64,
    /// Inflated.
    pub content: u64,
    /// Spectra that were in tables of other kinds than the survey's.
    pub other_layouts: u64,
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// Empty buffers.
    pub fn new() -> Self {
        Inflater {
            fast: Decompressor::new(),
            stream: Decompress::new(false),
            stored: Vec::new(),
            inflated: Vec::new(),
            content: Content::default(),
            traffic: Traffic::default(),
        }
    }

    /// What tells the content of the file that was read last, or its beginning.
    pub fn content(&self) -> Content {
        self.content
    }

    /// What went through [`Inflater::read`] since this was asked last.
    pub fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }

    /// Adds to the spectra that were in tables of other kinds.
    pub fn note_other_layouts(&mut self, n_spectra: u64) {
        self.traffic.other_layouts += n_spectra;
    }

    /// Content of the file, inflated if it is gzip. Lives until the next call.
    pub fn read(&mut self, path: &Path) -> Result<&[u8], Rejection> {
        self.load(path, MAX_BYTES + 1)?;
        if self.stored.len() > MAX_BYTES {
            return Err(Rejection::file(
                path,
                RejectReason::Unreadable,
                format!("larger than {MAX_BYTES} bytes"),
            ));
        }
        self.traffic.stored += self.stored.len() as u64;
        if !is_gzip(&self.stored) {
            self.traffic.content += self.stored.len() as u64;
            return Ok(&self.stored);
        }
        match self.inflate() {
            Ok(len) => {
                self.traffic.content += len as u64;
                Ok(&self.inflated[..len])
            }
            Err(problem) => Err(Rejection::file(path, RejectReason::BadGzip, problem)),
        }
    }

    /// The first `n_bytes` of the content (fewer if it is shorter), reading and inflating little more than that.
    /// A gzip stream is not checked beyond them.
    pub fn read_prefix(&mut self, path: &Path, n_bytes: usize) -> Result<&[u8], Rejection> {
        let n_bytes = n_bytes.min(MAX_BYTES);
        // Deflate does not grow data by more than 5 bytes in each block of 16 kB or more; the rest is for the gzip header.
        self.load(path, n_bytes + n_bytes / 1024 + 1024)?;
        if !is_gzip(&self.stored) {
            self.stored.truncate(n_bytes);
            return Ok(&self.stored);
        }
        match self.inflate_start(n_bytes) {
            Ok(len) => Ok(&self.inflated[..len]),
            Err(problem) => Err(Rejection::file(path, RejectReason::BadGzip, problem)),
        }
    }

    /// Reads at most `limit` bytes of a regular file into `stored`.
    fn load(&mut self, path: &Path, limit: usize) -> Result<(), Rejection> {
        for buffer in [&mut self.stored, &mut self.inflated] {
            if buffer.len() > KEEP_BYTES {
                *buffer = Vec::new();
            }
        }
        self.stored.clear();
        let unreadable = |e| Rejection::unreadable(path, &e);
        let file = regular::reader(path).map_err(unreadable)?;
        let length = file.limit();
        let expected = usize::try_from(length).unwrap_or(limit);
        self.stored.reserve(limit.min(expected) + 1);
        let mut some = file.take(limit as u64);
        some.read_to_end(&mut self.stored).map_err(unreadable)?;
        self.content = match (self.stored.len() as u64) < length {
            true => {
                let mut rest = some.into_inner().into_inner();
                Content::of_longer(&self.stored, &mut rest).map_err(unreadable)?
            }
            false => Content::of(&self.stored),
        };
        Ok(())
    }

    /// Inflates all of `stored` into `inflated`; the length of the content.
    fn inflate(&mut self) -> Result<usize, String> {
        let stored = &self.stored[..];
        let truncated = || format!("gzip stream is truncated: {} bytes", stored.len());
        let header_len = gzip_header_len(stored)?.ok_or_else(truncated)?;
        let body_len = stored
            .len()
            .checked_sub(header_len + TRAILER)
            .ok_or_else(truncated)?;
        let (body, trailer) = stored[header_len..].split_at(body_len);
        let expected_crc = u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
        let expected_len = u32::from_le_bytes([trailer[4], trailer[5], trailer[6], trailer[7]]);

        // The length in the trailer may be wrong, so it only says how much room to begin with, within bounds: spectra deflate by a
        // factor of less than 8. Where the content does not fit, the room grows.
        let mut room = (expected_len as usize).clamp(1 << 16, (8 * body_len).max(1 << 20));
        loop {
            room = room.min(MAX_BYTES);
            if self.inflated.len() < room {
                self.inflated.resize(room, 0);
            }
            match self.fast.deflate_decompress(body, &mut self.inflated) {
                Ok(len) => {
                    let fits = len as u32 == expected_len
                        && libdeflater::crc32(&self.inflated[..len]) == expected_crc;
                    if fits && !holds_member_start(body) {
                        return Ok(len);
                    }
                    return inflate_members(stored, &mut self.inflated);
                }
                Err(DecompressionError::InsufficientSpace) if room < MAX_BYTES => {
                    room = 2 * self.inflated.len();
                }
                Err(DecompressionError::InsufficientSpace) => return Err(too_large()),
                // The streaming decoder names the byte where it stops, and can tell truncated from corrupt.
                Err(DecompressionError::BadData) => {
                    return inflate_members(stored, &mut self.inflated);
                }
            }
        }
    }

    /// Inflates the first `n_bytes` of what `stored` begins with.
    fn inflate_start(&mut self, n_bytes: usize) -> Result<usize, String> {
        let Some(header_len) = gzip_header_len(&self.stored)? else {
            return Err(format!(
                "gzip header does not end within {} bytes",
                self.stored.len()
            ));
        };
        self.stream.reset(false);
        if self.inflated.len() < n_bytes {
            self.inflated.resize(n_bytes, 0);
        }
        let out = &mut self.inflated[..n_bytes];
        loop {
            let (taken, made) = (
                self.stream.total_in() as usize,
                self.stream.total_out() as usize,
            );
            let input = &self.stored[header_len + taken..];
            let status = self
                .stream
                .decompress(input, &mut out[made..], FlushDecompress::None)
                .map_err(|e| format!("corrupt gzip stream after {made} bytes: {e}"))?;
            let now_in = self.stream.total_in() as usize;
            let now_out = self.stream.total_out() as usize;
            let stuck = now_in == taken && now_out == made;
            if status == Status::StreamEnd || now_out == n_bytes || stuck {
                return Ok(now_out);
            }
        }
    }
}

/// Length of the gzip header; `None` if the bytes end before it does.
fn gzip_header_len(bytes: &[u8]) -> Result<Option<usize>, String> {
    const HCRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let Some(&flags) = bytes.get(3) else {
        return Ok(None);
    };
    if flags & 0xe0 != 0 {
        return Err(format!("reserved gzip flags are set ({flags:#04x})"));
    }
    let mut at = 10;
    if flags & EXTRA != 0 {
        let Some(&[low, high]) = bytes.get(at..).and_then(|b| b.first_chunk()) else {
            return Ok(None);
        };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let text = bytes.get(at..).unwrap_or_default();
            let Some(end) = text.iter().position(|&b| b == 0) else {
                return Ok(None);
            };
            at += end + 1;
        }
    }
    if flags & HCRC != 0 {
        at += 2;
    }
    Ok((at <= bytes.len()).then_some(at))
}

/// Whether a gzip member could start in these bytes. Chance alone says yes to 1 in 130 million places:
/// then the slow decoder is asked.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn holds_member_start(bytes: &[u8]) -> bool {
    const LANES: usize = 64;
    let is_start = |b: &[u8]| b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 && b[3] & 0xe0 == 0;
    let mut at = 0;
    // Without an early exit inside a block the comparison vectorises.
    while let Some(block) = bytes
        .get(at..)
        .and_then(|b| b.first_chunk::<{ LANES + 3 }>())
    {
        let mut found = false;
        for i in 0..LANES {
            found |= (block[i] == 0x1f)
                & (block[i + 1] == 0x8b)
                & (block[i + 2] == 8)
                & (block[i + 3] & 0xe0 == 0);
        }
        if found {
            return true;
        }
        at += LANES;
    }
    bytes[at..].windows(4).any(is_start)
}

/// Inflates every member of a gzip file, checking each trailer; zeros may follow the last one (padding).
fn inflate_members(stored: &[u8], out: &mut Vec<u8>) -> Result<usize, String> {
    out.clear();
    let mut rest = stored;
    while !rest.iter().all(|&b| b == 0) {
        let start = stored.len() - rest.len();
        if start > 0 && !is_gzip(rest) {
            return Err(format!(
                "{} bytes at byte {start} follow the gzip stream and are none",
                rest.len()
            ));
        }
        let room = (MAX_BYTES - out.len()) as u64;
        let mut member = flate2::bufread::GzDecoder::new(rest);
        (&mut member).take(room + 1).read_to_end(out).map_err(|e| {
            format!(
                "gzip stream is truncated or corrupt ({} bytes, {} inflated): {e}",
                stored.len(),
                out.len()
            )
        })?;
        if out.len() > MAX_BYTES {
            return Err(too_large());
        }
        rest = member.into_inner();
    }
    Ok(out.len())
}

fn too_large() -> String {
    format!("inflates to more than {MAX_BYTES} bytes")
}

#[cfg(test)]
mod tests;
