//! The page of a star: what is known of it, its curves, its numbers, its spectra.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::page::{Page, figure};
use super::svg::{self, Drawing};
use super::text::{self, NO_PERIOD_FAP};
use super::{OneStar, Spectra, curves, exposures, numbers};
use crate::catalogue::star::StarRow;
use crate::files::page_files::MARK;
use crate::report::page::escape;
use crate::report::{about, png};

const STYLE: &str = include_str!("one_star.css");

/// The page, with its figures in `folder` beside it.
pub fn of(star: &OneStar, folder: &Path, spectra: &Spectra) -> (String, Vec<Drawing>) {
    let mut page = Page::new(head(star.designation()), folder);
    facts(&mut page, star);
    if let Some((drawing, caption)) = curves::velocities(&star.products, &star.all, &star.arms) {
        page.out += "<section id=\"curves\"><h2>Velocities</h2>";
        figure(&mut page, drawing, &caption);
        page.out += "</section>\n";
    }
    period(&mut page, star);
    page.out += &numbers::table(star, spectra);
    exposures::section(&mut page, star, spectra);
    foot(&mut page.out, &star.products.record);
    (page.out, page.figures)
}

fn head(name: &str) -> String {
    let name = escape(name);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"generator\" content=\"{MARK}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         {}<title>{name}</title><style>{STYLE}</style><style id=\"fig\">{}</style></head><body>\n<h1>{name}</h1>\n",
        png::rule(),
        svg::STYLE
    )
}

/// Names, place and verdicts.
fn facts(page: &mut Page, star: &OneStar) {
    let of_star = text::of_star(&star.products, star.designation(), &star.arms);
    let mut cells: Vec<(&str, String)> = Vec::new();
    if let Some(row) = star.all.first() {
        let e = star.products.catalogue.exposure(*row);
        let position = format!("ra {:.5}, dec {:+.5} deg (J2000)", e.ra_deg, e.dec_deg);
        cells.push(("position", position));
    }
    if let Some(row) = of_star.first() {
        let names = text::names(row).into_iter();
        cells.extend(names.map(|(what, name)| (what, name.to_owned())));
    }
    cells.extend(
        of_star
            .iter()
            .map(|row| (row.arm.name(), text::verdict(row))),
    );
    if let Some(row) = of_star.first() {
        cells.push(("period", text::period(row)));
    }
    if of_star.iter().any(|row| row.is_double_lined) {
        let two = "two sets of them in at least one exposure";
        cells.push(("lines", two.to_owned()));
    }
    page.out += "<table class=\"facts\"><tbody>";
    for (what, value) in cells {
        // Writing to a String cannot fail.
        let _ = write!(
            page.out,
            "<tr><th scope=\"row\">{what}</th><td class=\"text\">{}</td></tr>",
            escape(&value)
        );
    }
    page.out += "</tbody></table>\n";
}

/// The folded curve, where a period was found.
fn period(page: &mut Page, star: &OneStar) {
    let of_star = text::of_star(&star.products, star.designation(), &star.arms);
    let found = |row: &&&StarRow| {
        row.period.period_d.is_finite() && row.period.false_alarm <= NO_PERIOD_FAP
    };
    let Some(row) = of_star.iter().find(found) else {
        return;
    };
    let drawing = curves::folded(&star.products, &star.all, &star.arms, row.period.period_d);
    if let Some((drawing, caption)) = drawing {
        page.out += "<section id=\"period\"><h2>Period</h2>";
        figure(page, drawing, &caption);
        page.out += "</section>\n";
    }
}

/// What made the page.
fn foot(out: &mut String, record: &Value) {
    let text = |name: &str| escape(record[name].as_str().unwrap_or("unknown"));
    let _ = writeln!(
        out,
        "<footer><p class=\"note\">Of a run of relrv {} that was finished {}; {}.</p></footer><script>{}</script></body></html>",
        text("relrv"),
        text("finished"),
        escape(&about::settings(&record["config"])),
        png::SCRIPT
    );
}
