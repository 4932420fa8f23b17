//! How much of a reference's slope is the star's, and how much follows the reference's own noise.
//!
//! A velocity is sum f' r / S over R = sum f' f'_true / S, with f' the slope of the fitted reference, f'_true that of the
//! star and r the residual. Where the star's lines drown, the prior of [`SplineFit::shrink`](crate::spline::bspline::SplineFit)
//! follows the noise in part: f'^2 is then more than f' f'_true, and I = sum f'^2 / S more than R.
//!
//! R can be estimated. The least-squares spline before the prior has the slope f'_LS = f'_true + noise, and the covariance
//! of that noise with f' is, for a given prior, the fit's own variance V of f'. So f' f'_LS - V is f' f'_true on the average
//! (the covariance penalty of Stein and Efron), and
//!
//! x = sum (V - f' (f'_LS - f')) / sigma^2 / sum f'^2 / sigma^2
//!
//! is the share of I that follows the noise. This takes the prior for given, but it was found from the same noise, which lowers R
//! further. In simulations of 5800 to 36,000 K, 10 to 300 km/s and SNR 10 to 80 it does so in the same proportion for all:
//! R / I = 1 - x / [`SHARE_WITHOUT_SIGNAL`] to 0.02 rms for 0.05 < x < 0.5. For larger x, R / I is less than that (pure noise has
//! x = 0.80); such spectra are flagged for little information. `docs/method.md`, section 8, has the tables, and
//! `tests/integration/hot_stars.rs` holds the errors to the scatter.

use crate::spectrum::Band;
use crate::spline::bspline::{Knots, basis_slope, dot};

/// x at which the linear relation has R = 0: fitted to the means of 184 simulated samples of 240 exposures
/// with 0.05 < x < 0.5 (`docs/method.md`, section 8).
pub const SHARE_WITHOUT_SIGNAL: f64 = 0.74;

/// Smallest R / I, below which nothing is known: such spectra are flagged for little information.
const MIN_RESPONSE: f64 = 0.1;

/// A fitted spline, before and after its prior.
#[derive(Clone, Copy, Debug)]
pub struct Fits<'a> {
    /// Knots of both.
    pub knots: Knots,
    /// Coefficients by least squares.
    pub least_squares: &'a [f64],
    /// Coefficients with the prior.
    pub shrunk: &'a [f64],
    /// Band of their covariance.
    pub covariance: &'a [[f64; 4]],
}

/// R / I of a reference whose noise has this share x of its squared slope ([`noise_share`]), 0.1..=1.
pub fn response(share: f64) -> f64 {
    // `max` turns NaN into 0: where the share is not known, the slope is taken for the star's.
    (1.0 - share.max(0.0) / SHARE_WITHOUT_SIGNAL).max(MIN_RESPONSE)
}

/// x over the good pixels of the band's window, for a reference fitted to pixels at `ln_wave` with these inverse variances. May
/// be a little below 0; NaN without a good pixel.
pub fn noise_share(band: &Band, ln_wave: &[f64], ivar: &[f64], fits: &Fits) -> f64 {
    let (low, high) = band.ln_window();
    let first = ln_wave.partition_point(|l| *l < low);
    let last = ln_wave.partition_point(|l| *l <= high);
    let (mut slope2, mut noise) = (0.0, 0.0);
    // Slopes per knot: the factor to velocity hardly changes within the window.
    let phases = fits.knots.phases(basis_slope);
    for (i, weight) in (first..last).map(|i| (i, ivar[i])) {
        if weight <= 0.0 {
            continue;
        }
        let (interval, phase) = fits.knots.phase_of(i);
        let phase = &phases[phase];
        let slope = |c: &[f64]| dot(&phase.factors, &c[interval..]);
        let (shrunk, least_squares) = (slope(fits.shrunk), slope(fits.least_squares));
        let variance = phase.variance.at(fits.covariance, interval);
        slope2 += weight * shrunk * shrunk;
        noise += weight * (variance - shrunk * (least_squares - shrunk));
    }
    noise / slope2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arm;
    use crate::spectrum::Normalized;
    use crate::spline::bspline::{PRIOR_WINDOW, SplineFit};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    const SIGMA: f64 = 0.1;

    /// A window of the red arm with the lines of `flux` and noise; and what becomes of it.
    fn fit(seed: u64, flux: impl Fn(f64) -> f64) -> (Normalized, SplineFit, Vec<f64>, Knots) {
        let n = 2300;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut noisy = |i: usize| {
            let noise: f64 = StandardNormal.sample(&mut rng);
            flux(i as f64) + SIGMA * noise
        };
        let exposure = Normalized {
            band: Arm::Red.band(),
            ln_wave: (0..n).map(|i| 6401f64.ln() + 1.97e-5 * i as f64).collect(),
            flux: (0..n).map(&mut noisy).collect(),
            ivar: vec![SIGMA.powi(-2); n],
            snr: 1.0 / SIGMA,
            wave_as_stored: false,
            helio_rv_km_s: None,
        };
        let knots = Knots::new(n, 3);
        let mut fit = SplineFit::default();
        assert!(fit.fit(knots, &exposure.flux, &exposure.ivar));
        let least_squares = fit.coefficients.clone();
        fit.shrink(PRIOR_WINDOW);
        (exposure, fit, least_squares, knots)
    }

    fn share_of(
        exposure: &Normalized,
        fit: &SplineFit,
        least_squares: &[f64],
        knots: Knots,
        covariance: &[[f64; 4]],
    ) -> f64 {
        let fits = Fits {
            knots,
            least_squares,
            shrunk: &fit.coefficients,
            covariance,
        };
        noise_share(&exposure.band, &exposure.ln_wave, &exposure.ivar, &fits)
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn nothing_is_known_from_pure_noise() {
        let shares: Vec<f64> = (0..60)
            .map(|seed| {
                let (exposure, fit, least_squares, knots) = fit(1000 + seed, |_| 1.0);
                let covariance = fit.covariance_band();
                share_of(&exposure, &fit, &least_squares, knots, covariance)
            })
            .collect();
        let share = mean(&shares);
        println!("share {share:.3} in pure noise");
        assert!((0.77..0.83).contains(&share), "{share}");
        assert!(share > SHARE_WITHOUT_SIGNAL);
    }

    /// Lines of several widths and depths in the same noise: response against f' f'_true over f'^2.
    #[test]
    fn response_is_that_of_the_true_slope() {
        for (depth, width) in [
            (0.6, 4.0),
            (0.3, 4.0),
            (0.3, 15.0),
            (0.15, 15.0),
            (0.15, 40.0),
        ] {
            let line = |x: f64, centre: f64| ((x - centre) / width).powi(2);
            let centres: Vec<f64> = (0..9).map(|k| 150.0 + 250.0 * f64::from(k)).collect();
            let flux = |x: f64| {
                let lines = centres.iter().map(|c| (-0.5 * line(x, *c)).exp());
                1.0 - depth * lines.sum::<f64>()
            };
            let true_slope = |x: f64| (flux(x + 0.01) - flux(x - 0.01)) / 0.02;
            let (mut estimated, mut truth) = (Vec::new(), Vec::new());
            for seed in 0..60 {
                let (exposure, fit, least_squares, knots) = fit(2000 + seed, flux);
                let covariance = fit.covariance_band();
                let share = share_of(&exposure, &fit, &least_squares, knots, covariance);
                estimated.push(response(share));
                let (mut product, mut square) = (0.0, 0.0);
                for i in 0..exposure.flux.len() {
                    let (interval, t) = knots.locate(i as f64);
                    let b = basis_slope(t);
                    let slope: f64 = b
                        .iter()
                        .zip(&fit.coefficients[interval..])
                        .map(|(b, c)| b * c / knots.spacing as f64)
                        .sum();
                    product += slope * true_slope(i as f64);
                    square += slope * slope;
                }
                truth.push(product / square);
            }
            let (estimated, truth) = (mean(&estimated), mean(&truth));
            println!("depth {depth} width {width}: response {estimated:.3}, true {truth:.3}");
            let error = estimated - truth.min(1.0);
            // Where next to nothing is known the estimate is too high, but low enough.
            let is_near = error.abs() < 0.05 || truth < 0.2 && error > 0.0 && estimated < 0.3;
            assert!(is_near, "depth {depth} width {width}: {estimated} {truth}");
        }
    }
}
