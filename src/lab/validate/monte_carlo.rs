//! Simulated exposures, measured as `relrv measure` does it, against the truth.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::lab::simulate::params::StellarParams;
use crate::lab::simulate::spectrum::{Component, Simulated, SpectrumOptions, spectrum_with_truth};
use crate::lab::simulate::template::Template;
use crate::lamost::arm::KNOT_PIXELS;
use crate::likelihood::{Batch, Cpu, Likelihood, Measurement, VelocityGrid};
use crate::reference::Reference;
use crate::spectrum::{Normalized, Normalizer, SpectrumConfig};
use crate::{Arm, C_KM_S, Result};

/// A population to simulate.
#[derive(Clone, Debug)]
pub struct Case {
    /// Arm.
    pub arm: Arm,
    /// The star.
    pub star: StellarParams,
    /// Signal-to-noise ratio per pixel of the exposures.
    pub snr: f64,
    /// That of the references.
    pub reference_snr: f64,
    /// References, each of its own noise.
    pub n_references: usize,
    /// Exposures measured against each.
    pub n_per_reference: usize,
    /// True velocities are uniform within +- this, km/s.
    pub spread_km_s: f64,
    /// Everything but the star.
    pub options: SpectrumOptions,
    /// Each reference and its exposures draw from a stream of their own of this seed.
    pub seed: u64,
}

/// One measured exposure.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// True velocity against the reference, km/s.
    pub rv_true_km_s: f64,
    /// What was measured; [`Measurement::without_pixels`] where the exposure or its reference could not be used.
    pub measurement: Measurement,
}

impl Sample {
    /// Measured less true velocity, km/s; NaN without a velocity.
    pub fn error_km_s(&self) -> f64 {
        self.measurement.rv_km_s - self.rv_true_km_s
    }
}

/// Simulates the case and measures it with the CPU back end: `n_references` runs of `n_per_reference` samples.
///
/// # Errors
/// What the back end says.
pub fn run(case: &Case, grid: &VelocityGrid) -> Result<Vec<Sample>> {
    run_against(case, &case.star, grid)
}

/// As [`run`], but the references are of another star.
///
/// # Errors
/// As [`run`].
pub fn run_against(
    case: &Case,
    reference_star: &StellarParams,
    grid: &VelocityGrid,
) -> Result<Vec<Sample>> {
    run_with(case, reference_star, grid, |exposures, reference| {
        measure(exposures, reference, grid)
    })
}

/// Measures the exposures against the reference exposure, as `relrv measure --reference best` does it. An exposure that could not be
/// normalised is None.
fn measure(
    exposures: &[Option<Normalized>],
    reference: Option<&Normalized>,
    grid: &VelocityGrid,
) -> Result<Vec<Measurement>> {
    let mut measured = vec![Measurement::without_pixels(); exposures.len()];
    let Some(reference) = reference.and_then(|r| Reference::new(r, KNOT_PIXELS)) else {
        return Ok(measured);
    };
    let used: Vec<usize> = (0..exposures.len())
        .filter(|i| exposures[*i].is_some())
        .collect();
    let batch = Batch::of_one(reference, exposures.iter().flatten(), grid);
    for (i, measurement) in used.into_iter().zip(Cpu.measure(&batch)?) {
        measured[i] = measurement;
    }
    Ok(measured)
}

/// Simulates the case; `measure` gets a reference's exposures and the reference exposure, each None if it could not be
/// normalised.
///
/// # Errors
/// Those of `measure`.
pub fn run_with(
    case: &Case,
    reference_star: &StellarParams,
    grid: &VelocityGrid,
    measure: impl Fn(&[Option<Normalized>], Option<&Normalized>) -> Result<Vec<Measurement>> + Sync,
) -> Result<Vec<Sample>> {
    let template = Template::new(&case.star, case.arm);
    let other = (*reference_star != case.star).then(|| Template::new(reference_star, case.arm));
    let reference_template = other.as_ref().unwrap_or(&template);
    let runs: Vec<Vec<Sample>> = (0..case.n_references)
        .into_par_iter()
        .map_init(Normalizer::default, |normalizer, reference| {
            let mut rng = ChaCha8Rng::seed_from_u64(case.seed);
            rng.set_stream(reference as u64);
            let mut normalized = |rng: &mut ChaCha8Rng, template, rv_km_s, snr| {
                let raw = simulate(rng, template, rv_km_s, snr, &case.options).raw;
                let config = SpectrumConfig::default();
                normalizer
                    .normalize(&config, &raw, grid.max_shift_km_s())
                    .ok()
            };
            let best = normalized(&mut rng, reference_template, 0.0, case.reference_snr);
            let truth: Vec<f64> = (0..case.n_per_reference)
                .map(|_| case.spread_km_s * (2.0 * rng.random::<f64>() - 1.0))
                .collect();
            let exposures: Vec<Option<Normalized>> = truth
                .iter()
                .map(|v| normalized(&mut rng, &template, *v, case.snr))
                .collect();
            let measured = measure(&exposures, best.as_ref())?;
            let samples = truth.into_iter().zip(measured);
            Ok(samples
                .map(|(rv_true_km_s, measurement)| Sample {
                    rv_true_km_s,
                    measurement,
                })
                .collect())
        })
        .collect::<Result<_>>()?;
    Ok(runs.into_iter().flatten().collect())
}

fn simulate<R: Rng>(
    rng: &mut R,
    template: &Template,
    rv_km_s: f64,
    snr: f64,
    options: &SpectrumOptions,
) -> Simulated {
    let component = Component {
        template,
        rv_km_s,
        light: 1.0,
    };
    spectrum_with_truth(rng, template.arm(), &[component], 0.0, snr, options)
}

/// Cramer-Rao bound of the difference of two exposures, km/s: I = sum (d f / d v)^2 / (sigma_t^2 + sigma_ref^2) from the
/// noise-free template; and the bound when the reference's own noise does not count (its part is the same for all
/// exposures).
pub fn bounds_km_s(case: &Case) -> (f64, f64) {
    let template = Template::new(&case.star, case.arm);
    let mut rng = ChaCha8Rng::seed_from_u64(case.seed);
    let exposure = simulate(&mut rng, &template, 0.0, case.snr, &case.options);
    let reference = simulate(&mut rng, &template, 0.0, case.reference_snr, &case.options);
    let (sigma, sigma_ref) = (exposure.norm_sigma(), reference.norm_sigma());
    let (low, high) = case.arm.window_aa();
    let (mut both, mut own) = (0.0, 0.0);
    for (i, log10) in exposure.log10_wave.iter().enumerate() {
        let wave_aa = 10f64.powf(*log10);
        if (low..=high).contains(&wave_aa) {
            let slope2 = template.slope_per_km_s(wave_aa, 0.0).powi(2);
            let s = sigma[i].powi(2) + sigma_ref[i].powi(2);
            both += slope2 / s;
            own += slope2 * sigma[i].powi(2) / (s * s);
        }
    }
    (both.powf(-0.5), own.sqrt() / both)
}

/// Width of the pixel in the middle of the window, km/s.
pub fn pixel_km_s(arm: Arm) -> f64 {
    let (low, high) = arm.window_aa();
    let waves = crate::lab::simulate::grid::log10_wave(arm, &Default::default());
    let i = waves.partition_point(|l| *l < (0.5 * (low + high)).log10());
    (waves[i + 1] - waves[i]) * std::f64::consts::LN_10 * C_KM_S
}
