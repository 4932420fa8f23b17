//! The products of a run: from measured rows to the calibrated catalogue, its stars, constants and zero points.

mod calibrated;
pub mod flags;
pub mod never_constant;
pub mod not_used;
mod paired;
mod stars;

pub use calibrated::{Products, products, push_flags_text};
