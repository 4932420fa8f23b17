//! One star of a finished run: as text for a terminal, and as a page with its velocities, what their flags say and what to do about them,
//! and its spectra as they were compared.
//!
//! The products keep no spectrum, so those are measured again, by whoever may read files of spectra, and handed over as arrays.

mod advice;
mod choice;
mod curves;
mod export;
mod exposures;
mod find;
mod html;
mod numbers;
mod page;
mod period;
mod spectra;
pub(super) mod svg;
mod taken_off;
mod text;
mod times;
mod write;

use std::collections::BTreeSet;
use std::path::Path;

use super::finished::Finished;
use crate::catalogue::row::ARMS;
use crate::{Arm, Error, Result};

pub use export::{Exported, OrbitFormat};
pub use find::Whose;
pub use spectra::Spectrum;
pub use write::{path_in, usual_path};

/// What is to be shown.
#[derive(Clone, Debug)]
pub struct Shown<'a> {
    /// Which star.
    pub star: Whose<'a>,
    /// One arm alone.
    pub arm: Option<Arm>,
    /// One exposure alone, by its minute (LMJM).
    pub lmjm: Option<i64>,
}

/// Spectra of a star, or why there are none.
#[derive(Debug)]
pub enum Spectra {
    /// They were measured again.
    Seen {
        /// The spectra.
        spectra: Vec<Spectrum>,
        /// What of the star's files was not measured, one line each.
        rejected: Vec<String>,
    },
    /// They could not be, for this reason.
    Missing(String),
}

/// A star of a finished run.
pub struct OneStar {
    products: Finished,
    star: usize,
    /// All of its rows, by time.
    all: Vec<usize>,
    /// Those of them that are shown.
    rows: Vec<usize>,
    arms: Vec<Arm>,
    lmjm: Option<i64>,
}

impl OneStar {
    /// Looks for the star in the finished run in `dir`.
    ///
    /// # Errors
    /// As [`super::write`]; [`Error::NoStar`] where there is no such star or exposure, or more than one.
    pub fn find(dir: &Path, shown: &Shown<'_>) -> Result<Self> {
        Self::among(Finished::read(dir)?, shown)
    }

    fn among(products: Finished, shown: &Shown<'_>) -> Result<Self> {
        let star = find::star(&products, &shown.star).map_err(Error::NoStar)?;
        let c = &products.catalogue;
        let mut all: Vec<usize> = (0..c.len()).filter(|row| c.star[*row] == star).collect();
        all.sort_by_key(|row| c.exposure(*row).lmjm);
        let is_shown = |row: &usize| shown.lmjm.is_none_or(|lmjm| c.exposure(*row).lmjm == lmjm);
        let rows: Vec<usize> = all.iter().copied().filter(is_shown).collect();
        if let (true, Some(lmjm)) = (rows.is_empty(), shown.lmjm) {
            return Err(Error::NoStar(format!(
                "{} has no exposure of minute {lmjm}",
                c.stars[star]
            )));
        }
        Ok(OneStar {
            arms: shown.arm.map_or_else(|| ARMS.to_vec(), |arm| vec![arm]),
            lmjm: shown.lmjm,
            products,
            star,
            all,
            rows,
        })
    }

    /// Name of the star.
    pub fn designation(&self) -> &str {
        &self.products.catalogue.stars[self.star]
    }

    /// The exposure that was asked for, where only one is shown.
    pub fn lmjm(&self) -> Option<i64> {
        self.lmjm
    }

    /// Plates and spectrographs that the star was seen with.
    pub fn units(&self) -> BTreeSet<(&str, i32)> {
        let exposures = self
            .all
            .iter()
            .map(|row| self.products.catalogue.exposure(*row));
        exposures.map(|e| (&*e.planid, e.spid)).collect()
    }

    /// Rows whose spectra the page shows.
    fn with_spectra(&self) -> Vec<usize> {
        choice::shown(&self.products, &self.rows, &self.arms)
    }

    /// Exposures (LMJM) and arms whose spectra the page shows.
    pub fn wanted(&self) -> (BTreeSet<i64>, &[Arm]) {
        let rows = self.with_spectra().into_iter();
        let minutes = rows.map(|row| self.products.catalogue.exposure(row).lmjm);
        (minutes.collect(), &self.arms)
    }

    /// The star as text.
    pub fn text(&self) -> String {
        text::of(&self.products, self.star, &self.rows, &self.arms)
    }

    /// Writes the page to `path`, and its figures into a folder beside it.
    ///
    /// # Errors
    /// [`Error::InTheWay`] for files there that relrv did not make, [`Error::Io`].
    pub fn write_page(&self, path: &Path, spectra: &Spectra) -> Result<()> {
        let (html, figures) = html::of(self, &write::figures_of(path), spectra);
        write::write(path, &html, &figures)
    }
}

/// Names of the stars of a finished run, in its order.
///
/// # Errors
/// As [`super::write`].
pub fn stars(dir: &Path) -> Result<Vec<String>> {
    let products = Finished::read(dir)?;
    Ok(products
        .catalogue
        .stars
        .iter()
        .map(|s| s.to_string())
        .collect())
}

#[cfg(test)]
mod tests;
