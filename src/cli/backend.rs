//! `--backend` and `--adapter`: for every command that evaluates likelihoods.

use super::headings::MACHINE;
use super::numbers::whole;
use crate::likelihood::backend::{Backend, BackendConfig, Choice};
use crate::likelihood::{DeviceUse, Likelihood};
use crate::run::peak_memory_bytes;
use crate::text::count::count;
use crate::{Result, tell};

/// What to compute on.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct BackendArgs {
    /// What to compute on.
    #[arg(long, value_enum, default_value_t, help_heading = MACHINE, hide_short_help = true)]
    pub backend: Choice,
    /// Take the GPU whose name has this in it (see `relrv devices`).
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true, help_heading = MACHINE, hide_short_help = true)]
    pub adapter: String,
    /// Largest buffer on the GPU, MiB.
    #[arg(long, value_name = "MIB", value_parser = whole::<u64>(1..=1 << 20), help_heading = MACHINE, hide_short_help = true)]
    pub gpu_memory: Option<u64>,
    /// Lose the GPU after this many dispatches, to see what happens then.
    #[arg(long, value_name = "N", hide = true)]
    pub gpu_fail_after: Option<u32>,
}

impl BackendArgs {
    /// Settings of the back end.
    pub fn config(&self) -> BackendConfig {
        BackendConfig {
            choice: self.backend,
            adapter: self.adapter.clone(),
            max_buffer_bytes: self.gpu_memory.map(|mib| mib << 20),
            fail_after_dispatches: self.gpu_fail_after,
        }
    }

    /// Opens it; a GPU that fails later is told on stderr.
    pub fn open(&self) -> Result<Backend> {
        Backend::open(&self.config(), |warning| tell::alert!("warning: {warning}"))
    }
}

/// Lines about the back end for a verbose summary. `name` is what it called itself in the threads that it worked in: elsewhere it would
/// count others.
pub fn notes(backend: &Backend, name: &str) -> Vec<String> {
    let mut notes = vec![format!("  {:<18} {}", "back end", name)];
    if let Some(why) = backend.cpu_because() {
        notes.push(format!("  {:<18} {why}", "why the CPU"));
    }
    if let Some(device) = backend.device_use() {
        notes.extend(device_notes(&device));
    }
    notes.extend(memory_note(peak_memory_bytes()));
    notes
}

/// The most memory that the program had.
pub fn memory_note(peak_bytes: Option<u64>) -> Option<String> {
    let mib = peak_bytes? as f64 / f64::from(1 << 20);
    let name = "memory of the host";
    Some(format!(
        "  {name} {mib:.0} MiB at most (--memory bounds what spectra take)"
    ))
}

/// What was given to the GPU, and how busy it was.
pub fn device_notes(device: &DeviceUse) -> [String; 3] {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let kernels = match device.kernel_s {
        Some(seconds) => format!("{seconds:.3} s in its kernels"),
        None => "no clock of its own".to_owned(),
    };
    let per_spectrum_kb = device.bytes_up as f64 / device.spectra.max(1) as f64 / 1e3;
    [
        format!(
            "  {:<18} {} of {:.0} spectra, {} at most",
            "GPU",
            count(device.dispatches as usize, "dispatch"),
            device.mean_dispatch(),
            device.largest_dispatch,
        ),
        format!(
            "  {:<18} {:.1} MiB up ({per_spectrum_kb:.1} kB a spectrum), {:.1} MiB down, buffers {:.1} MiB at most",
            "",
            mib(device.bytes_up),
            mib(device.bytes_down),
            mib(device.peak_bytes),
        ),
        format!(
            "  {:<18} {kernels}, {:.3} s without work between its first dispatch and its last",
            "", device.idle_s,
        ),
    ]
}
