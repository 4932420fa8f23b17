//! `relrv bench`: CPU against GPU on a synthetic plate.

use std::fmt::Write;
use std::path::PathBuf;

use super::Outcome;
use super::backend::BackendArgs;
use super::measure::grid;
use super::numbers::{real, whole};
use super::threads::Threads;
use crate::lab::bench::compare::{GpuTimes, SURVEY_SPECTRA, Times};
use crate::lab::bench::{Agreement, BenchConfig, BenchResult, Floor, bench, floor};
use crate::likelihood::VelocityGrid;
use crate::text::count::count;
use crate::text::plain;
use crate::{Arm, Error, Result, tell};

/// Compare GPU and CPU on a synthetic plate: agreement, then speed.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Spectra of the plate; each takes some 80 kB of memory here and 70 kB on the GPU.
    #[arg(long, value_name = "N", default_value_t = BenchConfig::SPECTRA, value_parser = whole::<u32>(1..=1_000_000))]
    spectra: u32,
    /// Let the CPU measure only the first M of them.
    #[arg(long, value_name = "M", value_parser = whole::<u32>(0..=u64::MAX))]
    cpu_spectra: Option<u32>,
    /// Warm runs; the median is told.
    #[arg(long, value_name = "N", default_value_t = BenchConfig::RUNS, value_parser = whole::<u32>(1..=1000))]
    runs: u32,
    /// Red in place of blue spectra.
    #[arg(long)]
    red: bool,
    /// The same seed gives the same plate.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u64>(0..=u64::MAX))]
    seed: u64,
    /// Largest velocity, km/s.
    #[arg(long, value_name = "KM_S", default_value_t = VelocityGrid::default().max_shift_km_s(), value_parser = real(0.0..=VelocityGrid::MAX_KM_S))]
    vmax: f64,
    /// Step of the velocity grid, km/s.
    #[arg(long, value_name = "KM_S", default_value_t = VelocityGrid::default().step_km_s, value_parser = real(VelocityGrid::STEP_KM_S.0..=VelocityGrid::STEP_KM_S.1))]
    vstep: f64,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Only read and inflate these files, on all threads: the least that a run over them can take.
    #[arg(long, value_name = "INPUT", num_args = 1..)]
    read: Vec<PathBuf>,
    /// Keep so many made-up rows of a survey in the directory of --out, for relrv merge, and do nothing else.
    #[arg(long, value_name = "ROWS", requires = "out", value_parser = whole::<u32>(1..=100_000_000))]
    survey: Option<u32>,
    /// Directory for --survey.
    #[arg(long, value_name = "DIR", requires = "survey")]
    out: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArgs,
    #[command(flatten)]
    threads: Threads,
}

impl BenchArgs {
    /// Checks values that have to do with each other.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option.
    pub fn check(&self) -> Result<()> {
        grid(self.vmax, self.vstep).map(drop)
    }

    /// Measures and tells.
    pub fn run(self) -> Result<Outcome> {
        if let (Some(rows), Some(out)) = (self.survey, &self.out) {
            let n = crate::lab::bench::survey::make(out, rows as usize, self.seed)?;
            tell::say!(
                "{} in {}; next: relrv merge",
                count(n, "unit"),
                plain::path(out)
            );
            return Ok(Outcome::Done);
        }
        if !self.read.is_empty() {
            let floor = self.threads.pool()?.install(|| floor(&self.read));
            tell_result(self.json, &floor, floor_text(&floor))?;
            return Ok(Outcome::Done);
        }
        let config = BenchConfig {
            spectra: self.spectra as usize,
            cpu_spectra: self.cpu_spectra.unwrap_or(self.spectra).max(1) as usize,
            arm: if self.red { Arm::Red } else { Arm::Blue },
            grid: grid(self.vmax, self.vstep)?,
            runs: self.runs as usize,
            seed: self.seed,
            backend: self.backend.config(),
        };
        let pool = self.threads.pool()?;
        let result = pool.install(|| bench(&config))?;
        tell_result(self.json, &result, text(&result))?;
        Ok(Outcome::Done)
    }
}

/// Writes a result to standard output, as JSON or as text.
fn tell_result(json: bool, result: &impl serde::Serialize, text: String) -> Result<()> {
    if !json {
        return tell::product(plain::lines(&text).as_bytes());
    }
    let text = serde_json::to_string_pretty(result).map_err(|e| Error::Config(e.to_string()))?;
    tell::product(format!("{text}\n").as_bytes())
}

fn floor_text(floor: &Floor) -> String {
    format!(
        "{} files read and inflated ({:.0} MB, {:.0} MB inflated; {} failed) by {} threads in {:.3} s\n",
        floor.files, floor.stored_mb, floor.content_mb, floor.failed, floor.threads, floor.seconds
    )
}

fn text(result: &BenchResult) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(result, &mut out);
    out
}

fn write(result: &BenchResult, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "plate      {} {} spectra, {:.0} pixels x {} velocities, made in {:.1} s (relrv {})",
        result.spectra, result.arm, result.pixels, result.velocities, result.make_s, result.version
    )?;
    if let Some(why) = &result.no_gpu {
        writeln!(out, "GPU        none: {why}")?;
    }
    if let Some(agreement) = &result.agreement {
        write_agreement(agreement, result.gpu_repeats == Some(true), out)?;
    }
    write_times(&result.cpu, out)?;
    if let Some(times) = &result.gpu {
        write_times(times, out)?;
    }
    if let Some(gpu) = &result.gpu_detail {
        write_gpu(gpu, result.spectra, out)?;
    }
    writeln!(
        out,
        "\nrates count {} operations per pixel and velocity, of the search alone",
        result.flop_per_pixel_velocity
    )
}

fn write_agreement(agreement: &Agreement, repeats: bool, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\nagreement of {} spectra       q75        q99        max",
        agreement.spectra
    )?;
    for (name, [a, b, c]) in [
        ("|dv|, m/s", agreement.dv_m_s),
        ("|d ln L|", agreement.dlnl),
        ("|error ratio - 1|", agreement.err_ratio),
    ] {
        writeln!(out, "  {name:<22} {a:>10.2e} {b:>10.2e} {c:>10.2e}")?;
    }
    writeln!(
        out,
        "  {:<22} {:>10}",
        "flags differ", agreement.flags_differ
    )?;
    let repeats = if repeats { "yes" } else { "NO" };
    writeln!(out, "  {:<22} {repeats:>10}", "runs give same bytes")?;
    let verdict = if agreement.is_parity() { "yes" } else { "NO" };
    writeln!(
        out,
        "  {:<22} {verdict:>10}   (|dv| < 1 m/s, errors to 0.1 %, same flags)",
        "equal"
    )
}

/// What the GPU tells of one run of `spectra` spectra.
fn write_gpu(gpu: &GpuTimes, spectra: usize, out: &mut String) -> std::fmt::Result {
    let n = spectra as f64;
    writeln!(out, "  driver                  {}", gpu.adapter.driver)?;
    writeln!(out, "  open and compile        {:.3} s", gpu.open_s)?;
    match (
        gpu.kernel_s,
        gpu.kernel_us_per_spectrum,
        gpu.kernel_gflop_per_s,
    ) {
        (Some(s), Some(us), Some(gflop)) => {
            writeln!(
                out,
                "  kernel, device's clock  {s:.4} s, {us:.2} us a spectrum, {gflop:.0} GFLOP/s"
            )?;
            let tables_us = 1e6 * gpu.tables_s.unwrap_or(0.0) / n;
            writeln!(
                out,
                "  tables of references    {tables_us:.2} us a spectrum"
            )?;
        }
        _ => writeln!(out, "  kernel, device's clock  the adapter has none")?,
    }
    writeln!(
        out,
        "  bytes                   {:.1} MB up ({:.1} kB a spectrum), {:.3} MB down, {:.0} MB of buffers",
        gpu.bytes_up as f64 / 1e6,
        gpu.bytes_up as f64 / 1e3 / n,
        gpu.bytes_down as f64 / 1e6,
        gpu.peak_bytes as f64 / 1e6
    )?;
    let total = gpu.pack_s + gpu.wait_s + gpu.finish_s;
    let share = |s: f64| 100.0 * s / total;
    writeln!(
        out,
        "  stages                  pack and upload {:.0} %, wait for the device {:.0} %, finish {:.0} %, in {} dispatches of {} spectra at most; without work {:.4} s",
        share(gpu.pack_s),
        share(gpu.wait_s),
        share(gpu.finish_s),
        gpu.dispatches,
        gpu.largest_dispatch,
        gpu.idle_s
    )
}

fn write_times(times: &Times, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n{} ({} spectra)", times.name, times.spectra)?;
    writeln!(
        out,
        "  cold, warm              {:.3} s, {:.3} s",
        times.cold_s, times.warm_s
    )?;
    writeln!(
        out,
        "  rate                    {:.0} spectra/s, {:.2} us a spectrum",
        times.spectra_per_s, times.us_per_spectrum
    )?;
    writeln!(
        out,
        "  per pixel and velocity  {:.4} ns, {:.1} GFLOP/s",
        times.ns_per_pixel_velocity, times.gflop_per_s
    )?;
    writeln!(
        out,
        "  the survey's {:.0}     {:.1} s",
        SURVEY_SPECTRA, times.survey_s
    )
}
