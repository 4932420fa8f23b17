//! What a run would do: its units, and about how long it would take and how much memory.

use std::time::Instant;

use super::config::RunConfig;
use super::start::Start;
use super::unit_file::UnitFile;
use super::{directory, fingerprint, names};
use crate::Result;
use crate::lamost::raw::Rejection;
use crate::likelihood::Likelihood;
use crate::measure::bites::files_in_flight;
use crate::measure::memory;
use crate::measure::stages::StageClocks;
use crate::measure::{Job, MeasuredUnit, Plan, ReferenceKind, Unit, measure_units};

/// Files that are measured to learn how fast this machine is.
const SAMPLE_FILES: usize = 48;
/// Memory of a file that is being worked on, bytes. This and the next three numbers were measured on simulated plates (x86-64 Linux,
/// 240 to 2,000 files).
const BYTES_IN_FLIGHT: f64 = 0.9e6;
/// The same with coadds, for which exposures are kept until they are measured.
const COADD_BYTES_IN_FLIGHT: f64 = 1.8e6;
/// Memory of a spectrum's velocity in the catalogue and its calibration, bytes.
const ROW_BYTES: f64 = 400.0;
/// Memory of a file's name and place, bytes.
const FILE_BYTES: f64 = 500.0;

/// What a run would do.
#[derive(Debug)]
pub struct Outlook {
    /// Units by plate and spectrograph.
    pub units: Vec<UnitOutlook>,
    /// Files found, and inputs that gave none.
    pub n_files: usize,
    /// Stars.
    pub n_stars: usize,
    /// Inputs that cannot be used, as far as primary headers tell.
    pub rejected: Vec<Rejection>,
    /// Seconds that the measurement would take; None where nothing is left to do or no sample could be measured.
    pub seconds: Option<f64>,
    /// Memory, bytes.
    pub memory_bytes: f64,
    /// Why the run would be refused without `--overwrite`.
    pub differences: Vec<String>,
}

/// A unit that is to be measured, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitOutlook {
    /// Plate.
    pub planid: String,
    /// Spectrograph.
    pub spid: i32,
    /// Stars.
    pub n_stars: usize,
    /// Files of its stars.
    pub n_files: usize,
    /// Size of these files.
    pub bytes: u64,
    /// An earlier start has measured it.
    pub is_done: bool,
}

/// Reads the headers, measures a few files to learn the speed, and writes nothing.
///
/// # Errors
/// What the back end says; things in the directory that the run would be refused for and that are no matter of settings.
pub fn outlook(config: &RunConfig, backend: &dyn Likelihood) -> Result<Outlook> {
    let clocks = StageClocks::default();
    let known = names::read(&config.out, config.overwrite)?;
    let mut plan = Plan::new(&config.inputs, &known, &clocks)?;
    let identity = config.identity()?;
    directory::refuse_strangers(config)?;
    let (settings, differences) = match directory::look(config, &identity)? {
        Start::With { attempt, .. } => {
            let settings = fingerprint::of_settings(&identity, &attempt);
            (Some(settings), Vec::new())
        }
        Start::Refused(lines) => (None, lines),
    };
    let units = units(config, &plan, settings.as_deref());
    let todo_bytes: u64 = units.iter().filter(|u| !u.is_done).map(|u| u.bytes).sum();
    let (n_files, n_stars) = (plan.n_files, plan.n_stars());
    let stars = plan.units.iter().flat_map(|unit| &unit.stars);
    let largest_star_bytes = stars
        .map(|(_, star)| memory::of_star(&config.measure, &plan, star))
        .fold(0.0, f64::max);
    let sample = sample(&plan, &units);
    let sample_bytes = bytes_of(&plan, &sample);
    plan.units = vec![sample];
    let rejected = std::mem::take(&mut plan.rejected);
    let job = Job {
        config: &config.measure,
        plan: &plan,
        backend,
        progress: &(),
        clocks: &clocks,
    };
    let start = Instant::now();
    let mut n_spectra = 0;
    measure_units(&job, &[0], &mut |_: usize, unit: MeasuredUnit| {
        n_spectra += unit.n_spectra;
        Ok(())
    })?;
    let per_byte = start.elapsed().as_secs_f64() / sample_bytes as f64;
    let all_bytes: u64 = units.iter().map(|u| u.bytes).sum();
    // As many spectra to a byte as in the sample.
    let spectra = n_spectra as f64 * all_bytes as f64 / (sample_bytes as f64).max(1.0);
    Ok(Outlook {
        n_files,
        n_stars,
        rejected,
        seconds: (n_spectra > 0 && todo_bytes > 0).then_some(per_byte * todo_bytes as f64),
        memory_bytes: memory::BASE_BYTES
            + in_flight_bytes(
                config,
                backend.takes_plates(),
                n_files,
                n_stars,
                largest_star_bytes,
            )
            + spectra * ROW_BYTES
            + n_files as f64 * FILE_BYTES,
        units,
        differences,
    })
}

/// What is to be done and what is done; `settings` is the hash of those that units are kept by, none where they may not be used.
fn units(config: &RunConfig, plan: &Plan, settings: Option<&str>) -> Vec<UnitOutlook> {
    let place = directory::units_of(&config.out);
    let is_done = |unit: &Unit| {
        settings.is_some_and(|settings| {
            let print = fingerprint::of_unit(plan, unit);
            UnitFile::new(&place, unit, settings, &print)
                .usable()
                .is_some()
        })
    };
    let outlook = |unit: &Unit| UnitOutlook {
        planid: unit.planid.clone(),
        spid: unit.spid,
        n_stars: unit.stars.len(),
        n_files: unit.n_files(),
        bytes: bytes_of(plan, unit),
        is_done: is_done(unit),
    };
    plan.units.iter().map(outlook).collect()
}

/// Bytes of the files of a unit.
fn bytes_of(plan: &Plan, unit: &Unit) -> u64 {
    let members = unit.stars.iter().flat_map(|(_, star)| &star.members);
    members.map(|&m| plan.contents[m].len).sum()
}

/// Memory for the spectra that are worked on at one time, bytes.
fn in_flight_bytes(
    config: &RunConfig,
    takes_plates: bool,
    n_files: usize,
    n_stars: usize,
    largest_star_bytes: f64,
) -> f64 {
    let files_per_star = n_files as f64 / n_stars.max(1) as f64;
    let in_flight = match takes_plates {
        true => n_files as f64,
        false => files_in_flight(files_per_star).min(n_files as f64),
    };
    let bytes_each = match config.measure.reference {
        ReferenceKind::Best => BYTES_IN_FLIGHT,
        ReferenceKind::Coadd => COADD_BYTES_IN_FLIGHT,
    };
    (in_flight * bytes_each)
        .max(largest_star_bytes)
        .min(config.measure.memory_bytes as f64)
}

/// Stars from all over what is left to do, or from everything.
fn sample(plan: &Plan, units: &[UnitOutlook]) -> Unit {
    let all_done = units.iter().all(|u| u.is_done);
    let stars: Vec<_> = plan
        .units
        .iter()
        .zip(units)
        .filter(|(_, outlook)| all_done || !outlook.is_done)
        .flat_map(|(unit, _)| &unit.stars)
        .collect();
    let n_files: usize = stars.iter().map(|(_, star)| star.members.len()).sum();
    let every = n_files.div_ceil(SAMPLE_FILES).max(1);
    Unit {
        planid: String::new(),
        spid: 0,
        stars: stars.into_iter().step_by(every).cloned().collect(),
    }
}
