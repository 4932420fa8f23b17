//! Spectra of any instrument, as arrays of the caller's.

use ndarray::{Array1, ArrayView1};

use crate::spectrum::{Pixels, StoredWave};
use crate::{Result, SpectrumError};

/// One exposure of a star: views of the caller's arrays, all of one length.
///
/// Wavelengths are in vacuum, in one frame for all spectra of a star (usually that of the Sun or of the solar system's
/// barycentre), and ascend or descend. Flux is in any unit, not divided by a continuum; its inverse variance is in that unit to the -2.
/// Pixels whose flux or inverse variance is not finite, or whose inverse variance is not positive, count for nothing.
#[derive(Clone, Debug)]
pub struct Spectrum<'a> {
    wave: Wave<'a>,
    flux: ArrayView1<'a, f64>,
    ivar: ArrayView1<'a, f64>,
    mask: Option<ArrayView1<'a, bool>>,
    snr: f64,
    helio_rv_km_s: Option<f64>,
}

/// Wavelengths as the caller has them.
#[derive(Clone, Debug)]
enum Wave<'a> {
    Linear(ArrayView1<'a, f64>),
    Log10(ArrayView1<'a, f32>),
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
        let (wave_aa, flux, ivar) = (wave_aa.into(), flux.into(), ivar.into());
        check_lengths(wave_aa.len(), &flux, &ivar)?;
        check_wavelengths(&wave_aa)?;
        Ok(Self::of(Wave::Linear(wave_aa), flux, ivar))
    }

    /// The same with decimal logarithms of the wavelengths in Angstrom, as 32-bit floats: as files of the Sloan survey and of LAMOST have
    /// them (`LOGLAM`). In the visible they are rounded to 0.16 km/s, which [`MeasureOptions::polynomial_wavelengths`] takes out.
    ///
    /// # Errors
    /// As [`Spectrum::new`].
    ///
    /// [`MeasureOptions::polynomial_wavelengths`]: super::MeasureOptions::polynomial_wavelengths
    pub fn from_log10(
        log10_wave_aa: impl Into<ArrayView1<'a, f32>>,
        flux: impl Into<ArrayView1<'a, f64>>,
        ivar: impl Into<ArrayView1<'a, f64>>,
    ) -> Result<Self> {
        let (log10, flux, ivar) = (log10_wave_aa.into(), flux.into(), ivar.into());
        check_lengths(log10.len(), &flux, &ivar)?;
        let wave_aa: Array1<f64> = log10.mapv(|l| 10_f64.powf(f64::from(l)));
        check_wavelengths(&wave_aa.view())?;
        Ok(Self::of(Wave::Log10(log10), flux, ivar))
    }

    fn of(wave: Wave<'a>, flux: ArrayView1<'a, f64>, ivar: ArrayView1<'a, f64>) -> Self {
        Spectrum {
            wave,
            flux,
            ivar,
            mask: None,
            snr: f64::NAN,
            helio_rv_km_s: None,
        }
    }

    /// With a mask of length n that is true for pixels that are not to be used.
    ///
    /// # Errors
    /// [`crate::Error::Spectrum`], where it is not as long as the wavelengths.
    pub fn with_mask(mut self, mask: impl Into<ArrayView1<'a, bool>>) -> Result<Self> {
        let mask = mask.into();
        check_length("mask", mask.len(), self.len())?;
        self.mask = Some(mask);
        Ok(self)
    }

    /// With a signal-to-noise ratio per pixel, which decides which exposure is the best of a star. Where it is not given, or not finite,
    /// it is the median over the good pixels of the window.
    pub fn with_snr(self, snr: f64) -> Self {
        Spectrum { snr, ..self }
    }

    /// With the velocity (km/s) that was taken off the wavelengths to bring them into the Sun's frame: lambda here = lambda observed
    /// (1 - this / c). Where it is known and the instrument has a [`Band`](crate::Band) with a sky, sunlight and lines of the Earth's own
    /// sky are looked for where they must be.
    pub fn with_helio_rv_km_s(self, helio_rv_km_s: f64) -> Self {
        let helio_rv_km_s = Some(helio_rv_km_s).filter(|v| v.is_finite());
        Spectrum {
            helio_rv_km_s,
            ..self
        }
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        self.flux.len()
    }

    /// Always false: a spectrum has at least one pixel.
    pub fn is_empty(&self) -> bool {
        self.flux.is_empty()
    }

    /// The signal-to-noise ratio that was given; NaN where none was.
    pub(super) fn snr(&self) -> f64 {
        self.snr
    }

    /// The velocity that was taken off the wavelengths.
    pub(super) fn helio_rv_km_s(&self) -> Option<f64> {
        self.helio_rv_km_s
    }

    /// Whether the wavelengths descend from pixel to pixel.
    pub(super) fn descends(&self) -> bool {
        match &self.wave {
            Wave::Linear(wave) => wave.first() > wave.last(),
            Wave::Log10(wave) => wave.first() > wave.last(),
        }
    }

    /// The pixels in ascending wavelength.
    pub(super) fn pixels(&self) -> Pixels<f64> {
        let mut masked = match &self.mask {
            Some(mask) => mask.to_vec(),
            None => vec![false; self.len()],
        };
        let (mut flux, mut ivar) = (self.flux.to_vec(), self.ivar.to_vec());
        let mut wave = match &self.wave {
            Wave::Linear(wave) => StoredWave::Linear(wave.to_vec()),
            Wave::Log10(wave) => StoredWave::Log10(wave.to_vec()),
        };
        if self.descends() {
            match &mut wave {
                StoredWave::Linear(wave) => wave.reverse(),
                StoredWave::Log10(wave) => wave.reverse(),
            }
            flux.reverse();
            ivar.reverse();
            masked.reverse();
        }
        Pixels {
            wave,
            flux,
            ivar,
            masked,
        }
    }
}

/// Checks flux and inverse variance against the number of wavelengths.
fn check_lengths(n: usize, flux: &ArrayView1<'_, f64>, ivar: &ArrayView1<'_, f64>) -> Result<()> {
    check_length("flux", flux.len(), n)?;
    check_length("ivar", ivar.len(), n)
}

fn check_length(array: &'static str, found: usize, expected: usize) -> Result<()> {
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
    fn logarithms_are_wavelengths_too() {
        let (flux, ivar) = ([30.0, 20.0, 10.0], [1.0; 3]);
        let log10 = [3.7_f32, 3.6, 3.5];
        let spectrum = Spectrum::from_log10(&log10[..], &flux[..], &ivar[..]).unwrap();
        let pixels = spectrum.with_helio_rv_km_s(f64::NAN).pixels();
        assert_eq!(pixels.wave, StoredWave::Log10(vec![3.5, 3.6, 3.7]));
        assert_eq!(pixels.flux, [10.0, 20.0, 30.0]);
        for (pixel, wrong) in [(1, f32::NAN), (0, f32::NEG_INFINITY), (2, 400.0)] {
            let mut log10 = log10;
            log10[pixel] = wrong;
            let found = problem(Spectrum::from_log10(&log10[..], &flux[..], &ivar[..]));
            assert!(
                matches!(found, SpectrumError::Wavelength { pixel: at, .. } if at == pixel),
                "{found}"
            );
        }
        let two = Spectrum::from_log10(&log10[..2], &flux[..], &ivar[..]);
        let length = SpectrumError::Length {
            array: "flux",
            found: 3,
            expected: 2,
        };
        assert_eq!(problem(two), length);
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
