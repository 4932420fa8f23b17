//! Banded symmetric positive definite systems, eliminated from both ends at once (a twisted factorisation).
//!
//! Elimination is one long chain of divisions, each waiting for the one before; two chains that meet in the middle take half
//! the time. The result is that of elimination from one end, to rounding.

use multiversion::multiversion;

/// The band of a symmetric matrix: row `i` holds the elements (i,i), (i,i+1) ... (i,i+W-1), and 0 beyond the last column.
pub type BandOf<const W: usize> = Vec<[f64; W]>;

/// One number from the top, one from the bottom.
type Pair = [f64; 2];

#[inline(always)]
fn times(a: Pair, b: Pair) -> Pair {
    [a[0] * b[0], a[1] * b[1]]
}

#[inline(always)]
fn less(a: Pair, b: Pair) -> Pair {
    [a[0] - b[0], a[1] - b[1]]
}

/// Solves systems whose row `i` holds the elements (i,i), (i,i+1) ... (i,i+W-1), for `W` of 2 to 4; its vector is reused between
/// calls.
#[derive(Clone, Debug, Default)]
pub struct Twisted<const W: usize> {
    /// Row of either end: right-hand side over pivot, then the elements over the pivot.
    rows: Vec<[Pair; W]>,
    /// One over the pivots.
    inverse_pivots: Vec<Pair>,
}

impl<const W: usize> Twisted<W> {
    /// Solves for the right-hand side in `x` and leaves the solution there. What a row holds beyond the last column does not
    /// count.
    pub fn solve(&mut self, matrix: &[[f64; W]], x: &mut [f64]) {
        const { assert!(2 <= W && W <= 4) };
        let n = matrix.len().min(x.len());
        let (matrix, x) = (&matrix[..n], &mut x[..n]);
        let middle = eliminate(self, matrix, x);
        substitute(&self.rows, &middle, x);
    }

    /// The same, and the band of the matrix's inverse into `inverse`: the recurrence of Takahashi, from the middle to both ends.
    pub fn solve_and_invert(
        &mut self,
        matrix: &[[f64; W]],
        x: &mut [f64],
        inverse: &mut BandOf<W>,
    ) {
        let n = matrix.len().min(x.len());
        let (matrix, x) = (&matrix[..n], &mut x[..n]);
        let middle = eliminate(self, matrix, x);
        substitute(&self.rows, &middle, x);
        inverse.clear();
        inverse.resize(n, [0.0; W]);
        invert(self, &middle, inverse);
    }
}

/// The rows that neither end eliminated: so many, their solution, and the inverse of their matrix.
struct Middle {
    n: usize,
    solution: [f64; 4],
    matrix: [[f64; 4]; 4],
}

/// Row `t` from the top, and, of the `end` rows at the bottom, row `t` from there: its elements towards the middle.
#[inline(always)]
fn load<const W: usize>(matrix: &[[f64; W]], x: &[f64], t: usize, end: usize) -> ([Pair; W], Pair) {
    let (Some(top), Some(right)) = (matrix.get(t), x.get(t)) else {
        return ([[0.0; 2]; W], [0.0; 2]);
    };
    let mut row = [[0.0; 2]; W];
    for (pair, top) in row.iter_mut().zip(top) {
        pair[0] = *top;
    }
    let mut right = [*right, 0.0];
    // `W` rows that end with the one wanted: element j lies in the row j above it.
    let mirrored = (matrix.len() - t).checked_sub(W);
    if t < end
        && let Some(last) = mirrored.and_then(|from| matrix[from..].first_chunk::<W>())
    {
        for (j, pair) in row.iter_mut().enumerate() {
            pair[1] = last[W - 1 - j][j];
        }
        right[1] = x[x.len() - 1 - t];
    }
    (row, right)
}

/// Moves every element one place down.
#[inline(always)]
fn shift<T: Copy, const W: usize>(values: &mut [T; W]) {
    for j in 1..W {
        values[j - 1] = values[j];
    }
}

/// Eliminates rows from both ends, and solves for those in the middle.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn eliminate<const W: usize>(kept_rows: &mut Twisted<W>, matrix: &[[f64; W]], x: &[f64]) -> Middle {
    let n = matrix.len();
    // Rows taken from either end; those between are as many as a row reaches, or one more.
    let end = n.saturating_sub(W - 1) / 2;
    kept_rows.rows.clear();
    kept_rows.inverse_pivots.clear();
    // The row to be eliminated and those it reaches, less what the rows before took from them.
    let mut ahead = [[[0.0; 2]; W]; W];
    let mut right = [[0.0; 2]; W];
    // These are only indexed by constants, so that the compiler keeps them in registers.
    for t in 0..W - 1 {
        (ahead[W - 1], right[W - 1]) = load(matrix, x, t, end);
        shift(&mut ahead);
        shift(&mut right);
    }
    for t in 0..end {
        (ahead[W - 1], right[W - 1]) = load(matrix, x, t + W - 1, end);
        let (row, of_row) = (ahead[0], right[0]);
        let inverse = [1.0 / row[0][0], 1.0 / row[0][1]];
        let mut kept = [times(of_row, inverse); W];
        for j in 1..W {
            kept[j] = times(row[j], inverse);
            for k in j..W {
                // The product does not wait for the division.
                let product = times(row[j], row[k]);
                ahead[j][k - j] = less(ahead[j][k - j], times(product, inverse));
            }
            right[j] = less(right[j], times(times(row[j], of_row), inverse));
        }
        kept_rows.rows.push(kept);
        kept_rows.inverse_pivots.push(inverse);
        shift(&mut ahead);
        shift(&mut right);
    }
    middle(matrix, x, end, ahead, right)
}

/// The solution from the middle to both ends, into `x`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn substitute<const W: usize>(rows: &[[Pair; W]], middle: &Middle, x: &mut [f64]) {
    let (n, end) = (x.len(), rows.len());
    let Middle {
        n: n_middle,
        solution: middle,
        ..
    } = middle;
    x[end..n - end].copy_from_slice(&middle[..*n_middle]);
    // `after[j]`: what was found j + 1 rows nearer to the middle.
    let mut after = [[0.0; 2]; W];
    for (j, pair) in after.iter_mut().enumerate().take((W - 1).min(*n_middle)) {
        *pair = [middle[j], middle[n_middle - 1 - j]];
    }
    for (t, row) in rows.iter().enumerate().rev() {
        let mut value = row[0];
        for j in (1..W).rev() {
            value = less(value, times(row[j], after[j - 1]));
        }
        for j in (1..W).rev() {
            after[j] = after[j - 1];
        }
        after[0] = value;
        x[t] = value[0];
        x[n - 1 - t] = value[1];
    }
}

/// The band of the inverse, from the middle to both ends, into `out`, which holds zeros.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn invert<const W: usize>(rows: &Twisted<W>, middle: &Middle, out: &mut [[f64; W]]) {
    let (n, end, n_middle) = (out.len(), rows.rows.len(), middle.n);
    let of_middle = inverse(middle);
    for i in 0..n_middle {
        for k in i..n_middle.min(i + W) {
            out[end + i][k - i] = of_middle[i][k];
        }
    }
    // `near[j][k - j]`, j <= k: the inverse's element of the rows j + 1 and k + 1 nearer to the middle.
    let mut near = [[[0.0; 2]; W]; W];
    for j in 0..(W - 1).min(n_middle) {
        for k in j..(W - 1).min(n_middle) {
            let (from_end, to_end) = (n_middle - 1 - j, n_middle - 1 - k);
            near[j][k - j] = [of_middle[j][k], of_middle[from_end][to_end]];
        }
    }
    let both = rows.rows.iter().zip(&rows.inverse_pivots).enumerate();
    for (t, (row, pivot)) in both.rev() {
        let mut found = [[0.0; 2]; W];
        for (j, found) in found.iter_mut().enumerate().skip(1) {
            for (k, row) in row.iter().enumerate().skip(1) {
                let (a, b) = if j <= k { (j, k) } else { (k, j) };
                *found = less(*found, times(*row, near[a - 1][b - a]));
            }
        }
        found[0] = *pivot;
        for k in (1..W).rev() {
            found[0] = less(found[0], times(row[k], found[k]));
        }
        for j in (1..W).rev() {
            near[j] = near[j - 1];
        }
        near[0] = found;
        let m = n - 1 - t;
        for j in 0..W {
            out[t][j] = found[j][0];
            out[m - j][j] = found[j][1];
        }
    }
}

/// Solution of the rows that neither end eliminated.
#[inline(never)]
fn middle<const W: usize>(
    matrix: &[[f64; W]],
    x: &[f64],
    end: usize,
    ahead: [[Pair; W]; W],
    right: [Pair; W],
) -> Middle {
    let n = matrix.len() - 2 * end;
    let mut a = [[0.0; 4]; 4];
    let mut b = [0.0; 4];
    for i in 0..n {
        // The last of W rows was not yet loaded.
        let loaded = i + 1 < W;
        b[i] = if loaded { right[i][0] } else { x[end + i] };
        for k in i..n.min(i + W) {
            a[i][k] = if loaded {
                ahead[i][k - i][0]
            } else {
                matrix[end + i][k - i]
            };
        }
    }
    if end > 0 {
        // What the bottom takes from them: its rows began as zeros.
        for i in 0..n.min(W - 1) {
            b[n - 1 - i] += right[i][1];
            for k in i..n.min(W - 1) {
                a[n - 1 - k][n - 1 - i] += ahead[i][k - i][1];
            }
        }
    }
    Middle {
        n,
        solution: solve_dense(a, b, n),
        matrix: a,
    }
}

/// Solves the first `n` rows of a symmetric system, of which the part above the diagonal is given.
fn solve_dense(mut a: [[f64; 4]; 4], mut b: [f64; 4], n: usize) -> [f64; 4] {
    for i in 0..n {
        for j in i + 1..n {
            let l = a[i][j] / a[i][i];
            let pivot = a[i];
            for (cell, above) in a[j].iter_mut().zip(pivot).take(n).skip(j) {
                *cell -= l * above;
            }
            b[j] -= l * b[i];
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            b[i] -= a[i][j] * b[j];
        }
        b[i] /= a[i][i];
    }
    b
}

/// The inverse of the middle's matrix, row by row.
fn inverse(middle: &Middle) -> [[f64; 4]; 4] {
    std::array::from_fn(|i| {
        let mut unit = [0.0; 4];
        unit[i] = 1.0;
        solve_dense(middle.matrix, unit, middle.n)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Product of the banded matrix with `x`.
    fn product<const W: usize>(matrix: &[[f64; W]], x: &[f64]) -> Vec<f64> {
        let n = x.len();
        let mut out = vec![0.0; n];
        for i in 0..n {
            out[i] += matrix[i][0] * x[i];
            for j in 1..W.min(n - i) {
                out[i] += matrix[i][j] * x[i + j];
                out[i + j] += matrix[i][j] * x[i];
            }
        }
        out
    }

    fn solves<const W: usize>() {
        let mut solver = Twisted::<W>::default();
        for n in (0..40).chain([1381, 1382]) {
            let matrix: Vec<[f64; W]> = (0..n)
                .map(|i| {
                    std::array::from_fn(|j| match j {
                        0 => 5.0 + (i as f64).sin(),
                        _ => (0.6 * (i * W + j) as f64).cos() / j as f64,
                    })
                })
                .collect();
            let truth: Vec<f64> = (0..n).map(|i| 1.0 + (1.3 * i as f64).sin()).collect();
            let mut x = product(&matrix, &truth);
            solver.solve(&matrix, &mut x);
            for (i, (a, b)) in x.iter().zip(&truth).enumerate() {
                assert!((a - b).abs() < 1e-12, "W {W} n {n} row {i}: {a} {b}");
            }
        }
    }

    fn inverts<const W: usize>() {
        let mut solver = Twisted::<W>::default();
        let mut inverse = Vec::new();
        for n in (0..20).chain([301, 302]) {
            let matrix: Vec<[f64; W]> = (0..n)
                .map(|i| {
                    std::array::from_fn(|j| match j {
                        0 => 5.0 + (i as f64).sin(),
                        _ => (0.6 * (i * W + j) as f64).cos() / j as f64,
                    })
                })
                .collect();
            let right: Vec<f64> = (0..n).map(|i| (0.9 * i as f64).sin()).collect();
            let (mut x, mut expected) = (right.clone(), right);
            solver.solve_and_invert(&matrix, &mut x, &mut inverse);
            solver.solve(&matrix, &mut expected);
            assert_eq!(x, expected, "W {W} n {n}");
            assert_eq!(inverse.len(), n);
            for k in 0..n {
                let mut column = vec![0.0; n];
                column[k] = 1.0;
                solver.solve(&matrix, &mut column);
                for i in k.saturating_sub(W - 1)..=k {
                    let (a, b) = (inverse[i][k - i], column[i]);
                    assert!((a - b).abs() < 1e-13, "W {W} n {n} ({i}, {k}): {a} {b}");
                }
            }
            // Beyond the last column there is nothing.
            for (i, row) in inverse.iter().enumerate() {
                assert!(
                    row[W.min(n - i)..].iter().all(|v| *v == 0.0),
                    "W {W} n {n} {i}"
                );
            }
        }
    }

    #[test]
    fn bands_of_inverses_are_those_of_whole_inverses() {
        inverts::<2>();
        inverts::<3>();
        inverts::<4>();
    }

    #[test]
    fn systems_of_any_size_are_solved() {
        solves::<2>();
        solves::<3>();
        solves::<4>();
    }
}
