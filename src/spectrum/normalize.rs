//! One exposure made comparable with another: masked, divided by its continuum, cut to the window.

use super::continuum::{ContinuumConfig, ContinuumFitter};
use super::dispersion::DispersionFitter;
use super::mask::{MaskConfig, Masker};
use crate::io::raw::{RawSpectrum, RejectReason};
use crate::{Arm, C_KM_S};

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

/// Width of a pixel, km/s, at most (measured: 5.1-7.2).
const PIXEL_KM_S: f64 = 7.5;

/// A window with fewer good pixels than this holds no line worth the name.
pub const MIN_GOOD_PIXELS: usize = 100;

/// A continuum below this part of its median belongs to no real pixel.
const MIN_CONTINUUM: f64 = 0.02;

/// A normalised exposure: pixels in ascending wavelength, of the arm's window and a margin on either side.
#[derive(Clone, Debug)]
pub struct Normalized {
    /// Arm.
    pub arm: Arm,
    /// ln(vacuum wavelength / A), length n.
    pub ln_wave: Vec<f64>,
    /// Flux over continuum, length n; 0 where `ivar` is 0.
    pub flux: Vec<f64>,
    /// Inverse variance of `flux`, length n; 0 for pixels that do not count.
    pub ivar: Vec<f64>,
    /// Good pixels inside the window.
    pub n_good: usize,
    /// Spikes and dips that were masked, in the whole arm.
    pub n_spike: usize,
    /// Signal-to-noise ratio per pixel: median over the good pixels of the window.
    pub snr: f64,
    /// The dispersion is no polynomial; the stored wavelengths are used with their rounding.
    pub wave_as_stored: bool,
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
}

impl Normalizer {
    /// Normalises one exposure for velocities up to `vmax_km_s`. The error says why it cannot be used.
    pub fn normalize(
        &mut self,
        config: &SpectrumConfig,
        raw: &RawSpectrum,
        vmax_km_s: f64,
    ) -> Result<Normalized, (RejectReason, String)> {
        let n = raw.flux.len();
        let dispersion = self.dispersion.fit(&raw.wave);
        self.wave_aa.clear();
        let origin = dispersion.ln_wave.get(n / 2).copied().unwrap_or_default();
        let origin_aa = origin.exp();
        self.wave_aa.extend(
            dispersion
                .ln_wave
                .iter()
                .map(|l| origin_aa * exp_near_0(l - origin)),
        );
        self.select(&config.mask, raw);
        let n_spike = self
            .masker
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
            return Err((
                RejectReason::NoGoodPixels,
                "no good pixels to fit a continuum to".into(),
            ));
        }
        let floor = MIN_CONTINUUM * self.median_level();
        if floor.is_nan() || floor <= 0.0 {
            return Err((
                RejectReason::NoGoodPixels,
                "the continuum is not positive".into(),
            ));
        }

        let (low_aa, high_aa) = raw.arm.window_aa();
        let reach = (vmax_km_s + MARGIN_PIXELS * PIXEL_KM_S) / C_KM_S;
        let first = self
            .wave_aa
            .partition_point(|w| *w < low_aa * (1.0 - reach));
        let last = self
            .wave_aa
            .partition_point(|w| *w <= high_aa * (1.0 + reach));
        let mut flux = Vec::with_capacity(last - first);
        let mut ivar = Vec::with_capacity(last - first);
        let mut n_good = 0;
        self.scratch.clear();
        for i in first..last {
            let level = self.level[i];
            if self.good[i] && level > floor {
                flux.push(self.flux[i] / level);
                ivar.push(self.ivar[i] * level * level);
                if (low_aa..=high_aa).contains(&self.wave_aa[i]) {
                    n_good += 1;
                    self.scratch.push(self.flux[i] * self.ivar[i].sqrt());
                }
            } else {
                flux.push(0.0);
                ivar.push(0.0);
            }
        }
        if n_good < MIN_GOOD_PIXELS {
            let detail = format!(
                "{n_good} good pixels between {low_aa:.0} and {high_aa:.0} A, at least {MIN_GOOD_PIXELS} expected"
            );
            return Err((RejectReason::NoGoodPixels, detail));
        }
        let ln_wave = dispersion.ln_wave[first..last].to_vec();
        let snr = median(&mut self.scratch);
        Ok(Normalized {
            arm: raw.arm,
            ln_wave,
            flux,
            ivar,
            n_good,
            n_spike,
            snr,
            wave_as_stored: dispersion.as_stored,
        })
    }

    fn select(&mut self, config: &MaskConfig, raw: &RawSpectrum) {
        let usable = |flux: f32, ivar: f32, masked: bool| {
            flux.is_finite() & ivar.is_finite() & (ivar > 0.0) & !masked
        };
        let values = || raw.flux.iter().zip(&raw.ivar);
        // Selects instead of branches, so that it vectorises.
        self.good.clear();
        self.good.extend(
            values()
                .zip(&raw.masked)
                .map(|((flux, ivar), masked)| usable(*flux, *ivar, *masked)),
        );
        let n = self.good.len();
        let edge = config.edge_pixels.min(n);
        self.good[..edge].fill(false);
        self.good[n - edge..].fill(false);
        let or_0 = |value: f32, good: bool| f64::from(if good { value } else { 0.0 });
        self.flux.clear();
        self.ivar.clear();
        let good = self.good.iter();
        self.flux
            .extend(raw.flux.iter().zip(good.clone()).map(|(f, g)| or_0(*f, *g)));
        self.ivar
            .extend(raw.ivar.iter().zip(good).map(|(w, g)| or_0(*w, *g)));
    }

    /// Median of the continuum over every 16th good pixel: it changes over hundreds.
    fn median_level(&mut self) -> f64 {
        self.scratch.clear();
        let good = (0..self.good.len()).filter(|i| self.good[*i]).step_by(16);
        self.scratch.extend(good.map(|i| self.level[i]));
        median(&mut self.scratch)
    }
}

/// exp(x) to 1e-15 for |x| < 0.06, half an arm and more: terms of the series, which the compiler puts on SIMD lanes.
fn exp_near_0(x: f64) -> f64 {
    const FACTORIALS: [f64; 8] = [2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40_320.0, 362_880.0];
    let series = FACTORIALS
        .iter()
        .rev()
        .fold(0.0, |sum, f| sum * x + 1.0 / f);
    1.0 + x * (1.0 + x * series)
}

/// Median (upper of the two middle values); NaN for none. Reorders `values`.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
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
