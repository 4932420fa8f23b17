//! Makes room for a product's columns: columns of the user's table that have the same name get another one.

use crate::calibrate::CalFlags;
use crate::table::{Column, Table, free_name};

/// Meaning of `constant`.
pub(super) const CONSTANT: &str = "the star was taken for constant, and determined zero points; missing where that cannot be said";
/// The same in earlier versions.
const CONSTANT_BEFORE: &str = "the star was taken for constant, and determined zero points";

/// Meaning of the errors of corrected velocities.
pub(super) const CORRECTED_ERR: &str = "own error of the RV, error of the zero point at the star's fibre and the star's jitter as a quiet star, together";

/// Frees the names of the product's columns: a column that an earlier calibration wrote is removed, a user's column is renamed. Returns
/// a sentence for each.
pub(super) fn make_room(table: &mut Table, names: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    let is_taken = |c: &Column| names.iter().any(|n| n.eq_ignore_ascii_case(&c.name));
    table.columns.retain(|column| {
        let goes = is_taken(column) && is_of_calibration(&column.meaning);
        if goes {
            notes.push(format!(
                "column {}: of an earlier calibration, replaced",
                column.name
            ));
        }
        !goes
    });
    for i in 0..table.columns.len() {
        if is_taken(&table.columns[i]) {
            let old = table.columns[i].name.clone();
            let new = free_name(&format!("{old}_input"), |name| {
                let all = table.columns.iter().map(|c| &c.name).chain(names);
                all.into_iter().any(|n| n.eq_ignore_ascii_case(name))
            });
            notes.push(format!(
                "column {old}: kept as {new}, because the products have a column of its name"
            ));
            table.columns[i].name = new;
        }
    }
    notes
}

/// Whether a column has the meaning of one that a calibration writes, here or in the catalogue of a run.
fn is_of_calibration(meaning: &str) -> bool {
    meaning == CONSTANT
        || meaning == CONSTANT_BEFORE
        || meaning.ends_with(" less the zero point of its exposure")
        || meaning == CORRECTED_ERR
        || meaning.ends_with(", error of the zero point at the star's fibre and the star's jitter as a quiet star, together")
        // As earlier versions said it.
        || meaning.ends_with(" and error of the zero point together")
        || meaning == CalFlags::meanings()
}
