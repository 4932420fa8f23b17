//! The measurements of `relrv bench`.

#[cfg(feature = "gpu")]
use std::time::Duration;
use std::time::Instant;

use serde::Serialize;

use super::agreement::Agreement;
use super::plate::plate;
use crate::gpu::AdapterInfo;
use crate::likelihood::backend::{Backend, BackendConfig, Choice};
use crate::likelihood::{Batch, Cpu, Gpu, Likelihood, Measurement, VelocityGrid};
use crate::numbers::statistics::median_high;
use crate::{Arm, Result};

/// Floating-point operations of the search per pixel and velocity: 4 for difference, square and multiply-add, and about 1 for S, its
/// inverse and its logarithm: 3.75 operations that each of two threads does for eight velocities.
pub const FLOP: f64 = 5.0;

/// Red and blue spectra of the paper's 59 time-domain plates.
pub const SURVEY_SPECTRA: f64 = 2_215_918.0;

/// Settings.
#[derive(Clone, Debug)]
pub struct BenchConfig {
    /// Spectra.
    pub spectra: usize,
    /// How many of them the CPU measures too.
    pub cpu_spectra: usize,
    /// Arm.
    pub arm: Arm,
    /// Velocities.
    pub grid: VelocityGrid,
    /// Runs of which the median is told.
    pub runs: usize,
    /// Seed.
    pub seed: u64,
    /// Back end to hold against the CPU.
    pub backend: BackendConfig,
}

impl BenchConfig {
    /// Spectra of the usual plate.
    pub const SPECTRA: u32 = 20_000;
    /// Runs where nothing is said of them.
    pub const RUNS: u32 = 5;
}

/// One back end's times.
#[derive(Clone, Debug, Serialize)]
pub struct Times {
    /// Back end.
    pub name: String,
    /// Spectra.
    pub spectra: usize,
    /// First run, with compilation and the making of buffers, s.
    pub cold_s: f64,
    /// Median of the others, s.
    pub warm_s: f64,
    /// Spectra a second, warm.
    pub spectra_per_s: f64,
    /// Microseconds a spectrum, warm.
    pub us_per_spectrum: f64,
    /// Nanoseconds per pixel and velocity, warm.
    pub ns_per_pixel_velocity: f64,
    /// 10^9 operations a second, warm, by [`FLOP`].
    pub gflop_per_s: f64,
    /// The survey's spectra at this rate, s.
    pub survey_s: f64,
}

/// What the GPU tells beside its times, per run.
#[derive(Clone, Debug, Serialize)]
pub struct GpuTimes {
    /// The adapter.
    pub adapter: AdapterInfo,
    /// Opening the device and compiling the kernel, s.
    pub open_s: f64,
    /// Dispatches.
    pub dispatches: u32,
    /// Bytes up.
    pub bytes_up: u64,
    /// Bytes down.
    pub bytes_down: u64,
    /// Most bytes of buffers at a time, on the device and staged for it.
    pub peak_bytes: u64,
    /// Time of making tables of the references by the device's clock, s; null if it has none.
    pub tables_s: Option<f64>,
    /// Time in the kernel that measures, s; null if the device has no clock.
    pub kernel_s: Option<f64>,
    /// The same per spectrum, microseconds.
    pub kernel_us_per_spectrum: Option<f64>,
    /// 10^9 operations a second in the kernel.
    pub kernel_gflop_per_s: Option<f64>,
    /// Spectra of the largest dispatch.
    pub largest_dispatch: u64,
    /// Packing and handing over, s.
    pub pack_s: f64,
    /// Waiting for the device, s.
    pub wait_s: f64,
    /// Turning results into measurements, s.
    pub finish_s: f64,
    /// The device had nothing to do between its first and its last dispatch, s.
    pub idle_s: f64,
}

/// All results.
#[derive(Clone, Debug, Serialize)]
pub struct BenchResult {
    /// Version of relrv.
    pub version: &'static str,
    /// Spectra of the plate.
    pub spectra: usize,
    /// Arm.
    pub arm: String,
    /// Pixels of a spectrum, mean.
    pub pixels: f64,
    /// Velocities.
    pub velocities: usize,
    /// Operations per pixel and velocity that rates count.
    pub flop_per_pixel_velocity: f64,
    /// Making the plate, s.
    pub make_s: f64,
    /// CPU.
    pub cpu: Times,
    /// GPU, if one was used.
    pub gpu: Option<Times>,
    /// More about it.
    pub gpu_detail: Option<GpuTimes>,
    /// GPU against CPU.
    pub agreement: Option<Agreement>,
    /// Whether two runs of the GPU gave the same bytes.
    pub gpu_repeats: Option<bool>,
    /// Why no GPU was used.
    pub no_gpu: Option<String>,
}

/// Makes the plate, measures it on the CPU and on the back end asked for.
pub fn bench(config: &BenchConfig) -> Result<BenchResult> {
    let clock = Instant::now();
    let batch = plate(config.arm, &config.grid, config.spectra, config.seed)?;
    let make_s = clock.elapsed().as_secs_f64();
    let n_pixels: usize = batch.spectra.iter().map(|s| s.len()).sum();
    let clock = Instant::now();
    let backend = Backend::open(&config.backend, |_| ())?;
    let open_s = clock.elapsed().as_secs_f64();

    let mut first = Batch {
        grid: batch.grid,
        references: Vec::new(),
        spectra: Vec::new(),
    };
    let n_cpu = config.cpu_spectra.min(config.spectra);
    let cpu_batch = if n_cpu == config.spectra {
        &batch
    } else {
        first.references.clone_from(&batch.references);
        first.spectra = batch.spectra[..n_cpu].to_vec();
        &first
    };
    let (cpu, on_cpu, _) = time(config, cpu_batch, &Cpu)?;
    let mut result = BenchResult {
        version: env!("CARGO_PKG_VERSION"),
        spectra: config.spectra,
        arm: config.arm.to_string(),
        pixels: n_pixels as f64 / config.spectra.max(1) as f64,
        velocities: config.grid.len(),
        flop_per_pixel_velocity: FLOP,
        make_s,
        cpu,
        gpu: None,
        gpu_detail: None,
        agreement: None,
        gpu_repeats: None,
        no_gpu: backend.cpu_because(),
    };
    let Some(gpu) = backend.gpu() else {
        if config.backend.choice == Choice::Cpu {
            result.no_gpu = Some("--backend cpu".into());
        }
        return Ok(result);
    };
    let (times, on_gpu, repeats) = time(config, &batch, gpu)?;
    result.gpu_detail = Some(gpu_times(gpu, &batch, open_s)?);
    result.gpu = Some(times);
    result.agreement = Some(Agreement::of(&on_gpu[..n_cpu], &on_cpu));
    result.gpu_repeats = Some(repeats);
    Ok(result)
}

/// Measures the batch once more, for what the GPU tells of one run.
#[cfg(feature = "gpu")]
fn gpu_times(gpu: &Gpu, batch: &Batch, open_s: f64) -> Result<GpuTimes> {
    gpu.take_stats();
    gpu.measure(batch)?;
    let stats = gpu.take_stats();
    let n_pixels: usize = batch.spectra.iter().map(|s| s.len()).sum();
    let work = n_pixels as f64 * batch.grid.len() as f64;
    let seconds = |d: Duration| d.as_secs_f64();
    let kernel_s = stats.kernel.map(seconds);
    Ok(GpuTimes {
        adapter: gpu.engine().info().clone(),
        open_s,
        dispatches: stats.dispatches,
        bytes_up: stats.bytes_up,
        bytes_down: stats.bytes_down,
        peak_bytes: gpu.engine().peak_bytes(),
        tables_s: stats.tables.map(seconds),
        kernel_s,
        kernel_us_per_spectrum: kernel_s.map(|s| 1e6 * s / batch.spectra.len().max(1) as f64),
        kernel_gflop_per_s: kernel_s.map(|s| 1e-9 * FLOP * work / s),
        largest_dispatch: stats.largest_dispatch,
        pack_s: seconds(stats.pack),
        wait_s: seconds(stats.wait),
        finish_s: seconds(stats.finish),
        idle_s: seconds(stats.idle),
    })
}

#[cfg(not(feature = "gpu"))]
fn gpu_times(gpu: &Gpu, _: &Batch, _: f64) -> Result<GpuTimes> {
    match *gpu {}
}

/// Times of one back end, its measurements, and whether each run gave the same.
fn time(
    config: &BenchConfig,
    batch: &Batch,
    backend: &dyn Likelihood,
) -> Result<(Times, Vec<Measurement>, bool)> {
    let clock = Instant::now();
    let measured = backend.measure(batch)?;
    let cold_s = clock.elapsed().as_secs_f64();
    let mut warm: Vec<f64> = Vec::new();
    let mut repeats = true;
    for _ in 0..config.runs.max(1) {
        let clock = Instant::now();
        let again = backend.measure(batch)?;
        warm.push(clock.elapsed().as_secs_f64());
        repeats &= again.iter().zip(&measured).all(|(a, b)| same_bytes(a, b));
    }
    let warm_s = median_high(&mut warm).unwrap_or(f64::NAN);
    let n = batch.spectra.len();
    let n_pixels: usize = batch.spectra.iter().map(|s| s.len()).sum();
    let work = (n_pixels * config.grid.len()) as f64;
    let per_spectrum_s = warm_s / n.max(1) as f64;
    let times = Times {
        name: backend.name(),
        spectra: n,
        cold_s,
        warm_s,
        spectra_per_s: 1.0 / per_spectrum_s,
        us_per_spectrum: 1e6 * per_spectrum_s,
        ns_per_pixel_velocity: 1e9 * warm_s / work,
        gflop_per_s: 1e-9 * FLOP * work / warm_s,
        survey_s: SURVEY_SPECTRA * per_spectrum_s,
    };
    Ok((times, measured, repeats))
}

/// NaN is the same as NaN here.
fn same_bytes(a: &Measurement, b: &Measurement) -> bool {
    let bits = |m: &Measurement| {
        let floats = [
            m.rv_km_s,
            m.rv_err_km_s,
            m.rv_err_own_km_s,
            m.lnl_max,
            m.chi2_red,
            m.second_peak,
        ];
        (floats.map(f64::to_bits), m.n_pix, m.flags)
    };
    bits(a) == bits(b)
}
