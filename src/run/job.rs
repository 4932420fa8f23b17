//! A run from its inputs to its last product.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use serde_json::{Map, Value};

use super::about;
use super::config::{PLACES, RunConfig, of_calibration};
use super::directory::{self, RunDir};
use super::gathered::gather;
use super::kept_plan;
use super::peak_memory::peak_memory_bytes;
use super::planned::planned;
use super::record::{Counts, Record, utc};
use super::units::{UnitDone, measured, paths, unit_files};
use super::verdicts::Verdicts;
use super::{scatter, unit_file};
use crate::calibrate::arms::CalibrateOptions;
use crate::catalogue::{self, Products};
use crate::files::whole::Prepared;
use crate::lamost::raw::Rejection;
use crate::likelihood::{DeviceUse, Likelihood};
use crate::measure::stages::{Stage, StageClocks};
use crate::measure::{Plan, Progress};
use crate::{Error, Result, table};

/// What a run did.
#[derive(Debug)]
pub struct Done {
    /// Content of `run.json`. Without a single row nothing was written but `rejected.csv`.
    pub record: Record,
    /// Every input that was not used.
    pub rejected: Vec<Rejection>,
    /// Where they are listed; `None` where nothing was measured and the directory holds a finished run, which stays as it was.
    pub rejected_path: Option<PathBuf>,
    /// Settings that an earlier start in the directory had otherwise, and that changed no velocity, one line each.
    pub changes: Vec<String>,
    /// Units that were not measured, where products of a part were asked for.
    pub lacking: Vec<String>,
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
    let (done, made, _dir) = work(config, backend, progress)?;
    Ok((done, page(config, made)?))
}

#[cfg(feature = "report")]
fn page(config: &RunConfig, made: Option<Products>) -> Result<Option<PathBuf>> {
    let made = made.filter(|_| config.has_page());
    made.map(|made| crate::report::write_of(&config.out, made))
        .transpose()
}

#[cfg(not(feature = "report"))]
fn page(_: &RunConfig, _: Option<Products>) -> Result<Option<PathBuf>> {
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
) -> Result<(Done, Option<Products>, RunDir)> {
    let begun = Begun::now(config.identity()?);
    let dir = RunDir::open(config, &begun.settings)?;
    let clocks = StageClocks::default();
    let plan = planned(config, &dir, &begun.settings, &clocks)?;
    let files = unit_files(&plan, &dir)?;
    let units = measured(config, &plan, files, &dir, backend, progress, &clocks)?;
    let ran = Ran {
        backend: backend.name(),
        device: backend.device_use(),
        clocks,
        lacking: Vec::new(),
    };
    let (done, made) = finish(config, &dir, plan, units, begun, ran, progress)?;
    Ok((done, made, dir))
}

/// Calibrates and writes the products of the plan that a directory keeps, whose units have been measured
/// ([`measure_some`](super::some::measure_some)): the same to the byte as those of a run. With `partial` of those units that have.
///
/// # Errors
/// [`Error::Incomplete`] naming the units that are not whole, all of them where `partial` is asked for and none is; otherwise as
/// [`run_with_report`].
pub fn merge(
    out: &Path,
    partial: bool,
    progress: &dyn Progress,
) -> Result<(Done, Option<PathBuf>)> {
    merged(out, partial, None, progress)
}

/// As [`merge`], with other settings of the calibration than those of the plan: zero points and all products anew, and nothing measured.
///
/// # Errors
/// As [`merge`].
pub fn recalibrate(
    out: &Path,
    options: &CalibrateOptions,
    progress: &dyn Progress,
) -> Result<(Done, Option<PathBuf>)> {
    merged(out, false, Some(options), progress)
}

fn merged(
    out: &Path,
    partial: bool,
    calibrate: Option<&CalibrateOptions>,
    progress: &dyn Progress,
) -> Result<(Done, Option<PathBuf>)> {
    let head = kept_plan::expect(out)?;
    let mut config = RunConfig::of_settings(&head.settings, out)?;
    // A plan that was made by overwriting goes on as one.
    config.overwrite = !head.attempt.is_empty() && directory::is_next(out, &head.attempt)?;
    let mut settings = head.settings.clone();
    if let Some(options) = calibrate {
        config.calibrate = options.clone();
        settings.extend(of_calibration(&config.identity()?));
    }
    let begun = Begun::now(settings);
    let dir = RunDir::open(&config, &begun.settings)?;
    let mut plan = head.plan(out, |_| true)?;
    let mut units = Vec::new();
    let mut lacking = Vec::new();
    let mut whole = Vec::new();
    for (i, file) in unit_files(&plan, &dir)?.into_iter().enumerate() {
        match file.usable() {
            Some(header) => {
                whole.push(true);
                units.push(UnitDone {
                    file,
                    header,
                    reused: false,
                    again: false,
                });
            }
            None => {
                whole.push(false);
                lacking.push(head.units[i].called(i));
            }
        }
    }
    if !lacking.is_empty() && (!partial || units.is_empty()) {
        return Err(Error::Incomplete {
            dir: out.to_owned(),
            total: head.units.len(),
            units: lacking,
        });
    }
    let mut is_whole = whole.into_iter();
    plan.units.retain(|_| is_whole.next().unwrap_or(false));
    let ran = Ran {
        backend: config.backend.clone(),
        device: None,
        clocks: StageClocks::default(),
        lacking,
    };
    let settings = begun.settings.clone();
    let (done, made) = finish(&config, &dir, plan, units, begun, ran, progress)?;
    // The plan goes on from what was asked for last: otherwise a later merge would silently undo it.
    kept_plan::change_settings(out, head, settings)?;
    Ok((done, page(&config, made)?))
}

/// What the measurement ran on, and the time of its stages.
struct Ran {
    backend: String,
    device: Option<DeviceUse>,
    clocks: StageClocks,
    /// Units that were not measured.
    lacking: Vec<String>,
}

/// Calibrates, and writes the products.
fn finish(
    config: &RunConfig,
    dir: &RunDir,
    plan: Plan,
    mut units: Vec<UnitDone>,
    begun: Begun,
    ran: Ran,
    progress: &dyn Progress,
) -> Result<(Done, Option<Products>)> {
    let (clocks, lacking) = (&ran.clocks, ran.lacking.clone());
    let mut gathered = clocks.time(Stage::Write, || gather(config, plan, &mut units))?;

    let mut stages = Laps::after(clocks);
    let rows = std::mem::take(&mut gathered.catalogue);
    let made = match rows.is_empty() {
        true => None,
        false => {
            let names = &gathered.star_names;
            Some(catalogue::calibrated(rows, names, &config.calibrate)?)
        }
    };
    stages.lap("calibration");
    let list = || catalogue::rejected::to_table(&gathered.rejected).prepare(&dir.rejected_path());
    let (mut products, mut rejected_path) = (Vec::new(), Some(dir.rejected_path()));
    match &made {
        Some(made) => {
            products = prepare(config, dir, made, progress)?;
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
        ..begun.record(config, ran, made.as_ref())
    };
    if made.is_some() {
        publish(dir, products, &record, &gathered.missing)?;
        // What is missing is more likely not mounted than meant to be forgotten.
        if gathered.missing.is_empty() && lacking.is_empty() {
            dir.forget_older(&paths(units.iter().map(|unit| &unit.file)))?;
        }
    }
    let done = Done {
        record,
        rejected: gathered.rejected,
        rejected_path,
        changes: dir.changes(),
        lacking,
    };
    Ok((done, made))
}

/// Gives the products their names, `run.json` last.
fn publish(
    dir: &RunDir,
    products: Vec<(String, Prepared)>,
    record: &Record,
    missing: &[Rejection],
) -> Result<()> {
    let path = dir.record_path();
    let json = serde_json::to_vec_pretty(record)
        .map_err(|e| Error::io(&path, std::io::Error::other(e)))?;
    dir.replace(products, Prepared::of_bytes(&path, &json)?, missing)
}

/// When and with which settings a run began.
struct Begun {
    started: SystemTime,
    start: Instant,
    settings: Map<String, Value>,
}

impl Begun {
    fn now(settings: Map<String, Value>) -> Self {
        Begun {
            started: SystemTime::now(),
            start: Instant::now(),
            settings,
        }
    }

    /// What `run.json` says of settings, machine, time and calibration.
    fn record(self, config: &RunConfig, ran: Ran, made: Option<&Products>) -> Record {
        let mut effective = self.settings;
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
            backend: ran.backend,
            device: ran.device,
            peak_memory_bytes: peak_memory_bytes(),
            counts: Counts::default(),
            units: Vec::new(),
            calibration: made.map_or_else(Vec::new, |m| m.arms.clone()),
            verdicts: made.map(|m| Verdicts::of(&m.stars)),
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

/// Writes all tables in all formats, up to their names.
fn prepare(
    config: &RunConfig,
    dir: &RunDir,
    made: &Products,
    progress: &dyn Progress,
) -> Result<Vec<(String, Prepared)>> {
    let mut products: Vec<(String, Prepared)> = Vec::new();
    let about = about::of_run(config, &made.catalogue)?;
    for name in catalogue::TABLES {
        let rows = made.pieces(name, config.flags_text, &config.measure.arms);
        for format in &config.formats {
            if progress.cancelled() {
                return Err(Error::Interrupted(format!(
                    "stopped: everything is measured, but the products are not written; the same command goes on in {}",
                    config.out.display()
                )));
            }
            let name = format!("{name}.{}", format.ending());
            if !products.iter().any(|(known, _)| *known == name) {
                let table = table::write::prepare(&*rows, &dir.path(&name), &about)?.closed();
                products.push((name, table));
            }
        }
    }
    Ok(products)
}
