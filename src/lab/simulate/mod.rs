//! Simulated spectra in the format of LAMOST MRS, with the truth beside them.
//!
//! In layers: [`template`] gives a star's noise-free normalised spectrum at any velocity, [`grid`] the wavelengths of
//! the pixels, [`noise`] what the detector adds, and [`spectrum()`] puts one exposure together in memory; [`effects`]
//! makes it as hard as real ones. Over them,
//! [`plate`] draws nights, spectrographs and stars on their [`orbit`]s, and [`run()`] writes the files and `truth.csv`.
//!
//! Velocities are in km/s, positive away from us: lambda_observed = lambda_rest (1 + v/c).

pub mod broad;
mod config;
mod content;
pub mod continuum;
pub mod cosmics;
pub mod effects;
mod file;
pub mod grid;
#[cfg(test)]
mod hard_tests;
pub mod lines;
pub mod motion;
mod mrs_tables;
pub mod noise;
mod observe;
pub mod opacity;
pub mod orbit;
pub mod params;
pub mod plate;
mod primary;
pub mod sky;
pub mod spectrum;
mod streams;
pub mod template;
mod truth_row;
mod types;
mod write;
#[cfg(test)]
mod write_tests;

pub use config::{Config, KindShares, Layout, ZeroPointScale};
pub use continuum::Continuum;
pub use cosmics::CosmicShapes;
pub use effects::{Sky, SkyRow};
pub use grid::{GridShift, N_PIXELS};
pub use noise::Defects;
pub use params::StellarParams;
pub use spectrum::{Component, Simulated, SpectrumOptions, spectrum, spectrum_with_truth};
pub use template::Template;
pub use truth_row::TruthRow;
pub use write::{Summary, forget, run, write_plate};
