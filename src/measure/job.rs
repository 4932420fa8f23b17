//! What the measurement of files needs to know, and whom it tells how far it is.

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

impl Progress for () {
    fn files(&self, _: usize, _: usize) {}
}
