//! What the subtraction of the night sky leaves behind: its emission lines, too little or too much of them.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::lsf::Lsf;
use crate::C_KM_S;
use crate::lab::simulate::lines::air_to_vacuum_aa;

/// Lines of hydroxyl and nitrogen in the windows: wavelength in air (A), strength relative to the strongest.
/// Doublets closer than the resolution are listed once.
const LINES: [(f64, f64); 18] = [
    (5197.90, 0.15),
    (5200.26, 0.1),
    (6464.824, 0.3),
    (6470.974, 0.15),
    (6477.910, 0.2),
    (6498.729, 1.0),
    (6504.995, 0.2),
    (6522.425, 0.3),
    (6533.044, 0.9),
    (6544.022, 0.35),
    (6553.617, 0.7),
    (6568.779, 0.3),
    (6577.284, 0.5),
    (6596.643, 0.35),
    (6604.134, 0.3),
    (6627.624, 0.1),
    (6634.230, 0.15),
    (6661.771, 0.15),
];

/// H-alpha of the hydrogen around the Earth, wavelength in air (A).
const H_ALPHA_AIR_AA: f64 = 6562.80;

/// Residuals in one spectrum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Residuals {
    /// Height of the strongest line in standard deviations of a pixel; negative where too much was taken off.
    pub lines_sigma: f64,
    /// Height of the Earth's H-alpha, in the same unit.
    pub h_alpha_sigma: f64,
}

impl Residuals {
    /// Residuals whose scatter is `scatter_sigma`.
    pub fn draw<R: Rng>(rng: &mut R, scatter_sigma: f64) -> Residuals {
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        Residuals {
            lines_sigma: scatter_sigma * normal(),
            h_alpha_sigma: scatter_sigma * normal(),
        }
    }

    /// Residuals in pixels at `ln_observed` (ln A, observer's frame), in standard deviations of a pixel.
    pub fn profile(&self, lsf: Lsf, ln_observed: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; ln_observed.len()];
        let mut add = |air_aa: f64, height: f64| {
            if height == 0.0 {
                return;
            }
            let centre = air_to_vacuum_aa(air_aa).ln();
            let sigma = lsf.sigma_km_s() / C_KM_S;
            let from = ln_observed.partition_point(|ln| *ln < centre - 6.0 * sigma);
            let to = ln_observed.partition_point(|ln| *ln <= centre + 6.0 * sigma);
            for (ln, sum) in ln_observed[from..to].iter().zip(&mut out[from..to]) {
                let x = (ln - centre) / sigma;
                *sum += height * (-0.5 * x * x).exp();
            }
        };
        for (air_aa, strength) in LINES {
            add(air_aa, strength * self.lines_sigma);
        }
        add(H_ALPHA_AIR_AA, self.h_alpha_sigma);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn lines_stand_at_rest_with_the_heights_told() {
        let ln: Vec<f64> = (0..6000)
            .map(|i| (6450.0 + 0.03 * f64::from(i)).ln())
            .collect();
        let residuals = Residuals {
            lines_sigma: 4.0,
            h_alpha_sigma: -2.5,
        };
        let profile = residuals.profile(Lsf::NOMINAL, &ln);
        let at = |vacuum_aa: f64| profile[ln.partition_point(|l| *l < vacuum_aa.ln())];
        assert!((at(6500.525) - 4.0).abs() < 0.03, "{}", at(6500.525));
        assert!((at(6564.61) + 2.5).abs() < 0.03, "{}", at(6564.61));
        assert!(at(6514.0).abs() < 0.01);
    }

    #[test]
    fn residuals_scatter_about_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let all: Vec<f64> = (0..1000)
            .flat_map(|_| {
                let r = Residuals::draw(&mut rng, 3.0);
                [r.lines_sigma, r.h_alpha_sigma]
            })
            .collect();
        let mean = all.iter().sum::<f64>() / 2000.0;
        let rms = (all.iter().map(|v| v * v).sum::<f64>() / 2000.0).sqrt();
        assert!(
            mean.abs() < 0.25 && (rms / 3.0 - 1.0).abs() < 0.06,
            "{mean} {rms}"
        );
    }
}
