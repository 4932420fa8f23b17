//! What `relrv measure` says at its end: what was measured, what was not and why. `relrv run` has some of these lines too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::catalogue;
use crate::lamost::raw::Rejection;
use crate::likelihood::flags;
use crate::measure::Measured;
use crate::measure::stages::Stage;
use crate::text::count::count;
use crate::text::plain;
use crate::{Result, tell};

/// Rejections listed on stderr unless asked for all.
const MAX_LISTED: usize = 10;

/// Where the rejections of the table `out` are listed: `rv.fits` -> `rv.rejected.csv`.
pub fn rejected_path(out: &Path) -> PathBuf {
    out.with_extension("rejected.csv")
}

/// Writes every input that was not used, with file, HDU and reason; also when there is none, so that no older list stays.
pub fn write_rejections(path: &Path, rejected: &[Rejection]) -> Result<()> {
    catalogue::rejected::to_table(rejected).write(path)
}

/// Names the defective inputs on stderr.
pub fn tell_rejections(rejected: &[Rejection], all: bool) {
    let defects: Vec<_> = rejected
        .iter()
        .filter(|r| all || r.reason.is_defect())
        .collect();
    let listed = if all { defects.len() } else { MAX_LISTED };
    for rejection in defects.iter().take(listed) {
        tell::alert!("rejected: {rejection}");
    }
    if defects.len() > listed {
        tell::alert!("rejected: ... and {} more", defects.len() - listed);
    }
}

/// What is said of files from which nothing of the sky could be taken out.
pub fn without_helio_rv(n_files: usize) -> Option<String> {
    (n_files > 0).then(|| {
        let (files, them) = (count(n_files, "file"), if n_files == 1 { "it" } else { "them" });
        format!("HELIO_RV          not in {files}: water, moonlight and lines of the night sky stay in {them}")
    })
}

/// What is said of files whose wavelengths are not as those of the survey's other files.
pub fn moved(n_files: usize) -> Option<String> {
    (n_files > 0).then(|| {
        let (files, ask) = match n_files {
            1 => ("1 file".to_owned(), "its header asks"),
            n => (count(n, "file"), "their headers ask"),
        };
        format!("wavelengths       moved to the Sun's frame or to vacuum in {files}, as {ask}")
    })
}

/// The strengths of the water lines that were found, in units of 10 mm of water.
fn tell_water(measured: &Measured) {
    for (_, air) in &measured.air {
        for strength in air.strengths() {
            tell::say!(
                "  water lines of exposure {}: strength {:>6.3} +- {:.3}, divided out {:.3}",
                strength.lmjm,
                strength.value,
                strength.error,
                air.strength(strength.lmjm)
            );
        }
    }
}

/// The summary: what went in, what came out, what did not and why.
pub fn tell_summary(
    measured: &Measured,
    backend: &str,
    out: &Path,
    rejected_path: &Path,
    verbose: bool,
) {
    let mut files_by_reason: BTreeMap<_, usize> = BTreeMap::new();
    let mut spectra_by_reason: BTreeMap<_, usize> = BTreeMap::new();
    for rejection in &measured.rejected {
        let by_reason = match rejection.hdu.is_empty() {
            true => &mut files_by_reason,
            false => &mut spectra_by_reason,
        };
        *by_reason.entry(rejection.reason).or_default() += 1;
    }
    let (n, seconds) = (measured.rows.len(), measured.wall.as_secs_f64());
    let rejected_whole: usize = files_by_reason.values().sum();
    tell::say!("files in          {:>8}", measured.n_files);
    let n_read = measured.n_files - rejected_whole;
    tell::say!("  read            {n_read:>8}");
    for (reason, count) in files_by_reason {
        tell::say!("  {:<15} {count:>8}", reason.name());
    }
    tell::say!("spectra in        {:>8}", measured.n_spectra);
    tell::say!(
        "  measured        {n:>8}   ({})",
        count(measured.n_stars, "star")
    );
    for (reason, count) in spectra_by_reason {
        tell::say!("  {:<15} {count:>8}", reason.name());
    }
    for (bit, name, _) in flags::ALL {
        let count = measured
            .rows
            .iter()
            .filter(|r| r.measurement.flags.intersects(bit))
            .count();
        if count > 0 {
            tell::say!("flagged {name:<16} {count:>2}");
        }
    }
    if let Some(line) = moved(measured.n_moved) {
        tell::say!("{line}");
    }
    if let Some(line) = without_helio_rv(measured.n_without_helio_rv) {
        tell::say!("{line}");
    }
    if verbose {
        tell_water(measured);
    }
    let per_spectrum_ms = 1e3 * seconds / measured.n_spectra.max(1) as f64;
    tell::say!(
        "time              {seconds:>8.2} s, {per_spectrum_ms:.2} ms per spectrum, {backend}"
    );
    if verbose {
        let traffic = measured.clocks.traffic();
        let (stored, content) = (traffic.stored as f64 / 1e6, traffic.content as f64 / 1e6);
        tell::say!("  bytes read         {stored:>5.1} MB, {content:.1} MB inflated");
        if traffic.other_layouts > 0 {
            tell::say!(
                "  other layouts      {:>5} of the spectra, in tables of another kind than the survey's",
                traffic.other_layouts
            );
        }
        let total: f64 = Stage::ALL
            .iter()
            .map(|s| measured.clocks.get(*s).as_secs_f64())
            .sum();
        for stage in Stage::ALL {
            let time = measured.clocks.get(stage).as_secs_f64();
            let (share, ms) = (
                100.0 * time / total,
                1e3 * time / measured.n_spectra.max(1) as f64,
            );
            tell::say!(
                "  {:<18} {share:>5.1} %   {ms:.3} ms per spectrum and core",
                stage.name()
            );
        }
    }
    tell::say!("table             {}", plain::path(out));
    tell::say!("not measured      {}", plain::path(rejected_path));
}
