//! What tells the content of a file without reading all of it.

use std::io::{Read, Seek, SeekFrom};

/// Bytes at the beginning of a file that are looked at: in a gzip stream they hold its header and the first of the FITS header.
const HEAD: usize = 4096;

/// Length of a gzip stream's trailer: CRC-32 and length of what it holds (RFC 1952).
const TRAILER: usize = 8;

/// Bytes of a file that is no gzip stream that are looked at; longer ones are not measured.
const MOST: u64 = 1 << 27;

/// Files of equal content have equal values of this, wherever they lie and whenever they were written. Two files that differ and have
/// the same do not occur by chance: a gzip file is told by its length, its first bytes and its trailer, which has the CRC-32 of what is in
/// it; any other file by its length and its own CRC-32.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Content {
    /// Bytes of the file.
    pub len: u64,
    /// CRC-32 of its first bytes.
    head: u32,
    /// The trailer of a gzip file, or the CRC-32 of any other.
    check: u64,
}

/// Whether this is the beginning of a gzip stream.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

fn head_of(bytes: &[u8]) -> u32 {
    libdeflater::crc32(&bytes[..HEAD.min(bytes.len())])
}

impl Content {
    /// As bytes, for a hash.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.len.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.head.to_le_bytes());
        bytes[12..].copy_from_slice(&self.check.to_le_bytes());
        bytes
    }

    /// Of a file that has been read as a whole.
    pub fn of(bytes: &[u8]) -> Self {
        let check = match (is_gzip(bytes), bytes.last_chunk::<TRAILER>()) {
            (true, Some(trailer)) => u64::from_le_bytes(*trailer),
            _ => u64::from(libdeflater::crc32(bytes)),
        };
        Content {
            len: bytes.len() as u64,
            head: head_of(bytes),
            check,
        }
    }

    /// Of a file of which `start` has been read, [`HEAD`] bytes at least; `rest` is the file, at the byte after them.
    ///
    /// # Errors
    /// What the system says.
    pub fn of_longer<F: Read + Seek>(start: &[u8], rest: &mut F) -> std::io::Result<Self> {
        let head = head_of(start);
        if is_gzip(start) {
            let begins = rest.seek(SeekFrom::End(-(TRAILER as i64)))?;
            let mut trailer = [0; TRAILER];
            rest.read_exact(&mut trailer)?;
            return Ok(Content {
                len: begins + TRAILER as u64,
                head,
                check: u64::from_le_bytes(trailer),
            });
        }
        let here = rest.stream_position()?;
        let len = rest.seek(SeekFrom::End(0))?;
        rest.seek(SeekFrom::Start(here))?;
        let mut crc = libdeflater::Crc::new();
        crc.update(start);
        let mut some = rest.take(MOST);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match some.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => crc.update(&buffer[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Content {
            len,
            head,
            check: u64::from(crc.sum()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// What is read of a file of these bytes after the first ones.
    fn of_parts(bytes: &[u8]) -> Content {
        let mut rest = Cursor::new(bytes);
        rest.set_position(HEAD as u64 + 10);
        Content::of_longer(&bytes[..HEAD + 10], &mut rest).unwrap()
    }

    #[test]
    fn a_part_tells_the_same_as_the_whole() {
        for first in [[0x1f, 0x8b, 8], *b"SIM"] {
            let mut bytes: Vec<u8> = (0..20_000u32).map(|i| (i * i % 251) as u8).collect();
            bytes[..3].copy_from_slice(&first);
            let content = Content::of(&bytes);
            assert_eq!(of_parts(&bytes), content);
            // What differs: the first bytes, the last ones, the length.
            for at in [3, 19_995] {
                let mut other = bytes.clone();
                other[at] ^= 1;
                assert_ne!(Content::of(&other), content, "{at}");
                assert_eq!(of_parts(&other), Content::of(&other));
            }
            let longer = [&bytes[..10_000], &[0], &bytes[10_000..]].concat();
            assert_ne!(Content::of(&longer), content);
        }
        // In the middle of a file that is no gzip stream.
        let bytes = vec![b'x'; 20_000];
        let mut other = bytes.clone();
        other[10_000] = b'y';
        assert_ne!(Content::of(&other), Content::of(&bytes));
        assert_ne!(Content::of(&[0x1f, 0x8b, 8]), Content::of(&[0x1f]));
    }
}
