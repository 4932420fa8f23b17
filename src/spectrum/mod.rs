//! From raw pixels to what the likelihood compares: wavelengths, masks, continuum, reference.

pub mod bspline;
pub mod coadd;
pub mod coarse;
pub mod continuum;
pub mod dispersion;
pub mod double_lined;
pub mod line_width;
pub mod mask;
pub mod normalize;
pub mod reference;
pub mod response;
pub mod second_copy;
pub mod smoothing_spline;
pub mod sunlight;
pub mod telluric;
pub mod twisted;

pub use coadd::Coadd;
pub use normalize::{Normalized, Normalizer, SpectrumConfig};
pub use reference::Reference;
