//! The wavelength of each pixel.

use crate::{Arm, C_KM_S};

/// Pixels of an exposure.
pub const N_PIXELS: usize = 4136;

/// log10(lambda / A) against (pixel - 2068) / 2068, pixels counted as the file stores them (the red arm in descending
/// wavelength). Measured on public DR7 files: degree-7 fits to B-84454719 and R-84454719 of
/// med-58649-TD193637N444141K01_sp10-159, which leave 0.048 km/s rms, the rounding of LOGLAM.
const LOG10_WAVE: [[f64; 8]; 2] = [
    [
        3.712930290296,
        2.086232765073e-2,
        -1.491525265973e-3,
        -2.710972607437e-4,
        6.590838448405e-5,
        2.286217271151e-5,
        -1.653265038246e-5,
        -7.012298018030e-8,
    ],
    [
        3.818035601347,
        -1.934193806978e-2,
        -1.472025727589e-3,
        2.216577280660e-4,
        4.643548659738e-5,
        1.230174250735e-5,
        -2.096462011556e-5,
        -1.561401568590e-7,
    ],
];

/// How an exposure's pixels differ from the ones measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GridShift {
    /// Shift of the spectrum along the detector, pixels (fibres and nights differ by several).
    pub pixels: f64,
    /// Heliocentric correction that multiplies the wavelengths by 1 + v/c, km/s.
    pub heliocentric_km_s: f64,
}

/// log10(lambda / A), vacuum, of the [`N_PIXELS`] pixels in ascending wavelength, exact (not yet rounded to `LOGLAM`).
pub fn log10_wave(arm: Arm, shift: &GridShift) -> Vec<f64> {
    let coefficients = &LOG10_WAVE[arm as usize];
    let half = N_PIXELS as f64 / 2.0;
    let helio = (shift.heliocentric_km_s / C_KM_S).ln_1p() / std::f64::consts::LN_10;
    let at = |pixel: usize| {
        let x = (pixel as f64 + shift.pixels - half) / half;
        helio + coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
    };
    match arm {
        Arm::Blue => (0..N_PIXELS).map(at).collect(),
        Arm::Red => (0..N_PIXELS).rev().map(at).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_those_of_the_real_files() {
        for (arm, first, last) in [(Arm::Blue, 4907.66, 5396.27), (Arm::Red, 6273.23, 6850.10)] {
            let log = log10_wave(arm, &GridShift::default());
            assert_eq!(log.len(), N_PIXELS);
            assert!((10f64.powf(log[0]) - first).abs() < 0.01);
            assert!((10f64.powf(log[N_PIXELS - 1]) - last).abs() < 0.01);
            let steps: Vec<f64> = log
                .windows(2)
                .map(|w| 10f64.powf(w[1]) - 10f64.powf(w[0]))
                .collect();
            assert!(steps.iter().all(|s| (0.095..0.16).contains(s)), "{arm}");
            // Still ascending after the rounding to float32.
            assert!(log.windows(2).all(|w| (w[1] as f32) > (w[0] as f32)));
        }
    }

    #[test]
    fn heliocentric_correction_scales_the_wavelengths() {
        let still = log10_wave(Arm::Red, &GridShift::default());
        let moved = log10_wave(
            Arm::Red,
            &GridShift {
                pixels: 0.0,
                heliocentric_km_s: 20.0,
            },
        );
        for (a, b) in still.iter().zip(&moved) {
            let ratio = 10f64.powf(b - a);
            assert!((ratio - 1.0 - 20.0 / C_KM_S).abs() < 1e-12);
        }
    }
}
