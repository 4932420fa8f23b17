//! Exposures are moved until they lie over each other, and defects that only one of them has are clipped.
//!
//! The numbers are those of docs/method.md, section 11 ("Where exposures are laid"), and were chosen by hand.

use super::Coadd;
use super::clip::{CLIP_MARGIN, Residuals, defects};
use super::sweep::{Extent, Sweep, sweep};
use super::view::{AtPixels, Others};

/// Rounds of laying the exposures over each other, at most.
const MAX_ROUNDS: usize = 6;

/// The exposures have settled if no velocity is to be moved by more than this part of its error. The step is applied all the same; what
/// another round would add is a sixth of it.
const SETTLED_SIGMA: f64 = 0.7;

/// If no clipped pixel was more than this many sigma off, it has moved the velocities of the other exposures by no more than a tenth of
/// their errors. Then only the exposures that lost pixels are compared again.
const MINOR_SIGMA: f64 = 12.0;

/// The prior of the reference (`spline::bspline`) is found anew if an exposure was moved by more than this many of its errors, or if a
/// clipped pixel was off by more than this many sigma. Smaller changes hardly change the power of the spectrum.
const FAR_SIGMA: f64 = 2.0;
const FAR_CLIP_SIGMA: f64 = 30.0;

/// An exposure that is to be moved by less than this part of its error stays where it lies in the coadd: so small a shift does not blur
/// the lines.
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

/// What was clipped in a round.
struct Clip {
    /// Number of defects.
    n: usize,
    /// Exposures that have any.
    changed: Vec<bool>,
    /// The farthest-off pixel of them, in sigma.
    farthest_sigma: f64,
}

impl Coadd {
    /// Moves the exposures until they lie over each other. False where they cannot.
    pub fn settle(&mut self) -> bool {
        for number in 0..MAX_ROUNDS {
            // The first round is the last one of few stars.
            let extent = match number {
                0 => Extent::Step,
                _ => Extent::Whole,
            };
            match self.round_of(extent) {
                None => return false,
                Some(round) if round.is_settled => break,
                Some(_) => {}
            }
        }
        true
    }

    /// Compares every exposure with the coadd of the others: moves velocities, clips defects, and lays the exposures anew that
    /// have changed. None where the coadd cannot be made any more.
    #[cfg(test)]
    pub fn round(&mut self) -> Option<Round> {
        self.round_of(Extent::Whole)
    }

    /// A round with sweeps of this extent; if it is the last one they are whole in the end.
    fn round_of(&mut self, extent: Extent) -> Option<Round> {
        self.compare(&vec![true; self.parts.len()], extent);
        let clip = self.clip();
        let largest_sigma = self.find_steps()?;
        let is_near = largest_sigma < SETTLED_SIGMA;
        let is_settled = is_near && clip.farthest_sigma < MINOR_SIGMA;
        if is_settled && extent == Extent::Step {
            let unchanged: Vec<bool> = clip.changed.iter().map(|changed| !changed).collect();
            self.compare(&unchanged, Extent::Whole);
        }
        if is_settled && clip.n > 0 {
            self.sum_again(&clip.changed);
            self.compare(&clip.changed, Extent::Whole);
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
            // The velocity of the others' coadd is their mean. If each exposure is moved by this part of its distance to it, all
            // meet at the mean of all (docs/method.md, (19)).
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

    /// Compares those of the exposures that are `wanted` with the others; for the rest the last comparison holds.
    pub(super) fn compare(&mut self, wanted: &[bool], extent: Extent) {
        let mut sweeps = std::mem::take(&mut self.sweeps);
        sweeps.resize_with(self.parts.len(), Sweep::default);
        let (mut others, mut at) = (Others::default(), AtPixels::default());
        let with_prior = self.all.equations.with_prior(&self.prior);
        for (i, out) in sweeps.iter_mut().enumerate().filter(|(i, _)| wanted[*i]) {
            let Some(others) = self.without(i, &with_prior, &mut others) else {
                *out = Sweep::default();
                continue;
            };
            let (exposure, part, lights) = (&self.exposures[i], &self.parts[i], &self.lights[i]);
            sweep(exposure, part, lights, &others, extent, &mut at, out);
        }
        self.sweeps = sweeps;
    }

    /// Finds the pixels whose residuals only a defect explains, and sets their weights to 0.
    fn clip(&mut self) -> Clip {
        let n = self.exposures[self.best].ln_wave.len();
        let residuals: Vec<Option<Residuals<'_>>> = self
            .members
            .iter()
            .zip(self.parts.iter().zip(&self.sweeps))
            .zip(&self.exposures)
            .map(|((is_member, (part, sweep)), exposure)| {
                is_member.then_some(Residuals {
                    x: &part.x,
                    lsf_pixels: exposure.band.lsf_pixels,
                    z: &sweep.z,
                    off: &sweep.off,
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
