//! The least that a run can take: its files read and inflated, and nothing else.

use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;

use crate::lamost::inflate::Inflater;
use crate::lamost::inputs;

/// Reading and inflating of files on all threads.
#[derive(Clone, Debug, Serialize)]
pub struct Floor {
    /// Files found in the inputs.
    pub files: usize,
    /// Those that could not be read or inflated.
    pub failed: usize,
    /// Bytes as they are stored, 10^6.
    pub stored_mb: f64,
    /// Bytes inflated, 10^6.
    pub content_mb: f64,
    /// Threads.
    pub threads: usize,
    /// Wall time, s.
    pub seconds: f64,
}

/// Reads and inflates every file of the inputs once.
pub fn floor<P: AsRef<Path>>(inputs: &[P]) -> Floor {
    let start = Instant::now();
    let (paths, rejected) = inputs::expand(inputs);
    let read = |inflater: &mut Inflater, path| {
        let failed = inflater.read(path).is_err();
        let traffic = inflater.take_traffic();
        (usize::from(failed), traffic.stored, traffic.content)
    };
    let (failed, stored, content) = paths
        .par_iter()
        .map_init(Inflater::new, |inflater, path| read(inflater, path))
        .reduce(|| (0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    Floor {
        files: paths.len(),
        failed: failed + rejected.len(),
        stored_mb: stored as f64 / 1e6,
        content_mb: content as f64 / 1e6,
        threads: rayon::current_num_threads(),
        seconds: start.elapsed().as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_and_those_that_cannot_be_read_too() {
        let plate = Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples/plate-small");
        let missing = plate.join("none.fits.gz");
        let floor = floor(&[plate, missing]);
        assert!(floor.files > 10, "{floor:?}");
        assert_eq!(floor.failed, 1, "{floor:?}");
        assert!(floor.content_mb > floor.stored_mb, "{floor:?}");
    }
}
