//! Simulated exposures measured as the pipeline measures them, against the truth.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use relrv::likelihood::{
    Batch, Cpu, Likelihood, Measurement, ReferenceTable, SpectrumPixels, VelocityGrid,
};
use relrv::simulate::spectrum::{Component, Simulated, SpectrumOptions, spectrum_with_truth};
use relrv::simulate::template::{StellarParams, Template};
use relrv::spectrum::reference::KNOT_PIXELS;
use relrv::spectrum::{Normalized, Normalizer, Reference, SpectrumConfig};
use relrv::{Arm, C_KM_S};

/// A population to simulate.
#[derive(Clone, Debug)]
pub struct Case {
    pub arm: Arm,
    pub star: StellarParams,
    pub snr: f64,
    pub reference_snr: f64,
    /// References, each of its own noise.
    pub n_references: usize,
    /// Exposures measured against each.
    pub n_per_reference: usize,
    /// True velocities are uniform within +- this.
    pub spread_km_s: f64,
    pub options: SpectrumOptions,
    pub seed: u64,
}

/// One measured exposure.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub rv_true_km_s: f64,
    pub measurement: Measurement,
}

impl Sample {
    pub fn error_km_s(&self) -> f64 {
        self.measurement.rv_km_s - self.rv_true_km_s
    }
}

pub fn grid() -> VelocityGrid {
    VelocityGrid::new(100.0, 1.0).unwrap()
}

/// Simulates and measures the case with the CPU back end.
pub fn run(case: &Case) -> Vec<Sample> {
    run_on(case, grid())
}

/// The same on another grid of velocities.
pub fn run_on(case: &Case, grid: VelocityGrid) -> Vec<Sample> {
    run_within(case, grid.max_shift_km_s(), |normalized, reference| {
        let reference = Reference::new(reference, KNOT_PIXELS).unwrap();
        let table = ReferenceTable::new(&reference, &grid);
        let spectra = normalized
            .iter()
            .map(|n| SpectrumPixels::new(n, &reference, &table, &grid))
            .collect();
        Cpu.measure(&Batch {
            grid,
            tables: vec![table],
            spectra,
        })
        .unwrap()
    })
}

/// Simulates the case; `measure` gets a reference's exposures and the reference exposure.
pub fn run_with(
    case: &Case,
    measure: impl Fn(&[Normalized], &Normalized) -> Vec<Measurement> + Sync,
) -> Vec<Sample> {
    run_within(case, grid().max_shift_km_s(), measure)
}

/// The same for exposures that are used at velocities up to `max_shift_km_s`.
pub fn run_within(
    case: &Case,
    max_shift_km_s: f64,
    measure: impl Fn(&[Normalized], &Normalized) -> Vec<Measurement> + Sync,
) -> Vec<Sample> {
    let template = Template::new(&case.star, case.arm);
    (0..case.n_references)
        .into_par_iter()
        .map_init(Normalizer::default, |normalizer, reference| {
            let mut rng = ChaCha8Rng::seed_from_u64(case.seed);
            rng.set_stream(reference as u64);
            let mut normalized = |rng: &mut ChaCha8Rng, rv_km_s, snr| {
                let raw = simulate(rng, &template, rv_km_s, snr, &case.options).raw;
                normalizer
                    .normalize(&SpectrumConfig::default(), &raw, max_shift_km_s)
                    .unwrap()
            };
            let best = normalized(&mut rng, 0.0, case.reference_snr);
            let truth: Vec<f64> = (0..case.n_per_reference)
                .map(|_| case.spread_km_s * (2.0 * rng.random::<f64>() - 1.0))
                .collect();
            let exposures: Vec<Normalized> = truth
                .iter()
                .map(|v| normalized(&mut rng, *v, case.snr))
                .collect();
            let measured = measure(&exposures, &best);
            truth
                .into_iter()
                .zip(measured)
                .map(|(rv_true_km_s, measurement)| Sample {
                    rv_true_km_s,
                    measurement,
                })
                .collect::<Vec<_>>()
        })
        .flatten()
        .collect()
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

/// Cramer-Rao bound of the difference of two exposures, km/s: I = sum (d f / d v)^2 / (sigma_t^2 + sigma_ref^2) from the noise-free
/// template; and the bound when the reference's own noise does not count (its part is the same for all exposures).
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
    let waves = relrv::simulate::grid::log10_wave(arm, &Default::default());
    let i = waves.partition_point(|l| *l < (0.5 * (low + high)).log10());
    (waves[i + 1] - waves[i]) * std::f64::consts::LN_10 * C_KM_S
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}
