//! How strong the water lines are in each exposure, from many stars that were observed in it.
//!
//! A star's exposures are its own spectrum m times 1 - s T, with T moved by the Earth's velocity. The own spectrum is not
//! known; it is the same in all exposures, and it is taken to be a random pattern with the scatter that the star's mean spectrum
//! has. Marginalising over it leaves a small linear system for the strengths s of the exposures. What this says about
//! differences between exposures comes from differences of the same star's spectra, in which the star's own lines cancel. What it
//! says about the common level of the strengths comes from the shape of the spectra, and each star errs there by its own lines.
//! The systems of all stars are added.
//!
//! The equations and what they give are in docs/method.md, section 13. The limits below were chosen by hand.

use super::star::StarSystem;

/// A strength of less than so many of its errors is taken for none, and one not far above is drawn towards 0.
const NO_WATER_SIGMA: f64 = 3.0;

/// Standard deviation of the strengths before anything is known, in units of 10 mm of water: 100 mm.
const PRIOR_SIGMA: f64 = 10.0;

/// Strength of the water lines in one exposure, in units of 10 mm of water.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// Local Modified Julian Minute of the exposure.
    pub lmjm: i64,
    /// As measured; its errors make it negative at times.
    pub value: f64,
    /// Standard error of `value`.
    pub error: f64,
}

impl Strength {
    /// What is to be divided out: drawn towards 0 where the error is not small, so that spectra without water keep their noise and get no other.
    pub fn shrunk(&self) -> f64 {
        let threshold = NO_WATER_SIGMA * self.error;
        if self.value > threshold {
            self.value * (1.0 - (threshold / self.value).powi(4))
        } else {
            0.0
        }
    }
}

/// Strengths of all exposures that the stars have, by time, from all stars together.
#[cfg(test)]
pub fn solve(stars: &[StarSystem]) -> Vec<Strength> {
    solve_and_weigh(stars).0
}

/// Strengths, and by how much the errors of each star are larger than its noise says.
pub fn solve_and_weigh(stars: &[StarSystem]) -> (Vec<Strength>, Vec<f64>) {
    let mut lmjm: Vec<i64> = stars.iter().flat_map(|s| &s.lmjm).copied().collect();
    lmjm.sort_unstable();
    lmjm.dedup();
    let places: Vec<Vec<usize>> = stars
        .iter()
        .map(|s| {
            s.lmjm
                .iter()
                .map(|t| lmjm.partition_point(|x| x < t))
                .collect()
        })
        .collect();
    let n = lmjm.len();
    let mut values = vec![0.0; n];
    let mut errors = vec![f64::INFINITY; n];
    let mut inflation = vec![1.0; stars.len()];
    // The first solution shows which stars the model describes badly. In the second and third their errors are larger, so that they
    // have less weight.
    for _ in 0..3 {
        let (mut matrix, mut vector) = (vec![0.0; n * n], vec![0.0; n]);
        for ((star, place), inflation) in stars.iter().zip(&places).zip(&inflation) {
            let m = place.len();
            for i in 0..m {
                vector[place[i]] += star.vector[i] / inflation;
                for j in 0..m {
                    matrix[place[i] * n + place[j]] += star.matrix[i * m + j] / inflation;
                }
            }
        }
        for i in 0..n {
            matrix[i * n + i] += 1.0 / (PRIOR_SIGMA * PRIOR_SIGMA);
        }
        let Some(inverse) = inverse(matrix, n) else {
            return (Vec::new(), inflation);
        };
        let times = |x: &[f64]| -> Vec<f64> {
            let row = |i: usize| inverse[i * n..(i + 1) * n].iter().zip(x);
            (0..n).map(|i| row(i).map(|(a, x)| a * x).sum()).collect()
        };
        values = times(&vector);
        // How well the stars agree is told by how far each of them alone would move the solution.
        let mut moved = vec![0.0; n];
        for ((star, place), inflation) in stars.iter().zip(&places).zip(&mut inflation) {
            let own: Vec<f64> = place.iter().map(|&p| values[p]).collect();
            let m = place.len();
            let mut pull = vec![0.0; n];
            for i in 0..m {
                let row = &star.matrix[i * m..(i + 1) * m];
                let product: f64 = row.iter().zip(&own).map(|(a, s)| a * s).sum();
                pull[place[i]] += (star.vector[i] - product) / *inflation;
            }
            for (moved, by) in moved.iter_mut().zip(times(&pull)) {
                *moved += by * by;
            }
            *inflation = star.inflation(&own);
        }
        let few = stars.len() as f64 / (stars.len() as f64 - 1.0).max(1.0);
        for i in 0..n {
            errors[i] = inverse[i * n + i].max(few * moved[i]).sqrt();
        }
    }
    let strengths = lmjm.into_iter().zip(values).zip(errors);
    let strengths = strengths.map(|((lmjm, value), error)| Strength { lmjm, value, error });
    (strengths.collect(), inflation)
}

/// Inverse of a positive definite matrix by Cholesky's factors.
fn inverse(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for j in 0..n {
        for k in 0..j {
            for i in j..n {
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            }
        }
        let pivot = a[j * n + j];
        if !(pivot.is_finite() && pivot > 0.0) {
            return None;
        }
        let root = pivot.sqrt();
        for i in j..n {
            a[i * n + j] /= root;
        }
    }
    let mut inverse = vec![0.0; n * n];
    let mut x = vec![0.0; n];
    for column in 0..n {
        for i in 0..n {
            let sum: f64 = (0..i).map(|k| a[i * n + k] * x[k]).sum();
            x[i] = (f64::from(u8::from(i == column)) - sum) / a[i * n + i];
        }
        for i in (0..n).rev() {
            let sum: f64 = (i + 1..n)
                .map(|k| a[k * n + i] * inverse[k * n + column])
                .sum();
            inverse[i * n + column] = (x[i] - sum) / a[i * n + i];
        }
    }
    Some(inverse)
}
