//! From raw pixels to normalised ones: wavelengths, masks, continuum.

pub mod band;
pub mod continuum;
pub mod dispersion;
pub mod mask;
pub mod normalize;
pub mod pixels;

pub use band::{Band, MODEL_SIGMA};
pub use normalize::{Normalized, Normalizer, SpectrumConfig, Unusable};
pub use pixels::{Exposure, Pixels, Stored, StoredWave};
