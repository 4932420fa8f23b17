//! From files to velocities.
//!
//! [`Plan`] reads primary headers alone and groups the files by star; [`measure_units`] reads and measures the stars, and keeps only
//! their rows in memory.

use std::path::Path;
use std::time::{Duration, Instant};

use super::config::MeasureConfig;
use super::flow::measure_units;
use super::job::{Job, Progress};
use super::plan::Plan;
use super::row::RvRow;
use super::stages::StageClocks;
use super::telluric::Air;
use super::unit::{MeasuredUnit, count_stars, sort_rejections, sort_rows};
use crate::Result;
use crate::lamost::raw::Rejection;
use crate::lamost::stars::KnownStars;
use crate::likelihood::Likelihood;

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
    measure_units(&job, &all, &mut |i: usize, unit: MeasuredUnit| {
        air.push((i, unit.air));
        rows.extend(unit.rows);
        rejected.extend(unit.rejected);
        n_spectra += unit.n_spectra;
        Ok(())
    })?;
    air.sort_by_key(|(unit, _)| *unit);
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
