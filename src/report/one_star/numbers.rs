//! The table of a star's velocities, and what their flags say.

use std::fmt::Write;

use super::{OneStar, Spectra, advice, taken_off};
use crate::Arm;
use crate::catalogue::exposure::Exposure;
use crate::catalogue::flags::{self, CatalogueFlags};
use crate::catalogue::row::ArmVelocity;
use crate::report::minute::utc;
use crate::report::page::escape;
use crate::text::count::count;

/// What the column of that name says.
const TAKEN_OFF: &str = " Taken off, of the exposures whose spectra are below: water lines of the Earth's air, by the water on the line of sight, divided out of the \
                         spectrum; moonlight and what stands still on the detector, by how much the run's velocity differs from that of the spectrum by itself (files that are not there now can be the reason, too).";

/// The table.
pub fn table(star: &OneStar, spectra: &Spectra) -> String {
    let has_taken_off = taken_off::is_any(star, spectra);
    let (heading, note) = match has_taken_off {
        true => ("<th class=\"text\">taken off</th>", TAKEN_OFF),
        false => ("", ""),
    };
    let mut out = format!(
        "<section id=\"numbers\"><h2>Numbers</h2><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>exposure</th><th>began, UTC</th><th class=\"text\">arm</th><th>measured, km/s</th>\
         <th>corrected, km/s</th><th class=\"text\">flags</th><th>SNR</th><th>&chi;&sup2;</th>{heading}<th>BJD (TDB)</th><th class=\"text\">plate</th><th>fibre</th><th>obsid</th></tr></thead><tbody>",
    );
    for row in &star.rows {
        let e = star.products.catalogue.exposure(*row);
        for (i, arm) in star.arms.iter().enumerate() {
            let class = if i == 0 { " class=\"first\"" } else { "" };
            let velocity = star.products.catalogue.arm(*arm, *row);
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<tr{class}>{}{}{}</tr>",
                which(e, i == 0),
                cells(
                    *arm,
                    velocity,
                    has_taken_off
                        .then(|| taken_off::told(star, spectra, *arm, *row))
                        .as_ref()
                ),
                place(e, i == 0)
            );
        }
    }
    out += "</tbody></table></div><p class=\"note\">Measured: against the star's reference in this arm, with the velocity's own error. Corrected: less the zero \
            point of the exposure, with the zero point's error and the star's jitter as a quiet star. An exposure is called by the minute of its start (LMJM).";
    out += note;
    out += "</p>";
    out + &meanings(star) + "</section>\n"
}

/// Cells that say which exposure it is; empty ones but for the first arm.
fn which(e: &Exposure, is_first: bool) -> String {
    if !is_first {
        return "<td></td>".repeat(2);
    }
    format!("<th scope=\"row\">{}</th><td>{}</td>", e.lmjm, utc(e.lmjm))
}

/// Cells about the exposure's date and place, likewise. They are the last ones, so that narrow screens show velocities first.
fn place(e: &Exposure, is_first: bool) -> String {
    if !is_first {
        return "<td></td>".repeat(4);
    }
    format!(
        "<td>{:.5}</td><td class=\"text\">{}</td><td>{}-{}</td><td>{}</td>",
        e.bjd_tdb,
        escape(&e.planid),
        e.spid,
        e.fiberid,
        e.obsid
    )
}

/// Cells about an arm; `taken_off` where there is a column for it.
fn cells(arm: Arm, v: &ArmVelocity, taken_off: Option<&Option<String>>) -> String {
    let with_error = |rv: f64, err: f64| match rv.is_finite() {
        true => format!("{rv:.3} &plusmn; {err:.3}"),
        false => "&ndash;".to_owned(),
    };
    let plain = |x: f64, digits: usize| match x.is_finite() {
        true => format!("{x:.digits$}"),
        false => "&ndash;".to_owned(),
    };
    let taken_off = taken_off.map(|told| match told.as_deref() {
        // An exposure whose spectrum is not shown.
        None => "<td></td>".to_owned(),
        Some("") => "<td class=\"text\">nothing</td>".to_owned(),
        Some(told) => format!("<td class=\"text\">{told}</td>"),
    });
    format!(
        "<td class=\"text arm {0}\">{0}</td><td>{1}</td><td>{2}</td><td class=\"text flags\">{3}</td><td>{4}</td><td>{5}</td>{6}",
        arm.name(),
        with_error(v.rv_km_s, v.rv_err_own_km_s),
        with_error(v.rv_corr_km_s, v.rv_corr_err_km_s),
        words(v.flags),
        plain(v.snr, 1),
        plain(v.chi2_red, 2),
        taken_off.unwrap_or_default()
    )
}

/// The names of flags, each leading to what it says.
pub fn words(of: CatalogueFlags) -> String {
    let set = flags::all().filter(|(bit, ..)| of.bits() & bit != 0);
    let link = |(_, name, meaning): (u32, &str, &str)| {
        let title = escape(&format!("{meaning}. {}", advice::of(name)));
        format!(
            "<a href=\"#flag-{name}\" title=\"{title}\">{}</a>",
            name.replace('_', " ")
        )
    };
    set.map(link).collect::<Vec<_>>().join(", ")
}

/// What the flags of the star say and what to do about each.
fn meanings(star: &OneStar) -> String {
    let c = &star.products.catalogue;
    let rows = star.rows.iter();
    let all: Vec<CatalogueFlags> = rows
        .flat_map(|row| star.arms.iter().map(|arm| c.arm(*arm, *row).flags))
        .collect();
    let mut out = String::new();
    for (bit, name, meaning) in flags::all() {
        let n = all.iter().filter(|f| f.bits() & bit != 0).count();
        if n > 0 {
            let _ = write!(
                out,
                "<dt id=\"flag-{name}\">{} <span>{}</span></dt><dd>{}. <em>What to do:</em> {}.</dd>",
                name.replace('_', " "),
                count(n, "velocity"),
                escape(meaning),
                escape(advice::of(name))
            );
        }
    }
    match out.is_empty() {
        true => "<p>No velocity has a flag.</p>".to_owned(),
        false => format!("<h3>What the flags say, and what to do</h3><dl>{out}</dl>"),
    }
}
