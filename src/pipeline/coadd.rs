//! The second pass with `--reference coadd`: every exposure against the coadd of the star's others.

use std::ops::Range;

use rayon::prelude::*;

use super::measure::MeasureConfig;
use super::stages::{Stage, StageClocks};
use crate::Result;
use crate::likelihood::{Batch, Likelihood, Measurement, ReferenceTable, SpectrumPixels, flags};
use crate::spectrum::{Coadd, Normalized, Reference};

/// Spectra of one call of the back end: each brings a table of its own, 0.3 MB.
const SPECTRA_PER_BATCH: usize = 64;

/// Rounds of laying the exposures over each other, at most.
const MAX_ROUNDS: usize = 5;

/// No further round if no velocity moved by more than this part of its error: the next round would move it by a fourth of that
/// at most.
const SETTLED_SIGMA: f64 = 0.3;

/// Times that everything is measured against coadds, at most: once more where a velocity is found elsewhere than where the
/// exposure lay in the coadd. A star that has not settled then keeps its best exposure.
const MAX_PASSES: usize = 3;

/// Such a velocity: this many of its errors away.
const MOVED_SIGMA: f64 = 1.0;

/// Flags of a measurement whose velocity says nothing.
const NO_PLACE: u32 = flags::EDGE | flags::NO_CURVATURE;

/// With little information a velocity this many of its errors from the star's others is that of a peak of noise.
const FAR_SIGMA: f64 = 3.0;

/// A star whose exposures are no copies of each other, such as a double-lined one, has no coadd: a fourth of its exposures
/// have a reduced chi^2 above this. So had 7 of 626 simulated stars and arms of constants and single-lined binaries (SNR 10 to
/// 200), 6 of 36 of pulsators and 39 of 58 of double-lined binaries.
const MAX_CHI2_RED: f64 = 1.2;

/// A star in one arm, measured against its best exposure.
#[derive(Clone, Debug)]
pub struct FirstPass {
    /// Its exposures.
    pub normalized: Vec<Normalized>,
    /// The best of them.
    pub best: usize,
    /// Their velocities; better ones take their place.
    pub measurements: Vec<Measurement>,
    /// Exposures that the reference is made of.
    pub n_reference: i32,
}

/// A star whose exposures lie over each other.
struct Laid<'a> {
    star: &'a mut FirstPass,
    coadd: Coadd,
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
    let mut laid: Vec<Laid<'_>> = clocks.time_all_threads(Stage::Reference, || {
        let lay = |star: &mut FirstPass| {
            let rv_km_s = places(&star.measurements);
            let exposures = std::mem::take(&mut star.normalized);
            let mut coadd = Coadd::new(exposures, star.best, config.knot_pixels, &rv_km_s)?;
            settle(&mut coadd).then_some(coadd)
        };
        stars
            .par_iter_mut()
            .filter_map(|star| lay(star).map(|coadd| Laid { star, coadd }))
            .collect()
    });
    for pass in 1..=MAX_PASSES {
        if laid.is_empty() {
            break;
        }
        let measured = measure(config, &laid, backend, clocks)?;
        let is_last = pass == MAX_PASSES;
        laid = clocks.time_all_threads(Stage::Reference, || {
            let stars = laid.into_par_iter().zip(measured);
            let judged = stars.filter_map(|(laid, measured)| judge(laid, measured, is_last));
            judged.collect()
        });
    }
    Ok(())
}

/// Takes what was measured, or lays the exposures anew where it says and gives them back. A star that does not settle keeps
/// its best exposure.
fn judge<'a>(mut laid: Laid<'a>, measured: Vec<Measurement>, is_last: bool) -> Option<Laid<'a>> {
    let moved = moved(&laid.coadd, &measured);
    if !is_last && !moved.is_empty() {
        return (laid.coadd.place(&places(&measured)) && settle(&mut laid.coadd)).then_some(laid);
    }
    // What is not sure has a flag that says so: the others need not do without a coadd for it.
    if !moved.into_iter().any(is_sure) && are_copies(&measured) {
        accept(laid, measured);
    }
    None
}

/// Whether exposures are copies of each other, by the upper quartile of their chi^2 about the coadds.
fn are_copies(measured: &[Measurement]) -> bool {
    let mut chi2: Vec<f64> = measured
        .iter()
        .map(|m| m.chi2_red)
        .filter(|chi2| chi2.is_finite())
        .collect();
    chi2.sort_by(f64::total_cmp);
    let quartile = chi2.len().saturating_sub(1) * 3 / 4;
    chi2.get(quartile).is_some_and(|chi2| *chi2 <= MAX_CHI2_RED)
}

/// Exposures that are found elsewhere than where they lie in the coadd.
fn moved<'a>(coadd: &Coadd, measured: &'a [Measurement]) -> Vec<&'a Measurement> {
    measured
        .iter()
        .zip(coadd.rv_km_s())
        .filter(|(m, _)| m.flags & NO_PLACE == 0)
        .filter(|(m, lies)| (m.rv_km_s - lies).abs() > MOVED_SIGMA * m.rv_err_own_km_s)
        .map(|(m, _)| m)
        .collect()
}

/// Whether the velocity is that of the star, and no peak of noise.
fn is_sure(m: &Measurement) -> bool {
    m.flags & (NO_PLACE | flags::LOW_INFORMATION | flags::MULTIPLE_PEAKS) == 0
}

/// Takes the velocities against coadds for the star's.
fn accept(laid: Laid<'_>, measured: Vec<Measurement>) {
    let best = laid.star.best;
    // The zero is where the best exposure came out: without a place of its own it has none to give, and an exposure that had a
    // velocity keeps it.
    let is_lost = |(before, now): (&Measurement, &Measurement)| {
        before.rv_km_s.is_finite() && !now.rv_km_s.is_finite()
    };
    let Some(of_best) = measured
        .get(best)
        .filter(|m| m.flags & NO_PLACE == 0)
        .map(|m| m.rv_err_own_km_s)
        .filter(|err| err.is_finite())
    else {
        return;
    };
    if laid.star.measurements.iter().zip(&measured).any(is_lost) {
        return;
    }
    laid.star.n_reference = laid.coadd.n_members() as i32;
    laid.star.measurements = measured;
    // Velocities are against the best exposure: its own error is in all of them but its own.
    for (i, m) in laid.star.measurements.iter_mut().enumerate() {
        if i != best {
            m.rv_err_km_s = m.rv_err_own_km_s.hypot(of_best);
        }
    }
}

/// Velocities at which the exposures are laid over each other; NaN for those that have none.
///
/// Where there is little information, noise makes peaks anywhere on the grid. An exposure of that kind, found far from the
/// others for its error, is laid where they are.
fn places(measured: &[Measurement]) -> Vec<f64> {
    let sure = measured.iter().filter(|m| is_sure(m));
    let mut sure: Vec<f64> = sure.map(|m| m.rv_km_s).collect();
    sure.sort_by(f64::total_cmp);
    // The velocity of the best exposure where nothing else is known.
    let centre = sure.get(sure.len() / 2).copied().unwrap_or(0.0);
    let place = |m: &Measurement| {
        let is_far = (m.rv_km_s - centre).abs() > FAR_SIGMA * m.rv_err_km_s;
        match m.flags {
            bits if bits & NO_PLACE != 0 => f64::NAN,
            bits if bits & flags::LOW_INFORMATION != 0 && is_far => centre,
            _ => m.rv_km_s,
        }
    };
    measured.iter().map(place).collect()
}

/// Moves the exposures until they lie over each other. False where they cannot.
fn settle(coadd: &mut Coadd) -> bool {
    for _ in 0..MAX_ROUNDS {
        match coadd.round() {
            None => return false,
            Some(round) if round.largest_sigma < SETTLED_SIGMA && round.n_clipped == 0 => break,
            Some(_) => {}
        }
    }
    true
}

/// Each star's exposures against the coadds of the others.
fn measure(
    config: &MeasureConfig,
    laid: &[Laid<'_>],
    backend: &dyn Likelihood,
    clocks: &StageClocks,
) -> Result<Vec<Vec<Measurement>>> {
    let mut out: Vec<Vec<Measurement>> = Vec::new();
    out.resize_with(laid.len(), Vec::new);
    for piece in pieces(laid) {
        let prepared: Vec<Option<(ReferenceTable, SpectrumPixels)>> =
            clocks.time_all_threads(Stage::Reference, || {
                let prepare = |(star, range): &(usize, Range<usize>)| {
                    let coadd = &laid[*star].coadd;
                    let exposures = &coadd.exposures()[range.clone()];
                    let references = coadd.references(range.clone());
                    let both = exposures.iter().zip(references);
                    both.map(|(exposure, reference)| {
                        reference.map(|reference| ready(config, exposure, &reference))
                    })
                };
                piece.par_iter().flat_map_iter(prepare).collect()
            });
        let mut batch = Batch {
            grid: config.grid,
            tables: Vec::new(),
            spectra: Vec::new(),
        };
        let has_reference: Vec<bool> = prepared.iter().map(Option::is_some).collect();
        for (table, pixels) in prepared.into_iter().flatten() {
            batch.spectra.push(pixels.with_table(batch.tables.len()));
            batch.tables.push(table);
        }
        let measured = clocks.time_all_threads(Stage::Likelihood, || backend.measure(&batch))?;
        let mut measured = measured.into_iter();
        let mut each = has_reference.into_iter().filter_map(|has| match has {
            true => measured.next(),
            false => Some(Measurement::without_pixels()),
        });
        for (star, range) in piece {
            out[star].extend(each.by_ref().take(range.len()));
        }
    }
    Ok(out)
}

fn ready(
    config: &MeasureConfig,
    exposure: &Normalized,
    reference: &Reference,
) -> (ReferenceTable, SpectrumPixels) {
    let table = ReferenceTable::new(reference, &config.grid);
    let pixels = SpectrumPixels::new(exposure, reference, &table, &config.grid);
    (table, pixels)
}

/// Exposures of stars (number of the star, which exposures), [`SPECTRA_PER_BATCH`] to a piece.
fn pieces(laid: &[Laid<'_>]) -> Vec<Vec<(usize, Range<usize>)>> {
    let mut pieces: Vec<Vec<(usize, Range<usize>)>> = vec![Vec::new()];
    let mut room = SPECTRA_PER_BATCH;
    for (star, laid) in laid.iter().enumerate() {
        let n = laid.coadd.exposures().len();
        let mut start = 0;
        while start < n {
            if room == 0 {
                pieces.push(Vec::new());
                room = SPECTRA_PER_BATCH;
            }
            let end = n.min(start + room);
            room -= end - start;
            if let Some(piece) = pieces.last_mut() {
                piece.push((star, start..end));
            }
            start = end;
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
