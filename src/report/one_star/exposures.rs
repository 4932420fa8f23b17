//! The part of the page with the spectra.

use std::fmt::Write;

use super::numbers::words;
use super::page::{Page, figure};
use super::{OneStar, Spectra, Spectrum, taken_off};
use crate::Arm;
use crate::catalogue::row::ArmVelocity;
use crate::report::minute::utc;
use crate::report::page::escape;
use crate::text::count::count;

/// Each shown exposure in each arm.
pub fn section(page: &mut Page, star: &OneStar, spectra: &Spectra) {
    page.out += "<section id=\"spectra\"><h2>Spectra</h2>";
    match spectra {
        Spectra::Missing(why) => {
            // Writing to a String cannot fail.
            let _ = write!(
                page.out,
                "<p class=\"warn\">No spectra are shown: {}. The products of a run keep none, so they are measured again from the files for this page.</p>",
                escape(why)
            );
        }
        Spectra::Seen { spectra, rejected } => seen(page, star, spectra, rejected),
    }
    page.out += "</section>\n";
}

fn seen(page: &mut Page, star: &OneStar, spectra: &[Spectrum], rejected: &[String]) {
    let rows = star.with_spectra();
    if spectra.is_empty() {
        page.out += "<p class=\"warn\">No spectra are shown: none of the star's files could be measured again. The reasons are below.</p>";
    } else {
        page.out += "<p>Measured again from the files with the settings of the run, for this page: the star alone, so before moonlight and what stands still on the detector are taken off its velocities, \
                     which needs the other stars of its plate. Above each spectrum is what does not count in the window, with the number of its pixels; these stretches are shaded. \
                     Residuals are exposure less reference over the errors of both.</p>";
    }
    if rows.len() < star.rows.len() {
        let _ = write!(
            page.out,
            "<p class=\"note\">{} of {} are shown: the references, those with flags, and others spread over time. <code>--exposure LMJM</code> shows any other.</p>",
            rows.len(),
            count(star.rows.len(), "exposure")
        );
    }
    for row in rows {
        if spectra.is_empty() {
            break;
        }
        let e = star.products.catalogue.exposure(row);
        let _ = write!(
            page.out,
            "<article><h3 id=\"exposure-{0}\">Exposure {0} <span>{1} UTC, plate {2}, fibre {3}-{4}</span></h3><div class=\"pair\">",
            e.lmjm,
            utc(e.lmjm),
            escape(&e.planid),
            e.spid,
            e.fiberid
        );
        for arm in &star.arms {
            let velocity = star.products.catalogue.arm(*arm, row);
            page.out += "<div>";
            match taken_off::spectrum(star, spectra, *arm, row) {
                Some(spectrum) => one(page, spectrum, velocity),
                None => {
                    let _ = write!(
                        page.out,
                        "<p class=\"warn\">{} arm: {}</p>",
                        arm.name(),
                        lacking(*arm, velocity)
                    );
                }
            }
            page.out += "</div>";
        }
        page.out += "</div></article>";
    }
    if !rejected.is_empty() {
        page.out += "<h3 id=\"rejected\">Not measured of this star's files</h3><ul>";
        for line in rejected {
            let _ = write!(page.out, "<li>{}</li>", escape(line));
        }
        page.out += "</ul>";
    }
}

fn lacking(arm: Arm, velocity: &ArmVelocity) -> String {
    match velocity.is_measured() {
        true => format!(
            "the run measured it, and now the {arm} spectrum cannot be; see the list of what was not measured"
        ),
        false => {
            "not measured, by the run neither; see the list of what was not measured".to_owned()
        }
    }
}

/// An exposure in one arm.
fn one(page: &mut Page, s: &Spectrum, of_run: &ArmVelocity) {
    let again = match (s.rv_km_s.is_finite(), s.rv_err_km_s.is_finite()) {
        (true, true) => format!("{:.3} &plusmn; {:.3} km/s", s.rv_km_s, s.rv_err_km_s),
        (true, false) => format!("{:.3} km/s without an error", s.rv_km_s),
        _ => "no velocity".to_owned(),
    };
    let difference = taken_off::from_velocity_km_s(s, of_run);
    let compared = match (s.rv_km_s.is_finite(), of_run.rv_km_s.is_finite()) {
        (true, true) if difference != 0.0 => format!(
            "the run has {:.3}: {difference:+.3} from moonlight and the detector, or from files that are not there now",
            of_run.rv_km_s
        ),
        (now, before) if now == before => "as in the run".to_owned(),
        (true, _) => "where the run has none".to_owned(),
        _ => format!("where the run has {:.3}", of_run.rv_km_s),
    };
    let water = taken_off::water(s).unwrap_or_else(|| "no water lines were divided out".to_owned());
    let flags = match of_run.flags.is_empty() {
        true => "no flags".to_owned(),
        false => words(of_run.flags),
    };
    let reference = match s.n_reference {
        1 => "the star's best exposure".to_owned(),
        n => format!("a coadd of the star's other exposures ({n} agree)"),
    };
    let _ = write!(
        page.out,
        "<h4 class=\"{0}\">{0} arm</h4><p>{again}, {compared}; &chi;&sup2; {1:.2} of {2} pixels, against {reference}; {water}; {flags}. <span class=\"note\">{3}</span></p>",
        s.arm.name(),
        s.chi2_red,
        s.n_pix,
        escape(&s.place)
    );
    page.out += "<div class=\"figures\">";
    let drawing = s.figure();
    figure(page, drawing, &masked(s));
    if let Some(drawing) = s.likelihood() {
        let caption = "Natural logarithm of the likelihood. The line is the velocity, the shade its error; the dashed line is 0.5 below the maximum.";
        figure(page, drawing, caption);
    }
    page.out += "</div>";
}

/// What does not count, in words.
fn masked(s: &Spectrum) -> String {
    let reasons = s.reasons();
    if reasons.is_empty() {
        return "All pixels of the window count.".to_owned();
    }
    let told = reasons
        .iter()
        .map(|(name, meaning, n)| format!("{name}: {} ({meaning})", count(*n, "pixel")));
    format!("Not counted: {}.", told.collect::<Vec<_>>().join("; "))
}
