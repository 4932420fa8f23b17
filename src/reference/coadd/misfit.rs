//! How an exposure differs from the coadd of the others, measured so that a wrong size of the noise (quoted variances are off by 10 to
//! 25 % in public files) does not count as a difference.

use multiversion::multiversion;

use super::view::{LANES, lanes};
use crate::spectrum::normalize::Normalized;

/// Pieces of the window whose velocities are compared.
pub(super) const PIECES: usize = 12;

/// Distance of two residuals whose product tells a misfit from noise, in widths of the line-spread function. What comes through the
/// spectrograph is wider than that, so both have it, while the noise of two pixels is independent. It is two pixels at least, because
/// the noise of the coadd, a spline, is alike in neighbouring pixels.
const MISFIT_LAG: f64 = 1.0 / 3.0;
const MISFIT_LEAST_PIXELS: usize = 2;

/// Residuals beyond this are cut to it in the misfit, so that a single defect does not make one. Chosen by hand.
const MISFIT_MOST_SIGMA: f64 = 6.0;

/// How an exposure differs from the coadd of the others, the errors holding [`MODEL_SIGMA`](crate::spectrum::MODEL_SIGMA).
#[derive(Clone, Copy, Debug)]
pub struct Misfit {
    /// Mean product of residuals a third of the line-spread function's width apart, in units of their variance. Its expectation is 0 for
    /// noise of any size.
    pub smooth: f64,
    /// Standard deviation of `smooth` for pure noise.
    pub smooth_sigma: f64,
    /// By how much its lines are deeper than the others'.
    pub depth: f64,
    /// Error of `depth`.
    pub depth_sigma: f64,
    /// chi^2 of the velocities of its pieces about their mean, the pixels' errors being those of the noise alone.
    pub pieces_chi2: f64,
    /// Its degrees of freedom.
    pub pieces_dof: f64,
    /// The same, reduced, with [`MODEL_SIGMA`](crate::spectrum::MODEL_SIGMA) added to the pixels' errors.
    pub pieces_chi2_model: f64,
    /// Share of sunlight in it, less that in the others, and its error; 0 and infinite where that was not looked for.
    pub sunlight: f64,
    pub sunlight_sigma: f64,
    /// By how much that moves its velocity, km/s.
    pub sunlight_rv_km_s: f64,
    /// Mean squared slope of the others' coadd, (km/s)^-2.
    pub slope2: f64,
    /// Standard deviation of its residuals from pixel to pixel over the quoted one; NaN where there are too few.
    pub noise_scale: f64,
}

impl Default for Misfit {
    fn default() -> Self {
        Misfit {
            smooth: 0.0,
            smooth_sigma: 0.0,
            depth: 0.0,
            depth_sigma: 0.0,
            pieces_chi2: 0.0,
            pieces_dof: 0.0,
            pieces_chi2_model: 0.0,
            sunlight: 0.0,
            sunlight_sigma: f64::INFINITY,
            sunlight_rv_km_s: 0.0,
            slope2: f64::NAN,
            noise_scale: f64::NAN,
        }
    }
}

/// sum f' r / S and sum f'^2 / S of one piece of the window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Piece {
    pub gradient: f64,
    pub slope2: f64,
}

/// chi^2 of the pieces' velocities about their mean, and its degrees of freedom.
pub(super) fn pieces_chi2(pieces: &[Piece; PIECES]) -> (f64, f64) {
    let gradient: f64 = pieces.iter().map(|p| p.gradient).sum();
    let slope2: f64 = pieces.iter().map(|p| p.slope2).sum();
    let mean = gradient / slope2;
    let known = pieces.iter().filter(|p| p.slope2 > 1e-3 * slope2);
    let (mut chi2, mut n) = (0.0, 0usize);
    for piece in known {
        chi2 += (piece.gradient - mean * piece.slope2).powi(2) / piece.slope2;
        n += 1;
    }
    (chi2, (n as f64 - 1.0).max(0.0))
}

/// Sums for a fit of the residuals by a multiple of the lines and a constant, which allows for a difference of the continua.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Depth {
    pub weight: f64,
    pub line: f64,
    pub line2: f64,
    pub residual: f64,
    pub product: f64,
}

impl Depth {
    /// The part of the lines, and its error.
    pub fn solve(&self) -> (f64, f64) {
        let mean = self.line / self.weight;
        let power = self.line2 - mean * self.line;
        (
            (self.product - mean * self.residual) / power,
            power.powf(-0.5),
        )
    }
}

/// Squared differences of neighbouring residuals, in units of their variance, are cut to this (3.5 sigma): a defect is no noise.
pub(super) const NOISE_MOST2: f64 = 12.25;

/// From fewer differences the scale of the noise is not formed. From so many it is good to 5 %.
const FEWEST_DIFFERENCES: usize = 200;

/// Noise over quoted noise, from `n` squared differences of neighbours.
pub(super) fn noise_scale(squares: f64, n: usize) -> f64 {
    match n < FEWEST_DIFFERENCES {
        true => f64::NAN,
        false => (squares / n as f64).sqrt(),
    }
}

/// [`Misfit::smooth`] of the residuals `z` within the window, and its standard deviation for pure noise.
pub(super) fn smooth(exposure: &Normalized, z: &[f64]) -> (f64, f64) {
    let window = exposure.band.ln_window();
    let lag = (MISFIT_LAG * exposure.band.lsf_pixels).round() as usize;
    let lag = lag.max(MISFIT_LEAST_PIXELS);
    let first = exposure.ln_wave.partition_point(|l| *l < window.0);
    let end = exposure.ln_wave.partition_point(|l| *l <= window.1);
    let z = &z[first..end.max(first)];
    let [products, n] = sum_products(z, z.get(lag..).unwrap_or_default());
    (products / n, n.powf(-0.5))
}

/// Sum of the products of residuals, cut to [`MISFIT_MOST_SIGMA`], and the number of pairs of which both count.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn sum_products(a: &[f64], b: &[f64]) -> [f64; 2] {
    let n = a.len().min(b.len());
    let mut sums = [[0.0f64; LANES]; 2];
    let held = |z: f64| z.clamp(-MISFIT_MOST_SIGMA, MISFIT_MOST_SIGMA);
    for start in (0..n).step_by(LANES) {
        let (a, b) = (lanes(a, start, n), lanes(b, start, n));
        for l in 0..LANES {
            sums[0][l] += held(a[l]) * held(b[l]);
            sums[1][l] += if a[l] != 0.0 && b[l] != 0.0 { 1.0 } else { 0.0 };
        }
    }
    sums.map(|lanes| lanes.iter().sum())
}
