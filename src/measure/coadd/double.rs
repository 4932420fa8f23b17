//! Two sets of lines in a star, as all of its exposures but one see them.
//!
//! They are looked for when the exposures have judged each other pixel by pixel, so that a cosmic ray in the reference is no
//! second set. A best exposure that alone makes a star double is a spoiled one: half of its light may be scattered
//! sunlight, or the fibre was on another star. So a star that looks double is laid again without its best exposure, and must
//! look double then as well.

use std::borrow::Cow;

use super::*;
use crate::double_lined::{self, Evidence};

/// What is known of a star in one arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One set of lines.
    Single,
    /// Two sets of lines, in one arm or the other.
    Double,
    /// Two sets of lines, but its best exposure may be the reason.
    Doubtful,
}

/// Fewer exposures of an arm than this are not judged without the best one.
pub(super) const FEWEST: usize = 3;

/// Judges a star by its arms.
pub(super) fn judge(
    config: &MeasureConfig,
    arms: &mut [Stand<'_>],
    scratch: &mut CoarseExposure,
) -> Verdict {
    let evidence = evidence(config, arms, scratch);
    let double = double_lined::judge([&evidence[0], &evidence[1]]);
    let is_double = double.iter().flatten().any(|d| *d);
    let is_on_trial = arms.iter().any(|arm| arm.star().on_trial.is_some());
    if is_on_trial && is_double {
        return Verdict::Double;
    }
    let none = Evidence::default();
    let alone = [[&evidence[0], &none], [&none, &evidence[1]]];
    for stand in arms.iter_mut() {
        if let Some(arm) = stand.exposures().first().map(|e| e.arm as usize) {
            note(stand.star_mut(), &double[arm]);
            if !is_on_trial {
                let alone = double_lined::judge(alone[arm]);
                stand.star_mut().is_suspected = alone.iter().flatten().any(|d| *d);
            }
        }
    }
    // Exposures that were left out for other reasons have had their trial.
    let may_be_tried = |arm: &Stand<'_>| {
        let odd = &arm.star().odd;
        odd.len() >= FEWEST && !odd.contains(&true)
    };
    match (is_double, arms.iter().any(may_be_tried)) {
        (false, _) => Verdict::Single,
        (true, false) => Verdict::Double,
        (true, true) => Verdict::Doubtful,
    }
}

/// Notes which of the exposures that are not odd show two sets of lines. Of two exposures it may be either.
fn note(star: &mut FirstPass, double: &[bool]) {
    star.double_lined.fill(false);
    let not_odd = (0..star.odd.len()).filter(|i| !star.odd[*i]);
    let both = star.odd.len() == 2 && double.contains(&true);
    for (i, double) in not_odd.zip(double) {
        star.double_lined[i] = *double || both;
    }
}

/// What the exposures that are not odd show against the best of them; blue and red.
fn evidence(
    config: &MeasureConfig,
    arms: &[Stand<'_>],
    scratch: &mut CoarseExposure,
) -> [Evidence; 2] {
    let mut out = [Evidence::default(), Evidence::default()];
    // The blue arm comes first.
    let mut in_order: Vec<&Stand<'_>> = arms.iter().collect();
    in_order.sort_by_key(|stand| stand.exposures().first().map(|e| e.arm as usize));
    for stand in in_order {
        let star = stand.star();
        let members: Vec<usize> = (0..star.odd.len()).filter(|i| !star.odd[*i]).collect();
        let exposures: Vec<Cow<'_, Normalized>> =
            members.iter().map(|i| stand.cleaned(*i)).collect();
        let Some(reference) = members.iter().position(|i| *i == star.best) else {
            continue;
        };
        let Some(spline) = Reference::new(&exposures[reference], config.knot_pixels) else {
            continue;
        };
        let arm = exposures[reference].arm as usize;
        let widths = arm == 0 || out[0].has_broad_lines();
        let exposures = exposures.iter().map(Cow::as_ref);
        out[arm] = double_lined::evidence(&spline, exposures, reference, widths, scratch);
    }
    out
}
