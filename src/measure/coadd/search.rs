//! Exposures searched for on the whole grid of velocities once more.
//!
//! They are few, and come up star by star while others are still laid: so the host's own code does it, whatever the back end, and
//! no thread waits for another one's star.

use super::*;

/// The star's suspects against the coadds of the others, in their order.
pub(super) fn against_others(
    config: &MeasureConfig,
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
        let mut found = measure(config, std::slice::from_ref(exposure), &reference, clocks)
            .pop()
            .unwrap_or_else(Measurement::without_pixels);
        found.rv_km_s = laid.coadd.against_best_km_s(found.rv_km_s);
        found
    })
    .collect()
}

/// All exposures of the star against the best one of those that are not odd. A star without one stays as it is.
pub(super) fn against_best(config: &MeasureConfig, star: &mut FirstPass, clocks: &StageClocks) {
    let found = clocks.time(Stage::Reference, || {
        let snr = |i: &usize| star.normalized[*i].snr;
        let mut others: Vec<usize> = (0..star.normalized.len())
            .filter(|i| !star.odd[*i])
            .collect();
        others.sort_by(|a, b| snr(b).total_cmp(&snr(a)).then(a.cmp(b)));
        others.into_iter().find_map(|i| {
            Reference::new(&star.normalized[i], config.knot_pixels).map(|reference| (i, reference))
        })
    });
    if let Some((best, reference)) = found {
        star.best = best;
        star.measurements = measure(config, &star.normalized, &reference, clocks);
    }
}

/// Exposures against one reference, one after the other.
fn measure(
    config: &MeasureConfig,
    exposures: &[Normalized],
    reference: &Reference,
    clocks: &StageClocks,
) -> Vec<Measurement> {
    let batch = clocks.time(Stage::Reference, || {
        let table = ReferenceTable::new(reference, &config.grid);
        let pixels = |n: &Normalized| SpectrumPixels::new(n, reference, &table, &config.grid);
        Batch {
            spectra: exposures.iter().map(pixels).collect(),
            grid: config.grid,
            tables: vec![table],
        }
    });
    clocks.time(Stage::Likelihood, || Cpu.measure_in_turn(&batch))
}
