//! The rows and rejections of all units of a run, put together.
//!
//! A survey has more rows than fit in memory as they are measured. Of each unit only the catalogue's rows are kept, without the paths of
//! files and what else the catalogue does not tell.

use std::collections::{BTreeMap, HashMap};

use super::config::RunConfig;
use super::record::Counts;
use super::units::UnitDone;
use crate::Result;
use crate::catalogue::row::CatalogueRow;
use crate::catalogue::uncalibrated;
use crate::lamost::raw::{Rejection, StarNames};
use crate::lamost::stars::Star;
use crate::likelihood::flags;
use crate::measure::unit::sort_rejections;
use crate::measure::{Plan, RvRow};

/// What all units gave together.
pub struct Gathered {
    /// The catalogue before its calibration, by star, then time.
    pub catalogue: Vec<CatalogueRow>,
    pub rejected: Vec<Rejection>,
    pub counts: Counts,
    pub star_names: HashMap<String, StarNames>,
    pub missing: Vec<Rejection>,
}

/// Puts the units' rows and rejections together, in the order of the products.
pub fn gather(config: &RunConfig, mut plan: Plan, units: &mut [UnitDone]) -> Result<Gathered> {
    let mut catalogue: Vec<CatalogueRow> = Vec::new();
    let mut rejected = std::mem::take(&mut plan.rejected);
    let mut counts = Counts {
        files: plan.n_files,
        files_moved: plan.n_moved,
        files_without_helio_rv: match config.measure.needs_helio_rv() {
            true => plan.n_without_helio_rv,
            false => 0,
        },
        ..Counts::default()
    };
    let mut numbers: Vec<i64> = Vec::new();
    let number = numbers_of_stars(&plan);
    for (done, unit) in units.iter_mut().zip(&plan.units) {
        rejected.extend(done.header.take_rejections(&plan, unit));
        let rows = done.file.rows(&done.header, &plan, unit)?;
        counts.spectra += done.header.n_spectra;
        counts.measured += rows.len();
        // A star is of one unit only.
        counts.stars += done.header.n_stars_measured;
        count_flags(&mut counts.flags, &rows);
        let of_unit = uncalibrated(&rows);
        let number = |row: &CatalogueRow| number.get(&*row.exposure.designation).copied();
        numbers.extend(of_unit.iter().map(|row| number(row).unwrap_or(0)));
        catalogue.extend(of_unit);
    }
    sort(&mut catalogue, &numbers);
    sort_rejections(&mut rejected);
    counts.reject(&rejected);
    Ok(Gathered {
        catalogue,
        rejected,
        counts,
        star_names: star_names(&plan),
        missing: std::mem::take(&mut plan.missing),
    })
}

fn count_flags(counts: &mut BTreeMap<&'static str, usize>, rows: &[RvRow]) {
    for (bit, name, _) in flags::ALL {
        let is_flagged = |row: &&RvRow| row.measurement.flags.intersects(bit);
        let n = rows.iter().filter(is_flagged).count();
        if n > 0 {
            *counts.entry(name).or_default() += n;
        }
    }
}

/// Sorts by the numbers of the stars, then time, without a second copy of the rows.
fn sort(rows: &mut [CatalogueRow], numbers: &[i64]) {
    let key = |&i: &usize| {
        let of = &rows[i].exposure;
        (numbers[i], of.lmjm, of.spid, of.fiberid)
    };
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(key);
    for i in 0..rows.len() {
        // Where the row is by now that belongs here: those before this place have been swapped away.
        let mut from = order[i];
        while from < i {
            from = order[from];
        }
        rows.swap(i, from);
    }
}

/// Numbers of the stars, which depend on all inputs and so are not kept with the units.
fn numbers_of_stars(plan: &Plan) -> HashMap<&str, i64> {
    plan.units
        .iter()
        .flat_map(|unit| &unit.stars)
        .map(|(number, star)| (star.designation.as_str(), *number))
        .collect()
}

/// What the headers call the stars.
fn star_names(plan: &Plan) -> HashMap<String, StarNames> {
    let names = |star: &Star| (star.designation.clone(), star.names.clone());
    plan.stars().map(names).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_sorted_where_they_are(keys in prop::collection::vec((0..9i64, 0..5i64, 0..3i32), 0..60)) {
            let row = |(i, (_, lmjm, spid)): (usize, &(i64, i64, i32))| {
                let mut row = CatalogueRow::default();
                (row.exposure.lmjm, row.exposure.spid) = (*lmjm, *spid);
                // Equal keys stay in their order.
                row.exposure.obsid = i as i64;
                row
            };
            let mut rows: Vec<CatalogueRow> = keys.iter().enumerate().map(row).collect();
            let numbers: Vec<i64> = keys.iter().map(|k| k.0).collect();
            sort(&mut rows, &numbers);
            let mut expected: Vec<usize> = (0..keys.len()).collect();
            expected.sort_by_key(|&i| keys[i]);
            let found: Vec<usize> = rows.iter().map(|r| r.exposure.obsid as usize).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
