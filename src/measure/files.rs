//! From files to velocities.
//!
//! Two passes, so that memory does not grow with the number of files: [`Plan`] reads primary headers alone and groups
//! the files by star; [`measure_units`] goes through the stars in bites (`super::bites`), which are read and measured together; of a
//! bite's spectra only the rows stay in memory.
//! While one bite is measured (and its unit written) the next one is read and normalised: two bites at most are in memory.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::bites::{Bite, bites};
use super::coadd::against_coadds;
use super::comparison::ReferenceKind;
use super::config::MeasureConfig;
use super::first_pass::{FirstPass, first_pass};
use super::job::{Job, Latched, Progress};
use super::memory::{self, Budget};
use super::moonlight::{self, Lit};
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
    /// Files whose water lines and moonlight were not taken out, as they do not say by what velocity their wavelengths were moved.
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

/// What is known of a unit while it is measured, or of a part of it.
#[derive(Default)]
struct Growing {
    unit: MeasuredUnit,
    /// The sunlight in its rows.
    lit: Vec<Lit>,
}

impl Growing {
    /// Adds what another part of the unit gave.
    fn append(&mut self, part: Growing) {
        let n_rows = self.unit.rows.len();
        let moved = part.lit.into_iter().map(|lit| Lit {
            row: n_rows + lit.row,
            ..lit
        });
        self.lit.extend(moved);
        self.unit.rows.extend(part.unit.rows);
        self.unit.rejected.extend(part.unit.rejected);
        self.unit.n_spectra += part.unit.n_spectra;
    }

    /// The unit, all of whose stars have been measured.
    fn whole(mut self, air: Air) -> MeasuredUnit {
        moonlight::correct(&mut self.unit.rows, &self.lit);
        self.unit.air = air;
        sort_rows(&mut self.unit.rows);
        sort_rejections(&mut self.unit.rejected);
        self.unit
    }
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
        n_without_helio_rv: match config.needs_helio_rv() {
            true => plan.n_without_helio_rv,
            false => 0,
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

/// Measures the units whose numbers are in `todo`, one after the other, and hands each to `done` when it is whole.
///
/// # Errors
/// What the back end or `done` says; [`Error::Interrupted`] when it was cancelled.
pub fn measure_units(
    job: &Job<'_>,
    todo: &[usize],
    mut done: impl FnMut(usize, MeasuredUnit) -> Result<()> + Send,
) -> Result<()> {
    let progress = Latched::new(job.progress);
    let job = &Job {
        progress: &progress,
        ..*job
    };
    let budget = Budget::new(job.config);
    let air: Vec<OnceLock<Air>> = todo.iter().map(|_| OnceLock::new()).collect();
    let bites = bites(job, budget, todo, &air);
    let files_todo: usize = bites.iter().map(Bite::n_files).sum();
    let mut n_done = job.plan.n_files - files_todo;
    job.progress.files(n_done, job.plan.n_files);
    let prepare_bite = |bite: Option<&Bite<'_>>| {
        bite.map_or(Ok(Vec::new()), |bite| prepare_bite(job, budget, bite))
    };
    let mut unit = Growing::default();
    let mut prepared = prepare_bite(bites.first())?;
    for (i, bite) in bites.iter().enumerate() {
        let next = bites.get(i + 1);
        let mut measure = || {
            let parts = measure_bite(job, bite, std::mem::take(&mut prepared))?;
            if job.progress.cancelled() {
                return Err(Error::Interrupted(String::new()));
            }
            for (part, measured) in bite.parts.iter().zip(parts) {
                unit.append(measured);
                if part.is_last {
                    let air = part.air.get().cloned().unwrap_or_default();
                    let unit = std::mem::take(&mut unit).whole(air);
                    job.clocks.time(Stage::Write, || done(part.unit, unit))?;
                }
            }
            n_done += bite.n_files();
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

/// Reads and normalises a bite's stars, part by part in their order.
fn prepare_bite(job: &Job<'_>, budget: Budget, bite: &Bite<'_>) -> Result<Vec<PreparedStar>> {
    for part in &bite.parts {
        // Bites are prepared one after the other, so no other thread looks for the unit's water lines at the same time.
        if part.air.get().is_none() {
            let unit = &job.plan.units[part.unit];
            let made = Air::of_unit(job.config, unit, job.plan, job.clocks)?;
            part.air.get_or_init(|| made);
        }
    }
    let mut stars: Vec<(&Star, &Air)> = Vec::new();
    for part in &bite.parts {
        let air = part.air.get_or_init(Air::default);
        stars.extend(part.stars.iter().map(|(_, star)| (star, air)));
    }
    stars
        .into_par_iter()
        .map_init(Workspace::default, |workspace, (star, air)| {
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
}

/// Measures what was prepared of a bite's stars; what each of its parts gives.
fn measure_bite(
    job: &Job<'_>,
    bite: &Bite<'_>,
    prepared: Vec<PreparedStar>,
) -> Result<Vec<Growing>> {
    let mut units: Vec<Growing> = Vec::new();
    units.resize_with(bite.parts.len(), Growing::default);
    let mut jobs = Vec::new();
    let parts = bite.parts.iter().enumerate();
    let stars = parts.flat_map(|(part, of)| of.stars.iter().map(move |star| (part, star)));
    for ((part, (number, star)), prepared) in stars.zip(prepared) {
        units[part].unit.n_spectra += prepared.n_spectra;
        units[part].unit.rejected.extend(prepared.rejected);
        let arms = prepared.arms.into_iter();
        jobs.extend(arms.map(|arm| ((part, *number, star), arm)));
    }
    let comparison = job.config.comparison();
    let mut places = Vec::new();
    let mut stars = Vec::new();
    for arm in &job.config.arms {
        let (of_arm, others): (Vec<_>, _) = jobs
            .into_iter()
            .partition(|(_, prepared): &(_, PreparedArm)| prepared.arm == *arm);
        jobs = others;
        let mut of_stars = Vec::with_capacity(of_arm.len());
        for ((part, number, star), prepared) in of_arm {
            of_stars.push((number, prepared.prepared));
            places.push(Place {
                part,
                number,
                star,
                arm: prepared.arm,
                exposures: prepared.exposures,
            });
        }
        stars.extend(first_pass(&comparison, of_stars, job.backend, job.clocks)?);
    }
    if comparison.reference == ReferenceKind::Coadd {
        let cancelled = || job.progress.cancelled();
        against_coadds(&comparison, &mut stars, job.clocks, &cancelled);
    }
    let mut clock = Clock::default();
    for (place, mut measured) in places.into_iter().zip(stars) {
        measured.flag();
        let unit = &mut units[place.part];
        add_rows(&mut clock, place, measured, unit);
    }
    Ok(units)
}

/// The star, arm and exposures that a measurement belongs to.
struct Place<'a> {
    /// Part of the bite.
    part: usize,
    number: i64,
    star: &'a Star,
    arm: Arm,
    exposures: Vec<Exposure>,
}

/// Adds a star's rows in one arm.
fn add_rows(clock: &mut Clock, place: Place<'_>, measured: FirstPass, unit: &mut Growing) {
    let (rows, lit) = (&mut unit.unit.rows, &mut unit.lit);
    let Place {
        number,
        star,
        arm,
        exposures,
        ..
    } = place;
    let designation: Arc<str> = star.designation.as_str().into();
    for (i, (exposure, mut measurement)) in
        exposures.into_iter().zip(measured.measurements).enumerate()
    {
        let noise_scale = measured.noise_scale.get(i).copied().unwrap_or(1.0);
        measurement.flags |= exposure.flags;
        lit.push(Lit {
            row: rows.len(),
            sunlit: measured.sunlit.get(i).copied().flatten(),
            light: exposure.light,
            helio_rv_km_s: exposure.helio_rv_km_s.unwrap_or(0.0),
        });
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
