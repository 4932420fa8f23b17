//! `relrv validate all`: every test of the paper, and one page that sets its figures and tables beside ours.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::progress::Progress;
use super::section::Section;
use super::settings::{Settings, Timed};
use super::{end_to_end, mock, page, phase, precision, pulsators};
use crate::Result;
use crate::files::whole;
use crate::text::plain;

/// Runs every test in a directory of its own in `out`, writes `tables.md` and `index.html` there, and tells the times.
///
/// # Errors
/// Those of the tests.
pub fn run(
    settings: &Settings,
    out: &Path,
    progress: &dyn Progress,
    told: &mut dyn Write,
) -> Result<()> {
    let mut done = Vec::new();
    let mut timed = |test: &dyn Fn(&mut dyn Write) -> Result<Section>| -> Result<()> {
        let start = Instant::now();
        // The test's own numbers are on the page.
        let section = test(&mut std::io::sink())?;
        let seconds = start.elapsed().as_secs_f64();
        // What was found is written; a closed output is no error.
        let _ = writeln!(told, "{:<12} {seconds:>6.1} s", section.name);
        done.push(Timed { section, seconds });
        Ok(())
    };
    timed(&|told| mock::section::run(&mock(settings), &out.join("mock"), told))?;
    timed(&|told| {
        let out = out.join("end-to-end");
        end_to_end::section::run(&end_to_end(settings), &out, progress, told)
    })?;
    timed(&|told| {
        let out = out.join("precision");
        precision::section::run(&precision(settings), &out, progress, told)
    })?;
    timed(&|told| {
        let out = out.join("pulsators");
        pulsators::section::run(&pulsators(settings), &out, progress, told)
    })?;
    timed(&|told| {
        let out = out.join("phase");
        phase::section::run(&phase(settings), &out, progress, told)
    })?;
    let tables: Vec<String> = done
        .iter()
        .map(|t| format!("### {}\n\n{}", t.section.name, t.section.markdown()))
        .collect();
    whole::remove_parts(out)?;
    whole::write_bytes(&out.join("tables.md"), tables.join("\n").as_bytes())?;
    let path = out.join("index.html");
    whole::write_bytes(&path, page::html(settings, &done).as_bytes())?;
    let _ = writeln!(told, "{}", plain::path(&path));
    Ok(())
}

fn mock(settings: &Settings) -> mock::section::Settings {
    match settings.quick {
        true => mock::section::Settings { seeds: 4 },
        false => mock::section::Settings::default(),
    }
}

fn end_to_end(settings: &Settings) -> end_to_end::section::Settings {
    let full = end_to_end::section::Settings {
        seed: settings.seed,
        ..Default::default()
    };
    match settings.quick {
        true => end_to_end::section::Settings {
            spectrographs: 2,
            stars: 14,
            nights: 3,
            exposures: 3,
            ..full
        },
        false => full,
    }
}

fn precision(settings: &Settings) -> precision::section::Settings {
    let full = precision::section::Settings {
        seed: settings.seed,
        ..Default::default()
    };
    match settings.quick {
        true => precision::section::Settings {
            n: 24,
            ratios: vec![1.0],
            ..full
        },
        false => full,
    }
}

fn pulsators(settings: &Settings) -> pulsators::section::Settings {
    let full = pulsators::section::Settings {
        seed: settings.seed,
        ..Default::default()
    };
    match settings.quick {
        true => pulsators::section::Settings { n: 24, ..full },
        false => full,
    }
}

fn phase(settings: &Settings) -> phase::section::Settings {
    let full = phase::section::Settings {
        seed: settings.seed,
        ..Default::default()
    };
    match settings.quick {
        true => phase::section::Settings { n: 200, ..full },
        false => full,
    }
}
