//! How many stars vary, and those that do, each with the way to its velocities.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::escape::escape;
use super::finished::Finished;
use super::link::percent;
use crate::catalogue::settings::text;
use crate::catalogue::star::StarRow;

/// Stars that are listed at most.
const LISTED: usize = 40;

/// What `run.json` counts, and the words of the explorer for it.
const WORDS: [(&str, &str); 5] = [
    ("variable", "variable"),
    ("constant", "constant"),
    ("neither", "undecided"),
    ("not_judged", "not judged"),
    (
        "double_lined",
        "perhaps double-lined, which are among the others",
    ),
];

/// Those of them that are verdicts.
const JUDGED: [&str; 3] = ["variable", "constant", "neither"];

/// The section.
pub fn section(products: &Finished) -> String {
    let mut out = String::from("<section id=\"stars\"><h2>Stars</h2>");
    let verdicts = &products.record["verdicts"];
    let is_none = |key: &str| verdicts[key].as_u64() == Some(0);
    // No star is constant or variable where nothing could be said of any.
    let is_silent = JUDGED.iter().all(|key| is_none(key));
    let told = WORDS
        .iter()
        .filter(|(key, _)| !(is_silent && JUDGED.contains(key)));
    if verdicts.is_object() {
        let told: Vec<String> = told
            .map(|(key, word)| format!("{} {word}", text(&verdicts[*key])))
            .collect();
        // Writing to a String cannot fail.
        let _ = write!(out, "<p>{}.</p>", escape(&told.join(", ")));
    }
    let variable = variable(&products.stars);
    if variable.is_empty() {
        let why = match is_silent {
            true => {
                "Which stars vary cannot be said; <code>not_judged</code> in <code>stars</code> says why of each."
            }
            false => "None is listed here, because none is called variable.",
        };
        return out + &format!("<p>{why} <a href=\"stars.html\">All stars</a></p></section>\n");
    }
    out += "<div class=\"scroll names\" tabindex=\"0\"><table><thead><tr><th>variable star</th><th>arm</th><th>velocities</th><th>&chi;&sup2; / freedom</th><th>p</th>\
            <th>scatter (km/s)</th><th>period (d)</th><th>by chance</th></tr></thead><tbody>";
    for row in variable.iter().take(LISTED) {
        out += &line(row);
    }
    out += "</tbody></table></div>";
    let more = match variable.len().saturating_sub(LISTED) {
        0 => String::new(),
        n => format!(" {n} more are in the <a href=\"stars.html\">list of all stars</a>."),
    };
    out + "<p class=\"note\">Of the arm in which the star's velocities are least like those of a constant star; p is the probability that a constant star \
           scatters more. A name leads to the star's velocities."
        + &more
        + "</p></section>\n"
}

/// The stars that vary, each once, the clearest first.
fn variable(stars: &[StarRow]) -> Vec<&StarRow> {
    let mut clearest: BTreeMap<&str, &StarRow> = BTreeMap::new();
    for row in stars
        .iter()
        .filter(|row| row.found.is_variable == Some(true))
    {
        let known = clearest.entry(&row.designation).or_insert(row);
        if clarity(row) > clarity(known) {
            *known = row;
        }
    }
    let mut all: Vec<&StarRow> = clearest.into_values().collect();
    let p = |row: &StarRow| row.found.p_value;
    all.sort_by(|a, b| {
        p(a).total_cmp(&p(b))
            .then(clarity(b).total_cmp(&clarity(a)))
    });
    all
}

/// How far a star's velocities are from those of a constant one. Where p is 0 for many it still tells them apart.
fn clarity(row: &StarRow) -> f64 {
    let ratio = row.found.chi2 / row.found.dof;
    match ratio.is_finite() {
        true => ratio,
        false => f64::NEG_INFINITY,
    }
}

fn line(row: &StarRow) -> String {
    let number = |x: f64, digits: usize| match x.is_finite() {
        true => format!("{x:.digits$}"),
        false => "&ndash;".to_owned(),
    };
    let chance = |p: f64| match p.is_finite() {
        true if p == 0.0 => "0".to_owned(),
        true => format!("{p:.1e}"),
        false => "&ndash;".to_owned(),
    };
    let found = &row.found;
    format!(
        "<tr><th scope=\"row\"><a href=\"stars.html#{}\">{}</a></th><td class=\"text\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        percent(&row.designation),
        escape(&row.designation),
        row.arm,
        found.n_used,
        number(found.chi2 / found.dof, 1),
        chance(found.p_value),
        number(found.scatter_after, 3),
        number(row.period.period_d, 4),
        chance(row.period.false_alarm),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arm;

    fn row(name: &str, arm: Arm, chi2: f64, is_variable: bool) -> StarRow {
        let mut row = StarRow {
            designation: name.into(),
            arm,
            ..StarRow::default()
        };
        (row.found.chi2, row.found.dof) = (chi2, 10.0);
        row.found.is_variable = Some(is_variable);
        row
    }

    #[test]
    fn variable_stars_are_listed_once_and_the_clearest_first() {
        let rows = [
            row("a", Arm::Red, 50.0, true),
            row("b", Arm::Red, 900.0, false),
            row("c", Arm::Red, 70.0, true),
            row("a", Arm::Blue, 80.0, true),
            row("d", Arm::Blue, f64::NAN, true),
        ];
        let listed = variable(&rows);
        let told: Vec<(&str, Arm)> = listed.iter().map(|r| (&*r.designation, r.arm)).collect();
        assert_eq!(told, [("a", Arm::Blue), ("c", Arm::Red), ("d", Arm::Blue)]);
        let line = line(&row("<b>&\u{e9}", Arm::Red, 55.0, true));
        assert!(
            line.contains("stars.html#%3Cb%3E%26%C3%A9\">&lt;b&gt;&amp;"),
            "{line}"
        );
        assert!(line.contains("<td>5.5</td>"), "{line}");
    }
}
