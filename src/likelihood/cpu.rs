//! The likelihood on the CPU: one spectrum per task, velocities as SIMD lanes.

use rayon::prelude::*;

use super::Likelihood;
use super::batch::{Batch, COARSE, PHASES, ReferenceTable, SpectrumPixels};
use super::grid::VelocityGrid;
use super::kernel::{
    FINE_LANES, LANES, NearPlace, Place, SEARCH_LANES, exact_fine_tile, exact_tile, near_places,
    places, search_tile,
};
use super::peak::{FINE_SIDE, Measurement, PeakContext, Refinement, measure_peak};
use super::precision::{PixelAtPeak, PrecisionSums};

/// The CPU back end; spectra of a batch are spread over rayon's current pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Likelihood for Cpu {
    fn name(&self) -> String {
        let features = if cfg!(target_arch = "aarch64") {
            "NEON"
        } else if fma_at_run_time() {
            "AVX2"
        } else {
            "baseline"
        };
        format!("CPU ({features}, {} threads)", rayon::current_num_threads())
    }

    fn measure(&self, batch: &Batch) -> crate::Result<Vec<Measurement>> {
        let measure =
            |scratch: &mut Scratch, pixels| scratch.measure(&batch.grid, pixels, &batch.tables);
        Ok(batch
            .spectra
            .par_iter()
            .map_init(Scratch::default, measure)
            .collect())
    }

    fn curve(&self, batch: &Batch, spectrum: usize) -> crate::Result<Vec<f64>> {
        let pixels = &batch.spectra[spectrum];
        let all = Refinement {
            first: 0,
            per_step: 1,
            n: batch.grid.len(),
        };
        Ok(exact(
            &mut Vec::new(),
            &batch.grid,
            pixels,
            &batch.tables[pixels.table],
            all,
        ))
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
    near: Vec<NearPlace>,
    places: Vec<Place>,
    curve: Vec<f64>,
}

impl Scratch {
    fn measure(
        &mut self,
        grid: &VelocityGrid,
        pixels: &SpectrumPixels,
        tables: &[ReferenceTable],
    ) -> Measurement {
        if pixels.is_empty() {
            return Measurement::without_pixels();
        }
        let table = &tables[pixels.table];
        self.search(grid, pixels, table);
        let context = PeakContext {
            grid: *grid,
            n_pix: pixels.len(),
            n_window: pixels.n_window,
            ln_constant: pixels.ln_constant(),
        };
        let Scratch { places, curve, .. } = self;
        measure_peak(
            &context,
            curve,
            |refinement| exact(places, grid, pixels, table, refinement),
            |shift| precision_sums(grid, pixels, table, shift),
        )
    }

    /// ln L but for a constant on the whole grid, by the nearest table entries, into `curve`.
    fn search(&mut self, grid: &VelocityGrid, pixels: &SpectrumPixels, table: &ReferenceTable) {
        near_places(&mut self.near, pixels, table);
        self.curve.clear();
        for lane in (0..grid.len()).step_by(SEARCH_LANES) {
            self.curve.extend(search_tile(&self.near, table, lane));
        }
        // Lane 0 is the largest velocity.
        self.curve.truncate(grid.len());
        self.curve.reverse();
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
    const { assert!(FINE_LANES == 2 * FINE_SIDE) };
    let mut values = vec![0.0; n];
    let first_lane = grid.len() - first - FINE_LANES;
    for sub in 0..per_step {
        places(
            scratch,
            pixels,
            table,
            first_lane,
            -(sub as f32) / per_step as f32,
        );
        for (lane, value) in exact_fine_tile(scratch, table).into_iter().enumerate() {
            values[(FINE_LANES - 1 - lane) * per_step + sub] = value;
        }
    }
    values
}

/// Sums from which error and chi^2 come, at `shift_km_s`.
fn precision_sums(
    grid: &VelocityGrid,
    pixels: &SpectrumPixels,
    table: &ReferenceTable,
    shift_km_s: f64,
) -> PrecisionSums {
    let mut sums = PrecisionSums::default();
    let steps = (grid.max_shift_km_s() - shift_km_s) / grid.step_km_s;
    let shift = (PHASES as f64 * steps).max(0.0);
    let entries_per_km_s = PHASES as f64 / grid.step_km_s;
    for i in 0..pixels.len() {
        let position = f64::from(pixels.frac[i]) + shift;
        let floor = position.floor();
        let (above, below) = ((position - floor) as f32, (1.0 - position + floor) as f32);
        let entry = pixels.index[i] as usize + floor as usize;
        let (here, next) = (table.place(entry), table.place(entry + 1));
        let (f0, f1) = (table.flux[here], table.flux[next]);
        // Derivative of the cubic through the four nearest entries; wavelength falls where velocity grows.
        let w = above;
        let rise = table.flux[table.place(entry.saturating_sub(1))] * (w - 0.5 * w * w - 1.0 / 3.0)
            + f0 * (1.5 * w * w - 2.0 * w - 0.5)
            + f1 * (1.0 + w - 1.5 * w * w)
            + table.flux[table.place(entry + 2)] * (0.5 * w * w - 1.0 / 6.0);
        let variance = table.variance[here] * below + table.variance[next] * above;
        let coarse = (entry as f32 + above) / (PHASES * COARSE) as f32;
        let step = (coarse as usize).min(table.flux_variance.len() - 2);
        let part = coarse - step as f32;
        let between = |v: &[f32]| f64::from(v[step] + part * (v[step + 1] - v[step]));
        sums.add(&PixelAtPeak {
            residual: f64::from(pixels.flux[i] - f0 * below - f1 * above),
            variance: 1.0 / f64::from(pixels.ivar[i]),
            reference_variance: f64::from(variance),
            slope: -f64::from(rise) * entries_per_km_s,
            flux_variance: between(&table.flux_variance),
            slope_variance: between(&table.slope_variance),
        });
    }
    sums
}
