//! The half-pixel trap: velocities must not depend on where the pixels of two exposures fall with respect to each other.

pub mod section;

use super::cell::SPREAD_KM_S;
use super::monte_carlo::{Case, Sample, pixel_km_s};
use super::statistics::mean;
use crate::Arm;
use crate::lab::simulate::{SpectrumOptions, StellarParams};

/// Exposures against each reference.
pub const PER_REFERENCE: usize = 10;

/// Signal-to-noise ratio of the references over that of the exposures.
pub const RATIO: f64 = 1.5;

/// The star: a dwarf of this temperature, K.
pub const TEFF_K: f64 = 5800.0;

/// The population that is measured: velocities within a pixel either way.
pub fn case(arm: Arm, snr: f64, n_references: usize, seed: u64) -> Case {
    Case {
        arm,
        star: StellarParams::dwarf(TEFF_K),
        snr,
        reference_snr: RATIO * snr,
        n_references,
        n_per_reference: PER_REFERENCE,
        spread_km_s: SPREAD_KM_S,
        options: SpectrumOptions::clean(),
        seed,
    }
}

/// Mean error in every tenth of a pixel of phase, and of all, in units of the quoted error.
#[derive(Clone, Copy, Debug)]
pub struct PhaseCurve {
    /// By tenth of a pixel.
    pub by_tenth: [f64; 10],
    /// Samples of each.
    pub n_by_tenth: [usize; 10],
    /// Of all samples.
    pub all: f64,
    /// Mean quoted error, km/s.
    pub quoted_km_s: f64,
}

impl PhaseCurve {
    /// Of the samples that have a velocity.
    pub fn of(samples: &[Sample], arm: Arm) -> Self {
        let pixel_km_s = pixel_km_s(arm);
        let known = || samples.iter().filter(|s| s.error_km_s().is_finite());
        let quoted: Vec<f64> = known().map(|s| s.measurement.rv_err_km_s).collect();
        let quoted_km_s = mean(&quoted);
        let mut tenths: [Vec<f64>; 10] = Default::default();
        for sample in known() {
            let phase = (sample.rv_true_km_s / pixel_km_s).rem_euclid(1.0);
            tenths[((10.0 * phase) as usize).min(9)].push(sample.error_km_s() / quoted_km_s);
        }
        PhaseCurve {
            all: mean(&tenths.concat()),
            n_by_tenth: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|i: usize| tenths[i].len()),
            by_tenth: tenths.map(|t| mean(&t)),
            quoted_km_s,
        }
    }

    /// Largest departure of a tenth from the mean of all.
    pub fn pull(&self) -> f64 {
        self.by_tenth
            .iter()
            .map(|t| (t - self.all).abs())
            .fold(0.0, f64::max)
    }
}
