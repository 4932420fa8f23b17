//! The likelihood on the CPU: some spectra of one star a task, velocities as SIMD lanes.
//!
//! A task makes the table of its star's reference and measures its spectra with it while the table is in the caches.

use rayon::prelude::*;

use super::Likelihood;
use super::batch::{Batch, SpectrumPixels};
use super::grid::VelocityGrid;
use super::kernel::{FINE_LANES, LANES, Place, exact_fine_tile, exact_tile, places};
use super::peak::{FINE_PER_STEP, FINE_SIDE, Measurement, PeakContext, Refinement, measure_peak};
use super::precision_sums::precision_sums;
use super::reference_table::ReferenceTable;
use super::search::{NearPlace, search};

/// Spectra of one star that a task has, at most: so few that all threads have work, and so many that the table, which costs as much as a
/// fifth of a spectrum, is not made often.
const TASK: usize = 16;

/// The CPU back end; spectra of a batch are spread over rayon's current pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Cpu {
    /// What [`Likelihood::measure`] gives, by the calling thread alone.
    pub fn measure_in_turn(&self, batch: &Batch) -> Vec<Measurement> {
        let mut scratch = Scratch::default();
        let tasks = tasks(batch);
        tasks.flat_map(|task| scratch.task(batch, task)).collect()
    }
}

/// The batch's spectra in runs of the same reference.
fn tasks(batch: &Batch) -> impl Iterator<Item = &[SpectrumPixels]> {
    let of_one = batch.spectra.chunk_by(|a, b| a.reference == b.reference);
    of_one.flat_map(|spectra| spectra.chunks(TASK))
}

impl Likelihood for Cpu {
    fn name(&self) -> String {
        let features = if cfg!(target_arch = "aarch64") {
            "NEON"
        } else if fma_at_run_time() {
            "AVX2"
        } else {
            "baseline"
        };
        let threads = match rayon::current_num_threads() {
            1 => "1 thread".to_owned(),
            n => format!("{n} threads"),
        };
        format!("CPU ({features}, {threads})")
    }

    fn measure(&self, batch: &Batch) -> crate::Result<Vec<Measurement>> {
        let tasks: Vec<&[SpectrumPixels]> = tasks(batch).collect();
        let measured: Vec<Vec<Measurement>> = tasks
            .into_par_iter()
            .map_init(Scratch::default, |scratch, task| scratch.task(batch, task))
            .collect();
        Ok(measured.into_iter().flatten().collect())
    }

    fn curve(&self, batch: &Batch, spectrum: usize) -> crate::Result<Vec<f64>> {
        let pixels = &batch.spectra[spectrum];
        let all = Refinement {
            first: 0,
            per_step: 1,
            n: batch.grid.len(),
        };
        let table = ReferenceTable::new(&batch.references[pixels.reference], &batch.grid);
        Ok(exact(&mut Vec::new(), &batch.grid, pixels, &table, all))
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
fn fma_at_run_time() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
fn fma_at_run_time() -> bool {
    false
}

/// Vectors of one thread.
#[derive(Debug, Default)]
struct Scratch {
    table: ReferenceTable,
    near: Vec<NearPlace>,
    places: Vec<Place>,
    curve: Vec<f64>,
}

impl Scratch {
    /// Measures spectra of one reference.
    fn task(&mut self, batch: &Batch, spectra: &[SpectrumPixels]) -> Vec<Measurement> {
        if let Some(first) = spectra.iter().find(|pixels| !pixels.is_empty()) {
            let reference = &batch.references[first.reference];
            self.table.fill(reference, &batch.grid);
        }
        let measure = |pixels| self.measure(&batch.grid, pixels);
        spectra.iter().map(measure).collect()
    }

    fn measure(&mut self, grid: &VelocityGrid, pixels: &SpectrumPixels) -> Measurement {
        if pixels.is_empty() {
            return Measurement::without_pixels();
        }
        let Scratch {
            table,
            near,
            places,
            curve,
        } = self;
        search(curve, near, pixels, table, grid.len());
        let context = PeakContext {
            grid: *grid,
            n_pix: pixels.len(),
            n_window: pixels.n_window,
            ln_constant: pixels.ln_constant(),
            response: table.response,
        };
        measure_peak(
            &context,
            curve,
            |refinement| exact(places, grid, pixels, table, refinement),
            |shift| precision_sums(grid, pixels, table, shift),
        )
    }
}

/// ln L, interpolated, at the velocities of a refinement.
fn exact(
    scratch: &mut Vec<Place>,
    grid: &VelocityGrid,
    pixels: &SpectrumPixels,
    table: &ReferenceTable,
    refinement: Refinement,
) -> Vec<f64> {
    let Refinement { first, per_step, n } = refinement;
    if per_step == 1 {
        // Lanes count down from the largest velocity.
        places(scratch, pixels, table, grid.len() - first - n, 0.0);
        let mut values: Vec<f64> = (0..n)
            .step_by(LANES)
            .flat_map(|lane| exact_tile(scratch, table, lane))
            .collect();
        values.truncate(n);
        values.reverse();
        return values;
    }
    const { assert!(FINE_LANES == 2 * FINE_SIDE && FINE_PER_STEP == 4) };
    let mut values = vec![0.0; n];
    let first_lane = grid.len() - first - FINE_LANES;
    for sub in 0..FINE_PER_STEP / 2 {
        let fraction = -(sub as f32) / FINE_PER_STEP as f32;
        places(scratch, pixels, table, first_lane, fraction);
        let halves = exact_fine_tile(scratch, table);
        for (half, lanes) in halves.into_iter().enumerate() {
            for (lane, value) in lanes.into_iter().enumerate() {
                let step = FINE_LANES - 1 - lane;
                values[step * FINE_PER_STEP + sub + half * FINE_PER_STEP / 2] = value;
            }
        }
    }
    values
}
