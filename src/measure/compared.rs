//! What is compared of a spectrum, for whoever wants to look at it: its pixels over their continuum, which of them count and why others
//! do not, and the reference at its velocity.

use ndarray::Array1;

use super::curve::{Against, against};
use super::measurer::{Measurer, NotMeasured, Workspace};
use super::pixel_flags::PixelFlags;
use super::spectra::Spectrum;
use crate::reference::Reference;
use crate::spectrum::normalize::KeptPixels;
use crate::spectrum::{Exposure, Normalized, Pixels, Stored};
use crate::{C_KM_S, Result};

/// A spectrum as it is compared with its reference. All arrays have one value for each pixel of the window and of a margin on either side
/// of it, in ascending wavelength.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ComparedSpectrum {
    /// Number of each pixel in the arrays that were given, from 0.
    pub pixel: Array1<usize>,
    /// Wavelengths, A; where the rounding of stored wavelengths is taken out, without it.
    pub wave_aa: Array1<f64>,
    /// Flux over continuum; 0 where it does not count.
    pub flux: Array1<f64>,
    /// Inverse variance of `flux`; 0 where it does not count.
    pub ivar: Array1<f64>,
    /// Continuum, in the unit of the flux that was given.
    pub continuum: Array1<f64>,
    /// Why a pixel does not count; no flag for one that does.
    pub mask: Array1<PixelFlags>,
    /// The reference at the spectrum's velocity, over its continuum; NaN where it does not reach, and everywhere where there is none.
    pub reference: Array1<f64>,
    /// 1-sigma error of the reference, from the noise of the spectra that it is made of.
    pub reference_err: Array1<f64>,
    /// The velocity, km/s, as [`Measurer::star`] gives it.
    pub rv_km_s: f64,
}

impl Measurer {
    /// What is compared of each of a star's spectra, in their order: the pixels and the reference that stand behind the velocities of
    /// [`Measurer::star`]. A spectrum that cannot be measured has the reason in its place.
    ///
    /// # Errors
    /// What the device says.
    pub fn compared(
        &self,
        spectra: &[Spectrum<'_>],
    ) -> Result<Vec<std::result::Result<ComparedSpectrum, NotMeasured>>> {
        let mut workspace = Workspace::default();
        let (mut out, mut used, mut normalized) = (Vec::new(), Vec::new(), Vec::new());
        for (i, spectrum) in spectra.iter().enumerate() {
            out.push(match self.normalized(spectrum, &mut workspace) {
                Ok((exposure, compared)) => {
                    used.push(i);
                    normalized.push(exposure);
                    Ok(compared)
                }
                Err(why) => Err(why),
            });
        }
        if normalized.is_empty() {
            return Ok(out);
        }
        let exposures = normalized.clone();
        let Some(star) = self.first_and_second_pass(normalized, &mut workspace)? else {
            used.iter()
                .for_each(|i| out[*i] = Err(NotMeasured::NoReference));
            return Ok(out);
        };
        let places: Vec<usize> = (0..used.len()).collect();
        let all = against(&self.comparison, &exposures, &star, &places);
        for (place, against) in all.into_iter().enumerate() {
            if let Ok(compared) = &mut out[used[place]] {
                compared.rv_km_s = star.measurements[place].rv_km_s;
                if let Some(against) = against {
                    compared.put(&exposures[place], &against);
                }
            }
        }
        Ok(out)
    }

    /// A normalised spectrum, and what is known of its pixels without a reference.
    fn normalized(
        &self,
        spectrum: &Spectrum<'_>,
        workspace: &mut Workspace,
    ) -> std::result::Result<(Normalized, ComparedSpectrum), NotMeasured> {
        let pixels = spectrum.pixels();
        let exposure = Exposure {
            band: self.band,
            pixels: &pixels,
            snr: spectrum.snr(),
            helio_rv_km_s: spectrum.helio_rv_km_s(),
        };
        let vmax_km_s = self.comparison.grid.max_shift_km_s();
        let normalizer = &mut workspace.normalizer;
        let mut normalized = normalizer.normalize(&self.spectrum, exposure, vmax_km_s)?;
        self.comparison.weigh_sky(&mut normalized);
        let last = pixels.flux.len() - 1;
        let number = |i: usize| match spectrum.descends() {
            true => last - i,
            false => i,
        };
        let edge_pixels = self.spectrum.mask.edge_pixels;
        let kept = normalizer.kept();
        let compared =
            ComparedSpectrum::without_reference(&normalized, &pixels, &kept, edge_pixels, number);
        Ok((normalized, compared))
    }
}

impl ComparedSpectrum {
    /// What is known of an exposure's pixels without a reference. `number` gives the number of a pixel in the arrays that were given from
    /// that in ascending wavelength.
    pub(super) fn without_reference<F: Stored>(
        normalized: &Normalized,
        pixels: &Pixels<F>,
        kept: &KeptPixels<'_>,
        edge_pixels: usize,
        number: impl Fn(usize) -> usize,
    ) -> Self {
        let n = normalized.flux.len();
        let reason = |k: usize| reason(normalized, pixels, kept, edge_pixels, k);
        let nan = || Array1::from_elem(n, f64::NAN);
        ComparedSpectrum {
            pixel: (0..n).map(|k| number(kept.first + k)).collect(),
            wave_aa: normalized.ln_wave.iter().map(|l| l.exp()).collect(),
            flux: Array1::from(normalized.flux.clone()),
            ivar: Array1::from(normalized.ivar.clone()),
            continuum: Array1::from(kept.continuum.to_vec()),
            mask: (0..n).map(reason).collect(),
            reference: nan(),
            reference_err: nan(),
            rv_km_s: f64::NAN,
        }
    }

    /// Adds the reference, and what was taken out of the exposure because the star's others do not show it.
    pub(super) fn put(&mut self, before: &Normalized, against: &Against) {
        let clipped = before.ivar.iter().zip(&against.exposure.ivar);
        for (k, (_, after)) in clipped
            .enumerate()
            .filter(|(_, (b, a))| **b > 0.0 && **a == 0.0)
        {
            self.mask[k] |= PixelFlags::ALONE;
            self.ivar[k] = *after;
        }
        if !self.rv_km_s.is_finite() {
            self.mask
                .iter_mut()
                .for_each(|m| *m |= PixelFlags::NO_REFERENCE);
            return;
        }
        let shift = (against.on_scale_of_reference(self.rv_km_s) / C_KM_S).ln_1p();
        let (low, high) = against.reference.coverage();
        for (k, ln_wave) in before.ln_wave.iter().enumerate() {
            let at = ln_wave - shift;
            if !(low..=high).contains(&at) {
                self.mask[k] |= PixelFlags::NO_REFERENCE;
                continue;
            }
            (self.reference[k], self.reference_err[k]) = value(&against.reference, at);
        }
    }
}

/// Flux of the reference and its error at one wavelength.
fn value(reference: &Reference, ln_wave: f64) -> (f64, f64) {
    let mut value = (f64::NAN, f64::NAN);
    reference.sample(ln_wave, 0.0, 1, |_, at| {
        value = (at.flux, at.flux_variance.max(0.0).sqrt());
    });
    value
}

/// Why pixel `k` of those that were kept does not count, as far as the spectrum alone tells.
fn reason<F: Stored>(
    normalized: &Normalized,
    pixels: &Pixels<F>,
    kept: &KeptPixels<'_>,
    edge_pixels: usize,
    k: usize,
) -> PixelFlags {
    let i = kept.first + k;
    let n = pixels.flux.len();
    let (flux, ivar): (f64, f64) = (pixels.flux[i].into(), pixels.ivar[i].into());
    let mut mask = PixelFlags::empty();
    mask.set(
        PixelFlags::NOT_FINITE,
        !(flux.is_finite() && ivar.is_finite()),
    );
    mask.set(PixelFlags::NO_IVAR, ivar <= 0.0);
    mask.set(PixelFlags::GIVEN, pixels.masked[i]);
    mask.set(PixelFlags::EDGE, i < edge_pixels || i + edge_pixels >= n);
    mask.set(PixelFlags::SPIKE, mask.is_empty() && !kept.good[k]);
    let is_bright = kept.continuum[k] > kept.floor;
    mask.set(PixelFlags::FAINT, mask.is_empty() && !is_bright);
    let wave_aa = normalized.ln_wave[k].exp();
    let (low_aa, high_aa) = normalized.band.window_aa;
    let is_inside = (low_aa..=high_aa).contains(&wave_aa);
    mask.set(PixelFlags::OUTSIDE, !is_inside);
    mask
}
