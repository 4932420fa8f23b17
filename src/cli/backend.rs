//! `--backend` and `--adapter`: for every command that evaluates likelihoods.

use crate::likelihood::Likelihood;
use crate::likelihood::backend::{Backend, BackendConfig, Choice};
use crate::{Result, tell};

/// What to compute on.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct BackendArgs {
    /// What to compute on.
    #[arg(long, value_enum, default_value_t)]
    pub backend: Choice,
    /// Take the GPU whose name has this in it (see `relrv devices`).
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub adapter: String,
    /// Largest buffer on the GPU, MiB.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
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

/// Lines about the back end for a verbose summary.
pub fn notes(backend: &Backend) -> Vec<String> {
    let mut notes = vec![format!("  {:<18} {}", "back end", backend.name())];
    if let Some(why) = backend.cpu_because() {
        notes.push(format!("  {:<18} {why}", "why the CPU"));
    }
    #[cfg(feature = "gpu")]
    if let Some(gpu) = backend.gpu() {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let (engine, stats) = (gpu.engine(), gpu.take_stats());
        notes.push(format!(
            "  {:<18} {} dispatches, {:.1} MiB up, {:.1} MiB down, buffers {:.1} MiB at most (each up to {:.0} MiB)",
            "GPU",
            stats.dispatches,
            mib(stats.bytes_up),
            mib(stats.bytes_down),
            mib(engine.peak_bytes()),
            mib(engine.max_buffer_bytes()),
        ));
    }
    notes
}
