//! How long each stage took, summed over threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A stage of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding files and reading their primary headers.
    Headers,
    /// Reading, inflating and parsing.
    Read,
    /// Wavelengths, masks and continuum.
    Normalize,
    /// References and their tables.
    Reference,
    /// Likelihood and peaks.
    Likelihood,
}

impl Stage {
    /// All stages, in their order.
    pub const ALL: [Stage; 5] = [
        Stage::Headers,
        Stage::Read,
        Stage::Normalize,
        Stage::Reference,
        Stage::Likelihood,
    ];

    /// Word for summaries.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Headers => "headers",
            Stage::Read => "read + inflate",
            Stage::Normalize => "continuum + masks",
            Stage::Reference => "reference",
            Stage::Likelihood => "likelihood",
        }
    }
}

/// Clocks of all stages; threads add to them.
#[derive(Debug, Default)]
pub struct StageClocks([AtomicU64; Stage::ALL.len()]);

impl StageClocks {
    /// Runs `work` and adds its time to `stage`.
    pub fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add(stage, start.elapsed());
        result
    }

    /// Adds to a stage's time.
    pub fn add(&self, stage: Stage, time: Duration) {
        self.0[stage as usize].fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Time spent in a stage, summed over threads.
    pub fn get(&self, stage: Stage) -> Duration {
        Duration::from_nanos(self.0[stage as usize].load(Ordering::Relaxed))
    }
}
