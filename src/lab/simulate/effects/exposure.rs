//! One exposure of one star under a sky with effects.

use rand::Rng;

use super::amounts::Sky;
use super::conditions::{Conditions, Place};
use super::damage::{Damage, SCATTERED_SHARE};
use super::detector::Response;
use super::light::{Light, View};
use super::moonlight;
use super::sky_lines::Residuals;
use super::truth::SkyRow;
use crate::Arm;
use crate::lab::simulate::grid::{N_PIXELS, log10_wave};
use crate::lab::simulate::observe::round;
use crate::lab::simulate::params::StellarParams;
use crate::lab::simulate::spectrum::{Component, Simulated, SpectrumOptions, detected};
use crate::lab::simulate::streams::{Purpose, stream};
use crate::lab::simulate::template::Template;

/// What all spectra of a plate share.
#[derive(Clone, Debug)]
pub struct Above {
    seed: u64,
    sky: Sky,
    /// The Sun, sharp, in both arms.
    sun: [Template; 2],
}

/// What is asked of a spectrum.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The stars in the fibre, as sharp as [`Template::sharp`] gives them.
    pub components: &'a [Component<'a>],
    /// Where and when.
    pub place: Place,
    /// Zero point of the spectrograph's exposure, km/s.
    pub zp_km_s: f64,
    /// Signal-to-noise ratio.
    pub snr: f64,
    /// The star's light over that of one of the plate's middle brightness.
    pub brightness: f64,
    /// What is wrong with the exposure.
    pub damage: Option<Damage>,
    /// The star has hardly a line.
    pub weak_lined: bool,
}

/// A spectrum and what was done to it.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The spectrum.
    pub simulated: Simulated,
    /// Its zero point in the middle of the window, km/s.
    pub zp_km_s: f64,
    /// What was done to it.
    pub row: SkyRow,
}

impl Above {
    /// What the plate of a `seed` shares under `sky`.
    pub fn new(seed: u64, sky: Sky) -> Above {
        let sun = StellarParams {
            vsini_km_s: 2.0,
            ..StellarParams::dwarf(5777.0)
        };
        Above {
            seed,
            sky,
            sun: Arm::ALL.map(|arm| Template::sharp(&sun, arm)),
        }
    }

    /// Draws a spectrum. `options` has the grid with its heliocentric velocity, the continuum and the detector's noise.
    pub fn spectrum<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        arm: Arm,
        asked: &Asked<'_>,
        options: &SpectrumOptions,
    ) -> Taken {
        let mut conditions = Conditions::draw(self.seed, &self.sky, asked.place);
        conditions.moon =
            moonlight::share(self.seed, asked.place, conditions.moon, asked.brightness);
        let view = View {
            heliocentric_km_s: options.shift.heliocentric_km_s,
            zp_km_s: asked.zp_km_s + conditions.fibre_zp_km_s,
            stretch_km_s: conditions.stretch_km_s,
            lsf: conditions.lsf,
        };
        let log10_wave = log10_wave(arm, &options.shift);
        let ln_wave: Vec<f64> = log10_wave
            .iter()
            .map(|l| l * std::f64::consts::LN_10)
            .collect();
        let norm_flux = self.light(arm, asked, &conditions, &view, &ln_wave);
        let response = Response::draw(self.seed, &self.sky, asked.place, N_PIXELS);
        let mut simulated = detected(
            rng,
            arm,
            (log10_wave, norm_flux),
            Some(&response.factor),
            asked.snr,
            options,
        );
        let residuals = self.add_sky_lines(arm, asked.place, &view, &ln_wave, &mut simulated);
        let row = SkyRow {
            damage: asked.damage.map_or("", |d| d.name()).to_owned(),
            weak_lined: asked.weak_lined.into(),
            helio_rv: round(-view.heliocentric_km_s, 5),
            water: round(conditions.water, 4),
            moon: round(conditions.moon, 5),
            lsf_width: round(conditions.lsf.width, 5),
            lsf_skew: round(conditions.lsf.skew, 5),
            stretch: round(conditions.stretch_km_s, 5),
            zp_fibre: round(conditions.fibre_zp_km_s, 6),
            ivar_factor: round(simulated.ivar_factor, 5),
            noise_corr: self.sky.noise_correlation,
            ripple: self.sky.ripple,
            hot_columns: response.hot_columns,
            steps: response.steps,
            cosmics: simulated.cosmics,
            sky_lines: round(residuals.lines_sigma, 3),
            sky_halpha: round(residuals.h_alpha_sigma, 3),
        };
        Taken {
            simulated,
            zp_km_s: view.zp_km_s,
            row,
        }
    }

    /// Flux over continuum before the detector.
    fn light(
        &self,
        arm: Arm,
        asked: &Asked<'_>,
        conditions: &Conditions,
        view: &View,
        ln_wave: &[f64],
    ) -> Vec<f64> {
        let sun = &self.sun[arm as usize];
        let mut light = Light {
            components: asked.components,
            sun,
            sun_share: conditions.moon,
            water: conditions.water,
        };
        let other;
        let others;
        match asked.damage {
            Some(Damage::Scattered) => light.sun_share = SCATTERED_SHARE,
            Some(Damage::WrongFibre { params, rv_km_s }) => {
                other = Template::sharp(&params, arm);
                others = [Component {
                    template: &other,
                    rv_km_s,
                    light: 1.0,
                }];
                light.components = &others;
            }
            Some(Damage::Emission(_)) | None => {}
        }
        let mut norm_flux = view.spread(arm, &light, ln_wave);
        if let (Some(Damage::Emission(blob)), Some(star)) = (asked.damage, asked.components.first())
        {
            blob.add(arm, star.rv_km_s + view.zp_km_s, ln_wave, &mut norm_flux);
        }
        norm_flux
    }

    /// Adds what is left of the night sky's lines, and says how much that is.
    fn add_sky_lines(
        &self,
        arm: Arm,
        place: Place,
        view: &View,
        ln_wave: &[f64],
        simulated: &mut Simulated,
    ) -> Residuals {
        if self.sky.sky_lines_sigma <= 0.0 {
            return Residuals::default();
        }
        let fibre = place.fibre_and_arm();
        let rng = &mut stream(
            self.seed,
            Purpose::SkyLines,
            [fibre, place.night, place.exposure],
        );
        let residuals = Residuals::draw(rng, self.sky.sky_lines_sigma);
        let profile = residuals.profile(view.lsf, &view.ln_observed(arm, ln_wave));
        for (pixel, height) in profile.iter().enumerate() {
            // A pixel without information stays without.
            if simulated.raw.pixels.ivar[pixel] > 0.0 {
                simulated.raw.pixels.flux[pixel] += (height * simulated.sigma[pixel]) as f32;
            }
        }
        residuals
    }
}

#[cfg(test)]
#[path = "exposure_tests.rs"]
mod tests;
