//! Least-squares cubic B-splines on a spectrum's pixels: the band-limited view of what was observed.
//!
//! The line-spread function (FWHM about 6 pixels) smooths a star's spectrum so much that a spline with knots every 3 pixels can
//! follow all of it; what it cannot follow is a defect. The uniform knots sit at multiples of the spacing in pixel number, starting at
//! pixel 0.
//!
//! docs/method.md, section 5, has the equations, also those of the prior of [`SplineFit::shrink`].

mod normal_equations;
mod phases;

use multiversion::multiversion;

use super::twisted::Twisted;
pub use normal_equations::NormalEquations;
use normal_equations::{Band, Phase, difference, less_row, sum_pixels};
pub use phases::QuadraticForm;

/// Weight of the penalty on second differences of the coefficients, relative to the mean diagonal. It is so small that it matters only
/// where there is no good pixel: there it draws a straight line through the gap.
const GAP_PENALTY: f64 = 1e-6;

const SECOND_DIFFERENCE: [f64; 3] = [1.0, -2.0, 1.0];
const THIRD_DIFFERENCE: [f64; 4] = [-1.0, 3.0, -3.0, 1.0];

/// Coefficients on either side over which the power of the spectrum is taken in [`SplineFit::shrink`]: 50 pixels. It was chosen among
/// 8, 16 and 32 on simulated stars of 5800 and 7500 K.
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
        s2 * s * (1.0 / 6.0),
        2.0 / 3.0 - t2 * (1.0 - 0.5 * t),
        2.0 / 3.0 - s2 * (1.0 - 0.5 * s),
        t2 * t * (1.0 / 6.0),
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

/// Coefficients by powers of `t` of the spline piece on the interval on which these four B-splines live.
#[inline(always)]
pub fn powers(c: &[f64; 4]) -> [f64; 4] {
    [
        (c[0] + 4.0 * c[1] + c[2]) * (1.0 / 6.0),
        (c[2] - c[0]) * 0.5,
        (c[0] - 2.0 * c[1] + c[2]) * 0.5,
        (c[3] - 3.0 * c[2] + 3.0 * c[1] - c[0]) * (1.0 / 6.0),
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

/// Values of a spline at pixels 0, 1, 2 ... to the end of the last interval at least.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn evaluate(coefficients: &[f64], spacing: usize, out: &mut Vec<f64>) {
    const LANES: usize = 4;
    // Values of the four splines at the pixels of one interval, the pixel on its end included. Lanes beyond that are written too, but
    // the next interval, which comes later, writes over them.
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

/// A fitted spline: coefficients and their covariances.
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
    /// The system that was solved: normal matrix and prior.
    system: Band,
    /// The band of its inverse, where it was asked for.
    covariance: Band,
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
            self.solver.solve(&self.system, &mut self.coefficients);
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

    /// The coefficients of [`SplineFit::fit_with_prior`] alone, in less time, for the sums of `all` less those of `part`; the prior
    /// is in `all` ([`NormalEquations::with_prior`]). No covariances can be had from it.
    pub fn coefficients_without(&mut self, all: &NormalEquations, part: Option<&NormalEquations>) {
        match part {
            Some(part) => {
                difference(&mut self.system, &all.matrix, &part.matrix, less_row);
                difference(&mut self.coefficients, &all.right, &part.right, |a, p| {
                    a - p
                });
            }
            None => {
                self.system.clone_from(&all.matrix);
                self.coefficients.clone_from(&all.right);
            }
        }
        self.solver.solve(&self.system, &mut self.coefficients);
    }

    fn take_sums(&mut self, sums: &NormalEquations) {
        self.normal.clone_from(&sums.matrix);
        self.right.clone_from(&sums.right);
    }

    fn least_squares(&mut self) -> bool {
        let is_fit = self.set_up_least_squares();
        if is_fit {
            self.solve_and_invert();
        }
        is_fit
    }

    /// The system in `system` and `coefficients`, before it is solved.
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
        self.system.clone_from(&self.normal);
        let weight = GAP_PENALTY * mean_diagonal;
        add_penalty::<3>(&mut self.system, SECOND_DIFFERENCE, |_| weight);
        // A ridge far below the penalty, so that even a single good pixel gives a positive definite system.
        for row in &mut self.system {
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
        let form = QuadraticForm::new(&THIRD_DIFFERENCE);
        // In the first round there is no prior yet, and each squared difference counts fully (gamma = 1 in docs/method.md, (8)).
        let mut prior: Vec<f64> = Vec::new();
        for round in 0..=PRIOR_ROUNDS {
            for r in 0..n - 3 {
                let c = &self.coefficients[r..r + 4];
                square[r] = (c[3] - 3.0 * c[2] + 3.0 * c[1] - c[0]).powi(2);
                variance[r] = form.at(&self.covariance, r);
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
        self.system.clone_from(&self.normal);
        add_prior(&mut self.system, prior);
        self.coefficients.clone_from(&self.right);
        self.solve_and_invert();
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

    fn solve_and_invert(&mut self) {
        let SplineFit {
            solver,
            system,
            coefficients,
            covariance,
            ..
        } = self;
        solver.solve_and_invert(system, coefficients, covariance);
    }

    /// The band of the coefficients' covariance, the inverse of the system of the last fit (of one that was not of coefficients
    /// alone), in the same storage: row i holds (i,i), (i,i+1), (i,i+2), (i,i+3).
    pub fn covariance_band(&self) -> &[[f64; 4]] {
        &self.covariance
    }

    /// Coefficients and the band of their covariance.
    pub fn into_parts(self) -> (Vec<f64>, Vec<[f64; 4]>) {
        (self.coefficients, self.covariance)
    }
}

/// Adds what a prior of these variances of the third differences says of the coefficients.
fn add_prior(matrix: &mut Band, prior: &[f64]) {
    add_penalty::<4>(matrix, THIRD_DIFFERENCE, |r| 1.0 / prior[r]);
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

/// The spline with coefficients `c`, of which the first four count, where the four splines are `b`.
#[inline]
pub fn dot(b: &[f64; 4], c: &[f64]) -> f64 {
    b[0] * c[0] + b[1] * c[1] + b[2] * c[2] + b[3] * c[3]
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
mod tests;
