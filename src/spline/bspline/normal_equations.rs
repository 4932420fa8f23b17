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

/// Pixels that are computed side by side.
const LANES: usize = 4;

/// Pixels whose splines are known before they are summed.
const BLOCK: usize = 32;

/// The splines at some pixels.
struct Block {
    /// Knot interval of each pixel.
    interval: [u32; BLOCK],
    /// The four splines of each, with zeros behind them.
    basis: [[f64; 8]; BLOCK],
    /// The four splines times the pixel's weight, which is 0 for what does not count.
    weighted: [[f64; 4]; BLOCK],
}

impl Block {
    /// Splines at `n` positions.
    #[inline(always)]
    fn fill(&mut self, knots: Knots, x: &[f64], ivar: &[f64]) {
        let end = (knots.n_interval * knots.spacing) as f64;
        let per_pixel = 1.0 / knots.spacing as f64;
        let last = (knots.n_interval - 1) as f64;
        for start in (0..x.len()).step_by(LANES) {
            let (mut place, mut weight) = ([0.0; LANES], [0.0; LANES]);
            let n = LANES.min(x.len() - start);
            if let (Some(x), Some(ivar)) = (x[start..].first_chunk(), ivar[start..].first_chunk()) {
                (place, weight) = (*x, *ivar);
            } else {
                place[..n].copy_from_slice(&x[start..]);
                weight[..n].copy_from_slice(&ivar[start..]);
            }
            for l in 0..LANES {
                let counts = (weight[l] > 0.0) & (place[l] >= 0.0) & (place[l] <= end);
                weight[l] = if counts { weight[l] } else { 0.0 };
                place[l] = if counts { place[l] * per_pixel } else { 0.0 };
            }
            let whole = place.map(|t| t.min(last) as i32);
            let mut t = [0.0; LANES];
            for l in 0..LANES {
                t[l] = place[l] - f64::from(whole[l]);
            }
            let splines = basis_of_lanes(&t);
            for l in 0..LANES {
                let of_pixel: [f64; 4] = std::array::from_fn(|j| splines[j][l]);
                self.interval[start + l] = whole[l] as u32;
                self.basis[start + l][..4].copy_from_slice(&of_pixel);
                self.weighted[start + l] = of_pixel.map(|b| b * weight[l]);
            }
        }
    }
}

/// [`basis`] at several fractions, spline by spline.
#[inline(always)]
fn basis_of_lanes(t: &[f64; LANES]) -> [[f64; LANES]; 4] {
    let mut out = [[0.0; LANES]; 4];
    for l in 0..LANES {
        let s = 1.0 - t[l];
        let (t2, s2) = (t[l] * t[l], s * s);
        out[0][l] = s2 * s * (1.0 / 6.0);
        out[1][l] = 2.0 / 3.0 - t2 * (1.0 - 0.5 * t[l]);
        out[2][l] = 2.0 / 3.0 - s2 * (1.0 - 0.5 * s);
        out[3][l] = t2 * t[l] * (1.0 / 6.0);
    }
    out
}

/// Sums of the coefficients from `current` on, while pixels come in.
#[derive(Default)]
struct Open {
    current: usize,
    /// Row j: elements (j,j), (j,j+1) ... of the matrix, counted from `current`.
    rows: [[f64; 4]; 4],
    right: [f64; 4],
}

impl Open {
    /// Goes on to another interval. Its predecessors' first coefficients have no part in it, and are stored.
    #[inline(always)]
    fn go_to(&mut self, interval: usize, equations: &mut NormalEquations) {
        if interval < self.current {
            self.store(4, equations);
            self.current = interval;
        }
        while self.current < interval {
            self.store(1, equations);
            self.current += 1;
        }
    }

    /// Stores the first `n` rows, and moves the others to their places.
    #[inline(always)]
    fn store(&mut self, n: usize, equations: &mut NormalEquations) {
        for j in 0..n {
            let at = self.current + j;
            if let (Some(row), Some(right)) =
                (equations.matrix.get_mut(at), equations.right.get_mut(at))
            {
                for (sum, part) in row.iter_mut().zip(self.rows[0]) {
                    *sum += part;
                }
                *right += self.right[0];
            }
            self.rows = [self.rows[1], self.rows[2], self.rows[3], [0.0; 4]];
            self.right = [self.right[1], self.right[2], self.right[3], 0.0];
        }
    }
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
    let mut block = Block {
        interval: [0; BLOCK],
        basis: [[0.0; 8]; BLOCK],
        weighted: [[0.0; 4]; BLOCK],
    };
    let mut open = Open::default();
    let blocks = x.chunks(BLOCK).zip(flux.chunks(BLOCK));
    for ((x, flux), ivar) in blocks.zip(ivar.chunks(BLOCK)) {
        let n = x.len().min(flux.len()).min(ivar.len());
        block.fill(knots, &x[..n], &ivar[..n]);
        for (k, flux) in flux[..n].iter().enumerate() {
            let weighted = &block.weighted[k];
            // One of the two splines in the middle of an interval is nowhere 0 in it.
            if weighted[1] == 0.0 {
                continue;
            }
            open.go_to(block.interval[k] as usize, equations);
            let basis = &block.basis[k];
            for j in 0..4 {
                let row = &mut open.rows[j];
                for d in 0..4 {
                    row[d] += weighted[j] * basis[j + d];
                }
                open.right[j] += weighted[j] * flux;
            }
        }
    }
    open.store(4, equations);
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
