//! A star's exposures laid over each other, each at its own velocity: a reference with less noise than the best of them.
//!
//! Pixels are put at their shifted places on the best exposure's scale, and the sums of the spline's normal equations add:
//! nothing noisy is interpolated, and the coadd without one exposure is the sum over the others. An exposure is always
//! compared with the coadd of the others, so that its own noise is on one side only.
//!
//! Words used in this folder: an exposure *lies* in the coadd at the velocity at which its pixels were put on that scale; the scale
//! is that of the best exposure's pixels; a *sweep* is one comparison of an exposure with the coadd of the others; in a *round*
//! all exposures are compared and moved, and they have *settled* when a round moves none of them any more. Symbols are those of
//! docs/method.md, sections 8 and 11: f' is the slope of the reference per km/s, r a residual, sigma_t^2 the variance of an
//! exposure's pixel, S that variance and the reference's together, V the variance of f'.

mod clip;
mod foreign;
mod lines;
mod misfit;
mod moonlight;
mod pixel_sums;
mod scale;
mod settle;
mod sums;
mod sunlit;
mod sweep;
mod view;

use std::borrow::Cow;

use foreign::Light;
use scale::Scale;
use sums::{Part, Sums, total};
use sweep::Sweep;

use super::response::{Fits, noise_share, response};
use crate::C_KM_S;
use crate::reference::single::Reference;
use crate::spectrum::normalize::Normalized;
use crate::spline::bspline::{Knots, PRIOR_WINDOW, SplineFit, basis, basis_slope};
pub use foreign::weigh_down_lines;
pub use lines::{LineSums, Lines};
pub use misfit::Misfit;
pub use sunlit::{Sunlit, SunlitWhere};

/// An exposure against the coadd of the others, once the exposures have settled.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// Velocity c z against the best exposure, km/s.
    pub rv_km_s: f64,
    /// I = sum f'^2 / S over the window, (km/s)^-2.
    pub slope2: f64,
    /// sum sigma_t^2 f'^2 / S^2.
    pub own_slope2: f64,
    /// sum V / S.
    pub slope_noise: f64,
    /// sum r^2 / (sigma_t^2 + variance of the fitted flux).
    pub chi2: f64,
    /// ln L of Eq. 3.
    pub ln_l: f64,
    /// Pixels that count.
    pub n_pix: usize,
    /// Share of the reference's squared slope that is the star's.
    pub response: f64,
    /// Pixels of the widest defect that was clipped because no other exposure has it; 0 for none.
    pub widest_clip: usize,
    /// How the exposure differs.
    pub misfit: Misfit,
    /// Where the lines of the others' coadd lie, and how wide they are.
    pub lines: LineSums,
}

/// Exposures of one star and arm, and the velocities at which they lie over each other.
#[derive(Clone, Debug)]
pub struct Coadd {
    exposures: Vec<Normalized>,
    /// Pixels of each that were clipped, with the inverse variance that they had.
    clipped: Vec<Vec<(usize, f64)>>,
    /// Wide defects of each that were clipped, and the pixels of the widest.
    wide: Vec<(usize, usize)>,
    best: usize,
    knots: Knots,
    /// c ln(1 + v/c) at which each exposure lies in it, km/s.
    shift_km_s: Vec<f64>,
    /// How far each is still off by the last comparison, km/s: to be added to that.
    rest_km_s: Vec<f64>,
    /// Which exposures are part of the coadd.
    members: Vec<bool>,
    parts: Vec<Part>,
    /// Sums over all members.
    all: Sums,
    prior: Vec<f64>,
    /// Share of the squared slope of the coadd of all members that follows its noise (`super::response`).
    noise_share: f64,
    /// Variances of fitted flux and slope at each pixel of the scale.
    spread: Vec<[f64; 2]>,
    scale: Scale,
    /// Foreign light that may be in each exposure.
    lights: Vec<Vec<Light>>,
    /// The last comparison of each exposure with the others.
    sweeps: Vec<Sweep>,
}

impl Coadd {
    /// The coadd of `exposures`, each shifted by its velocity `rv_km_s` against exposure `best`; those without a finite velocity are no
    /// part of it. Knots lie every `spacing` pixels of the best exposure.
    ///
    /// # Errors
    /// The exposures themselves, where fewer than two of them have a velocity.
    pub fn new(
        exposures: Vec<Normalized>,
        best: usize,
        spacing: usize,
        rv_km_s: &[f64],
    ) -> Result<Self, Vec<Normalized>> {
        let mut members: Vec<bool> = rv_km_s.iter().map(|v| v.is_finite()).collect();
        let too_short = |e: &Normalized| e.flux.len() < 4 * spacing.max(1);
        if best >= exposures.len()
            || rv_km_s.len() != exposures.len()
            || exposures.iter().any(too_short)
        {
            return Err(exposures);
        }
        members[best] = true;
        if members.iter().filter(|m| **m).count() < 2 {
            return Err(exposures);
        }
        let n = exposures[best].flux.len();
        let mut shift_km_s: Vec<f64> = rv_km_s
            .iter()
            .map(|v| if v.is_finite() { shift_of(*v) } else { 0.0 })
            .collect();
        shift_km_s[best] = 0.0;
        let knots = Knots::new(n, spacing);
        let mut coadd = Coadd {
            knots,
            parts: Vec::with_capacity(exposures.len()),
            all: Sums::new(knots, n),
            clipped: vec![Vec::new(); exposures.len()],
            wide: vec![(0, 0); exposures.len()],
            rest_km_s: vec![0.0; exposures.len()],
            scale: Scale::new(&exposures[best].ln_wave),
            lights: exposures.iter().map(foreign::lights).collect(),
            exposures,
            best,
            shift_km_s,
            members,
            prior: Vec::new(),
            noise_share: 0.0,
            spread: Vec::new(),
            sweeps: Vec::new(),
        };
        match coadd.lay() {
            true => Ok(coadd),
            false => Err(coadd.exposures),
        }
    }

    /// The exposures, without the pixels that were clipped.
    pub fn exposures(&self) -> &[Normalized] {
        &self.exposures
    }

    /// Exposure `i` without the pixels that were clipped and the foreign light that was found in it.
    pub fn cleaned(&self, i: usize) -> Cow<'_, Normalized> {
        let exposure = &self.exposures[i];
        let Some(sweep) = self.sweeps.get(i).filter(|s| !s.foreign.is_empty()) else {
            return Cow::Borrowed(exposure);
        };
        let mut cleaned = exposure.clone();
        let pixels = cleaned.flux[sweep.foreign_first..].iter_mut();
        for (flux, foreign) in pixels.zip(&sweep.foreign) {
            *flux -= foreign;
        }
        Cow::Owned(cleaned)
    }

    /// Gives the exposures back as they came, with what was clipped.
    pub fn into_exposures(mut self) -> Vec<Normalized> {
        self.give_back();
        self.exposures
    }

    /// The exposures, without the pixels that were clipped.
    pub fn into_clipped(self) -> Vec<Normalized> {
        self.exposures
    }

    /// Which exposures have lost pixels to clipping.
    pub fn clipped(&self) -> Vec<bool> {
        self.clipped
            .iter()
            .map(|clipped| !clipped.is_empty())
            .collect()
    }

    /// Which exposure sets the scale and the zero.
    pub fn best(&self) -> usize {
        self.best
    }

    /// Number of exposures in it.
    pub fn n_members(&self) -> usize {
        self.members.iter().filter(|m| **m).count()
    }

    /// Whether exposure `i` is part of it.
    pub fn is_member(&self, i: usize) -> bool {
        self.members[i]
    }

    /// Velocities c z of the exposures against the best one, km/s.
    pub fn rv_km_s(&self) -> Vec<f64> {
        let shift = |i: usize| self.shift_km_s[i] + self.rest_km_s[i];
        let rv = |i: usize| C_KM_S * ((shift(i) - shift(self.best)) / C_KM_S).exp_m1();
        (0..self.shift_km_s.len()).map(rv).collect()
    }

    /// Velocity c z against the best exposure, km/s, of what has the velocity `rv_km_s` against [`Coadd::references`]: the best
    /// exposure need not lie at 0 in them.
    pub fn against_best_km_s(&self, rv_km_s: f64) -> f64 {
        let of_best = self.shift_km_s[self.best] + self.rest_km_s[self.best];
        C_KM_S * ((shift_of(rv_km_s) - of_best) / C_KM_S).exp_m1()
    }

    /// Lays the exposures anew at these velocities against the best one, and gives back what was clipped; those without a finite
    /// velocity are no part of it. False where fewer than two have one.
    pub fn place(&mut self, rv_km_s: &[f64]) -> bool {
        for (i, rv) in rv_km_s.iter().enumerate().take(self.members.len()) {
            self.members[i] = i == self.best || rv.is_finite();
            self.shift_km_s[i] = match rv.is_finite() {
                true => shift_of(*rv),
                false => 0.0,
            };
        }
        self.rest_km_s.fill(0.0);
        // What was clipped where the exposures lay before may be a line where they lie now.
        self.give_back();
        self.n_members() > 1 && self.lay()
    }

    /// Takes exposure `i`, which is not the best one, out of the coadd, and gives back what was clipped because of it. False
    /// where fewer than two are left.
    pub fn leave_out(&mut self, i: usize) -> bool {
        self.members[i] = false;
        self.give_back();
        self.n_members() > 1 && self.lay()
    }

    fn give_back(&mut self) {
        for (exposure, clipped) in self.exposures.iter_mut().zip(&mut self.clipped) {
            for (k, ivar) in clipped.drain(..) {
                exposure.ivar[k] = ivar;
            }
        }
        self.wide.fill((0, 0));
    }

    /// What the last round found, for each exposure; an exposure is compared with the coadd of the others.
    pub fn compared(&self) -> Vec<Compared> {
        let rv_km_s = self.rv_km_s();
        let all = total(&self.all.ivar);
        let one = |(i, sweep): (usize, &Sweep)| {
            let totals = &sweep.totals;
            let others = match self.members[i] {
                true => all - total(&self.parts[i].sums.ivar),
                false => all,
            };
            Compared {
                rv_km_s: rv_km_s[i],
                slope2: totals.slope2,
                own_slope2: totals.own_slope2,
                slope_noise: totals.slope_noise,
                chi2: totals.chi2,
                ln_l: -0.5 * (totals.ln_l + totals.n_pix as f64 * std::f64::consts::TAU.ln()),
                n_pix: totals.n_pix,
                response: response(self.noise_share * all / others),
                widest_clip: self.wide[i].1,
                misfit: sweep.misfit,
                lines: sweep.lines,
            }
        };
        self.sweeps.iter().enumerate().map(one).collect()
    }

    /// The coadd without exposure i, for each i in `which`.
    pub fn references(&self, which: &[usize]) -> Vec<Option<Reference>> {
        let mut out = Vec::with_capacity(which.len());
        let ln_wave = &self.exposures[self.best].ln_wave;
        self.each_without_one(which.iter().copied(), |_, sums| {
            let mut fit = SplineFit::default();
            fit.fit_with_prior(&sums.equations, &self.prior);
            // Without the exposure the share of noise in the slope is larger by as much as the weight is less (docs/method.md,
            // (20a)).
            let more = total(&self.all.ivar) / total(&sums.ivar);
            let response = response(self.noise_share * more);
            let reference = Reference::of_fit(ln_wave, self.knots, fit, &sums.ivar, response);
            out.push(reference);
        });
        out
    }

    /// Sums up each exposure where it lies now, and finds the prior from all. False where nothing is known.
    fn lay(&mut self) -> bool {
        self.parts.clear();
        self.sum_again(&vec![true; self.exposures.len()]);
        self.find_prior()
    }

    /// Sums up the exposures that have `changed`, and all.
    fn sum_again(&mut self, changed: &[bool]) {
        for (i, exposure) in self.exposures.iter().enumerate() {
            if changed[i] {
                let shift = self.shift_km_s[i] / C_KM_S;
                let part = Part::new(exposure, &self.scale, self.knots, shift);
                match self.parts.get_mut(i) {
                    Some(place) => *place = part,
                    None => self.parts.push(part),
                }
            }
        }
        self.all = Sums::new(self.knots, self.scale.ln_wave.len());
        for (part, _) in self.parts.iter().zip(&self.members).filter(|(_, m)| **m) {
            self.all.add(&part.sums);
        }
    }

    fn find_prior(&mut self) -> bool {
        let mut fit = SplineFit::default();
        if !fit.fit_sums(&self.all.equations) {
            return false;
        }
        let least_squares = fit.coefficients.clone();
        fit.shrink(PRIOR_WINDOW);
        let covariance = fit.covariance_band();
        let fits = Fits {
            knots: self.knots,
            least_squares: &least_squares,
            shrunk: &fit.coefficients,
            covariance,
        };
        let best = &self.exposures[self.best];
        self.noise_share = noise_share(&best.band, &best.ln_wave, &self.all.ivar, &fits);
        let knots = self.knots;
        let (of_flux, of_slope) = (knots.phases(basis), knots.phases(basis_slope));
        let per_pixel2 = 1.0 / (knots.spacing * knots.spacing) as f64;
        let spread = |i: usize| {
            let (interval, phase) = knots.phase_of(i);
            [
                of_flux[phase].variance.at(covariance, interval),
                of_slope[phase].variance.at(covariance, interval) * per_pixel2,
            ]
        };
        self.spread = (0..best.ln_wave.len()).map(spread).collect();
        self.prior = fit.prior;
        !self.prior.is_empty()
    }

    /// Calls `with` for each of these exposures with the sums over all members but itself.
    fn each_without_one(
        &self,
        which: impl Iterator<Item = usize>,
        mut with: impl FnMut(usize, &Sums),
    ) {
        let mut others = self.all.clone();
        for i in which {
            if self.members[i] {
                others.set_difference(&self.all, &self.parts[i].sums);
                with(i, &others);
            } else {
                with(i, &self.all);
            }
        }
    }
}

fn shift_of(rv_km_s: f64) -> f64 {
    C_KM_S * (rv_km_s / C_KM_S).ln_1p()
}

#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod tests;
