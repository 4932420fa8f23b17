//! The page: numbers first, then figures, then what was not used and how the run was set up. Nothing in it depends on when
//! or how fast the run was: that is in run.json, and pages of equal runs are equal.

use std::fmt::Write;

use serde_json::Value;

use super::finished::Finished;
use super::plot::{Figure, NO_CONSTANTS, Shown};
use super::{about, drawn, png, star_list, variables};
use crate::catalogue::settings::text;
use crate::catalogue::zero_point::{along_slit, by_lines_told};
use crate::files::page_files::MARK;
use crate::text::count::count;

pub(crate) use super::escape::escape;

pub(crate) const STYLE: &str = include_str!("page.css");

/// The whole page; it needs nothing else, and links to the explorer.
pub fn html(products: &Finished, shown: &[Shown]) -> String {
    let mut out = String::new();
    let record = &products.record;
    let title = "relrv run";
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"generator\" content=\"{MARK}\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">{}<title>{title}</title><style>{STYLE}</style></head><body>\n<h1>Relative radial velocities</h1>\n",
        png::rule()
    );
    out += &about::section(products);
    out += &numbers(products);
    out += &star_list::section(products);
    if products.n_absurd > 0 {
        let _ = writeln!(
            out,
            "<p class=\"note\">{} that no star has (velocities beyond that of light, places off the sky), left out of the figures.</p>",
            count(products.n_absurd, "number")
        );
    }
    for figure in drawn(shown) {
        let _ = writeln!(
            out,
            "<figure id=\"{}\"><h2>{}</h2>{}<figcaption>{} <a href=\"{}\" download>SVG</a> {}</figcaption></figure>",
            figure.name,
            escape(figure.title),
            inline(figure),
            escape(&figure.caption),
            figure.file_name(),
            png::button(figure.name)
        );
    }
    out += &not_drawn(shown);
    out += &not_used(products);
    let mut config = record["config"].clone();
    // The directory of the run does not change what is on the page, so it is not shown: pages of equal runs are equal.
    if let Some(config) = config.as_object_mut() {
        config.remove("out");
    }
    let config = serde_json::to_string_pretty(&config).unwrap_or_default();
    let _ = write!(
        out,
        "<section><h2>Settings</h2><details><summary>All settings of the run</summary><pre>{}</pre></details></section>\n<script>{}</script></body></html>\n",
        escape(&config),
        png::SCRIPT
    );
    out
}

/// The SVG without what only a file of its own needs.
pub(crate) fn inline(figure: &Figure) -> &str {
    match figure.svg.find("<svg") {
        Some(start) => &figure.svg[start..],
        None => &figure.svg,
    }
}

/// Which figures are not there, and why; and what would help.
fn not_drawn(shown: &[Shown]) -> String {
    let missing: Vec<(&str, &str)> = shown
        .iter()
        .filter_map(|shown| match shown {
            Shown::Nothing(title, why) => Some((*title, *why)),
            Shown::Figure(_) => None,
        })
        .collect();
    if missing.is_empty() {
        return String::new();
    }
    let lines = missing
        .iter()
        .map(|(title, why)| format!("<li>{}: {}</li>", escape(title), escape(why)));
    let to_add = match missing.iter().any(|(_, why)| *why == NO_CONSTANTS) {
        true => format!("<p>{}</p>", variables::TO_ADD.trim_start()),
        false => String::new(),
    };
    format!(
        "<section id=\"not-drawn\"><h2>Figures that are not there</h2><ul>{}</ul>{to_add}</section>\n",
        lines.collect::<String>()
    )
}

/// What went in and came out, and how well the arms were calibrated.
fn numbers(products: &Finished) -> String {
    let record = &products.record;
    let counts = &record["counts"];
    let n = |name: &str| counts[name].as_u64().unwrap_or(0);
    let sum = |name: &str| -> u64 {
        let by_reason = counts[name].as_object();
        by_reason.map_or(0, |o| o.values().filter_map(Value::as_u64).sum())
    };
    let mut out = String::from("<section><h2>In and out</h2><table class=\"numbers\"><tbody>");
    let rows = [
        (
            "files",
            n("files"),
            format!("{} not used", sum("files_rejected")),
        ),
        (
            "spectra (exposures of one arm)",
            n("spectra"),
            format!("{} not measured", sum("spectra_rejected")),
        ),
        ("velocities", n("measured"), String::new()),
        ("stars", n("stars"), String::new()),
        ("rows of the catalogue", n("exposures"), String::new()),
    ];
    for (name, count, note) in rows {
        let _ = write!(
            out,
            "<tr><th>{name}</th><td>{count}</td><td class=\"note\">{note}</td></tr>"
        );
    }
    out += "</tbody></table>";
    out += &calibration(record);
    out + "</section>\n"
}

fn calibration(record: &Value) -> String {
    let Some(arms) = record["calibration"]
        .as_array()
        .filter(|arms| !arms.is_empty())
    else {
        return "<p>Nothing was calibrated.</p>".to_owned();
    };
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>arm</th><th>exposures</th><th>with zero point</th><th>components</th><th>stars</th><th>constant</th>\
         <th>zero points</th><th>quiet stars (%)</th><th>their mean jitter (km/s)</th><th>median jitter of the others (km/s)</th><th>scatter of constants before (km/s)</th><th>after (km/s)</th></tr></thead><tbody>",
    );
    for arm in arms {
        let exposures = arm["n_exposures"].as_u64().unwrap_or(0);
        let without = arm["n_without_zero_point"].as_u64().unwrap_or(0);
        let components = arm["component_sizes"].as_array().map_or(0, Vec::len);
        let scatter = record["scatter"].as_array();
        let scatter = scatter.and_then(|s| s.iter().find(|s| s["arm"] == arm["arm"]));
        let km_s = |name: &str| {
            let value = scatter.and_then(|s| s[name].as_f64());
            value.map_or("none".to_owned(), |v| format!("{v:.3}"))
        };
        let has_zero_points = exposures > without;
        let by_lines = arm["by_lines"].as_array().cloned().unwrap_or_default();
        let by_lines: Vec<&str> = by_lines.iter().filter_map(Value::as_str).collect();
        let fibres = match has_zero_points {
            // Runs of earlier versions say nothing of fibres.
            true => arm["fibre_order"].as_u64().map_or("", along_slit),
            false => "none",
        };
        let _ = write!(
            out,
            "<tr><th>{}</th><td>{exposures}</td><td>{}</td><td>{components}</td><td>{}</td><td>{}</td><td class=\"text\">{}{}</td>{}<td>{}</td><td>{}</td></tr>",
            escape(&text(&arm["arm"])),
            exposures.saturating_sub(without),
            text(&arm["n_stars"]),
            text(&arm["n_constants"]),
            fibres,
            by_lines_told(&by_lines),
            population(&arm["population"], has_zero_points),
            km_s("before_km_s"),
            km_s("after_km_s"),
        );
    }
    out + "</tbody></table></div><p class=\"note\">Scatter: median over the constant stars of the standard deviation of their velocities.</p>"
}

/// Cells on how much stars vary. Without zero points nothing but what is assumed of stars is in them.
fn population(population: &Value, is_found: bool) -> String {
    let of = |name: &str| population[name].as_f64();
    let cells = (|| {
        let (quiet, err) = (100.0 * of("quiet")?, 100.0 * of("quiet_err").unwrap_or(0.0));
        let (mean, others) = (of("quiet_mean")?, of("variable_jitter")?);
        Some([
            format!("{quiet:.1} &plusmn; {err:.1}"),
            format!("{mean:.3}"),
            format!("{others:.3}"),
        ])
    })();
    let cells = match is_found {
        true => cells.unwrap_or_else(|| [(); 3].map(|()| "not asked".to_owned())),
        false => [(); 3].map(|()| "none".to_owned()),
    };
    cells.map(|cell| format!("<td>{cell}</td>")).concat()
}

fn not_used(products: &Finished) -> String {
    let mut out = String::from("<section><h2>Not used</h2>");
    if products.rejected.is_empty() {
        return out + "<p>Every input was used.</p></section>\n";
    }
    out += "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>reason</th><th>inputs</th><th class=\"text\">for example</th></tr></thead><tbody>";
    for (reason, (count, [file, hdu, detail])) in &products.rejected {
        let hdu = if hdu.is_empty() {
            String::new()
        } else {
            format!(" [{hdu}]")
        };
        let _ = write!(
            out,
            "<tr><th>{}</th><td>{count}</td><td class=\"text\">{}{}: {}</td></tr>",
            escape(reason),
            escape(file),
            escape(&hdu),
            escape(detail)
        );
    }
    out + "</tbody></table></div><p class=\"note\">All of them are in rejected.csv.</p></section>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::summary::tests::population as of_run;

    #[test]
    fn arms_tell_how_zero_points_depend_on_the_fibre_and_how_much_stars_vary() {
        let page = |arm: Value| {
            let arms = serde_json::json!({"calibration": [arm], "scatter": []});
            calibration(&arms)
        };
        let none = page(
            serde_json::json!({"arm": "red", "fibre_order": 1, "n_exposures": 4, "n_without_zero_point": 4, "population": of_run()}),
        );
        assert_eq!(none.matches(">none</td>").count(), 6, "{none}");
        let new = page(
            serde_json::json!({"arm": "red", "fibre_order": 1, "by_lines": ["stretch"], "n_exposures": 4, "population": of_run()}),
        );
        assert!(
            new.contains(">a slope along the slit, by the lines' place<"),
            "{new}"
        );
        let cells = "<td>87.5 &plusmn; 1.2</td><td>0.117</td><td>3.210</td>";
        assert!(new.contains(cells), "{new}");
        let old = page(serde_json::json!({"arm": "red", "n_exposures": 4}));
        assert_eq!(old.matches("<td>not asked</td>").count(), 3, "{old}");
        // As many cells as headings.
        for page in [new, old] {
            let cells = page.matches("<td").count() + 1;
            assert_eq!(page.matches("<th>").count() - 1, cells, "{page}");
        }
    }
}
