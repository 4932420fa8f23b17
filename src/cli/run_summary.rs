//! What a run says at its end, and what a dry run says.

use std::collections::BTreeMap;
use std::io::{Result, Write};
use std::path::Path;

use super::arms_told::tell_arms;
use super::backend::{device_notes, memory_note};
use super::measure_summary::{moved, without_helio_rv};
use super::progress::duration;
use crate::run::{Done, Outlook, Record, STATE_DIR};
use crate::text::count::{count, noun};
use crate::text::plain;

/// Tells what went in and came out. A closed standard output is no error: the products are written.
pub fn tell_summary(done: &Done, out: &Path, verbose: bool, told: &mut dyn Write) {
    let _ = summary(done, out, verbose, told);
}

/// What would be done, in words.
pub fn outlook_text(outlook: &Outlook) -> String {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = plan(outlook, &mut out);
    plain::lines(&String::from_utf8_lossy(&out)).into_owned()
}

fn reasons(told: &mut dyn Write, by_reason: &BTreeMap<&str, usize>) -> Result<()> {
    for (reason, count) in by_reason {
        writeln!(told, "  {reason:<15} {count:>8}")?;
    }
    Ok(())
}

fn summary(done: &Done, out: &Path, verbose: bool, told: &mut dyn Write) -> Result<()> {
    let record = &done.record;
    let counts = &record.counts;
    writeln!(told, "files in          {:>8}", counts.files)?;
    writeln!(told, "  read            {:>8}", counts.files_read())?;
    reasons(told, &counts.files_rejected)?;
    writeln!(told, "spectra in        {:>8}", counts.spectra)?;
    writeln!(
        told,
        "  measured        {:>8}   ({}, {} of stars)",
        counts.measured,
        count(counts.stars, "star"),
        count(counts.exposures, "exposure")
    )?;
    reasons(told, &counts.spectra_rejected)?;
    for (name, n) in &counts.flags {
        writeln!(told, "  flagged {name:<16} {n}")?;
    }
    if let Some(line) = moved(counts.files_moved) {
        writeln!(told, "{line}")?;
    }
    if let Some(line) = without_helio_rv(counts.files_without_helio_rv) {
        writeln!(told, "{line}")?;
    }
    units(record, told)?;
    for change in &done.changes {
        writeln!(
            told,
            "made again         calibration and tables, as {change}"
        )?;
    }
    if verbose {
        tell_arms(&record.calibration, "km/s", told)?;
    }
    zero_points(record, verbose, told)?;
    verdicts(record, told)?;
    time(record, verbose, told)?;
    let tables = &record.products;
    writeln!(told, "products          {}", plain::path(out))?;
    writeln!(told, "  {}, run.json", tables.join(", "))?;
    Ok(())
}

/// How many there are, and what was not measured now.
fn units(record: &Record, told: &mut dyn Write) -> Result<()> {
    let reused = record.units.iter().filter(|u| u.reused).count();
    let again = record.units.iter().filter(|u| u.again).count();
    write!(told, "units             {:>8}", record.units.len())?;
    if reused > 0 {
        write!(told, "   ({reused} of them measured before)")?;
    }
    if again > 0 {
        write!(
            told,
            "   ({again} measured again: their files changed, or what was kept of them is damaged)"
        )?;
    }
    writeln!(told)
}

/// What the calibration of each arm rests on, and what it gains.
fn zero_points(record: &Record, verbose: bool, told: &mut dyn Write) -> Result<()> {
    for arm in &record.calibration {
        let scatter = record.scatter.iter().find(|s| s.arm == arm.arm);
        let of = scatter.and_then(|s| Some((s.before_km_s?, s.after_km_s?)));
        let zero_points = arm.n_exposures - arm.n_without_zero_point;
        write!(
            told,
            "{:<4} zero points  {zero_points:>8}   of {}",
            arm.arm,
            count(arm.n_exposures, "exposure"),
        )?;
        // Without a zero point nothing was asked.
        if zero_points > 0 {
            write!(told, ", with {}", count(arm.n_constants, "constant star"))?;
        }
        match of {
            Some((before, after)) => writeln!(
                told,
                "; their scatter {before:.3} km/s before, {after:.3} after (medians)"
            )?,
            None => writeln!(told)?,
        }
        // Otherwise they stand among the numbers of the arms.
        if !verbose {
            let lines = [arm.told_zero_points(), arm.told_population("km/s")];
            let links = arm.links.iter().map(|line| plain::line(line).into_owned());
            for line in lines.into_iter().flatten().chain(links) {
                writeln!(told, "  {}: {line}", arm.arm)?;
            }
        }
    }
    let has_failed = record.calibration.iter().any(|a| a.failure.is_some());
    if !has_failed
        && record
            .calibration
            .iter()
            .all(|a| a.n_without_zero_point == a.n_exposures)
    {
        let n = least(record);
        writeln!(
            told,
            "not corrected: no exposure has enough stars, so drv_r_corr and drv_b_corr are empty and no star is called variable or constant"
        )?;
        writeln!(
            told,
            "  what to add: all files of the plates, of every night; an exposure needs {n} stars that were seen in another one too (--min-constants)"
        )?;
    }
    Ok(())
}

/// Stars that an exposure needs for a zero point.
fn least(record: &Record) -> String {
    let least = record.config.get("min-constants");
    let least = least.and_then(serde_json::Value::as_u64);
    match least {
        None | Some(3) => "three".to_owned(),
        Some(n) => n.to_string(),
    }
}

/// How many stars vary.
fn verdicts(record: &Record, told: &mut dyn Write) -> Result<()> {
    let Some(of) = &record.verdicts else {
        return Ok(());
    };
    let n = of.n_stars();
    write!(told, "stars             {n:>8}   ")?;
    if of.not_judged == n {
        write!(told, "none of which can be called variable or constant")?;
    } else {
        write!(told, "{} constant, {} variable", of.constant, of.variable)?;
        if of.neither > 0 {
            write!(told, ", {} neither for certain", of.neither)?;
        }
        if of.not_judged > 0 {
            write!(
                told,
                ", {} not judged (not_judged in stars says why)",
                of.not_judged
            )?;
        }
    }
    if of.double_lined > 0 {
        write!(told, "; {} perhaps double-lined", of.double_lined)?;
    }
    writeln!(told)
}

/// The time of all, and of each stage if `verbose`.
fn time(record: &Record, verbose: bool, told: &mut dyn Write) -> Result<()> {
    let counts = &record.counts;
    let n = counts.spectra.max(1) as f64;
    writeln!(
        told,
        "time              {:>8.2} s, {:.2} ms per spectrum, {}",
        record.seconds,
        1e3 * record.seconds / n,
        record.backend
    )?;
    if verbose {
        let total: f64 = record.stages.iter().map(|(_, s)| s).sum();
        for (name, seconds) in &record.stages {
            let (share, ms) = (100.0 * seconds / total, 1e3 * seconds / n);
            writeln!(
                told,
                "  {name:<18} {share:>5.1} %   {ms:.3} ms per spectrum and core"
            )?;
        }
        let machine = record.device.iter().flat_map(device_notes);
        for line in machine.chain(memory_note(record.peak_memory_bytes)) {
            writeln!(told, "{line}")?;
        }
    }
    Ok(())
}

fn plan(outlook: &Outlook, told: &mut dyn Write) -> Result<()> {
    for unit in &outlook.units {
        writeln!(
            told,
            "{} sp{:02}   {:>5} {:<5}   {:>7} {:<5}   {:>9.1} MB{}",
            plain::line(&unit.planid),
            unit.spid,
            unit.n_stars,
            noun(unit.n_stars, "star"),
            unit.n_files,
            noun(unit.n_files, "file"),
            unit.bytes as f64 / 1e6,
            if unit.is_done { "   measured" } else { "" }
        )?;
    }
    writeln!(
        told,
        "{}, {}, {} of which {} cannot be used",
        count(outlook.units.len(), "unit"),
        count(outlook.n_stars, "star"),
        count(outlook.n_files, "file"),
        outlook.rejected.len()
    )?;
    match outlook.seconds {
        Some(seconds) => writeln!(told, "about {} to measure", duration(seconds))?,
        None => writeln!(told, "nothing is left to measure")?,
    }
    writeln!(told, "about {:.0} MB of memory", outlook.memory_bytes / 1e6)?;
    if !outlook.differences.is_empty() {
        writeln!(
            told,
            "would be refused without --overwrite: {STATE_DIR} is of other settings:"
        )?;
        for line in &outlook.differences {
            writeln!(told, "  {}", plain::line(line))?;
        }
    }
    Ok(())
}
