//! From files to velocities.
//!
//! Two passes, so that memory does not grow with the number of files: [`Plan`] reads primary headers alone and groups
//! the files by star; [`measure_units`] goes through the stars in bites. A bite is a run of stars of one unit (plate and
//! spectrograph), with some 32 files or more, that are read and measured together; of its spectra only the rows stay in memory.
//! While one bite is measured (and its unit written) the next one is read and normalised: two bites at most are in memory.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::coadd::against_coadds;
use super::comparison::ReferenceKind;
use super::config::MeasureConfig;
use super::first_pass::{FirstPass, first_pass};
use super::memory::{self, Budget};
use super::plan::Plan;
use super::row::RvRow;
use super::stages::{Stage, StageClocks};
use super::star::{Exposure, PreparedArm, PreparedStar, prepare};
use super::telluric::Air;
use super::workspace::Workspace;
use crate::lamost::raw::Rejection;
use crate::lamost::stars::{KnownStars, Star};
use crate::lamost::times::Clock;
use crate::likelihood::Likelihood;
use crate::{Arm, Error, Result};

/// Files of one bite, at least: enough spectra for a call of the back end, and few enough that they are still in the processor's
/// caches when they are measured.
const FILES_PER_BITE: usize = 32;
/// A bite has more files than that until it has so many stars for each thread (a star is read by one thread), or so many files.
const STARS_PER_THREAD: usize = 4;
const MOST_FILES_PER_BITE: usize = 1024;

/// What a measurement gives.
#[derive(Debug)]
pub struct Measured {
    /// One row per measured spectrum, by star, arm and time.
    pub rows: Vec<RvRow>,
    /// Everything that was not measured, by file.
    pub rejected: Vec<Rejection>,
    /// Files found, and inputs that gave none: each was read or is in `rejected` without an HDU.
    pub n_files: usize,
    /// Exposures of single arms found in them: each is a row or is in `rejected` with its HDU.
    pub n_spectra: usize,
    /// Stars with at least one row.
    pub n_stars: usize,
    /// Files whose water lines were not divided out, as they do not say by what velocity their wavelengths were moved.
    pub n_without_helio_rv: usize,
    /// Files whose wavelengths were moved into the Sun's frame or into vacuum.
    pub n_moved: usize,
    /// Strengths of the water lines, by the numbers of the units.
    pub air: Vec<(usize, Air)>,
    /// Time of each stage, summed over threads.
    pub clocks: StageClocks,
    /// Time from start to end.
    pub wall: Duration,
}

/// What one unit gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasuredUnit {
    /// One row per measured spectrum, by star, arm and time.
    pub rows: Vec<RvRow>,
    /// Everything of its files that was not measured, by file.
    pub rejected: Vec<Rejection>,
    /// Exposures of single arms found in its files.
    pub n_spectra: usize,
    /// Strengths of the water lines in its exposures.
    pub air: Air,
}

/// Is told how far a measurement has come, and can end it.
pub trait Progress: Sync {
    /// `done` of `total` files have been read, measured and forgotten.
    fn files(&self, done: usize, total: usize);

    /// `done` of `total` spectra that the caller gave as arrays have been measured.
    fn spectra(&self, _done: usize, _total: usize) {}

    /// The work is to end as soon as it can.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Progress for () {
    fn files(&self, _: usize, _: usize) {}
}

/// Measures every usable exposure in `inputs` (files, directories, `@list`s) against its star's reference.
///
/// # Errors
/// What the back end says.
pub fn measure<P: AsRef<Path>>(
    config: &MeasureConfig,
    inputs: &[P],
    backend: &dyn Likelihood,
    progress: &dyn Progress,
) -> Result<Measured> {
    let start = Instant::now();
    let clocks = StageClocks::default();
    let mut plan = Plan::new(inputs, &KnownStars::default(), &clocks)?;
    let all: Vec<usize> = (0..plan.units.len()).collect();
    let mut rows: Vec<RvRow> = Vec::new();
    let mut rejected = std::mem::take(&mut plan.rejected);
    let mut n_spectra = 0;
    let mut air = Vec::new();
    let job = Job {
        config,
        plan: &plan,
        backend,
        progress,
        clocks: &clocks,
    };
    measure_units(&job, &all, |i, unit| {
        air.push((i, unit.air));
        rows.extend(unit.rows);
        rejected.extend(unit.rejected);
        n_spectra += unit.n_spectra;
        Ok(())
    })?;
    sort_rows(&mut rows);
    sort_rejections(&mut rejected);
    Ok(Measured {
        n_files: plan.n_files,
        n_moved: plan.n_moved,
        n_without_helio_rv: if config.corrects_water() {
            plan.n_without_helio_rv
        } else {
            0
        },
        air,
        n_spectra,
        n_stars: count_stars(&rows),
        rows,
        rejected,
        clocks,
        wall: start.elapsed(),
    })
}

/// By star, arm and time.
pub fn sort_rows(rows: &mut [RvRow]) {
    rows.sort_by_key(|r| (r.star, r.arm, r.lmjm, r.spid, r.fiberid));
}

/// By file.
pub fn sort_rejections(rejected: &mut [Rejection]) {
    rejected.sort_by(|a, b| (&a.path, &a.hdu).cmp(&(&b.path, &b.hdu)));
}

/// Stars in sorted rows.
pub fn count_stars(rows: &[RvRow]) -> usize {
    rows.chunk_by(|a, b| a.star == b.star).count()
}

/// All that the measurement of units needs.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Settings.
    pub config: &'a MeasureConfig,
    /// What is to be done.
    pub plan: &'a Plan,
    /// Where likelihoods are evaluated.
    pub backend: &'a dyn Likelihood,
    /// Is told how far the work is.
    pub progress: &'a dyn Progress,
    /// Where time is counted.
    pub clocks: &'a StageClocks,
}

/// Stars that are read and measured together, all of one unit.
struct Bite<'a> {
    unit: usize,
    stars: &'a [(i64, Star)],
    /// The unit's last.
    is_last: bool,
    /// The unit's water lines, known once its first bite is prepared.
    air: &'a OnceLock<Air>,
    /// Memory that it takes.
    bytes: f64,
}

/// Measures the units whose numbers are in `todo`, one after the other, and hands each to `done` when it is whole.
///
/// # Errors
/// What the back end or `done` says; [`Error::Interrupted`] when it was cancelled.
pub fn measure_units(
    job: &Job<'_>,
    todo: &[usize],
    mut done: impl FnMut(usize, MeasuredUnit) -> Result<()> + Send,
) -> Result<()> {
    let budget = Budget::new(job.config);
    let air: Vec<OnceLock<Air>> = todo.iter().map(|_| OnceLock::new()).collect();
    let bites: Vec<Bite> = todo
        .iter()
        .zip(&air)
        .flat_map(|(&unit, air)| bites(job, budget, unit, air))
        .collect();
    let files_todo: usize = bites.iter().map(|b| n_files(b.stars)).sum();
    let mut n_done = job.plan.n_files - files_todo;
    job.progress.files(n_done, job.plan.n_files);
    let prepare_bite = |bite: &Bite<'_>| -> Result<Vec<PreparedStar>> {
        // Bites are prepared one after the other, so no other thread looks for the unit's water lines at the same time.
        if bite.air.get().is_none() {
            let unit = &job.plan.units[bite.unit];
            let made = Air::of_unit(job.config, unit, job.plan, job.clocks)?;
            bite.air.get_or_init(|| made);
        }
        let air = bite.air.get_or_init(Air::default);
        bite.stars
            .par_iter()
            .map_init(Workspace::default, |workspace, (_, star)| {
                if job.progress.cancelled() {
                    return Ok(PreparedStar::default());
                }
                let bytes = memory::of_star(job.config, job.plan, star);
                if let Some(why) = budget.too_small_for(star, bytes) {
                    return Ok(PreparedStar::too_large(star, job.plan, &why));
                }
                let star = prepare(job.config, star, job.plan, air, workspace, job.clocks);
                match star.rejected.iter().find_map(Rejection::fault) {
                    Some(fault) => Err(fault),
                    None => Ok(star),
                }
            })
            .collect()
    };
    let mut unit = MeasuredUnit::default();
    let prepare_bite = |bite: Option<&Bite<'_>>| bite.map_or(Ok(Vec::new()), &prepare_bite);
    let mut prepared = prepare_bite(bites.first())?;
    for (i, bite) in bites.iter().enumerate() {
        let next = bites.get(i + 1);
        let mut measure = || {
            measure_bite(job, bite, std::mem::take(&mut prepared), &mut unit)?;
            if job.progress.cancelled() {
                return Err(Error::Interrupted(String::new()));
            }
            if bite.is_last {
                let mut unit = std::mem::take(&mut unit);
                unit.air = bite.air.get().cloned().unwrap_or_default();
                sort_rows(&mut unit.rows);
                sort_rejections(&mut unit.rejected);
                job.clocks.time(Stage::Write, || done(bite.unit, unit))?;
            }
            n_done += n_files(bite.stars);
            job.progress.files(n_done, job.plan.n_files);
            Ok(())
        };
        let is_room = next.is_none_or(|next| budget.holds_both(bite.bytes, next.bytes));
        let (next, measured) = match is_room {
            true => rayon::join(|| prepare_bite(next), measure),
            // Together they would exceed the memory: the next bite is prepared after this one was measured.
            false => {
                measure()?;
                (prepare_bite(next), Ok(()))
            }
        };
        measured?;
        prepared = next?;
    }
    Ok(())
}

fn n_files(stars: &[(i64, Star)]) -> usize {
    stars.iter().map(|(_, star)| star.members.len()).sum()
}

/// Files in memory at once, at most, if stars have this many files.
pub fn files_in_flight(files_per_star: f64) -> f64 {
    let for_threads = (STARS_PER_THREAD * rayon::current_num_threads()) as f64 * files_per_star;
    2.0 * for_threads.clamp(FILES_PER_BITE as f64, MOST_FILES_PER_BITE as f64)
}

/// Cuts a unit's stars into bites.
fn bites<'a>(
    job: &Job<'a>,
    budget: Budget,
    unit: usize,
    air: &'a OnceLock<Air>,
) -> impl Iterator<Item = Bite<'a>> {
    let job = *job;
    let mut rest = &job.plan.units[unit].stars[..];
    let n_stars = STARS_PER_THREAD * rayon::current_num_threads();
    std::iter::from_fn(move || {
        let (mut files, mut bytes) = (0, 0.0);
        let mut end = 0;
        let few = |stars, files| {
            files < FILES_PER_BITE || (stars < n_stars && files < MOST_FILES_PER_BITE)
        };
        while end < rest.len() && (end == 0 || few(end, files)) {
            let more = memory::of_star(job.config, job.plan, &rest[end].1);
            if end > 0 && !budget.holds_bite(bytes + more) {
                break;
            }
            files += rest[end].1.members.len();
            bytes += more;
            end += 1;
        }
        let (stars, after) = rest.split_at(end);
        rest = after;
        (!stars.is_empty()).then_some(Bite {
            unit,
            stars,
            is_last: after.is_empty(),
            air,
            bytes,
        })
    })
}

/// Measures what was prepared of a bite's stars.
fn measure_bite(
    job: &Job<'_>,
    bite: &Bite<'_>,
    prepared: Vec<PreparedStar>,
    unit: &mut MeasuredUnit,
) -> Result<()> {
    let mut jobs = Vec::new();
    for ((number, star), prepared) in bite.stars.iter().zip(prepared) {
        unit.n_spectra += prepared.n_spectra;
        unit.rejected.extend(prepared.rejected);
        jobs.extend(prepared.arms.into_iter().map(|arm| (*number, star, arm)));
    }
    let comparison = job.config.comparison();
    let mut places = Vec::new();
    let mut stars = Vec::new();
    for arm in &job.config.arms {
        let (of_arm, others): (Vec<_>, _) = jobs
            .into_iter()
            .partition(|(_, _, prepared): &(_, _, PreparedArm)| prepared.arm == *arm);
        jobs = others;
        let mut of_stars = Vec::with_capacity(of_arm.len());
        for (number, star, prepared) in of_arm {
            of_stars.push((number, prepared.prepared));
            places.push(Place {
                number,
                star,
                arm: prepared.arm,
                exposures: prepared.exposures,
            });
        }
        stars.extend(first_pass(&comparison, of_stars, job.backend, job.clocks)?);
    }
    if comparison.reference == ReferenceKind::Coadd {
        against_coadds(&comparison, &mut stars, job.clocks);
    }
    let mut clock = Clock::default();
    for (place, mut measured) in places.into_iter().zip(stars) {
        measured.flag();
        add_rows(&mut clock, place, measured, &mut unit.rows);
    }
    Ok(())
}

/// The star, arm and exposures that a measurement belongs to.
struct Place<'a> {
    number: i64,
    star: &'a Star,
    arm: Arm,
    exposures: Vec<Exposure>,
}

/// Adds a star's rows in one arm.
fn add_rows(clock: &mut Clock, place: Place<'_>, measured: FirstPass, rows: &mut Vec<RvRow>) {
    let Place {
        number,
        star,
        arm,
        exposures,
    } = place;
    let designation: Arc<str> = star.designation.as_str().into();
    for (i, (exposure, mut measurement)) in
        exposures.into_iter().zip(measured.measurements).enumerate()
    {
        let noise_scale = measured.noise_scale.get(i).copied().unwrap_or(1.0);
        measurement.flags |= exposure.flags;
        let header = &exposure.header;
        let dates = clock.dates(exposure.lmjm, exposure.mid_s, star.ra_deg, star.dec_deg);
        rows.push(RvRow {
            star: number,
            designation: designation.clone(),
            ra_deg: star.ra_deg,
            dec_deg: star.dec_deg,
            obsid: header.obsid,
            planid: header.planid.as_str().into(),
            spid: header.spid,
            fiberid: header.fiberid,
            arm,
            lmjm: exposure.lmjm,
            hjd: dates.hjd,
            bjd_tdb: dates.bjd_tdb,
            snr: exposure.snr,
            measurement,
            is_reference: i == measured.best,
            n_reference: measured.n_reference,
            noise_scale,
            path: header.path.clone(),
        });
    }
}
