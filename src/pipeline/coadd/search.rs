//! Exposures searched for on the whole grid of velocities: the back end's work.

use super::*;

/// Spectra of one call of the back end: each brings a table of its own, 0.3 MB.
const SPECTRA_PER_BATCH: usize = 64;

/// Each star's suspects against the coadds of the others, in their order.
pub(super) fn against_others(
    config: &MeasureConfig,
    laid: &[Laid<'_>],
    backend: &dyn Likelihood,
    clocks: &StageClocks,
) -> Result<Vec<Vec<Measurement>>> {
    let mut out: Vec<Vec<Measurement>> = Vec::new();
    out.resize_with(laid.len(), Vec::new);
    let of_star = |(star, laid): (usize, &Laid<'_>)| -> Vec<(usize, usize)> {
        laid.suspects.iter().map(|i| (star, *i)).collect()
    };
    let all: Vec<(usize, usize)> = laid.iter().enumerate().flat_map(of_star).collect();
    for piece in all.chunks(SPECTRA_PER_BATCH) {
        let prepared: Vec<Option<(ReferenceTable, SpectrumPixels)>> =
            clocks.time_all_threads(Stage::Reference, || {
                let of_star = piece.par_chunk_by(|a, b| a.0 == b.0);
                let prepare = |which: &[(usize, usize)]| {
                    let coadd = &laid[which[0].0].coadd;
                    let which: Vec<usize> = which.iter().map(|(_, i)| *i).collect();
                    let references = coadd.references(&which);
                    let both = which.into_iter().zip(references);
                    both.map(|(i, reference)| {
                        reference.map(|reference| ready(config, &coadd.exposures()[i], &reference))
                    })
                    .collect::<Vec<_>>()
                };
                of_star.flat_map_iter(prepare).collect()
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
        for ((star, _), has) in piece.iter().zip(has_reference) {
            let found = if has { measured.next() } else { None };
            out[*star].push(found.unwrap_or_else(Measurement::without_pixels));
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

/// All exposures of these stars against the best one of those that are not odd, in one call. Stars without one stay as they
/// are.
pub(super) fn against_best(
    config: &MeasureConfig,
    stars: &mut [&mut FirstPass],
    backend: &dyn Likelihood,
    clocks: &StageClocks,
) -> Result<()> {
    let mut batch = Batch {
        grid: config.grid,
        tables: Vec::new(),
        spectra: Vec::new(),
    };
    let mut measured = Vec::new();
    for star in stars {
        let snr = |i: &usize| star.normalized[*i].snr;
        let mut others: Vec<usize> = (0..star.normalized.len())
            .filter(|i| !star.odd[*i])
            .collect();
        others.sort_by(|a, b| snr(b).total_cmp(&snr(a)).then(a.cmp(b)));
        let found = others.into_iter().find_map(|i| {
            Reference::new(&star.normalized[i], config.knot_pixels).map(|reference| (i, reference))
        });
        let Some((best, reference)) = found else {
            continue;
        };
        let table = ReferenceTable::new(&reference, &config.grid);
        let of_table = batch.tables.len();
        let pixels = |n: &Normalized| {
            SpectrumPixels::new(n, &reference, &table, &config.grid).with_table(of_table)
        };
        batch.spectra.extend(star.normalized.iter().map(pixels));
        batch.tables.push(table);
        star.best = best;
        measured.push(star);
    }
    let all = clocks.time_all_threads(Stage::Likelihood, || backend.measure(&batch))?;
    let mut all = all.into_iter();
    for star in measured {
        star.measurements = all.by_ref().take(star.normalized.len()).collect();
    }
    Ok(())
}
