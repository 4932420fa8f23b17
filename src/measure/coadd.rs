//! The second pass with `--reference coadd`: every exposure against the coadd of the star's others.
//!
//! The exposures of one star show the same star, so they judge each other here: what one of them has alone is taken out of it,
//! and one that is unlike all others serves neither as a reference nor in the coadd. `docs/method.md`, section 11, has the
//! method and its limits; `tests/integration/agreement_plates.rs`, `agreement_rays.rs` and `coadd_plates.rs` show on simulated
//! plates what they give.
//!
//! Words used in this folder: exposures are *laid* over each other when each is put at its own velocity on the pixels of the
//! best one, and *settle* when these velocities have been improved until they agree. An exposure is *odd* when it was found to
//! be unlike the star's others and left out. A star is *on trial* while its best exposure is left out to see whether it looks
//! double-lined without it. A *suspect* is an exposure whose first velocity may be that of a wrong peak.

mod accept;
mod double;
mod laid;
mod ripple;
mod search;
mod suspects;
mod trial;

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::alone::Alone;
use super::comparison::Comparison;
use super::first_pass::FirstPass;
use super::stages::{Stage, StageClocks};
use crate::double_lined::coarse::CoarseExposure;
use crate::likelihood::RvFlags;
use double::Verdict;
use laid::{Next, Stand};

/// Measures the stars' exposures against their coadds, where there is a good one. `stars` has an entry for each star and band; those
/// of one star have the same number. Once `cancelled` says so, stars that are not begun stay as they are.
pub fn against_coadds(
    comparison: &Comparison,
    stars: &mut [FirstPass],
    clocks: &StageClocks,
    cancelled: &(dyn Fn() -> bool + Sync),
) {
    let mut by_star: BTreeMap<i64, Vec<&mut FirstPass>> = BTreeMap::new();
    for band in stars.iter_mut() {
        by_star.entry(band.star).or_default().push(band);
    }
    let by_star: Vec<Vec<&mut FirstPass>> = by_star.into_values().collect();
    by_star
        .into_par_iter()
        .for_each_init(CoarseExposure::default, |scratch, bands| {
            if !cancelled() {
                one_star(comparison, bands, scratch, clocks);
            }
        });
    for star in stars {
        for (m, odd) in star.measurements.iter_mut().zip(&star.odd) {
            if *odd {
                m.flags |= RvFlags::NOT_AS_OTHERS;
            }
        }
    }
}

/// Measures one star in all its bands. The loop ends: a search is repeated `suspects::MAX_SEARCHES` times at most, and each time
/// that exposures are laid again one more of them is odd.
fn one_star(
    comparison: &Comparison,
    bands: Vec<&mut FirstPass>,
    scratch: &mut CoarseExposure,
    clocks: &StageClocks,
) {
    let mut waiting = bands;
    while !waiting.is_empty() {
        let mut next: Vec<Next<'_>> = clocks.time(Stage::Reference, || {
            let mut bands: Vec<Stand<'_>> = waiting
                .drain(..)
                .map(|band| laid::lay(comparison, band))
                .collect();
            let verdict = double::judge(comparison, &mut bands, scratch);
            let judged = bands.into_iter();
            judged.map(|band| first_judgement(band, verdict)).collect()
        });
        while let Some(band) = next.pop() {
            match band {
                Next::Done => {}
                Next::Search(laid) => {
                    let measured = search::against_others(comparison, &laid, clocks);
                    let found = || suspects::found(laid, measured);
                    next.push(clocks.time(Stage::Reference, found));
                }
                Next::Again(band) => {
                    let all = vec![true; band.normalized.len()];
                    search::against_best(comparison, band, &all, clocks);
                    waiting.push(band);
                }
                Next::Best(band, changed, known) => {
                    if changed.contains(&true) {
                        search::against_best(comparison, band, &changed, clocks);
                    }
                    accept::put(known, band);
                }
            }
        }
    }
}

/// What is to be done with a star once it is known whether it has two sets of lines.
fn first_judgement(stand: Stand<'_>, verdict: Verdict) -> Next<'_> {
    match (stand, verdict) {
        (Stand::Alone(star), Verdict::Single) if trial::is_lost(star) => {
            trial::begin(star);
            Next::Again(star)
        }
        (Stand::Alone(star), Verdict::Single) if star.no_copies.is_some() => {
            accept::end_trial(star)
        }
        (Stand::Alone(star), Verdict::Single) => {
            trial::end_if_lost(star);
            Next::Done
        }
        (stand, Verdict::Doubtful) => {
            let star = stand.give_up();
            if star.odd.len() >= double::FEWEST {
                trial::begin(star);
            }
            Next::Again(star)
        }
        // The star is double, so its exposures are no copies of each other and it has no coadd. If its best exposure was left out to
        // find that, it is mostly the reference again.
        (Stand::Alone(star), Verdict::Double) => {
            trial::end(star);
            Next::Done
        }
        (Stand::Laid(laid), Verdict::Double) => {
            trial::end(laid.star);
            let clipped = laid.coadd.clipped();
            laid.with_best_alone(Alone {
                clipped,
                ..Alone::default()
            })
        }
        (Stand::Laid(laid), Verdict::Single) => suspects::suspected(laid),
    }
}

#[cfg(test)]
mod tests;
