//! Exposures searched for on the whole grid of velocities once more.
//!
//! They are few, and come up star by star while other stars are still at an earlier step. So the CPU's code does it, whatever the back
//! end, and no thread waits for another one's star.

use super::super::comparison::Comparison;
use super::super::first_pass::FirstPass;
use super::super::prepared::best_reference;
use super::super::stages::{Stage, StageClocks};
use super::laid::Laid;
use crate::likelihood::{Batch, Cpu, Measurement};
use crate::reference::Reference;
use crate::spectrum::Normalized;

/// The star's suspects against the coadds of the others, in their order.
pub(super) fn against_others(
    comparison: &Comparison,
    laid: &Laid<'_>,
    clocks: &StageClocks,
) -> Vec<Measurement> {
    let references = clocks.time(Stage::Reference, || laid.coadd.references(&laid.suspects));
    let both = laid.suspects.iter().zip(references);
    both.map(|(i, reference)| {
        let Some(reference) = reference else {
            return Measurement::without_pixels();
        };
        let exposure = &laid.coadd.exposures()[*i];
        let mut found = measure(comparison, std::iter::once(exposure), reference, clocks)
            .pop()
            .unwrap_or_else(Measurement::without_pixels);
        found.rv_km_s = laid.coadd.against_best_km_s(found.rv_km_s);
        found
    })
    .collect()
}

/// Measures those of the star's exposures that have `changed` against the best one of those that are not odd, and all if that is
/// another one than before. If none of these can be a reference, the star stays as it is.
pub(super) fn against_best(
    comparison: &Comparison,
    star: &mut FirstPass,
    changed: &[bool],
    clocks: &StageClocks,
) {
    let found = clocks.time(Stage::Reference, || {
        let others = (0..star.normalized.len())
            .filter(|i| !star.odd[*i])
            .collect();
        best_reference(comparison, &star.normalized, others)
    });
    let Some((best, reference)) = found else {
        return;
    };
    let is_another = best != star.best;
    star.best = best;
    let exposures = star.normalized.iter().zip(changed);
    let exposures = exposures.filter(|(_, changed)| is_another || **changed);
    let measured = measure(comparison, exposures.map(|(e, _)| e), reference, clocks);
    let places = star.measurements.iter_mut().zip(changed);
    let places = places.filter(|(_, changed)| is_another || **changed);
    for ((place, _), measured) in places.zip(measured) {
        *place = measured;
    }
}

/// Exposures against one reference, one after the other.
fn measure<'a>(
    comparison: &Comparison,
    exposures: impl Iterator<Item = &'a Normalized>,
    reference: Reference,
    clocks: &StageClocks,
) -> Vec<Measurement> {
    let batch = clocks.time(Stage::Reference, || {
        Batch::of_one(reference, exposures, &comparison.grid)
    });
    clocks.time(Stage::Likelihood, || Cpu.measure_in_turn(&batch))
}
