//! Small normalised spectra for the tests of this module: lines of FWHM 6 pixels, white noise, no files.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::reference::Reference;
use crate::spectrum::Normalized;
use crate::{Arm, C_KM_S};

/// Depth and place (A) of some lines in the blue window.
const LINES: [(f64, f64); 12] = [
    (0.6, 5018.9),
    (0.3, 5041.2),
    (0.45, 5079.5),
    (0.2, 5107.6),
    (0.35, 5137.1),
    (0.7, 5168.8),
    (0.65, 5174.1),
    (0.6, 5185.0),
    (0.4, 5207.8),
    (0.25, 5228.3),
    (0.5, 5271.0),
    (0.3, 5284.8),
];

/// A blue exposure at `shift_km_s` with this SNR per pixel; every `seed` has other noise and a grid moved by part of a pixel.
pub fn exposure(shift_km_s: f64, snr: f64, seed: u64) -> Normalized {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let n = 3200;
    let start = 4985f64.ln() + 2e-5 * (seed % 7) as f64 / 7.0;
    let ln_wave: Vec<f64> = (0..n)
        .map(|i| start + 2.2e-5 * f64::from(i) + 2e-10 * f64::from(i * i))
        .collect();
    let flux = ln_wave
        .iter()
        .map(|l| {
            let dip: f64 = LINES
                .iter()
                .map(|(depth, wave_aa)| {
                    let u = C_KM_S * (l - wave_aa.ln()) - shift_km_s;
                    depth * (-0.5 * (u / 17.0).powi(2)).exp()
                })
                .sum();
            let noise: f64 = StandardNormal.sample(&mut rng);
            1.0 - dip.min(0.95) + noise / snr
        })
        .collect();
    let mut ivar = vec![snr * snr; n as usize];
    for k in 0..6 {
        let at = (seed as usize * 131 + k * 500) % 3000 + 100;
        ivar[at..at + 5].fill(0.0);
    }
    Normalized {
        band: Arm::Blue.band(),
        ln_wave,
        flux,
        ivar,
        snr,
        wave_as_stored: false,
        helio_rv_km_s: None,
    }
}

/// The reference made of exposure 0 at rest.
pub fn reference(snr: f64) -> Reference {
    Reference::new(&exposure(0.0, snr, 0), 3).expect("good pixels")
}
