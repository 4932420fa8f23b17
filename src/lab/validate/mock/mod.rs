//! The mock of the paper's section 3.3: stars of known velocity, exposures of known shift.

pub mod figures;
pub mod score;
pub mod section;

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What is drawn. The defaults are the paper's numbers; what the paper leaves open is said at each field.
#[derive(Clone, Debug, PartialEq)]
pub struct MockConfig {
    /// Random seed.
    pub seed: u64,
    /// Exposures, spread evenly over the nights.
    pub n_exposures: usize,
    /// Nights, each with a shift of its own.
    pub n_nights: usize,
    /// Stars whose true velocity stays within +-0.1 km/s.
    pub n_constants: usize,
    /// Variables: sinusoids with a full range of 2-10 km/s; periods of 0.1-1 d.
    pub n_variables: usize,
    /// Binaries on circular orbits, amplitude 3-15 km/s, period 0.5-3 d; the first three are Table 1's.
    pub n_binaries: usize,
    /// Fraction of observations that are missing.
    pub missing: f64,
    /// Least and largest measurement error, km/s, uniform per observation. The paper says 0-2; an error of exactly 0
    /// would fix its exposure by itself, so the least is 0.05.
    pub err_km_s: (f64, f64),
    /// The error is one per star instead of one per observation.
    pub err_per_star: bool,
}

impl Default for MockConfig {
    fn default() -> Self {
        MockConfig {
            seed: 1,
            n_exposures: 30,
            n_nights: 7,
            n_constants: 200,
            n_variables: 10,
            n_binaries: 40,
            missing: 0.0,
            err_km_s: (0.05, 2.0),
            err_per_star: false,
        }
    }
}

/// Half range of a constant star's true velocity, km/s (paper, 3.3), uniform.
pub const CONSTANT_HALF_RANGE_KM_S: f64 = 0.1;
/// Half range of a night's shift, km/s (paper, 3.3), uniform.
const NIGHT_HALF_RANGE_KM_S: f64 = 7.0;
/// Scatter of the exposures' shifts within a night, km/s (paper, 3.3), Gaussian.
const EXPOSURE_SIGMA_KM_S: f64 = 0.5;

/// What a mock star is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Velocity within +-0.1 km/s.
    Constant,
    /// Semi-amplitude (km/s), period (d), phase (turns).
    Periodic(f64, f64, f64),
}

impl Kind {
    /// Velocity (km/s) of a periodic star at a time (d); 0 for a constant.
    pub fn velocity_km_s(self, time_d: f64) -> f64 {
        match self {
            Kind::Constant => 0.0,
            Kind::Periodic(amplitude, period, phase) => {
                amplitude * (TAU * (time_d / period + phase)).sin()
            }
        }
    }
}

/// Table 1: period (d), velocity amplitude (km/s), inclination (degrees).
pub const TABLE_1: [(f64, f64, f64); 3] = [
    (0.6894, 13.23, 88.65),
    (0.6373, 13.01, 88.15),
    (2.9098, 5.91, 81.79),
];

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MockRow {
    /// Star.
    pub star: u32,
    /// Exposure.
    pub exposure: u32,
    /// RV against the star's reference exposure, km/s.
    pub rv_km_s: f64,
    /// Its own error, km/s.
    pub err_km_s: f64,
    /// True velocity, km/s.
    pub true_km_s: f64,
}

/// A drawn mock.
#[derive(Clone, Debug)]
pub struct Mock {
    /// Observations; missing ones are not there.
    pub rows: Vec<MockRow>,
    /// Stars: first the binaries, then the variables, then the constants.
    pub kinds: Vec<Kind>,
    /// True zero point of each exposure, km/s.
    pub zp_km_s: Vec<f64>,
    /// Time of each exposure, d.
    pub time_d: Vec<f64>,
}

impl Mock {
    /// Draws the mock.
    ///
    /// As in a real measurement, a star's RVs are relative to its own best exposure, whose shift and noise they all
    /// carry: with observations missing, the references lie in different exposures.
    pub fn new(config: &MockConfig) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let night_of = |t: usize| t * config.n_nights / config.n_exposures;
        let nights: Vec<f64> = (0..config.n_nights)
            .map(|_| rng.random_range(-NIGHT_HALF_RANGE_KM_S..NIGHT_HALF_RANGE_KM_S))
            .collect();
        let normal = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
        let zp_km_s: Vec<f64> = (0..config.n_exposures)
            .map(|t| nights[night_of(t)] + EXPOSURE_SIGMA_KM_S * normal(&mut rng))
            .collect();
        // One to six days between nights, about 20 minutes between exposures.
        let mut day = 0.0;
        let days: Vec<f64> = (0..config.n_nights)
            .map(|_| {
                day += f64::from(rng.random_range(1..=6));
                day
            })
            .collect();
        let time_d: Vec<f64> = (0..config.n_exposures)
            .map(|t| days[night_of(t)] + 0.015 * t as f64 + rng.random_range(0.0..0.005))
            .collect();
        let kinds = kinds(config, &mut rng);
        let (low, high) = config.err_km_s;
        let mut rows = Vec::new();
        for (star, kind) in kinds.iter().enumerate() {
            let star_err = rng.random_range(low..high);
            let first = rows.len();
            for (exposure, (&zp, &time)) in zp_km_s.iter().zip(&time_d).enumerate() {
                let own_err = rng.random_range(low..high);
                let err = if config.err_per_star {
                    star_err
                } else {
                    own_err
                };
                let wobble = rng.random_range(-CONSTANT_HALF_RANGE_KM_S..CONSTANT_HALF_RANGE_KM_S);
                let truth = match kind {
                    Kind::Constant => wobble,
                    other => other.velocity_km_s(time),
                };
                let noise = err * normal(&mut rng);
                if rng.random::<f64>() >= config.missing {
                    rows.push(MockRow {
                        star: star as u32,
                        exposure: exposure as u32,
                        rv_km_s: truth + zp + noise,
                        err_km_s: err,
                        true_km_s: truth,
                    });
                }
            }
            let best = rows[first..]
                .iter()
                .min_by(|a, b| a.err_km_s.total_cmp(&b.err_km_s))
                .map_or(0.0, |r| r.rv_km_s);
            for row in &mut rows[first..] {
                row.rv_km_s -= best;
            }
        }
        Mock {
            rows,
            kinds,
            zp_km_s,
            time_d,
        }
    }

    /// The star is one of the constants.
    pub fn is_constant(&self, star: usize) -> bool {
        self.kinds[star] == Kind::Constant
    }
}

fn kinds(config: &MockConfig, rng: &mut ChaCha8Rng) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for i in 0..config.n_binaries {
        let phase = rng.random_range(0.0..1.0);
        let drawn = (rng.random_range(3.0..15.0), rng.random_range(0.5..3.0));
        kinds.push(match TABLE_1.get(i) {
            Some(&(period, amplitude, _)) => Kind::Periodic(amplitude, period, phase),
            None => Kind::Periodic(drawn.0, drawn.1, phase),
        });
    }
    for _ in 0..config.n_variables {
        kinds.push(Kind::Periodic(
            rng.random_range(1.0..5.0),
            rng.random_range(0.1..1.0),
            rng.random_range(0.0..1.0),
        ));
    }
    kinds.extend(std::iter::repeat_n(Kind::Constant, config.n_constants));
    kinds
}
