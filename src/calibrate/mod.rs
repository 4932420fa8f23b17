//! Self-calibration: the zero point of every exposure from the stars that do not vary (paper, section 3.2).
//!
//! Measured: v = a + z + noise, with a the star's offset and z the zero point of one (group, exposure, arm).
//! Corrected: v - z. Numbers in, numbers out: stars and exposures are indices, and nothing here knows spectra, names or tables.

pub mod arms;
pub mod cal_flags;
mod calibration;
pub(crate) mod columns;
pub mod components;
mod finish;
pub mod graph;
pub mod joint;
#[cfg(test)]
mod joint_tests;
pub mod links;
mod links_told;
pub mod observations;
pub mod paper;
mod part;
pub mod population;
mod problem;
pub mod results;
mod shape;
pub mod solution;
pub mod solve;
mod star_fit;
mod start;
mod state;
pub mod summary;
mod tail;
pub mod terms;
pub mod unjudged;

pub use cal_flags::CalFlags;
pub use calibration::{Calibration, calibrate, calibrate_without};
pub(crate) use links_told::{by_groups, told_links};
pub use solution::Iteration;
pub use unjudged::Unjudged;
