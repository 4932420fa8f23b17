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
pub mod reference_table;
mod search;
#[cfg(test)]
mod test_data;

pub use backend::Backend;
pub use batch::{Batch, SpectrumPixels};
pub use cpu::Cpu;
pub use flags::RvFlags;
#[cfg(feature = "gpu")]
pub use gpu::Gpu;
pub use grid::VelocityGrid;
#[cfg(not(feature = "gpu"))]
pub use no_gpu::Gpu;
pub use peak::Measurement;
#[cfg(any(test, feature = "lab"))]
pub use reference_table::ReferenceTable;

/// What a device has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct DeviceUse {
    /// Dispatches.
    pub dispatches: u32,
    /// Spectra in them.
    pub spectra: u64,
    /// Spectra of the largest.
    pub largest_dispatch: u64,
    /// Bytes to the device.
    pub bytes_up: u64,
    /// Bytes back.
    pub bytes_down: u64,
    /// Most bytes of buffers at a time, on the device and staged for it.
    pub peak_bytes: u64,
    /// Time in its kernels by its own clock, s; none if it has none.
    pub kernel_s: Option<f64>,
    /// Time in which it had nothing to do, between its first dispatch and its last, s.
    pub idle_s: f64,
}

impl DeviceUse {
    /// Spectra of a dispatch in the mean.
    pub fn mean_dispatch(&self) -> f64 {
        self.spectra as f64 / f64::from(self.dispatches.max(1))
    }
}

/// A back end: evaluates the likelihood of a batch on the whole velocity grid and measures its peaks.
pub trait Likelihood: Sync {
    /// What it runs on, for the log.
    fn name(&self) -> String;

    /// Whether a call should have the spectra of a whole plate: a call of a device costs time that one of the CPU does not.
    fn takes_plates(&self) -> bool {
        false
    }

    /// What a device has done since it was opened; none for the CPU.
    fn device_use(&self) -> Option<DeviceUse> {
        None
    }

    /// One measurement per spectrum of the batch, in its order.
    fn measure(&self, batch: &Batch) -> crate::Result<Vec<Measurement>>;

    /// ln L of spectrum `spectrum` of the batch at every velocity of the grid, without the constant of Eq. 3 that
    /// does not depend on velocity.
    fn curve(&self, batch: &Batch, spectrum: usize) -> crate::Result<Vec<f64>>;
}
