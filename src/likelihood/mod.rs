//! The likelihood of a velocity, for every spectrum of a batch (paper Eq. 3).
//!
//! [`oracle`] is written straight from the equations in float64 and judges everything else. [`batch`] puts the same
//! numbers in the form that both fast back ends share; a back end is a [`Likelihood`].

pub mod backend;
pub mod batch;
pub mod cpu;
#[cfg(test)]
mod cpu_tests;
pub mod devices;
pub mod flags;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod grid;
mod kernel;
mod lanes;
#[cfg(not(feature = "gpu"))]
mod no_gpu;
#[cfg(feature = "lab")]
pub mod oracle;
pub mod peak;
pub mod precision;
mod precision_sums;
mod search;
#[cfg(test)]
mod test_data;

pub use backend::Backend;
pub use batch::{Batch, ReferenceTable, SpectrumPixels};
pub use cpu::Cpu;
pub use flags::RvFlags;
#[cfg(feature = "gpu")]
pub use gpu::Gpu;
pub use grid::VelocityGrid;
#[cfg(not(feature = "gpu"))]
pub use no_gpu::Gpu;
pub use peak::Measurement;

/// A back end: evaluates the likelihood of a batch on the whole velocity grid and measures its peaks.
pub trait Likelihood: Sync {
    /// What it runs on, for the log.
    fn name(&self) -> String;

    /// One measurement per spectrum of the batch, in its order.
    fn measure(&self, batch: &Batch) -> crate::Result<Vec<Measurement>>;

    /// ln L of spectrum `spectrum` of the batch at every velocity of the grid, without the constant of Eq. 3 that
    /// does not depend on velocity.
    fn curve(&self, batch: &Batch, spectrum: usize) -> crate::Result<Vec<f64>>;
}
