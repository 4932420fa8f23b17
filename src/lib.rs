//! Relative radial velocities (RVs) from repeated stellar spectra.
//!
//! The way of the data is the order of the modules:
//! files -> [`lamost`] -> [`spectrum`] -> [`mod@reference`] -> [`likelihood`] -> [`table`], run by [`measure`] and told by [`cli`].
//! [`lab::simulate`] makes files in the same format, with the truth beside them.
//!
//! Spectra of any instrument, as arrays, are measured by a [`Measurer`].
//!
//! The method is that of Xiong et al. 2021 (RAA), with the changes told in `docs/method.md`.

#![forbid(unsafe_code)]
// What goes to a terminal goes through `tell`, which neither panics nor lets controls through.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod calibrate;
pub mod catalogue;
pub mod cli;
pub mod double_lined;
pub mod error;
pub mod files;
pub mod fits;
pub mod gpu;
pub mod lab;
pub mod lamost;
pub mod likelihood;
pub mod measure;
pub mod reference;
pub mod report;
pub mod run;
pub mod spectrum;
pub mod spline;
pub mod table;
mod tell;
mod text;

pub use error::{Error, Result};
pub use lamost::Arm;
pub use likelihood::RvFlags;
pub use measure::{
    Curve, Device, MeasureOptions, Measurer, NotMeasured, ReferenceKind, Spectrum, SpectrumError,
    StarVelocities,
};
pub use spectrum::Band;

/// Speed of light in vacuum, km/s (exact, SI).
pub const C_KM_S: f64 = 299_792.458;
