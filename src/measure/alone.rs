//! What is known of a star that is measured against its best exposure alone, because its exposures are no copies of each other.

/// What the comparison of a star's exposures with each other says of their velocities against the best one. All have a value for each
/// exposure, or none.
#[derive(Clone, Debug, Default)]
pub struct Alone {
    /// Exposures that have lost pixels to clipping.
    pub clipped: Vec<bool>,
    /// Factors on the errors.
    pub error_scales: Vec<f64>,
    /// By how much each differs from the others.
    pub differences: Vec<f64>,
}
