//! The tables of the page: zero points, and stars with the most variable ones first.

use std::fmt::Write;

use super::{ArmOfTable, StarOfTable};
use crate::report::page::escape;

/// Rows that a table of the page has at most: all are in the tables beside it.
const ROWS: usize = 500;

/// A number, or a dash.
fn number(x: f64) -> String {
    match x.is_finite() {
        true if x != 0.0 && (x.abs() < 1e-3 || x.abs() >= 1e6) => format!("{x:.3e}"),
        true => format!("{x:.4}"),
        false => "&ndash;".to_owned(),
    }
}

fn probability(p: f64) -> String {
    match p.is_finite() {
        true if p != 0.0 && p < 1e-3 => format!("{p:.1e}"),
        true => format!("{p:.4}"),
        false => "&ndash;".to_owned(),
    }
}

/// A unit behind the name of a column.
fn in_unit(unit: &str) -> String {
    match unit.is_empty() {
        true => String::new(),
        false => format!(", {}", escape(unit)),
    }
}

/// What a table does not show of so many rows.
fn more(n: usize, file: &str) -> String {
    match n.saturating_sub(ROWS) {
        0 => String::new(),
        more => format!("<p class=\"note\">{more} more are in the table {file}.</p>"),
    }
}

/// The zero points, folded.
pub fn zero_points(arm: &ArmOfTable, unit: &str) -> String {
    let mut out = format!(
        "<details><summary>Zero points as numbers</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>number</th><th class=\"text\">exposure</th>\
         <th>zero point{0}</th><th>error{0}</th><th>constant stars</th><th>component</th></tr></thead><tbody>",
        in_unit(unit)
    );
    for (i, z) in arm.zero_points.iter().enumerate().take(ROWS) {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            i + 1,
            escape(&z.exposure),
            number(z.zp),
            number(z.err),
            z.n_constants,
            z.component.map_or("&ndash;".to_owned(), |c| c.to_string())
        );
    }
    out += "</tbody></table></div>";
    out + &more(arm.zero_points.len(), "zeropoints") + "</details>"
}

/// The stars, the most variable first.
pub fn stars(arm: &ArmOfTable, unit: &str) -> String {
    let mut stars: Vec<&StarOfTable> = arm.stars.iter().collect();
    stars.sort_by(|a, b| {
        a.p_value
            .total_cmp(&b.p_value)
            .then(b.after.total_cmp(&a.after))
    });
    let mut out = format!(
        "<h3>Stars</h3>{}<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>star</th><th>velocities</th><th>scatter before{1}</th><th>after{1}</th><th>p</th><th class=\"text\">verdict</th></tr></thead><tbody>",
        counted(arm),
        in_unit(unit)
    );
    for star in stars.iter().take(ROWS) {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"text\">{}</td></tr>",
            escape(&star.name),
            star.n,
            number(star.before),
            number(star.after),
            probability(star.p_value),
            escape(&star.verdict())
        );
    }
    out += "</tbody></table></div><p class=\"note\">Scatter: standard deviation of a star's velocities. p: probability that a constant star scatters more.</p>";
    out + &more(arm.stars.len(), "stars")
}

/// How many stars have which verdict.
fn counted(arm: &ArmOfTable) -> String {
    let count = |word: &str| {
        arm.stars
            .iter()
            .filter(|s| s.verdict().starts_with(word))
            .count()
    };
    let words = ["variable", "constant", "undecided", "not judged"];
    let told = words.map(|word| format!("{} {word}", count(word)));
    format!("<p>{}.</p>", told.join(", "))
}
