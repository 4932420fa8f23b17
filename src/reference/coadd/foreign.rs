//! Light that is not the star's and does not move with it: what the sky subtraction has left of the night sky's lines and of
//! moonlight.
//!
//! It stands still in the observer's frame, where its wavelengths are known; how much of each light is in an exposure is found
//! together with its velocity. An amount that is not significant is set to 0, so that a clean spectrum loses next to nothing.
//!
//! docs/method.md, section 11, "Foreign light", has the method. The limits here were chosen by hand; the tests of this folder and
//! `tests/integration/agreement_plates.rs` show what they give.

use crate::C_KM_S;
use crate::reference::sunlight::Sunlight;
use crate::reference::telluric::to_observed;
use crate::spectrum::normalize::Normalized;

/// Lines of the night sky in the windows, wavelengths in vacuum (A): the doublet of neutral nitrogen, those of hydroxyl that
/// reach a third of the strongest one (Osterbrock et al. 1996, PASP 108, 277), and H-alpha of the hydrogen around the Earth.
const SKY_LINES_AA: [f64; 14] = [
    5199.35, 5201.71, 6466.61, 6500.53, 6524.23, 6534.85, 6545.83, 6555.43, 6564.61, 6570.59,
    6579.10, 6598.47, 6605.96, 6629.46,
];

/// Full width at half maximum of a Gaussian, in its standard deviations.
const FWHM_SIGMA: f64 = 2.354_820_045;

/// A line is followed as far as this, in standard deviations.
const REACH_SIGMA: f64 = 3.0;

/// An amount of less than this many of its errors is set to 0. The limit for a line of the sky is low, because it can stand nowhere
/// else; that for sunlight is high, because the spectrum of a star like the Sun is much the same.
const LINE_SIGMA: f64 = 2.0;
const SUN_SIGMA: f64 = 4.0;

/// In exposures of a lower signal-to-noise ratio sunlight is not looked for: noise hides it.
const SUN_SNR: f64 = 15.0;

/// In exposures of a lower signal-to-noise ratio pixels under lines of the night sky have less weight. Chosen on two plates (seeds 985
/// and 2005).
const FAINT_SNR: f64 = 15.0;

/// Height of what the sky subtraction leaves of a line, in units of the continuum, or of the noise of a pixel if that is more
/// (standard deviation).
const LINE_HEIGHT: f64 = 0.05;
const LINE_HEIGHT_SIGMA: f64 = 4.0;

/// An amount of more than this many times the standard deviation that is expected ([`LINE_HEIGHT`], [`SUN_SHARE`]) has another reason,
/// and is not taken for foreign light.
const MOST: f64 = 3.0;

/// Part of a light's squared profile that good pixels must hold. Where the middle of a line is masked, as under a cosmic ray, its
/// wings alone say nothing.
pub(super) const LEAST_SEEN: f64 = 0.6;

/// Standard deviation of the moonlight that the sky subtraction leaves, as a share of the star's light. A much larger share found in a
/// star like the Sun is chance, as the two spectra hardly differ.
const SUN_SHARE: f64 = 0.05;

/// Pixels of an exposure, and what one unit of a foreign light adds to each.
#[derive(Clone, Debug)]
pub(super) struct Light {
    pub first: usize,
    pub profile: Vec<f64>,
    /// A spectrum that takes the place of a part of the star's, and is not added to it: the profile less the star's flux.
    pub is_mixed: bool,
    /// An amount of less than this many of its errors is set to 0.
    pub least_sigma: f64,
    /// Standard deviation of its amounts, at most.
    pub most: f64,
}

impl Light {
    /// What a unit of it adds to pixel `k`, where the star's flux is `flux`.
    #[inline]
    pub fn at(&self, k: usize, flux: f64) -> f64 {
        let profile = self.profile[k - self.first];
        if self.is_mixed {
            profile - flux
        } else {
            profile
        }
    }
}

/// The foreign light that may be in an exposure; nothing where there are no tables for its band, or where it is not known how its
/// wavelengths were moved.
pub(super) fn lights(exposure: &Normalized) -> Vec<Light> {
    let lines = lines(exposure);
    let Some(helio_rv_km_s) = exposure
        .helio_rv_km_s
        .filter(|_| exposure.band.sky.is_some())
    else {
        return lines;
    };
    if exposure.snr.is_nan() || exposure.snr < SUN_SNR {
        return lines;
    }
    let Some(sunlight) = Sunlight::over(exposure.band.window_aa) else {
        return lines;
    };
    let mut sun = Vec::new();
    sunlight.fill_normalized(&exposure.ln_wave, helio_rv_km_s, &mut sun);
    let sun = Light {
        first: 0,
        profile: sun,
        is_mixed: true,
        least_sigma: SUN_SIGMA,
        most: SUN_SHARE,
    };
    std::iter::once(sun).chain(lines).collect()
}

/// The lines of the night sky that may be in an exposure.
fn lines(exposure: &Normalized) -> Vec<Light> {
    let (Some(helio_rv_km_s), Some(sky)) = (exposure.helio_rv_km_s, exposure.band.sky) else {
        return Vec::new();
    };
    let sigma = sky.lsf_km_s / FWHM_SIGMA / C_KM_S;
    let ln_wave = &exposure.ln_wave;
    let line = |wave_aa: &f64| {
        let centre = wave_aa.ln() - to_observed(helio_rv_km_s);
        let first = ln_wave.partition_point(|l| *l < centre - REACH_SIGMA * sigma);
        let end = ln_wave.partition_point(|l| *l <= centre + REACH_SIGMA * sigma);
        let profile: Vec<f64> = ln_wave[first..end.max(first)]
            .iter()
            .map(|l| (-0.5 * ((l - centre) / sigma).powi(2)).exp())
            .collect();
        (!profile.is_empty()).then_some(Light {
            first,
            profile,
            is_mixed: false,
            least_sigma: LINE_SIGMA,
            most: LINE_HEIGHT,
        })
    };
    SKY_LINES_AA.iter().filter_map(line).collect()
}

/// Gives the pixels under lines of the night sky less weight in an exposure with a signal-to-noise ratio below [`FAINT_SNR`]: their
/// variance grows by that of what the sky subtraction leaves. The remains of the sky's lines in the exposure and in its reference would
/// else decide the velocity of a star that has nothing but broad lines.
pub fn weigh_down_lines(exposure: &mut Normalized) {
    if exposure.snr >= FAINT_SNR {
        return;
    }
    for light in lines(exposure) {
        let ivar = &mut exposure.ivar[light.first..];
        for (ivar, p) in ivar.iter_mut().zip(&light.profile) {
            *ivar /= 1.0 + (LINE_HEIGHT_SIGMA * p).powi(2);
        }
    }
}

/// What a light adds to an exposure, given the sums over its pixels with the weights 1 / S: p its profile, f' the slope and r the
/// residual, and gradient and curvature of the velocity without it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// sum p^2 / S.
    pub power: f64,
    /// sum p^2.
    pub profile: f64,
    /// sum p f' / S.
    pub slope: f64,
    /// sum p r / S.
    pub residual: f64,
}

impl Sums {
    /// The amount that fits best, found with the velocity, and its error; neither is finite where nothing is known.
    pub fn free_amount(&self, gradient: f64, curvature: f64) -> (f64, f64) {
        let power = self.power - self.slope * self.slope / curvature;
        let residual = self.residual - self.slope * gradient / curvature;
        (residual / power, power.max(0.0).powf(-0.5))
    }

    /// The most probable amount, found with the velocity, and what the velocity's curvature loses by it.
    ///
    /// The variance of amounts is that of greatest evidence from this one alone, at most that of `light`.
    pub fn amount(&self, gradient: f64, curvature: f64, light: &Light) -> (f64, f64) {
        let (free, error) = self.free_amount(gradient, curvature);
        let sigma2 = (free / error).powi(2);
        if !(error.is_finite() && sigma2 > light.least_sigma * light.least_sigma) {
            return (0.0, 0.0);
        }
        let noise = (self.profile / self.power).sqrt();
        let most = match light.is_mixed {
            true => light.most,
            false => light.most.max(LINE_HEIGHT_SIGMA * noise),
        };
        // Prior of variance (sigma2 - 1) error^2.
        let prior = (error.powi(-2) / (sigma2 - 1.0)).max(most.powi(-2));
        let with_prior = self.power + prior;
        let lost = self.slope * self.slope / with_prior;
        let velocity = (gradient - self.slope * self.residual / with_prior) / (curvature - lost);
        let amount = (self.residual - self.slope * velocity) / with_prior;
        match amount.abs() > MOST * most {
            true => (0.0, 0.0),
            false => (amount, lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arm;

    /// A red exposure without a single line, whose pixels all have the same weight.
    fn exposure(snr: f64, helio_rv_km_s: Option<f64>) -> Normalized {
        let n = 4000;
        let ln_wave = |i: usize| 6380f64.ln() + i as f64 * 2e-5;
        Normalized {
            band: Arm::Red.band(),
            ln_wave: (0..n).map(ln_wave).collect(),
            flux: vec![1.0; n],
            ivar: vec![9.0; n],
            snr,
            wave_as_stored: false,
            helio_rv_km_s,
        }
    }

    #[test]
    fn a_faint_exposure_has_less_weight_under_lines_of_the_night_sky() {
        let weighed = |snr, helio_rv_km_s| {
            let mut exposure = exposure(snr, helio_rv_km_s);
            weigh_down_lines(&mut exposure);
            exposure.ivar
        };
        for (snr, helio_rv_km_s) in [(15.0, Some(20.0)), (14.9, None)] {
            assert!(weighed(snr, helio_rv_km_s).iter().all(|w| *w == 9.0));
        }
        let ivar = weighed(14.9, Some(20.0));
        let all = exposure(14.9, Some(20.0));
        // A line in the middle of the window, where the file has it: moved by 20 km/s to the blue.
        let centre = (6534.85 * (1.0 - 20.0 / C_KM_S)).ln();
        let at = all.ln_wave.partition_point(|l| *l < centre);
        let least = ivar[at - 2..at + 2].iter().fold(9.0f64, |a, b| a.min(*b));
        assert!((least / 9.0 * 17.0 - 1.0).abs() < 0.1, "{least}");
        // Between lines nothing changes.
        assert_eq!(ivar[at + 42], 9.0);
        let n_less = ivar.iter().filter(|w| **w < 8.9).count();
        assert!((150..220).contains(&n_less), "{n_less}");
    }
}
