//! How much memory the spectra may take that are worked on at one time.
//!
//! What a star takes is known before its files are opened, from their sizes. The numbers were measured on simulated plates and on single stars of up
//! to 500 files, and are a little large.

use super::comparison::ReferenceKind;
use super::config::MeasureConfig;
pub use super::config::{LEAST_MIB, MOST_MIB, USUAL_MIB};
use super::plan::Plan;
use crate::lamost::stars::Star;

/// Memory of the program itself, and of each of its threads, bytes.
pub const BASE_BYTES: f64 = 32e6;
const THREAD_BYTES: f64 = 1e6;
/// Whatever the threads take, this much is left for a star.
const LEAST_BYTES: f64 = 24e6;
/// The table of a star's reference in one arm, bytes.
const TABLE_BYTES: f64 = 0.35e6;
/// Bytes of memory for each byte of a star's files: where exposures are compared with the best one (`--reference best`), and where
/// they are put together in a coadd.
const BEST_BYTES: f64 = 1.0;
const COADD_BYTES: f64 = 2.4;
/// Files that are gzip inflate by this factor (simulated and real ones: 1.6).
const GZIP: f64 = 1.8;

/// Memory for the stars that are worked on at one time, bytes. Rows are not in it: 1 kB a spectrum, until the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget(pub f64);

impl Budget {
    /// What the settings leave for stars.
    pub fn new(config: &MeasureConfig) -> Self {
        let others = BASE_BYTES + THREAD_BYTES * rayon::current_num_threads() as f64;
        Budget((config.memory_bytes as f64 - others).max(LEAST_BYTES))
    }

    /// While stars that need `a` are measured, the next ones, which need `b`, may be read.
    pub fn holds_both(self, a: f64, b: f64) -> bool {
        a + b <= self.0
    }

    /// Stars that need so much may be one bite (`measure::bites`): the next bite is in memory beside it.
    pub fn holds_bite(self, bytes: f64) -> bool {
        2.0 * bytes <= self.0
    }

    /// Why a star that needs so much is not measured; none where it is.
    pub fn too_small_for(self, star: &Star, bytes: f64) -> Option<String> {
        (bytes > self.0).then(|| {
            let mib = |bytes: f64| (bytes / f64::from(1 << 20)).ceil();
            format!(
                "its star has {} files, which take about {} MiB of memory together; --memory leaves {} for them",
                star.members.len(),
                mib(bytes),
                mib(self.0)
            )
        })
    }
}

/// Memory that a star takes while it is worked on, bytes.
pub(crate) fn of_star(config: &MeasureConfig, plan: &Plan, star: &Star) -> f64 {
    let content = |&member: &usize| {
        let is_gz = plan.paths[member].extension().is_some_and(|e| e == "gz");
        let factor = if is_gz { GZIP } else { 1.0 };
        factor * plan.contents[member].len as f64
    };
    let content: f64 = star.members.iter().map(content).sum();
    let per_byte = match config.reference {
        ReferenceKind::Best => BEST_BYTES,
        ReferenceKind::Coadd => COADD_BYTES,
    };
    TABLE_BYTES * config.arms.len() as f64 + per_byte * content
}
