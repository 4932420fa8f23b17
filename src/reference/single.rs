//! The star's best exposure as a band-limited function of wavelength.
//!
//! Only this side is ever interpolated, and it is smooth: the observed pixels stay where they are. Interpolating a
//! noisy spectrum averages neighbouring noise and makes chi^2 drop at half-pixel shifts, which pulls velocities to
//! +-half a pixel (3 km/s); `docs/method.md` shows it.

use std::ops::Range;

use super::response::{Fits, noise_share, response};
use crate::C_KM_S;
use crate::spectrum::normalize::Normalized;
use crate::spline::bspline::{
    Knots, PRIOR_WINDOW, SplineFit, basis, basis_slope, dot, powers, quadratic_form,
};

/// Standard deviation that is given to the reference in a gap, because a line may hide there, in units of the continuum: for each pixel
/// of distance to the nearest good one, and at most. Chosen by hand.
const GAP_SIGMA: (f64, f64) = (0.05, 0.5);

/// A wider gap, in pixels, ends the reference; the longest stretch without one is used. Chosen by hand.
const MAX_GAP_PIXELS: usize = 60;

/// The reference as a function of wavelength.
#[derive(Clone, Debug)]
pub struct Reference {
    ln_wave: Vec<f64>,
    knots: Knots,
    /// B-spline coefficients of the flux, and the band of their covariance.
    coefficients: Vec<f64>,
    covariance: Vec<[f64; 4]>,
    /// B-spline coefficients of the smooth per-pixel variance.
    variance: Vec<f64>,
    /// First and last pixel between which the reference is known.
    covered: (usize, usize),
    /// Reduced chi^2 of the spline about the reference's own pixels.
    pub fit_chi2_red: f64,
    /// Share of its squared slope that is the star's (`super::response`), 0.1..=1.
    pub response: f64,
}

/// What a reference is made of: cubic B-splines, and where the pixels lie on which their knots are.
#[cfg(feature = "gpu")]
#[derive(Clone, Copy, Debug)]
pub struct Splines<'a> {
    /// ln wavelength of the pixels.
    pub ln_wave: &'a [f64],
    /// Where the knots are, in pixels.
    pub knots: Knots,
    /// Coefficients of the flux.
    pub flux: &'a [f64],
    /// Coefficients of the smooth per-pixel variance.
    pub variance: &'a [f64],
    /// Covariances of each flux coefficient with itself and the next three.
    pub covariance: &'a [[f64; 4]],
    /// First and last pixel between which the reference is known.
    pub covered: (usize, usize),
}

/// The reference at one wavelength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceValue {
    /// Flux, in units of the continuum.
    pub flux: f64,
    /// d flux / d v in 1/(km/s) for a redshift v of the reference (the sign of -d flux / d ln wavelength).
    pub slope: f64,
    /// Per-pixel variance of the reference exposure (sigma_ref^2 of Eq. 3), smooth in wavelength.
    pub pixel_variance: f64,
    /// Variance of `flux` from the spline fit.
    pub flux_variance: f64,
    /// Variance of `slope` from the spline fit.
    pub slope_variance: f64,
}

impl Reference {
    /// Fits the spline with knots every `spacing` pixels. None when no pixel is good.
    pub fn new(exposure: &Normalized, spacing: usize) -> Option<Self> {
        let n = exposure.flux.len();
        if n < 4 * spacing.max(1) {
            return None;
        }
        let knots = Knots::new(n, spacing);
        let mut fit = SplineFit::default();
        if !fit.fit(knots, &exposure.flux, &exposure.ivar) {
            return None;
        }
        let least_squares = fit.coefficients.clone();
        fit.shrink(PRIOR_WINDOW);
        let covered = longest_covered(&exposure.ivar)?;
        let (coefficients, covariance) = fit.into_parts();
        let variance = smooth_variance(knots, &exposure.ivar);
        let fits = Fits {
            knots,
            least_squares: &least_squares,
            shrunk: &coefficients,
            covariance: &covariance,
        };
        let share = noise_share(&exposure.band, &exposure.ln_wave, &exposure.ivar, &fits);
        let mut reference = Reference {
            ln_wave: exposure.ln_wave.clone(),
            knots,
            coefficients,
            covariance,
            variance,
            covered,
            fit_chi2_red: f64::NAN,
            response: response(share),
        };
        let (mut chi2, mut n_good) = (0.0, 0usize);
        let phases = knots.phases(basis);
        for i in (0..n).filter(|i| exposure.ivar[*i] > 0.0) {
            let (interval, phase) = knots.phase_of(i);
            let flux = dot(&phases[phase].factors, &reference.coefficients[interval..]);
            chi2 += exposure.ivar[i] * (exposure.flux[i] - flux).powi(2);
            n_good += 1;
        }
        reference.fit_chi2_red = chi2 / (n_good as f64 - n as f64 / spacing as f64).max(1.0);
        Some(reference)
    }

    /// A spline that was fitted elsewhere, with what `ivar` the pixels of `ln_wave` have in all that it was fitted to, and its
    /// [`Reference::response`]. None where no pixel has any.
    pub(super) fn of_fit(
        ln_wave: &[f64],
        knots: Knots,
        fit: SplineFit,
        ivar: &[f64],
        response: f64,
    ) -> Option<Self> {
        let (coefficients, covariance) = fit.into_parts();
        Some(Reference {
            covered: longest_covered(ivar)?,
            coefficients,
            covariance,
            variance: smooth_variance(knots, ivar),
            ln_wave: ln_wave.to_vec(),
            knots,
            fit_chi2_red: f64::NAN,
            response,
        })
    }

    /// What it is made of.
    #[cfg(feature = "gpu")]
    pub fn splines(&self) -> Splines<'_> {
        Splines {
            ln_wave: &self.ln_wave,
            knots: self.knots,
            flux: &self.coefficients,
            variance: &self.variance,
            covariance: &self.covariance,
            covered: self.covered,
        }
    }

    /// ln wavelength of the first and last pixel between which the reference is known.
    pub fn coverage(&self) -> (f64, f64) {
        (self.ln_wave[self.covered.0], self.ln_wave[self.covered.1])
    }

    /// Everything about the reference at `ln_wave`, which must lie within [`Reference::coverage`] (it is clamped).
    #[cfg(feature = "lab")]
    pub fn at(&self, ln_wave: f64) -> ReferenceValue {
        let i = self
            .ln_wave
            .partition_point(|l| *l <= ln_wave)
            .clamp(1, self.ln_wave.len() - 1)
            - 1;
        self.at_position(i, ln_wave)
    }

    /// Values at `n` wavelengths, the first at `ln_wave`, then every `step`; as [`Reference::at`] but without search.
    pub fn sample(
        &self,
        ln_wave: f64,
        step: f64,
        n: usize,
        mut use_value: impl FnMut(usize, ReferenceValue),
    ) {
        let mut i = 0;
        for k in 0..n {
            let l = ln_wave + k as f64 * step;
            while i + 2 < self.ln_wave.len() && self.ln_wave[i + 1] <= l {
                i += 1;
            }
            use_value(k, self.at_position(i, l));
        }
    }

    /// Variances of fitted flux and slope alone at `n` wavelengths, the first at `ln_wave`, then every `step`.
    pub fn sample_variances(
        &self,
        ln_wave: f64,
        step: f64,
        n: usize,
        mut use_values: impl FnMut(f64, f64),
    ) {
        let spacing = self.knots.spacing as f64;
        let last = self.ln_wave.len() - 1;
        let (mut i, mut pixels_per_ln) = (0, 1.0 / (self.ln_wave[1] - self.ln_wave[0]));
        for k in 0..n {
            let l = ln_wave + k as f64 * step;
            while i + 1 < last && self.ln_wave[i + 1] <= l {
                i += 1;
                pixels_per_ln = 1.0 / (self.ln_wave[i + 1] - self.ln_wave[i]);
            }
            let x = (i as f64 + (l - self.ln_wave[i]) * pixels_per_ln).clamp(0.0, last as f64);
            let (interval, t) = self.knots.locate(x);
            let to_velocity = pixels_per_ln / (spacing * C_KM_S);
            use_values(
                quadratic_form(&self.covariance, interval, &basis(t)),
                quadratic_form(&self.covariance, interval, &basis_slope(t))
                    * to_velocity
                    * to_velocity,
            );
        }
    }

    /// Flux and per-pixel variance alone at `n` wavelengths, the first at `ln_wave`, then every `step`.
    ///
    /// Knots lie on pixels, so between two pixels both are one cubic each.
    pub fn sample_flux(
        &self,
        ln_wave: f64,
        step: f64,
        n: usize,
        mut use_value: impl FnMut(usize, f64, f64),
    ) {
        let last = self.ln_wave.len() - 2;
        let spacing = self.knots.spacing as f64;
        let mut k = 0;
        for i in 0..=last {
            let (from, to) = (self.ln_wave[i], self.ln_wave[i + 1]);
            let pixels_per_ln = 1.0 / (to - from);
            let (interval, t0) = self.knots.locate(i as f64);
            let flux = cubic(&four(&self.coefficients, interval), t0, 1.0 / spacing);
            let variance = cubic(&four(&self.variance, interval), t0, 1.0 / spacing);
            let mut x = (ln_wave + k as f64 * step - from) * pixels_per_ln;
            let dx = step * pixels_per_ln;
            // What lies before the first or beyond the last pixel gets the value there.
            while k < n && (x <= 1.0 || i == last) {
                let x_in = x.clamp(0.0, 1.0);
                use_value(k, horner(&flux, x_in), horner(&variance, x_in));
                k += 1;
                x += dx;
            }
        }
    }

    /// Knot interval and fraction at `ln_wave`, which lies near pixel `i`; and pixels per unit of ln wavelength.
    /// Within a pixel the position is linear in ln wavelength to 1e-5 pixels.
    #[inline]
    fn locate(&self, i: usize, ln_wave: f64) -> ((usize, f64), f64) {
        let pixels_per_ln = 1.0 / (self.ln_wave[i + 1] - self.ln_wave[i]);
        let x = i as f64 + (ln_wave - self.ln_wave[i]) * pixels_per_ln;
        (
            self.knots
                .locate(x.clamp(0.0, (self.ln_wave.len() - 1) as f64)),
            pixels_per_ln,
        )
    }

    fn at_position(&self, i: usize, ln_wave: f64) -> ReferenceValue {
        let ((interval, t), pixels_per_ln) = self.locate(i, ln_wave);
        let b = basis(t);
        let db = basis_slope(t);
        let to_velocity = -pixels_per_ln / (self.knots.spacing as f64 * C_KM_S);
        let c = &self.coefficients[interval..];
        ReferenceValue {
            flux: dot(&b, c),
            slope: dot(&db, c) * to_velocity,
            pixel_variance: dot(&b, &self.variance[interval..]),
            flux_variance: quadratic_form(&self.covariance, interval, &b),
            slope_variance: quadratic_form(&self.covariance, interval, &db)
                * to_velocity
                * to_velocity,
        }
    }
}

/// Coefficients by powers of x of the spline piece with B-spline coefficients `c`, at t = t0 + x dt.
fn cubic(c: &[f64; 4], t0: f64, dt: f64) -> [f64; 4] {
    let p = powers(c);
    [
        p[0] + t0 * (p[1] + t0 * (p[2] + t0 * p[3])),
        dt * (p[1] + t0 * (2.0 * p[2] + 3.0 * t0 * p[3])),
        dt * dt * (p[2] + 3.0 * t0 * p[3]),
        dt * dt * dt * p[3],
    ]
}

/// The four coefficients of an interval.
#[inline]
fn four(coefficients: &[f64], interval: usize) -> [f64; 4] {
    std::array::from_fn(|j| coefficients[interval + j])
}

#[inline]
fn horner(p: &[f64; 4], x: f64) -> f64 {
    p[0] + x * (p[1] + x * (p[2] + x * p[3]))
}

/// First and last pixel of the longest stretch without a gap of more than [`MAX_GAP_PIXELS`].
pub(super) fn longest_covered(ivar: &[f64]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    let mut keep_longer = |first: usize, last: usize| {
        if best.is_none_or(|(a, b)| last - first > b - a) {
            best = Some((first, last));
        }
    };
    let mut first = 0;
    for gap in gaps(ivar) {
        if gap.start > first && (gap.len() >= MAX_GAP_PIXELS || gap.end == ivar.len()) {
            keep_longer(first, gap.start - 1);
        }
        if gap.len() >= MAX_GAP_PIXELS || gap.start == 0 {
            first = gap.end;
        }
    }
    if ivar.last().is_some_and(|w| *w > 0.0) {
        keep_longer(first, ivar.len() - 1);
    }
    best.filter(|(first, last)| last > first)
}

/// Runs of pixels without weight.
fn gaps(ivar: &[f64]) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + ivar[from..].iter().position(|w| w.is_nan() || *w <= 0.0)?;
        let good = ivar[start..].iter().position(|w| *w > 0.0);
        from = good.map_or(ivar.len(), |n| start + n);
        Some(start..from)
    })
}

/// Coefficients of a B-spline that follows the per-pixel variance smoothly: each is the mean over the pixels within
/// one spacing of its centre. In gaps the variance is that of [`GAP_SIGMA`].
pub(super) fn smooth_variance(knots: Knots, ivar: &[f64]) -> Vec<f64> {
    let n = ivar.len();
    let mut variance: Vec<f64> = ivar.iter().map(|w| 1.0 / w).collect();
    for gap in gaps(ivar) {
        // The nearest good pixel before it, or the first one of all.
        let known = match gap.start.checked_sub(1) {
            Some(before) => variance[before],
            None => variance.get(gap.end).copied().unwrap_or(0.0),
        };
        for i in gap.clone() {
            let before = if gap.start == 0 { n } else { i + 1 - gap.start };
            let after = if gap.end == n { n } else { gap.end - i };
            let distance = before.min(after) as f64;
            let gap_sigma = (GAP_SIGMA.0 * distance).min(GAP_SIGMA.1);
            variance[i] = known + gap_sigma * gap_sigma;
        }
    }
    let spacing = knots.spacing;
    let mean = |c: usize| {
        // Coefficient c is centred on knot c - 1; beyond the ends the nearest pixels serve.
        let centre = (c * spacing).saturating_sub(spacing).min(n - 1);
        let start = centre.saturating_sub(spacing).min(n - 2);
        let end = (centre + spacing + 1).min(n);
        let pixels = &variance[start..end];
        let sum: f64 = match pixels.first_chunk::<7>() {
            // Knots every 3 pixels: the sum is written out, which takes a third of the time.
            Some([a, b, c, d, e, f, g]) if pixels.len() == 7 => ((a + b) + (c + d)) + ((e + f) + g),
            _ => pixels.iter().sum(),
        };
        sum / pixels.len() as f64
    };
    (0..knots.n_coefficient()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arm;

    fn exposure(n: usize, flux: impl Fn(f64) -> f64) -> Normalized {
        let ln_wave: Vec<f64> = (0..n)
            .map(|i| 8.77 + 1.8e-5 * i as f64 + 1e-10 * (i * i) as f64)
            .collect();
        Normalized {
            band: Arm::Red.band(),
            flux: ln_wave.iter().map(|l| flux(*l)).collect(),
            ivar: (0..n)
                .map(|i| 1e4 * (1.0 + 0.5 * (i as f64 / 500.0).sin()))
                .collect(),
            ln_wave,
            snr: 100.0,
            wave_as_stored: false,
            helio_rv_km_s: None,
        }
    }

    fn line(l: f64) -> f64 {
        1.0 - 0.6 * (-0.5 * ((l - 8.7855) / 5e-5).powi(2)).exp()
    }

    #[test]
    fn flux_slope_and_variance_follow_the_exposure() {
        let exposure = exposure(2000, line);
        let reference = Reference::new(&exposure, 3).unwrap();
        for k in 0..100 {
            let l = 8.7852 + 6e-6 * f64::from(k);
            let value = reference.at(l);
            // Knots every 3 pixels and the prior miss 2 % of the depth of an unresolved line.
            assert!(
                (value.flux - line(l)).abs() < 1.5e-2,
                "{l}: {} {}",
                value.flux,
                line(l)
            );
            let h = 1e-7;
            let numeric =
                -(reference.at(l + h).flux - reference.at(l - h).flux) / (2.0 * h * C_KM_S);
            assert!(
                (value.slope - numeric).abs() < 1e-4,
                "{} {numeric}",
                value.slope
            );
            let i = exposure.ln_wave.partition_point(|x| *x < l);
            assert!((value.pixel_variance * exposure.ivar[i] - 1.0).abs() < 0.02);
            let share = value.flux_variance / value.pixel_variance;
            assert!((0.25..0.45).contains(&share), "{share}");
        }
    }

    #[test]
    fn sampling_is_evaluating() {
        let exposure = exposure(2000, line);
        let reference = Reference::new(&exposure, 3).unwrap();
        reference.sample(8.78, 1.7e-6, 5000, |k, value| {
            let expected = reference.at(8.78 + k as f64 * 1.7e-6);
            assert!(
                (value.flux - expected.flux).abs() < 1e-12
                    && (value.slope - expected.slope).abs() < 1e-12
            );
        });
        let mut k = 0;
        reference.sample_variances(8.78, 1.7e-6, 5000, |flux, slope| {
            let expected = reference.at(8.78 + f64::from(k) * 1.7e-6);
            assert!((flux / expected.flux_variance - 1.0).abs() < 1e-9);
            assert!((slope / expected.slope_variance - 1.0).abs() < 1e-9);
            k += 1;
        });
        reference.sample_flux(8.78, 1.7e-6, 5000, |k, flux, variance| {
            let expected = reference.at(8.78 + k as f64 * 1.7e-6);
            assert!(
                (flux - expected.flux).abs() < 1e-9,
                "{k}: {flux} {}",
                expected.flux
            );
            assert!((variance - expected.pixel_variance).abs() < 1e-9);
        });
    }

    #[test]
    fn gaps_weigh_little_and_long_ones_end_the_coverage() {
        let mut exposure = exposure(2000, line);
        exposure.ivar[500..508].fill(0.0);
        exposure.ivar[1500..1600].fill(0.0);
        let reference = Reference::new(&exposure, 3).unwrap();
        let at = |i: usize| reference.at(exposure.ln_wave[i]).pixel_variance;
        assert!(at(504) > 50.0 * at(480), "{} {}", at(504), at(480));
        assert_eq!(
            reference.coverage(),
            (exposure.ln_wave[0], exposure.ln_wave[1499])
        );
    }
}
