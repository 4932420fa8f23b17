//! The stages put together: the only module that knows all of them.

pub mod coadd;
pub mod comparison;
pub mod config;
pub mod curve;
pub mod files;
pub mod first_pass;
pub mod measurer;
pub mod memory;
pub mod options;
pub mod plan;
mod prepared;
pub mod rejections;
pub mod rv_read;
pub mod rv_table;
pub mod spectra;
pub mod stages;
mod star;
pub mod telluric;
mod workspace;

pub use comparison::{Comparison, ReferenceKind};
pub use config::{MeasureConfig, Telluric};
pub use curve::Curve;
pub use files::{Job, Measured, MeasuredUnit, Progress, measure, measure_units};
pub use first_pass::FirstPass;
pub use measurer::{Measurer, NotMeasured, StarVelocities};
pub use options::{Device, MeasureOptions};
pub use plan::{Plan, Stamp, Unit};
pub use rv_table::RvRow;
pub use spectra::{Spectrum, SpectrumError};
pub use telluric::Air;
