//! The units of a run: which are kept from an earlier start, and the measuring of the others.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

use rayon::prelude::*;

use super::config::RunConfig;
use super::cost::Cost;
use super::directory::RunDir;
use super::fingerprint;
use super::keeper::UnitKeeper;
use super::record::UnitRecord;
use super::unit_file::{self, UnitFile, UnitHeader};
use crate::files::workplace::{self, STATE_DIR};
use crate::likelihood::Likelihood;
use crate::measure::stages::{Stage, StageClocks};
use crate::measure::{Job, MeasuredUnit, Plan, Progress, measure_units};
use crate::{Error, Result};

/// The files of all units. An error if there is a folder where one of them belongs.
pub fn unit_files(plan: &Plan, dir: &RunDir) -> Result<Vec<UnitFile>> {
    let (place, settings) = (dir.units(), dir.settings_hash());
    let files: Vec<UnitFile> = plan
        .units
        .iter()
        .map(|unit| UnitFile::new(&place, unit, &settings, &fingerprint::of_unit(plan, unit)))
        .collect();
    workplace::refuse_folders(paths(&files))?;
    Ok(files)
}

pub fn paths<'a>(files: impl IntoIterator<Item = &'a UnitFile>) -> HashSet<PathBuf> {
    let both = files.into_iter().flat_map(UnitFile::paths);
    both.map(ToOwned::to_owned).collect()
}

/// A unit whose result is on disk.
pub struct UnitDone {
    pub file: UnitFile,
    pub header: UnitHeader,
    pub reused: bool,
    pub again: bool,
}

impl UnitDone {
    pub fn record(&self) -> UnitRecord {
        let header = &self.header;
        UnitRecord {
            planid: header.planid.clone(),
            spid: header.spid,
            files: header.n_files,
            stars: header.n_stars,
            spectra: header.n_spectra,
            measured: header.n_rows,
            reused: self.reused,
            again: self.again,
        }
    }
}

/// All units of the plan, each measured now or by an earlier start.
pub fn measured(
    config: &RunConfig,
    plan: &Plan,
    files: Vec<UnitFile>,
    dir: &RunDir,
    backend: &dyn Likelihood,
    progress: &dyn Progress,
    clocks: &StageClocks,
) -> Result<Vec<UnitDone>> {
    let before: Vec<Option<UnitHeader>> = files
        .par_iter()
        .map(|file| clocks.time(Stage::Write, || file.usable()))
        .collect();
    let known = unit_file::known(&dir.units(), &plan.units)?;
    let todo: Vec<usize> = (0..files.len()).filter(|&i| before[i].is_none()).collect();
    let job = Job {
        config: &config.measure,
        plan,
        backend,
        progress,
        clocks,
    };
    let mut n_done = files.len() - todo.len();
    let mut start = Instant::now();
    let write = |i: usize, file: &UnitFile, unit: MeasuredUnit| {
        file.write(plan, &plan.units[i], &unit, Cost::since(start))?;
        start = Instant::now();
        n_done += 1;
        Ok(())
    };
    let mut keeper = UnitKeeper::new(plan, dir.begun(), (&files, 0), write);
    let result = measure_units(&job, &todo, &mut keeper);
    let begun = keeper.told();
    match result {
        Err(Error::Interrupted(_)) => return Err(interrupted(config, n_done, files.len(), &begun)),
        other => other?,
    }
    files
        .into_iter()
        .zip(before)
        .zip(known)
        .map(|((file, before), known)| {
            let reused = before.is_some();
            let header = before.or_else(|| file.header()).ok_or_else(|| {
                let [_, path] = file.paths();
                Error::format(
                    path,
                    "expected the unit that was just written, found it gone or changed; the same command measures it again",
                )
            })?;
            Ok(UnitDone {
                file,
                header,
                reused,
                // A run that was told to start anew measures all units again, so this is not worth a mention.
                again: known && !reused && !config.overwrite,
            })
        })
        .collect()
}

fn interrupted(config: &RunConfig, n_done: usize, n_units: usize, begun: &str) -> Error {
    Error::Interrupted(format!(
        "stopped: {n_done} of {n_units} units{begun} are measured and kept in {}; the same command goes on from there",
        config.out.join(STATE_DIR).display()
    ))
}
