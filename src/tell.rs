//! The one place that writes to standard output and standard error.
//!
//! Telling never ends the work: where nobody reads (a closed pipe, a full disk), what is told is lost and nothing else. And nothing
//! that a terminal would act on gets through: see [`crate::text::plain`].

use std::fmt;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::text::plain;
use crate::{Error, Result};

/// A line on standard output.
macro_rules! say {
    ($($arg:tt)*) => { $crate::tell::said(format_args!($($arg)*)) };
}

/// A line on standard error.
macro_rules! alert {
    ($($arg:tt)*) => { $crate::tell::alerted(format_args!($($arg)*)) };
}

pub(crate) use {alert, say};

/// See [`say!`].
pub(crate) fn said(text: fmt::Arguments<'_>) {
    put(&mut std::io::stdout(), text);
}

/// See [`alert!`].
pub(crate) fn alerted(text: fmt::Arguments<'_>) {
    put(&mut std::io::stderr(), text);
}

/// A line in one piece, so that those of several programs do not mix.
fn put(out: &mut dyn Write, text: fmt::Arguments<'_>) {
    let mut text = plain::lines(&text.to_string()).into_owned();
    text.push('\n');
    let _ = out.write_all(text.as_bytes());
}

/// Standard output for those who tell many lines; writing to it never fails.
#[derive(Debug, Default)]
pub(crate) struct Told;

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let _ = std::io::stdout().write_all(plain::lines(&text).as_bytes());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = std::io::stdout().flush();
        Ok(())
    }
}

/// What a command is run for, on standard output. A reader that has seen enough is no error.
///
/// # Errors
/// [`Error::Io`] where it cannot be written for another reason, such as a full disk.
pub(crate) fn product(text: &[u8]) -> Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io(Path::new("standard output"), e))
        }
        _ => Ok(()),
    }
}
