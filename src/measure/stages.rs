//! How long each stage took, summed over threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::lamost::inflate::Traffic;

/// A stage of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding files and reading their primary headers.
    Headers,
    /// Reading, inflating and parsing.
    Read,
    /// Strength of the water lines, from a sample of the stars.
    Telluric,
    /// Wavelengths, masks and continuum.
    Normalize,
    /// References and their tables.
    Reference,
    /// Likelihood and peaks.
    Likelihood,
    /// Results of units, written and read.
    Write,
}

impl Stage {
    /// All stages, in their order.
    pub const ALL: [Stage; 7] = [
        Stage::Headers,
        Stage::Read,
        Stage::Telluric,
        Stage::Normalize,
        Stage::Reference,
        Stage::Likelihood,
        Stage::Write,
    ];

    /// Word for summaries.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Headers => "headers",
            Stage::Read => "read + inflate",
            Stage::Telluric => "water lines",
            Stage::Normalize => "continuum + masks",
            Stage::Reference => "reference",
            Stage::Likelihood => "likelihood",
            Stage::Write => "units on disk",
        }
    }
}

/// Clocks of all stages, and the bytes read; threads add to them.
#[derive(Debug, Default)]
pub struct StageClocks {
    nanoseconds: [AtomicU64; Stage::ALL.len()],
    stored: AtomicU64,
    content: AtomicU64,
    other_layouts: AtomicU64,
}

impl StageClocks {
    /// Runs `work` and adds its time to `stage`.
    pub fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add(stage, start.elapsed());
        result
    }

    /// Runs `work`, which uses all threads that no other stage uses at the same time, and adds their time to `stage`.
    pub fn time_all_threads<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let others = || -> Duration {
            let others = Stage::ALL.into_iter().filter(|s| *s != stage);
            others.map(|s| self.get(s)).sum()
        };
        let (start, before) = (Instant::now(), others());
        let result = work();
        let all = start.elapsed() * rayon::current_num_threads() as u32;
        self.add(stage, all.saturating_sub(others().saturating_sub(before)));
        result
    }

    /// Adds to a stage's time.
    pub fn add(&self, stage: Stage, time: Duration) {
        self.nanoseconds[stage as usize].fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Time spent in a stage, summed over threads.
    pub fn get(&self, stage: Stage) -> Duration {
        Duration::from_nanos(self.nanoseconds[stage as usize].load(Ordering::Relaxed))
    }

    /// Adds what was read.
    pub fn add_traffic(&self, traffic: Traffic) {
        self.stored.fetch_add(traffic.stored, Ordering::Relaxed);
        self.content.fetch_add(traffic.content, Ordering::Relaxed);
        self.other_layouts
            .fetch_add(traffic.other_layouts, Ordering::Relaxed);
    }

    /// Bytes read by [`Stage::Read`].
    pub fn traffic(&self) -> Traffic {
        Traffic {
            stored: self.stored.load(Ordering::Relaxed),
            content: self.content.load(Ordering::Relaxed),
            other_layouts: self.other_layouts.load(Ordering::Relaxed),
        }
    }
}
