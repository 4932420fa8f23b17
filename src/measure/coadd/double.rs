//! Whether a star shows two sets of lines, and whether it still does without its best exposure.
//!
//! They are looked for when the defects that only one exposure has were taken out, so that a cosmic ray in the reference is not
//! taken for a second set. A best exposure that alone makes a star look double is a spoiled one: half of its light may be
//! scattered sunlight, or the fibre was on another star. So the exposures of a star that looks double are laid over each other
//! again without the best one, and the star must look double then as well.

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

/// A band with fewer exposures than this is not tried without its best one: a single exposure would be left.
pub(super) const FEWEST: usize = 3;

/// Judges a star by its bands.
pub(super) fn judge(
    comparison: &Comparison,
    bands: &mut [Stand<'_>],
    scratch: &mut CoarseExposure,
) -> Verdict {
    // What is known of these from before holds; without its best exposure a star that changes is easily taken for a double one.
    if bands.iter().any(|band| band.star().no_copies.is_some()) {
        return Verdict::Single;
    }
    let evidence = evidence(comparison, bands, scratch);
    let all: Vec<&Evidence> = evidence.iter().collect();
    let double = double_lined::judge(&all);
    let is_double = double.iter().flatten().any(|d| *d);
    let is_on_trial = bands.iter().any(|band| band.star().on_trial.is_some());
    if is_on_trial && is_double {
        // The trial may have begun for another reason; then nobody has noted it yet.
        let is_noted = bands
            .iter()
            .any(|band| band.star().double_lined.contains(&true));
        if !is_noted {
            for stand in bands.iter_mut() {
                let star = stand.star_mut();
                note(star, &double[star.band]);
            }
        }
        return Verdict::Double;
    }
    for stand in bands.iter_mut() {
        let star = stand.star_mut();
        note(star, &double[star.band]);
        if !is_on_trial {
            star.is_suspected = is_double_alone(&evidence, star.band);
        }
    }
    // A band in which an exposure was left out before, for whatever reason, is not tried again.
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

/// Notes which of the exposures that are not odd show two sets of lines. Of two exposures both are noted: nothing tells which of them
/// does.
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
