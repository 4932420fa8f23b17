//! A run from its inputs to its last product.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use rayon::prelude::*;

use super::config::RunConfig;
use super::directory::{RunDir, STATE_DIR};
use super::record::{Counts, Record, UnitRecord, utc};
use super::unit_file::{UnitFile, UnitHeader};
use super::{fingerprint, names, scatter};
use crate::catalogue::{self, Products};
use crate::io::raw::{Rejection, StarNames};
use crate::io::stars::Star;
use crate::likelihood::Likelihood;
use crate::pipeline::measure::{count_stars, sort_rejections, sort_rows};
use crate::pipeline::stages::{Stage, StageClocks};
use crate::pipeline::{Job, Plan, Progress, RvRow, measure_units, rejections};
use crate::selfcal::summary;
use crate::table::Table;
use crate::{Error, Result, whole};

/// What a run did.
#[derive(Debug)]
pub struct Done {
    /// Content of `run.json`. Without a single row nothing was written but `rejected.csv`.
    pub record: Record,
    /// Every input that was not used.
    pub rejected: Vec<Rejection>,
    /// Where they are listed.
    pub rejected_path: PathBuf,
}

/// Measures, calibrates and writes everything, or what an earlier start of the same run left to do.
///
/// # Errors
/// Settings that contradict what is in the directory; files that cannot be written (what was measured is kept);
/// [`Error::Interrupted`].
pub fn run(config: &RunConfig, backend: &dyn Likelihood, progress: &dyn Progress) -> Result<Done> {
    let (started, start) = (SystemTime::now(), Instant::now());
    let identity = config.identity()?;
    let dir = RunDir::open(&config.out, &identity, config.overwrite)?;
    let clocks = StageClocks::default();
    let known = names::read(&config.out)?;
    let mut plan = Plan::new(&config.inputs, &known, &clocks)?;
    names::write(&config.out, &known, plan.stars())?;
    let mut units = measured(config, &plan, &dir, backend, progress, &clocks)?;

    let mut rows: Vec<RvRow> = Vec::with_capacity(units.iter().map(|u| u.header.n_rows).sum());
    let mut rejected = std::mem::take(&mut plan.rejected);
    clocks.time(Stage::Write, || -> Result<()> {
        let number = numbers(&plan);
        for unit in &mut units {
            rejected.extend(unit.header.take_rejections());
            for mut row in unit.file.rows()? {
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
        false => Some(catalogue::products(&rows, &star_names, &config.calibrate)?),
    };
    drop(rows);
    lap("calibration", &mut stages);
    dir.open_products()?;
    let rejected_path = dir.path("rejected.csv");
    rejections::to_table(&rejected).write(&rejected_path)?;
    let products = match &made {
        Some(made) => write(config, &dir, made, progress)?,
        None => Vec::new(),
    };
    lap("products", &mut stages);
    if let Some(made) = &made {
        counts.exposures = made.catalogue.n_rows();
    }
    let mut effective = identity;
    effective.insert("out".into(), config.out.display().to_string().into());
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
        products,
    };
    if made.is_some() {
        let path = dir.path("run.json");
        let json = serde_json::to_vec_pretty(&record)
            .map_err(|e| Error::io(&path, std::io::Error::other(e)))?;
        whole::write_bytes(&path, &json)?;
    }
    Ok(Done {
        record,
        rejected,
        rejected_path,
    })
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
    dir: &RunDir,
    backend: &dyn Likelihood,
    progress: &dyn Progress,
    clocks: &StageClocks,
) -> Result<Vec<UnitDone>> {
    let place = dir.units();
    let files: Vec<(UnitFile, u64)> = plan
        .units
        .iter()
        .map(|unit| {
            (
                UnitFile::new(&place, unit),
                fingerprint::of_unit(plan, unit),
            )
        })
        .collect();
    let before: Vec<Option<UnitHeader>> = files
        .par_iter()
        .map(|(file, print)| clocks.time(Stage::Write, || file.usable(*print)))
        .collect();
    let again: Vec<bool> = files
        .iter()
        .zip(&before)
        .map(|((file, _), before)| before.is_none() && file.exists())
        .collect();
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
        files[i].0.write(&plan.units[i], files[i].1, &unit)?;
        n_done += 1;
        Ok(())
    });
    match result {
        Err(Error::Interrupted(_)) => return Err(interrupted(config, n_done, files.len())),
        other => other?,
    }
    let done = files
        .into_iter()
        .zip(before)
        .zip(again)
        .map(|(((file, print), before), again)| {
            let reused = before.is_some();
            let header = before.or_else(|| file.header(print)).ok_or_else(|| {
                let [_, path] = file.paths();
                Error::format(
                    path,
                    "expected the unit that was just written, found it gone or changed",
                )
            })?;
            Ok(UnitDone {
                file,
                header,
                reused,
                again,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    // Nothing found is more likely a directory that is not mounted than the wish to forget what was measured.
    if done.is_empty() {
        return Ok(done);
    }
    // Units that an earlier start made of other inputs.
    let keep: HashSet<PathBuf> = done
        .iter()
        .flat_map(|u| u.file.paths().map(ToOwned::to_owned))
        .collect();
    dir.keep_units(&keep)?;
    Ok(done)
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

/// Writes all tables in all formats; their names.
fn write(
    config: &RunConfig,
    dir: &RunDir,
    made: &Products,
    progress: &dyn Progress,
) -> Result<Vec<String>> {
    let tables: [(&str, &Table); 4] = [
        ("catalogue", &made.catalogue),
        ("stars", &made.stars),
        ("constants", &made.constants),
        ("zeropoints", &made.zero_points),
    ];
    let mut names = Vec::new();
    for (name, table) in tables {
        for format in &config.formats {
            if progress.cancelled() {
                return Err(Error::Interrupted(format!(
                    "stopped: everything is measured, but not all products are written; the same command goes on in {}",
                    config.out.display()
                )));
            }
            let name = format!("{name}.{}", format.ending());
            table.write(&dir.path(&name))?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.push("rejected.csv".to_owned());
    Ok(names)
}
