//! Smoothing cubic spline, by the banded solver of Reinsch (1967), in the convention of csaps and de Boor:
//! minimise p sum w (y - f)^2 + (1 - p) integral f''^2. O(n).

/// Fits smoothing splines; its vectors are reused between calls.
#[derive(Debug, Default)]
pub struct SmoothingSpline {
    x: Vec<f64>,
    /// Smoothed values at `x`.
    value: Vec<f64>,
    /// Second derivatives at `x`, 0 at both ends.
    second: Vec<f64>,
    inverse_weight: Vec<f64>,
    h: Vec<f64>,
    inverse_h: Vec<f64>,
    /// L D L^T of the pentadiagonal system: row i holds 1/d_i, L(i+1,i), L(i+2,i).
    factor: Vec<[f64; 3]>,
}

impl SmoothingSpline {
    /// Fits points (x, y, weight) with `x` strictly ascending and positive weights, for `p` in 0..1. False when there are
    /// fewer than 4 points.
    pub fn fit(&mut self, points: impl Iterator<Item = (f64, f64, f64)>, p: f64) -> bool {
        self.x.clear();
        self.value.clear();
        self.inverse_weight.clear();
        for (x, y, weight) in points {
            self.x.push(x);
            self.value.push(y);
            self.inverse_weight.push(1.0 / weight);
        }
        let n = self.x.len();
        if n < 4 {
            return false;
        }
        self.h.clear();
        self.h.extend(self.x.windows(2).map(|w| w[1] - w[0]));
        self.inverse_h.clear();
        self.inverse_h.extend(self.h.iter().map(|h| 1.0 / h));
        self.second.clear();
        self.second.resize(n, 0.0);
        self.factorize(p);
        self.solve(p);
        true
    }

    /// The matrix 6 (1 - p) Q^T W^-1 Q + p R, factorised as it is built.
    fn factorize(&mut self, p: f64) {
        let m = self.x.len() - 2;
        let smooth = 6.0 * (1.0 - p);
        let (h, g, v) = (&self.h, &self.inverse_h, &self.inverse_weight);
        self.factor.clear();
        // Elimination carries the updates that row i owes to rows i+1 and i+2.
        let (mut diagonal_1, mut off_1, mut diagonal_2) = (0.0, 0.0, 0.0);
        for i in 0..m {
            let centre = g[i] + g[i + 1];
            let diagonal = smooth
                * (v[i] * g[i] * g[i]
                    + v[i + 1] * centre * centre
                    + v[i + 2] * g[i + 1] * g[i + 1])
                + 2.0 * p * (h[i] + h[i + 1]);
            let mut off = 0.0;
            let mut far = 0.0;
            if i + 1 < m {
                let next_centre = g[i + 1] + g[i + 2];
                off = -smooth * g[i + 1] * (v[i + 1] * centre + v[i + 2] * next_centre)
                    + p * h[i + 1];
            }
            if i + 2 < m {
                far = smooth * v[i + 2] * g[i + 1] * g[i + 2];
            }
            let d = diagonal - diagonal_1;
            let off = off - off_1;
            let inverse = 1.0 / d;
            let l1 = off * inverse;
            let l2 = far * inverse;
            self.factor.push([inverse, l1, l2]);
            diagonal_1 = diagonal_2 + l1 * off;
            off_1 = l1 * far;
            diagonal_2 = l2 * far;
        }
    }

    fn solve(&mut self, p: f64) {
        let n = self.x.len();
        let m = n - 2;
        let u = &mut self.second;
        let mut slope = (self.value[1] - self.value[0]) * self.inverse_h[0];
        let (mut carry_1, mut carry_2) = (0.0, 0.0);
        for i in 0..m {
            let next = (self.value[i + 2] - self.value[i + 1]) * self.inverse_h[i + 1];
            let right = next - slope - carry_1;
            slope = next;
            u[i + 1] = right;
            carry_1 = carry_2 + self.factor[i][1] * right;
            carry_2 = self.factor[i][2] * right;
        }
        let (mut after_1, mut after_2) = (0.0, 0.0);
        for i in (0..m).rev() {
            let [inverse, l1, l2] = self.factor[i];
            let value = u[i + 1] * inverse - l1 * after_1 - l2 * after_2;
            u[i + 1] = value;
            after_2 = after_1;
            after_1 = value;
        }
        // f = y - 6 (1 - p) W^-1 Q u, f'' = 6 p u.
        let smooth = 6.0 * (1.0 - p);
        let mut before = 0.0;
        for i in 0..n {
            let after = if i + 1 < n {
                (u[i + 1] - u[i]) * self.inverse_h[i]
            } else {
                0.0
            };
            self.value[i] -= smooth * self.inverse_weight[i] * (after - before);
            before = after;
        }
        for v in u {
            *v *= 6.0 * p;
        }
    }

    /// Values of the fitted spline at ascending `x`, straight lines outside the fitted points.
    pub fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        let n = self.x.len();
        let mut k = 0;
        for i in 0..n - 1 {
            let (from, to) = (self.x[i], self.x[i + 1]);
            let chord = (self.value[i + 1] - self.value[i]) * self.inverse_h[i];
            let bend = self.h[i] / 6.0;
            let slope = chord - bend * (2.0 * self.second[i] + self.second[i + 1]);
            let half_second = 0.5 * self.second[i];
            let third = (self.second[i + 1] - self.second[i]) * self.inverse_h[i] / 6.0;
            if i == 0 {
                while k < x.len() && x[k] < from {
                    out[k] = self.value[0] + slope * (x[k] - from);
                    k += 1;
                }
            }
            let inside = x[k..].iter().take_while(|x| **x < to).count();
            for (x, out) in x[k..][..inside].iter().zip(&mut out[k..]) {
                let d = x - from;
                *out = self.value[i] + d * (slope + d * (half_second + d * third));
            }
            k += inside;
            if i + 2 == n {
                let end_slope = chord + bend * (self.second[i] + 2.0 * self.second[i + 1]);
                while k < x.len() {
                    out[k] = self.value[i + 1] + end_slope * (x[k] - to);
                    k += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points<'a>(
        x: &'a [f64],
        y: &'a [f64],
        keep: &'a [bool],
    ) -> impl Iterator<Item = (f64, f64, f64)> {
        x.iter()
            .zip(y)
            .zip(keep)
            .filter(|(_, keep)| **keep)
            .map(|((x, y), _)| (*x, *y, 1.0))
    }

    /// Dense solution of the same problem: f = y - 6(1-p) Q u with (6(1-p) Q^T Q + p R) u = Q^T y.
    fn dense(x: &[f64], y: &[f64], p: f64) -> Vec<f64> {
        let n = x.len();
        let m = n - 2;
        let h: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
        let q = |i: usize, j: usize| match i as isize - j as isize {
            0 => 1.0 / h[j],
            1 => -1.0 / h[j] - 1.0 / h[j + 1],
            2 => 1.0 / h[j + 1],
            _ => 0.0,
        };
        let mut a = vec![vec![0.0; m + 1]; m];
        for r in 0..m {
            for (c, cell) in a[r][..m].iter_mut().enumerate() {
                *cell = 6.0 * (1.0 - p) * (0..n).map(|i| q(i, r) * q(i, c)).sum::<f64>();
            }
            a[r][r] += 2.0 * p * (h[r] + h[r + 1]);
            if r + 1 < m {
                a[r][r + 1] += p * h[r + 1];
            }
            if r > 0 {
                a[r][r - 1] += p * h[r];
            }
            a[r][m] = (0..n).map(|i| q(i, r) * y[i]).sum();
        }
        for k in 0..m {
            let (above, below) = a.split_at_mut(k + 1);
            let pivot = &above[k];
            for row in below {
                let factor = row[k] / pivot[k];
                for (cell, top) in row.iter_mut().zip(pivot).skip(k) {
                    *cell -= factor * top;
                }
            }
        }
        let mut u = vec![0.0; m];
        for r in (0..m).rev() {
            u[r] = (a[r][m] - (r + 1..m).map(|c| a[r][c] * u[c]).sum::<f64>()) / a[r][r];
        }
        (0..n)
            .map(|i| y[i] - 6.0 * (1.0 - p) * (0..m).map(|j| q(i, j) * u[j]).sum::<f64>())
            .collect()
    }

    fn wiggly(n: usize) -> (Vec<f64>, Vec<f64>) {
        let x: Vec<f64> = (0..n)
            .map(|i| i as f64 * 0.12 + 0.03 * (i as f64).sin())
            .collect();
        let y = x
            .iter()
            .map(|x| 3.0 + (0.9 * x).sin() + 0.3 * (7.0 * x).cos())
            .collect();
        (x, y)
    }

    #[test]
    fn agrees_with_a_dense_solution() {
        for (n, p) in [(4, 0.5), (5, 0.9), (6, 1e-3), (40, 0.2), (60, 1e-6)] {
            let (x, y) = wiggly(n);
            let mut spline = SmoothingSpline::default();
            assert!(spline.fit(points(&x, &y, &vec![true; n]), p));
            let mut out = vec![0.0; n];
            spline.evaluate(&x, &mut out);
            for (a, b) in out.iter().zip(dense(&x, &y, p)) {
                assert!((a - b).abs() < 1e-7, "n {n} p {p}: {a} {b}");
            }
        }
    }

    #[test]
    fn agrees_with_csaps() {
        // csaps 1.3.3: csaps([0,1,2,3.5,4,5], [1,3,2,5,4,4.5], smooth=0.7) at the points and at 2.75
        // (scipy 1.17 make_smoothing_spline with lam = (1-p)/p gives the same numbers).
        let x = [0.0, 1.0, 2.0, 3.5, 4.0, 5.0];
        let y = [1.0, 3.0, 2.0, 5.0, 4.0, 4.5];
        let mut spline = SmoothingSpline::default();
        assert!(spline.fit(points(&x, &y, &[true; 6]), 0.7));
        let mut out = [0.0; 2];
        spline.evaluate(&[2.0, 2.75], &mut out);
        let expected = [2.893130446025, 3.550379723176];
        assert!(
            (out[0] - expected[0]).abs() < 1e-9 && (out[1] - expected[1]).abs() < 1e-9,
            "{out:?}"
        );
    }

    #[test]
    fn dropped_points_do_not_count_and_lines_extend_it() {
        let (x, _) = wiggly(50);
        let mut y: Vec<f64> = x.iter().map(|x| 2.0 + 0.5 * x).collect();
        let mut keep = vec![true; 50];
        for i in [0, 1, 20, 21, 22, 49] {
            y[i] = 1e5;
            keep[i] = false;
        }
        let mut spline = SmoothingSpline::default();
        assert!(spline.fit(points(&x, &y, &keep), 1e-6));
        let mut out = vec![0.0; 50];
        spline.evaluate(&x, &mut out);
        for (x, f) in x.iter().zip(out) {
            assert!((f - 2.0 - 0.5 * x).abs() < 1e-8, "{x} {f}");
        }
        assert!(!spline.fit(points(&x, &y, &[false; 50]), 1e-6));
    }

    #[test]
    fn weights_count_points_that_often() {
        // csaps 1.3.3: csaps(x, y, [2.0, 2.75], weights=[1, 2, 1, 4, 1, 3], smooth=0.7)
        let x = [0.0, 1.0, 2.0, 3.5, 4.0, 5.0];
        let y = [1.0, 3.0, 2.0, 5.0, 4.0, 4.5];
        let weight = [1.0, 2.0, 1.0, 4.0, 1.0, 3.0];
        let mut spline = SmoothingSpline::default();
        assert!(spline.fit(
            x.iter().zip(y).zip(weight).map(|((x, y), w)| (*x, y, w)),
            0.7
        ));
        let mut out = [0.0; 2];
        spline.evaluate(&[2.0, 2.75], &mut out);
        let expected = [3.265816055827, 4.037671236488];
        assert!(
            (out[0] - expected[0]).abs() < 1e-9 && (out[1] - expected[1]).abs() < 1e-9,
            "{out:?}"
        );
    }
}
