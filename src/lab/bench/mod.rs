//! `relrv bench`: the same synthetic plate on the CPU and on the GPU. Equality first, then the times.

pub mod agreement;
pub mod compare;
pub mod floor;
pub mod plate;
pub mod survey;

pub use agreement::Agreement;
pub use compare::{BenchConfig, BenchResult, bench};
pub use floor::{Floor, floor};
