//! Two sets of lines in a star, as all of its exposures but one see them.
//!
//! They are looked for when the exposures have judged each other pixel by pixel, so that a cosmic ray in the reference is no
//! second set. A best exposure that alone makes a star double is a spoiled one: half of its light may be scattered
//! sunlight, or the fibre was on another star. So a star that looks double is laid again without its best exposure, and must
//! look double then as well.

use std::borrow::Cow;

use super::super::comparison::Comparison;
use super::super::first_pass::FirstPass;
use super::laid::Stand;
use crate::double_lined::coarse::CoarseExposure;
use crate::double_lined::{self, Evidence};
use crate::reference::Reference;
use crate::spectrum::Normalized;

/// What is known of a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One set of lines.
    Single,
    /// Two sets of lines, in one band or another.
    Double,
    /// Two sets of lines, but its best exposure may be the reason.
    Doubtful,
}

/// Fewer exposures of a band than this are not judged without the best one.
pub(super) const FEWEST: usize = 3;

/// Judges a star by its bands.
pub(super) fn judge(
    comparison: &Comparison,
    bands: &mut [Stand<'_>],
    scratch: &mut CoarseExposure,
) -> Verdict {
    let evidence = evidence(comparison, bands, scratch);
    let all: Vec<&Evidence> = evidence.iter().collect();
    let double = double_lined::judge(&all);
    let is_double = double.iter().flatten().any(|d| *d);
    let is_on_trial = bands.iter().any(|band| band.star().on_trial.is_some());
    if is_on_trial && is_double {
        return Verdict::Double;
    }
    for stand in bands.iter_mut() {
        let star = stand.star_mut();
        note(star, &double[star.band]);
        if !is_on_trial {
            star.is_suspected = is_double_alone(&evidence, star.band);
        }
    }
    // Exposures that were left out for other reasons have had their trial.
    let may_be_tried = |band: &Stand<'_>| {
        let odd = &band.star().odd;
        odd.len() >= FEWEST && !odd.contains(&true)
    };
    match (is_double, bands.iter().any(may_be_tried)) {
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

/// Whether a star would look double if there were this band alone.
fn is_double_alone(evidence: &[Evidence], band: usize) -> bool {
    let none = Evidence::default();
    let mut alone = vec![&none; evidence.len()];
    alone[band] = &evidence[band];
    double_lined::judge(&alone)
        .iter()
        .flatten()
        .any(|double| *double)
}

/// What the exposures that are not odd show against the best of them; by the number of the band.
fn evidence(
    comparison: &Comparison,
    bands: &[Stand<'_>],
    scratch: &mut CoarseExposure,
) -> Vec<Evidence> {
    let mut in_order: Vec<&Stand<'_>> = bands.iter().collect();
    in_order.sort_by_key(|stand| stand.star().band);
    let mut out: Vec<Evidence> = Vec::new();
    for stand in in_order {
        let star = stand.star();
        out.resize_with(star.band + 1, Evidence::default);
        let members: Vec<usize> = (0..star.odd.len()).filter(|i| !star.odd[*i]).collect();
        let exposures: Vec<Cow<'_, Normalized>> =
            members.iter().map(|i| stand.cleaned(*i)).collect();
        let Some(reference) = members.iter().position(|i| *i == star.best) else {
            continue;
        };
        let Some(spline) = Reference::new(&exposures[reference], comparison.knot_pixels) else {
            continue;
        };
        let widths = star.band == 0 || out[0].has_broad_lines();
        let exposures = exposures.iter().map(Cow::as_ref);
        out[star.band] = double_lined::evidence(&spline, exposures, reference, widths, scratch);
    }
    out
}
