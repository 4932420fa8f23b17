//! Sunlight in the exposures of a coadd, once they have settled.

use super::Coadd;
use super::foreign::Light;
use super::misfit::smooth;
use super::sunlit::{Compare, Sunlit, SunlitWhere, find};
use super::sweep::FLUX_VARIANCE_SHARE;
use super::view::{AtPixels, Others};
use crate::reference::sunlight::Sunlight;
use crate::spectrum::MODEL_SIGMA;
use crate::spectrum::normalize::Normalized;

impl Coadd {
    /// Sunlight in each exposure, where these lie now; none for an exposure that does not tell by what velocity its wavelengths were
    /// moved, or of a band without a table of sunlight.
    pub fn sunlit(&self) -> Vec<Option<SunlitWhere>> {
        let mut moved = Vec::new();
        self.of_each(|compared, lines, at| {
            let mut find_at = |by_km_s: f64| {
                let exposure = compared.exposure;
                let is_known = fill_sun(exposure, by_km_s, &mut moved);
                let sun = &moved;
                is_known.then(|| find(&Compare { exposure, sun }, lines, at))?
            };
            SunlitWhere::found(&mut find_at)
        })
    }

    /// For each exposure the share of sunlight in it, and [`Misfit::smooth`](super::Misfit::smooth) of what it leaves.
    pub fn smooth_without_sunlight(&self) -> Vec<Option<(f64, f64)>> {
        self.of_each(|compared, lines, at| {
            let Sunlit { share, .. } = find(compared, lines, at)?;
            let mut z = vec![0.0; compared.exposure.flux.len()];
            for i in 0..at.n {
                let k = at.first + i;
                let ivar = compared.exposure.ivar[k];
                if ivar > 0.0 {
                    let left = at.residual[i] - share * (compared.sun[k] - at.flux[i]);
                    let variance = 1.0 / ivar + FLUX_VARIANCE_SHARE * at.variance[i];
                    z[k] = left / (variance + MODEL_SIGMA * MODEL_SIGMA).sqrt();
                }
            }
            Some((share, smooth(compared.exposure, &z).0))
        })
    }

    /// Compares each exposure that may hold sunlight with the coadd of the others.
    fn of_each<T: Clone>(
        &self,
        mut with: impl FnMut(&Compare<'_>, &[&Light], &AtPixels) -> Option<T>,
    ) -> Vec<Option<T>> {
        let (mut others, mut at, mut own) = (Others::default(), AtPixels::default(), Vec::new());
        let mut out = vec![None; self.parts.len()];
        let with_prior = self.all.equations.with_prior(&self.prior);
        for (i, out) in out.iter_mut().enumerate() {
            let exposure = &self.exposures[i];
            let of_light = self.lights[i].iter().find(|light| light.is_mixed);
            let sun = match of_light {
                Some(light) => &light.profile,
                None if fill_sun(exposure, 0.0, &mut own) => &own,
                None => continue,
            };
            let Some(others) = self.without(i, &with_prior, &mut others) else {
                continue;
            };
            at.evaluate(exposure, &self.parts[i], &others);
            let lines = self.lights[i].iter().filter(|light| !light.is_mixed);
            let lines: Vec<&Light> = lines.collect();
            *out = with(&Compare { exposure, sun }, &lines, &at);
        }
        out
    }
}

/// The Sun at the pixels of an exposure whose wavelengths are too large by `by_km_s`; false where it is not known.
fn fill_sun(exposure: &Normalized, by_km_s: f64, sun: &mut Vec<f64>) -> bool {
    let Some(helio_rv_km_s) = exposure
        .helio_rv_km_s
        .filter(|_| exposure.band.sky.is_some())
    else {
        return false;
    };
    let Some(sunlight) = Sunlight::over(exposure.band.window_aa) else {
        return false;
    };
    sunlight.fill_normalized(&exposure.ln_wave, helio_rv_km_s - by_km_s, sun);
    true
}

#[cfg(test)]
#[path = "moonlight_tests.rs"]
mod tests;
