//! The page of `relrv calibrate`: what was found, in the words of the table.

use std::path::Path;

use super::arms_told::tell_arms;
use super::calibrate_summary::Summary;
use crate::calibrate::arms::CalibratedArm;
use crate::calibrate::results;
use crate::report::calibrated::{
    ArmOfTable, Calibration, Residual, StarOfTable, ZeroPointOfTable, page,
};
use crate::text::count::count;
use crate::velocity_table::input::Input;

/// The page of a calibration of the table at `path`. Neither where that lies nor when it was calibrated is told: the same calibration has
/// the same page.
pub fn of(input: &Input, arms: &[CalibratedArm], summary: &Summary, path: &Path) -> String {
    let mut all: Vec<ArmOfTable> = (0..arms.len())
        .map(|i| ArmOfTable {
            name: input.arms[i].clone(),
            says: says(summary, i),
            residuals: residuals(&arms[i]),
            ..ArmOfTable::default()
        })
        .collect();
    for z in results::zero_points(arms) {
        let exposure = input.exposures.of(z.exposure);
        let exposure = match input.groups.told(z.group) {
            Some(group) => format!("{exposure}, {group}"),
            None => exposure.to_owned(),
        };
        all[z.arm].zero_points.push(ZeroPointOfTable {
            exposure,
            zp: z.zp,
            err: z.zp_err,
            n_constants: z.n_constants,
            component: z.component,
        });
    }
    for s in results::stars(arms) {
        all[s.arm].stars.push(StarOfTable {
            name: input.stars.of(s.star).to_owned(),
            n: s.n_used,
            before: s.scatter_before,
            after: s.scatter_after,
            p_value: s.p_value,
            is_constant: s.is_constant,
            is_variable: s.is_variable,
            unjudged: s.unjudged.map_or("", |why| why.reason()),
        });
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    page(&Calibration {
        table: name.to_string_lossy().into_owned(),
        unit: input.unit.clone(),
        facts: facts(summary),
        arms: all,
        tables: tables(&summary.products),
    })
}

/// The tables, whatever their formats and the order in which these were asked for.
fn tables(products: &[String]) -> Vec<String> {
    let stems = products.iter().filter_map(|name| name.split_once('.'));
    let mut tables: Vec<String> = Vec::new();
    for (stem, _) in stems.filter(|(_, ending)| *ending != "html") {
        if !tables.iter().any(|table| table == stem) {
            tables.push(stem.to_owned());
        }
    }
    tables
}

/// What the summary says of an arm, without its name before each line.
fn says(summary: &Summary, arm: usize) -> Vec<String> {
    let mut told = Vec::new();
    // Writing to a vector cannot fail.
    let _ = tell_arms(&summary.arms[arm..=arm], &summary.unit, &mut told);
    let told = String::from_utf8_lossy(&told);
    let line = |line: &str| match line.split_once(": ") {
        Some((_, said)) => said.to_owned(),
        None => line.to_owned(),
    };
    told.lines().map(line).collect()
}

fn facts(summary: &Summary) -> Vec<(&'static str, String)> {
    let config = &summary.config;
    let settings = serde_json::to_value(config).unwrap_or_default();
    let word = |name: &str| settings[name].as_str().unwrap_or_default().to_owned();
    let mut facts = vec![
        ("program", format!("relrv {}", env!("CARGO_PKG_VERSION"))),
        (
            "rows",
            format!(
                "{}, {} of them without a usable velocity",
                summary.n_rows, summary.n_rows_unusable
            ),
        ),
        (
            "settings",
            format!(
                "method {}, scope {}, p-min {}, min-constants {}",
                word("method"),
                word("scope"),
                config.joint.p_min,
                config.joint.min_constants
            ),
        ),
    ];
    if let Some(n) = summary.n_known_constants {
        facts.push((
            "zero points rest on",
            count(n, "star that a list names, and on no other"),
        ));
    }
    let notes = summary.notes.iter().map(|note| ("columns", note.clone()));
    facts.extend(notes);
    facts
}

/// Velocities of the constant stars about each star's mean, before and after.
fn residuals(arm: &CalibratedArm) -> Vec<Residual> {
    let graph = &arm.graph.graph;
    let constant = (0..graph.n_stars()).filter(|s| arm.solution.stars[*s].constant);
    let of_star = |star: usize| {
        let (mut sum, mut n) = (0.0, 0.0);
        for k in graph.counted(star) {
            sum += graph.rv[k];
            n += 1.0;
        }
        let residual = move |k: usize| Residual {
            zero_point: graph.zp[k] as usize,
            before: graph.rv[k] - sum / n,
            after: arm.solution.residual[k],
        };
        graph.counted(star).map(residual)
    };
    constant.flat_map(of_star).collect()
}
