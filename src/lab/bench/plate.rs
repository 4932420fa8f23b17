//! A plate in memory: a few dozen simulated stars, and as many exposures of them as wanted.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::lab::simulate::{SpectrumOptions, StellarParams, Template, spectrum};
use crate::lamost::arm::KNOT_PIXELS;
use crate::likelihood::{Batch, SpectrumPixels, VelocityGrid};
use crate::reference::Reference;
use crate::spectrum::{Normalized, Normalizer, SpectrumConfig};
use crate::{Arm, C_KM_S, Error, Result};

/// Exposures of a star: a time-domain plate of the survey has some 12.
pub const EXPOSURES: usize = 12;

/// Different stars; the others of the plate repeat them with other noise.
const STARS: usize = 36;

/// Effective temperatures, K.
const TEFF_K: (f64, f64) = (4200.0, 8500.0);

/// Signal-to-noise ratio per pixel of the exposures; references have a third more.
const SNR: (f64, f64) = (8.0, 120.0);

/// Velocities, km/s.
const RV_KM_S: f64 = 60.0;

/// A star, ready for exposures.
struct Model {
    template: Template,
    /// Its pixels' wavelengths and mask come from here.
    exposure: Normalized,
    reference: Reference,
    snr: f64,
}

impl Model {
    fn new(arm: Arm, grid: &VelocityGrid, number: usize, seed: u64) -> Option<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ ((number as u64) << 32));
        let share = number as f64 / (STARS - 1) as f64;
        let template = Template::new(
            &StellarParams::dwarf(TEFF_K.0 + share * (TEFF_K.1 - TEFF_K.0)),
            arm,
        );
        // Steps of the golden ratio, so that the signal-to-noise ratios of neighbouring types of stars differ.
        let part = (0.618 * number as f64).fract();
        let snr = SNR.0 * (SNR.1 / SNR.0).powf(part);
        let options = SpectrumOptions::default();
        let mut normalizer = Normalizer::default();
        let mut normalized = |rng: &mut ChaCha8Rng, snr: f64| {
            let raw = spectrum(rng, &template, 0.0, 0.0, snr, &options);
            normalizer
                .normalize(&SpectrumConfig::default(), &raw, grid.max_shift_km_s())
                .ok()
        };
        let reference = Reference::new(&normalized(&mut rng, snr * 4.0 / 3.0)?, KNOT_PIXELS)?;
        let exposure = normalized(&mut rng, snr)?;
        Some(Model {
            template,
            exposure,
            reference,
            snr,
        })
    }

    /// An exposure at a random velocity, with its own noise.
    fn expose(&self, grid: &VelocityGrid, rng: &mut impl Rng) -> SpectrumPixels {
        let rv_km_s = rng.random_range(-RV_KM_S..RV_KM_S);
        // In each exposure the pixels lie elsewhere by part of a pixel, as from night to night.
        let moved = rng.random_range(-3.0..3.0) / C_KM_S;
        let mut exposure = self.exposure.clone();
        exposure.ln_wave.iter_mut().for_each(|l| *l += moved);
        self.template
            .fill(&exposure.ln_wave, rv_km_s, &mut exposure.flux);
        let ivar = (self.snr * self.snr) as f32;
        for (flux, ivar_of_pixel) in exposure.flux.iter_mut().zip(&mut exposure.ivar) {
            let noise: f32 = StandardNormal.sample(rng);
            *flux += f64::from(noise) / self.snr;
            if *ivar_of_pixel > 0.0 {
                *ivar_of_pixel = f64::from(ivar);
            }
        }
        SpectrumPixels::new(&exposure, &self.reference, grid)
    }
}

/// `n` spectra of one arm, [`EXPOSURES`] a star. About 45 kB of memory each, and 30 kB of their table.
pub fn plate(arm: Arm, grid: &VelocityGrid, n: usize, seed: u64) -> Result<Batch> {
    let models: Vec<Model> = (0..STARS.min(n.div_ceil(EXPOSURES)).max(1))
        .into_par_iter()
        .filter_map(|number| Model::new(arm, grid, number, seed))
        .collect();
    if models.is_empty() {
        return Err(Error::NothingUsable("no star could be simulated".into()));
    }
    let n_stars = n.div_ceil(EXPOSURES);
    let references = (0..n_stars)
        .map(|star| models[star % models.len()].reference.clone())
        .collect();
    let spectra = (0..n)
        .into_par_iter()
        .map(|i| {
            let star = i / EXPOSURES;
            let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(1 + i as u64));
            models[star % models.len()]
                .expose(grid, &mut rng)
                .with_reference(star)
        })
        .collect();
    Ok(Batch {
        grid: *grid,
        references,
        spectra,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::likelihood::{Cpu, Likelihood};

    #[test]
    fn the_same_seed_gives_the_same_plate_and_it_can_be_measured() {
        let grid = VelocityGrid::new(100.0, 1.0).unwrap();
        let make = || plate(Arm::Blue, &grid, 30, 5).unwrap();
        let (a, b) = (make(), make());
        assert_eq!(a.spectra.len(), 30);
        assert_eq!(a.references.len(), 3);
        for (a, b) in a.spectra.iter().zip(&b.spectra) {
            assert_eq!((&a.flux, &a.index), (&b.flux, &b.index));
        }
        let measured = Cpu.measure(&a).unwrap();
        assert!(
            measured
                .iter()
                .all(|m| m.rv_km_s.abs() < 70.0 && m.n_pix > 1000)
        );
    }
}
