//! What the measurement of files needs to know, and whom it tells how far it is.

use std::sync::atomic::{AtomicBool, Ordering};

use super::config::MeasureConfig;
use super::plan::Plan;
use super::stages::StageClocks;
use crate::likelihood::Likelihood;

/// All that the measurement of units needs.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Settings.
    pub config: &'a MeasureConfig,
    /// What is to be done.
    pub plan: &'a Plan,
    /// Where likelihoods are evaluated.
    pub backend: &'a dyn Likelihood,
    /// Is told how far the work is.
    pub progress: &'a dyn Progress,
    /// Where time is counted.
    pub clocks: &'a StageClocks,
}

/// Is told how far a measurement has come, and can end it.
pub trait Progress: Sync {
    /// `done` of `total` files have been read, measured and forgotten.
    fn files(&self, done: usize, total: usize);

    /// `done` of `total` spectra that the caller gave as arrays have been measured.
    fn spectra(&self, _done: usize, _total: usize) {}

    /// The work is to end as soon as it can.
    fn cancelled(&self) -> bool {
        false
    }
}

/// A [`Progress`] that stays cancelled: what is left out once it says so must not be taken for finished when it no longer does.
pub(super) struct Latched<'a> {
    progress: &'a dyn Progress,
    is_cancelled: AtomicBool,
}

impl<'a> Latched<'a> {
    pub fn new(progress: &'a dyn Progress) -> Self {
        Latched {
            progress,
            is_cancelled: AtomicBool::new(false),
        }
    }
}

impl Progress for Latched<'_> {
    fn files(&self, done: usize, total: usize) {
        self.progress.files(done, total);
    }

    fn spectra(&self, done: usize, total: usize) {
        self.progress.spectra(done, total);
    }

    fn cancelled(&self) -> bool {
        if self.progress.cancelled() {
            self.is_cancelled.store(true, Ordering::Relaxed);
        }
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

impl Progress for () {
    fn files(&self, _: usize, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says so once.
    #[derive(Default)]
    struct Once(AtomicBool);

    impl Progress for Once {
        fn files(&self, _: usize, _: usize) {}

        fn cancelled(&self) -> bool {
            !self.0.swap(true, Ordering::Relaxed)
        }
    }

    #[test]
    fn cancelled_once_is_cancelled_for_good() {
        let once = Once::default();
        let latched = Latched::new(&once);
        assert!(latched.cancelled());
        assert!(latched.cancelled());
        assert!(!Latched::new(&()).cancelled());
    }
}
