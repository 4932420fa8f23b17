//! How simulated velocities scatter, and what errors are quoted for them.

use super::monte_carlo::Sample;
use super::statistics::{half_width, mean, quantile, rms};

/// How a set of samples compares with its quoted errors. Velocities in km/s.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// Velocities.
    pub n: usize,
    /// Mean of measured less true velocity.
    pub bias_km_s: f64,
    /// Rms of measured less true velocity about `bias_km_s`.
    pub scatter_km_s: f64,
    /// Half the range that holds 68.3 % of them.
    pub half_width_km_s: f64,
    /// Rms of the quoted errors of the difference.
    pub quoted_km_s: f64,
    /// Median of them.
    pub quoted_median_km_s: f64,
    /// Half width of (error / quoted error).
    pub pull: f64,
    /// Errors of more than five times the quoted one.
    pub n_beyond_5: usize,
    /// Rms about the mean of each reference's exposures.
    pub own_scatter_km_s: f64,
    /// Rms of the quoted errors that an exposure has of its own.
    pub own_quoted_km_s: f64,
}

impl Spread {
    /// Of the samples that `keep` keeps and that have a velocity; `samples` are runs of `per_reference`.
    pub fn of(samples: &[Sample], per_reference: usize, keep: impl Fn(&Sample) -> bool) -> Self {
        let kept = |s: &&Sample| keep(s) && s.error_km_s().is_finite();
        let used: Vec<&Sample> = samples.iter().filter(kept).collect();
        let errors: Vec<f64> = used.iter().map(|s| s.error_km_s()).collect();
        let bias_km_s = mean(&errors);
        let about: Vec<f64> = errors.iter().map(|e| e - bias_km_s).collect();
        let pulls: Vec<f64> = used
            .iter()
            .zip(&about)
            .map(|(s, e)| e / s.measurement.rv_err_km_s)
            .collect();
        // A reference's own error is the same for all its exposures: it goes with their mean.
        let (mut squares, mut free) = (0.0, 0usize);
        for run in samples.chunks(per_reference.max(1)) {
            let run: Vec<f64> = run.iter().filter(kept).map(Sample::error_km_s).collect();
            if run.len() > 1 {
                let centre = mean(&run);
                squares += run.iter().map(|e| (e - centre).powi(2)).sum::<f64>();
                free += run.len() - 1;
            }
        }
        let quoted: Vec<f64> = used.iter().map(|s| s.measurement.rv_err_km_s).collect();
        let own: Vec<f64> = used.iter().map(|s| s.measurement.rv_err_own_km_s).collect();
        Spread {
            n: used.len(),
            bias_km_s,
            scatter_km_s: rms(&about),
            half_width_km_s: half_width(&errors),
            quoted_km_s: rms(&quoted),
            quoted_median_km_s: quantile(&quoted, 0.5),
            pull: half_width(&pulls),
            n_beyond_5: pulls.iter().filter(|p| p.abs() > 5.0).count(),
            own_scatter_km_s: (squares / free as f64).sqrt(),
            own_quoted_km_s: rms(&own),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::likelihood::Measurement;

    fn sample(error_km_s: f64, quoted_km_s: f64) -> Sample {
        Sample {
            rv_true_km_s: 3.0,
            measurement: Measurement {
                rv_km_s: 3.0 + error_km_s,
                rv_err_km_s: quoted_km_s,
                rv_err_own_km_s: 0.5 * quoted_km_s,
                flags: Default::default(),
                ..Measurement::without_pixels()
            },
        }
    }

    #[test]
    fn the_error_of_a_reference_counts_in_the_scatter_and_not_in_the_own() {
        // Two references that are off by +-2, exposures that are off by +-1 more, and one without a velocity.
        let errors = [3.0, 1.0, f64::NAN, -1.0, -3.0, -2.0];
        let samples: Vec<Sample> = errors.iter().map(|e| sample(*e, 2.0)).collect();
        let spread = Spread::of(&samples, 3, |_| true);
        assert_eq!((spread.n, spread.n_beyond_5), (5, 0));
        assert!((spread.bias_km_s + 0.4).abs() < 1e-12);
        // Squares about -0.4: 11.56 + 1.96 + 0.36 + 6.76 + 2.56.
        assert!((spread.scatter_km_s - (23.2f64 / 5.0).sqrt()).abs() < 1e-12);
        // About the means 2 and -2: 1 + 1 + 1 + 1 + 0, and 1 + 2 degrees of freedom.
        assert!((spread.own_scatter_km_s - (4.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!((spread.quoted_km_s, spread.own_quoted_km_s), (2.0, 1.0));
        let few = Spread::of(&samples, 3, |s| s.error_km_s() > 0.0);
        assert_eq!(few.n, 2);
        assert!((few.bias_km_s - 2.0).abs() < 1e-12);
        assert_eq!(Spread::of(&samples, 3, |_| false).n, 0);
    }
}
