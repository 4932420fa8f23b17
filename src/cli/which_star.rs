//! Which star of a finished run the words of the command line mean: one way for every command that is about a star.

use std::ffi::OsString;
use std::path::Path;

use crate::report::one_star::{self, Whose};
use crate::text::plain;
use crate::{Arm, Error, Result, SurveyFile};

/// An arm, as an option names it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Which {
    /// The red one.
    Red,
    /// The blue one.
    Blue,
}

impl From<Which> for Arm {
    fn from(which: Which) -> Self {
        match which {
            Which::Red => Arm::Red,
            Which::Blue => Arm::Blue,
        }
    }
}

/// Gives `look` the star of the run in `dir` that the words mean: a file of it, or what it is called.
///
/// # Errors
/// Those of reading the file, and of `look`.
pub fn meant<T>(
    dir: &Path,
    words: &[OsString],
    look: impl FnOnce(&Path, Whose<'_>) -> Result<T>,
) -> Result<T> {
    if let [one] = words
        && Path::new(one).is_file()
    {
        let file = SurveyFile::read(Path::new(one))?;
        let whose = Whose::OfFile {
            file: &plain::path(Path::new(one)),
            position_deg: (file.ra_deg, file.dec_deg),
            obsid: file.obsid,
        };
        return look(dir, whose);
    }
    // A position may be two words.
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    look(dir, Whose::Called(&words.join(" ")))
}

/// Says that a star is to be named, with some that there are.
pub fn unnamed(command: &str, dir: &Path) -> Error {
    match one_star::stars(dir) {
        Ok(stars) => Error::NoStar(format!(
            "which star? {} has {}; relrv {command} {} STAR",
            plain::path(dir),
            stars
                .iter()
                .take(5)
                .map(|s| plain::line(s))
                .collect::<Vec<_>>()
                .join(", ")
                + if stars.len() > 5 { ", ..." } else { "" },
            plain::path(dir)
        )),
        Err(error) => error,
    }
}
