//! Spectra of any instrument, as arrays of the caller's.

use ndarray::ArrayView1;

use crate::spectrum::{Pixels, StoredWave};
use crate::{Result, SpectrumError};

/// One exposure of a star: views of the caller's arrays, all of one length.
///
/// Wavelengths are in vacuum, in one frame for all spectra of a star (usually that of the Sun or of the solar system's
/// barycentre), and ascend or descend. Flux is in any unit, not divided by a continuum; its inverse variance is in that unit to the -2.
/// Pixels whose flux or inverse variance is not finite, or whose inverse variance is not positive, count for nothing.
#[derive(Clone, Debug)]
pub struct Spectrum<'a> {
    wave_aa: ArrayView1<'a, f64>,
    flux: ArrayView1<'a, f64>,
    ivar: ArrayView1<'a, f64>,
    mask: Option<ArrayView1<'a, bool>>,
    snr: f64,
}

impl<'a> Spectrum<'a> {
    /// A spectrum of three arrays of one length n, a value for each pixel: wavelengths in Angstrom, flux, and inverse variance of the
    /// flux. Each may be a reference to an `Array1`, a slice or a `Vec`, or a view.
    ///
    /// # Errors
    /// [`crate::Error::Spectrum`] where the lengths differ or are 0, where a wavelength is not finite and positive, or where the
    /// wavelengths neither ascend nor descend.
    pub fn new(
        wave_aa: impl Into<ArrayView1<'a, f64>>,
        flux: impl Into<ArrayView1<'a, f64>>,
        ivar: impl Into<ArrayView1<'a, f64>>,
    ) -> Result<Self> {
        let spectrum = Spectrum {
            wave_aa: wave_aa.into(),
            flux: flux.into(),
            ivar: ivar.into(),
            mask: None,
            snr: f64::NAN,
        };
        spectrum.check_length("flux", spectrum.flux.len())?;
        spectrum.check_length("ivar", spectrum.ivar.len())?;
        check_wavelengths(&spectrum.wave_aa)?;
        Ok(spectrum)
    }

    /// With a mask of length n that is true for pixels that are not to be used.
    ///
    /// # Errors
    /// [`crate::Error::Spectrum`], where it is not as long as the wavelengths.
    pub fn with_mask(mut self, mask: impl Into<ArrayView1<'a, bool>>) -> Result<Self> {
        let mask = mask.into();
        self.check_length("mask", mask.len())?;
        self.mask = Some(mask);
        Ok(self)
    }

    /// With a signal-to-noise ratio per pixel, which decides which exposure is the best of a star. Where it is not given, or not finite,
    /// it is the median over the good pixels of the window.
    pub fn with_snr(self, snr: f64) -> Self {
        Spectrum { snr, ..self }
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        self.wave_aa.len()
    }

    /// Always false: a spectrum has at least one pixel.
    pub fn is_empty(&self) -> bool {
        self.wave_aa.is_empty()
    }

    /// The signal-to-noise ratio that was given; NaN where none was.
    pub(super) fn snr(&self) -> f64 {
        self.snr
    }

    /// The pixels in ascending wavelength.
    pub(super) fn pixels(&self) -> Pixels<f64> {
        let mut masked = match &self.mask {
            Some(mask) => mask.to_vec(),
            None => vec![false; self.len()],
        };
        let mut values = [&self.wave_aa, &self.flux, &self.ivar].map(|v| v.to_vec());
        if values[0].first() > values[0].last() {
            values.iter_mut().for_each(|v| v.reverse());
            masked.reverse();
        }
        let [wave_aa, flux, ivar] = values;
        Pixels {
            wave: StoredWave::Linear(wave_aa),
            flux,
            ivar,
            masked,
        }
    }

    fn check_length(&self, array: &'static str, found: usize) -> Result<()> {
        let expected = self.len();
        match found == expected {
            true => Ok(()),
            false => Err(SpectrumError::Length {
                array,
                found,
                expected,
            }
            .into()),
        }
    }
}

fn check_wavelengths(wave_aa: &ArrayView1<'_, f64>) -> Result<()> {
    let (Some(first), Some(last)) = (wave_aa.first(), wave_aa.last()) else {
        return Err(SpectrumError::Empty.into());
    };
    let is_wavelength = |wave_aa: f64| wave_aa.is_finite() && wave_aa > 0.0;
    if let Some(pixel) = wave_aa.iter().position(|w| !is_wavelength(*w)) {
        let wave_aa = wave_aa[pixel];
        return Err(SpectrumError::Wavelength { pixel, wave_aa }.into());
    }
    let descends = first > last;
    let pairs = wave_aa.iter().zip(wave_aa.iter().skip(1));
    let mut in_order = pairs.map(|(before, after)| match descends {
        true => after < before,
        false => after > before,
    });
    match in_order.position(|is_in_order| !is_in_order) {
        Some(before) => {
            let (pixel, wave_aa) = (before + 1, wave_aa[before + 1]);
            Err(SpectrumError::Order { pixel, wave_aa }.into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn problem<T>(result: Result<T>) -> SpectrumError {
        match result {
            Err(Error::Spectrum(problem)) => problem,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("no error"),
        }
    }

    #[test]
    fn arrays_that_are_no_spectrum_are_told() {
        let (wave, four) = ([5000.0, 5001.0, 5002.0], [1.0; 4]);
        let three = &four[..3];
        let length = |array| SpectrumError::Length {
            array,
            found: 4,
            expected: 3,
        };
        fn new<'a>(wave: &'a [f64], flux: &'a [f64], ivar: &'a [f64]) -> Result<Spectrum<'a>> {
            Spectrum::new(wave, flux, ivar)
        }
        assert_eq!(problem(new(&wave, &four, three)), length("flux"));
        assert_eq!(problem(new(&wave, three, &four)), length("ivar"));
        let good = new(&wave, three, three).unwrap();
        assert_eq!(problem(good.with_mask(&[false; 4][..])), length("mask"));
        assert_eq!(problem(new(&[], &[], &[])), SpectrumError::Empty);
        for (pixel, wave_aa) in [(0, f64::NAN), (1, f64::INFINITY), (2, -1.0), (1, 0.0)] {
            let mut wave = wave;
            wave[pixel] = wave_aa;
            let found = problem(new(&wave, three, three));
            assert!(
                matches!(found, SpectrumError::Wavelength { pixel: at, .. } if at == pixel),
                "{found}"
            );
        }
        for wave in [[5000.0, 5000.0, 5002.0], [5001.0, 5002.0, 5000.0]] {
            let found = problem(new(&wave, three, three));
            assert_eq!(
                found,
                SpectrumError::Order {
                    pixel: 1,
                    wave_aa: wave[1]
                }
            );
        }
    }

    #[test]
    fn descending_pixels_are_turned_round() {
        let (wave, flux, ivar) = ([3.0, 2.0, 1.0], [30.0, 20.0, 10.0], [0.3, 0.2, 0.1]);
        let spectrum = Spectrum::new(&wave[..], &flux[..], &ivar[..]).unwrap();
        let mask = [true, false, false];
        let pixels = spectrum.with_mask(&mask[..]).unwrap().pixels();
        let expected = Pixels {
            wave: StoredWave::Linear(vec![1.0, 2.0, 3.0]),
            flux: vec![10.0, 20.0, 30.0],
            ivar: vec![0.1, 0.2, 0.3],
            masked: vec![false, false, true],
        };
        assert_eq!(pixels, expected);
    }
}
