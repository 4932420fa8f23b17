//! Smoothing cubic spline, by the banded solver of Reinsch (1967), in the convention of csaps and de Boor:
//! minimise p sum w (y - f)^2 + (1 - p) integral f''^2. O(n).

use multiversion::multiversion;

use super::twisted::Twisted;

/// Fits smoothing splines; its vectors are reused between calls.
#[derive(Debug, Default)]
pub struct SmoothingSpline {
    h: Vec<f64>,
    inverse_h: Vec<f64>,
    /// The pentadiagonal matrix: row i holds (i,i), (i,i+1), (i,i+2).
    matrix: Vec<[f64; 3]>,
    /// Second derivatives over 6 p at `x`, 0 at both ends.
    second: Vec<f64>,
    solver: Twisted<3>,
    /// Third derivatives over 6 p between the points, and 0 before the first and after the last.
    third: Vec<f64>,
    value: Vec<f64>,
    pieces: Vec<Piece>,
}

/// The spline on both sides of a point, up to the points next to it: all but the third derivative is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Piece {
    x: f64,
    value: f64,
    slope: f64,
    half_second: f64,
    /// A sixth of the third derivative before and after the point.
    third: [f64; 2],
}

impl Piece {
    /// Value at `x`, within the points on either side; a straight line before the first and after the last.
    #[inline(always)]
    pub fn at(self, x: f64) -> f64 {
        let d = x - self.x;
        let [before, after] = self.third;
        let third = if d < 0.0 { before } else { after };
        self.value + d * (self.slope + d * (self.half_second + d * third))
    }
}

impl SmoothingSpline {
    /// Fits points at `x`, strictly ascending, of values `y` and weights above 0, of which the inverse is given, for `p` in
    /// 0..1. False when there are fewer than 4 points.
    pub fn fit(&mut self, x: &[f64], y: &[f64], inverse_weight: &[f64], p: f64) -> bool {
        self.pieces.clear();
        let n = x.len();
        if n < 4 || y.len() != n || inverse_weight.len() != n {
            return false;
        }
        set_up(self, x, y, inverse_weight, p);
        self.solver.solve(&self.matrix, &mut self.second[1..n - 1]);
        set_pieces(self, x, y, inverse_weight, p);
        true
    }

    /// One piece for each point of the last fit; none where it failed.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

/// The matrix 6 (1 - p) Q^T W^-1 Q + p R, and Q^T y.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn set_up(spline: &mut SmoothingSpline, x: &[f64], y: &[f64], inverse_weight: &[f64], p: f64) {
    let n = x.len();
    spline.h.clear();
    spline.h.extend(x.windows(2).map(|x| x[1] - x[0]));
    spline.inverse_h.clear();
    spline.inverse_h.extend(spline.h.iter().map(|h| 1.0 / h));
    // One more element, so that what is read beyond the last column is there; it does not count.
    spline.inverse_h.push(0.0);
    spline.matrix.clear();
    spline.matrix.resize(n - 2, [0.0; 3]);
    spline.second.clear();
    spline.second.resize(n, 0.0);
    let smooth = 6.0 * (1.0 - p);
    let h = spline.h.windows(2);
    let g = spline.inverse_h.windows(3);
    let v = inverse_weight.windows(3);
    let y = y.windows(3);
    let right = &mut spline.second[1..n - 1];
    let rows = spline.matrix.iter_mut().zip(right);
    for ((((row, right), (h, g)), v), y) in rows.zip(h.zip(g)).zip(v).zip(y) {
        let (centre, next_centre) = (g[0] + g[1], g[1] + g[2]);
        let square = v[0] * g[0] * g[0] + v[1] * centre * centre + v[2] * g[1] * g[1];
        row[0] = smooth * square + 2.0 * p * (h[0] + h[1]);
        row[1] = p * h[1] - smooth * g[1] * (v[1] * centre + v[2] * next_centre);
        row[2] = smooth * v[2] * g[1] * g[2];
        *right = (y[2] - y[1]) * g[1] - (y[1] - y[0]) * g[0];
    }
}

/// f = y - 6 (1 - p) W^-1 Q u, f'' = 6 p u.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn set_pieces(spline: &mut SmoothingSpline, x: &[f64], y: &[f64], inverse_weight: &[f64], p: f64) {
    let (u, g) = (&spline.second, &spline.inverse_h);
    let n = x.len();
    let (third, value, pieces) = (&mut spline.third, &mut spline.value, &mut spline.pieces);
    third.clear();
    third.resize(n + 1, 0.0);
    for ((third, u), g) in third[1..].iter_mut().zip(u.windows(2)).zip(g) {
        *third = (u[1] - u[0]) * g;
    }
    let smooth = 6.0 * (1.0 - p);
    value.clear();
    value.resize(n, 0.0);
    let points = y.iter().zip(inverse_weight).zip(third.windows(2));
    for (value, ((y, v), third)) in value.iter_mut().zip(points) {
        *value = y - smooth * v * (third[1] - third[0]);
    }
    pieces.clear();
    pieces.resize(n - 1, Piece::default());
    let intervals = value
        .windows(2)
        .zip(u.windows(2))
        .zip(g.iter().zip(&spline.h));
    let points = x.iter().zip(third.windows(2)).zip(intervals);
    for (piece, ((x, third), ((f, u), (g, h)))) in pieces.iter_mut().zip(points) {
        *piece = Piece {
            x: *x,
            value: f[0],
            slope: (f[1] - f[0]) * g - p * h * (2.0 * u[0] + u[1]),
            half_second: 3.0 * p * u[0],
            third: [p * third[0], p * third[1]],
        };
    }
    // The last point ends the last interval.
    let (Some(before), Some(&x), Some(&value), Some(h)) = (
        spline.pieces.last(),
        x.last(),
        value.last(),
        spline.h.last(),
    ) else {
        return;
    };
    let third = before.third[1];
    let slope = before.slope + h * (2.0 * before.half_second + h * 3.0 * third);
    spline.pieces.push(Piece {
        x,
        value,
        slope,
        half_second: 0.0,
        third: [third, 0.0],
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fits the points that are kept.
    fn fit(spline: &mut SmoothingSpline, x: &[f64], y: &[f64], keep: &[bool], p: f64) -> bool {
        let kept = |values: &[f64]| -> Vec<f64> {
            let kept = values.iter().zip(keep).filter(|(_, keep)| **keep);
            kept.map(|(v, _)| *v).collect()
        };
        let (x, y) = (kept(x), kept(y));
        spline.fit(&x, &y, &vec![1.0; x.len()], p)
    }

    /// Values at any `x`.
    fn evaluate(spline: &SmoothingSpline, x: &[f64], out: &mut [f64]) {
        for (x, out) in x.iter().zip(out) {
            let next = spline.pieces().partition_point(|piece| piece.x <= *x);
            let [before, after] = [next.saturating_sub(1), next.min(spline.pieces().len() - 1)]
                .map(|i| spline.pieces()[i].at(*x));
            // Either piece must do.
            assert!((before - after).abs() < 1e-9, "{x}: {before} {after}");
            *out = before;
        }
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
            assert!(fit(&mut spline, &x, &y, &vec![true; n], p));
            let mut out = vec![0.0; n];
            evaluate(&spline, &x, &mut out);
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
        assert!(fit(&mut spline, &x, &y, &[true; 6], 0.7));
        let mut out = [0.0; 2];
        evaluate(&spline, &[2.0, 2.75], &mut out);
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
        assert!(fit(&mut spline, &x, &y, &keep, 1e-6));
        let mut out = vec![0.0; 50];
        evaluate(&spline, &x, &mut out);
        for (x, f) in x.iter().zip(out) {
            assert!((f - 2.0 - 0.5 * x).abs() < 1e-8, "{x} {f}");
        }
        assert!(!fit(&mut spline, &x, &y, &[false; 50], 1e-6));
    }

    #[test]
    fn weights_count_points_that_often() {
        // csaps 1.3.3: csaps(x, y, [2.0, 2.75], weights=[1, 2, 1, 4, 1, 3], smooth=0.7)
        let x = [0.0, 1.0, 2.0, 3.5, 4.0, 5.0];
        let y = [1.0, 3.0, 2.0, 5.0, 4.0, 4.5];
        let weight = [1.0, 2.0, 1.0, 4.0, 1.0, 3.0];
        let mut spline = SmoothingSpline::default();
        assert!(spline.fit(&x, &y, &weight.map(|w| 1.0 / w), 0.7));
        let mut out = [0.0; 2];
        evaluate(&spline, &[2.0, 2.75], &mut out);
        let expected = [3.265816055827, 4.037671236488];
        assert!(
            (out[0] - expected[0]).abs() < 1e-9 && (out[1] - expected[1]).abs() < 1e-9,
            "{out:?}"
        );
    }
}
