//! What the page is about: version, inputs, dates of the data, settings. Nothing of it depends on when the run was made.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::escape::escape;
use super::finished::Finished;
use super::minute::utc;
use crate::catalogue::settings::{OF_CALIBRATING, OF_MEASURING, text, told};
use crate::text::count::count;

/// Inputs that are named.
const INPUTS: usize = 5;

/// The table at the top of the page, and the way to the explorer.
pub fn section(products: &Finished) -> String {
    let record = &products.record;
    let config = &record["config"];
    let rows = [
        (
            "program",
            format!(
                "relrv {}, likelihood on {}",
                text(&record["relrv"]),
                text(&config["backend"])
            ),
        ),
        ("inputs", inputs(config)),
        ("exposures", exposures(products)),
        (
            "settings",
            format!("{}; all of them are at the end", settings(config)),
        ),
    ];
    let mut out = String::from("<table class=\"facts\"><tbody>");
    for (what, value) in rows {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{what}</th><td class=\"text\">{}</td></tr>",
            escape(&value)
        );
    }
    out += "</tbody></table>\n";
    out + "<p><a href=\"stars.html\">All stars and exposures</a>: sort and filter them, and look at any star's velocities.</p>\n"
}

/// How the numbers were found, in a line.
pub fn settings(config: &Value) -> String {
    let names = [&OF_MEASURING[..], &OF_CALIBRATING].concat();
    let told = config
        .as_object()
        .map_or_else(Vec::new, |config| told(config, &names));
    let told: Vec<String> = told
        .into_iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    told.join(", ")
}

fn inputs(config: &Value) -> String {
    let inputs: Vec<String> = match &config["inputs"] {
        Value::Array(inputs) => inputs.iter().map(text).collect(),
        other => vec![text(other)],
    };
    let shown = inputs.iter().take(INPUTS).cloned().collect::<Vec<_>>();
    match inputs.len() {
        0..=INPUTS => shown.join(", "),
        n => format!("{} and {} more", shown.join(", "), n - INPUTS),
    }
}

/// When the data were taken, and how many plates they are of.
fn exposures(products: &Finished) -> String {
    let c = &products.catalogue;
    let rows = || (0..c.len()).map(|row| c.exposure(row));
    let minutes: BTreeSet<i64> = rows().map(|e| e.lmjm).collect();
    let plates: BTreeSet<&str> = rows().map(|e| &*e.planid).collect();
    let (Some(first), Some(last)) = (minutes.first(), minutes.last()) else {
        return "none with a velocity".to_owned();
    };
    format!(
        "{} of {}, from {} to {} (UTC, their starts)",
        count(minutes.len(), "exposure"),
        count(plates.len(), "plate"),
        utc(*first),
        utc(*last)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;
    use crate::catalogue::row::CatalogueRow;
    use crate::report::finished::Catalogue;
    use crate::report::star_list;

    #[test]
    fn data_and_settings_are_told_and_nothing_of_them_is_markup() {
        let evil = "<script>alert(1)</script>\u{202e}";
        let rows = [
            ("one", 84_420_171),
            ("two", 84_420_148),
            ("one", 84_437_334),
        ];
        let rows = rows.map(|(planid, lmjm)| {
            let mut row = CatalogueRow::default();
            (row.exposure.planid, row.exposure.lmjm) = (planid.into(), lmjm);
            row
        });
        let inputs: Vec<String> = (0..7).map(|i| format!("in{i}{evil}")).collect();
        let products = Finished {
            catalogue: Catalogue::new(rows.into()),
            stars: Vec::new(),
            zero_points: Vec::new(),
            constants: HashSet::new(),
            rejected: BTreeMap::new(),
            record: serde_json::json!({
                "relrv": evil,
                "config": {"inputs": inputs, "arm": evil, "vmax": 500.0},
                "verdicts": {"variable": evil, "constant": 7},
            }),
            n_absurd: 0,
        };
        let html = section(&products) + &star_list::section(&products);
        for says in [
            "3 exposures of 2 plates, from 2019-05-21 18:28 to 2019-06-02 16:54 (UTC, their starts)",
            "arm &lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}, vmax 500.0; all of them",
            "and 2 more",
            "7 constant",
        ] {
            assert!(html.contains(says), "{says}\n{html}");
        }
        assert!(
            !html.contains("<script") && !html.contains('\u{202e}'),
            "{html}"
        );
        assert_eq!(html.matches("&lt;script&gt;").count(), 8, "{html}");
    }
}
