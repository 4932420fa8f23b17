//! The calibrated catalogue and what comes with it.

use std::collections::HashMap;

use super::not_used::mark_not_used;
use super::paired::{ARMS, pair, uncalibrated};
use super::{flags, stars};
use crate::calibrate::CalFlags;
use crate::calibrate::arms::{CalibrateConfig, CalibratedArm, calibrate_except};
use crate::calibrate::input::{self, Input};
use crate::calibrate::products as tables;
use crate::lamost::raw::StarNames;
use crate::measure::RvRow;
use crate::table::{Column, ColumnData, Table};
use crate::{Error, Result};

/// The tables of a run, and how its zero points were found.
#[derive(Debug)]
pub struct Products {
    /// One row per star and exposure.
    pub catalogue: Table,
    /// One row per star and arm with a usable velocity.
    pub stars: Table,
    /// Those of them that are constants.
    pub constants: Table,
    /// One row per plate, spectrograph, exposure and arm.
    pub zero_points: Table,
    /// The velocities as the calibration saw them.
    pub input: Input,
    /// What it found, red first; empty when there was nothing to calibrate.
    pub arms: Vec<CalibratedArm>,
}

/// Calibrates the rows and makes all tables; `names` is what headers call the stars, by designation.
///
/// # Errors
/// What the calibration says. Having no usable velocity or no constant is no error: nothing is corrected then.
pub fn products(
    rows: &[RvRow],
    star_names: &HashMap<String, StarNames>,
    config: &CalibrateConfig,
) -> Result<Products> {
    let pairs = pair(rows);
    let table = uncalibrated(&pairs);
    let mut input = input::observations(&table)?;
    let double = stars::double_lined(&pairs);
    let names = input.observations.stars.names.iter();
    let never: Vec<bool> = names.map(|name| double.contains(name.as_str())).collect();
    mark_not_used(&table, &mut input);
    let arms = match calibrate_except(&mut input.observations, &never, config) {
        Ok(arms) => arms,
        Err(Error::NothingUsable(_)) => Vec::new(),
        Err(other) => return Err(other),
    };
    let mut zero_points = tables::zero_points(&input, &arms);
    // A zero point that is not there says all that its flag does.
    zero_points.columns.retain(|c| c.name != "flags");
    let mut stars_table = tables::stars(&input, &arms);
    stars::complete(&mut stars_table, &pairs, &double);
    stars::push_names(&mut stars_table, star_names);
    let constants = stars::constants(&stars_table);
    if let Some(lmjm) = zero_points.columns.iter_mut().find(|c| c.name == "lmjm") {
        "min".clone_into(&mut lmjm.unit);
        "local (UTC+8) modified Julian minute of the exposure's start"
            .clone_into(&mut lmjm.meaning);
        if lmjm.data.is_empty() {
            lmjm.data = ColumnData::I64(Vec::new());
        }
    }
    let catalogue = in_order(tables::calibrated(table, &input, &arms));
    Ok(Products {
        catalogue,
        stars: stars_table,
        constants,
        zero_points,
        input,
        arms,
    })
}

/// Adds the flags' names beside their numbers.
pub fn push_flags_text(catalogue: &mut Table) {
    for (arm, x) in ARMS {
        let name = format!("flags_{x}");
        let Some(ColumnData::I32(bits)) = catalogue.column(&name).map(|c| &c.data) else {
            continue;
        };
        let text = |bits: &i32| flags::CatalogueFlags::from_bits_retain(*bits as u32).to_string();
        let column = Column::new(
            &format!("{name}_text"),
            "",
            &format!("names of the flags of the {arm} arm"),
            ColumnData::Text(bits.iter().map(text).collect()),
        );
        catalogue.insert_after(&name, column);
    }
}

/// The columns in the order of the contract, with the calibration's flags among the others.
fn in_order(mut table: Table) -> Table {
    let n_rows = table.n_rows();
    let mut take = |name: &str| {
        let place = table.columns.iter().position(|c| c.name == name)?;
        Some(table.columns.remove(place))
    };
    let mut out = Table::new();
    for (_, x) in ARMS {
        // Absent where nothing could be calibrated.
        let nan = || vec![f64::NAN; n_rows];
        let corrected = take(&format!("drv_{x}_corr"));
        let error = take(&format!("drv_{x}_corr_err"));
        let calibrated = take(&format!("cal_flags_{x}"));
        let (snr, drv) = (take(&format!("snr_{x}")), take(&format!("drv_{x}")));
        let (err, own) = (
            take(&format!("drv_{x}_err")),
            take(&format!("drv_{x}_err_own")),
        );
        out.columns
            .extend([snr, drv, err, own].into_iter().flatten());
        let data = |column: Option<crate::table::Column>| match column.map(|c| c.data) {
            Some(ColumnData::F64(values)) => values,
            _ => nan(),
        };
        out.push_f64(
            &format!("drv_{x}_corr"),
            "km/s",
            &format!("drv_{x} less the zero point of its exposure"),
            data(corrected),
        );
        out.push_f64(
            &format!("drv_{x}_corr_err"),
            "km/s",
            &format!("own error of drv_{x} and error of the zero point together"),
            data(error),
        );
        out.columns.extend(take(&format!("chi2_{x}")));
        let mut of_arm = take(&format!("flags_{x}"));
        if let (Some(ColumnData::I32(bits)), Some(ColumnData::I32(more))) = (
            of_arm.as_mut().map(|c| &mut c.data),
            calibrated.map(|c| c.data),
        ) {
            for (bits, more) in bits.iter_mut().zip(more) {
                let more = CalFlags::from_bits_truncate(more);
                *bits |= flags::of_calibration(more).bits() as i32;
            }
        }
        out.columns.extend(of_arm);
    }
    take("constant");
    // What is left is common to both arms and comes first.
    table.columns.extend(out.columns);
    table
}
