//! The one public error.

use std::path::{Path, PathBuf};

/// Result with the crate's error.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, named so that the user can find the cause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be; the text says what was expected and what was found.
    #[error("{}: {message}", path.display())]
    Format {
        /// File.
        path: PathBuf,
        /// HDU or column where there is one, what was expected, what was found.
        message: String,
    },
    /// A setting that makes no sense.
    #[error("{0}")]
    Config(String),
    /// The user ended the program; the text says how to go on.
    #[error("{0}")]
    Interrupted(String),
    /// Nothing could be measured.
    #[error("{0}")]
    NothingUsable(String),
}

impl Error {
    /// Error of the operating system at `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// Error in the content of `path`.
    pub fn format(path: &Path, message: impl Into<String>) -> Self {
        Error::Format {
            path: path.to_owned(),
            message: message.into(),
        }
    }
}
