//! Splines in linear time: B-splines with a prior, and the smoothing spline of a continuum.

pub mod bspline;
pub mod smoothing_spline;
pub mod twisted;
