//! Stars in front of a flat field whose ripple stands still.

use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::measure::still;

/// White noise smoothed over some 50 km/s, of the rms of a sine of 0.8 %: what a flat field leaves.
fn ripple(seed: u64, n: usize) -> Vec<f64> {
    const SIGMA_PIXELS: f64 = 8.0;
    const RMS: f64 = 0.0057;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let kernel: Vec<f64> = (-30..=30)
        .map(|k| (-0.5 * (f64::from(k) / SIGMA_PIXELS).powi(2)).exp())
        .collect();
    let norm = kernel.iter().map(|k| k * k).sum::<f64>().sqrt() / RMS;
    let n_white = n + kernel.len() - 1;
    let white: Vec<f64> = (0..n_white)
        .map(|_| StandardNormal.sample(&mut rng))
        .collect();
    let smooth = |w: &[f64]| w.iter().zip(&kernel).map(|(w, k)| w * k).sum::<f64>() / norm;
    white.windows(kernel.len()).map(smooth).collect()
}

/// Velocities that eight exposures are made with, km/s.
const RV_KM_S: [f64; 8] = [0.0, 17.0, -32.0, 25.0, 9.0, -14.0, 38.0, -25.0];

/// A star of this temperature in front of the ripple of this seed.
fn rippled(seed: u64, teff_k: f64) -> FirstPass {
    let mut all = exposures_of_snr(120.0, &[teff_k; 8], &RV_KM_S);
    for exposure in &mut all {
        let still = ripple(seed, exposure.flux.len());
        let pixels = exposure.flux.iter_mut().zip(still);
        pixels.for_each(|(flux, still)| *flux *= 1.0 + still);
    }
    measured(first_pass(&config(), all))
}

/// Rms of velocities of a star of this temperature about their mean, over their errors, where a ripple stands still; and how many have a
/// flag.
fn pull_under_ripple(teff_k: f64) -> (f64, usize) {
    let (mut pulls, mut n_flagged) = (Vec::new(), 0);
    for seed in 0..12 {
        let star = rippled(seed, teff_k);
        let found: Vec<(f64, f64)> = star
            .measurements
            .iter()
            .zip(RV_KM_S)
            .map(|(m, rv_km_s)| (m.rv_km_s - rv_km_s, m.rv_err_own_km_s.powi(-2)))
            .collect();
        let weights: f64 = found.iter().map(|(_, w)| w).sum();
        let mean = found.iter().map(|(off, w)| off * w).sum::<f64>() / weights;
        let pull = |(off, w): &(f64, f64)| (off - mean).powi(2) * w / (1.0 - w / weights);
        pulls.extend(found.iter().map(pull));
        n_flagged += star
            .measurements
            .iter()
            .filter(|m| !m.flags.is_empty())
            .count();
    }
    (
        (pulls.iter().sum::<f64>() / pulls.len() as f64).sqrt(),
        n_flagged,
    )
}

#[test]
fn a_ripple_moves_hot_stars_by_little_more_than_their_errors() {
    let (solar, n_flagged) = pull_under_ripple(5800.0);
    assert!((0.75..1.15).contains(&solar) && n_flagged == 0, "{solar}");
    let rms = |stars: &[(f64, usize)]| {
        let square: f64 = stars.iter().map(|(pull, _)| pull * pull).sum();
        (square / stars.len() as f64).sqrt()
    };
    // Helium and metal lines leave these more slope than what counts as flat.
    let hot = [10_500.0, 12_000.0, 20_000.0].map(pull_under_ripple);
    assert!((0.8..1.75).contains(&rms(&hot)), "{hot:?}");
    let flat = [14_000.0, 16_000.0].map(pull_under_ripple);
    assert!((0.75..1.3).contains(&rms(&flat)), "{flat:?}");
    let n_flagged: usize = hot.iter().chain(&flat).map(|(_, n)| n).sum();
    assert!(n_flagged < 5 * 96 / 4, "{hot:?} {flat:?}");
    println!("{solar} {hot:?} {flat:?}");
}

/// The detector stands still and the star moves: it is held back, and by as much as [`still`] expects.
#[test]
fn a_ripple_holds_velocities_back_by_its_part_of_the_slope() {
    // Of a curve of 0.57 % rms, white noise smoothed over 8 pixels.
    let ripple = 0.0057_f64.powi(2) / 2.0 / (8.0 * 6.6_f64).powi(2);
    for teff_k in [10_500.0, 20_000.0] {
        let (mut product, mut square) = (0.0, 0.0);
        // Where the exposures look as if the star changed there is no coadd.
        let stars = (0..12).map(|seed| rippled(seed, teff_k));
        let stars: Vec<FirstPass> = stars.filter(|star| star.n_reference > 1).collect();
        assert!(stars.len() > 8, "{teff_k} {}", stars.len());
        for star in stars {
            let rv = |i: usize| star.measurements[i].rv_km_s;
            let held = |i: usize| {
                let from = (0..8).map(|j| still::drawn(rv(j) - rv(i))).sum::<f64>() / 8.0;
                from * still::part(ripple / star.slope2[i])
            };
            for (i, rv_km_s) in RV_KM_S.iter().enumerate() {
                let (expected, found) = (held(i) - held(star.best), rv(i) - rv_km_s);
                product += expected * (found - (rv(star.best) - RV_KM_S[star.best]));
                square += expected * expected;
            }
        }
        let ratio = product / square;
        println!("{teff_k} {ratio}");
        assert!((0.6..1.5).contains(&ratio), "{teff_k} {ratio}");
    }
}
