//! The line-spread function of one exposure.

use crate::C_KM_S;
use crate::lab::simulate::template::RESOLVING_POWER;

/// Line-spread function: a Gaussian, wider and skewed by a little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lsf {
    /// Width over that of the resolving power.
    pub width: f64,
    /// Skewness; positive has its tail to the red.
    pub skew: f64,
}

impl Lsf {
    /// A Gaussian of the nominal width.
    pub const NOMINAL: Lsf = Lsf {
        width: 1.0,
        skew: 0.0,
    };

    /// Standard deviation, km/s.
    pub fn sigma_km_s(&self) -> f64 {
        self.width * C_KM_S / RESOLVING_POWER / (8.0 * std::f64::consts::LN_2).sqrt()
    }

    /// Response every `step_km_s` to a line in the middle, towards the red, odd length, sum 1.
    ///
    /// It is placed so that a Gaussian fitted to it is centred on the line, because wavelengths are calibrated by fits to the narrow lines
    /// of lamps. A star's lines, which are wider, are then shifted: this is what a skewed profile does to velocities.
    pub fn kernel(&self, step_km_s: f64) -> Vec<f64> {
        let sigma = self.sigma_km_s() / step_km_s;
        let half = (6.0 * sigma).ceil() as i64;
        // To first order a Gaussian fitted to G(t) (1 + skew/6 (t^3 - 3t)) is centred on -skew/4.
        let centre = 0.25 * self.skew;
        let mut kernel: Vec<f64> = (-half..=half)
            .map(|i| {
                let t = i as f64 / sigma - centre;
                (-0.5 * t * t).exp() * (1.0 + self.skew / 6.0 * (t * t * t - 3.0 * t)).max(0.0)
            })
            .collect();
        let sum: f64 = kernel.iter().sum();
        kernel.iter_mut().for_each(|k| *k /= sum);
        kernel
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_has_width_and_skewness_and_lines_fitted_stay_in_place() {
        for (width, skew) in [(1.0, 0.0), (1.05, 0.1), (0.95, -0.2)] {
            let lsf = Lsf { width, skew };
            let kernel = lsf.kernel(1.0);
            let half = (kernel.len() / 2) as f64;
            let moment = |power: i32, mean: f64| {
                let x = |i: usize| i as f64 - half - mean;
                kernel
                    .iter()
                    .enumerate()
                    .map(|(i, k)| k * x(i).powi(power))
                    .sum::<f64>()
            };
            let mean = moment(1, 0.0);
            let sigma = moment(2, mean).sqrt();
            assert!((sigma / (16.975 * width) - 1.0).abs() < 2e-3, "{sigma}");
            assert!(
                (moment(3, mean) / sigma.powi(3) - skew).abs() < 0.01,
                "{skew}"
            );
            // The least-squares Gaussian has no slope at the line.
            let slope = |centre: f64| -> f64 {
                let x = |i: usize| i as f64 - half - centre;
                let gauss = |x: f64| x * (-0.5 * (x / sigma).powi(2)).exp();
                kernel
                    .iter()
                    .enumerate()
                    .map(|(i, k)| k * gauss(x(i)))
                    .sum()
            };
            assert!(slope(-0.15) > 0.0 && slope(0.15) < 0.0, "{width} {skew}");
            assert!((mean - 0.25 * skew * sigma).abs() < 0.05, "{mean}");
        }
    }
}
