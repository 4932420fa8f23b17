//! Smoothing cubic spline, by the banded solver of Reinsch (1967), in the convention of csaps and de Boor:
//! minimise p sum (y - f)^2 + (1 - p) integral f''^2. O(n).

/// Fits smoothing splines; its vectors are reused between calls.
#[derive(Debug, Default)]
pub struct SmoothingSpline {
    x: Vec<f64>,
    /// Smoothed values at `x`.
    value: Vec<f64>,
    /// Second derivatives at `x`, 0 at both ends.
    second: Vec<f64>,
    h: Vec<f64>,
    /// L D L^T of the pentadiagonal system: row i holds 1/d_i, L(i+1,i), L(i+2,i).
    factor: Vec<[f64; 3]>,
}

impl SmoothingSpline {
    /// Fits the points where `keep` holds; `x` strictly ascending, `p` in 0..1. False when fewer than 4 points are kept.
    pub fn fit(&mut self, x: &[f64], y: &[f64], keep: &[bool], p: f64) -> bool {
        self.x.clear();
        self.value.clear();
        for ((&x, &y), _) in x.iter().zip(y).zip(keep).filter(|(_, keep)| **keep) {
            self.x.push(x);
            self.value.push(y);
        }
        let n = self.x.len();
        if n < 4 {
            return false;
        }
        self.h.clear();
        self.h.extend(self.x.windows(2).map(|w| w[1] - w[0]));
        self.second.clear();
        self.second.resize(n, 0.0);
        self.factorize(p);
        self.solve(p);
        true
    }

    /// The matrix 6 (1 - p) Q^T Q + p R, factorised as it is built.
    fn factorize(&mut self, p: f64) {
        let m = self.x.len() - 2;
        let smooth = 6.0 * (1.0 - p);
        let h = &self.h;
        self.factor.clear();
        self.factor.resize(m, [0.0; 3]);
        // Elimination carries the updates that row i owes to rows i+1 and i+2.
        let (mut diagonal_1, mut off_1, mut diagonal_2) = (0.0, 0.0, 0.0);
        let mut g = [1.0 / h[0], 1.0 / h[1], if m > 1 { 1.0 / h[2] } else { 0.0 }];
        for i in 0..m {
            let g3 = if i + 3 < h.len() { 1.0 / h[i + 3] } else { 0.0 };
            let centre = g[0] + g[1];
            let diagonal = smooth * (g[0] * g[0] + centre * centre + g[1] * g[1])
                + 2.0 * p * (h[i] + h[i + 1]);
            let mut off = 0.0;
            let mut far = 0.0;
            if i + 1 < m {
                off = -smooth * g[1] * (centre + g[1] + g[2]) + p * h[i + 1];
            }
            if i + 2 < m {
                far = smooth * g[1] * g[2];
            }
            let d = diagonal - diagonal_1;
            let off = off - off_1;
            let inverse = 1.0 / d;
            let l1 = off * inverse;
            let l2 = far * inverse;
            self.factor[i] = [inverse, l1, l2];
            diagonal_1 = diagonal_2 + l1 * off;
            off_1 = l1 * far;
            diagonal_2 = l2 * far;
            g = [g[1], g[2], g3];
        }
    }

    fn solve(&mut self, p: f64) {
        let n = self.x.len();
        let m = n - 2;
        let u = &mut self.second;
        let mut slope = (self.value[1] - self.value[0]) / self.h[0];
        let (mut carry_1, mut carry_2) = (0.0, 0.0);
        for i in 0..m {
            let next = (self.value[i + 2] - self.value[i + 1]) / self.h[i + 1];
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
        // f = y - 6 (1 - p) Q u, f'' = 6 p u.
        let smooth = 6.0 * (1.0 - p);
        let mut before = 0.0;
        for i in 0..n {
            let after = if i + 1 < n {
                (u[i + 1] - u[i]) / self.h[i]
            } else {
                0.0
            };
            self.value[i] -= smooth * (after - before);
            before = after;
        }
        for v in u {
            *v *= 6.0 * p;
        }
    }

    /// Values of the fitted spline at ascending `x`, straight lines outside the fitted points.
    pub fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        let last = self.x.len() - 1;
        let end_slope = |i: usize, at_end: bool| {
            let chord = (self.value[i + 1] - self.value[i]) / self.h[i];
            let bend = self.h[i] / 6.0;
            if at_end {
                chord + bend * self.second[i]
            } else {
                chord - bend * self.second[i + 1]
            }
        };
        let mut i = 0;
        for (&x, out) in x.iter().zip(out) {
            if x <= self.x[0] {
                *out = self.value[0] + end_slope(0, false) * (x - self.x[0]);
                continue;
            }
            if x >= self.x[last] {
                *out = self.value[last] + end_slope(last - 1, true) * (x - self.x[last]);
                continue;
            }
            while self.x[i + 1] < x {
                i += 1;
            }
            if x == self.x[i + 1] {
                *out = self.value[i + 1];
                continue;
            }
            let h = self.h[i];
            let b = (x - self.x[i]) / h;
            let a = 1.0 - b;
            let bend = (a * a * a - a) * self.second[i] + (b * b * b - b) * self.second[i + 1];
            *out = a * self.value[i] + b * self.value[i + 1] + bend * h * h / 6.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(spline.fit(&x, &y, &vec![true; n], p));
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
        assert!(spline.fit(&x, &y, &[true; 6], 0.7));
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
        assert!(spline.fit(&x, &y, &keep, 1e-6));
        let mut out = vec![0.0; 50];
        spline.evaluate(&x, &mut out);
        for (x, f) in x.iter().zip(out) {
            assert!((f - 2.0 - 0.5 * x).abs() < 1e-8, "{x} {f}");
        }
        assert!(!spline.fit(&x, &y, &[false; 50], 1e-6));
    }
}
