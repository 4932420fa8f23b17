//! From raw pixels to what the likelihood compares: wavelengths, masks, continuum, reference.

pub mod continuum;
pub mod dispersion;
pub mod mask;
pub mod normalize;

pub use normalize::{Normalized, Normalizer, SpectrumConfig};
