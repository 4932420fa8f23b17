//! One star of a finished run, as text for a terminal: its velocities with what their flags say, and what to do about it.

mod advice;
mod find;
mod text;

use std::path::Path;

use super::finished::Finished;
use crate::catalogue::row::ARMS;
use crate::{Arm, Error, Result};

/// What is to be shown.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// The star: a name, the number of an observation, a position, or the beginning of a name.
    pub star: &'a str,
    /// One arm alone.
    pub arm: Option<Arm>,
    /// One exposure alone, by its minute (LMJM).
    pub lmjm: Option<i64>,
}

/// The star of the finished run in `dir`.
///
/// # Errors
/// As [`super::write`]; [`Error::NoStar`] where there is no such star or exposure, or more than one.
pub fn text(dir: &Path, shown: &Shown<'_>) -> Result<String> {
    let products = Finished::read(dir)?;
    let star = find::star(&products, shown.star).map_err(Error::NoStar)?;
    let c = &products.catalogue;
    let is_shown = |row: &usize| shown.lmjm.is_none_or(|lmjm| c.exposure(*row).lmjm == lmjm);
    let rows: Vec<usize> = (0..c.len()).filter(|row| c.star[*row] == star).collect();
    let rows: Vec<usize> = rows.into_iter().filter(is_shown).collect();
    if let (true, Some(lmjm)) = (rows.is_empty(), shown.lmjm) {
        return Err(Error::NoStar(format!(
            "{} has no exposure of minute {lmjm}",
            c.stars[star]
        )));
    }
    let arms: Vec<Arm> = match shown.arm {
        Some(arm) => vec![arm],
        None => ARMS.to_vec(),
    };
    Ok(text::of(&products, star, &rows, &arms))
}

#[cfg(test)]
mod tests;
