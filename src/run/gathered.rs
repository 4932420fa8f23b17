//! The rows and rejections of all units of a run, put together.

use std::collections::HashMap;

use super::config::RunConfig;
use super::record::Counts;
use super::units::UnitDone;
use crate::Result;
use crate::lamost::raw::{Rejection, StarNames};
use crate::lamost::stars::Star;
use crate::likelihood::flags;
use crate::measure::unit::{count_stars, sort_rejections, sort_rows};
use crate::measure::{Plan, RvRow};

/// What all units gave together.
pub struct Gathered {
    pub rows: Vec<RvRow>,
    pub rejected: Vec<Rejection>,
    pub counts: Counts,
    pub star_names: HashMap<String, StarNames>,
    pub missing: Vec<Rejection>,
}

/// Puts the units' rows and rejections together, in the order of the products.
pub fn gather(config: &RunConfig, mut plan: Plan, units: &mut [UnitDone]) -> Result<Gathered> {
    let mut rows: Vec<RvRow> = Vec::with_capacity(units.iter().map(|u| u.header.n_rows).sum());
    let mut rejected = std::mem::take(&mut plan.rejected);
    let number = numbers(&plan);
    for (done, unit) in units.iter_mut().zip(&plan.units) {
        rejected.extend(done.header.take_rejections(&plan, unit));
        for mut row in done.file.rows(&done.header, &plan, unit)? {
            row.star = number.get(&*row.designation).copied().unwrap_or(0);
            rows.push(row);
        }
    }
    sort_rows(&mut rows);
    sort_rejections(&mut rejected);
    let mut counts = Counts {
        files: plan.n_files,
        files_moved: plan.n_moved,
        spectra: units.iter().map(|u| u.header.n_spectra).sum(),
        measured: rows.len(),
        files_without_helio_rv: match config.measure.needs_helio_rv() {
            true => plan.n_without_helio_rv,
            false => 0,
        },
        stars: count_stars(&rows),
        ..Counts::default()
    };
    counts.reject(&rejected);
    for (bit, name, _) in flags::ALL {
        let is_flagged = |row: &&RvRow| row.measurement.flags.intersects(bit);
        let n = rows.iter().filter(is_flagged).count();
        if n > 0 {
            counts.flags.insert(name, n);
        }
    }
    Ok(Gathered {
        rows,
        rejected,
        counts,
        star_names: star_names(&plan),
        missing: std::mem::take(&mut plan.missing),
    })
}

/// Numbers of the stars, which depend on all inputs and so are not kept with the units.
fn numbers(plan: &Plan) -> HashMap<&str, i64> {
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
