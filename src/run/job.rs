//! A run from its inputs to its last product.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::config::{PLACES, RunConfig};
use super::directory::{self, RunDir};
use super::gathered::gather;
use super::peak_memory::peak_memory_bytes;
use super::record::{Counts, Record, utc};
use super::units::{UnitDone, measured, paths, unit_files};
use super::{names, scatter, unit_file};
use crate::catalogue::{self, Products};
use crate::files::same_file;
use crate::files::whole::Prepared;
use crate::lamost::inputs;
use crate::lamost::raw::Rejection;
use crate::likelihood::Likelihood;
use crate::measure::stages::{Stage, StageClocks};
use crate::measure::{Plan, Progress};
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

/// Does the run and then makes the page, while the directory is locked, so that nobody else changes the products. The second value is
/// the path of the page; None if nothing was measured, if no table has a format that can be read back, or if this build makes no
/// page.
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
    let begun = Begun {
        started: SystemTime::now(),
        start: Instant::now(),
        identity: config.identity()?,
    };
    let dir = RunDir::open(config, &begun.identity)?;
    let clocks = StageClocks::default();
    let known = names::read(&config.out, config.overwrite)?;
    let plan = Plan::new(&config.inputs, &known, &clocks)?;
    same_file::refuse_inputs(directory::outputs(&config.out), all_inputs(config, &plan))?;
    let files = unit_files(&plan, &dir)?;
    if !config.overwrite {
        dir.refuse_vanished(&plan.missing, &paths(&files))?;
    }
    dir.begin(&plan.missing)?;
    names::write(&config.out, &known, plan.stars())?;
    let mut units = measured(config, &plan, files, &dir, backend, progress, &clocks)?;
    let mut gathered = clocks.time(Stage::Write, || gather(config, plan, &mut units))?;

    let mut stages = Laps::after(&clocks);
    let rows = std::mem::take(&mut gathered.rows);
    let made = match rows.is_empty() {
        true => None,
        false => {
            let names = &gathered.star_names;
            Some(catalogue::products(&rows, names, &config.calibrate)?)
        }
    };
    drop(rows);
    stages.lap("calibration");
    let list = || catalogue::rejected::to_table(&gathered.rejected).prepare(&dir.rejected_path());
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
    stages.lap("products");
    let names = products.iter().map(|(name, _)| name.clone()).collect();
    let mut counts = std::mem::take(&mut gathered.counts);
    counts.exposures = made.as_ref().map_or(0, |made| made.catalogue.len());
    let units_done = units.iter().map(UnitDone::record).collect();
    let record = Record {
        counts,
        units: units_done,
        stages: stages.named,
        products: names,
        ..begun.record(config, backend, made.as_ref())
    };
    if made.is_some() {
        publish(&dir, products, &record, &gathered.missing, &units)?;
    }
    let done = Done {
        record,
        rejected: gathered.rejected,
        rejected_path,
    };
    Ok((done, dir))
}

/// Gives the products their names, `run.json` last; then older units of the same settings are not needed any more.
fn publish(
    dir: &RunDir,
    products: Vec<(String, Prepared)>,
    record: &Record,
    missing: &[Rejection],
    units: &[UnitDone],
) -> Result<()> {
    let path = dir.record_path();
    let json = serde_json::to_vec_pretty(record)
        .map_err(|e| Error::io(&path, std::io::Error::other(e)))?;
    dir.replace(products, Prepared::of_bytes(&path, &json)?, missing)?;
    // What is missing is more likely not mounted than meant to be forgotten.
    if missing.is_empty() {
        dir.forget_older(&paths(units.iter().map(|unit| &unit.file)))?;
    }
    Ok(())
}

/// When and with which settings a run began.
struct Begun {
    started: SystemTime,
    start: Instant,
    identity: serde_json::Map<String, serde_json::Value>,
}

impl Begun {
    /// What `run.json` says of settings, machine, time and calibration.
    fn record(
        self,
        config: &RunConfig,
        backend: &dyn Likelihood,
        made: Option<&Products>,
    ) -> Record {
        let mut effective = self.identity;
        effective.insert("out".into(), config.out.display().to_string().into());
        // Where the program was started is no setting.
        effective.remove(PLACES);
        Record {
            relrv: env!("CARGO_PKG_VERSION"),
            started: utc(self.started),
            finished: utc(SystemTime::now()),
            seconds: self.start.elapsed().as_secs_f64(),
            config: effective,
            threads: rayon::current_num_threads(),
            backend: backend.name(),
            device: backend.device_use(),
            peak_memory_bytes: peak_memory_bytes(),
            counts: Counts::default(),
            units: Vec::new(),
            calibration: made.map_or_else(Vec::new, |m| m.arms.clone()),
            scatter: made.map_or_else(Vec::new, |m| scatter::of_constants(&m.stars)),
            stages: Vec::new(),
            products: Vec::new(),
        }
    }
}

/// Names and seconds of what was done, in its order.
struct Laps {
    named: Vec<(String, f64)>,
    clock: Instant,
}

impl Laps {
    /// Goes on after the stages of measuring.
    fn after(clocks: &StageClocks) -> Self {
        let seconds = |s: &Stage| (s.name().to_owned(), clocks.get(*s).as_secs_f64());
        Laps {
            named: Stage::ALL.iter().map(seconds).collect(),
            clock: Instant::now(),
        }
    }

    fn lap(&mut self, name: &str) {
        self.named
            .push((name.to_owned(), self.clock.elapsed().as_secs_f64()));
        self.clock = Instant::now();
    }
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

/// Writes all tables in all formats, up to their names.
fn prepare(
    config: &RunConfig,
    dir: &RunDir,
    made: &Products,
    progress: &dyn Progress,
) -> Result<Vec<(String, Prepared)>> {
    let mut products: Vec<(String, Prepared)> = Vec::new();
    for name in catalogue::TABLES {
        let table = made.table(name, config.flags_text);
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
