//! What the table of stars has beyond the calibration's own, and the table of constants.

use std::collections::{HashMap, HashSet};

use super::paired::Pair;
use crate::calibrate::products::VARIABLE_P;
use crate::calibrate::stats::chi2_p_value;
use crate::lamost::raw::StarNames;
use crate::likelihood::RvFlags;
use crate::table::{Column, ColumnData, Table};

/// Stars that show two sets of lines in any of their exposures, in either arm.
pub fn double_lined<'a>(pairs: &[Pair<'a>]) -> HashSet<&'a str> {
    pairs
        .iter()
        .flat_map(|p| [p.red, p.blue])
        .flatten()
        .filter(|row| row.measurement.flags.intersects(RvFlags::DOUBLE_LINED))
        .map(|row| &*row.designation)
        .collect()
}

/// Factor by which the errors of velocities with little information may be too small. On a simulated plate 32 of 448 constant
/// stars and arms were variable by their chi^2 (SNR 6 to 43), 29 of them with most velocities flagged; of these none was with 3
/// times the errors.
const UNSURE_FACTOR: f64 = 3.0;

/// Stars and arms most of whose velocities have little information: their errors are estimates.
fn unsure<'a>(pairs: &[Pair<'a>]) -> HashSet<(&'a str, &'static str)> {
    let mut counts: HashMap<_, (usize, usize)> = HashMap::new();
    for row in pairs.iter().flat_map(|p| [p.red, p.blue]).flatten() {
        let (all, unsure) = counts
            .entry((&*row.designation, row.arm.name()))
            .or_default();
        *all += 1;
        *unsure += usize::from(row.measurement.flags.intersects(RvFlags::LOW_INFORMATION));
    }
    let most = counts
        .into_iter()
        .filter(|(_, (all, unsure))| 2 * unsure > *all);
    most.map(|(key, _)| key).collect()
}

/// Takes the word variable from stars that are not surely so.
fn only_sure_variables(table: &mut Table, pairs: &[Pair<'_>]) {
    let text = |name: &str| match table.column(name).map(|c| &c.data) {
        Some(ColumnData::Text(values)) => values.clone(),
        _ => Vec::new(),
    };
    let (stars, arms) = (text("designation"), text("arm"));
    let numbers = |name: &str| match table.column(name).map(|c| &c.data) {
        Some(ColumnData::F64(values)) => values.clone(),
        _ => Vec::new(),
    };
    let sure: Vec<bool> = numbers("chi2")
        .into_iter()
        .zip(numbers("dof"))
        .map(|(chi2, dof)| chi2_p_value(chi2 / UNSURE_FACTOR.powi(2), dof) < VARIABLE_P)
        .collect();
    let unsure = unsure(pairs);
    let variable = table.columns.iter_mut().find(|c| c.name == "variable");
    if let Some(column) = variable
        && let ColumnData::Bool(variable) = &mut column.data
    {
        let rows = variable.iter_mut().zip(&sure).zip(stars.iter().zip(&arms));
        for ((variable, sure), (star, arm)) in rows {
            *variable &= *sure || !unsure.contains(&(star.as_str(), arm.as_str()));
        }
        column.meaning.push_str(
            ", with 3 times the errors where most velocities are flagged low_information",
        );
    }
}

/// Adds positions and the double-lined candidates, `double`, to the calibration's table of stars, and leaves variable only
/// those whose errors are known.
pub fn complete(table: &mut Table, pairs: &[Pair<'_>], double: &HashSet<&str>) {
    only_sure_variables(table, pairs);
    let place: HashMap<&str, (f64, f64)> = pairs
        .iter()
        .flat_map(|p| [p.red, p.blue])
        .flatten()
        .map(|row| (&*row.designation, (row.ra_deg, row.dec_deg)))
        .collect();
    let stars = match table.column("designation").map(|c| &c.data) {
        Some(ColumnData::Text(values)) => &values[..],
        _ => &[],
    };
    let places = stars.iter().map(|star| place.get(star.as_str()));
    let (ra, dec) = places
        .map(|place| place.copied().unwrap_or((f64::NAN, f64::NAN)))
        .unzip();
    let double = stars.iter().map(|s| double.contains(s.as_str())).collect();
    let position = |name: &str, what: &str, data| Column {
        name: name.to_owned(),
        unit: "deg".to_owned(),
        meaning: format!("{what} of the star (J2000)"),
        data: ColumnData::F64(data),
        nulls: None,
        width: None,
    };
    table.columns.splice(
        1..1,
        [
            position("ra", "right ascension", ra),
            position("dec", "declination", dec),
        ],
    );
    table.push_bool(
        "sb2_candidate",
        "",
        "double-lined candidate: an exposure in either arm is double_lined; never a constant",
        double,
    );
    if let Some(name) = table.columns.first_mut() {
        "name of the star from its position in its first file".clone_into(&mut name.meaning);
        if name.data.is_empty() {
            name.data = ColumnData::Text(Vec::new());
        }
    }
}

/// Adds what the headers call the stars, each text empty where they say nothing.
pub fn push_names(table: &mut Table, names: &HashMap<String, StarNames>) {
    let stars = match table.column("designation").map(|c| &c.data) {
        Some(ColumnData::Text(values)) => values.clone(),
        _ => Vec::new(),
    };
    let mut push = |column: &str, meaning: &str, name: fn(&StarNames) -> &String| {
        let of = |star: &String| names.get(star).map(name).cloned().unwrap_or_default();
        table.push_text(column, "", meaning, stars.iter().map(of).collect());
    };
    push(
        "desig",
        "LAMOST's designation, header DESIG of the star's first file",
        |n| &n.desig,
    );
    push(
        "objname",
        "name in the catalogue of targets, header OBJNAME",
        |n| &n.objname,
    );
    push("uqid", "LAMOST's identifier, header UQID", |n| &n.uqid);
    push(
        "gaia_source_id",
        "number in Gaia's catalogue, header GAIA_SOURCE_ID",
        |n| &n.gaia_source_id,
    );
}

/// The rows of constants, without what is the same for all of them.
pub fn constants(stars: &Table) -> Table {
    let Some(ColumnData::Bool(keep)) = stars.column("constant").map(|c| &c.data) else {
        return Table::new();
    };
    let columns = stars
        .columns
        .iter()
        .filter(|c| c.name != "constant" && c.name != "variable")
        .map(|c| Column {
            data: kept(&c.data, keep),
            nulls: None,
            ..c.clone()
        })
        .collect();
    Table {
        columns,
        times: Vec::new(),
    }
}

fn kept(data: &ColumnData, keep: &[bool]) -> ColumnData {
    fn pick<T: Clone>(values: &[T], keep: &[bool]) -> Vec<T> {
        let both = values.iter().zip(keep);
        both.filter(|(_, k)| **k).map(|(v, _)| v.clone()).collect()
    }
    match data {
        ColumnData::Text(v) => ColumnData::Text(pick(v, keep)),
        ColumnData::I64(v) => ColumnData::I64(pick(v, keep)),
        ColumnData::I32(v) => ColumnData::I32(pick(v, keep)),
        ColumnData::F64(v) => ColumnData::F64(pick(v, keep)),
        ColumnData::F32(v) => ColumnData::F32(pick(v, keep)),
        ColumnData::Bool(v) => ColumnData::Bool(pick(v, keep)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::Arm;
    use crate::catalogue::paired::pair;
    use crate::likelihood::Measurement;
    use crate::measure::RvRow;

    fn rows(star: i64, n_low: usize) -> impl Iterator<Item = RvRow> {
        (0..4).map(move |i| RvRow {
            star,
            designation: format!("J{star}").as_str().into(),
            ra_deg: 0.0,
            dec_deg: 0.0,
            obsid: 1,
            planid: "A".into(),
            spid: 1,
            fiberid: 1,
            arm: Arm::Red,
            lmjm: i as i64,
            hjd: 0.0,
            bjd_tdb: 0.0,
            snr: 10.0,
            measurement: Measurement {
                flags: match i < n_low {
                    true => RvFlags::LOW_INFORMATION,
                    false => RvFlags::empty(),
                },
                ..Measurement::without_pixels()
            },
            is_reference: false,
            n_reference: 1,
            noise_scale: 1.0,
            path: PathBuf::new().into(),
        })
    }

    #[test]
    fn errors_that_are_estimates_make_no_variable_by_a_little() {
        // (velocities of 4 with little information, chi^2 of 20 degrees of freedom, whether it is variable in the end)
        let stars = [
            (0, 60.0, true),
            (2, 60.0, true),
            (3, 60.0, false),
            (4, 400.0, false),
            (4, 500.0, true),
            (0, 20.0, false),
        ];
        let all: Vec<RvRow> = (0..)
            .zip(&stars)
            .flat_map(|(star, (n_low, ..))| rows(star, *n_low))
            .collect();
        let mut table = Table::new();
        let n = stars.len();
        table.push_text(
            "designation",
            "",
            "",
            (0..n).map(|i| format!("J{i}")).collect(),
        );
        table.push_text("arm", "", "", vec!["red".to_owned(); n]);
        table.push_f64("chi2", "", "", stars.iter().map(|s| s.1).collect());
        table.push_f64("dof", "", "", vec![20.0; n]);
        let before = stars.iter().map(|s| chi2_p_value(s.1, 20.0) < VARIABLE_P);
        table.push_bool("variable", "", "", before.collect());
        only_sure_variables(&mut table, &pair(&all));
        let Some(ColumnData::Bool(variable)) = table.column("variable").map(|c| &c.data) else {
            panic!("no column of flags");
        };
        let expected: Vec<bool> = stars.iter().map(|s| s.2).collect();
        assert_eq!(*variable, expected);
    }
}
