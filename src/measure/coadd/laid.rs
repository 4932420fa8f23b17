//! A star's exposures laid over each other, and those that may lie in the wrong place.

use std::borrow::Cow;

use super::*;

/// An exposure is found elsewhere than where it lay if it is this many of its errors away.
const MOVED_SIGMA: f64 = 1.0;

/// Times that exposures are searched for against the coadds of the others, at most.
const MAX_SEARCHES: usize = 3;

/// With little information a velocity this many of its errors from the star's others is that of a peak of noise.
const FAR_SIGMA: f64 = 3.0;

/// An exposure is searched for on the whole grid again if settling moved it by this many of its errors, or if the second peak
/// was so high: then the first pass may have found the wrong one.
const SUSPECT_SIGMA: f64 = 6.0;
const SUSPECT_SECOND_PEAK: f64 = 0.35;

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

/// A star after the first pass.
pub(super) enum Stand<'a> {
    /// Its exposures cannot be laid over each other.
    Alone(&'a mut FirstPass),
    /// They could.
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

    pub fn exposures(&self) -> &[Normalized] {
        match self {
            Stand::Alone(star) => &star.normalized,
            Stand::Laid(laid) => laid.coadd.exposures(),
        }
    }

    /// Exposure `i` as the others left it.
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
pub(super) fn lay<'a>(config: &MeasureConfig, star: &'a mut FirstPass) -> Stand<'a> {
    let mut rv_km_s = places(&star.measurements);
    for (rv, odd) in rv_km_s.iter_mut().zip(&star.odd) {
        if *odd {
            *rv = f64::NAN;
        }
    }
    let exposures = std::mem::take(&mut star.normalized);
    let n = exposures.len();
    match Coadd::new(exposures, star.best, config.knot_pixels, &rv_km_s) {
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

    /// The best exposure is unlike the others: where they lie is not known from it.
    pub fn without_best(self) -> Next<'a> {
        let star = self.give_up();
        star.odd[star.best] = true;
        Next::Again(star)
    }

    /// The best exposure is the reference, without its defects. Foreign light is left: where exposures are no copies of each other
    /// their differences pass for it.
    pub fn with_best_alone(self) -> Next<'a> {
        let trial = self.star.on_trial.take();
        if let Some(best) = trial {
            self.star.odd[best] = false;
        }
        if trial.is_none() && !self.coadd.is_clipped() {
            return Next::Done;
        }
        self.star.normalized = self.coadd.into_clipped();
        Next::Best(self.star)
    }

    /// Looks for exposures of which the first pass may have taken the wrong peak, and judges the star if there is none.
    pub fn suspected(mut self) -> Next<'a> {
        let compared = self.coadd.compared();
        let zero = self.star.measurements[self.star.best].rv_km_s;
        let is_suspect = |(i, now): (usize, &Compared)| {
            let first = &self.star.measurements[i];
            let moved_km_s = (now.rv_km_s - (first.rv_km_s - zero)).abs();
            let is_suspect = !is_sure(first)
                || first.second_peak > SUSPECT_SECOND_PEAK
                || moved_km_s.is_nan()
                || moved_km_s > SUSPECT_SIGMA * first.rv_err_km_s
                || !self.coadd.is_member(i)
                || accept::differs(&now.misfit);
            is_suspect.then_some(i)
        };
        self.suspects = compared.iter().enumerate().filter_map(is_suspect).collect();
        match self.suspects.is_empty() {
            true => accept::judged(self),
            false => Next::Search(self),
        }
    }
}

/// Takes what was found of a star's suspects: lays them there, and judges.
pub(super) fn found(mut laid: Laid<'_>, measured: Vec<Measurement>) -> Next<'_> {
    laid.n_searches += 1;
    let mut anew = laid.coadd.rv_km_s();
    let mut has_moved = false;
    for (&i, m) in laid.suspects.iter().zip(&measured) {
        laid.searched[i] = Some(*m);
        let is_member = laid.coadd.is_member(i);
        let may_serve = is_sure(m) && !laid.star.odd[i];
        let moved = (m.rv_km_s - anew[i]).abs() > MOVED_SIGMA * m.rv_err_own_km_s;
        if may_serve && (moved || !is_member) {
            anew[i] = m.rv_km_s;
            has_moved = true;
        } else if m.flags.intersects(NO_PLACE) && is_member && i != laid.star.best {
            anew[i] = f64::NAN;
            has_moved = true;
        }
    }
    if !has_moved {
        return accept::judged(laid);
    }
    let to_best = anew[laid.star.best];
    for (i, rv) in anew.iter_mut().enumerate() {
        *rv -= if to_best.is_finite() { to_best } else { 0.0 };
        if !laid.coadd.is_member(i) && laid.searched[i].is_none() {
            *rv = f64::NAN;
        }
    }
    if !(laid.coadd.place(&anew) && laid.coadd.settle()) {
        laid.give_up();
        return Next::Done;
    }
    match laid.n_searches >= MAX_SEARCHES {
        true => accept::judged(laid),
        false => Next::Search(laid),
    }
}

/// Velocities at which the exposures are laid over each other; NaN for those that have none.
///
/// Where there is little information, noise makes peaks anywhere on the grid. An exposure of that kind, found far from the
/// others for its error, is laid where they are.
pub(super) fn places(measured: &[Measurement]) -> Vec<f64> {
    let sure = measured.iter().filter(|m| is_sure(m));
    let mut sure: Vec<f64> = sure.map(|m| m.rv_km_s).collect();
    sure.sort_by(f64::total_cmp);
    // The velocity of the best exposure where nothing else is known.
    let centre = sure.get(sure.len() / 2).copied().unwrap_or(0.0);
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
