//! Records as JSON on one line, with a second line that holds the CRC-32 of the first: torn and damaged ones are found out.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files::whole;
use crate::files::workplace::read_regular;
use crate::{Error, Result};

/// Writes a record.
///
/// # Errors
/// [`Error::Io`].
pub fn write(path: &Path, record: &impl Serialize) -> Result<()> {
    let failed = |e| Error::io(path, std::io::Error::other(e));
    let mut text = serde_json::to_string(record).map_err(failed)?;
    text.push_str(&format!("\ncrc32 {:08x}\n", crc32(text.as_bytes())));
    whole::write_bytes(path, text.as_bytes())
}

/// A record that is whole.
pub fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = String::from_utf8(read_regular(path)?).ok()?;
    let (json, end) = text.split_once('\n')?;
    if end != format!("crc32 {:08x}\n", crc32(json.as_bytes())) {
        return None;
    }
    serde_json::from_str(json).ok()
}

/// Length and CRC-32 of other bytes that a record vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seal {
    rows_len: u64,
    rows_crc32: u32,
}

impl Seal {
    pub fn of(bytes: &[u8]) -> Self {
        Seal {
            rows_len: bytes.len() as u64,
            rows_crc32: crc32(bytes),
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    libdeflater::crc32(bytes)
}
