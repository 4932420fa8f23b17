//! A star's exposures laid over each other, each at its own velocity: a reference with less noise than the best of them.
//!
//! Pixels are put at their shifted places on the best exposure's scale, and the sums of the spline's normal equations add:
//! nothing noisy is interpolated, and the coadd without one exposure is the sum over the others. An exposure is always
//! compared with the coadd of the others, so that its own noise is on one side only.

use super::bspline::{Knots, NormalEquations, PRIOR_WINDOW, SplineFit, basis, basis_slope};
use super::normalize::Normalized;
use super::reference::{Reference, dot, longest_covered, smooth_variance};
use super::response::{Fits, noise_share, response};
use crate::C_KM_S;

/// A pixel that is off the coadd of the others by more than this many sigma and narrower than a line is a defect.
const CLIP_SIGMA: f64 = 5.0;

/// Error of the spline itself where lines are sharp, in units of the continuum; added to the errors of clipping.
const SPLINE_SIGMA: f64 = 0.01;

/// Pixels at least half as far off as the farthest one of a defect: no more than this, as the line-spread function of what
/// comes through the spectrograph is 6 pixels wide.
const DEFECT_PIXELS: usize = 4;

/// Pixels on either side that go with a clipped one.
const CLIP_MARGIN: usize = 2;

/// Pixels on either side within which only the farthest-off pixel of all exposures is clipped in one round: the coadd that
/// it was part of puts the others off, too.
const CLIP_REACH: usize = 4;

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

    /// Lays the exposures anew at these velocities, the best one at 0; those without a finite one are no part of it. False
    /// where fewer than two have one.
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

    /// Sums up each exposure where it lies now, and finds the prior from all.
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
        let mut fit = SplineFit::default();
        if !fit.fit_sums(&self.all.equations) {
            return false;
        }
        let least_squares = fit.coefficients.clone();
        fit.shrink(PRIOR_WINDOW);
        let fits = Fits {
            knots,
            least_squares: &least_squares,
            shrunk: &fit.coefficients,
            covariance: &fit.covariance_band(),
        };
        let arm = self.exposures[self.best].arm;
        self.noise_share = noise_share(arm, ln_wave, &self.all.ivar, &fits);
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
        // Of an upward and a downward pixel equally far off, as in two exposures, the upward one is the cosmic ray.
        let score = |z: f64| if z > 0.0 { z } else { -0.999 * z };
        let mut top = vec![0.0f64; n];
        let all = || {
            let members = self.members.iter().enumerate().filter(|(_, m)| **m);
            members.flat_map(|(i, _)| {
                let far = move |k: &usize| sweeps[i].z[*k].abs() > CLIP_SIGMA;
                let pixels = (0..sweeps[i].z.len()).filter(far);
                pixels.map(move |k| (i, k))
            })
        };
        let place = |i: usize, k: usize| (self.parts[i].x[k].round() as usize).min(n - 1);
        for (i, k) in all() {
            let top = &mut top[place(i, k)];
            *top = top.max(score(sweeps[i].z[k]));
        }
        let is_clipped = |(i, k): &(usize, usize)| {
            let at = place(*i, *k);
            let around = &top[at.saturating_sub(CLIP_REACH)..(at + CLIP_REACH + 1).min(n)];
            let z = &sweeps[*i].z;
            around.iter().all(|t| *t <= score(z[*k])) && width(z, *k) <= DEFECT_PIXELS
        };
        let clipped: Vec<(usize, usize)> = all().filter(is_clipped).collect();
        for (i, k) in &clipped {
            let ivar = &mut self.exposures[*i].ivar;
            let end = (k + CLIP_MARGIN + 1).min(ivar.len());
            ivar[k.saturating_sub(CLIP_MARGIN)..end].fill(0.0);
        }
        clipped.len()
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
        let error2 = 1.0 / ivar + FLUX_VARIANCE_SHARE * variance + SPLINE_SIGMA * SPLINE_SIGMA;
        *z = residual / error2.sqrt();
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
    Sweep {
        step_km_s: step.clamp(-MAX_STEP_KM_S, MAX_STEP_KM_S),
        information,
        z,
    }
}

/// Neighbouring pixels at least half as far off as pixel `k`, to the same side; with itself.
fn width(z: &[f64], k: usize) -> usize {
    let is_far = |other: &&f64| **other * z[k].signum() > 0.5 * z[k].abs();
    let above = z[k + 1..].iter().take_while(is_far).count();
    let below = z[..k].iter().rev().take_while(is_far).count();
    above + below + 1
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
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    use super::*;
    use crate::Arm;

    /// Lines, a few of them deep.
    fn star(ln_wave: f64) -> f64 {
        let depths = [0.3, 0.6, 0.15, 0.4, 0.25, 0.5];
        let line = |(i, depth): (usize, &f64)| {
            let centre = 8.770 + 0.007 * (i as f64 + 0.5);
            depth * (-0.5 * ((ln_wave - centre) / 6e-5).powi(2)).exp()
        };
        1.0 - depths.iter().enumerate().map(line).sum::<f64>()
    }

    /// Exposures at these velocities; pixels of each lie elsewhere.
    fn exposures(rv_km_s: &[f64], sigma: f64, seed: u64) -> Vec<Normalized> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let made = rv_km_s.iter().enumerate().map(|(e, rv)| {
            let ln_wave: Vec<f64> = (0..2100)
                .map(|i| 8.768 + 2.2e-5 * (f64::from(i) + 0.37 * e as f64))
                .collect();
            let shift = (rv / C_KM_S).ln_1p();
            let flux = ln_wave.iter().map(|l| {
                let noise: f64 = rng.sample(StandardNormal);
                star(l - shift) + sigma * noise
            });
            Normalized {
                arm: Arm::Red,
                flux: flux.collect(),
                ivar: vec![sigma.powi(-2); ln_wave.len()],
                n_good: ln_wave.len(),
                n_spike: 0,
                snr: 1.0 / sigma,
                wave_as_stored: false,
                ln_wave,
            }
        });
        made.collect()
    }

    const RV_KM_S: [f64; 5] = [0.0, 12.0, -30.5, 3.3, 81.0];

    #[test]
    fn velocities_settle_where_they_are_and_the_best_one_stays() {
        let first: Vec<f64> = RV_KM_S.iter().map(|v| v + 2.0 * (v * 7.1).sin()).collect();
        let mut coadd = Coadd::new(exposures(&RV_KM_S, 0.02, 1), 0, 3, &first).unwrap();
        let rounds: Vec<f64> = (0..5)
            .map(|_| coadd.round().unwrap().largest_sigma)
            .collect();
        assert!(rounds[0] > 1.0 && rounds[4] < 0.02, "{rounds:?}");
        let rv = coadd.rv_km_s();
        assert_eq!(rv[0], 0.0);
        let sweeps = coadd.sweeps();
        for i in 1..5 {
            // Against the best one: errors of both.
            let error = (1.0 / sweeps[i].information + 1.0 / sweeps[0].information).sqrt();
            assert!(
                (rv[i] - RV_KM_S[i]).abs() < 3.0 * error,
                "{i}: {rv:?} {error}"
            );
            assert!(error < 0.7, "{error}");
        }
    }

    #[test]
    fn an_exposure_is_no_part_of_its_own_reference() {
        let mut spoiled = exposures(&RV_KM_S, 0.02, 2);
        let sound = Coadd::new(spoiled.clone(), 0, 3, &RV_KM_S).unwrap();
        spoiled[2].flux[1000] += 0.04;
        let after = Coadd::new(spoiled, 0, 3, &RV_KM_S).unwrap();
        let at = |coadd: &Coadd, i: usize| {
            let l = coadd.exposures[2].ln_wave[1000] - (RV_KM_S[2] / C_KM_S).ln_1p();
            coadd.references(i..i + 1)[0].as_ref().unwrap().at(l)
        };
        let change = |i: usize| (at(&after, i).flux - at(&sound, i).flux).abs();
        // What is left comes through the prior, which is found from all.
        assert!(change(2) < 0.25 * change(1), "{} {}", change(2), change(1));
        // Four exposures of equal weight.
        let variance = at(&sound, 2).pixel_variance;
        assert!(
            (variance / (0.02f64.powi(2) / 4.0) - 1.0).abs() < 1e-6,
            "{variance}"
        );
    }

    #[test]
    fn a_cosmic_ray_is_clipped_where_it_is_and_nowhere_else() {
        for n in [2, 3, 5] {
            for spoiled in 0..n {
                let mut all = exposures(&RV_KM_S[..n], 0.05, 3);
                all[spoiled].flux[700] += 2.0;
                all[spoiled].flux[701] += 0.9;
                let mut coadd = Coadd::new(all, 0, 3, &RV_KM_S[..n]).unwrap();
                for _ in 0..3 {
                    coadd.round().unwrap();
                }
                for (i, exposure) in coadd.exposures().iter().enumerate() {
                    let gone: Vec<usize> = (0..2100).filter(|k| exposure.ivar[*k] == 0.0).collect();
                    if i == spoiled {
                        assert!(
                            gone.contains(&700) && gone.contains(&701),
                            "{n} {i}: {gone:?}"
                        );
                        assert!(gone.len() <= 8, "{n} {i}: {gone:?}");
                    } else {
                        assert!(gone.is_empty(), "{n} {spoiled} {i}: {gone:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_a_coadd_is_none() {
        let two = exposures(&RV_KM_S[..2], 0.05, 4);
        assert!(Coadd::new(two.clone(), 0, 3, &[0.0, f64::NAN]).is_none());
        assert!(Coadd::new(two.clone(), 0, 3, &[0.0]).is_none());
        assert!(Coadd::new(two.clone(), 7, 3, &[0.0, 1.0]).is_none());
        assert!(Coadd::new(Vec::new(), 0, 3, &[]).is_none());
        let mut blind = two.clone();
        blind.iter_mut().for_each(|e| e.ivar.fill(0.0));
        assert!(Coadd::new(blind, 0, 3, &[0.0, 1.0]).is_none());
        let mut flat = two;
        flat.iter_mut().for_each(|e| e.flux.fill(1.0));
        // No slope, no velocity; and nothing breaks.
        let mut coadd = Coadd::new(flat, 0, 3, &[0.0, 1.0]).unwrap();
        if let Some(round) = coadd.round() {
            assert!(round.largest_sigma < 1.0, "{round:?}");
        }
    }
}
