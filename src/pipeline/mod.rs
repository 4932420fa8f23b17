//! The stages put together: the only module that knows all of them.

pub mod measure;
pub mod rv_table;
pub mod stages;
mod star;

pub use measure::{MeasureConfig, Measured, measure};
pub use rv_table::RvRow;
