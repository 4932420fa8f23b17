//! `relrv bench`: the same synthetic plate on the CPU and on the GPU. Equality first, then the times.

pub mod agreement;
pub mod plate;
pub mod run;

pub use agreement::Agreement;
pub use run::{BenchConfig, BenchResult, bench};
