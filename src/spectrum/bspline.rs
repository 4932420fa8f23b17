//! Least-squares cubic B-splines on a spectrum's pixels: the band-limited view of what was observed.
//!
//! The line-spread function (FWHM about 6 pixels) leaves a star no power at scales that knots every 3 pixels cannot
//! follow, so such a spline keeps all of the star, and what it cannot follow is a defect. The uniform knots sit at
//! multiples of the spacing in pixel number, starting at pixel 0.

use multiversion::multiversion;

use super::twisted::Twisted;

/// Weight of the penalty on second differences of the coefficients, relative to the mean diagonal: it decides only
/// where no good pixel does, and draws a straight line through gaps.
const GAP_PENALTY: f64 = 1e-6;

const SECOND_DIFFERENCE: [f64; 3] = [1.0, -2.0, 1.0];
const THIRD_DIFFERENCE: [f64; 4] = [-1.0, 3.0, -3.0, 1.0];

/// Coefficients on either side over which the power of the spectrum is taken in [`SplineFit::shrink`]: 50 pixels. Of
/// 8, 16 and 32 tried on simulated stars of 5800 and 7500 K.
pub const PRIOR_WINDOW: usize = 16;

/// Rounds of finding that power.
const PRIOR_ROUNDS: usize = 4;

/// Values of the four cubic B-splines that live on one knot interval, at fraction `t` in 0..=1 of it.
#[inline]
pub fn basis(t: f64) -> [f64; 4] {
    let s = 1.0 - t;
    let t2 = t * t;
    let s2 = s * s;
    [
        s2 * s / 6.0,
        2.0 / 3.0 - t2 * (1.0 - 0.5 * t),
        2.0 / 3.0 - s2 * (1.0 - 0.5 * s),
        t2 * t / 6.0,
    ]
}

/// Derivatives of [`basis`] with respect to `t`.
#[inline]
pub fn basis_slope(t: f64) -> [f64; 4] {
    let s = 1.0 - t;
    [
        -0.5 * s * s,
        -2.0 * t + 1.5 * t * t,
        2.0 * s - 1.5 * s * s,
        0.5 * t * t,
    ]
}

/// Uniform knots every `spacing` pixels over `n_pix` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knots {
    /// Pixels between knots.
    pub spacing: usize,
    /// Number of knot intervals.
    pub n_interval: usize,
}

impl Knots {
    /// Knots for `n_pix` >= 2 pixels.
    pub fn new(n_pix: usize, spacing: usize) -> Self {
        let spacing = spacing.max(1);
        Knots {
            spacing,
            n_interval: n_pix.saturating_sub(1).div_ceil(spacing).max(1),
        }
    }

    /// Number of coefficients.
    pub fn n_coefficient(self) -> usize {
        self.n_interval + 3
    }

    /// Interval that holds pixel position `x`, and the fraction of the way through it.
    #[inline]
    pub fn locate(self, x: f64) -> (usize, f64) {
        let t = x / self.spacing as f64;
        let i = (t as usize).min(self.n_interval - 1);
        (i, t - i as f64)
    }
}

/// Symmetric positive definite matrix with three off-diagonals: row i holds (i,i), (i,i+1), (i,i+2), (i,i+3).
type Band = Vec<[f64; 4]>;

/// Sums over pixels at any positions from which a spline is fitted; those of several spectra add.
#[derive(Clone, Debug)]
pub struct NormalEquations {
    matrix: Band,
    right: Vec<f64>,
}

impl NormalEquations {
    /// Of no pixel at all.
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
        self.matrix.clear();
        let rows = all.matrix.iter().zip(&part.matrix);
        self.matrix
            .extend(rows.map(|(a, p)| [a[0] - p[0], a[1] - p[1], a[2] - p[2], a[3] - p[3]]));
        self.right.clear();
        self.right
            .extend(all.right.iter().zip(&part.right).map(|(a, p)| a - p));
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
struct Phase {
    basis: [f64; 4],
    /// Row j: products of spline j with itself and those after it.
    products: [[f64; 4]; 4],
}

impl Phase {
    fn new(t: f64) -> Self {
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
fn sum_pixels(
    normal: &mut [[f64; 4]],
    right: &mut [f64],
    phases: &[Phase],
    flux: &[f64],
    ivar: &[f64],
) {
    let spacing = phases.len();
    // Of the coefficients of this interval; the first has no part in the next one.
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

/// Values of a spline at pixels 0, 1, 2 ... to the end of the last interval at least.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn evaluate(coefficients: &[f64], spacing: usize, out: &mut Vec<f64>) {
    const LANES: usize = 4;
    // Splines j at the pixels of an interval, its end among them; what lies beyond belongs to the next interval, which comes
    // later and writes over it.
    let at = |pixel: usize| basis((pixel as f64 / spacing as f64).min(1.0));
    let lanes = |from: usize| -> [[f64; LANES]; 4] {
        std::array::from_fn(|j| std::array::from_fn(|i| at(from + i)[j]))
    };
    let splines: Vec<_> = (0..=spacing).step_by(LANES).map(lanes).collect();
    let n_interval = coefficients.len().saturating_sub(3);
    out.clear();
    out.resize(n_interval * spacing + spacing + LANES, 0.0);
    for (i, c) in coefficients.windows(4).enumerate() {
        let blocks = out[i * spacing..].as_chunks_mut::<LANES>().0;
        for (out, b) in blocks.iter_mut().zip(&splines) {
            for l in 0..LANES {
                out[l] = (c[0] * b[0][l] + c[1] * b[1][l]) + (c[2] * b[2][l] + c[3] * b[3][l]);
            }
        }
    }
}

/// A fitted spline: coefficients, and the factor from which covariances come.
#[derive(Clone, Debug, Default)]
pub struct SplineFit {
    /// B-spline coefficients, [`Knots::n_coefficient`] of them.
    pub coefficients: Vec<f64>,
    /// Variances of the third differences that [`SplineFit::shrink`] found; empty before.
    pub prior: Vec<f64>,
    /// Normal matrix of the data alone.
    normal: Band,
    /// Right-hand side.
    right: Vec<f64>,
    /// L D L^T of the system: row i holds d_i, then L(i+1,i), L(i+2,i), L(i+3,i).
    factor: Band,
    /// Those of the last fit to pixels.
    phases: Vec<Phase>,
    solver: Twisted<4>,
}

impl SplineFit {
    /// Weighted least-squares fit of `flux` at pixels 0, 1, 2 ...; weights are `ivar`, 0 for pixels that do not count.
    /// The vectors are reused between calls. Returns false when no pixel counts (the spline is then 0).
    pub fn fit(&mut self, knots: Knots, flux: &[f64], ivar: &[f64]) -> bool {
        self.accumulate(knots, flux, ivar);
        self.least_squares()
    }

    /// The coefficients of [`SplineFit::fit`] alone, in less time: no covariances can be had from it.
    pub fn fit_coefficients(&mut self, knots: Knots, flux: &[f64], ivar: &[f64]) -> bool {
        self.accumulate(knots, flux, ivar);
        let is_fit = self.set_up_least_squares();
        if is_fit {
            self.solver.solve(&self.factor, &mut self.coefficients);
        }
        is_fit
    }

    /// Values of the spline at the pixels of the last fit and a few more, into `out`.
    pub fn evaluate(&self, knots: Knots, out: &mut Vec<f64>) {
        evaluate(&self.coefficients, knots.spacing, out);
    }

    /// The same fit to pixels that were summed before.
    pub fn fit_sums(&mut self, sums: &NormalEquations) -> bool {
        self.take_sums(sums);
        self.least_squares()
    }

    /// The most probable spline for these sums and a `prior` that was found before, from other sums of the same star.
    pub fn fit_with_prior(&mut self, sums: &NormalEquations, prior: &[f64]) {
        self.take_sums(sums);
        self.most_probable(prior);
    }

    fn take_sums(&mut self, sums: &NormalEquations) {
        self.normal.clone_from(&sums.matrix);
        self.right.clone_from(&sums.right);
    }

    fn least_squares(&mut self) -> bool {
        let is_fit = self.set_up_least_squares();
        if is_fit {
            self.factorize();
            self.solve();
        }
        is_fit
    }

    /// The system in `factor` and `coefficients`, before it is solved.
    fn set_up_least_squares(&mut self) -> bool {
        let n_coefficient = self.normal.len();
        self.prior.clear();
        let mean_diagonal =
            self.normal.iter().map(|row| row[0]).sum::<f64>() / n_coefficient as f64;
        self.coefficients.clear();
        if !(mean_diagonal > 0.0 && mean_diagonal.is_finite()) {
            self.coefficients.resize(n_coefficient, 0.0);
            return false;
        }
        self.factor.clone_from(&self.normal);
        let weight = GAP_PENALTY * mean_diagonal;
        add_penalty::<3>(&mut self.factor, SECOND_DIFFERENCE, |_| weight);
        // A ridge far below the penalty, so that even a single good pixel gives a positive definite system.
        for row in &mut self.factor {
            row[0] += 1e-6 * weight;
        }
        self.coefficients.extend_from_slice(&self.right);
        true
    }

    /// After [`SplineFit::fit`]: the most probable spline when the third differences of the coefficients have a normal
    /// distribution whose variance is that of the spectrum around them, found from the spectrum itself.
    ///
    /// Where the star has no lines the spline becomes stiff, where it has lines it follows them: the Wiener filter of a
    /// spectrum whose power changes along the wavelength. The variance is that of greatest evidence (MacKay 1992), taken over
    /// `window` coefficients on either side.
    pub fn shrink(&mut self, window: usize) {
        let n = self.coefficients.len();
        if n < 8 {
            return;
        }
        let mut square = vec![0.0; n - 3];
        let mut variance = vec![0.0; n - 3];
        // Without a prior each difference counts whole: the first guess takes their squares as they are.
        let mut prior: Vec<f64> = Vec::new();
        for round in 0..=PRIOR_ROUNDS {
            let covariance = self.covariance_band();
            for r in 0..n - 3 {
                let c = &self.coefficients[r..r + 4];
                square[r] = (c[3] - 3.0 * c[2] + 3.0 * c[1] - c[0]).powi(2);
                variance[r] = quadratic_form(&covariance, r, &THIRD_DIFFERENCE);
            }
            let floor = 1e-12 + 1e-3 * variance.iter().fold(f64::INFINITY, |a, b| a.min(*b));
            let known: Vec<f64> = match round {
                0 => vec![1.0; n - 3],
                _ => variance
                    .iter()
                    .zip(&prior)
                    .map(|(v, p)| (1.0 - v / p).clamp(0.0, 1.0))
                    .collect(),
            };
            prior = ratio_of_window_sums(&square, &known, window, floor);
            self.most_probable(&prior);
        }
        self.prior = prior;
    }

    fn most_probable(&mut self, prior: &[f64]) {
        self.factor.clone_from(&self.normal);
        add_penalty::<4>(&mut self.factor, THIRD_DIFFERENCE, |r| 1.0 / prior[r]);
        self.coefficients.clone_from(&self.right);
        self.factorize();
        self.solve();
    }

    fn accumulate(&mut self, knots: Knots, flux: &[f64], ivar: &[f64]) {
        let n_coefficient = knots.n_coefficient();
        self.right.clear();
        self.right.resize(n_coefficient, 0.0);
        self.normal.clear();
        self.normal.resize(n_coefficient, [0.0; 4]);
        self.phases.clear();
        let phase = |p| Phase::new(p as f64 / knots.spacing as f64);
        self.phases.extend((0..knots.spacing).map(phase));
        sum_pixels(&mut self.normal, &mut self.right, &self.phases, flux, ivar);
    }

    fn factorize(&mut self) {
        let n = self.factor.len();
        for i in 0..n {
            let [d, a, b, c] = self.factor[i];
            let inverse = 1.0 / d;
            let l = [a * inverse, b * inverse, c * inverse];
            self.factor[i] = [d, l[0], l[1], l[2]];
            if i + 3 < n {
                let [_, r1, r2, r3] = &mut self.factor[i..i + 4] else {
                    continue;
                };
                r1[0] -= l[0] * a;
                r1[1] -= l[0] * b;
                r1[2] -= l[0] * c;
                r2[0] -= l[1] * b;
                r2[1] -= l[1] * c;
                r3[0] -= l[2] * c;
            } else {
                let off = [a, b, c];
                for j in 1..=3 {
                    for k in j..=3 {
                        if i + k < n {
                            self.factor[i + j][k - j] -= l[j - 1] * off[k - 1];
                        }
                    }
                }
            }
        }
    }

    fn solve(&mut self) {
        let n = self.factor.len();
        let x = &mut self.coefficients;
        for i in 0..n {
            let xi = x[i];
            for j in 1..=3.min(n - 1 - i) {
                x[i + j] -= self.factor[i][j] * xi;
            }
        }
        for i in (0..n).rev() {
            let mut sum = x[i] / self.factor[i][0];
            for j in 1..=3.min(n - 1 - i) {
                sum -= self.factor[i][j] * x[i + j];
            }
            x[i] = sum;
        }
    }

    /// The band of the coefficients' covariance (inverse of the normal matrix), in the same storage:
    /// the recurrence of Takahashi, from the last row up.
    pub fn covariance_band(&self) -> Vec<[f64; 4]> {
        let n = self.factor.len();
        let mut z = vec![[0.0; 4]; n];
        let at = |z: &Band, i: usize, j: usize| if i <= j { z[i][j - i] } else { z[j][i - j] };
        for i in (0..n).rev() {
            let reach = 3.min(n - 1 - i);
            for j in (1..=reach).rev() {
                let sum: f64 = (1..=reach)
                    .map(|k| self.factor[i][k] * at(&z, i + k, i + j))
                    .sum();
                z[i][j] = -sum;
            }
            let sum: f64 = (1..=reach).map(|k| self.factor[i][k] * z[i][k]).sum();
            z[i][0] = 1.0 / self.factor[i][0] - sum;
        }
        z
    }
}

/// Adds `weight(r)` times the square of difference r of the coefficients, to a normal matrix.
fn add_penalty<const N: usize>(
    matrix: &mut Band,
    difference: [f64; N],
    weight: impl Fn(usize) -> f64,
) {
    for r in 0..(matrix.len() + 1).saturating_sub(N) {
        let w = weight(r);
        for j in 0..N {
            for k in j..N {
                matrix[r + j][k - j] += w * difference[j] * difference[k];
            }
        }
    }
}

/// Sum of `a` over sum of `b`, both within `reach` of each place, at least `floor`.
fn ratio_of_window_sums(a: &[f64], b: &[f64], reach: usize, floor: f64) -> Vec<f64> {
    let n = a.len();
    let mut sums = vec![(0.0, 0.0); n + 1];
    for i in 0..n {
        sums[i + 1] = (sums[i].0 + a[i], sums[i].1 + b[i]);
    }
    (0..n)
        .map(|i| {
            let (low, high) = (sums[i.saturating_sub(reach)], sums[(i + reach + 1).min(n)]);
            ((high.0 - low.0) / (high.1 - low.1).max(1e-3)).max(floor)
        })
        .collect()
}

/// Quadratic form b^T C b for the four coefficients that start at `first`.
#[inline]
pub fn quadratic_form(covariance: &[[f64; 4]], first: usize, b: &[f64; 4]) -> f64 {
    let mut sum = 0.0;
    for j in 0..4 {
        let row = &covariance[first + j];
        sum += b[j] * b[j] * row[0];
        for k in j + 1..4 {
            sum += 2.0 * b[j] * b[k] * row[k - j];
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(fit: &SplineFit, knots: Knots, x: f64) -> f64 {
        let (i, t) = knots.locate(x);
        basis(t)
            .iter()
            .zip(&fit.coefficients[i..])
            .map(|(b, c)| b * c)
            .sum()
    }

    #[test]
    fn basis_sums_to_one_and_slope_is_its_derivative() {
        for t in [0.0, 0.1, 0.37, 0.5, 0.99, 1.0] {
            assert!((basis(t).iter().sum::<f64>() - 1.0).abs() < 1e-15);
            for j in 0..4 {
                let h = 1e-6;
                let numeric = (basis(t + h)[j] - basis(t - h)[j]) / (2.0 * h);
                assert!((basis_slope(t)[j] - numeric).abs() < 1e-8, "t {t} j {j}");
            }
        }
    }

    #[test]
    fn cubics_are_reproduced_on_any_number_of_pixels() {
        for n in [12, 13, 14, 300] {
            let knots = Knots::new(n, 3);
            let cubic = |x: f64| 1.0 + 0.02 * x - 3e-4 * x * x + 1e-6 * x * x * x;
            let flux: Vec<f64> = (0..n).map(|i| cubic(i as f64)).collect();
            let ivar: Vec<f64> = (0..n)
                .map(|i| {
                    if i % 7 == 3 {
                        0.0
                    } else {
                        2.0 + (i % 5) as f64
                    }
                })
                .collect();
            let mut fit = SplineFit::default();
            assert!(fit.fit(knots, &flux, &ivar));
            for x in [0.0, 1.5, 7.3, (n - 1) as f64] {
                assert!(
                    (evaluate(&fit, knots, x) - cubic(x)).abs() < 1e-5,
                    "n {n} x {x}"
                );
            }
        }
    }

    #[test]
    fn the_fast_fit_and_its_values_are_those_of_the_plain_one() {
        for spacing in 1..8 {
            for n in [12, 29, 30, 31, 300] {
                let knots = Knots::new(n, spacing);
                let flux: Vec<f64> = (0..n).map(|i| 1.0 + (0.7 * i as f64).sin()).collect();
                let ivar: Vec<f64> = (0..n).map(|i| (i % 7) as f64).collect();
                let (mut plain, mut fast) = (SplineFit::default(), SplineFit::default());
                let mut sums = NormalEquations::new(knots);
                let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
                sums.add_pixels(knots, &x, &flux, &ivar);
                assert!(plain.fit_sums(&sums) && fast.fit_coefficients(knots, &flux, &ivar));
                let mut values = Vec::new();
                fast.evaluate(knots, &mut values);
                for (i, value) in values.iter().take(n).enumerate() {
                    let expected = evaluate(&plain, knots, i as f64);
                    assert!(
                        (value - expected).abs() < 1e-8,
                        "{spacing} {n} {i}: {value} {expected}"
                    );
                }
                assert!(values.len() >= n);
            }
        }
    }

    #[test]
    fn sums_over_pixels_anywhere_are_those_of_the_pixels() {
        let n = 100;
        let knots = Knots::new(n, 3);
        let flux: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * (i as f64).sin()).collect();
        let ivar: Vec<f64> = (0..n).map(|i| (i % 5) as f64).collect();
        let mut fit = SplineFit::default();
        fit.fit(knots, &flux, &ivar);
        // In two parts, and with what does not count.
        let mut sums = NormalEquations::new(knots);
        let mut rest = NormalEquations::new(knots);
        let mut x: Vec<f64> = (0..n).map(|i| i as f64).collect();
        sums.add_pixels(knots, &x[..37], &flux[..37], &ivar[..37]);
        rest.add_pixels(knots, &x[37..], &flux[37..], &ivar[37..]);
        let first = sums.clone();
        sums.add(&rest);
        x = vec![f64::NAN, -0.1, 1e9];
        sums.add_pixels(knots, &x, &[1e9; 3], &[1.0; 3]);
        let mut of_sums = SplineFit::default();
        assert!(of_sums.fit_sums(&sums));
        for (a, b) in fit.coefficients.iter().zip(&of_sums.coefficients) {
            assert!((a - b).abs() < 1e-10, "{a} {b}");
        }
        let mut difference = NormalEquations::new(knots);
        difference.set_difference(&sums, &rest);
        for (a, b) in difference.right.iter().zip(&first.right) {
            assert!((a - b).abs() < 1e-10);
        }
    }

    #[test]
    fn gaps_are_bridged_and_empty_input_gives_zero() {
        let n = 200;
        let knots = Knots::new(n, 3);
        let mut ivar = vec![1.0; n];
        ivar[80..120].fill(0.0);
        let mut fit = SplineFit::default();
        assert!(fit.fit(knots, &vec![1.0; n], &ivar));
        assert!((evaluate(&fit, knots, 100.0) - 1.0).abs() < 1e-2);
        assert!(!fit.fit(knots, &vec![1.0; n], &vec![0.0; n]));
        assert_eq!(evaluate(&fit, knots, 50.0), 0.0);
    }

    #[test]
    fn covariance_is_the_inverse_of_the_normal_matrix() {
        let n = 60;
        let knots = Knots::new(n, 3);
        let ivar: Vec<f64> = (0..n).map(|i| 1.0 + 0.3 * (i as f64).sin()).collect();
        let mut fit = SplineFit::default();
        fit.fit(knots, &vec![0.0; n], &ivar);
        let covariance = fit.covariance_band();
        // Column j of the inverse by solving with a unit vector.
        for j in 0..knots.n_coefficient() {
            let mut unit = fit.clone();
            unit.coefficients.fill(0.0);
            unit.coefficients[j] = 1.0;
            unit.solve();
            for i in j.saturating_sub(3)..=j {
                let expected = unit.coefficients[i];
                assert!(
                    (covariance[i][j - i] - expected).abs() < 1e-10 * covariance[j][0],
                    "({i}, {j})"
                );
            }
        }
    }
}
