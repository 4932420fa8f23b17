//! One exposure made comparable with another: masked, divided by its continuum, cut to the window.

use std::ops::Range;

use crate::numbers::statistics::median_high;
use multiversion::multiversion;

use super::band::Band;
use super::continuum::{ContinuumConfig, ContinuumFitter};
use super::dispersion::DispersionFitter;
use super::mask::{MaskConfig, Masker};
use super::pixels::{Exposure, Pixels, Stored};
use crate::C_KM_S;

/// Settings of everything done to a single spectrum.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpectrumConfig {
    /// Bad pixels.
    pub mask: MaskConfig,
    /// Continuum.
    pub continuum: ContinuumConfig,
}

/// Pixels kept beyond the window and the largest velocity, so that a reference's spline has no end inside.
const MARGIN_PIXELS: f64 = 12.0;

/// With fewer good pixels than this in its window a spectrum is not used. Chosen by hand.
pub const MIN_GOOD_PIXELS: usize = 100;

/// Pixels where the continuum is below this part of its median are dropped: no real pixel is so faint. Chosen by hand.
const MIN_CONTINUUM: f64 = 0.02;

/// Why a spectrum cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// There is nothing to fit a continuum to.
    #[error("no good pixels to fit a continuum to")]
    NoGoodPixels,
    /// The continuum is not positive.
    #[error("the continuum is not positive")]
    NoContinuum,
    /// Too few good pixels in the window.
    #[error(
        "{n_good} good pixels between {:.0} and {:.0} A, at least {MIN_GOOD_PIXELS} expected",
        window_aa.0, window_aa.1
    )]
    FewGoodPixels {
        /// How many there are.
        n_good: usize,
        /// The window, A.
        window_aa: (f64, f64),
    },
}

/// A normalised exposure: pixels in ascending wavelength, of the band's window and a margin on either side.
#[derive(Clone, Debug)]
pub struct Normalized {
    /// What instrument it is of.
    pub band: Band,
    /// ln(vacuum wavelength / A), length n.
    pub ln_wave: Vec<f64>,
    /// Flux over continuum, length n; 0 where `ivar` is 0.
    pub flux: Vec<f64>,
    /// Inverse variance of `flux`, length n; 0 for pixels that do not count.
    pub ivar: Vec<f64>,
    /// Signal-to-noise ratio per pixel: what was known of it, or else the median over the good pixels of the window.
    pub snr: f64,
    /// The wavelengths should be a polynomial in pixel number, and are not; they are used as stored, with their rounding.
    pub wave_as_stored: bool,
    /// Heliocentric velocity that the wavelengths are corrected for, km/s: lambda = lambda_observed (1 - it / c). `None` where it is
    /// not known.
    pub helio_rv_km_s: Option<f64>,
}

/// Normalises exposures; keeps its vectors between calls, so that one per thread allocates little.
#[derive(Debug, Default)]
pub struct Normalizer {
    dispersion: DispersionFitter,
    masker: Masker,
    continuum: ContinuumFitter,
    wave_aa: Vec<f64>,
    flux: Vec<f64>,
    ivar: Vec<f64>,
    good: Vec<bool>,
    level: Vec<f64>,
    scratch: Vec<f64>,
    /// Pixels that the last exposure kept, and the least continuum that counted.
    kept: Range<usize>,
    floor: f64,
}

/// What was found of the pixels that an exposure kept: all slices have their number.
#[derive(Clone, Copy, Debug)]
pub struct KeptPixels<'a> {
    /// Number of the first of them among all of the exposure's, in ascending wavelength.
    pub first: usize,
    /// False for pixels that cannot be used: as they came, or because they are at an end or in a spike.
    pub good: &'a [bool],
    /// Continuum, in the unit of the flux.
    pub continuum: &'a [f64],
    /// Pixels whose continuum is not above this do not count.
    pub floor: f64,
}

impl Normalizer {
    /// What the last call of [`Normalizer::normalize`] that gave an exposure found of its pixels.
    pub fn kept(&self) -> KeptPixels<'_> {
        KeptPixels {
            first: self.kept.start,
            good: &self.good[self.kept.clone()],
            continuum: &self.level[self.kept.clone()],
            floor: self.floor,
        }
    }

    /// Normalises one exposure for velocities up to `vmax_km_s`.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn normalize<'a, F: Stored + 'a>(
        &mut self,
        config: &SpectrumConfig,
        exposure: impl Into<Exposure<'a, F>>,
        vmax_km_s: f64,
    ) -> Result<Normalized, Unusable> {
        let Exposure {
            band,
            pixels,
            snr: known_snr,
            helio_rv_km_s,
        } = exposure.into();
        let n = pixels.flux.len();
        let dispersion = match band.is_polynomial {
            true => self.dispersion.fit(&pixels.wave),
            false => self.dispersion.exact(&pixels.wave),
        };
        wavelengths(&mut self.wave_aa, dispersion.ln_wave);
        select(
            &mut self.good,
            &mut self.flux,
            &mut self.ivar,
            config.mask.edge_pixels,
            pixels,
        );
        self.masker
            .mask_spikes(&config.mask, &self.flux, &self.ivar, &mut self.good);
        self.level.clear();
        self.level.resize(n, 0.0);
        if !self.continuum.fit(
            &config.continuum,
            &self.wave_aa,
            &self.flux,
            &self.good,
            &mut self.level,
        ) {
            return Err(Unusable::NoGoodPixels);
        }
        let floor = MIN_CONTINUUM * median_level(&self.good, &self.level, &mut self.scratch);
        if floor.is_nan() || floor <= 0.0 {
            return Err(Unusable::NoContinuum);
        }

        let (low_aa, high_aa) = band.window_aa;
        let reach = (vmax_km_s + MARGIN_PIXELS * band.pixel_km_s) / C_KM_S;
        let first = self
            .wave_aa
            .partition_point(|w| *w < low_aa * (1.0 - reach));
        let last = self
            .wave_aa
            .partition_point(|w| *w <= high_aa * (1.0 + reach));
        let kept = first..last;
        (self.kept, self.floor) = (kept.clone(), floor);
        let (flux, ivar) = divide(
            &self.flux[kept.clone()],
            &self.ivar[kept.clone()],
            &self.good[kept.clone()],
            &self.level[kept.clone()],
            floor,
        );
        let wave_aa = &self.wave_aa[kept.clone()];
        let window =
            wave_aa.partition_point(|w| *w < low_aa)..wave_aa.partition_point(|w| *w <= high_aa);
        let is_good = |i: &usize| self.good[first + i] && self.level[first + i] > floor;
        let n_good = window.clone().filter(is_good).count();
        if n_good < MIN_GOOD_PIXELS {
            return Err(Unusable::FewGoodPixels {
                n_good,
                window_aa: band.window_aa,
            });
        }
        let snr = if known_snr.is_finite() {
            known_snr
        } else {
            self.scratch.clear();
            let good = window.filter(is_good);
            self.scratch.extend(good.map(|i| flux[i] * ivar[i].sqrt()));
            median_high(&mut self.scratch).unwrap_or(f64::NAN)
        };
        Ok(Normalized {
            band,
            ln_wave: dispersion.ln_wave[kept].to_vec(),
            flux,
            ivar,
            snr,
            wave_as_stored: dispersion.as_stored,
            helio_rv_km_s,
        })
    }
}

/// Wavelengths in A from their logarithms.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn wavelengths(wave_aa: &mut Vec<f64>, ln_wave: &[f64]) {
    let origin = ln_wave.get(ln_wave.len() / 2).copied().unwrap_or_default();
    let origin_aa = origin.exp();
    wave_aa.clear();
    let ends = ln_wave.first().zip(ln_wave.last());
    if ends.is_some_and(|(first, last)| (origin - first).max(last - origin) > NEAR_0) {
        wave_aa.extend(ln_wave.iter().map(|l| l.exp()));
        return;
    }
    wave_aa.extend(ln_wave.iter().map(|l| origin_aa * exp_near_0(l - origin)));
}

/// Pixels that count, their fluxes and inverse variances; 0 for those that do not.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn select<F: Stored>(
    good: &mut Vec<bool>,
    flux: &mut Vec<f64>,
    ivar: &mut Vec<f64>,
    edge_pixels: usize,
    pixels: &Pixels<F>,
) {
    // Selects instead of branches, so that it vectorises.
    let usable = |flux: F, ivar: F, masked: bool| flux.is_finite() & ivar.is_positive() & !masked;
    good.clear();
    let all = pixels.flux.iter().zip(&pixels.ivar).zip(&pixels.masked);
    good.extend(all.map(|((flux, ivar), masked)| usable(*flux, *ivar, *masked)));
    let n = good.len();
    let edge = edge_pixels.min(n);
    good[..edge].fill(false);
    good[n - edge..].fill(false);
    let or_0 = |(value, good): (&F, &bool)| if *good { (*value).into() } else { 0.0 };
    flux.clear();
    flux.extend(pixels.flux.iter().zip(&*good).map(or_0));
    ivar.clear();
    ivar.extend(pixels.ivar.iter().zip(&*good).map(or_0));
}

/// Flux over continuum and its inverse variance; 0 for what is not good or where the continuum is not above `floor`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn divide(
    flux: &[f64],
    ivar: &[f64],
    good: &[bool],
    level: &[f64],
    floor: f64,
) -> (Vec<f64>, Vec<f64>) {
    let n = flux.len();
    let (ivar, good, level) = (&ivar[..n], &good[..n], &level[..n]);
    let (mut out_flux, mut out_ivar) = (vec![0.0; n], vec![0.0; n]);
    for i in 0..n {
        let is_good = good[i] & (level[i] > floor);
        let (quotient, product) = (flux[i] / level[i], ivar[i] * level[i] * level[i]);
        out_flux[i] = if is_good { quotient } else { 0.0 };
        out_ivar[i] = if is_good { product } else { 0.0 };
    }
    (out_flux, out_ivar)
}

/// Median of the continuum over every 16th good pixel: it changes over hundreds.
fn median_level(good: &[bool], level: &[f64], scratch: &mut Vec<f64>) -> f64 {
    scratch.clear();
    let good = (0..good.len()).filter(|i| good[*i]).step_by(16);
    scratch.extend(good.map(|i| level[i]));
    median_high(scratch).unwrap_or(f64::NAN)
}

/// Largest |ln(wavelength / middle wavelength)| for which [`exp_near_0`] is used: half of a spectrum of 750 A in the visible.
const NEAR_0: f64 = 0.06;

/// exp(x) to 1e-15 for |x| < [`NEAR_0`]: terms of the series, which the compiler puts on SIMD lanes.
#[inline(always)]
fn exp_near_0(x: f64) -> f64 {
    const FACTORIALS: [f64; 8] = [2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40_320.0, 362_880.0];
    let series = FACTORIALS
        .iter()
        .rev()
        .fold(0.0, |sum, f| sum * x + 1.0 / f);
    1.0 + x * (1.0 + x * series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_is_the_exponential() {
        for i in -60..=60 {
            let x = f64::from(i) / 1000.0;
            assert!((exp_near_0(x) / x.exp() - 1.0).abs() < 1e-14, "{x}");
        }
    }
}
