//! Parquet files of top-level columns.

mod quiet_panic;
pub(super) mod read;
mod types;
pub(super) mod write;
