//! A star's exposures laid over each other, and those that may lie in the wrong place.

use crate::numbers::statistics::median_high;
use std::borrow::Cow;

use super::super::alone::Alone;
use super::super::comparison::Comparison;
use super::super::first_pass::FirstPass;

use crate::likelihood::{Measurement, RvFlags};
use crate::reference::Coadd;
use crate::spectrum::Normalized;

/// A velocity that is flagged for little information, and lies this many of its errors from the star's others, is taken for that of
/// a peak of noise. Chosen by hand; docs/method.md, section 11, "Where exposures are laid".
const FAR_SIGMA: f64 = 3.0;

/// Flags of a measurement whose velocity says nothing.
pub(super) const NO_PLACE: RvFlags = RvFlags::EDGE.union(RvFlags::NO_CURVATURE);

/// What is to be done next with a star.
pub(super) enum Next<'a> {
    /// Nothing.
    Done,
    /// Its suspects are to be searched for against the coadds of the others.
    Search(Laid<'a>),
    /// All exposures are to be measured against the best of those that are not odd, and laid anew.
    Again(&'a mut FirstPass),
    /// Defects have been clipped from the exposures: those that this changed (all if it changed the best one) are to be measured
    /// against the best one, and that is all but for what is known of them.
    Best(&'a mut FirstPass, Vec<bool>, Alone),
}

/// A star whose exposures lie over each other.
pub(super) struct Laid<'a> {
    pub star: &'a mut FirstPass,
    pub coadd: Box<Coadd>,
    /// Exposures that are to be searched for.
    pub suspects: Vec<usize>,
    /// What was found of those that were.
    pub searched: Vec<Option<Measurement>>,
    /// Times that exposures were searched for.
    pub n_searches: usize,
}

/// A star in one band after the first pass, laid if it could be.
pub(super) enum Stand<'a> {
    /// Its exposures could not be laid over each other: it keeps the velocities against its best exposure.
    Alone(&'a mut FirstPass),
    /// Its exposures lie over each other.
    Laid(Laid<'a>),
}

impl<'a> Stand<'a> {
    /// The star as it was before it was laid.
    pub fn give_up(self) -> &'a mut FirstPass {
        match self {
            Stand::Alone(star) => star,
            Stand::Laid(laid) => laid.give_up(),
        }
    }

    /// Exposure `i` without what the comparison with the others took out of it.
    pub fn cleaned(&self, i: usize) -> Cow<'_, Normalized> {
        match self {
            Stand::Alone(star) => Cow::Borrowed(&star.normalized[i]),
            Stand::Laid(laid) => laid.coadd.cleaned(i),
        }
    }

    pub fn star(&self) -> &FirstPass {
        match self {
            Stand::Alone(star) => star,
            Stand::Laid(laid) => laid.star,
        }
    }

    pub fn star_mut(&mut self) -> &mut FirstPass {
        match self {
            Stand::Alone(star) => star,
            Stand::Laid(laid) => laid.star,
        }
    }
}

/// Lays a star's exposures over each other, without those that are odd.
pub(super) fn lay<'a>(comparison: &Comparison, star: &'a mut FirstPass) -> Stand<'a> {
    let mut rv_km_s = places(&star.measurements);
    for (rv, odd) in rv_km_s.iter_mut().zip(&star.odd) {
        if *odd {
            *rv = f64::NAN;
        }
    }
    let exposures = std::mem::take(&mut star.normalized);
    let n = exposures.len();
    match Coadd::new(exposures, star.best, comparison.knot_pixels, &rv_km_s) {
        Err(exposures) => star.normalized = exposures,
        Ok(mut coadd) => {
            if coadd.settle() {
                return Stand::Laid(Laid {
                    star,
                    coadd: Box::new(coadd),
                    suspects: Vec::new(),
                    searched: vec![None; n],
                    n_searches: 0,
                });
            }
            star.normalized = coadd.into_exposures();
        }
    }
    Stand::Alone(star)
}

impl<'a> Laid<'a> {
    /// The star as it was before; its measurements are those against its best exposure.
    pub fn give_up(self) -> &'a mut FirstPass {
        self.star.normalized = self.coadd.into_exposures();
        self.star
    }

    /// Leaves out the best exposure, which is unlike the others: their velocities against it say nothing, so they are to be measured
    /// again against the next best one.
    pub fn without_best(self) -> Next<'a> {
        let star = self.give_up();
        star.odd[star.best] = true;
        Next::Again(star)
    }

    /// The star, without what was clipped from its exposures. Foreign light (`reference::coadd::foreign`) is not taken off: where
    /// exposures are no copies of each other, their differences look like it.
    pub fn into_clipped(self) -> &'a mut FirstPass {
        self.star.normalized = self.coadd.into_clipped();
        self.star
    }

    /// Takes the best exposure, without its defects, for the reference.
    pub fn with_best_alone(self, known: Alone) -> Next<'a> {
        with_best(self.into_clipped(), known)
    }
}

/// Takes the best exposure for the reference; the exposures are without what was clipped.
pub(super) fn with_best(star: &mut FirstPass, known: Alone) -> Next<'_> {
    let mut changed = known.clipped.clone();
    if changed.get(star.best) == Some(&true) {
        changed.fill(true);
    }
    Next::Best(star, changed, known)
}

/// Whether the velocity is certainly that of the star, and not that of a peak of noise.
pub(super) fn is_sure(m: &Measurement) -> bool {
    !m.flags
        .intersects(NO_PLACE | RvFlags::LOW_INFORMATION | RvFlags::MULTIPLE_PEAKS)
}

/// Velocities at which the exposures are laid over each other; NaN for those that have none.
///
/// Where there is little information, noise makes peaks anywhere on the grid. An exposure of that kind, found far from the
/// others for its error, is laid where they are.
pub(super) fn places(measured: &[Measurement]) -> Vec<f64> {
    let sure = measured.iter().filter(|m| is_sure(m));
    let mut sure: Vec<f64> = sure.map(|m| m.rv_km_s).collect();
    // Where no exposure is sure, 0: the velocity of the best exposure.
    let centre = median_high(&mut sure).unwrap_or(0.0);
    let place = |m: &Measurement| {
        let is_far = (m.rv_km_s - centre).abs() > FAR_SIGMA * m.rv_err_km_s;
        match m.flags {
            flags if flags.intersects(NO_PLACE) => f64::NAN,
            flags if flags.contains(RvFlags::LOW_INFORMATION) && is_far => centre,
            _ => m.rv_km_s,
        }
    };
    measured.iter().map(place).collect()
}
