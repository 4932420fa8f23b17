//! The likelihood on a graphics processor: `shaders/` with its host side. See docs/gpu.md.
//!
//! One dispatch for a batch where the device's limits allow it, else the fewest that fit. Tables of the references, search, exact
//! values, parabola and precision sums happen on the device; 48 bytes a spectrum come back and go through the same code as the CPU's.

mod kernels;
#[cfg(test)]
mod mutants;
mod pace;
pub mod pack;
pub mod sizes;
mod splines;
mod stats;
pub mod structs;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use self::kernels::{Kernels, N_PASSES, SHADERS, Shaders};
use self::pace::Pace;
use self::pack::{Chunk, Limits, N_INPUTS, chunks, is_finite};
use self::sizes::N_MADE;
pub use self::stats::GpuStats;
use self::stats::Occupation;
use self::structs::{Found, Params, REFINED, VERTEX, WRITTEN, ln_likelihood};
use super::batch::Batch;
use super::peak::{Measurement, Peak, PeakContext, finish};
use super::precision::PrecisionSums;
use super::reference_table::PHASES;
use super::{DeviceUse, Likelihood, VelocityGrid};
use crate::gpu::{AdapterInfo, Dispatch, Engine, EngineConfig, Pass, Slot};
use crate::{Error, Result};

/// Threads of a workgroup.
const THREADS: u32 = 128;

/// Memory that they share, at most: what every WebGPU device has.
const WORKGROUP_BYTES: u32 = 16384;

/// Bytes of an entry of scratch.
const SCRATCH_ENTRY_BYTES: u64 = 2 * size_of::<u32>() as u64;

/// Workgroups at most: enough to fill any device many times over; more would only need more scratch.
const MAX_WORKGROUPS: u64 = 8192;

/// Entries of a table that one workgroup makes: some for each thread, so that a thread's start costs little.
const ENTRIES_A_GROUP: u64 = 8 * THREADS as u64;

/// The GPU back end.
#[derive(Debug)]
pub struct Gpu {
    engine: Engine,
    kernels: Kernels,
    work: Mutex<Work>,
}

/// What calls share: two dispatches in flight, how much one may do, and the account.
#[derive(Debug)]
struct Work {
    slots: [Slot; 2],
    pace: Pace,
    occupation: Occupation,
    stats: GpuStats,
}

/// The part of ln L (Eq. 3) that does not depend on velocity, for each spectrum of a chunk: it is added on the host.
type Constants = Vec<f64>;

/// Why an adapter cannot run the kernel; None if it can.
pub fn unfit(adapter: &AdapterInfo) -> Option<String> {
    if adapter.max_workgroup_threads < THREADS {
        let n = adapter.max_workgroup_threads;
        return Some(format!("workgroups of {n} threads, {THREADS} are needed"));
    }
    if adapter.max_workgroup_bytes < WORKGROUP_BYTES {
        let n = adapter.max_workgroup_bytes;
        return Some(format!(
            "{n} bytes of workgroup memory, {WORKGROUP_BYTES} are needed"
        ));
    }
    None
}

impl Gpu {
    /// Opens the best adapter that fits and compiles the kernel.
    pub fn open(config: &EngineConfig) -> Result<Self> {
        Self::with_shaders(config, SHADERS)
    }

    /// The same with other shaders: how a test sees that a broken one is noticed.
    pub(crate) fn with_shaders(config: &EngineConfig, shaders: Shaders<'_>) -> Result<Self> {
        let engine = Engine::open(config)?;
        if let Some(defect) = unfit(engine.info()) {
            return Err(engine.error(defect));
        }
        let kernels = Kernels::new(&engine, shaders)?;
        let slot = || Slot::new(&engine, N_INPUTS, N_MADE, N_PASSES);
        let work = Work {
            slots: [slot()?, slot()?],
            pace: Pace::new(engine.info().kind),
            occupation: Occupation::default(),
            stats: GpuStats::default(),
        };
        Ok(Gpu {
            engine,
            kernels,
            work: Mutex::new(work),
        })
    }

    /// The device.
    #[cfg(feature = "lab")]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What was done since the last call of this.
    #[cfg(feature = "lab")]
    pub fn take_stats(&self) -> GpuStats {
        std::mem::take(&mut self.lock().stats)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Work> {
        // A lock that is poisoned by a panic elsewhere can be used: each start checks the device and writes the slots anew.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Workgroups of the kernel that measures, and entries of scratch that each has.
    fn measuring(&self, chunk: &Chunk, grid: &VelocityGrid) -> ([u32; 2], u64) {
        let n_fine = 2 * super::peak::FINE_SIDE * super::peak::FINE_PER_STEP;
        let stride = grid.len().max(n_fine) as u64;
        let room = self.engine.max_buffer_bytes() / (stride * SCRATCH_ENTRY_BYTES);
        let n = (chunk.records.len() as u64)
            .min(MAX_WORKGROUPS)
            .min(room)
            .max(1);
        // If there are more workgroups than one dimension of a dispatch may have, a second dimension is used.
        let x = n.min(u64::from(self.engine.info().max_workgroups));
        ([x as u32, (n / x) as u32], stride)
    }

    /// Workgroups of the kernels that make tables: along the first dimension for the entries, along the second for references.
    fn tabulating(&self, chunk: &Chunk) -> [u32; 2] {
        let most = u64::from(self.engine.info().max_workgroups).min(MAX_WORKGROUPS);
        let x = chunk.longest_table.div_ceil(ENTRIES_A_GROUP);
        let y = chunk.references.len() as u64;
        [x, y].map(|n| n.clamp(1, most) as u32)
    }

    fn start(
        &self,
        work: &mut Work,
        slot: usize,
        batch: &Batch,
        chunk: &Chunk,
        curve: bool,
    ) -> Result<()> {
        let clock = Instant::now();
        let inputs = chunk.inputs();
        let (workgroups, stride) = self.measuring(chunk, &batch.grid);
        let uniform = Params {
            n_spectra: chunk.records.len() as u32,
            n_velocities: batch.grid.len() as u32,
            scratch_stride: stride as u32,
            curve: u32::from(curve),
            row_stride: chunk.sizes.row_stride(),
            n_references: chunk.references.len() as u32,
            entries_per_km_s: (PHASES as f64 / batch.grid.step_km_s) as f32,
        };
        let tabulating = self.tabulating(chunk);
        let pass = |kernel, workgroups| Pass { kernel, workgroups };
        let passes: [_; N_PASSES] = [
            pass(&self.kernels.tabulate, tabulating),
            pass(&self.kernels.block_means, tabulating),
            pass(&self.kernels.measure, workgroups),
        ];
        let n_groups = u64::from(workgroups[0]) * u64::from(workgroups[1]);
        let dispatch = Dispatch {
            uniform: bytemuck::bytes_of(&uniform),
            inputs: &inputs,
            made_bytes: &chunk.sizes.made_bytes(),
            scratch_bytes: n_groups * stride * SCRATCH_ENTRY_BYTES,
            output_bytes: chunk.output_bytes(),
            passes: &passes,
            read_scratch: curve,
        };
        work.slots[slot].start(&self.engine, &dispatch, |input, part, out| {
            chunk.fill(batch, input, part, out)
        })?;
        work.stats.idle += work.occupation.started();
        work.stats.pack += clock.elapsed();
        work.stats.dispatches += 1;
        work.stats.spectra += chunk.records.len() as u64;
        work.stats.largest_dispatch = work.stats.largest_dispatch.max(chunk.records.len() as u64);
        work.stats.bytes_up += inputs.iter().filter_map(|cuts| cuts.last()).sum::<u64>();
        work.stats.bytes_down += match curve {
            true => dispatch.scratch_bytes,
            false => dispatch.output_bytes,
        };
        Ok(())
    }

    /// Waits for the dispatch of a slot; what it gives goes through `read`.
    fn wait<T>(
        &self,
        work: &mut Work,
        slot: usize,
        chunk: &Chunk,
        grid: &VelocityGrid,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        let clock = Instant::now();
        let read = |bytes: &[u8], times| (read(bytes), times);
        let (result, times) = work.slots[slot].finish(&self.engine, read)?;
        work.stats.wait += clock.elapsed();
        let ran = work.occupation.ended();
        let times: Option<Vec<Duration>> = times;
        let ran = times.as_ref().map_or(ran, |times| times.iter().sum());
        work.pace.learn(chunk.sizes.pixels * grid.len() as u64, ran);
        if let Some(times) = times {
            work.stats.add_passes(&times);
        }
        Ok(result)
    }

    fn collect(
        &self,
        work: &mut Work,
        slot: usize,
        batch: &Batch,
        chunk: &Chunk,
        out: &mut Vec<Measurement>,
    ) -> Result<()> {
        let spectra = &batch.spectra[chunk.spectra.clone()];
        // The host computes these constants while the device is busy.
        let clock = Instant::now();
        let constants: Constants = spectra.par_iter().map(|s| s.ln_constant()).collect();
        work.stats.finish += clock.elapsed();
        let found = self.wait(work, slot, chunk, &batch.grid, |bytes| {
            bytemuck::pod_collect_to_vec::<u8, Found>(bytes)
        })?;
        let clock = Instant::now();
        if found.len() != spectra.len() || found.iter().any(|f| f.state & WRITTEN == 0) {
            return Err(self.engine.error("the kernel did not write every result"));
        }
        let measured =
            found
                .par_iter()
                .zip(spectra)
                .zip(constants)
                .map(|((found, pixels), ln_constant)| {
                    let context = PeakContext {
                        grid: batch.grid,
                        n_pix: pixels.len(),
                        n_window: pixels.n_window,
                        ln_constant,
                        response: batch.references[pixels.reference].response,
                    };
                    if pixels.is_empty() || !is_finite(pixels) {
                        return Measurement {
                            n_pix: pixels.len(),
                            ..Measurement::without_pixels()
                        };
                    }
                    measurement(found, &context)
                });
        out.par_extend(measured);
        work.stats.finish += clock.elapsed();
        Ok(())
    }

    fn measure_chunks(
        &self,
        work: &mut Work,
        batch: &Batch,
        chunks: &[Chunk],
    ) -> Result<Vec<Measurement>> {
        let mut out = Vec::with_capacity(batch.spectra.len());
        for (i, chunk) in chunks.iter().enumerate() {
            // The next one is on its way before this one's results are asked for.
            if i == 0 {
                self.start(work, 0, batch, chunk, false)?;
            }
            if let Some(next) = chunks.get(i + 1) {
                self.start(work, (i + 1) % 2, batch, next, false)?;
            }
            self.collect(work, i % 2, batch, chunk, &mut out)?;
        }
        Ok(out)
    }

    fn chunks(&self, batch: &Batch, range: std::ops::Range<usize>) -> Result<Vec<Chunk>> {
        let limit_bytes = self.engine.max_buffer_bytes();
        let too_large = |what: &str, needed_bytes| Error::GpuMemory {
            adapter: self.engine.info().name.clone(),
            what: what.to_owned(),
            needed_bytes,
            limit_bytes,
        };
        let scratch = batch.grid.len() as u64 * SCRATCH_ENTRY_BYTES;
        if scratch > limit_bytes {
            return Err(too_large("a grid of velocities", scratch));
        }
        let limits = Limits {
            buffer_bytes: limit_bytes,
            work: self.lock().pace.work(),
        };
        chunks(batch, range, limits).map_err(|e| too_large("a spectrum with its reference", e.0))
    }
}

/// A measurement from what the device found.
fn measurement(found: &Found, context: &PeakContext) -> Measurement {
    let vertex = (found.state & VERTEX != 0).then(|| {
        let position = 0.25 * f64::from(found.quarter) + f64::from(found.offset);
        (
            position,
            ln_likelihood(found.high, found.low) + f64::from(found.rise),
        )
    });
    let peak = Peak {
        top: found.top as usize,
        second_peak: f64::from(found.second_peak),
        refined: found.state & REFINED != 0,
        vertex,
    };
    let entries_per_km_s = PHASES as f64 / context.grid.step_km_s;
    let scale = entries_per_km_s * entries_per_km_s;
    finish(context, &peak, |_| PrecisionSums {
        slope2: scale * f64::from(found.slope2),
        slope_noise: f64::from(found.slope_noise),
        own_slope2: scale * f64::from(found.own_slope2),
        chi2: f64::from(found.chi2),
        n_pix: context.n_pix,
    })
}

impl Likelihood for Gpu {
    fn takes_plates(&self) -> bool {
        true
    }

    fn device_use(&self) -> Option<DeviceUse> {
        let stats = self.lock().stats;
        let passes = [stats.tables, stats.kernel].into_iter().flatten();
        let kernel: Duration = passes.sum();
        Some(DeviceUse {
            dispatches: stats.dispatches,
            spectra: stats.spectra,
            largest_dispatch: stats.largest_dispatch,
            bytes_up: stats.bytes_up,
            bytes_down: stats.bytes_down,
            peak_bytes: self.engine.peak_bytes(),
            kernel_s: stats.kernel.map(|_| kernel.as_secs_f64()),
            idle_s: stats.idle.as_secs_f64(),
        })
    }

    fn name(&self) -> String {
        let info = self.engine.info();
        format!("GPU {} ({}, {})", info.name, info.kind.name(), info.backend)
    }

    fn measure(&self, batch: &Batch) -> Result<Vec<Measurement>> {
        let chunks = self.chunks(batch, 0..batch.spectra.len())?;
        let mut work = self.lock();
        let measured = self.measure_chunks(&mut work, batch, &chunks);
        if measured.is_err() {
            work.occupation.lost();
        }
        measured
    }

    fn curve(&self, batch: &Batch, spectrum: usize) -> Result<Vec<f64>> {
        let chunks = self.chunks(batch, spectrum..spectrum + 1)?;
        let mut guard = self.lock();
        let Some(chunk) = chunks.first() else {
            return Ok(Vec::new());
        };
        if chunk.sizes.pixels == 0 {
            return Ok(vec![0.0; batch.grid.len()]);
        }
        self.start(&mut guard, 0, batch, chunk, true)?;
        self.wait(&mut guard, 0, chunk, &batch.grid, |bytes| {
            bytemuck::pod_collect_to_vec::<u8, [u32; 2]>(bytes)
                .into_iter()
                .take(batch.grid.len())
                .map(|[high, low]| ln_likelihood(high as i32, low))
                .collect()
        })
    }
}
