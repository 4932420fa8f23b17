//! Relative radial velocities (RVs) from repeated stellar spectra, and the zero points of the exposures that they come from.
//!
//! A star's spectra are compared with each other, not with a model: the velocity of each is the maximum of a likelihood against the
//! coadd of the others. Exposures whose wavelengths are off move all their stars alike; the stars that do not vary tell by how much. The
//! method is that of [Xiong et al. 2021](https://doi.org/10.1088/1674-4527/21/10/265) (RAA), with the changes told in `docs/method.md`.
//!
//! Three things can be done, each with or without the others:
//!
//! | what is at hand | what is found | by |
//! |---|---|---|
//! | spectra of any instrument, as arrays | velocities with errors and flags | [`Measurer`] |
//! | velocities from anywhere, as columns | zero points, corrected velocities, which stars vary | [`calibrate()`] |
//! | files of LAMOST's medium-resolution survey | the whole: catalogue, stars, zero points, page | [`run()`] |
//!
//! # Velocities of a star's spectra
//!
//! An instrument is its window of wavelengths, the width of its pixels and that of its line-spread function. An exposure is three arrays:
//! wavelengths in Angstrom, flux in any unit, and the flux's inverse variance.
//!
//! ```
//! use relrv::{Device, MeasureOptions, Measurer, Spectrum};
//!
//! # fn main() -> relrv::Result<()> {
//! # let wave_aa: Vec<f64> = (0..4000).map(|i| 6100.0 + 0.0375 * f64::from(i)).collect();
//! # let flux = |rv_km_s: f64| -> Vec<f64> {
//! #     let line = |w: f64, at: f64| (-0.5 * ((w / (1.0 + rv_km_s / relrv::C_KM_S) - at) / 0.06).powi(2)).exp();
//! #     let star = |w: &f64| 1.0 - 0.5 * (line(*w, 6140.0) + line(*w, 6175.0) + line(*w, 6210.0));
//! #     wave_aa.iter().map(star).collect()
//! # };
//! # let (first, second, ivar) = (flux(0.0), flux(12.0), vec![1e4; 4000]);
//! // Pixels of 1.9 km/s, 3.8 of them to the width of the line-spread function.
//! let options = MeasureOptions::new((6110.0, 6240.0), 1.9, 3.8).vmax_km_s(100.0);
//! let measurer = Measurer::new(options, Device::Cpu)?;
//! let velocities = measurer.star(&[
//!     Spectrum::new(&wave_aa, &first, &ivar)?,
//!     Spectrum::new(&wave_aa, &second, &ivar)?,
//! ])?;
//! let moved_km_s = velocities.rv_km_s[1] - velocities.rv_km_s[0];
//! assert!((moved_km_s - 12.0).abs() < 0.05);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/own_spectra.rs` is a whole program that does this, `examples/calibrate_columns.rs` one for columns of velocities, and
//! `examples/survey.rs` one for the survey's files.
//!
//! # What is told of a number
//!
//! Nothing is dropped in silence: a velocity that is no velocity of the star, or may be none, has [`RvFlags`]; an input that cannot be
//! used is named with its reason. Velocities are c z in km/s, positive where a spectrum is redshifted; wavelengths are in vacuum.
//!
//! # Features
//!
//! - `cli`: the program, with what reads its command line;
//! - `gpu`: the likelihood on graphics processors;
//! - `report`: the page of a run, with its figures;
//! - `lab`: what tests the engine (simulated spectra, the paper's own tests, benchmarks). It also makes all modules public, for this
//!   project's own tests and benchmarks; what is in them can change at any time.
//!
//! The first three are there by default. `docs/architecture.md` tells which room of the source does what: a room is a folder or file of
//! `src`, that is a top-level module.

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
pub mod periods;
#[cfg(not(feature = "lab"))]
mod periods;
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
pub use calibrate::terms::{ByLines, FibreOrder};
pub use calibrate::{CalFlags, Calibration, Unjudged, calibrate, calibrate_without};
pub use catalogue::flags::CatalogueFlags;
pub use error::{Error, Result, SpectrumError};
pub use lamost::Arm;
pub use likelihood::RvFlags;
pub use likelihood::devices::{DeviceInfo, devices};
pub use measure::{
    ComparedSpectrum, Curve, Device, MeasureOptions, Measurer, NotMeasured, PixelFlags, Progress,
    ReferenceKind, Spectrum, StarVelocities, SurveyFile, SurveySpectrum, Telluric,
};
pub use run::ProductFormat;
pub use run::face::{RunOptions, RunSummary, run, run_telling};
pub use spectrum::Band;
pub use spectrum::continuum::ContinuumConfig;
pub use spectrum::mask::MaskConfig;
pub use table::{Column, ColumnData, Table};

#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::{run as run_cli, run_from as run_cli_from};

/// Simulated plates in the survey's format, with their truth: `relrv simulate` as a function.
#[cfg(feature = "lab")]
pub mod simulate {
    pub use crate::lab::simulate::{Config, KindShares, Layout, Sky, Summary, ZeroPointScale, run};
}

/// Speed of light in vacuum, km/s (exact, SI).
pub const C_KM_S: f64 = 299_792.458;
