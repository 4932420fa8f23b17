//! Spectra as the package hands them over: tuples of arrays, which are read where they lie.

use ndarray::ArrayView1;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use relrv::Spectrum;

/// Wavelengths (A), or their decimal logarithms.
#[derive(FromPyObject)]
enum Wave<'py> {
    Linear(PyReadonlyArray1<'py, f64>),
    Log10(PyReadonlyArray1<'py, f32>),
}

/// A tuple: wavelengths (float64, A; or float32, decimal logarithms), flux, inverse variance, mask or None, signal-to-noise ratio, and
/// the velocity that was taken off the wavelengths (km/s); the last two NaN where they are not known.
#[derive(FromPyObject)]
pub struct SpectrumIn<'py>(
    Wave<'py>,
    PyReadonlyArray1<'py, f64>,
    PyReadonlyArray1<'py, f64>,
    Option<PyReadonlyArray1<'py, bool>>,
    f64,
    f64,
);

/// The same without Python's types, so that other threads can read it.
pub struct Views<'a> {
    wave: WaveView<'a>,
    flux: ArrayView1<'a, f64>,
    ivar: ArrayView1<'a, f64>,
    mask: Option<ArrayView1<'a, bool>>,
    snr: f64,
    helio_rv_km_s: f64,
}

enum WaveView<'a> {
    Linear(ArrayView1<'a, f64>),
    Log10(ArrayView1<'a, f32>),
}

impl SpectrumIn<'_> {
    /// Views of its arrays.
    pub fn views(&self) -> Views<'_> {
        let SpectrumIn(wave, flux, ivar, mask, snr, helio_rv_km_s) = self;
        Views {
            wave: match wave {
                Wave::Linear(wave) => WaveView::Linear(wave.as_array()),
                Wave::Log10(wave) => WaveView::Log10(wave.as_array()),
            },
            flux: flux.as_array(),
            ivar: ivar.as_array(),
            mask: mask.as_ref().map(|mask| mask.as_array()),
            snr: *snr,
            helio_rv_km_s: *helio_rv_km_s,
        }
    }
}

impl<'a> Views<'a> {
    /// The spectrum.
    pub fn spectrum(&self) -> relrv::Result<Spectrum<'a>> {
        let spectrum = match self.wave {
            WaveView::Linear(wave) => Spectrum::new(wave, self.flux, self.ivar),
            WaveView::Log10(wave) => Spectrum::from_log10(wave, self.flux, self.ivar),
        }?;
        let spectrum = match self.mask {
            Some(mask) => spectrum.with_mask(mask)?,
            None => spectrum,
        };
        let spectrum = spectrum.with_helio_rv_km_s(self.helio_rv_km_s);
        Ok(match self.snr.is_finite() {
            true => spectrum.with_snr(self.snr),
            false => spectrum,
        })
    }
}
