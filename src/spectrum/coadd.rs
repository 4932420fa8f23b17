//! A star's exposures laid over each other, each at its own velocity: a reference with less noise than the best of them.
//!
//! Pixels are put at their shifted places on the best exposure's scale, and the sums of the spline's normal equations add:
//! nothing noisy is interpolated, and the coadd without one exposure is the sum over the others. An exposure is always
//! compared with the coadd of the others, so that its own noise is on one side only.

mod clip;

use clip::{CLIP_MARGIN, Residuals, defects, far_off};

use super::bspline::{Knots, NormalEquations, PRIOR_WINDOW, SplineFit, basis, basis_slope};
use super::normalize::Normalized;
use super::reference::{Reference, dot, longest_covered, smooth_variance};
use super::response::{Fits, noise_share, response};
use crate::C_KM_S;

/// Error of the spline itself where lines are sharp, in units of the continuum; added to the errors of clipping.
const SPLINE_SIGMA: f64 = 0.01;

/// Part of the pixels' variance that is left in the fitted flux, about; enough for clipping.
const FLUX_VARIANCE_SHARE: f64 = 0.35;

/// Velocities are moved by no more than this in one round, km/s: a step is good as far as lines are straight.
const MAX_STEP_KM_S: f64 = 15.0;

/// What one exposure adds to the sums, where its velocity puts it.
#[derive(Clone, Debug)]
struct Part {
    /// Pixel positions on the best exposure's scale; NaN beyond its ends.
    x: Vec<f64>,
    sums: Sums,
}

/// Sums over exposures.
#[derive(Clone, Debug)]
struct Sums {
    equations: NormalEquations,
    /// Inverse variance at each pixel of the scale.
    ivar: Vec<f64>,
}

impl Sums {
    fn new(knots: Knots, n: usize) -> Self {
        Sums {
            equations: NormalEquations::new(knots),
            ivar: vec![0.0; n],
        }
    }

    fn set_difference(&mut self, all: &Sums, part: &Sums) {
        self.equations
            .set_difference(&all.equations, &part.equations);
        self.ivar.clear();
        // What is left of equal numbers is rounding, no information.
        let less = |(a, p): (&f64, &f64)| if a - p > 1e-9 * a { a - p } else { 0.0 };
        self.ivar.extend(all.ivar.iter().zip(&part.ivar).map(less));
    }

    fn add(&mut self, other: &Sums) {
        self.equations.add(&other.equations);
        for (a, b) in self.ivar.iter_mut().zip(&other.ivar) {
            *a += b;
        }
    }
}

/// An exposure against the coadd of the others.
#[derive(Clone, Debug, Default)]
struct Sweep {
    /// By how much its velocity is off, km/s.
    step_km_s: f64,
    /// sum f'^2 / sigma_t^2 over the window: what it says about its own velocity.
    information: f64,
    /// Residual of each pixel in sigma; 0 where there is none.
    z: Vec<f64>,
    /// Pixels that are off whatever the velocity.
    far: Vec<usize>,
}

/// How far a round moved the velocities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Round {
    /// Largest change of a velocity against its error (the exposure's own).
    pub largest_sigma: f64,
    /// Pixels that were clipped.
    pub n_clipped: usize,
}

/// Exposures of one star and arm, and the velocities at which they lie over each other.
#[derive(Clone, Debug)]
pub struct Coadd {
    exposures: Vec<Normalized>,
    /// Pixels of each that were clipped, with the inverse variance that they had.
    clipped: Vec<Vec<(usize, f64)>>,
    best: usize,
    knots: Knots,
    /// c ln(1 + v/c) of each exposure against the best one, km/s.
    shift_km_s: Vec<f64>,
    /// Which exposures are part of the coadd.
    members: Vec<bool>,
    parts: Vec<Part>,
    /// Of all members.
    all: Sums,
    prior: Vec<f64>,
    /// Share of its squared slope that follows noise (`super::response`).
    noise_share: f64,
}

impl Coadd {
    /// Of `exposures`, shifted by `rv_km_s` against exposure `best`; those without a finite velocity are no part of it. Knots
    /// lie every `spacing` pixels of the best exposure. None where fewer than two exposures have a velocity.
    pub fn new(
        exposures: Vec<Normalized>,
        best: usize,
        spacing: usize,
        rv_km_s: &[f64],
    ) -> Option<Self> {
        let mut members: Vec<bool> = rv_km_s.iter().map(|v| v.is_finite()).collect();
        *members.get_mut(best)? = true;
        let n = exposures.get(best)?.flux.len();
        let too_short = exposures.iter().any(|e| e.flux.len() < 4 * spacing.max(1));
        if members.iter().filter(|m| **m).count() < 2
            || too_short
            || rv_km_s.len() != exposures.len()
        {
            return None;
        }
        let mut shift_km_s: Vec<f64> = rv_km_s
            .iter()
            .map(|v| if v.is_finite() { shift_of(*v) } else { 0.0 })
            .collect();
        shift_km_s[best] = 0.0;
        let mut coadd = Coadd {
            knots: Knots::new(n, spacing),
            parts: Vec::with_capacity(exposures.len()),
            all: Sums::new(Knots::new(n, spacing), n),
            clipped: vec![Vec::new(); exposures.len()],
            exposures,
            best,
            shift_km_s,
            members,
            prior: Vec::new(),
            noise_share: 0.0,
        };
        coadd.lay().then_some(coadd)
    }

    /// The exposures, without the pixels that were clipped.
    pub fn exposures(&self) -> &[Normalized] {
        &self.exposures
    }

    /// Number of exposures in it.
    pub fn n_members(&self) -> usize {
        self.members.iter().filter(|m| **m).count()
    }

    /// Velocities c z at which the exposures lie in it, km/s.
    pub fn rv_km_s(&self) -> Vec<f64> {
        let rv = |u: &f64| C_KM_S * (u / C_KM_S).exp_m1();
        self.shift_km_s.iter().map(rv).collect()
    }

    /// Lays the exposures anew at these velocities, the best one at 0, and gives back what was clipped; those without a finite
    /// velocity are no part of it. False where fewer than two have one.
    pub fn place(&mut self, rv_km_s: &[f64]) -> bool {
        let of_best = rv_km_s.get(self.best).filter(|v| v.is_finite());
        let of_best = of_best.map_or(0.0, |v| shift_of(*v));
        for (i, rv) in rv_km_s.iter().enumerate().take(self.members.len()) {
            self.members[i] = i == self.best || rv.is_finite();
            self.shift_km_s[i] = match rv.is_finite() {
                true => shift_of(*rv) - of_best,
                false => 0.0,
            };
        }
        // What was clipped where the exposures lay before may be a line where they lie now.
        for (exposure, clipped) in self.exposures.iter_mut().zip(&mut self.clipped) {
            for (k, ivar) in clipped.drain(..) {
                exposure.ivar[k] = ivar;
            }
        }
        self.n_members() > 1 && self.lay()
    }

    /// Compares every exposure with the coadd of the others: moves velocities, clips defects, and lays the exposures anew.
    /// The best exposure stays at velocity 0. None where the coadd cannot be made any more.
    pub fn round(&mut self) -> Option<Round> {
        let sweeps = self.sweeps();
        let n_clipped = self.clip(&sweeps);
        let of_members = sweeps.iter().zip(&self.members).filter(|(_, m)| **m);
        let total: f64 = of_members.map(|(s, _)| s.information).sum();
        if !(total > 0.0 && total.is_finite()) {
            return None;
        }
        let mut steps: Vec<f64> = sweeps
            .iter()
            .zip(&self.members)
            // The others' coadd lies where their mean does. With this part of the difference an exposure and the others meet
            // where the mean of all is.
            .map(|(s, is_member)| match is_member {
                true => s.step_km_s * (1.0 - s.information / total),
                false => 0.0,
            })
            .collect();
        let of_best = steps[self.best];
        steps.iter_mut().for_each(|s| *s -= of_best);
        let mut largest_sigma = 0.0f64;
        for i in (0..steps.len()).filter(|i| self.members[*i]) {
            largest_sigma = largest_sigma.max(steps[i].abs() * sweeps[i].information.sqrt());
            self.shift_km_s[i] += steps[i];
        }
        let is_finite = self.shift_km_s.iter().all(|u| u.is_finite());
        (is_finite && self.lay()).then_some(Round {
            largest_sigma,
            n_clipped,
        })
    }

    /// The coadd without exposure i, for each i in `range`.
    pub fn references(&self, range: std::ops::Range<usize>) -> Vec<Option<Reference>> {
        let mut out = Vec::with_capacity(range.len());
        let ln_wave = &self.exposures[self.best].ln_wave;
        let total = |ivar: &[f64]| ivar.iter().sum::<f64>();
        self.each_without_one(range, |_, sums| {
            let mut fit = SplineFit::default();
            fit.fit_with_prior(&sums.equations, &self.prior);
            // One exposure less is so much more noise.
            let more = total(&self.all.ivar) / total(&sums.ivar);
            let response = response(self.noise_share * more);
            let reference = Reference::of_fit(ln_wave, self.knots, fit, &sums.ivar, response);
            out.push(reference);
        });
        out
    }

    /// Sums up each exposure where it lies now, and finds the prior from all. False where nothing is known.
    fn lay(&mut self) -> bool {
        let ln_wave = &self.exposures[self.best].ln_wave;
        let knots = self.knots;
        let lay =
            |(exposure, shift): (&Normalized, &f64)| part(exposure, ln_wave, knots, shift / C_KM_S);
        self.parts = self
            .exposures
            .iter()
            .zip(&self.shift_km_s)
            .map(lay)
            .collect();
        self.all = Sums::new(knots, ln_wave.len());
        for (part, _) in self.parts.iter().zip(&self.members).filter(|(_, m)| **m) {
            self.all.add(&part.sums);
        }
        self.find_prior()
    }

    fn find_prior(&mut self) -> bool {
        let mut fit = SplineFit::default();
        if !fit.fit_sums(&self.all.equations) {
            return false;
        }
        let least_squares = fit.coefficients.clone();
        fit.shrink(PRIOR_WINDOW);
        let fits = Fits {
            knots: self.knots,
            least_squares: &least_squares,
            shrunk: &fit.coefficients,
            covariance: &fit.covariance_band(),
        };
        let best = &self.exposures[self.best];
        self.noise_share = noise_share(best.arm, &best.ln_wave, &self.all.ivar, &fits);
        self.prior = fit.prior;
        !self.prior.is_empty()
    }

    /// Calls `with` for each exposure in `range` with the sums over all members but itself.
    fn each_without_one(&self, range: std::ops::Range<usize>, mut with: impl FnMut(usize, &Sums)) {
        let mut others = self.all.clone();
        for i in range {
            if self.members[i] {
                others.set_difference(&self.all, &self.parts[i].sums);
                with(i, &others);
            } else {
                with(i, &self.all);
            }
        }
    }

    fn sweeps(&self) -> Vec<Sweep> {
        let mut out = Vec::with_capacity(self.parts.len());
        let ln_wave = &self.exposures[self.best].ln_wave;
        let mut fit = SplineFit::default();
        self.each_without_one(0..self.parts.len(), |i, sums| {
            let Some(covered) = longest_covered(&sums.ivar) else {
                out.push(Sweep::default());
                return;
            };
            fit.fit_with_prior(&sums.equations, &self.prior);
            let variance = smooth_variance(self.knots, &sums.ivar);
            out.push(sweep(
                &self.exposures[i],
                &self.parts[i].x,
                &View {
                    ln_wave,
                    knots: self.knots,
                    coefficients: &fit.coefficients,
                    variance: &variance,
                    covered,
                },
            ));
        });
        out
    }

    /// Takes the weight from pixels that only a defect can put where they are.
    fn clip(&mut self, sweeps: &[Sweep]) -> usize {
        let n = self.exposures[self.best].ln_wave.len();
        let residuals: Vec<Option<Residuals<'_>>> = self
            .members
            .iter()
            .zip(self.parts.iter().zip(sweeps))
            .map(|(is_member, (part, sweep))| {
                is_member.then_some(Residuals {
                    x: &part.x,
                    z: &sweep.z,
                    far: &sweep.far,
                })
            })
            .collect();
        let defects = defects(&residuals, n);
        for (i, k) in &defects {
            let ivar = &mut self.exposures[*i].ivar;
            let end = (k + CLIP_MARGIN + 1).min(ivar.len());
            for (k, ivar) in ivar[..end]
                .iter_mut()
                .enumerate()
                .skip(k.saturating_sub(CLIP_MARGIN))
            {
                if *ivar > 0.0 {
                    self.clipped[*i].push((k, *ivar));
                    *ivar = 0.0;
                }
            }
        }
        defects.len()
    }
}

/// The coadd of the others, as a sweep sees it.
struct View<'a> {
    ln_wave: &'a [f64],
    knots: Knots,
    coefficients: &'a [f64],
    variance: &'a [f64],
    covered: (usize, usize),
}

fn sweep(exposure: &Normalized, x: &[f64], others: &View<'_>) -> Sweep {
    let (low_aa, high_aa) = exposure.arm.window_aa();
    let (low, high) = (low_aa.ln(), high_aa.ln());
    let (first, last) = (others.covered.0 as f64, others.covered.1 as f64);
    let spacing = others.knots.spacing as f64;
    let (mut gradient, mut curvature, mut information) = (0.0, 0.0, 0.0);
    let mut z = vec![0.0; x.len()];
    let flux_at = |x: f64| {
        let (interval, t) = others.knots.locate(x);
        dot(&basis(t), &others.coefficients[interval..])
    };
    let error2 = |k: usize, variance: f64| {
        1.0 / exposure.ivar[k] + FLUX_VARIANCE_SHARE * variance + SPLINE_SIGMA * SPLINE_SIGMA
    };
    for (k, z) in z.iter_mut().enumerate() {
        let ivar = exposure.ivar[k];
        if !(ivar > 0.0 && x[k] >= first && x[k] <= last) {
            continue;
        }
        let (interval, t) = others.knots.locate(x[k]);
        let b = basis(t);
        let flux = dot(&b, &others.coefficients[interval..]);
        let variance = dot(&b, &others.variance[interval..]);
        let residual = exposure.flux[k] - flux;
        *z = residual / error2(k, variance).sqrt();
        if exposure.ln_wave[k] >= low && exposure.ln_wave[k] <= high {
            let i = (x[k] as usize).min(others.ln_wave.len() - 2);
            let pixels_per_ln = 1.0 / (others.ln_wave[i + 1] - others.ln_wave[i]);
            let rise = dot(&basis_slope(t), &others.coefficients[interval..]);
            let slope = -rise * pixels_per_ln / (spacing * C_KM_S);
            let s = 1.0 / ivar + variance;
            gradient += slope * residual / s;
            curvature += slope * slope / s;
            information += slope * slope * ivar;
        }
    }
    let step = if curvature > 0.0 {
        gradient / curvature
    } else {
        0.0
    };
    let step_km_s = step.clamp(-MAX_STEP_KM_S, MAX_STEP_KM_S);
    let middle = others.ln_wave.len() / 2;
    let pixel = others.ln_wave[middle] - others.ln_wave[middle - 1];
    let far = far_off(&z, step_km_s / (C_KM_S * pixel), |k, shift| {
        let (interval, t) = others.knots.locate(x[k]);
        let variance = dot(&basis(t), &others.variance[interval..]);
        flux_at((x[k] - shift).clamp(first, last)) / error2(k, variance).sqrt()
    });
    Sweep {
        step_km_s,
        information,
        z,
        far,
    }
}

/// An exposure's pixels on the scale `ln_wave`, at rest when they are shifted back by `shift` in ln wavelength.
fn part(exposure: &Normalized, ln_wave: &[f64], knots: Knots, shift: f64) -> Part {
    let n = ln_wave.len();
    let mut sums = Sums::new(knots, n);
    let mut i = 0;
    let mut x = Vec::with_capacity(exposure.ln_wave.len());
    for l in &exposure.ln_wave {
        let l = l - shift;
        while i + 2 < n && ln_wave[i + 1] <= l {
            i += 1;
        }
        let at = i as f64 + (l - ln_wave[i]) / (ln_wave[i + 1] - ln_wave[i]);
        let is_inside = at >= 0.0 && at <= (n - 1) as f64;
        x.push(if is_inside { at } else { f64::NAN });
    }
    sums.equations
        .add_pixels(knots, &x, &exposure.flux, &exposure.ivar);
    // Each pixel of the scale has the inverse variance of the exposure's nearest one.
    let mut k = x.iter().position(|x| x.is_finite()).unwrap_or(0);
    for (i, ivar) in sums.ivar.iter_mut().enumerate() {
        let distance = |k: usize| (x[k] - i as f64).abs();
        while k + 1 < x.len() && distance(k + 1) <= distance(k) {
            k += 1;
        }
        if distance(k) <= 1.0 {
            *ivar = exposure.ivar[k];
        }
    }
    Part { x, sums }
}

fn shift_of(rv_km_s: f64) -> f64 {
    C_KM_S * (rv_km_s / C_KM_S).ln_1p()
}

#[cfg(test)]
mod tests;
