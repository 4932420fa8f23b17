//! Files in: finding inputs, inflating them, reading LAMOST MRS spectra, telling which files are of one star.

pub mod arm;
pub mod content;
pub mod inflate;
pub mod inputs;
pub mod mrs;
pub mod raw;
pub mod stars;
pub mod times;

pub use arm::Arm;
