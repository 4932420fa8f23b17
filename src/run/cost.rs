//! What measuring a unit took.

use std::time::Instant;

use super::claim::host_name;
use super::peak_memory::peak_memory_bytes;

/// What measuring a unit took.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// Seconds that passed.
    pub seconds: f64,
    /// Threads that worked.
    pub threads: usize,
    /// Most memory that the program had until then, bytes; null where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
    /// The machine.
    pub host: String,
}

impl Cost {
    /// Of work that began at this time and ends now.
    pub fn since(start: Instant) -> Self {
        Cost {
            seconds: start.elapsed().as_secs_f64(),
            threads: rayon::current_num_threads(),
            peak_memory_bytes: peak_memory_bytes(),
            host: host_name(),
        }
    }
}
