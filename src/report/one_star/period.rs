//! The sinusoid of a known period that fits the velocities of two arms, each with a mean of its own.

/// velocity = mean of the arm + a sin(2 pi phase) + b cos(2 pi phase).
#[derive(Clone, Copy, Debug)]
pub struct Sinusoid {
    /// Means of the red and the blue arm, km/s; 0 for one without velocities.
    pub mean_km_s: [f64; 2],
    sine_km_s: f64,
    cosine_km_s: f64,
}

/// Numbers that are solved for.
const N: usize = 4;

impl Sinusoid {
    /// Least squares of (phase, velocity, error, arm); none where these say nothing of a sinusoid.
    pub fn fit(velocities: impl Iterator<Item = (f64, f64, f64, usize)>) -> Option<Self> {
        let mut normal = [[0.0; N + 1]; N];
        for (phase, rv_km_s, err_km_s, arm) in velocities {
            let weight = 1.0 / (err_km_s * err_km_s);
            if !(weight.is_finite() && weight > 0.0 && rv_km_s.is_finite() && arm < 2) {
                continue;
            }
            let (sine, cosine) = (std::f64::consts::TAU * phase).sin_cos();
            let mut row = [sine, cosine, 0.0, 0.0, rv_km_s];
            row[2 + arm] = 1.0;
            for (i, line) in normal.iter_mut().enumerate() {
                for (cell, x) in line.iter_mut().zip(row) {
                    *cell += weight * row[i] * x;
                }
            }
        }
        // An arm without a velocity has the mean 0.
        for (i, line) in normal.iter_mut().enumerate().skip(2) {
            if line[i] == 0.0 {
                line[i] = 1.0;
            }
        }
        let x = solve(normal)?;
        Some(Sinusoid {
            sine_km_s: x[0],
            cosine_km_s: x[1],
            mean_km_s: [x[2], x[3]],
        })
    }

    /// Its value about the mean, km/s.
    pub fn at(&self, phase: f64) -> f64 {
        let (sine, cosine) = (std::f64::consts::TAU * phase).sin_cos();
        self.sine_km_s * sine + self.cosine_km_s * cosine
    }

    /// Half its range, km/s.
    pub fn amplitude_km_s(&self) -> f64 {
        self.sine_km_s.hypot(self.cosine_km_s)
    }
}

/// Gauss's elimination with the largest pivots; none where the equations are not independent.
fn solve(mut m: [[f64; N + 1]; N]) -> Option<[f64; N]> {
    let scale = m.iter().flatten().fold(0.0_f64, |a, b| a.max(b.abs()));
    for i in 0..N {
        let pivot = (i..N).max_by(|a, b| m[*a][i].abs().total_cmp(&m[*b][i].abs()))?;
        m.swap(i, pivot);
        if m[i][i].abs().partial_cmp(&(1e-12 * scale))? != std::cmp::Ordering::Greater {
            return None;
        }
        for k in (0..N).filter(|k| *k != i) {
            let factor = m[k][i] / m[i][i];
            let line = m[i];
            for (cell, x) in m[k].iter_mut().zip(line) {
                *cell -= factor * x;
            }
        }
    }
    let mut out = [0.0; N];
    for (i, x) in out.iter_mut().enumerate() {
        *x = m[i][N] / m[i][i];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sinusoid_is_found_again() {
        let of = |arm: usize, mean: f64| {
            (0..20).map(move |i| {
                let phase = 0.37 * f64::from(i);
                let rv = mean + 20.0 * (std::f64::consts::TAU * phase + 1.0).sin();
                (phase, rv, 0.3 + 0.1 * f64::from(i % 3), arm)
            })
        };
        let fit = Sinusoid::fit(of(0, 3.0).chain(of(1, -7.0))).unwrap();
        assert!((fit.amplitude_km_s() - 20.0).abs() < 1e-9);
        assert!((fit.mean_km_s[0] - 3.0).abs() < 1e-9 && (fit.mean_km_s[1] + 7.0).abs() < 1e-9);
        assert!((fit.at(0.25) - 20.0 * (std::f64::consts::TAU * 0.25 + 1.0).sin()).abs() < 1e-9);
        let one = Sinusoid::fit(of(1, -7.0)).unwrap();
        assert!((one.mean_km_s[1] + 7.0).abs() < 1e-9 && one.mean_km_s[0] == 0.0);
        assert!(Sinusoid::fit(of(0, 1.0).take(2)).is_none());
        assert!(Sinusoid::fit([(0.1, f64::NAN, 1.0, 0), (0.2, 1.0, 0.0, 0)].into_iter()).is_none());
    }
}
