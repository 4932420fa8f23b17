//! Exposures that may lie in the wrong place: which they are, and what becomes of them once they were searched for.

use super::accept;
use super::laid::{Laid, NO_PLACE, Next, is_sure};
use crate::likelihood::Measurement;
use crate::reference::coadd::Compared;

/// An exposure has moved if the search finds it more than this many of its errors from where it lay. The numbers here were chosen by
/// hand; docs/method.md, section 11, "Suspects", says how many spectra they are.
const MOVED_SIGMA: f64 = 1.0;

/// Times that exposures are searched for against the coadds of the others, at most.
const MAX_SEARCHES: usize = 3;

/// An exposure is a suspect if settling moved it by more than this many of its errors, or if the second peak of its likelihood was
/// higher than this part of the first one: then the first pass may have taken the wrong peak.
const SUSPECT_SIGMA: f64 = 6.0;
const SUSPECT_SECOND_PEAK: f64 = 0.35;

/// Looks for exposures of which the first pass may have taken the wrong peak, and judges the star if there is none.
pub(super) fn suspected(mut laid: Laid<'_>) -> Next<'_> {
    let compared = laid.coadd.compared();
    let zero = laid.star.measurements[laid.star.best].rv_km_s;
    let is_suspect = |(i, now): (usize, &Compared)| {
        let first = &laid.star.measurements[i];
        let moved_km_s = (now.rv_km_s - (first.rv_km_s - zero)).abs();
        let is_suspect = !is_sure(first)
            || first.second_peak > SUSPECT_SECOND_PEAK
            || moved_km_s.is_nan()
            || moved_km_s > SUSPECT_SIGMA * first.rv_err_km_s
            || !laid.coadd.is_member(i)
            || accept::differs(&now.misfit);
        is_suspect.then_some(i)
    };
    laid.suspects = compared.iter().enumerate().filter_map(is_suspect).collect();
    match laid.suspects.is_empty() {
        true => accept::judged(laid),
        false => Next::Search(laid),
    }
}

/// Takes the measurements of a star's suspects: lays them where they were found, and judges the star if none of them has moved.
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
        return accept::unsettled(laid);
    }
    match laid.n_searches >= MAX_SEARCHES {
        true => accept::judged(laid),
        false => Next::Search(laid),
    }
}
