//! How a star's exposures are compared with each other, whatever they are of.

use crate::likelihood::VelocityGrid;

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
