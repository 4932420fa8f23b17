//! Bytes of a table's file: inflated where they are compressed, whatever the file's name says.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use crate::files::regular;
use crate::text::encoding::{Encoding, to_utf8};
use crate::{Error, Result};

/// Bytes held at a time.
const BUFFER: usize = 1 << 20;

/// The file's bytes, inflated if they are gzip's.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let failed = |e| Error::io(path, e);
    let file = regular::reader(path).map_err(failed)?;
    let mut input = BufReader::with_capacity(BUFFER, file);
    if is_gzip(input.fill_buf().map_err(failed)?) {
        let inflated = flate2::bufread::MultiGzDecoder::new(input);
        return Ok(Box::new(BufReader::with_capacity(BUFFER, inflated)));
    }
    Ok(Box::new(input))
}

/// The same as UTF-8 text without a byte order mark. A file in UTF-16 is held as a whole.
pub(super) fn open_text(path: &Path) -> Result<Box<dyn BufRead>> {
    let failed = |e| Error::io(path, e);
    let mut input = open(path)?;
    match Encoding::of(input.fill_buf().map_err(failed)?) {
        Encoding::Utf8 => Ok(input),
        Encoding::MarkedUtf8 => {
            input.consume(3);
            Ok(input)
        }
        Encoding::Utf16Le | Encoding::Utf16Be => {
            let mut bytes = Vec::new();
            input.read_to_end(&mut bytes).map_err(failed)?;
            let text = to_utf8(bytes).map_err(|message| Error::format(path, message))?;
            Ok(Box::new(Cursor::new(text)))
        }
    }
}

/// A file to be read in any order: inflated into one without a name if it is compressed.
pub(super) fn open_seekable(path: &Path) -> Result<File> {
    let failed = |e| Error::io(path, e);
    let mut file = regular::open(path).map_err(failed)?;
    let mut start = Vec::new();
    (&mut file)
        .take(2)
        .read_to_end(&mut start)
        .map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    if !is_gzip(&start) {
        return Ok(file);
    }
    let mut inflated = tempfile::tempfile().map_err(failed)?;
    std::io::copy(&mut open(path)?, &mut inflated).map_err(failed)?;
    inflated.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(inflated)
}

fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(b"\x1f\x8b")
}
