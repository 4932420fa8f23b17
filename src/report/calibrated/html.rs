//! The page as a whole.

use std::fmt::Write;

use super::{Calibration, arm_figures, tables};
use crate::files::page_files::MARK;
use crate::report::one_star::svg::{self, Drawing};
use crate::report::page::escape;
use crate::report::png;
use crate::text::count::count;

const STYLE: &str = concat!(
    include_str!("../one_star/one_star.css"),
    "tbody th, thead th:first-child { text-align: left; }\n"
);

/// Arms that are drawn; a table may have any number.
const DRAWN: usize = 12;

/// The page. It needs nothing else, and the same calibration gives the same page.
pub fn page(of: &Calibration) -> String {
    let mut out = head(of);
    for (number, arm) in (1..).zip(of.arms.iter().take(DRAWN)) {
        let title = match arm.name.is_empty() {
            true => "Zero points".to_owned(),
            false => format!("Arm {}", escape(&arm.name)),
        };
        // Writing to a String cannot fail.
        let _ = write!(out, "<section id=\"arm-{number}\"><h2>{title}</h2>");
        for line in &arm.says {
            let _ = write!(out, "<p>{}</p>", escape(line));
        }
        for (drawing, caption) in arm_figures::of(arm, number, &of.unit) {
            figure(&mut out, &drawing, &caption);
        }
        out += &tables::zero_points(arm, &of.unit);
        out += &tables::stars(arm, &of.unit);
        out += "</section>\n";
    }
    if of.arms.len() > DRAWN {
        let _ = write!(
            out,
            "<p class=\"note\">{} more are in the tables alone.</p>",
            count(of.arms.len() - DRAWN, "arm")
        );
    }
    let _ = writeln!(
        out,
        "<footer><p class=\"note\">All numbers are in the tables {}.</p></footer><script>{}</script></body></html>",
        escape(&of.tables.join(", ")),
        png::SCRIPT
    );
    out
}

fn head(of: &Calibration) -> String {
    let title = format!("Calibration of {}", escape(&of.table));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"generator\" content=\"{MARK}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         {}<title>{title}</title><style>{STYLE}</style><style id=\"fig\">{}</style></head><body>\n<h1>{title}</h1>\n<table class=\"facts\"><tbody>",
        png::rule(),
        svg::STYLE
    );
    let unit = match of.unit.is_empty() {
        true => "none that the table tells (--unit names it)",
        false => &of.unit,
    };
    let all = of.facts.iter().map(|(what, value)| (*what, value.as_str()));
    for (what, value) in all.chain([("unit of velocities", unit)]) {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{what}</th><td class=\"text\">{}</td></tr>",
            escape(value)
        );
    }
    out + "</tbody></table>\n"
}

/// A figure with its caption, and the ways to save it.
fn figure(out: &mut String, drawing: &Drawing, caption: &str) {
    let _ = write!(
        out,
        "<figure id=\"{0}\"><div class=\"scroll\" tabindex=\"0\">{1}</div><figcaption>{2} {3} {4}</figcaption></figure>",
        drawing.name,
        drawing.inline(),
        escape(caption),
        png::svg_button(&drawing.name),
        png::button(&drawing.name)
    );
}
