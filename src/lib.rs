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
pub mod bench;
pub mod catalogue;
pub mod cli;
mod date;
mod encoding;
pub mod error;
pub mod gpu;
pub mod io;
pub mod likelihood;
pub mod pipeline;
mod plain;
mod regular;
pub mod report;
pub mod run;
pub mod same_file;
pub mod selfcal;
pub mod simulate;
pub mod spectrum;
pub mod table;
mod tell;
pub mod validate;
pub mod whole;
pub mod workplace;

pub use arm::Arm;
pub use error::{Error, Result};

/// Speed of light in vacuum, km/s (exact, SI).
pub const C_KM_S: f64 = 299_792.458;
