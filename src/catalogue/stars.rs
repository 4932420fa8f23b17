//! What the table of stars has beyond the calibration's own, and the table of constants.

use std::collections::HashMap;

use super::paired::Pair;
use crate::Arm;
use crate::likelihood::flags;
use crate::pipeline::RvRow;
use crate::table::{Column, ColumnData, Table};

/// Share of a star's exposures that show two peaks before it is called a double-lined candidate, and their number.
const SB2_SHARE: f64 = 0.2;
const SB2_MIN: usize = 2;

/// A star in one arm.
#[derive(Default)]
struct OfStar {
    ra_deg: f64,
    dec_deg: f64,
    n: usize,
    n_double: usize,
}

impl OfStar {
    fn add(&mut self, row: &RvRow) {
        (self.ra_deg, self.dec_deg) = (row.ra_deg, row.dec_deg);
        // A spectrum against itself has one peak, whatever the star.
        if row.is_reference {
            return;
        }
        self.n += 1;
        let bits = row.measurement.flags;
        // Where there is little information, noise makes second peaks.
        let is_double = bits & flags::MULTIPLE_PEAKS != 0 && bits & flags::LOW_INFORMATION == 0;
        self.n_double += usize::from(is_double);
    }

    fn is_sb2_candidate(&self) -> bool {
        self.n_double >= SB2_MIN && self.n_double as f64 >= SB2_SHARE * self.n as f64
    }
}

/// Adds positions and the double-lined candidates to the calibration's table of stars.
pub fn complete(table: &mut Table, pairs: &[Pair<'_>]) {
    let mut by_star: HashMap<(&str, Arm), OfStar> = HashMap::new();
    for row in pairs.iter().flat_map(|p| [p.red, p.blue]).flatten() {
        by_star
            .entry((&row.source_id, row.arm))
            .or_default()
            .add(row);
    }
    let text = |name: &str| match table.column(name).map(|c| &c.data) {
        Some(ColumnData::Text(values)) => &values[..],
        _ => &[],
    };
    let (star, arm) = (text("source_id"), text("arm"));
    let none = OfStar {
        ra_deg: f64::NAN,
        dec_deg: f64::NAN,
        ..OfStar::default()
    };
    let of: Vec<&OfStar> = star
        .iter()
        .zip(arm)
        .map(|(star, arm)| {
            let arm = Arm::ALL.into_iter().find(|a| a.name() == arm);
            arm.and_then(|arm| by_star.get(&(star.as_str(), arm)))
                .unwrap_or(&none)
        })
        .collect();
    let position = |name: &str, what: &str, data| Column {
        name: name.to_owned(),
        unit: "deg".to_owned(),
        meaning: format!("{what} of the star (J2000)"),
        data: ColumnData::F64(data),
    };
    let ra = of.iter().map(|s| s.ra_deg).collect();
    let dec = of.iter().map(|s| s.dec_deg).collect();
    let double: Vec<bool> = of.iter().map(|s| s.is_sb2_candidate()).collect();
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
        "double-lined candidate: a fifth of the exposures, and two, show a second peak",
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
