//! A run from its inputs to its last product.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use rayon::prelude::*;

use super::config::{PLACES, RunConfig};
use super::directory::{self, RunDir};
use super::record::{Counts, Record, UnitRecord, utc};
use super::unit_file::{self, UnitFile, UnitHeader};
use super::{fingerprint, names, scatter};
use crate::calibrate::summary;
use crate::catalogue::{self, Products};
use crate::files::same_file;
use crate::files::whole::Prepared;
use crate::files::workplace::{self, STATE_DIR};
use crate::lamost::inputs;
use crate::lamost::raw::{Rejection, StarNames};
use crate::lamost::stars::Star;
use crate::likelihood::Likelihood;
use crate::measure::files::{count_stars, sort_rejections, sort_rows};
use crate::measure::stages::{Stage, StageClocks};
use crate::measure::{Job, Plan, Progress, RvRow, measure_units, rejections};
use crate::table::Table;
use crate::{Error, Result};

/// What a run did.
#[derive(Debug)]
pub struct Done {
    /// Content of `run.json`. Without a single row nothing was written but `rejected.csv`.
    pub record: Record,
    /// Every input that was not used.
    pub rejected: Vec<Rejection>,
    /// Where they are listed; `None` where nothing was measured and the directory holds a finished run, which stays as it was.
    pub rejected_path: Option<PathBuf>,
}

/// Measures, calibrates and writes everything, or what an earlier start of the same run left to do.
///
/// # Errors
/// Settings that contradict what is in the directory; outputs that are inputs; inputs that cannot be found and were there when
/// what the directory holds was measured; files that cannot be written (what was measured is kept); [`Error::Interrupted`].
#[cfg(feature = "lab")]
pub fn run(config: &RunConfig, backend: &dyn Likelihood, progress: &dyn Progress) -> Result<Done> {
    Ok(work(config, backend, progress)?.0)
}

/// The same, and then the page, while nobody else can change the products; its path, and none if nothing was measured, if all
/// tables are of a kind that cannot be read back, or if this build makes no page.
///
/// # Errors
/// As [`run`]; products that cannot be read back, and a page that cannot be written.
pub fn run_with_report(
    config: &RunConfig,
    backend: &dyn Likelihood,
    progress: &dyn Progress,
) -> Result<(Done, Option<PathBuf>)> {
    let (done, _dir) = work(config, backend, progress)?;
    let has_page = done.record.counts.measured > 0 && config.has_page();
    Ok((done, if has_page { page(config)? } else { None }))
}

#[cfg(feature = "report")]
fn page(config: &RunConfig) -> Result<Option<PathBuf>> {
    crate::report::write(&config.out).map(Some)
}

#[cfg(not(feature = "report"))]
fn page(_: &RunConfig) -> Result<Option<PathBuf>> {
    Ok(None)
}

/// Whether what a run in `dir` measured is kept, to go on from.
pub fn holds_units(dir: &Path) -> bool {
    unit_file::all(&directory::units_of(dir)).is_ok_and(|files| !files.is_empty())
}

fn work(
    config: &RunConfig,
    backend: &dyn Likelihood,
    progress: &dyn Progress,
) -> Result<(Done, RunDir)> {
    let (started, start) = (SystemTime::now(), Instant::now());
    let identity = config.identity()?;
    let dir = RunDir::open(config, &identity)?;
    let clocks = StageClocks::default();
    let known = names::read(&config.out, config.overwrite)?;
    let mut plan = Plan::new(&config.inputs, &known, &clocks)?;
    same_file::refuse_inputs(directory::outputs(&config.out), all_inputs(config, &plan))?;
    let files = unit_files(&plan, &dir)?;
    if !config.overwrite {
        dir.refuse_vanished(&plan.missing, &paths(&files))?;
    }
    dir.begin(&plan.missing)?;
    names::write(&config.out, &known, plan.stars())?;
    let mut units = measured(config, &plan, files, &dir, backend, progress, &clocks)?;

    let mut rows: Vec<RvRow> = Vec::with_capacity(units.iter().map(|u| u.header.n_rows).sum());
    let mut rejected = std::mem::take(&mut plan.rejected);
    clocks.time(Stage::Write, || -> Result<()> {
        let number = numbers(&plan);
        for (done, unit) in units.iter_mut().zip(&plan.units) {
            rejected.extend(done.header.take_rejections());
            for mut row in done.file.rows(&done.header, unit)? {
                row.star = number.get(&*row.designation).copied().unwrap_or(0);
                rows.push(row);
            }
        }
        Ok(())
    })?;
    sort_rows(&mut rows);
    sort_rejections(&mut rejected);
    let mut counts = Counts {
        files: plan.n_files,
        spectra: units.iter().map(|u| u.header.n_spectra).sum(),
        measured: rows.len(),
        files_without_helio_rv: match config.measure.corrects_water() {
            true => plan.n_without_helio_rv,
            false => 0,
        },
        stars: count_stars(&rows),
        ..Counts::default()
    };
    counts.reject(&rejected);
    counts.files_moved = plan.n_moved;
    let star_names = star_names(&plan);
    let missing = std::mem::take(&mut plan.missing);
    drop(plan);

    let mut stages: Vec<(String, f64)> = Stage::ALL
        .iter()
        .map(|s| (s.name().to_owned(), clocks.get(*s).as_secs_f64()))
        .collect();
    let mut clock = Instant::now();
    let mut lap = |name: &str, stages: &mut Vec<(String, f64)>| {
        stages.push((name.to_owned(), clock.elapsed().as_secs_f64()));
        clock = Instant::now();
    };
    let made = match rows.is_empty() {
        true => None,
        false => {
            let mut made = catalogue::products(&rows, &star_names, &config.calibrate)?;
            if config.flags_text {
                catalogue::push_flags_text(&mut made.catalogue);
            }
            Some(made)
        }
    };
    drop(rows);
    lap("calibration", &mut stages);
    let list = || rejections::to_table(&rejected).prepare(&dir.rejected_path());
    let (mut products, mut rejected_path) = (Vec::new(), Some(dir.rejected_path()));
    match &made {
        Some(made) => {
            products = prepare(config, &dir, made, progress)?;
            products.push(("rejected.csv".to_owned(), list()?.closed()));
        }
        // Nothing takes the place of what was measured before.
        None if dir.holds_another() => rejected_path = None,
        None => list()?.persist()?,
    }
    lap("products", &mut stages);
    if let Some(made) = &made {
        counts.exposures = made.catalogue.n_rows();
    }
    let mut effective = identity;
    effective.insert("out".into(), config.out.display().to_string().into());
    // Where the program was started is no setting.
    effective.remove(PLACES);
    let record = Record {
        relrv: env!("CARGO_PKG_VERSION"),
        started: utc(started),
        finished: utc(SystemTime::now()),
        seconds: start.elapsed().as_secs_f64(),
        config: effective,
        threads: rayon::current_num_threads(),
        backend: backend.name(),
        counts,
        units: units.iter().map(UnitDone::record).collect(),
        calibration: made
            .as_ref()
            .map_or_else(Vec::new, |m| summary::arms(&m.input, &m.arms)),
        scatter: made
            .as_ref()
            .map_or_else(Vec::new, |m| scatter::of_constants(&m.constants)),
        stages,
        products: products.iter().map(|(name, _)| name.clone()).collect(),
    };
    if made.is_some() {
        let path = dir.record_path();
        let json = serde_json::to_vec_pretty(&record)
            .map_err(|e| Error::io(&path, std::io::Error::other(e)))?;
        dir.replace(products, Prepared::of_bytes(&path, &json)?, &missing)?;
        // What is missing is more likely not mounted than meant to be forgotten.
        if missing.is_empty() {
            dir.forget_older(&paths(units.iter().map(|unit| &unit.file)))?;
        }
    }
    let done = Done {
        record,
        rejected,
        rejected_path,
    };
    Ok((done, dir))
}

/// Everything that the run reads: files, used or not, and lists.
fn all_inputs(config: &RunConfig, plan: &Plan) -> Vec<PathBuf> {
    let lists = config.inputs.iter().filter_map(|p| inputs::list_name(p));
    let rejected = plan.rejected.iter().map(|r| r.path.clone());
    lists
        .chain(plan.paths.iter().cloned())
        .chain(rejected)
        .collect()
}

/// The files of all units, none of which a folder stands in the way of.
fn unit_files(plan: &Plan, dir: &RunDir) -> Result<Vec<UnitFile>> {
    let (place, settings) = (dir.units(), dir.settings_hash());
    let files: Vec<UnitFile> = plan
        .units
        .iter()
        .map(|unit| UnitFile::new(&place, unit, &settings, &fingerprint::of_unit(plan, unit)))
        .collect();
    workplace::refuse_folders(paths(&files))?;
    Ok(files)
}

fn paths<'a>(files: impl IntoIterator<Item = &'a UnitFile>) -> HashSet<PathBuf> {
    let both = files.into_iter().flat_map(UnitFile::paths);
    both.map(ToOwned::to_owned).collect()
}

/// A unit whose result is on disk.
struct UnitDone {
    file: UnitFile,
    header: UnitHeader,
    reused: bool,
    again: bool,
}

impl UnitDone {
    fn record(&self) -> UnitRecord {
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
fn measured(
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
    let result = measure_units(&job, &todo, |i, unit| {
        files[i].write(&plan.units[i], &unit)?;
        n_done += 1;
        Ok(())
    });
    match result {
        Err(Error::Interrupted(_)) => return Err(interrupted(config, n_done, files.len())),
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
                // Told to begin anew, it is no surprise.
                again: known && !reused && !config.overwrite,
            })
        })
        .collect()
}

fn interrupted(config: &RunConfig, n_done: usize, n_units: usize) -> Error {
    Error::Interrupted(format!(
        "stopped: {n_done} of {n_units} units are measured and kept in {}; the same command goes on from there",
        config.out.join(STATE_DIR).display()
    ))
}

/// Numbers of the stars, which depend on all inputs and so are not kept with the units.
fn numbers(plan: &Plan) -> HashMap<&str, i64> {
    plan.units
        .iter()
        .flat_map(|unit| &unit.stars)
        .map(|(number, star)| (star.designation.as_str(), *number))
        .collect()
}

/// What the headers call the stars.
fn star_names(plan: &Plan) -> HashMap<String, StarNames> {
    let names = |star: &Star| (star.designation.clone(), star.names.clone());
    plan.stars().map(names).collect()
}

/// Writes all tables in all formats, up to their names.
fn prepare(
    config: &RunConfig,
    dir: &RunDir,
    made: &Products,
    progress: &dyn Progress,
) -> Result<Vec<(String, Prepared)>> {
    let tables: [(&str, &Table); 4] = [
        ("catalogue", &made.catalogue),
        ("stars", &made.stars),
        ("constants", &made.constants),
        ("zeropoints", &made.zero_points),
    ];
    let mut products: Vec<(String, Prepared)> = Vec::new();
    for (name, table) in tables {
        for format in &config.formats {
            if progress.cancelled() {
                return Err(Error::Interrupted(format!(
                    "stopped: everything is measured, but the products are not written; the same command goes on in {}",
                    config.out.display()
                )));
            }
            let name = format!("{name}.{}", format.ending());
            if !products.iter().any(|(known, _)| *known == name) {
                let table = table.prepare(&dir.path(&name))?.closed();
                products.push((name, table));
            }
        }
    }
    Ok(products)
}
