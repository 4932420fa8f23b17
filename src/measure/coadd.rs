//! The second pass with `--reference coadd`: every exposure against the coadd of the star's others.
//!
//! The exposures of one star show the same star, so they judge each other here: what one of them has alone is taken out of it,
//! and one that is unlike all others serves neither as a reference nor in the coadd.

mod accept;
mod double;
mod laid;
mod search;

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::files::MeasureConfig;
use super::stages::{Stage, StageClocks};
use crate::double_lined::coarse::CoarseExposure;
use crate::likelihood::{Batch, Cpu, Measurement, ReferenceTable, RvFlags, SpectrumPixels};
use crate::reference::coadd::Compared;
use crate::reference::{Coadd, Reference};
use crate::spectrum::Normalized;
use double::Verdict;
use laid::{Laid, Stand};

/// Flags of a measurement whose velocity says nothing.
const NO_PLACE: RvFlags = RvFlags::EDGE.union(RvFlags::NO_CURVATURE);

/// A star in one arm, measured against its best exposure.
#[derive(Clone, Debug)]
pub struct FirstPass {
    /// Number of the star: its two arms have the same.
    pub star: i64,
    /// Its exposures.
    pub normalized: Vec<Normalized>,
    /// The best of them; another one where that turns out to be unlike the others.
    pub best: usize,
    /// Their velocities; better ones take their place.
    pub measurements: Vec<Measurement>,
    /// Exposures that the reference is made of.
    pub n_reference: i32,
    /// Which exposures show two sets of lines.
    pub double_lined: Vec<bool>,
    /// Which exposures are unlike the others.
    pub odd: Vec<bool>,
    /// The best exposure of a star that looks double, left out to see whether it does so without it.
    on_trial: Option<usize>,
    /// With it the star looked double in this arm alone.
    is_suspected: bool,
    /// What the quoted noise of each was multiplied by; 1 where it was taken as it is.
    pub noise_scale: Vec<f64>,
}

impl FirstPass {
    /// Of star number `star`, whose exposure `best` is the reference of these measurements.
    pub fn new(
        star: i64,
        normalized: Vec<Normalized>,
        best: usize,
        measurements: Vec<Measurement>,
    ) -> Self {
        FirstPass {
            double_lined: vec![false; measurements.len()],
            odd: vec![false; measurements.len()],
            noise_scale: vec![1.0; measurements.len()],
            on_trial: None,
            is_suspected: false,
            star,
            normalized,
            best,
            measurements,
            n_reference: 1,
        }
    }
}

/// What is to be done next with a star.
enum Next<'a> {
    /// Nothing.
    Done,
    /// Its suspects are to be searched for against the coadds of the others.
    Search(Laid<'a>),
    /// All exposures are to be measured against the best of those that are not odd, and laid anew.
    Again(&'a mut FirstPass),
    /// All exposures are to be measured against the best one, from which defects have been clipped, and that is all.
    Best(&'a mut FirstPass),
}

/// Measures the stars' exposures against their coadds, where there is a good one; the arms of a star have its number.
pub fn against_coadds(config: &MeasureConfig, stars: &mut [FirstPass], clocks: &StageClocks) {
    let mut by_star: BTreeMap<i64, Vec<&mut FirstPass>> = BTreeMap::new();
    for arm in stars.iter_mut() {
        by_star.entry(arm.star).or_default().push(arm);
    }
    let by_star: Vec<Vec<&mut FirstPass>> = by_star.into_values().collect();
    by_star
        .into_par_iter()
        .for_each_init(CoarseExposure::default, |scratch, arms| {
            one_star(config, arms, scratch, clocks);
        });
    for star in stars {
        for (m, odd) in star.measurements.iter_mut().zip(&star.odd) {
            if *odd {
                m.flags |= RvFlags::NOT_AS_OTHERS;
            }
        }
    }
}

/// The arms of one star. It ends: exposures are searched for a few times, and there are fewer that are not odd each time that they
/// are laid again.
fn one_star(
    config: &MeasureConfig,
    arms: Vec<&mut FirstPass>,
    scratch: &mut CoarseExposure,
    clocks: &StageClocks,
) {
    let mut waiting = arms;
    while !waiting.is_empty() {
        let mut next: Vec<Next<'_>> = clocks.time(Stage::Reference, || {
            let mut arms: Vec<Stand<'_>> = waiting
                .drain(..)
                .map(|arm| laid::lay(config, arm))
                .collect();
            let verdict = double::judge(config, &mut arms, scratch);
            let judged = arms.into_iter();
            judged.map(|arm| first_judgement(arm, verdict)).collect()
        });
        while let Some(arm) = next.pop() {
            match arm {
                Next::Done => {}
                Next::Search(laid) => {
                    let measured = search::against_others(config, &laid, clocks);
                    let found = || laid::found(laid, measured);
                    next.push(clocks.time(Stage::Reference, found));
                }
                Next::Again(arm) => {
                    search::against_best(config, arm, clocks);
                    waiting.push(arm);
                }
                Next::Best(arm) => search::against_best(config, arm, clocks),
            }
        }
    }
}

/// What is to be done with a star once it is known whether it has two sets of lines.
fn first_judgement(stand: Stand<'_>, verdict: Verdict) -> Next<'_> {
    match (stand, verdict) {
        (Stand::Alone(_), Verdict::Single) => Next::Done,
        (stand, Verdict::Doubtful) => {
            let star = stand.give_up();
            if star.odd.len() >= double::FEWEST {
                star.odd[star.best] = true;
                star.on_trial = Some(star.best);
            }
            Next::Again(star)
        }
        // Its exposures are no copies of each other.
        (Stand::Alone(star), Verdict::Double) => match star.on_trial.take() {
            Some(best) => {
                star.odd[best] = false;
                Next::Best(star)
            }
            None => Next::Done,
        },
        (Stand::Laid(laid), Verdict::Double) => laid.with_best_alone(),
        (Stand::Laid(laid), Verdict::Single) => laid.suspected(),
    }
}

/// Whether the velocity is that of the star, and no peak of noise.
fn is_sure(m: &Measurement) -> bool {
    !m.flags
        .intersects(NO_PLACE | RvFlags::LOW_INFORMATION | RvFlags::MULTIPLE_PEAKS)
}

#[cfg(test)]
mod tests;
