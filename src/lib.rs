//! Relative radial velocities (RVs) from repeated stellar spectra.
//!
//! The way of the data is the order of the modules:
//! files -> [`io`] -> [`spectrum`] -> [`likelihood`] -> [`table`], run by [`pipeline`] and told by [`cli`].
//! [`simulate`] makes files in the same format, with the truth beside them.
//!
//! The method is that of Xiong et al. 2021 (RAA), with the changes told in `docs/method.md`.

#![forbid(unsafe_code)]
// What goes to a terminal goes through `tell`, which neither panics nor lets controls through.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod arm;
pub mod calibrate;
pub mod catalogue;
#[cfg(feature = "cli")]
pub mod cli;
pub mod double_lined;
pub mod error;
pub mod files;
pub mod fits;
pub mod gpu;
#[cfg(feature = "lab")]
pub mod lab;
pub mod lamost;
pub mod likelihood;
pub mod measure;
pub mod reference;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
pub mod spectrum;
pub mod spline;
pub mod table;
#[cfg(feature = "cli")]
mod tell;
mod text;

pub use arm::Arm;
pub use error::{Error, Result};

/// Speed of light in vacuum, km/s (exact, SI).
pub const C_KM_S: f64 = 299_792.458;
