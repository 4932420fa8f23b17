//! One exposure against the coadd of the others: where it lies, how well that is known, and how it differs.

use super::clip::far_off;
use crate::C_KM_S;
use crate::spectrum::bspline::{Knots, basis, basis_slope};
use crate::spectrum::normalize::Normalized;
use crate::spectrum::reference::dot;

/// Error of the model itself, in units of the continuum: what the spline misses of sharp lines, the flat field's ripple, and
/// changes of the line-spread function. Added to the errors of clipping and of the comparison, not to those of velocities.
pub(super) const MODEL_SIGMA: f64 = 0.01;

/// Part of the pixels' variance that is left in the fitted flux, about; enough for clipping.
pub(super) const FLUX_VARIANCE_SHARE: f64 = 0.35;

/// Velocities are moved by no more than this in one round, km/s: a step is good as far as lines are straight.
const MAX_STEP_KM_S: f64 = 15.0;

/// Pieces of the window whose velocities are compared.
const PIECES: usize = 12;

/// Pixels between residuals whose product tells a misfit from noise: what comes through the spectrograph is as wide as the
/// line-spread function (6 pixels), and noise is white.
const MISFIT_LAG: usize = 2;

/// A residual counts no more than this in the misfit, so that a single defect does not make one.
const MISFIT_MOST_SIGMA: f64 = 6.0;

/// Sums over the window at the place where the exposure lies. S = sigma_t^2 + sigma_ref^2, f' = d f_ref / d v.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// sum f' r / S.
    pub gradient: f64,
    /// I = sum f'^2 / S.
    pub slope2: f64,
    /// sum f'^2 / sigma_t^2.
    pub information: f64,
    /// sum sigma_t^2 f'^2 / S^2.
    pub own_slope2: f64,
    /// sum V / S, V the variance of f'.
    pub slope_noise: f64,
    /// sum r^2 / (sigma_t^2 + variance of the fitted flux).
    pub chi2: f64,
    /// sum r^2 / S + ln S.
    pub ln_l: f64,
    /// Pixels that count.
    pub n_pix: usize,
}

/// How an exposure differs from the coadd of the others, the errors holding [`MODEL_SIGMA`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Misfit {
    /// Mean product of residuals two pixels apart, in units of the noise: what is no noise, however large that is.
    pub smooth: f64,
    /// Standard deviation of `smooth` for pure noise.
    pub smooth_sigma: f64,
    /// By how much its lines are deeper than the others'.
    pub depth: f64,
    /// Error of `depth`.
    pub depth_sigma: f64,
    /// Reduced chi^2 of the velocities of its pieces about their mean.
    pub pieces_chi2: f64,
    /// Standard deviation of its residuals from pixel to pixel over the quoted one; NaN where there are too few.
    pub noise_scale: f64,
}

/// An exposure against the coadd of the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweep {
    pub totals: Totals,
    pub misfit: Misfit,
    /// Residual of each pixel in sigma; 0 where there is none.
    pub z: Vec<f64>,
    /// Pixels that are off whatever the velocity.
    pub far: Vec<usize>,
}

impl Sweep {
    /// By how much its velocity is off, km/s.
    pub fn step_km_s(&self) -> f64 {
        let step = self.totals.gradient / self.totals.slope2;
        if step.is_finite() {
            step.clamp(-MAX_STEP_KM_S, MAX_STEP_KM_S)
        } else {
            0.0
        }
    }
}

/// The coadd of the others, as a sweep sees it.
pub(super) struct View<'a> {
    pub ln_wave: &'a [f64],
    pub knots: Knots,
    pub coefficients: &'a [f64],
    pub variance: &'a [f64],
    /// Variances of fitted flux and slope (per pixel of the scale) at each pixel of the scale, those of all exposures' coadd.
    pub spread: &'a [[f64; 2]],
    /// By how much they are larger without the exposure.
    pub spread_factor: f64,
    pub covered: (usize, usize),
}

impl View<'_> {
    fn flux(&self, x: f64) -> f64 {
        let (interval, t) = self.knots.locate(x);
        dot(&basis(t), &self.coefficients[interval..])
    }

    fn variance(&self, x: f64) -> f64 {
        let (interval, t) = self.knots.locate(x);
        dot(&basis(t), &self.variance[interval..])
    }
}

/// A sum for each piece of the window: gradient and curvature.
#[derive(Clone, Copy, Default)]
struct Piece {
    gradient: f64,
    slope2: f64,
}

/// Residuals as a part of the lines and a constant, which takes up what the continua differ by.
#[derive(Clone, Copy, Default)]
struct Depth {
    weight: f64,
    line: f64,
    line2: f64,
    residual: f64,
    product: f64,
}

impl Depth {
    fn add(&mut self, line: f64, residual: f64, weight: f64) {
        self.weight += weight;
        self.line += weight * line;
        self.line2 += weight * line * line;
        self.residual += weight * residual;
        self.product += weight * line * residual;
    }

    /// The part of the lines, and its error.
    fn solve(&self) -> (f64, f64) {
        let mean = self.line / self.weight;
        let power = self.line2 - mean * self.line;
        ((self.product - mean * self.residual) / power, power.powf(-0.5))
    }
}

/// Differences of neighbouring residuals, in which what is smooth hardly takes part: they tell the noise.
#[derive(Clone, Copy, Default)]
struct Noise {
    /// Pixel, residual and squared error of the pixel before.
    before: Option<(usize, f64, f64)>,
    squares: f64,
    n: usize,
}

impl Noise {
    /// A difference counts no more than this, in sigma: a defect is no noise.
    const MOST_SIGMA: f64 = 3.5;
    /// Fewer differences tell nothing (their scale is good to 5 % then).
    const FEWEST: usize = 200;

    fn add(&mut self, k: usize, residual: f64, noise2: f64) {
        if let Some((at, other, other2)) = self.before
            && at + 1 == k
        {
            let square = (residual - other).powi(2) / (noise2 + other2);
            self.squares += square.min(Self::MOST_SIGMA * Self::MOST_SIGMA);
            self.n += 1;
        }
        self.before = Some((k, residual, noise2));
    }

    fn scale(&self) -> f64 {
        match self.n < Self::FEWEST {
            true => f64::NAN,
            false => (self.squares / self.n as f64).sqrt(),
        }
    }
}

/// Compares `exposure`, whose pixels lie at `x`, with the others.
pub(super) fn sweep(exposure: &Normalized, x: &[f64], others: &View<'_>) -> Sweep {
    let (low_aa, high_aa) = exposure.arm.window_aa();
    let (low, high) = (low_aa.ln(), high_aa.ln());
    let (first, last) = (others.covered.0 as f64, others.covered.1 as f64);
    let spacing = others.knots.spacing as f64;
    let mut out = Sweep {
        z: vec![0.0; x.len()],
        ..Sweep::default()
    };
    let mut pieces = [Piece::default(); PIECES];
    let per_piece = PIECES as f64 / (high - low);
    let mut depth = Depth::default();
    let mut noise = Noise::default();
    let mut product = 1.0f64;
    let model2 = MODEL_SIGMA * MODEL_SIGMA;
    let (mut last_i, mut pixels_per_ln) = (usize::MAX, 0.0);
    for (k, z) in out.z.iter_mut().enumerate() {
        let ivar = exposure.ivar[k];
        if !(ivar > 0.0 && x[k] >= first && x[k] <= last) {
            continue;
        }
        let (interval, t) = others.knots.locate(x[k]);
        let b = basis(t);
        let flux = dot(&b, &others.coefficients[interval..]);
        let variance = dot(&b, &others.variance[interval..]);
        let residual = exposure.flux[k] - flux;
        let noise2 = 1.0 / ivar;
        let error2 = noise2 + FLUX_VARIANCE_SHARE * variance + model2;
        *z = residual / error2.sqrt();
        if exposure.ln_wave[k] < low || exposure.ln_wave[k] > high {
            continue;
        }
        let i = (x[k] as usize).min(others.ln_wave.len() - 2);
        if i != last_i {
            pixels_per_ln = 1.0 / (others.ln_wave[i + 1] - others.ln_wave[i]);
            last_i = i;
        }
        let to_velocity = pixels_per_ln / C_KM_S;
        let rise = dot(&basis_slope(t), &others.coefficients[interval..]);
        let slope = -rise * to_velocity / spacing;
        let s = noise2 + variance;
        let inverse = 1.0 / s;
        let slope2 = slope * slope * inverse;
        let totals = &mut out.totals;
        totals.gradient += slope * residual * inverse;
        totals.slope2 += slope2;
        totals.information += slope * slope * ivar;
        totals.own_slope2 += slope2 * noise2 * inverse;
        let [of_flux, of_slope] = others.spread[(x[k] + 0.5) as usize];
        let factor = others.spread_factor;
        totals.slope_noise += factor * of_slope * to_velocity * to_velocity * inverse;
        totals.chi2 += residual * residual / (noise2 + factor * of_flux);
        totals.ln_l += residual * residual * inverse;
        // One logarithm for eight pixels: S lies within 1e-8 and 1e6.
        product *= s;
        totals.n_pix += 1;
        if totals.n_pix.is_multiple_of(8) {
            totals.ln_l += product.ln();
            product = 1.0;
        }
        let with_model = 1.0 / (s + model2);
        let piece = ((exposure.ln_wave[k] - low) * per_piece) as usize;
        let piece = &mut pieces[piece.min(PIECES - 1)];
        piece.gradient += slope * residual * with_model;
        piece.slope2 += slope * slope * with_model;
        noise.add(k, residual, noise2);
        depth.add(flux - 1.0, residual, with_model);
    }
    out.totals.ln_l += product.ln();
    let (of_lines, depth_sigma) = depth.solve();
    out.misfit = Misfit {
        depth: of_lines,
        depth_sigma,
        pieces_chi2: pieces_chi2(&pieces),
        noise_scale: noise.scale(),
        ..smooth_misfit(exposure, &out.z, (low, high))
    };
    let middle = others.ln_wave.len() / 2;
    let pixel = others.ln_wave[middle] - others.ln_wave[middle - 1];
    out.far = far_off(&out.z, out.step_km_s() / (C_KM_S * pixel), |k, shift| {
        let noise2 = 1.0 / exposure.ivar[k];
        let error2 = noise2 + FLUX_VARIANCE_SHARE * others.variance(x[k]) + model2;
        others.flux((x[k] - shift).clamp(first, last)) / error2.sqrt()
    });
    out
}

/// Reduced chi^2 of the pieces' velocities about their mean, which has no weight of its own in it.
fn pieces_chi2(pieces: &[Piece; PIECES]) -> f64 {
    let gradient: f64 = pieces.iter().map(|p| p.gradient).sum();
    let slope2: f64 = pieces.iter().map(|p| p.slope2).sum();
    let mean = gradient / slope2;
    let known = pieces.iter().filter(|p| p.slope2 > 1e-3 * slope2);
    let (mut chi2, mut n) = (0.0, 0usize);
    for piece in known {
        chi2 += (piece.gradient - mean * piece.slope2).powi(2) / piece.slope2;
        n += 1;
    }
    chi2 / (n as f64 - 1.0).max(1.0)
}

/// What is smooth in the residuals, and what is noise in them.
fn smooth_misfit(exposure: &Normalized, z: &[f64], window: (f64, f64)) -> Misfit {
    let first = exposure.ln_wave.partition_point(|l| *l < window.0);
    let end = exposure.ln_wave.partition_point(|l| *l <= window.1);
    let z = &z[first..end.max(first)];
    let held = |z: f64| z.clamp(-MISFIT_MOST_SIGMA, MISFIT_MOST_SIGMA);
    let (mut products, mut n) = (0.0, 0usize);
    for (a, b) in z.iter().zip(z.get(MISFIT_LAG..).unwrap_or_default()) {
        if *a != 0.0 && *b != 0.0 {
            products += held(*a) * held(*b);
            n += 1;
        }
    }
    Misfit {
        smooth: products / n as f64,
        smooth_sigma: (n as f64).powf(-0.5),
        ..Misfit::default()
    }
}
