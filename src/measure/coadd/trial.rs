//! A best exposure on trial: what the others look like against it, and against the next best one.

use super::super::first_pass::FirstPass;
use super::double::FEWEST;
use super::laid::{NO_PLACE, is_sure};
use crate::likelihood::Measurement;

/// Whether more than half of the exposures beside these are of this kind.
fn are_most(measured: &[Measurement], beside: &[usize], is: impl Fn(&Measurement) -> bool) -> bool {
    let others = || {
        measured
            .iter()
            .enumerate()
            .filter(|(i, _)| !beside.contains(i))
    };
    2 * others().filter(|(_, m)| is(m)).count() > others().count()
}

/// Whether most of a star's exposures have no velocity against the best one. Then it is more likely that the best one is spoiled than
/// that all others are.
pub(super) fn is_lost(star: &FirstPass) -> bool {
    star.odd.len() >= FEWEST
        && star.on_trial.is_none()
        && !star.odd.contains(&true)
        && are_most(&star.measurements, &[star.best], |m| {
            m.flags.intersects(NO_PLACE)
        })
}

/// Leaves out the best exposure, to see how the others compare without it.
pub(super) fn begin(star: &mut FirstPass) {
    star.odd[star.best] = true;
    star.on_trial = Some(star.best);
    star.before_trial.clone_from(&star.measurements);
}

/// Ends a trial. The exposure is the reference again, unless most of the others had no sure velocity against it and have one without
/// it: then it stays left out.
pub(super) fn end(star: &mut FirstPass) {
    let Some(tried) = star.on_trial else {
        return;
    };
    let is_unsure = |m: &Measurement| !is_sure(m);
    // The next best one is sure against itself, which says nothing.
    let now = &[tried, star.best];
    if are_most(&star.before_trial, &[tried], is_unsure)
        && !are_most(&star.measurements, now, is_unsure)
    {
        star.on_trial = None;
        return;
    }
    star.end_trial();
}

/// Ends a trial without which the star cannot be laid either, if it began because most of the exposures had no velocity.
pub(super) fn end_if_lost(star: &mut FirstPass) {
    let Some(tried) = star.on_trial else {
        return;
    };
    if are_most(&star.before_trial, &[tried], |m| {
        m.flags.intersects(NO_PLACE)
    }) {
        end(star);
    }
}
