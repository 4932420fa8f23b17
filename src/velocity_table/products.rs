//! Products of a calibration in the words of the table that was calibrated: zero points, stars, fibres, the rows with corrected RVs.

use std::collections::BTreeMap;

use super::input::{Input, Shape, is_red};
use super::names::Groups;
use super::own_flags::own_flags;
use super::room::{CONSTANT, CORRECTED_ERR, make_room};
use crate::calibrate::arms::CalibratedArm;
use crate::calibrate::links::Links;
use crate::calibrate::results::{self, Corrected, Star, ZeroPoint, mark_constants};
use crate::calibrate::summary::{self, ArmSummary};
use crate::calibrate::{CalFlags, told_links};
use crate::catalogue::flags::{self, CatalogueFlags};
use crate::catalogue::{star, zero_point};
use crate::numbers::statistics::mean_and_std;
use crate::table::{Column, ColumnData, Field, Table};

/// Unit of velocities in the declared columns; here they have the table's.
const DECLARED: &str = "km/s";

/// Adds declared columns, with velocities in the unit of the input's.
pub(super) fn push_fields<R: 'static>(
    table: &mut Table,
    input: &Input,
    fields: &[Field<R>],
    rows: &[R],
) {
    let first = table.columns.len();
    table.push_fields(fields, rows.iter());
    for column in &mut table.columns[first..] {
        if column.unit == DECLARED {
            column.unit.clone_from(&input.unit);
        }
    }
}

/// Columns of a zero point's or star's group: plate and spectrograph in a catalogue, else `group`.
fn push_group(table: &mut Table, input: &Input, groups: impl Iterator<Item = u32>) {
    match (&input.shape, &input.groups) {
        (_, Groups::None) => {}
        (Shape::Wide, Groups::Plates(pairs)) => {
            let of: Vec<&(String, String)> = groups.map(|g| &pairs[g as usize]).collect();
            let spid = |spid: &String| spid.parse().unwrap_or(-1);
            table.push_text(
                "planid",
                "",
                "plate",
                of.iter().map(|g| g.0.clone()).collect(),
            );
            table.push_i32(
                "spid",
                "",
                "spectrograph",
                of.iter().map(|g| spid(&g.1)).collect(),
            );
        }
        _ => {
            let names = groups.map(|g| input.groups.name(g)).collect();
            table.push_text("group", "", "group of exposures", names);
        }
    }
}

pub(super) fn push_arm(table: &mut Table, input: &Input, arms: impl Iterator<Item = usize>) {
    if input.has_arms {
        let names = arms.map(|arm| input.arms[arm].clone()).collect();
        table.push_text("arm", "", "arm of the spectrograph", names);
    }
}

/// Texts as integers where they all are.
pub(super) fn text_or_int(values: Vec<String>) -> ColumnData {
    let ints: Option<Vec<i64>> = values
        .iter()
        .map(|v| v.parse().ok().filter(|n: &i64| n.to_string() == *v))
        .collect();
    match ints {
        Some(ints) if !ints.is_empty() => ColumnData::I64(ints),
        _ => ColumnData::Text(values),
    }
}

/// One row per exposure, group and arm with a usable RV.
pub fn zero_points(input: &Input, arms: &[CalibratedArm]) -> Table {
    let rows: Vec<ZeroPoint> = results::zero_points(arms).collect();
    let mut table = Table::new();
    push_group(&mut table, input, rows.iter().map(|z| z.group));
    let exposure_name = match input.shape {
        Shape::Long => "exposure",
        Shape::Wide => "lmjm",
    };
    let exposure = |z: &ZeroPoint| input.exposures.of(z.exposure).to_owned();
    let exposures = rows.iter().map(exposure).collect();
    table.push(exposure_name, "", "exposure", text_or_int(exposures));
    push_arm(&mut table, input, rows.iter().map(|z| z.arm));
    push_fields(&mut table, input, &zero_point::FOUND, &rows);
    let flags = rows.iter().map(|z| match z.zp.is_nan() {
        true => CalFlags::NO_ZERO_POINT.bits(),
        false => 0,
    });
    table.push_i32("flags", "", "16: too few stars", flags.collect());
    table
}

/// The input's rows with the corrected RVs. Columns of the same names from an earlier calibration, known by their
/// meaning, are replaced; others get another name. The second value tells of both, in sentences for the user.
pub fn calibrated(mut table: Table, input: &Input, arms: &[CalibratedArm]) -> (Table, Vec<String>) {
    let obs = &input.observations;
    let columns: Vec<(String, String, Corrected)> = match input.shape {
        Shape::Long => {
            let mut all = Corrected::none(obs.n_rows());
            (0..arms.len()).for_each(|arm| all.fill(obs, arms, arm));
            vec![("rv".to_owned(), "cal_flags".to_owned(), all)]
        }
        Shape::Wide => {
            let of_arm = |(arm, name): (usize, &String)| {
                let x = if is_red(name) { 'r' } else { 'b' };
                let corrected = Corrected::of(obs, arms, arm);
                (format!("drv_{x}"), format!("cal_flags_{x}"), corrected)
            };
            input.arms.iter().enumerate().map(of_arm).collect()
        }
    };
    let mut names = vec!["constant".to_owned()];
    for (rv, flags, _) in &columns {
        let corrected = [
            format!("{rv}_corr"),
            format!("{rv}_corr_err"),
            flags.clone(),
        ];
        names.extend(corrected);
    }
    let mut notes = make_room(&mut table, &names);
    for (_, flags, corrected) in &columns {
        // `cal_flags_r` stands beside a catalogue's `flags_r`.
        let of_catalogue = flags.trim_start_matches("cal_");
        if take_flags(&mut table, of_catalogue, &corrected.flags) {
            notes.push(format!(
                "column {of_catalogue}: no_zero_point and outlier are those of this calibration"
            ));
        }
    }
    let flag_text = CalFlags::meanings();
    for (rv, cal_flags, out) in columns {
        let bits = out.flags.iter().map(|f| f.bits()).collect();
        table.push_f64(
            &format!("{rv}_corr"),
            &input.unit,
            "RV less the zero point of its exposure",
            out.rv,
        );
        table.push_f64(
            &format!("{rv}_corr_err"),
            &input.unit,
            CORRECTED_ERR,
            out.err,
        );
        table.push_i32(&cal_flags, "", &flag_text, bits);
    }
    let constant = constant_rows(input, arms).into_iter();
    table
        .columns
        .push(Column::of_verdicts("constant", CONSTANT, constant));
    (table, notes)
}

/// Puts what this calibration says into the flags of a catalogue of relrv's, in place of what an earlier one said; whether there are any
/// such flags.
fn take_flags(table: &mut Table, name: &str, of_calibration: &[CalFlags]) -> bool {
    let is_own = own_flags(table, name).is_some();
    let column = table.columns.iter_mut().find(|c| c.name == name);
    let earlier = (CatalogueFlags::NO_ZERO_POINT | CatalogueFlags::OUTLIER).bits();
    let now = of_calibration
        .iter()
        .map(|f| flags::of_calibration(*f).bits());
    match column.map(|c| &mut c.data) {
        Some(ColumnData::I32(bits)) if is_own => {
            for (bits, now) in bits.iter_mut().zip(now) {
                *bits = *bits & !(earlier as i32) | now as i32;
            }
            true
        }
        // As CSV gives them.
        Some(ColumnData::I64(bits)) if is_own => {
            for (bits, now) in bits.iter_mut().zip(now) {
                *bits = *bits & !i64::from(earlier) | i64::from(now);
            }
            true
        }
        _ => false,
    }
}

/// A row's star is constant if it is in the arm that gave the constants, or in its own arm where that chose for itself.
fn constant_rows(input: &Input, arms: &[CalibratedArm]) -> Vec<Option<bool>> {
    let mut constant = vec![None; input.observations.n_rows()];
    for (i, arm) in arms.iter().enumerate() {
        if arm.constants_from.is_none() || input.shape == Shape::Long {
            mark_constants(&input.observations, arms, i, &mut constant);
        }
    }
    constant
}

/// One row per star and arm, and with `is_by_group` (groups were solved alone) per group.
pub fn stars(input: &Input, arms: &[CalibratedArm], is_by_group: bool) -> Table {
    let rows: Vec<Star> = results::stars(arms).collect();
    let names: Vec<String> = rows
        .iter()
        .map(|s| input.stars.of(s.star).to_owned())
        .collect();
    let names = match input.shape {
        Shape::Long => ColumnData::Text(names),
        Shape::Wide => text_or_int(names),
    };
    let mut table = Table::new();
    table.push(input.star_column, "", "star", names);
    if is_by_group {
        push_group(&mut table, input, rows.iter().map(|s| s.group));
    }
    push_arm(&mut table, input, rows.iter().map(|s| s.arm));
    push_fields(&mut table, input, &star::FOUND, &rows);
    push_fields(&mut table, input, &star::CONSTANT, &rows);
    let variable = rows.iter().map(|s| s.is_variable);
    table.columns.push(Column::of_verdicts(
        "variable",
        "p_value < 0.001; missing where not_judged says why",
        variable,
    ));
    push_fields(&mut table, input, &star::NOT_JUDGED, &rows);
    table
}

/// What was done with each arm; `links` are those of each.
pub fn summaries(input: &Input, arms: &[CalibratedArm], links: &[Links]) -> Vec<ArmSummary> {
    let name = |arm: usize| input.arms[arm].clone();
    let group = |group: u32| input.groups.told(group);
    let is_paired = input.shape == Shape::Wide;
    let of = |(i, arm)| ArmSummary {
        links: links
            .get(i)
            .map_or(Vec::new(), |links| told_links(links, &group)),
        ..summary::arm(&input.observations, i, arm, &name, is_paired)
    };
    arms.iter().enumerate().map(of).collect()
}

/// Residuals of the constants by fibre (the paper's figures 6 and 7): None if the table tells no fibres.
pub fn fibres(table: &Table, input: &Input, arms: &[CalibratedArm]) -> Option<Table> {
    let fibre = ["fiberid", "fiber", "fibre"]
        .iter()
        .find_map(|n| table.column(n))?;
    let obs = &input.observations;
    let spid = table.column("spid");
    let mut cells: BTreeMap<(usize, String, String), Vec<f64>> = BTreeMap::new();
    for (a, arm) in arms.iter().enumerate() {
        for star in (0..arm.graph.star.len()).filter(|&s| arm.solution.stars[s].constant) {
            for k in arm.graph.graph.of(star) {
                let residual = arm.solution.residual[k];
                if residual.is_finite() {
                    let row = obs.arms[a].row[arm.graph.edge_obs[k] as usize] as usize;
                    let group = match spid {
                        Some(spid) => spid.text_at(row),
                        None => input.groups.name(obs.group[row]),
                    };
                    let key = (a, pad(&group), pad(&fibre.text_at(row)));
                    cells.entry(key).or_default().push(residual);
                }
            }
        }
    }
    Some(fibre_table(input, &cells, spid.is_some()))
}

fn fibre_table(
    input: &Input,
    cells: &BTreeMap<(usize, String, String), Vec<f64>>,
    has_spid: bool,
) -> Table {
    let mut out = Table::new();
    let unpad = |t: &str| t.trim_start().to_owned();
    push_arm(&mut out, input, cells.keys().map(|k| k.0));
    let group = cells.keys().map(|k| unpad(&k.1)).collect();
    out.push(
        if has_spid { "spid" } else { "group" },
        "",
        "spectrograph or group",
        text_or_int(group),
    );
    let fibres = cells.keys().map(|k| unpad(&k.2)).collect();
    out.push("fiberid", "", "fibre", text_or_int(fibres));
    out.push_i32(
        "n",
        "",
        "RVs of constants",
        cells.values().map(|v| v.len() as i32).collect(),
    );
    let stats: Vec<(f64, f64)> = cells
        .values()
        .map(|v| mean_and_std(v.iter().copied()))
        .collect();
    out.push_f64(
        "residual_mean",
        &input.unit,
        "mean residual of the constants' corrected RVs about each star's mean",
        stats.iter().map(|s| s.0).collect(),
    );
    out.push_f64(
        "residual_std",
        &input.unit,
        "their standard deviation",
        stats.iter().map(|s| s.1).collect(),
    );
    out
}

/// Left-padded, so that numbers in text sort by value.
fn pad(text: &str) -> String {
    format!("{text:>12}")
}
