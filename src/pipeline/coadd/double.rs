//! Two sets of lines in a star, as all of its exposures but one see them.
//!
//! They are looked for when the exposures have judged each other pixel by pixel, so that a cosmic ray in the reference is no
//! second set. A best exposure that alone makes a star double is a spoiled one: half of its light may be scattered
//! sunlight, or the fibre was on another star. So the star must be double without its best exposure as well.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;
use crate::spectrum::coarse::CoarseExposure;
use crate::spectrum::double_lined::{self, Evidence};

/// What is known of a star in one arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One set of lines.
    Single,
    /// Two sets of lines, in one arm or the other.
    Double,
    /// The best exposure makes it look double, and no other does.
    OddBest,
}

/// Fewer exposures of an arm than this are not judged without the best one.
const FEWEST: usize = 3;

/// Judges the stars, whose arms have the same number.
pub(super) fn look<'a>(
    config: &MeasureConfig,
    stands: Vec<Stand<'a>>,
) -> Vec<(Stand<'a>, Verdict)> {
    let mut stars: BTreeMap<i64, Vec<Stand<'a>>> = BTreeMap::new();
    for stand in stands {
        stars.entry(stand.star().star).or_default().push(stand);
    }
    let stars: Vec<Vec<Stand<'a>>> = stars.into_values().collect();
    stars
        .into_par_iter()
        .map_init(CoarseExposure::default, |scratch, mut arms| {
            let verdicts = judge(config, &mut arms, scratch);
            arms.into_iter().zip(verdicts).collect::<Vec<_>>()
        })
        .flatten_iter()
        .collect()
}

fn judge(
    config: &MeasureConfig,
    arms: &mut [Stand<'_>],
    scratch: &mut CoarseExposure,
) -> Vec<Verdict> {
    let of_all = evidence(config, arms, false, scratch);
    let double = double_lined::judge([&of_all[0], &of_all[1]]);
    if !is_double(&double) {
        return vec![Verdict::Single; arms.len()];
    }
    if arms.iter().any(|arm| arm.exposures().len() >= FEWEST) {
        let without_best = evidence(config, arms, true, scratch);
        if !is_double(&double_lined::judge([&without_best[0], &without_best[1]])) {
            return odd_arms(arms, &of_all);
        }
    }
    if std::env::var_os("RELRV_DEBUG").is_some() {
        for (a, e) in of_all.iter().enumerate() {
            eprintln!(
                "DBL star {} arm {a} second {:?} width {:?} double {:?} lines {}",
                arms[0].star().star,
                e.second
                    .iter()
                    .map(|s| s.map(|s| (
                        s.is_sure(),
                        (s.sigma * 10.0) as i32,
                        (s.share * 100.0) as i32,
                        (s.others_sigma * 10.0) as i32,
                        s.misfit_sigma as i32
                    )))
                    .collect::<Vec<_>>(),
                e.width_sigma,
                double[a],
                e.has_broad_lines()
            );
        }
    }
    for stand in arms.iter_mut() {
        if let Some(arm) = stand.exposures().first().map(|e| e.arm) {
            stand
                .star_mut()
                .double_lined
                .clone_from(&double[arm as usize]);
        }
    }
    vec![Verdict::Double; arms.len()]
}

fn is_double(exposures: &[Vec<bool>; 2]) -> bool {
    exposures.iter().flatten().any(|d| *d)
}

/// In which arms the best exposure looks double: those that show it by themselves, or both if neither does.
fn odd_arms(arms: &[Stand<'_>], of_all: &[Evidence; 2]) -> Vec<Verdict> {
    let none = Evidence::default();
    let alone = [
        is_double(&double_lined::judge([&of_all[0], &none])),
        is_double(&double_lined::judge([&none, &of_all[1]])),
    ];
    let verdict = |stand: &Stand<'_>| {
        let shows = stand.exposures().first().map(|e| alone[e.arm as usize]);
        match shows == Some(true) || alone == [false, false] {
            true if stand.exposures().len() >= FEWEST => Verdict::OddBest,
            _ => Verdict::Single,
        }
    };
    arms.iter().map(verdict).collect()
}

/// What the exposures show against the best one, or without that against the best of the others; blue and red.
fn evidence(
    config: &MeasureConfig,
    arms: &[Stand<'_>],
    without_best: bool,
    scratch: &mut CoarseExposure,
) -> [Evidence; 2] {
    let mut out = [Evidence::default(), Evidence::default()];
    // The blue arm comes first.
    let mut in_order: Vec<&Stand<'_>> = arms.iter().collect();
    in_order.sort_by_key(|stand| stand.exposures().first().map(|e| e.arm as usize));
    for stand in in_order {
        let best = stand.star().best;
        let n = stand.exposures().len();
        let is_left_out = without_best && n >= FEWEST;
        let exposures: Vec<Cow<'_, Normalized>> = (0..n)
            .filter(|i| !(is_left_out && *i == best))
            .map(|i| stand.cleaned(i))
            .collect();
        let reference = match is_left_out {
            false => best,
            true => match (0..exposures.len()).max_by(|a, b| {
                exposures[*a]
                    .snr
                    .total_cmp(&exposures[*b].snr)
                    .then(b.cmp(a))
            }) {
                Some(reference) => reference,
                None => continue,
            },
        };
        let Some(exposure) = exposures.get(reference) else {
            continue;
        };
        let Some(spline) = Reference::new(exposure, config.knot_pixels) else {
            continue;
        };
        let arm = exposure.arm as usize;
        let widths = arm == 0 || out[0].has_broad_lines();
        out[arm] = double_lined::evidence(
            &spline,
            exposures.iter().map(Cow::as_ref),
            reference,
            widths,
            scratch,
        );
    }
    out
}
