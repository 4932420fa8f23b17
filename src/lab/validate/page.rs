//! The page that sets every figure and table of the paper beside ours; it needs nothing else.

use std::fmt::Write;

use super::paper::{ITEMS, Item};
use super::section::{Grid, Section};
use super::settings::{Settings, Timed};
use crate::report::page::{STYLE, escape, inline};

/// Style of this page, in addition to that of a run's page.
const MORE_STYLE: &str = "\
.beside { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; margin: .4rem 0 1rem; }\n\
.beside h3 { margin: 0; font-size: .95rem; color: #555; font-weight: 600; }\n\
.beside p { margin: .1rem 0; }\n\
.scroll { overflow-x: auto; margin: 1rem 0; }\n\
.scroll td, .scroll th { padding-right: .7rem; font-size: .85rem; }\n\
.scroll td { white-space: nowrap; }\n\
.scroll th { overflow-wrap: anywhere; vertical-align: bottom; }\n\
.scroll .text { text-align: left; }\n\
.scroll caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }\n\
section.item { border-top: 1px solid #e4e4e4; margin-top: 2.5rem; }\n\
table.all td { text-align: left; font-size: .95rem; }\n\
@media (max-width: 700px) { .beside { grid-template-columns: 1fr; } }\n";

/// The whole page.
pub fn html(settings: &Settings, done: &[Timed]) -> String {
    let mut out = String::new();
    let sample = if settings.quick {
        "Small samples (--quick): numbers scatter. "
    } else {
        ""
    };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>relrv against the paper</title><style>{STYLE}{MORE_STYLE}</style></head><body>\n\
         <h1>The paper's figures and tables, and relrv's</h1>\n\
         <p class=\"lead\">{sample}relrv {}, seed {}. The paper is Xiong et al. 2021, RAA 21, 265. Its sample is LAMOST DR7; here all data are simulated, \
         so that the truth is known.</p>\n",
        env!("CARGO_PKG_VERSION"),
        settings.seed
    );
    out += &overview(done);
    for item in &ITEMS {
        if let Some(timed) = done.iter().find(|t| t.section.name == item.section) {
            out += &of_item(item, &timed.section);
        }
    }
    out += &beyond(done);
    out += &times(done);
    out + "</body></html>\n"
}

fn anchor(item: &Item) -> String {
    item.label.to_lowercase().replace(' ', "-")
}

fn fact(section: &Section, name: &str) -> String {
    let found = section.facts.iter().find(|f| f.0 == name);
    escape(found.map_or("", |f| f.1.as_str()))
}

fn overview(done: &[Timed]) -> String {
    let mut out = String::from(
        "<table class=\"all\"><thead><tr><th>paper</th><th style=\"text-align:left\">what it shows</th><th style=\"text-align:left\">relrv</th></tr></thead><tbody>",
    );
    for item in &ITEMS {
        let timed = done.iter().find(|t| t.section.name == item.section);
        let ours = timed.map_or_else(String::new, |t| fact(&t.section, item.fact));
        let _ = write!(
            out,
            "<tr><th><a href=\"#{}\">{}</a></th><td>{}</td><td>{ours}</td></tr>",
            anchor(item),
            item.label.replace(' ', "&nbsp;"),
            escape(item.subject)
        );
    }
    out + "</tbody></table>\n"
}

fn of_item(item: &Item, section: &Section) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "<section class=\"item\" id=\"{}\"><h2>{}. {}</h2>\n<div class=\"beside\"><div><h3>Paper</h3><p>{}</p></div><div><h3>relrv</h3><p>{}</p></div></div>\n",
        anchor(item),
        item.label,
        escape(item.subject),
        escape(item.says),
        fact(section, item.fact)
    );
    if item.label == "Figure 7" {
        out += "<p>The lower panel of the figure above.</p>\n";
    }
    for name in item.figures {
        out += &figure(section, name);
    }
    for title in item.tables {
        for grid in section.grids.iter().filter(|g| g.title.starts_with(title)) {
            out += &table(grid);
        }
    }
    out + "</section>\n"
}

fn figure(section: &Section, name: &str) -> String {
    let Some(figure) = section.figures.iter().find(|f| f.name == name) else {
        return String::new();
    };
    format!(
        "<figure>{}<figcaption>{} <a href=\"{}/{}\">SVG</a></figcaption></figure>\n",
        inline(figure),
        escape(&figure.caption),
        section.name,
        figure.file_name()
    )
}

fn table(grid: &Grid) -> String {
    // Columns of words are aligned on the left.
    let words = |column: usize| {
        let mut cells = grid.rows.iter().filter_map(|row| row.get(column));
        cells.any(|c| c.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    let words: Vec<bool> = (0..grid.headers.len()).map(words).collect();
    let cells = |tag: &str, cells: &[String]| -> String {
        let cell = |(c, words): (&String, &bool)| {
            let class = if *words { " class=\"text\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(c))
        };
        format!(
            "<tr>{}</tr>",
            cells.iter().zip(&words).map(cell).collect::<String>()
        )
    };
    let rows: String = grid.rows.iter().map(|row| cells("td", row)).collect();
    let note = match grid.note.is_empty() {
        true => String::new(),
        false => format!("<p class=\"note\">{}</p>", escape(&grid.note)),
    };
    format!(
        "<div class=\"scroll\"><table><caption>{}</caption><thead>{}</thead><tbody>{rows}</tbody></table>{note}</div>\n",
        escape(&grid.title),
        cells("th", &grid.headers)
    )
}

/// The tests that the paper does not have.
fn beyond(done: &[Timed]) -> String {
    let Some(timed) = done.iter().find(|t| t.section.name == "phase") else {
        return String::new();
    };
    let section = &timed.section;
    let mut out = String::from(
        "<section class=\"item\" id=\"phase\"><h2>Beyond the paper: sub-pixel phase</h2>\n",
    );
    let _ = writeln!(out, "<p>{}</p>", fact(section, "phase"));
    out += &figure(section, "phase");
    section.grids.iter().for_each(|g| out += &table(g));
    out + "</section>\n"
}

fn times(done: &[Timed]) -> String {
    let mut out = String::from(
        "<section class=\"item\"><h2>Commands and times</h2><table class=\"all\"><thead><tr><th>test</th><th style=\"text-align:left\">command (with --out DIR)</th>\
         <th>s</th><th style=\"text-align:left\">numbers</th></tr></thead><tbody>",
    );
    for Timed { section, seconds } in done {
        let name = section.name;
        let _ = write!(
            out,
            "<tr><th>{name}</th><td><code>{}</code></td><td>{seconds:.1}</td><td><a href=\"{name}/{name}.csv\">CSV</a> <a href=\"{name}/{name}.json\">JSON</a> \
             <a href=\"{name}/tables.md\">tables</a></td></tr>",
            escape(&section.command)
        );
    }
    out += "</tbody></table>";
    out + "<p>The page of the simulated run: <a href=\"end-to-end/run/report/index.html\">end-to-end/run/report</a>.</p></section>\n"
}
