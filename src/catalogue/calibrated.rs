//! The calibrated catalogue and what comes with it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::component::{self, ComponentRow, Named};
use super::flags;
use super::observations::{Numbered, numbered};
#[cfg(any(test, feature = "lab"))]
use super::paired::uncalibrated;
use super::period;
use super::row::{self, ARMS, CatalogueRow};
use super::star::{self, StarRow};
use super::verdict::{double_lined, only_sure_variables};
use super::zero_point::{self, ZeroPointRow};
use crate::calibrate::arms::{CalibrateOptions, CalibratedArm, calibrate_except};
use crate::calibrate::links::{self, Component, Links};
use crate::calibrate::results::{self, Corrected};
use crate::calibrate::summary::{self, ArmSummary};
use crate::lamost::raw::StarNames;
#[cfg(any(test, feature = "lab"))]
use crate::measure::RvRow;
use crate::table::Pieces;
#[cfg(any(test, feature = "lab"))]
use crate::table::Table;
use crate::table::pieces::Rows;
use crate::{Arm, Error, Result};

/// The products of a run as rows, and how its zero points were found.
#[derive(Debug, Default)]
pub struct Products {
    /// One row per star and exposure: by star, then time.
    pub catalogue: Vec<CatalogueRow>,
    /// One row per star and arm with a usable velocity.
    pub stars: Vec<StarRow>,
    /// One row per plate, spectrograph, exposure and arm.
    pub zero_points: Vec<ZeroPointRow>,
    /// One row per component of each arm.
    pub components: Vec<ComponentRow>,
    /// Each plate and spectrograph was calibrated alone, so that a star has a row for each.
    pub is_by_group: bool,
    /// What was done with each arm, red first; empty when there was nothing to calibrate.
    pub arms: Vec<ArmSummary>,
}

/// Names of the products' tables, in their order.
pub const TABLES: [&str; 5] = [
    "catalogue",
    "stars",
    "constants",
    "zeropoints",
    "components",
];

impl Products {
    /// The table of this name, one of [`TABLES`]. They are made one at a time, and the catalogue in pieces, because together they are
    /// larger than the rows. The catalogue has columns of these arms, those that were measured.
    pub(crate) fn pieces<'a>(
        &'a self,
        name: &str,
        flags_text: bool,
        arms: &'a [Arm],
    ) -> Box<dyn Pieces + 'a> {
        match name {
            "stars" => Box::new(star::to_table(&self.stars, self.is_by_group)),
            "constants" => Box::new(star::constants_to_table(&self.stars, self.is_by_group)),
            "zeropoints" => Box::new(zero_point::to_table(&self.zero_points)),
            "components" => Box::new(component::to_table(&self.components)),
            _ => Box::new(Rows::new(
                &self.catalogue,
                move |rows: &[CatalogueRow]| {
                    let mut table = row::to_table(rows, arms);
                    if flags_text {
                        row::push_flags_text(&mut table, rows, arms);
                    }
                    table
                },
            )),
        }
    }

    /// The same as a whole.
    ///
    /// # Errors
    /// None that is known: what is written can be put together.
    #[cfg(any(test, feature = "lab"))]
    pub fn table(&self, name: &str, flags_text: bool) -> Result<Table> {
        crate::table::pieces::whole(&*self.pieces(name, flags_text, &ARMS))
    }
}

/// Calibrates the rows. `names` has the names by which headers call the stars, by designation.
///
/// # Errors
/// Those of [`calibrated`].
#[cfg(any(test, feature = "lab"))]
pub fn products(
    rows: &[RvRow],
    names: &HashMap<String, StarNames>,
    config: &CalibrateOptions,
) -> Result<Products> {
    calibrated(uncalibrated(rows), names, config)
}

/// Calibrates a catalogue without corrected velocities ([`uncalibrated`]), which is sorted by star and then time.
///
/// # Errors
/// Those of the calibration. Having no usable velocity or no constant star is no error: nothing is corrected then.
pub fn calibrated(
    mut catalogue: Vec<CatalogueRow>,
    names: &HashMap<String, StarNames>,
    config: &CalibrateOptions,
) -> Result<Products> {
    let mut numbered = numbered(&catalogue);
    let double = double_lined(&catalogue);
    let never: Vec<bool> = numbered.stars.iter().map(|s| double.contains(s)).collect();
    let arms = match calibrate_except(&mut numbered.observations, &never, config) {
        Ok(arms) => arms,
        Err(Error::NothingUsable(_)) => Vec::new(),
        Err(other) => return Err(other),
    };
    correct(&mut catalogue, &numbered, &arms);
    let mut stars = star_rows(&numbered, &arms);
    complete(&mut stars, &catalogue, &double, names);
    only_sure_variables(&mut stars, &catalogue);
    let links: Vec<Links> = arms.iter().map(|arm| links::of(arm, config)).collect();
    let unit = |group: u32| numbered.groups[group as usize].clone();
    let summary = |(i, arm): (usize, &CalibratedArm)| {
        let name = |arm: usize| ARMS[arm].name().to_owned();
        ArmSummary {
            links: component::told(&links[i], &unit),
            ..summary::arm(&numbered.observations, i, arm, &name, true)
        }
    };
    let zero_points = zero_point_rows(&numbered, &arms);
    add_periods(&mut stars, &catalogue, &zero_points, config);
    Ok(Products {
        zero_points,
        components: component_rows(&numbered, &links),
        arms: arms.iter().enumerate().map(summary).collect(),
        is_by_group: config.is_by_group(),
        catalogue,
        stars,
    })
}

/// Puts corrected velocities and the calibration's flags into the rows.
fn correct(catalogue: &mut [CatalogueRow], numbered: &Numbered, arms: &[CalibratedArm]) {
    for arm in 0..arms.len() {
        let corrected = Corrected::of(&numbered.observations, arms, arm);
        for (i, row) in catalogue.iter_mut().enumerate() {
            let velocity = &mut row.arms[arm];
            velocity.rv_corr_km_s = corrected.rv[i];
            velocity.rv_corr_err_km_s = corrected.err[i];
            velocity.flags |= flags::of_calibration(corrected.flags[i]);
        }
    }
}

fn zero_point_rows(numbered: &Numbered, arms: &[CalibratedArm]) -> Vec<ZeroPointRow> {
    let row = |found: results::ZeroPoint| {
        let (planid, spid) = &numbered.groups[found.group as usize];
        ZeroPointRow {
            planid: planid.clone(),
            spid: *spid,
            lmjm: numbered.minutes[found.exposure as usize],
            arm: ARMS[found.arm],
            found,
        }
    };
    results::zero_points(arms).map(row).collect()
}

fn component_rows(numbered: &Numbered, links: &[Links]) -> Vec<ComponentRow> {
    let name = |group: u32| {
        let (planid, spid) = &numbered.groups[group as usize];
        component::unit_name(planid, *spid)
    };
    let minute = |exposure: u32| numbered.minutes[exposure as usize];
    let of_arm = |(arm, links): (Arm, &Links)| -> Vec<ComponentRow> {
        let row = |found: &Component| {
            let (first, last) = found.first_and_last()?;
            Some(ComponentRow {
                arm,
                lmjm_first: minute(first),
                lmjm_last: minute(last),
                named: Named::of(found, links, &name),
                found: found.clone(),
            })
        };
        links.components.iter().filter_map(row).collect()
    };
    ARMS.into_iter().zip(links).flat_map(of_arm).collect()
}

fn star_rows(numbered: &Numbered, arms: &[CalibratedArm]) -> Vec<StarRow> {
    let row = |found: results::Star| {
        let (planid, spid) = &numbered.groups[found.group as usize];
        StarRow {
            designation: numbered.stars[found.star as usize].clone(),
            planid: planid.clone(),
            spid: *spid,
            arm: ARMS[found.arm],
            found,
            ..StarRow::default()
        }
    };
    results::stars(arms).map(row).collect()
}

fn add_periods(
    stars: &mut [StarRow],
    catalogue: &[CatalogueRow],
    zero_points: &[ZeroPointRow],
    config: &CalibrateOptions,
) {
    let periods = period::find(stars, catalogue, zero_points, config.is_by_group());
    for (star, period) in stars.iter_mut().zip(periods) {
        star.period = period.map(Into::into).unwrap_or_default();
    }
}

/// Puts in what is known of the stars beside the calibration.
fn complete(
    stars: &mut [StarRow],
    catalogue: &[CatalogueRow],
    double: &HashSet<Arc<str>>,
    names: &HashMap<String, StarNames>,
) {
    let place = |row: &CatalogueRow| {
        let of = &row.exposure;
        (of.designation.clone(), (of.ra_deg, of.dec_deg))
    };
    let places: HashMap<Arc<str>, (f64, f64)> = catalogue.iter().map(place).collect();
    for star in stars {
        if let Some(place) = places.get(&star.designation) {
            (star.ra_deg, star.dec_deg) = *place;
        }
        star.is_double_lined = double.contains(&star.designation);
        star.names = names.get(&*star.designation).cloned().unwrap_or_default();
    }
}
