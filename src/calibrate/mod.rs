//! Self-calibration: the zero point of every exposure from the stars that do not vary (paper, section 3.2).
//!
//! Measured: v = a + z + noise, with a the star's offset and z the zero point of one (group, exposure, arm).
//! Corrected: v - z. This module knows tables of stars, exposures and RVs, and no spectra.

pub mod arms;
pub mod cal_flags;
pub mod components;
mod fit;
pub mod graph;
pub mod input;
mod jitter;
pub mod joint;
pub mod observations;
pub mod paper;
pub mod products;
mod room;
pub mod solution;
pub mod solve;
pub mod stats;
pub mod summary;

pub use cal_flags::CalFlags;
pub use solution::Iteration;

#[cfg(test)]
mod tests;
