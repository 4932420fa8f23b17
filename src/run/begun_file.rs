//! The measured stars of a unit that is not whole, kept when a run is stopped: `NAME.parquet` with their rows, and `NAME.json` with
//! everything else, written last.
//!
//! The files have the names that those of the whole unit will have, in a folder of their own, and go when the unit is whole. As with whole
//! units, nothing is believed that is not of this unit, these settings and these files, or that is torn: those stars are measured again.

use std::path::{Path, PathBuf};

use super::rejected::Rejected;
use super::sealed::{self, Seal};
use super::unit_file::UnitFile;
use crate::catalogue::measured as measured_table;
use crate::files::regular;
use crate::files::workplace::{self, read_regular};
use crate::lamost::raw::RejectReason;
use crate::lamost::stars::Star;
use crate::measure::keeper::Placed;
use crate::measure::moonlight::{Lit, N_LIT};
use crate::measure::still::{N_STILL, Still};
use crate::measure::{MeasuredStar, Plan, RvRow, Unit};
use crate::table::{ColumnData, Table};
use crate::{Error, Result};

/// The files of a unit's measured stars.
#[derive(Clone, Debug)]
pub struct BegunFile {
    rows: PathBuf,
    record: PathBuf,
    name: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Record {
    /// Name of the unit's files, which tells the unit, its settings and its files.
    name: String,
    stars: Vec<StarRecord>,
    #[serde(flatten)]
    rows_are: Seal,
}

/// What is kept of a star beside its rows.
#[derive(serde::Serialize, serde::Deserialize)]
struct StarRecord {
    /// Its place in the unit.
    place: usize,
    /// Where its files lay.
    files: Vec<String>,
    n_rows: usize,
    n_spectra: usize,
    rejected: Vec<Rejected>,
}

impl BegunFile {
    /// Of a unit, in the folder `dir`.
    pub fn of(dir: &Path, unit: &UnitFile) -> Self {
        let name = unit.name().into_owned();
        BegunFile {
            rows: dir.join(format!("{name}.parquet")),
            record: dir.join(format!("{name}.json")),
            name,
        }
    }

    /// Keeps measured stars, in place of those that were kept before. Without those of which a file could not be read or is damaged: they
    /// are measured again, as a unit with such a file is. Returns how many are kept.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, plan: &Plan, unit: &Unit, stars: &[Placed]) -> Result<usize> {
        let is_sound = |(_, star): &&Placed| {
            let mut reasons = star.rejected.iter().map(|r| r.reason);
            !reasons.any(|r| matches!(r, RejectReason::Unreadable | RejectReason::BadGzip))
        };
        let stars: Vec<&Placed> = stars.iter().filter(is_sound).collect();
        if stars.is_empty() {
            return Ok(0);
        }
        let rows: Vec<RvRow> = stars.iter().flat_map(|(_, s)| s.rows.clone()).collect();
        let mut table = measured_table::to_table(&rows);
        let lit = stars.iter().flat_map(|(_, s)| &s.lit);
        push_numbers(&mut table, LIT, lit.map(|lit| lit.to_numbers()));
        let still = stars.iter().flat_map(|(_, s)| &s.still);
        push_numbers(&mut table, STILL, still.map(|still| still.to_numbers()));
        table.write(&self.rows)?;
        let bytes = regular::read(&self.rows).map_err(|e| Error::io(&self.rows, e))?;
        let record = |(place, star): &&Placed| StarRecord {
            place: *place,
            files: places(plan, &unit.stars[*place].1),
            n_rows: star.rows.len(),
            n_spectra: star.n_spectra,
            rejected: star.rejected.iter().map(Rejected::from).collect(),
        };
        let record = Record {
            name: self.name.clone(),
            stars: stars.iter().map(record).collect(),
            rows_are: Seal::of(&bytes),
        };
        sealed::write(&self.record, &record)?;
        Ok(stars.len())
    }

    /// The stars that are kept; none where there is no telling whose they are, and without those whose files lie elsewhere now.
    pub fn read(&self, plan: &Plan, unit: &Unit) -> Vec<Placed> {
        self.whole(plan, unit).unwrap_or_default()
    }

    fn whole(&self, plan: &Plan, unit: &Unit) -> Option<Vec<Placed>> {
        let record: Record = sealed::read(&self.record)?;
        let is_this =
            record.name == self.name && Seal::of(&read_regular(&self.rows)?) == record.rows_are;
        if !is_this {
            return None;
        }
        let table = Table::read(&self.rows).ok()?;
        let mut rows = measured_table::from_table(&table).ok()?.into_iter();
        let mut lit = numbers::<N_LIT>(&table, LIT)?.into_iter();
        let mut still = numbers::<N_STILL>(&table, STILL)?.into_iter();
        let mut stars = Vec::new();
        for of in record.stars {
            let (number, star) = unit.stars.get(of.place)?;
            let mut measured = MeasuredStar {
                rows: rows.by_ref().take(of.n_rows).collect(),
                lit: lit
                    .by_ref()
                    .take(of.n_rows)
                    .enumerate()
                    .map(|(row, numbers)| Lit::from_numbers(row, numbers))
                    .collect(),
                still: still
                    .by_ref()
                    .take(of.n_rows)
                    .map(Still::from_numbers)
                    .collect(),
                rejected: of.rejected.into_iter().map(Into::into).collect(),
                n_spectra: of.n_spectra,
            };
            // Its number depends on all inputs, of which there may be others now.
            measured.rows.iter_mut().for_each(|row| row.star = *number);
            if measured.rows.len() != of.n_rows || measured.lit.len() != of.n_rows {
                return None;
            }
            if of.files == places(plan, star) {
                stars.push((of.place, measured));
            }
        }
        Some(stars)
    }

    /// Removes them, where they are.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self) -> Result<()> {
        workplace::remove(&self.record)?;
        workplace::remove(&self.rows)
    }
}

/// Where the files of a star lie.
fn places(plan: &Plan, star: &Star) -> Vec<String> {
    let paths = star.members.iter().map(|member| &plan.paths[*member]);
    paths.map(|path| path.display().to_string()).collect()
}

/// Names of the columns with the numbers of what sunlight a row has, and of how it lies on the detector.
const LIT: &str = "lit";
const STILL: &str = "still";

/// Adds numbers of each row, as columns.
fn push_numbers<const N: usize>(
    table: &mut Table,
    name: &str,
    of_rows: impl Iterator<Item = [f64; N]>,
) {
    let of_rows: Vec<[f64; N]> = of_rows.collect();
    for i in 0..N {
        let column = of_rows.iter().map(|numbers| numbers[i]).collect();
        table.push(&format!("{name}_{i}"), "", "", ColumnData::F64(column));
    }
}

/// The numbers of each row that [`push_numbers`] added.
fn numbers<const N: usize>(table: &Table, name: &str) -> Option<Vec<[f64; N]>> {
    let column = |i: usize| table.column(&format!("{name}_{i}"))?.to_f64();
    let columns: Option<Vec<Vec<f64>>> = (0..N).map(column).collect();
    let columns = columns?;
    let of_row = |row: usize| std::array::from_fn(|i| columns[i][row]);
    Some((0..table.n_rows()).map(of_row).collect())
}

#[cfg(test)]
mod tests;
