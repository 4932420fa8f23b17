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
        let mut found = measure(
            comparison,
            std::slice::from_ref(exposure),
            reference,
            clocks,
        )
        .pop()
        .unwrap_or_else(Measurement::without_pixels);
        found.rv_km_s = laid.coadd.against_best_km_s(found.rv_km_s);
        found
    })
    .collect()
}

/// Measures all exposures of the star against the best one of those that are not odd. If none of these can be a reference, the star
/// stays as it is.
pub(super) fn against_best(comparison: &Comparison, star: &mut FirstPass, clocks: &StageClocks) {
    let found = clocks.time(Stage::Reference, || {
        let others = (0..star.normalized.len())
            .filter(|i| !star.odd[*i])
            .collect();
        best_reference(comparison, &star.normalized, others)
    });
    if let Some((best, reference)) = found {
        star.best = best;
        star.measurements = measure(comparison, &star.normalized, reference, clocks);
    }
}

/// Exposures against one reference, one after the other.
fn measure(
    comparison: &Comparison,
    exposures: &[Normalized],
    reference: Reference,
    clocks: &StageClocks,
) -> Vec<Measurement> {
    let batch = clocks.time(Stage::Reference, || {
        Batch::of_one(reference, exposures, &comparison.grid)
    });
    clocks.time(Stage::Likelihood, || Cpu.measure_in_turn(&batch))
}
