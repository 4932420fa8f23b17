//! What one thread keeps between the stars that it reads.

use crate::double_lined::coarse::CoarseExposure;
use crate::lamost::inflate::Inflater;
use crate::spectrum::Normalizer;

/// Buffers of one thread.
#[derive(Default)]
pub struct Workspace {
    pub inflater: Inflater,
    pub normalizer: Normalizer,
    pub coarse: CoarseExposure,
}
