//! What the table of stars has beyond the calibration's own, and the table of constants.

use std::collections::{HashMap, HashSet};

use super::paired::Pair;
use crate::likelihood::flags;
use crate::table::{Column, ColumnData, Table};

/// Stars that show two sets of lines in any of their exposures, in either arm.
pub fn double_lined<'a>(pairs: &[Pair<'a>]) -> HashSet<&'a str> {
    pairs
        .iter()
        .flat_map(|p| [p.red, p.blue])
        .flatten()
        .filter(|row| row.measurement.flags & flags::DOUBLE_LINED != 0)
        .map(|row| &*row.source_id)
        .collect()
}

/// Adds positions and the double-lined candidates, `double`, to the calibration's table of stars.
pub fn complete(table: &mut Table, pairs: &[Pair<'_>], double: &HashSet<&str>) {
    let place: HashMap<&str, (f64, f64)> = pairs
        .iter()
        .flat_map(|p| [p.red, p.blue])
        .flatten()
        .map(|row| (&*row.source_id, (row.ra_deg, row.dec_deg)))
        .collect();
    let stars = match table.column("source_id").map(|c| &c.data) {
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
        "name of the star from its mean position".clone_into(&mut name.meaning);
        if name.data.is_empty() {
            name.data = ColumnData::Text(Vec::new());
        }
    }
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
            ..c.clone()
        })
        .collect();
    Table { columns }
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
