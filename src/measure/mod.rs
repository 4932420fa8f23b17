//! The stages put together: the only module that knows all of them.

pub mod coadd;
pub mod files;
pub mod memory;
pub mod plan;
pub mod rejections;

pub mod row;
pub mod stages;
mod star;
pub mod telluric;

pub use files::{
    Job, MeasureConfig, Measured, MeasuredUnit, Progress, ReferenceKind, measure, measure_units,
};
pub use plan::{Plan, Unit};
pub use row::RvRow;
#[cfg(feature = "lab")]
pub use telluric::Air;
pub use telluric::Telluric;
