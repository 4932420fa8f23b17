//! From raw pixels to what the likelihood compares: wavelengths, masks, continuum, reference.

pub mod bspline;
pub mod coadd;
pub mod continuum;
pub mod dispersion;
pub mod mask;
pub mod normalize;
pub mod reference;
pub mod response;
pub mod smoothing_spline;

pub use coadd::Coadd;
pub use normalize::{Normalized, Normalizer, SpectrumConfig};
pub use reference::Reference;
