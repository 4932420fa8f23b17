//! Wavelengths of the pixels: a polynomial per exposure takes the float32 rounding out.
//!
//! LOGLAM is stored in steps of 0.165 km/s. Before that rounding each exposure's dispersion is a polynomial of
//! degree 7 in pixel number: fitting one leaves the rounding itself, 0.048 km/s rms (measured on public DR7 files).

use std::f64::consts::LN_10;

use crate::C_KM_S;
use crate::io::raw::StoredWave;

/// Degree of the dispersion polynomial; degree 5 is wrong by 1 km/s, 6 and 7 agree with the rounding.
pub const DEGREE: usize = 7;

/// Residuals above this (km/s rms) mean that the stored wavelengths are not such a polynomial, and are used as they are.
/// The float32 rounding leaves 0.048.
pub const MAX_RESIDUAL_KM_S: f64 = 0.5;

const N_BASIS: usize = DEGREE + 1;

/// Wavelengths of one exposure.
#[derive(Clone, Debug)]
pub struct Dispersion {
    /// ln(wavelength / A) of each pixel, ascending.
    pub ln_wave: Vec<f64>,
    /// Residual of the stored wavelengths about the fit, km/s rms.
    pub residual_km_s: f64,
    /// The residual was too large: `ln_wave` holds the stored values, not the fit.
    pub as_stored: bool,
}

/// Fits dispersions; keeps the orthonormal polynomials of the last number of pixels.
#[derive(Debug, Default)]
pub struct DispersionFitter {
    /// `basis[k][i]`: polynomial k at pixel i, orthonormal over the pixels.
    basis: [Vec<f64>; N_BASIS],
    stored: Vec<f64>,
    /// `stored` less its middle value.
    relative: Vec<f64>,
}

impl DispersionFitter {
    /// Fits the wavelengths of one exposure.
    pub fn fit(&mut self, wave: &StoredWave) -> Dispersion {
        self.stored.clear();
        match wave {
            StoredWave::Log10(log10) => self
                .stored
                .extend(log10.iter().map(|&l| f64::from(l) * LN_10)),
            StoredWave::Linear(wave_aa) => self.stored.extend(wave_aa.iter().map(|w| w.ln())),
        }
        let n = self.stored.len();
        if n < 4 * N_BASIS {
            return Dispersion {
                ln_wave: self.stored.clone(),
                residual_km_s: f64::NAN,
                as_stored: true,
            };
        }
        if self.basis[0].len() != n {
            self.basis = orthonormal_polynomials(n);
        }
        // Relative to the middle pixel the numbers are small and the sums exact to 1e-18.
        let origin = self.stored[n / 2];
        self.relative.clear();
        self.relative.extend(self.stored.iter().map(|s| s - origin));
        let coefficients: [f64; N_BASIS] =
            std::array::from_fn(|k| dot(&self.basis[k], &self.relative));
        let mut ln_wave = vec![origin; n];
        for (basis, c) in self.basis.iter().zip(coefficients) {
            for (l, p) in ln_wave.iter_mut().zip(basis) {
                *l += c * p;
            }
        }
        self.relative.clear();
        self.relative
            .extend(ln_wave.iter().zip(&self.stored).map(|(l, s)| l - s));
        let square = dot(&self.relative, &self.relative);
        let residual_km_s = C_KM_S * (square / n as f64).sqrt();
        let ascending = ln_wave.windows(2).all(|w| w[1] > w[0]);
        if residual_km_s <= MAX_RESIDUAL_KM_S && ascending {
            Dispersion {
                ln_wave,
                residual_km_s,
                as_stored: false,
            }
        } else {
            Dispersion {
                ln_wave: self.stored.clone(),
                residual_km_s,
                as_stored: true,
            }
        }
    }
}

/// Sum of products, in eight sums that the processor can add side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a8.iter().zip(b8) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Polynomials of degree 0..=7 orthonormal on `n` equidistant points (three-term recurrence of Stieltjes).
fn orthonormal_polynomials(n: usize) -> [Vec<f64>; N_BASIS] {
    let x: Vec<f64> = (0..n)
        .map(|i| 2.0 * i as f64 / (n - 1) as f64 - 1.0)
        .collect();
    let mut basis: [Vec<f64>; N_BASIS] = Default::default();
    basis[0] = vec![1.0 / (n as f64).sqrt(); n];
    for k in 1..N_BASIS {
        let mut next: Vec<f64> = x.iter().zip(&basis[k - 1]).map(|(x, p)| x * p).collect();
        // Twice is enough (Kahan): the result is orthogonal to rounding.
        for _ in 0..2 {
            for lower in &basis[..k] {
                let dot: f64 = lower.iter().zip(&next).map(|(a, b)| a * b).sum();
                for (b, a) in next.iter_mut().zip(lower) {
                    *b -= dot * a;
                }
            }
        }
        let norm = next.iter().map(|v| v * v).sum::<f64>().sqrt();
        for v in &mut next {
            *v /= norm;
        }
        basis[k] = next;
    }
    basis
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Like a blue arm: 4136 pixels from 4898 to 5390 A, not uniform in ln(wavelength).
    fn true_ln_wave(i: usize, n: usize) -> f64 {
        let x = 2.0 * i as f64 / (n - 1) as f64 - 1.0;
        8.544 + 0.0478 * x - 1.2e-3 * x * x - 3.0e-4 * x.powi(3)
            + 2.0e-5 * x.powi(5)
            + 3.0e-6 * x.powi(7)
    }

    #[test]
    fn rounding_of_loglam_is_taken_out() {
        let n = 4136;
        let log10: Vec<f32> = (0..n)
            .map(|i| (true_ln_wave(i, n) / LN_10) as f32)
            .collect();
        let fit = DispersionFitter::default().fit(&StoredWave::Log10(log10));
        assert!(!fit.as_stored);
        assert!(
            (fit.residual_km_s - 0.048).abs() < 0.004,
            "{}",
            fit.residual_km_s
        );
        let worst = (0..n)
            .map(|i| C_KM_S * (fit.ln_wave[i] - true_ln_wave(i, n)).abs())
            .fold(0.0, f64::max);
        assert!(worst < 0.012, "{worst} km/s");
    }

    #[test]
    fn wavelengths_that_are_no_polynomial_are_used_as_stored() {
        let wave: Vec<f64> = (0..4000)
            .map(|i| 5000.0 + 0.1 * i as f64 + 0.05 * (i as f64 / 40.0).sin())
            .collect();
        let fit = DispersionFitter::default().fit(&StoredWave::Linear(wave.clone()));
        assert!(fit.as_stored && fit.residual_km_s > MAX_RESIDUAL_KM_S);
        assert_eq!(fit.ln_wave[17], wave[17].ln());
    }
}
