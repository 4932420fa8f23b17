//! The pixels of one spectrum, before anything is done with them.

use super::band::Band;

/// Wavelengths (A, in vacuum) of the pixels as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredWave {
    /// log10 of the wavelength, float32: in the visible, steps of 0.165 km/s.
    Log10(Vec<f32>),
    /// The wavelength itself.
    Linear(Vec<f64>),
}

impl StoredWave {
    /// ln(wavelength / A) of a pixel; `None` where there is none.
    pub fn ln(&self, pixel: usize) -> Option<f64> {
        match self {
            StoredWave::Log10(wave) => wave
                .get(pixel)
                .map(|w| f64::from(*w) * std::f64::consts::LN_10),
            StoredWave::Linear(wave) => wave.get(pixel).map(|w| w.ln()),
        }
    }
}

/// One spectrum: pixels in ascending wavelength. All vectors have the same length.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels<F = f32> {
    /// Wavelengths.
    pub wave: StoredWave,
    /// Flux, arbitrary units.
    pub flux: Vec<F>,
    /// Inverse variance of the flux; 0 where there is no information.
    pub ivar: Vec<F>,
    /// Pixels that are not to be used.
    pub masked: Vec<bool>,
}

/// What is normalised: pixels, and what is known of them besides.
#[derive(Clone, Copy, Debug)]
pub struct Exposure<'a, F = f32> {
    /// What instrument they are of.
    pub band: Band,
    /// The pixels.
    pub pixels: &'a Pixels<F>,
    /// Signal-to-noise ratio per pixel; where it is not finite it is found from the pixels.
    pub snr: f64,
    /// Velocity that was taken off the wavelengths, km/s: lambda here = lambda observed (1 - this / c). `None` where it is not known.
    pub helio_rv_km_s: Option<f64>,
}

/// A number that fluxes are stored as.
pub trait Stored: Copy + Into<f64> + sealed::Sealed {
    /// Whether it is a finite number greater than 0.
    fn is_positive(self) -> bool;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Stored for f32 {
    #[inline(always)]
    fn is_positive(self) -> bool {
        f32::is_finite(self) & (self > 0.0)
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
}

impl Stored for f64 {
    #[inline(always)]
    fn is_positive(self) -> bool {
        f64::is_finite(self) & (self > 0.0)
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
}
