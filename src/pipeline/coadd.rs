//! The second pass with `--reference coadd`: every exposure against the coadd of the star's others.
//!
//! The exposures of one star show the same star, so they judge each other here: what one of them has alone is taken out of it,
//! and one that is unlike all others serves neither as a reference nor in the coadd.

mod accept;
mod double;
mod laid;
mod search;

use rayon::prelude::*;

use super::measure::MeasureConfig;
use super::stages::{Stage, StageClocks};
use crate::Result;
use crate::likelihood::{Batch, Likelihood, Measurement, ReferenceTable, SpectrumPixels, flags};
use crate::spectrum::coadd::Compared;
use crate::spectrum::{Coadd, Normalized, Reference};
use double::Verdict;
use laid::{Laid, Stand};

/// Flags of a measurement whose velocity says nothing.
const NO_PLACE: u32 = flags::EDGE | flags::NO_CURVATURE;

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

/// Measures the stars' exposures against their coadds, where there is a good one.
///
/// # Errors
/// What the back end says.
pub fn against_coadds(
    config: &MeasureConfig,
    stars: &mut [FirstPass],
    backend: &dyn Likelihood,
    clocks: &StageClocks,
) -> Result<()> {
    let mut next: Vec<Next<'_>> = clocks.time_all_threads(Stage::Reference, || {
        let laid: Vec<Stand<'_>> = stars
            .par_iter_mut()
            .map(|star| laid::lay(config, star))
            .collect();
        let judged = double::look(config, laid);
        judged.into_par_iter().map(first_judgement).collect()
    });
    // Each star ends: it is searched for a few times, and has fewer exposures that are not odd each time it is laid again.
    loop {
        let (mut laid, mut again, mut best) = (Vec::new(), Vec::new(), Vec::new());
        for star in next {
            match star {
                Next::Done => {}
                Next::Search(star) => laid.push(star),
                Next::Again(star) => again.push(star),
                Next::Best(star) => best.push(star),
            }
        }
        if laid.is_empty() && again.is_empty() && best.is_empty() {
            break;
        }
        let measured = search::against_others(config, &laid, backend, clocks)?;
        search::against_best(config, &mut again, backend, clocks)?;
        search::against_best(config, &mut best, backend, clocks)?;
        next = clocks.time_all_threads(Stage::Reference, || {
            let laid = laid.into_par_iter().zip(measured);
            let laid = laid.map(|(star, measured)| laid::found(star, measured));
            let again: Vec<Stand<'_>> = again
                .into_par_iter()
                .map(|star| laid::lay(config, star))
                .collect();
            let again = double::look(config, again);
            laid.chain(again.into_par_iter().map(first_judgement))
                .collect()
        });
    }
    for star in stars {
        for (m, odd) in star.measurements.iter_mut().zip(&star.odd) {
            if *odd {
                m.flags |= flags::NOT_AS_OTHERS;
            }
        }
    }
    Ok(())
}

/// What is to be done with a star once it is known whether it has two sets of lines.
fn first_judgement((stand, verdict): (Stand<'_>, Verdict)) -> Next<'_> {
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
    m.flags & (NO_PLACE | flags::LOW_INFORMATION | flags::MULTIPLE_PEAKS) == 0
}

#[cfg(test)]
mod tests;
