//! Wavelengths of the pixels: a polynomial per exposure takes the float32 rounding out.
//!
//! LOGLAM is stored in steps of 0.165 km/s. Before that rounding each exposure's dispersion is a polynomial of
//! degree 7 in pixel number: fitting one leaves the rounding itself, 0.048 km/s rms (measured on public DR7 files).

use std::f64::consts::LN_10;

use multiversion::multiversion;

use super::pixels::StoredWave;
use crate::C_KM_S;

/// Degree of the dispersion polynomial; degree 5 is wrong by 1 km/s, 6 and 7 agree with the rounding.
pub const DEGREE: usize = 7;

/// Residuals above this (km/s rms) mean that the stored wavelengths are not such a polynomial, and are used as they are.
/// The float32 rounding leaves 0.048.
pub const MAX_RESIDUAL_KM_S: f64 = 0.5;

const N_BASIS: usize = DEGREE + 1;

/// Wavelengths of one exposure.
#[derive(Clone, Copy, Debug)]
pub struct Dispersion<'a> {
    /// ln(wavelength / A) of each pixel, ascending.
    pub ln_wave: &'a [f64],
    /// Residual of the stored wavelengths about the fit, km/s rms.
    #[cfg(test)]
    pub residual_km_s: f64,
    /// A polynomial was asked for, and its residual was too large: `ln_wave` holds the stored values, not the fit.
    pub as_stored: bool,
}

/// Pixels that are summed side by side.
const LANES: usize = 4;

/// All polynomials at `LANES` pixels.
type Block = [[f64; LANES]; N_BASIS];

/// Fits dispersions; keeps the orthonormal polynomials of the last number of pixels.
#[derive(Debug, Default)]
pub struct DispersionFitter {
    /// Polynomials orthonormal over `n_pixel` pixels; 0 beyond them.
    basis: Vec<Block>,
    n_pixel: usize,
    /// ln(wavelength / A) as stored, filled up to whole blocks with that of the middle pixel.
    stored: Vec<f64>,
    /// The same less that of the middle pixel.
    relative: Vec<f64>,
    fitted: Vec<f64>,
}

impl DispersionFitter {
    /// The wavelengths of one exposure as they are.
    pub fn exact(&mut self, wave: &StoredWave) -> Dispersion<'_> {
        self.take(wave);
        Dispersion {
            ln_wave: &self.stored,
            #[cfg(test)]
            residual_km_s: 0.0,
            as_stored: false,
        }
    }

    fn take(&mut self, wave: &StoredWave) {
        self.stored.clear();
        match wave {
            StoredWave::Log10(log10) => to_ln(log10, &mut self.stored),
            StoredWave::Linear(wave_aa) => self.stored.extend(wave_aa.iter().map(|w| w.ln())),
        }
    }

    /// Fits the wavelengths of one exposure.
    pub fn fit(&mut self, wave: &StoredWave) -> Dispersion<'_> {
        self.take(wave);
        let n = self.stored.len();
        if n < 4 * N_BASIS {
            return Dispersion {
                ln_wave: &self.stored,
                #[cfg(test)]
                residual_km_s: f64::NAN,
                as_stored: true,
            };
        }
        if self.n_pixel != n {
            self.basis = in_blocks(&orthonormal_polynomials(n));
            self.n_pixel = n;
        }
        // Relative to the middle pixel the numbers are small and the sums exact to 1e-18.
        let origin = self.stored[n / 2];
        self.stored.resize(self.basis.len() * LANES, origin);
        self.relative.clear();
        self.relative.extend(self.stored.iter().map(|s| s - origin));
        self.fitted.resize(self.stored.len(), 0.0);
        let square = fit_blocks(&self.basis, &self.relative, &mut self.fitted);
        let residual_km_s = C_KM_S * (square / n as f64).sqrt();
        for l in &mut self.fitted {
            *l += origin;
        }
        // Without an early exit the comparison vectorises.
        let pairs = self.fitted[..n].windows(2);
        let ascending = pairs.fold(true, |all, w| all & (w[1] > w[0]));
        let as_stored = !(residual_km_s <= MAX_RESIDUAL_KM_S && ascending);
        let ln_wave = if as_stored {
            &self.stored
        } else {
            &self.fitted
        };
        Dispersion {
            ln_wave: &ln_wave[..n],
            #[cfg(test)]
            residual_km_s,
            as_stored,
        }
    }
}

#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn to_ln(log10: &[f32], ln: &mut Vec<f64>) {
    ln.resize(log10.len(), 0.0);
    for (ln, log10) in ln.iter_mut().zip(log10) {
        *ln = f64::from(*log10) * LN_10;
    }
}

/// Projects `values` on the polynomials, into `fitted`; the sum of the squared residuals.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn fit_blocks(basis: &[Block], values: &[f64], fitted: &mut [f64]) -> f64 {
    let values = values.as_chunks::<LANES>().0;
    let mut sums = [[0.0; LANES]; N_BASIS];
    for (block, values) in basis.iter().zip(values) {
        for (sums, p) in sums.iter_mut().zip(block) {
            for i in 0..LANES {
                sums[i] += p[i] * values[i];
            }
        }
    }
    let coefficients = sums.map(|lanes| lanes.iter().sum::<f64>());
    let mut square = [0.0; LANES];
    let fitted = fitted.as_chunks_mut::<LANES>().0;
    for ((block, values), fitted) in basis.iter().zip(values).zip(fitted) {
        let mut sum = [0.0; LANES];
        for (p, c) in block.iter().zip(coefficients) {
            for i in 0..LANES {
                sum[i] += c * p[i];
            }
        }
        for i in 0..LANES {
            square[i] += (sum[i] - values[i]) * (sum[i] - values[i]);
        }
        *fitted = sum;
    }
    square.iter().sum()
}

fn in_blocks(basis: &[Vec<f64>; N_BASIS]) -> Vec<Block> {
    let n = basis[0].len();
    let at = |k: usize, i: usize| basis[k].get(i).copied().unwrap_or_default();
    (0..n.div_ceil(LANES))
        .map(|b| std::array::from_fn(|k| std::array::from_fn(|i| at(k, b * LANES + i))))
        .collect()
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
        // Also of numbers of pixels that fill no block, one after the other.
        let mut fitter = DispersionFitter::default();
        for n in [4136, 4133, 4135] {
            let log10: Vec<f32> = (0..n)
                .map(|i| (true_ln_wave(i, n) / LN_10) as f32)
                .collect();
            let fit = fitter.fit(&StoredWave::Log10(log10));
            assert!(!fit.as_stored && fit.ln_wave.len() == n);
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
    }

    #[test]
    fn wavelengths_that_are_no_polynomial_are_used_as_stored() {
        let wave: Vec<f64> = (0..4000)
            .map(|i| 5000.0 + 0.1 * i as f64 + 0.05 * (i as f64 / 40.0).sin())
            .collect();
        let mut fitter = DispersionFitter::default();
        let fit = fitter.fit(&StoredWave::Linear(wave.clone()));
        assert!(fit.as_stored && fit.residual_km_s > MAX_RESIDUAL_KM_S);
        assert_eq!(fit.ln_wave[17], wave[17].ln());
    }
}
