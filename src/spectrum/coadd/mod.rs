//! A star's exposures laid over each other, each at its own velocity: a reference with less noise than the best of them.
//!
//! Pixels are put at their shifted places on the best exposure's scale, and the sums of the spline's normal equations add:
//! nothing noisy is interpolated, and the coadd without one exposure is the sum over the others. An exposure is always
//! compared with the coadd of the others, so that its own noise is on one side only.

mod clip;
mod foreign;
mod misfit;
mod sums;
mod sweep;

use std::borrow::Cow;

use clip::{CLIP_MARGIN, Residuals, defects};
use foreign::Light;
use sums::{Part, Sums};
use sweep::{AtPixels, Scale, Sweep, View, sweep};

use super::bspline::{Knots, PRIOR_WINDOW, SplineFit, basis, basis_slope, quadratic_form};
use super::normalize::Normalized;
use super::reference::{Reference, longest_covered, smooth_variance};
use super::response::{Fits, noise_share, response};
use crate::C_KM_S;
pub use misfit::Misfit;

/// Rounds of laying the exposures over each other, at most.
const MAX_ROUNDS: usize = 6;

/// No further round if no velocity is to be moved by more than this part of its error: what the next round would add is a sixth
/// of that.
const SETTLED_SIGMA: f64 = 0.7;

/// What is clipped and less than this many sigma off has moved the others' velocities by no more than a tenth of their errors:
/// only the exposures that lost pixels are compared again.
const MINOR_SIGMA: f64 = 12.0;

/// The prior is found anew if an exposure is moved by more than this many of its errors, or a pixel is clipped that is off by so
/// many: less changes the power of the spectrum by nothing to speak of.
const FAR_SIGMA: f64 = 2.0;
const FAR_CLIP_SIGMA: f64 = 30.0;

/// An exposure that is to be moved by less than this part of its error stays where it lies in the coadd: it blurs nothing.
const STAYS_SIGMA: f64 = 0.1;

/// How far a round moved the velocities.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Round {
    /// Largest change of a velocity against its error (the exposure's own).
    pub largest_sigma: f64,
    /// Pixels that were clipped.
    pub n_clipped: usize,
    /// No further round is needed.
    pub is_settled: bool,
}

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
    /// What the last comparison adds to that.
    rest_km_s: Vec<f64>,
    /// Which exposures are part of the coadd.
    members: Vec<bool>,
    parts: Vec<Part>,
    /// Of all members.
    all: Sums,
    prior: Vec<f64>,
    /// Share of its squared slope that follows noise (`super::response`).
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
    /// Of `exposures`, shifted by `rv_km_s` against exposure `best`; those without a finite velocity are no part of it. Knots
    /// lie every `spacing` pixels of the best exposure. None where fewer than two exposures have a velocity; the exposures are
    /// given back then.
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

    /// Whether any pixel was clipped.
    pub fn is_clipped(&self) -> bool {
        self.clipped.iter().any(|clipped| !clipped.is_empty())
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

    /// Moves the exposures until they lie over each other. False where they cannot.
    pub fn settle(&mut self) -> bool {
        for _ in 0..MAX_ROUNDS {
            match self.round() {
                None => return false,
                Some(round) if round.is_settled => break,
                Some(_) => {}
            }
        }
        true
    }

    /// Compares every exposure with the coadd of the others: moves velocities, clips defects, and lays the exposures anew that
    /// have changed. None where the coadd cannot be made any more.
    pub fn round(&mut self) -> Option<Round> {
        self.compare(&vec![true; self.parts.len()]);
        let clip = self.clip();
        let largest_sigma = self.find_steps()?;
        let is_near = largest_sigma < SETTLED_SIGMA;
        let is_settled = is_near && clip.farthest_sigma < MINOR_SIGMA;
        if is_settled && clip.n > 0 {
            self.sum_again(&clip.changed);
            self.compare(&clip.changed);
            self.find_steps()?;
        }
        if !is_settled {
            let mut changed = clip.changed;
            for (i, changed) in changed.iter_mut().enumerate() {
                let sigma = self.rest_km_s[i].abs() * self.sweeps[i].totals.information.sqrt();
                *changed |= sigma > STAYS_SIGMA;
                if *changed {
                    self.shift_km_s[i] += std::mem::take(&mut self.rest_km_s[i]);
                }
            }
            if !self.shift_km_s.iter().all(|u| u.is_finite()) {
                return None;
            }
            self.sum_again(&changed);
            let has_changed = largest_sigma > FAR_SIGMA || clip.farthest_sigma > FAR_CLIP_SIGMA;
            if has_changed && !self.find_prior() {
                return None;
            }
        }
        Some(Round {
            largest_sigma,
            n_clipped: clip.n,
            is_settled,
        })
    }

    /// How far each exposure is to be moved. The largest of the members' steps in their errors; None where nothing is known.
    fn find_steps(&mut self) -> Option<f64> {
        let of_members = self.sweeps.iter().zip(&self.members).filter(|(_, m)| **m);
        let total: f64 = of_members.map(|(s, _)| s.totals.information).sum();
        if !(total > 0.0 && total.is_finite()) {
            return None;
        }
        let mut largest_sigma = 0.0f64;
        for (i, sweep) in self.sweeps.iter().enumerate() {
            let information = sweep.totals.information;
            // The others' coadd lies where their mean does. With this part of the difference an exposure and the others meet
            // where the mean of all is.
            let part = match self.members[i] {
                true => 1.0 - information / total,
                false => 1.0,
            };
            self.rest_km_s[i] = sweep.step_km_s * part;
            if self.members[i] {
                largest_sigma = largest_sigma.max(self.rest_km_s[i].abs() * information.sqrt());
            }
        }
        Some(largest_sigma)
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
        self.parts.clear();
        self.sum_again(&vec![true; self.exposures.len()]);
        self.find_prior()
    }

    /// Sums up the exposures that have `changed`, and all.
    fn sum_again(&mut self, changed: &[bool]) {
        let ln_wave = &self.exposures[self.best].ln_wave;
        for (i, exposure) in self.exposures.iter().enumerate() {
            if changed[i] {
                let part = Part::new(exposure, ln_wave, self.knots, self.shift_km_s[i] / C_KM_S);
                match self.parts.get_mut(i) {
                    Some(place) => *place = part,
                    None => self.parts.push(part),
                }
            }
        }
        self.all = Sums::new(self.knots, ln_wave.len());
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
            covariance: &covariance,
        };
        let best = &self.exposures[self.best];
        self.noise_share = noise_share(best.arm, &best.ln_wave, &self.all.ivar, &fits);
        let knots = self.knots;
        let spread = |i: usize| {
            let (interval, t) = knots.locate(i as f64);
            [
                quadratic_form(&covariance, interval, &basis(t)),
                quadratic_form(&covariance, interval, &basis_slope(t))
                    / (knots.spacing * knots.spacing) as f64,
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

    /// Compares those of the exposures that are `wanted` with the others; for the rest the last comparison holds.
    fn compare(&mut self, wanted: &[bool]) {
        let mut sweeps = std::mem::take(&mut self.sweeps);
        sweeps.resize_with(self.parts.len(), Sweep::default);
        let mut fit = SplineFit::default();
        let mut at = AtPixels::default();
        let all = total(&self.all.ivar);
        let which = (0..self.parts.len()).filter(|i| wanted[*i]);
        self.each_without_one(which, |i, sums| {
            let Some(covered) = longest_covered(&sums.ivar) else {
                sweeps[i] = Sweep::default();
                return;
            };
            fit.coefficients_with_prior(&sums.equations, &self.prior);
            let variance = smooth_variance(self.knots, &sums.ivar);
            sweeps[i] = sweep(
                &self.exposures[i],
                &self.parts[i].x,
                &self.lights[i],
                &View {
                    scale: &self.scale,
                    knots: self.knots,
                    coefficients: &fit.coefficients,
                    variance: &variance,
                    spread: &self.spread,
                    spread_factor: all / total(&sums.ivar),
                    covered,
                },
                &mut at,
            );
        });
        self.sweeps = sweeps;
    }

    /// Takes the weight from pixels that only a defect can put where they are.
    fn clip(&mut self) -> Clip {
        let n = self.exposures[self.best].ln_wave.len();
        let residuals: Vec<Option<Residuals<'_>>> = self
            .members
            .iter()
            .zip(self.parts.iter().zip(&self.sweeps))
            .map(|(is_member, (part, sweep))| {
                is_member.then_some(Residuals {
                    x: &part.x,
                    z: &sweep.z,
                    far: &sweep.far,
                })
            })
            .collect();
        let n_wide: Vec<usize> = self.wide.iter().map(|w| w.0).collect();
        let defects = defects(&residuals, n, &n_wide);
        let mut clip = Clip {
            n: defects.len(),
            changed: vec![false; self.exposures.len()],
            farthest_sigma: 0.0,
        };
        for defect in &defects {
            let i = defect.exposure;
            clip.changed[i] = true;
            let z = &self.sweeps[i].z[defect.pixels.clone()];
            let farthest = z.iter().fold(0.0f64, |most, z| most.max(z.abs()));
            clip.farthest_sigma = clip.farthest_sigma.max(farthest);
            if defect.is_wide {
                let (n, widest) = self.wide[i];
                self.wide[i] = (n + 1, widest.max(defect.pixels.len()));
            }
            let ivar = &mut self.exposures[i].ivar;
            let end = (defect.pixels.end + CLIP_MARGIN).min(ivar.len());
            let start = defect.pixels.start.saturating_sub(CLIP_MARGIN);
            for (k, ivar) in ivar[..end].iter_mut().enumerate().skip(start) {
                if *ivar > 0.0 {
                    self.clipped[i].push((k, *ivar));
                    *ivar = 0.0;
                }
            }
        }
        clip
    }
}

/// What was clipped in a round.
struct Clip {
    /// Number of defects.
    n: usize,
    /// Exposures that have any.
    changed: Vec<bool>,
    /// The farthest-off pixel of them, in sigma.
    farthest_sigma: f64,
}

fn total(ivar: &[f64]) -> f64 {
    ivar.iter().sum()
}

fn shift_of(rv_km_s: f64) -> f64 {
    C_KM_S * (rv_km_s / C_KM_S).ln_1p()
}

#[cfg(test)]
mod tests;
