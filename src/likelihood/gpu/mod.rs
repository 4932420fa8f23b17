//! The likelihood on a graphics processor: `shaders/` with its host side. See docs/gpu.md.
//!
//! One dispatch for a batch where the device's limits allow it, else the fewest that fit. Search, exact values, parabola
//! and precision sums happen on the device; 48 bytes a spectrum come back and go through the same code as the CPU's.

pub mod pack;
pub mod structs;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use self::pack::{Chunk, F32, FLUXES, Limits, N_INPUTS, ROW_COPIES, chunks, is_finite};
use self::structs::{Found, Params, REFINED, SHADER, VERTEX, WRITTEN, ln_likelihood};
use super::batch::{Batch, PHASES};
use super::peak::{Measurement, Peak, PeakContext, finish};
use super::precision::PrecisionSums;
use super::{Likelihood, VelocityGrid};
use crate::gpu::{AdapterInfo, DeviceKind, Dispatch, Engine, EngineConfig, Kernel, Shifted, Slot};
use crate::{Error, Result};

/// Read-only bindings of the kernel: the inputs, and the shifted copies of the fluxes.
const N_READ_ONLY: usize = N_INPUTS + 1;

/// Threads of a workgroup.
const THREADS: u32 = 128;

/// Memory that they share, at most: what every WebGPU device has.
const WORKGROUP_BYTES: u32 = 16384;

/// Workgroups at most: enough to fill any device many times over; more would only need more scratch.
const MAX_WORKGROUPS: u64 = 8192;

/// What the GPU has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuStats {
    /// Dispatches.
    pub dispatches: u32,
    /// Bytes to the device.
    pub bytes_up: u64,
    /// Bytes back.
    pub bytes_down: u64,
    /// Time of packing and of handing over to the driver.
    pub pack: Duration,
    /// Time of waiting for the device.
    pub wait: Duration,
    /// Time of turning what came back into measurements.
    pub finish: Duration,
    /// Time in the kernel by the device's own clock; None if it has none.
    pub kernel: Option<Duration>,
}

/// The GPU back end.
#[derive(Debug)]
pub struct Gpu {
    engine: Engine,
    kernel: Kernel,
    work: Mutex<Work>,
    /// Pixels times velocities of one dispatch.
    max_work: u64,
}

/// What calls share: two dispatches in flight, and the account.
#[derive(Debug)]
struct Work {
    slots: [Slot; 2],
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
        Self::with_shader(config, SHADER)
    }

    /// The same with another shader: how a test sees that a broken one is noticed.
    pub(crate) fn with_shader(config: &EngineConfig, shader: &str) -> Result<Self> {
        let engine = Engine::open(config)?;
        if let Some(defect) = unfit(engine.info()) {
            return Err(engine.error(defect));
        }
        let kernel = engine.kernel("likelihood", shader, "measure", N_READ_ONLY)?;
        let slots = [Slot::new(&engine, N_INPUTS)?, Slot::new(&engine, N_INPUTS)?];
        // Pixels times velocities of one dispatch. Systems restart a driver that is silent for 2 s (Windows) or 5 s (Linux, Intel);
        // an H100 does 10^12 in a second, an integrated GPU some 3 * 10^10, lavapipe some 10^9 a core.
        let max_work = match engine.info().kind {
            DeviceKind::Discrete | DeviceKind::Virtual => 200_000_000_000,
            DeviceKind::Integrated | DeviceKind::Other => 20_000_000_000,
            DeviceKind::Software => 5_000_000_000,
        };
        Ok(Gpu {
            engine,
            kernel,
            work: Mutex::new(Work {
                slots,
                stats: GpuStats::default(),
            }),
            max_work,
        })
    }

    /// The device.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What was done since the last call of this.
    pub fn take_stats(&self) -> GpuStats {
        std::mem::take(&mut self.lock().stats)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Work> {
        // A lock that is poisoned by a panic elsewhere can be used: each start checks the device and writes the slots anew.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sizes of the dispatch of a chunk.
    fn dispatch<'a>(
        &self,
        chunk: &Chunk,
        grid: &VelocityGrid,
        curve: bool,
        uniform: &'a mut Params,
        inputs: &'a [Vec<u64>; N_INPUTS],
    ) -> Dispatch<'a> {
        let n_fine = 2 * super::peak::FINE_SIDE * super::peak::FINE_PER_STEP;
        let stride = grid.len().max(n_fine) as u64;
        let entry_bytes = 2 * size_of::<u32>() as u64;
        let room = self.engine.max_buffer_bytes() / (stride * entry_bytes);
        let n = (chunk.records.len() as u64)
            .min(MAX_WORKGROUPS)
            .min(room)
            .max(1);
        // If there are more workgroups than one dimension of a dispatch may have, a second dimension is used.
        let x = n.min(u64::from(self.engine.info().max_workgroups));
        let y = n / x;
        *uniform = Params {
            n_spectra: chunk.records.len() as u32,
            n_velocities: grid.len() as u32,
            scratch_stride: stride as u32,
            curve: u32::from(curve),
            row_stride: chunk.row_stride(),
        };
        Dispatch {
            uniform: bytemuck::bytes_of(uniform),
            inputs,
            shifted: Shifted {
                input: FLUXES,
                copies: ROW_COPIES,
                step_bytes: F32,
            },
            scratch_bytes: x * y * stride * entry_bytes,
            output_bytes: chunk.output_bytes(),
            workgroups: [x as u32, y as u32],
            read_scratch: curve,
        }
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
        let mut uniform = Params {
            n_spectra: 0,
            n_velocities: 0,
            scratch_stride: 0,
            curve: 0,
            row_stride: 0,
        };
        let dispatch = self.dispatch(chunk, &batch.grid, curve, &mut uniform, &inputs);
        work.slots[slot].start(&self.engine, &self.kernel, &dispatch, |input, part, out| {
            chunk.fill(batch, input, part, out)
        })?;
        work.stats.pack += clock.elapsed();
        work.stats.dispatches += 1;
        work.stats.bytes_up += inputs.iter().filter_map(|cuts| cuts.last()).sum::<u64>();
        work.stats.bytes_down += match curve {
            true => dispatch.scratch_bytes,
            false => dispatch.output_bytes,
        };
        Ok(())
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
        let clock = Instant::now();
        let (found, kernel_time) = work.slots[slot].finish(&self.engine, |bytes, time| {
            (bytemuck::pod_collect_to_vec::<u8, Found>(bytes), time)
        })?;
        work.stats.wait += clock.elapsed();
        let clock = Instant::now();
        if let Some(time) = kernel_time {
            *work.stats.kernel.get_or_insert_default() += time;
        }
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
                        response: batch.tables[pixels.table].response,
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

    fn limits(&self) -> Limits {
        Limits {
            buffer_bytes: self.engine.max_buffer_bytes(),
            work: self.max_work,
        }
    }

    fn chunks(&self, batch: &Batch, range: std::ops::Range<usize>) -> Result<Vec<Chunk>> {
        let entry_bytes = 2 * size_of::<u32>() as u64;
        let limit_bytes = self.engine.max_buffer_bytes();
        let too_large = |what: &str, needed_bytes| Error::GpuMemory {
            adapter: self.engine.info().name.clone(),
            what: what.to_owned(),
            needed_bytes,
            limit_bytes,
        };
        let scratch = batch.grid.len() as u64 * entry_bytes;
        if scratch > limit_bytes {
            return Err(too_large("a grid of velocities", scratch));
        }
        chunks(batch, range, self.limits())
            .map_err(|e| too_large("a spectrum with its reference", e.0))
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
    fn name(&self) -> String {
        let info = self.engine.info();
        format!("GPU {} ({}, {})", info.name, info.kind.name(), info.backend)
    }

    fn measure(&self, batch: &Batch) -> Result<Vec<Measurement>> {
        let chunks = self.chunks(batch, 0..batch.spectra.len())?;
        let mut out = Vec::with_capacity(batch.spectra.len());
        let mut guard = self.lock();
        let work = &mut *guard;
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

    fn curve(&self, batch: &Batch, spectrum: usize) -> Result<Vec<f64>> {
        let chunks = self.chunks(batch, spectrum..spectrum + 1)?;
        let mut guard = self.lock();
        let Some(chunk) = chunks.first() else {
            return Ok(Vec::new());
        };
        if chunk.n_pixels == 0 {
            return Ok(vec![0.0; batch.grid.len()]);
        }
        self.start(&mut guard, 0, batch, chunk, true)?;
        guard.slots[0].finish(&self.engine, |bytes, _| {
            bytemuck::pod_collect_to_vec::<u8, [u32; 2]>(bytes)
                .into_iter()
                .take(batch.grid.len())
                .map(|[high, low]| ln_likelihood(high as i32, low))
                .collect()
        })
    }
}
