//! Tables of a calibration: zero points, corrected RVs, stars, fibres.

use std::collections::BTreeMap;

use super::cal_flags::CalFlags;
use super::input::{Input, Layout};
use super::room::{CONSTANT, make_room};
use super::stats::mean_and_std;
use crate::calibrate::arms::{CalibratedArm, is_red};
use crate::table::{ColumnData, Table};

/// Stars with a smaller p-value are called variable (about 3.3 sigma).
pub const VARIABLE_P: f64 = 1e-3;

/// Columns of a zero point's or star's group: planid and spid for the table of `measure`, else `group`.
fn push_group(table: &mut Table, input: &Input, groups: &[u32]) {
    let name = |g: &u32| input.observations.groups.names[*g as usize].clone();
    match input.layout {
        Layout::Wide => {
            let split = |g: &u32| {
                let name = name(g);
                match name.rsplit_once("_sp") {
                    Some((plate, spid)) => (plate.to_owned(), spid.parse().unwrap_or(-1)),
                    None => (name, -1),
                }
            };
            table.push_text(
                "planid",
                "",
                "plate",
                groups.iter().map(|g| split(g).0).collect(),
            );
            table.push_i32(
                "spid",
                "",
                "spectrograph",
                groups.iter().map(|g| split(g).1).collect(),
            );
        }
        Layout::Long if input.has_groups => {
            table.push_text(
                "group",
                "",
                "group of exposures",
                groups.iter().map(name).collect(),
            );
        }
        Layout::Long => {}
    }
}

/// Texts as integers where they all are.
fn text_or_int(values: Vec<String>) -> ColumnData {
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
    let obs = &input.observations;
    let mut table = Table::new();
    let gather = |f: &dyn Fn(&CalibratedArm, usize) -> f64| -> Vec<f64> {
        each_zp(arms).map(|(a, z)| f(a, z)).collect()
    };
    let groups: Vec<u32> = each_zp(arms).map(|(a, z)| a.graph.zp_group[z]).collect();
    push_group(&mut table, input, &groups);
    let exposure_name = match input.layout {
        Layout::Long => "exposure",
        Layout::Wide => "lmjm",
    };
    let exposures = each_zp(arms)
        .map(|(a, z)| obs.exposures.names[a.graph.zp_exposure[z] as usize].clone())
        .collect();
    table.push(exposure_name, "", "exposure", text_or_int(exposures));
    if input.has_arms {
        let arm = each_zp(arms).map(|(a, _)| a.arm.clone()).collect();
        table.push_text("arm", "", "arm of the spectrograph", arm);
    }
    table.push_f64(
        "zp",
        &input.unit,
        "zero point, to be subtracted from the RVs; mean 0 in each component; NaN with too few constants",
        gather(&|a, z| a.solution.zp[z]),
    );
    table.push_f64(
        "zp_err",
        &input.unit,
        "formal error of zp",
        gather(&|a, z| a.solution.zp_err[z]),
    );
    table.push_i32(
        "n_constants",
        "",
        "constant stars that determine zp",
        each_zp(arms)
            .map(|(a, z)| a.solution.n_constants[z] as i32)
            .collect(),
    );
    table.push_i32(
        "component",
        "",
        "exposures of one component of an arm are on one scale; -1 where there is no zero point",
        each_zp(arms)
            .map(|(a, z)| a.solution.component[z].map_or(-1, |c| c as i32))
            .collect(),
    );
    let flags = each_zp(arms)
        .map(|(a, z)| {
            if a.solution.zp[z].is_nan() {
                CalFlags::NO_ZERO_POINT.bits()
            } else {
                0
            }
        })
        .collect();
    table.push_i32("flags", "", "16: too few constants", flags);
    table
}

fn each_zp(arms: &[CalibratedArm]) -> impl Iterator<Item = (&CalibratedArm, usize)> {
    arms.iter()
        .flat_map(|a| (0..a.graph.graph.n_zp).map(move |z| (a, z)))
}

/// The input's rows with the corrected RVs; see [`calibrated_noting`].
pub fn calibrated(table: Table, input: &Input, arms: &[CalibratedArm]) -> Table {
    calibrated_noting(table, input, arms).0
}

/// The input's rows with the corrected RVs. Columns of the same names from an earlier calibration, known by their
/// meaning, are replaced; others get another name. The second value tells of both, in sentences for the user.
pub fn calibrated_noting(
    mut table: Table,
    input: &Input,
    arms: &[CalibratedArm],
) -> (Table, Vec<String>) {
    let n_rows = input.observations.n_rows;
    let mut constant = vec![false; n_rows];
    let mut columns = Vec::new();
    match input.layout {
        Layout::Long => {
            let mut out = Corrected::new(n_rows);
            for (arm, i) in arms.iter().zip(0..) {
                out.fill(input, arm, i);
            }
            columns.push((String::from("rv"), String::from("cal_flags"), out));
        }
        Layout::Wide => {
            for (arm, i) in arms.iter().zip(0..) {
                let mut out = Corrected::new(n_rows);
                out.fill(input, arm, i);
                let x = if is_red(&arm.arm) { 'r' } else { 'b' };
                columns.push((format!("drv_{x}"), format!("cal_flags_{x}"), out));
            }
        }
    }
    mark_constants(input, arms, &mut constant);
    let mut names = vec!["constant".to_owned()];
    for (rv, flags, _) in &columns {
        names.extend([
            format!("{rv}_corr"),
            format!("{rv}_corr_err"),
            flags.clone(),
        ]);
    }
    let notes = make_room(&mut table, &names);
    let flag_text = CalFlags::meanings();
    for (rv, flags, out) in columns {
        table.push_f64(
            &format!("{rv}_corr"),
            &input.unit,
            "RV less the zero point of its exposure",
            out.rv,
        );
        table.push_f64(
            &format!("{rv}_corr_err"),
            &input.unit,
            "own error of the RV and error of the zero point together",
            out.err,
        );
        table.push_i32(&flags, "", &flag_text, out.flags);
    }
    table.push_bool("constant", "", CONSTANT, constant);
    (table, notes)
}

struct Corrected {
    rv: Vec<f64>,
    err: Vec<f64>,
    flags: Vec<i32>,
}

impl Corrected {
    fn new(n_rows: usize) -> Self {
        Corrected {
            rv: vec![f64::NAN; n_rows],
            err: vec![f64::NAN; n_rows],
            flags: vec![0; n_rows],
        }
    }

    fn fill(&mut self, input: &Input, arm: &CalibratedArm, index: usize) {
        let obs = &input.observations.arms[index];
        for (i, &row) in obs.row.iter().enumerate() {
            let row = row as usize;
            self.flags[row] = obs.flags[i].bits();
            // A duplicate is not used, but it is corrected like any other row of its exposure.
            if let Some(z) = input.observations.zero_point_of(index, &arm.graph, i) {
                self.rv[row] = obs.rv[i] - arm.solution.zp[z];
                if !obs.flags[i].contains(CalFlags::BAD_ERR) {
                    self.err[row] = obs.err[i].hypot(arm.solution.zp_err[z]);
                }
            }
        }
    }
}

/// A row's star is constant if it is in the arm that gave the constants, or in its own arm where that chose for itself.
fn mark_constants(input: &Input, arms: &[CalibratedArm], constant: &mut [bool]) {
    let obs = &input.observations;
    for (arm, own) in arms.iter().zip(&obs.arms) {
        if arm.constants_from.is_some() && input.layout == Layout::Wide {
            continue;
        }
        for (i, &row) in own.row.iter().enumerate() {
            let star = arm.graph.obs_star[i];
            if star != u32::MAX {
                constant[row as usize] |= arm.solution.stars[star as usize].constant;
            }
        }
    }
}

/// One row per star and arm (and group, when groups are solved alone).
pub fn stars(input: &Input, arms: &[CalibratedArm]) -> Table {
    let obs = &input.observations;
    let mut table = Table::new();
    let each = || {
        arms.iter()
            .enumerate()
            .flat_map(|(i, a)| (0..a.graph.star.len()).map(move |s| (i, a, s)))
    };
    table.push(
        input.star_column,
        "",
        "star",
        match input.layout {
            Layout::Long => ColumnData::Text(
                each()
                    .map(|(_, a, s)| obs.stars.names[a.graph.star[s] as usize].clone())
                    .collect(),
            ),
            Layout::Wide => text_or_int(
                each()
                    .map(|(_, a, s)| obs.stars.names[a.graph.star[s] as usize].clone())
                    .collect(),
            ),
        },
    );
    let alone = arms
        .iter()
        .any(|a| a.graph.star_group.iter().any(|&g| g > 0));
    if alone {
        let groups: Vec<u32> = each().map(|(_, a, s)| a.graph.star_group[s]).collect();
        push_group(&mut table, input, &groups);
    }
    if input.has_arms {
        let arm = each().map(|(_, a, _)| a.arm.clone()).collect();
        table.push_text("arm", "", "arm of the spectrograph", arm);
    }
    let count = |f: &dyn Fn(&CalibratedArm, usize) -> usize| -> Vec<i32> {
        each().map(|(_, a, s)| f(a, s) as i32).collect()
    };
    let number = |f: &dyn Fn(&CalibratedArm, usize) -> f64| -> Vec<f64> {
        each().map(|(_, a, s)| f(a, s)).collect()
    };
    table.push_i32(
        "n_exp",
        "",
        "usable RVs",
        count(&|a, s| a.graph.graph.counted(s).count()),
    );
    table.push_i32(
        "n_used",
        "",
        "usable RVs in exposures with a zero point",
        count(&|a, s| a.solution.stars[s].n_used as usize),
    );
    table.push_f64(
        "scatter_before",
        &input.unit,
        "standard deviation of the RVs (Var_rv of the paper)",
        number(&|a, s| scatter(a, s, false)),
    );
    table.push_f64(
        "scatter_after",
        &input.unit,
        "the same after correction, about one mean per component",
        number(&|a, s| scatter(a, s, true)),
    );
    table.push_f64(
        "chi2",
        "",
        "squared residuals in units of their errors and the common jitter, single outliers cut",
        number(&|a, s| a.solution.stars[s].chi2),
    );
    table.push_f64(
        "dof",
        "",
        "degrees of freedom of chi2",
        number(&|a, s| a.solution.stars[s].dof),
    );
    table.push_f64(
        "p_value",
        "",
        "probability of a larger chi2 if the star is constant",
        number(&|a, s| a.solution.stars[s].p_value),
    );
    table.push_f64(
        "jitter",
        &input.unit,
        "scatter of the star beyond its errors and the common jitter, used in its weight",
        number(&|a, s| a.solution.stars[s].jitter),
    );
    let yes = |f: &dyn Fn(&CalibratedArm, usize) -> bool| -> Vec<bool> {
        each().map(|(_, a, s)| f(a, s)).collect()
    };
    table.push_bool(
        "constant",
        "",
        "taken for constant, and determined zero points",
        yes(&|a, s| a.solution.stars[s].constant),
    );
    table.push_bool(
        "variable",
        "",
        "p_value < 0.001",
        yes(&|a, s| a.solution.stars[s].p_value < VARIABLE_P),
    );
    table
}

fn scatter(arm: &CalibratedArm, star: usize, after: bool) -> f64 {
    let graph = &arm.graph.graph;
    if !after {
        return mean_and_std(graph.counted(star).map(|k| graph.rv[k])).1;
    }
    // Residuals are about the robust mean of their component; the plain mean is wanted here.
    let mut parts: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for k in graph.counted(star) {
        if let Some(c) = arm.solution.component[graph.zp[k] as usize] {
            parts.entry(c).or_default().push(arm.solution.residual[k]);
        }
    }
    let n: usize = parts.values().map(Vec::len).sum();
    let squares: f64 = parts
        .values()
        .map(|v| mean_and_std(v.iter().copied()).1.powi(2) * v.len() as f64)
        .sum();
    (squares / n as f64).sqrt()
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
                        None => obs.groups.names[obs.group[row] as usize].clone(),
                    };
                    let key = (a, pad(&group), pad(&fibre.text_at(row)));
                    cells.entry(key).or_default().push(residual);
                }
            }
        }
    }
    let mut out = Table::new();
    let unpad = |t: &str| t.trim_start().to_owned();
    if input.has_arms {
        let arm = cells.keys().map(|k| arms[k.0].arm.clone()).collect();
        out.push_text("arm", "", "arm of the spectrograph", arm);
    }
    let group = cells.keys().map(|k| unpad(&k.1)).collect();
    out.push(
        if spid.is_some() { "spid" } else { "group" },
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
    Some(out)
}

/// Left-padded, so that numbers in text sort by value.
fn pad(text: &str) -> String {
    format!("{text:>12}")
}
