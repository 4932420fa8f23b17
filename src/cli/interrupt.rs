//! Ctrl-C (and SIGTERM, SIGHUP): the first one asks the program to stop where it can go on later, the second ends it.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Exit status of a program that the user stopped: 128 + SIGINT, as shells count.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Starts to watch for signals.
///
/// # Errors
/// [`Error::Config`] where the system allows no handler.
pub fn watch() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(EXIT_INTERRUPTED));
        }
    })
    .map_err(|e| Error::Config(format!("cannot watch for Ctrl-C: {e}")))
}

/// The program was asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
