//! How a star's exposures are compared with each other, whatever they are of.

use crate::likelihood::VelocityGrid;
use crate::reference::weigh_down_lines;
use crate::spectrum::Normalized;

/// What a star's exposures are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceKind {
    /// Its exposure of highest signal-to-noise ratio (the paper's way).
    Best,
    /// The coadd of all its other exposures that agree with each other, each at its own velocity.
    #[default]
    Coadd,
}

/// Settings of the comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Velocities at which the likelihood is evaluated.
    pub grid: VelocityGrid,
    /// Knot spacing of the reference, pixels.
    pub knot_pixels: usize,
    /// What exposures are compared with.
    pub reference: ReferenceKind,
}

impl Comparison {
    /// Gives pixels under lines of the night sky less weight in a faint exposure, before anything is compared. Not in the paper's way,
    /// which knows nothing of the sky.
    pub fn weigh_sky(&self, exposure: &mut Normalized) {
        if self.reference == ReferenceKind::Coadd {
            weigh_down_lines(exposure);
        }
    }
}
