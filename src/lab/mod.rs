//! What tests the engine: simulated spectra with their truth, the paper's own tests, benchmarks.

pub mod bench;
pub mod simulate;
pub mod validate;
