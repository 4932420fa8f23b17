//! From files to velocities: `relrv measure`.
//!
//! Two passes, so that memory does not grow with the number of files: the first reads primary headers alone and groups
//! the files by star; the second goes through the stars in bites of a plate's size, each read, normalised, measured and
//! forgotten but for its rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::rv_table::RvRow;
use super::stages::{Stage, StageClocks};
use super::star::{Prepared, PreparedStar, Workspace, prepare};
use crate::io::hjd::HjdClock;
use crate::io::inflate::Inflater;
use crate::io::raw::{FileHeader, Rejection};
use crate::io::stars::{self, Star};
use crate::io::{inputs, mrs};
use crate::likelihood::{Batch, Likelihood, Measurement, VelocityGrid, flags};
use crate::spectrum::SpectrumConfig;
use crate::{Arm, Result};

/// Files of one bite: the exposures of a plate's spectrograph in a few nights. 50-100 MB of pixels.
const FILES_PER_BITE: usize = 64;

/// Settings of a measurement.
#[derive(Clone, Debug)]
pub struct MeasureConfig {
    /// Arms to measure.
    pub arms: Vec<Arm>,
    /// Exposures with a lower signal-to-noise ratio are left out (paper: 5).
    pub snr_min: f64,
    /// Velocities.
    pub grid: VelocityGrid,
    /// Masks and continuum.
    pub spectrum: SpectrumConfig,
    /// Knot spacing of the reference, pixels.
    pub knot_pixels: usize,
}

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
    /// Time of each stage, summed over threads.
    pub clocks: StageClocks,
    /// Time from start to end.
    pub wall: Duration,
}

/// Is told how far a measurement has come: files done, files in all.
pub trait Progress: Sync {
    /// `done` of `total` files have been read, measured and forgotten.
    fn files(&self, done: usize, total: usize);
}

impl Progress for () {
    fn files(&self, _: usize, _: usize) {}
}

/// Measures every usable exposure in `inputs` (files, directories, `@list`s) against its star's reference.
pub fn measure<P: AsRef<Path>>(
    config: &MeasureConfig,
    inputs: &[P],
    backend: &dyn Likelihood,
    progress: &dyn Progress,
) -> Result<Measured> {
    let start = Instant::now();
    let clocks = StageClocks::default();
    let (paths, mut rejected) = inputs::expand(inputs);
    let n_files = paths.len() + rejected.len();
    let (paths, headers) = read_headers(paths, &mut rejected, &clocks);
    let stars = stars_by_plate(&headers);
    drop(headers);

    let mut rows: Vec<RvRow> = Vec::new();
    let mut n_spectra = 0;
    let mut done = n_files - paths.len();
    for bite in bites(&stars) {
        let prepared: Vec<PreparedStar> = bite
            .par_iter()
            .map_init(Workspace::default, |workspace, (_, star)| {
                prepare(config, star, &paths, workspace, &clocks)
            })
            .collect();
        let mut jobs = Vec::new();
        for ((number, star), prepared) in bite.iter().zip(prepared) {
            n_spectra += prepared.n_spectra;
            rejected.extend(prepared.rejected);
            jobs.extend(prepared.arms.into_iter().map(|arm| (*number, star, arm)));
        }
        for arm in &config.arms {
            let (of_arm, others) = jobs
                .into_iter()
                .partition(|(_, _, job): &(_, _, Prepared)| job.arm == *arm);
            jobs = others;
            measure_arm(config, of_arm, backend, &clocks, &mut rows)?;
        }
        done += bite
            .iter()
            .map(|(_, star)| star.members.len())
            .sum::<usize>();
        progress.files(done, n_files);
    }
    rows.sort_by_key(|r| (r.star, r.arm, r.lmjm, r.spid, r.fiberid));
    rejected.sort_by(|a, b| (&a.path, &a.hdu).cmp(&(&b.path, &b.hdu)));
    let mut n_stars = 0;
    let mut last = 0;
    for row in &rows {
        n_stars += usize::from(row.star != last);
        last = row.star;
    }
    Ok(Measured {
        rows,
        rejected,
        n_files,
        n_spectra,
        n_stars,
        clocks,
        wall: start.elapsed(),
    })
}

/// First pass: which files are of which star.
fn read_headers(
    paths: Vec<PathBuf>,
    rejected: &mut Vec<Rejection>,
    clocks: &StageClocks,
) -> (Vec<PathBuf>, Vec<FileHeader>) {
    let read = |inflater: &mut Inflater, path: &PathBuf| {
        clocks.time(Stage::Headers, || mrs::read_header(path, inflater))
    };
    let results: Vec<_> = paths.par_iter().map_init(Inflater::default, read).collect();
    let mut kept = Vec::with_capacity(paths.len());
    let mut headers = Vec::with_capacity(paths.len());
    for (path, result) in paths.into_iter().zip(results) {
        match result {
            Ok(header) => {
                kept.push(path);
                headers.push(header);
            }
            Err(rejection) => rejected.push(rejection),
        }
    }
    (kept, headers)
}

/// The stars with their numbers (from 1, by right ascension), those of one plate and spectrograph side by side.
fn stars_by_plate(headers: &[FileHeader]) -> Vec<(i64, Star)> {
    let mut stars: Vec<(i64, Star)> = (1..).zip(stars::group(headers)).collect();
    let place = |star: &Star| {
        star.members
            .first()
            .map(|m| (&headers[*m].planid, headers[*m].spid, headers[*m].fiberid))
    };
    stars.sort_by(|(_, a), (_, b)| place(a).cmp(&place(b)));
    stars
}

/// Cuts the stars into pieces of about [`FILES_PER_BITE`] files.
fn bites(stars: &[(i64, Star)]) -> impl Iterator<Item = &[(i64, Star)]> {
    let mut rest = stars;
    std::iter::from_fn(move || {
        let mut files = 0;
        let mut end = 0;
        while end < rest.len() && (end == 0 || files < FILES_PER_BITE) {
            files += rest[end].1.members.len();
            end += 1;
        }
        let (bite, after) = rest.split_at(end);
        rest = after;
        (!bite.is_empty()).then_some(bite)
    })
}

/// Measures the prepared exposures of one arm in one call of the back end.
fn measure_arm(
    config: &MeasureConfig,
    jobs: Vec<(i64, &Star, Prepared)>,
    backend: &dyn Likelihood,
    clocks: &StageClocks,
    rows: &mut Vec<RvRow>,
) -> Result<()> {
    let mut batch = Batch {
        grid: config.grid,
        tables: Vec::new(),
        spectra: Vec::new(),
    };
    let mut places = Vec::new();
    for (number, star, job) in jobs {
        let table = batch.tables.len();
        batch.tables.push(job.table);
        batch
            .spectra
            .extend(job.pixels.into_iter().map(|p| p.with_table(table)));
        places.push((number, star, job.arm, job.reference, job.exposures));
    }
    let start = Instant::now();
    let measurements = backend.measure(&batch)?;
    clocks.add(
        Stage::Likelihood,
        start.elapsed() * rayon::current_num_threads() as u32,
    );
    let mut clock = HjdClock::default();
    let mut measurements = measurements.into_iter();
    for (number, star, arm, reference, exposures) in places {
        let source_id: Arc<str> = star.source_id.as_str().into();
        let single = exposures.len() == 1;
        for (i, (exposure, mut measurement)) in
            exposures.into_iter().zip(&mut measurements).enumerate()
        {
            note_exposure(&mut measurement, exposure.wave_as_stored, single);
            let header = &exposure.header;
            rows.push(RvRow {
                star: number,
                source_id: source_id.clone(),
                ra_deg: star.ra_deg,
                dec_deg: star.dec_deg,
                obsid: header.obsid,
                planid: header.planid.as_str().into(),
                spid: header.spid,
                fiberid: header.fiberid,
                arm,
                lmjm: exposure.lmjm,
                hjd: clock.hjd_mid(exposure.lmjm, exposure.exptime_s, star.ra_deg, star.dec_deg),
                snr: exposure.snr,
                measurement,
                is_reference: i == reference,
                path: header.path.clone(),
            });
        }
    }
    Ok(())
}

/// Adds the flags that the likelihood cannot know.
fn note_exposure(measurement: &mut Measurement, wave_as_stored: bool, single: bool) {
    if wave_as_stored {
        measurement.flags |= flags::WAVE_AS_STORED;
    }
    if single {
        measurement.flags |= flags::SINGLE_EXPOSURE;
    }
}
