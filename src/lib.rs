//! Relative radial velocities (RVs) from repeated stellar spectra.
//!
//! The way of the data is files -> spectra -> likelihoods -> velocities -> zero points -> tables. The method is that of Xiong et al. 2021
//! (RAA), with the changes told in `docs/method.md`. `docs/architecture.md` tells what each room of the source does: a room is a folder
//! or file of `src`, that is a top-level module, and the table there says which others it may import.
//!
//! # Where to begin
//!
//! - [`run`] with [`RunOptions`]: the survey's files in, a calibrated catalogue out;
//! - [`Measurer`] with [`MeasureOptions`] and [`Spectrum`]: velocities of stars from arrays of any instrument;
//! - [`calibrate`] with [`Observations`] and [`CalibrateOptions`]: zero points of velocities that were measured elsewhere;
//! - [`Table`]: tables read and written in FITS, CSV and Parquet.
//!
//! # Features
//!
//! - `cli`: the program, with what reads its command line;
//! - `gpu`: the likelihood on graphics processors;
//! - `report`: the page of a run, with its figures;
//! - `lab`: what tests the engine (simulated spectra, the paper's own tests, benchmarks). It also makes all modules public, for this
//!   project's own tests and benchmarks; what is in them can change at any time.
//!
//! The first three are there by default.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
// What goes to a terminal goes through `tell`, which neither panics nor lets controls through.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]
// Much of the library is used by the program alone, so builds without it do not warn of unused code; builds with it do.
#![cfg_attr(
    not(any(feature = "cli", feature = "lab")),
    allow(dead_code, unused_imports)
)]

// Every module is private, and public with the feature `lab`. Each is written out twice, and not by a macro, so that rustfmt finds the
// files.
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod calibrate;
#[cfg(not(feature = "lab"))]
mod calibrate;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod catalogue;
#[cfg(not(feature = "lab"))]
mod catalogue;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod double_lined;
#[cfg(not(feature = "lab"))]
mod double_lined;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod error;
#[cfg(not(feature = "lab"))]
mod error;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod files;
#[cfg(not(feature = "lab"))]
mod files;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod fits;
#[cfg(not(feature = "lab"))]
mod fits;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod gpu;
#[cfg(not(feature = "lab"))]
mod gpu;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod lamost;
#[cfg(not(feature = "lab"))]
mod lamost;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod likelihood;
#[cfg(not(feature = "lab"))]
mod likelihood;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod measure;
#[cfg(not(feature = "lab"))]
mod measure;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod numbers;
#[cfg(not(feature = "lab"))]
mod numbers;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod reference;
#[cfg(not(feature = "lab"))]
mod reference;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod report;
#[cfg(all(feature = "report", not(feature = "lab")))]
mod report;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod run;
#[cfg(not(feature = "lab"))]
mod run;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod spectrum;
#[cfg(not(feature = "lab"))]
mod spectrum;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod spline;
#[cfg(not(feature = "lab"))]
mod spline;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod table;
#[cfg(not(feature = "lab"))]
mod table;

#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod lab;
#[cfg(feature = "cli")]
mod tell;
mod text;
#[cfg(feature = "cli")]
mod velocity_table;

pub use calibrate::arms::{CalibrateOptions, Method, Scope};
pub use calibrate::joint::JointOptions;
pub use calibrate::observations::Observations;
pub use calibrate::paper::PaperOptions;
pub use calibrate::results::{Star, ZeroPoint};
pub use calibrate::{CalFlags, Calibration, calibrate, calibrate_without};
pub use catalogue::flags::CatalogueFlags;
pub use error::{Error, Result, SpectrumError};
pub use lamost::Arm;
pub use likelihood::RvFlags;
pub use measure::{
    Curve, Device, MeasureOptions, Measurer, NotMeasured, ReferenceKind, Spectrum, StarVelocities,
};
pub use run::ProductFormat;
pub use run::face::{RunOptions, RunSummary, run};
pub use spectrum::Band;
pub use table::{Column, ColumnData, Table};

#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::run as run_cli;

/// Speed of light in vacuum, km/s (exact, SI).
pub const C_KM_S: f64 = 299_792.458;
