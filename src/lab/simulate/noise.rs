//! What the detector adds: photon noise, an inverse variance that is nearly right, cosmic rays, wild edges, dead pixels.

use crate::numbers::statistics::median_high;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Poisson, StandardNormal};

use super::cosmics::{CosmicShapes, Ray};
use crate::Arm;

/// Variance per unit of flux, blue and red (median var/flux of bright public DR7 spectra).
const VARIANCE_PER_FLUX: [f64; 2] = [1.5, 1.15];

/// Flux-equivalent of sky and read-out noise: sets how soon faint spectra leave the photon limit.
const BACKGROUND_FLUX: f64 = 200.0;

/// Pixels at either end that can be wild.
const EDGE_PIXELS: usize = 25;

/// Pixels of one spectrum, in ascending wavelength.
#[derive(Clone, Debug, Default)]
pub struct Pixels {
    /// What the noise-free flux was multiplied by.
    pub scale: f64,
    /// Flux as observed.
    pub flux: Vec<f64>,
    /// Inverse variance as a pipeline would quote it.
    pub ivar: Vec<f64>,
    /// PIXMASK is set.
    pub masked: Vec<bool>,
    /// True standard deviation of the flux, without what spoils single pixels.
    pub sigma: Vec<f64>,
    /// Pixels that a cosmic ray, a wild edge or a dead pixel spoils.
    pub spoiled: Vec<bool>,
    /// Quoted inverse variance over the true one.
    pub ivar_factor: f64,
    /// Number of cosmic rays.
    pub cosmics: usize,
}

/// How much of each defect there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Defects {
    /// Relative error of the quoted inverse variance, one factor per spectrum (standard deviation of its logarithm).
    pub ivar_error: f64,
    /// The quoted variance is counted from the noisy flux, as real pipelines do, not from the expected flux.
    pub ivar_from_counts: bool,
    /// Mean number of cosmic rays over the whole arm.
    pub cosmics_per_spectrum: f64,
    /// Shapes of the cosmic rays.
    pub cosmic_shapes: CosmicShapes,
    /// Correlation of the noise of neighbouring pixels, 0 to 0.5.
    pub noise_correlation: f64,
    /// Mean number of pixels without information (flux and ivar 0).
    pub dead_pixels: f64,
    /// Probability that an end of the spectrum has wild values, per end.
    pub wild_edges: f64,
}

impl Defects {
    /// Nothing but noise, and an inverse variance that is exact: for tests against a bound.
    pub const NONE: Defects = Defects {
        ivar_error: 0.0,
        ivar_from_counts: false,
        cosmics_per_spectrum: 0.0,
        cosmic_shapes: CosmicShapes::Simple,
        noise_correlation: 0.0,
        dead_pixels: 0.0,
        wild_edges: 0.0,
    };
}

impl Default for Defects {
    /// About as in the survey's public files.
    fn default() -> Self {
        Defects {
            ivar_error: 0.1,
            ivar_from_counts: false,
            cosmics_per_spectrum: 4.0,
            cosmic_shapes: CosmicShapes::Simple,
            noise_correlation: 0.0,
            dead_pixels: 2.0,
            wild_edges: 0.3,
        }
    }
}

/// Flux that a median pixel needs for a signal-to-noise ratio: the positive root of F^2 = SNR^2 g (F + B).
fn flux_for_snr(snr: f64, gain: f64) -> f64 {
    let a = snr * snr * gain;
    0.5 * (a + (a * a + 4.0 * a * BACKGROUND_FLUX).sqrt())
}

/// Light of a star whose spectra have this signal-to-noise ratio over that of one whose spectra have `middle`.
pub fn brightness(arm: Arm, snr: f64, middle: f64) -> f64 {
    let gain = VARIANCE_PER_FLUX[arm as usize];
    flux_for_snr(snr, gain) / flux_for_snr(middle, gain)
}

/// Expects the noise-free flux in arbitrary units; scales it so that the median of flux / sigma over the pixels of
/// `window` (indices) is `snr`, adds noise and `defects`.
pub fn observe<R: Rng + ?Sized>(
    rng: &mut R,
    arm: Arm,
    noise_free: &[f64],
    window: std::ops::Range<usize>,
    snr: f64,
    defects: &Defects,
) -> Pixels {
    let gain = VARIANCE_PER_FLUX[arm as usize];
    // Flux / sigma rises with the flux, so its median belongs to the median flux.
    let middle = median_high(&mut noise_free[window].to_vec()).unwrap_or(0.0);
    let scale = flux_for_snr(snr, gain) / middle.max(f64::MIN_POSITIVE);
    // The quoted variance is off by a factor that the whole spectrum shares.
    let normal: f64 = StandardNormal.sample(rng);
    let variance_factor = (defects.ivar_error * normal).exp();

    let n = noise_free.len();
    let mut pixels = Pixels {
        scale,
        flux: Vec::with_capacity(n),
        ivar: Vec::with_capacity(n),
        masked: vec![false; n],
        sigma: Vec::with_capacity(n),
        spoiled: vec![false; n],
        ivar_factor: 1.0 / variance_factor,
        cosmics: 0,
    };
    let (share, norm) = moving_average(defects.noise_correlation);
    let mut last = 0.0;
    for shape in noise_free {
        let expected = scale * shape;
        let variance = gain * (expected + BACKGROUND_FLUX);
        let normal: f64 = StandardNormal.sample(rng);
        let flux = expected + variance.sqrt() * (norm * (normal + share * last));
        last = normal;
        let counted = if defects.ivar_from_counts {
            gain * (flux.max(0.0) + BACKGROUND_FLUX)
        } else {
            variance
        };
        pixels.sigma.push(variance.sqrt());
        pixels.flux.push(flux);
        pixels.ivar.push(1.0 / (variance_factor * counted));
    }
    add_cosmics(rng, noise_free, scale, gain, defects, &mut pixels);
    add_wild_edges(rng, defects.wild_edges, &mut pixels);
    kill_pixels(rng, defects.dead_pixels, &mut pixels);
    pixels
}

/// Median of flux sqrt(ivar) over `window`: what the keyword SNR of a simulated file says.
pub fn measured_snr(pixels: &Pixels, window: std::ops::Range<usize>) -> f64 {
    let mut snr: Vec<f64> = pixels.flux[window.clone()]
        .iter()
        .zip(&pixels.ivar[window])
        .filter(|(_, ivar)| **ivar > 0.0)
        .map(|(flux, ivar)| flux * ivar.sqrt())
        .collect();
    median_high(&mut snr).unwrap_or(0.0)
}

/// For noise whose neighbouring pixels have this `correlation`: the share of the last pixel's noise that is added to a pixel's own, and
/// the factor that keeps the variance.
fn moving_average(correlation: f64) -> (f64, f64) {
    // correlation = share / (1 + share^2).
    let share = 2.0 * correlation / (1.0 + (1.0 - 4.0 * correlation * correlation).max(0.0).sqrt());
    (share, 1.0 / (1.0 + share * share).sqrt())
}

/// A number drawn from a Poisson distribution.
pub(super) fn count<R: Rng + ?Sized>(rng: &mut R, mean: f64) -> usize {
    // Poisson::new fails for a mean of 0 or less, where nothing is drawn.
    Poisson::new(mean).map_or(0, |poisson| {
        let drawn: f64 = poisson.sample(rng);
        drawn as usize
    })
}

/// Unmasked spikes. They count as photons in the variance, as they do in the public files.
fn add_cosmics<R: Rng + ?Sized>(
    rng: &mut R,
    noise_free: &[f64],
    scale: f64,
    gain: f64,
    defects: &Defects,
    pixels: &mut Pixels,
) {
    let n = noise_free.len();
    if n == 0 {
        return;
    }
    pixels.cosmics = count(rng, defects.cosmics_per_spectrum);
    for _ in 0..pixels.cosmics {
        let first = rng.random_range(0..n);
        let ray = match defects.cosmic_shapes {
            CosmicShapes::Simple => Ray::simple(rng),
            CosmicShapes::Real => Ray::real(rng),
        };
        let height = ray.height * scale * noise_free[first];
        for (pixel, share) in (first..n).zip(&ray.shares) {
            let extra = height * share;
            pixels.flux[pixel] += extra;
            pixels.ivar[pixel] = 1.0 / (1.0 / pixels.ivar[pixel] + gain * extra);
            pixels.spoiled[pixel] = true;
        }
    }
}

/// Values up to +-1e5 in the outer pixels, with an inverse variance that does not tell.
fn add_wild_edges<R: Rng + ?Sized>(rng: &mut R, probability: f64, pixels: &mut Pixels) {
    let n = pixels.flux.len();
    if n < 2 * EDGE_PIXELS {
        return;
    }
    for at_end in [false, true] {
        if rng.random::<f64>() >= probability {
            continue;
        }
        let reach = rng.random_range(1..=EDGE_PIXELS);
        let top = 10f64.powf(rng.random_range(3.0..5.0)) * if rng.random() { 1.0 } else { -1.0 };
        for distance in 0..reach {
            let pixel = if at_end { n - 1 - distance } else { distance };
            // Worst in the last pixel, as in the files.
            pixels.flux[pixel] += top * (-5.0 * distance as f64 / reach as f64).exp();
            pixels.spoiled[pixel] = true;
        }
    }
}

/// Pixels with flux and ivar 0; half of them are in PIXMASK too.
fn kill_pixels<R: Rng + ?Sized>(rng: &mut R, mean: f64, pixels: &mut Pixels) {
    let n = pixels.flux.len();
    if n == 0 {
        return;
    }
    for _ in 0..count(rng, mean) {
        let pixel = rng.random_range(0..n);
        pixels.flux[pixel] = 0.0;
        pixels.ivar[pixel] = 0.0;
        pixels.spoiled[pixel] = true;
        pixels.masked[pixel] = rng.random();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn flat(seed: u64, snr: f64, defects: &Defects) -> Pixels {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        observe(
            &mut rng,
            Arm::Red,
            &vec![1.0; 4136],
            500..3500,
            snr,
            defects,
        )
    }

    #[test]
    fn noise_has_the_signal_to_noise_asked_for_and_the_sigma_told() {
        for snr in [5.0, 10.0, 50.0, 200.0] {
            let pixels = flat(1, snr, &Defects::NONE);
            let mean = pixels.flux.iter().sum::<f64>() / 4136.0;
            let rms = (pixels.flux.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / 4135.0).sqrt();
            // The scatter of a standard deviation from 4136 values is 1.1 %.
            assert!(
                (mean / rms / snr - 1.0).abs() < 0.04,
                "{snr} {}",
                mean / rms
            );
            assert!((rms / pixels.sigma[7] - 1.0).abs() < 0.04);
            assert!((measured_snr(&pixels, 500..3500) / snr - 1.0).abs() < 0.02);
            assert!((pixels.ivar[3] * pixels.sigma[3].powi(2) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn inverse_variance_is_off_by_one_factor_per_spectrum() {
        let defects = Defects {
            ivar_error: 0.1,
            ..Defects::NONE
        };
        let ratios: Vec<f64> = (0..300)
            .map(|seed| {
                let p = flat(seed, 30.0, &defects);
                let ratio = p.ivar[0] * p.sigma[0].powi(2);
                assert!((ratio / p.ivar_factor - 1.0).abs() < 1e-12);
                assert!((p.ivar[4000] * p.sigma[4000].powi(2) / ratio - 1.0).abs() < 1e-12);
                ratio.ln()
            })
            .collect();
        let rms = (ratios.iter().map(|r| r * r).sum::<f64>() / 300.0).sqrt();
        assert!((0.085..0.115).contains(&rms), "{rms}");
    }

    #[test]
    fn noise_of_neighbours_is_as_correlated_as_asked_for() {
        for correlation in [0.0, 0.08, 0.5] {
            let defects = Defects {
                noise_correlation: correlation,
                ..Defects::NONE
            };
            let (mut sum, mut squares) = (0.0, 0.0);
            for seed in 0..20 {
                let p = flat(seed, 50.0, &defects);
                let noise = |i: usize| (p.flux[i] - p.scale) / p.sigma[i];
                sum += (1..4135).map(|i| noise(i) * noise(i + 1)).sum::<f64>();
                squares += (1..4135).map(|i| noise(i).powi(2)).sum::<f64>();
            }
            // 80,000 pixels: a scatter of 0.004.
            assert!(
                (sum / squares - correlation).abs() < 0.015,
                "{}",
                sum / squares
            );
            assert!((squares / (20.0 * 4134.0) - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn rays_of_real_shapes_are_wider_than_simple_ones() {
        let longest = |cosmic_shapes| {
            let defects = Defects {
                cosmics_per_spectrum: 3.0,
                cosmic_shapes,
                ..Defects::NONE
            };
            let spectra: Vec<Pixels> = (0..150).map(|seed| flat(seed, 50.0, &defects)).collect();
            let rays = spectra.iter().map(|p| p.cosmics).sum::<usize>();
            assert!((390..510).contains(&rays), "{rays}");
            let runs = spectra
                .iter()
                .flat_map(|p| p.spoiled.chunk_by(|a, b| a == b));
            runs.filter(|run| run[0])
                .map(<[bool]>::len)
                .filter(|n| *n > 3)
                .count()
        };
        // Two simple rays meet now and then.
        assert!(longest(CosmicShapes::Simple) < 5);
        assert!(longest(CosmicShapes::Real) > 25);
    }

    #[test]
    fn inverse_variance_from_counts_follows_the_noise() {
        let defects = Defects {
            ivar_from_counts: true,
            ..Defects::NONE
        };
        let p = flat(4, 10.0, &defects);
        for (flux, ivar) in p.flux.iter().zip(&p.ivar) {
            let counted = VARIANCE_PER_FLUX[Arm::Red as usize] * (flux + BACKGROUND_FLUX);
            assert!((ivar * counted - 1.0).abs() < 1e-9);
        }
        assert!(p.sigma.windows(2).all(|s| s[0] == s[1]));
    }

    #[test]
    fn defects_come_at_their_rates_and_are_told() {
        let defects = Defects::default();
        let (mut rays, mut dead, mut masked, mut wild) = (0, 0, 0, 0);
        for seed in 0..400 {
            let p = flat(seed, 100.0, &defects);
            let level = p.scale;
            rays += (EDGE_PIXELS..4136 - EDGE_PIXELS)
                .filter(|i| p.flux[*i] > 1.1 * level && p.flux[i - 1] < 1.1 * level)
                .count();
            dead += p.ivar.iter().filter(|i| **i == 0.0).count();
            masked += p.masked.iter().filter(|m| **m).count();
            wild += usize::from(p.spoiled[0]);
            for i in 0..4136 {
                if !p.spoiled[i] {
                    assert!((p.flux[i] - level).abs() < 0.1 * level, "{i} {}", p.flux[i]);
                }
            }
        }
        // 400 spectra: 1600 rays, of which some overlap, fall short of the threshold or hit the edges.
        assert!((1400..1650).contains(&rays), "{rays}");
        assert!((700..900).contains(&dead), "{dead}");
        assert!((330..470).contains(&masked), "{masked}");
        assert!((95..150).contains(&wild), "{wild}");
    }
}
