//! Normal equations of a cubic B-spline: from pixels at any positions, or one after the other.

use multiversion::multiversion;

use super::{Knots, add_prior, basis};

/// Symmetric positive definite matrix with three off-diagonals: row i holds (i,i), (i,i+1), (i,i+2), (i,i+3).
pub(super) type Band = Vec<[f64; 4]>;

/// Sums over pixels at any positions from which a spline is fitted; those of several spectra add.
#[derive(Clone, Debug)]
pub struct NormalEquations {
    pub(super) matrix: Band,
    pub(super) right: Vec<f64>,
}

impl NormalEquations {
    /// The sums over no pixel.
    pub fn new(knots: Knots) -> Self {
        NormalEquations {
            matrix: vec![[0.0; 4]; knots.n_coefficient()],
            right: vec![0.0; knots.n_coefficient()],
        }
    }

    /// Adds pixels at positions `x`, which ascend; what is not within the knots, or has no weight, does not count.
    pub fn add_pixels(&mut self, knots: Knots, x: &[f64], flux: &[f64], ivar: &[f64]) {
        add_pixels(self, knots, x, flux, ivar);
    }

    /// `all` less `part`, which was added to it before.
    pub fn set_difference(&mut self, all: &NormalEquations, part: &NormalEquations) {
        difference(&mut self.matrix, &all.matrix, &part.matrix, less_row);
        difference(&mut self.right, &all.right, &part.right, |a, p| a - p);
    }

    /// These sums with a `prior` of the spline ([`SplineFit::shrink`](super::SplineFit::shrink)) added to the matrix.
    pub fn with_prior(&self, prior: &[f64]) -> Self {
        let mut out = self.clone();
        add_prior(&mut out.matrix, prior);
        out
    }

    fn flush(&mut self, interval: usize, matrix: &mut [[f64; 4]; 4], right: &mut [f64; 4]) {
        let rows = self.matrix[interval..].iter_mut().zip(&matrix[..]);
        for (j, (row, of_row)) in rows.enumerate() {
            for (sum, part) in row.iter_mut().zip(&of_row[j..]) {
                *sum += part;
            }
        }
        for (sum, part) in self.right[interval..].iter_mut().zip(&right[..]) {
            *sum += part;
        }
        *matrix = [[0.0; 4]; 4];
        *right = [0.0; 4];
    }

    /// Adds those of other pixels on the same knots.
    pub fn add(&mut self, other: &NormalEquations) {
        for (a, b) in self.matrix.iter_mut().zip(&other.matrix) {
            for (a, b) in a.iter_mut().zip(b) {
                *a += b;
            }
        }
        for (a, b) in self.right.iter_mut().zip(&other.right) {
            *a += b;
        }
    }
}

/// The elements of `all` less those of `part`, into `out`.
pub(super) fn difference<T>(out: &mut Vec<T>, all: &[T], part: &[T], less: impl Fn(&T, &T) -> T) {
    out.clear();
    out.extend(all.iter().zip(part).map(|(a, p)| less(a, p)));
}

/// Difference of two rows of a band.
#[inline]
pub(super) fn less_row(a: &[f64; 4], p: &[f64; 4]) -> [f64; 4] {
    [a[0] - p[0], a[1] - p[1], a[2] - p[2], a[3] - p[3]]
}

/// [`NormalEquations::add_pixels`], with the sums of one knot interval kept until the next one begins.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn add_pixels(
    equations: &mut NormalEquations,
    knots: Knots,
    x: &[f64],
    flux: &[f64],
    ivar: &[f64],
) {
    let mut current = 0;
    let mut matrix = [[0.0; 4]; 4];
    let mut right = [0.0; 4];
    let end = (knots.n_interval * knots.spacing) as f64;
    let per_pixel = 1.0 / knots.spacing as f64;
    for ((x, flux), ivar) in x.iter().zip(flux).zip(ivar) {
        if !(*ivar > 0.0 && *x >= 0.0 && *x <= end) {
            continue;
        }
        let t = x * per_pixel;
        let interval = (t as usize).min(knots.n_interval - 1);
        if interval != current {
            equations.flush(current, &mut matrix, &mut right);
            current = interval;
        }
        let b = basis(t - interval as f64);
        for j in 0..4 {
            let wb = ivar * b[j];
            right[j] += wb * flux;
            for k in 0..4 {
                matrix[j][k] += wb * b[k];
            }
        }
    }
    equations.flush(current, &mut matrix, &mut right);
}

/// What a pixel at this fraction of a knot interval adds to the sums of the four coefficients, for unit weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    basis: [f64; 4],
    /// Row j: products of spline j with itself and those after it.
    products: [[f64; 4]; 4],
}

impl Phase {
    pub(super) fn new(t: f64) -> Self {
        let basis = basis(t);
        let product = |j: usize, k: usize| {
            if j + k < 4 {
                basis[j] * basis[j + k]
            } else {
                0.0
            }
        };
        let products = std::array::from_fn(|j| std::array::from_fn(|k| product(j, k)));
        Phase { basis, products }
    }
}

/// Adds pixels 0, 1, 2 ... to the sums; `phases` are those of the pixels of an interval.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn sum_pixels(
    normal: &mut [[f64; 4]],
    right: &mut [f64],
    phases: &[Phase],
    flux: &[f64],
    ivar: &[f64],
) {
    let spacing = phases.len();
    // Sums of the four coefficients of this interval. The first of them has no part in the next interval, and is stored then.
    let mut rows = [[0.0; 4]; 4];
    let mut sums = [0.0; 4];
    let mut rest = flux.iter().zip(ivar);
    for (normal, right) in normal.iter_mut().zip(right) {
        // After the last interval there are only coefficients, and a pixel on the last knot, which is the same as one at the
        // beginning of a next interval.
        for (phase, (flux, ivar)) in phases.iter().zip(rest.by_ref().take(spacing)) {
            let weighted = ivar * flux;
            let of_splines = phase.basis.iter().zip(&phase.products);
            for ((sum, row), (b, products)) in sums.iter_mut().zip(&mut rows).zip(of_splines) {
                *sum += weighted * b;
                for (cell, product) in row.iter_mut().zip(products) {
                    *cell += ivar * product;
                }
            }
        }
        *normal = rows[0];
        *right = sums[0];
        rows = [rows[1], rows[2], rows[3], [0.0; 4]];
        sums = [sums[1], sums[2], sums[3], 0.0];
    }
}
