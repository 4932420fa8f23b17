//! Some units of the plan that a directory keeps: what one of many programs does.

use std::collections::VecDeque;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::claim::{self, Claim, host_name};
use super::config::RunConfig;
use super::cost::Cost;
use super::keeper::UnitKeeper;
use super::kept_plan::{self, PlanHead};
use super::record::utc;
use super::unit_file::UnitFile;
use super::{directory, fingerprint};
use crate::files::whole;
use crate::files::workplace::{STATE_DIR, is_folder, read_regular, remove};
use crate::likelihood::Likelihood;
use crate::measure::stages::StageClocks;
use crate::measure::{Job, MeasuredUnit, Progress, measure_units};
use crate::{Error, Result};

/// Folders of the state for who works on a unit, and for why one failed.
const CLAIMS: &str = "claims";
const FAILED: &str = "failed";

/// Pause between two looks at units that others work on.
const PAUSE: Duration = Duration::from_millis(500);

/// How a unit stands.
#[derive(Clone, Debug, PartialEq)]
pub enum UnitState {
    /// Measured, and kept.
    Done(Cost),
    /// Somebody works on it: machine and process.
    Running(String),
    /// It was measured in vain, and why.
    Failed(String),
    /// Nobody has begun it, or the program that did was killed.
    Missing,
}

/// What [`measure_some`] did with a unit.
#[derive(Debug)]
pub enum UnitOutcome {
    /// It was measured: spectra with a velocity, and inputs that are defect.
    Measured {
        /// Rows.
        rows: usize,
        /// Inputs with a defect.
        defects: usize,
    },
    /// It was measured before.
    Before,
    /// Somebody else works on it: it is looked at again when the others of the range are done.
    Elsewhere(String),
    /// It could not be measured.
    Failed(Error),
}

/// A plan with the places of its units.
pub struct Units {
    out: PathBuf,
    /// The plan.
    pub head: PlanHead,
    settings: String,
}

impl Units {
    /// Of the plan that a directory keeps.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn of(out: &Path) -> Result<Self> {
        let head = kept_plan::expect(out)?;
        Ok(Units {
            out: out.to_owned(),
            settings: fingerprint::of_settings(&head.settings, &head.attempt),
            head,
        })
    }

    fn file(&self, i: usize) -> UnitFile {
        let line = &self.head.units[i];
        let place = directory::units_of(&self.out);
        UnitFile::of(
            &place,
            (&line.planid, line.spid),
            &self.settings,
            &line.fingerprint,
        )
    }

    fn place(&self, folder: &str, file: &UnitFile) -> PathBuf {
        self.out.join(STATE_DIR).join(folder).join(&*file.name())
    }

    /// How a unit stands; its number counts from 0.
    pub fn state(&self, i: usize) -> UnitState {
        let file = self.file(i);
        if let Some(header) = file.usable() {
            return UnitState::Done(header.cost);
        }
        if let Some(who) = claim::holder(&self.place(CLAIMS, &file)) {
            return UnitState::Running(who);
        }
        match read_regular(&self.place(FAILED, &file)) {
            Some(why) => UnitState::Failed(String::from_utf8_lossy(&why).trim_end().to_owned()),
            None => UnitState::Missing,
        }
    }
}

/// Measures the units of a range, counted from 0, that nobody has measured, and tells of each what was done. Those that somebody else
/// works on come last: it ends when they are done, and measures them itself where the other one has died. A unit that fails does not
/// hinder the others. Several programs may do so in one directory.
///
/// # Errors
/// Those of reading the plan; [`Error::Config`] where this program, its back end or the range does not fit it; [`Error::Interrupted`].
pub fn measure_some(
    units: &Units,
    range: Range<usize>,
    config: &RunConfig,
    backend: &dyn Likelihood,
    progress: &dyn Progress,
    mut tell: impl FnMut(usize, &UnitOutcome) + Send,
) -> Result<Vec<(usize, UnitOutcome)>> {
    let n = units.head.units.len();
    if range.end > n || range.is_empty() {
        return Err(Error::Config(format!(
            "units {} to {} of a plan that has {n}",
            range.start + 1,
            range.end
        )));
    }
    for folder in [
        directory::units_of(&units.out),
        directory::begun_of(&units.out),
    ]
    .into_iter()
    .chain([CLAIMS, FAILED].map(|name| units.out.join(STATE_DIR).join(name)))
    {
        is_folder(&folder)?;
        fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    }
    let mut out = Vec::new();
    let mut todo: VecDeque<usize> = range.collect();
    // Units that others work on are waited for: who died has left his unit undone.
    let mut n_elsewhere = 0;
    while let Some(i) = todo.pop_front() {
        let outcome = match one(units, i, config, backend, progress) {
            Err(Error::Interrupted(begun)) => return Err(stopped(out.len(), &begun)),
            Err(error) => UnitOutcome::Failed(error),
            Ok(UnitOutcome::Elsewhere(who)) => {
                if n_elsewhere == 0 {
                    tell(i, &UnitOutcome::Elsewhere(who));
                }
                n_elsewhere += 1;
                todo.push_back(i);
                if n_elsewhere >= todo.len() {
                    if progress.cancelled() {
                        return Err(stopped(out.len(), ""));
                    }
                    std::thread::sleep(PAUSE);
                }
                continue;
            }
            Ok(outcome) => outcome,
        };
        n_elsewhere = n_elsewhere.min(todo.len());
        let place = units.place(FAILED, &units.file(i));
        match &outcome {
            UnitOutcome::Failed(error) => {
                let now = utc(SystemTime::now());
                let text = format!("{error} ({}, {now})\n", host_name());
                whole::write_bytes(&place, text.as_bytes())?;
            }
            UnitOutcome::Measured { .. } => remove(&place)?,
            _ => {}
        }
        tell(i, &outcome);
        out.push((i, outcome));
    }
    Ok(out)
}

fn stopped(n: usize, begun: &str) -> Error {
    Error::Interrupted(format!(
        "stopped: {n} of these units{begun} are measured; the same command goes on with the others"
    ))
}

fn one(
    units: &Units,
    i: usize,
    config: &RunConfig,
    backend: &dyn Likelihood,
    progress: &dyn Progress,
) -> Result<UnitOutcome> {
    let file = units.file(i);
    if file.usable().is_some() {
        return Ok(UnitOutcome::Before);
    }
    let _claim = match Claim::take(&units.place(CLAIMS, &file))? {
        Ok(claim) => claim,
        Err(other) => return Ok(UnitOutcome::Elsewhere(other)),
    };
    // Somebody may have finished it between the look and the claim.
    if file.usable().is_some() {
        return Ok(UnitOutcome::Before);
    }
    let start = Instant::now();
    let mut plan = units.head.plan(&units.out, |k| k == i)?;
    plan.n_files = units.head.units[i].n_files;
    let clocks = StageClocks::default();
    let job = Job {
        config: &config.measure,
        plan: &plan,
        backend,
        progress,
        clocks: &clocks,
    };
    let mut outcome = UnitOutcome::Before;
    let write = |_: usize, file: &UnitFile, unit: MeasuredUnit| {
        file.write(&plan, &plan.units[i], &unit, Cost::since(start))?;
        outcome = UnitOutcome::Measured {
            rows: unit.rows.len(),
            defects: unit
                .rejected
                .iter()
                .filter(|r| r.reason.is_defect())
                .count(),
        };
        Ok(())
    };
    let files = std::slice::from_ref(&file);
    let mut keeper = UnitKeeper::new(&plan, directory::begun_of(&units.out), (files, i), write);
    match measure_units(&job, &[i], &mut keeper) {
        Err(Error::Interrupted(_)) => return Err(Error::Interrupted(keeper.told())),
        other => other?,
    }
    // Files that could not be read, or are others than when the plan was made.
    match file
        .header()
        .and_then(|mut header| header.why_again(&plan, &plan.units[i]))
    {
        Some(why) => Err(Error::NothingUsable(why)),
        None => Ok(outcome),
    }
}
