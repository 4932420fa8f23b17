//! A star's normalised exposures with the best of them as their reference, ready for the likelihood.

use super::comparison::{Comparison, ReferenceKind};
use crate::double_lined::coarse::CoarseExposure;
use crate::double_lined::{self, Evidence};
use crate::likelihood::SpectrumPixels;
use crate::reference::Reference;
use crate::spectrum::Normalized;

/// A star's exposures in one band against their reference.
pub(super) struct Prepared {
    /// Number of the band.
    pub band: usize,
    /// What is compared, of each exposure.
    pub pixels: Vec<SpectrumPixels>,
    pub reference: Reference,
    /// Which exposure is the reference.
    pub best: usize,
    /// The exposures themselves, where they are to become a coadd; else none.
    pub normalized: Vec<Normalized>,
    /// The star's exposures together say that these have two sets of lines.
    pub double_lined: Vec<bool>,
    /// What the exposures show of second sets of lines. With coadds it is empty here, because they are looked for later
    /// (`measure::coadd::double`).
    evidence: Evidence,
}

/// Prepares a star. `bands` holds the number and the exposures of each band; the numbers ascend and no list is empty. The result has
/// None for a band none of whose exposures can be a reference.
pub(super) fn prepare_star(
    comparison: &Comparison,
    bands: Vec<(usize, Vec<Normalized>)>,
    scratch: &mut CoarseExposure,
) -> Vec<Option<Prepared>> {
    let mut out: Vec<Option<Prepared>> = Vec::with_capacity(bands.len());
    for (band, normalized) in bands {
        let mut before = out.iter().flatten();
        let widths = band == 0 || before.any(|p| p.evidence.has_broad_lines());
        out.push(against_best(comparison, band, normalized, widths, scratch));
    }
    if comparison.reference == ReferenceKind::Best {
        mark_double_lined(&mut out);
    }
    out
}

/// The order in which exposures are tried as a reference: by signal-to-noise ratio (paper 3.1).
pub(super) fn by_snr(exposures: &[Normalized], mut which: Vec<usize>) -> Vec<usize> {
    let snr = |i: &usize| exposures[*i].snr;
    which.sort_by(|a, b| snr(b).total_cmp(&snr(a)).then(a.cmp(b)));
    which
}

/// The best exposure among `which` that can be a reference, and that reference.
pub(super) fn best_reference(
    comparison: &Comparison,
    exposures: &[Normalized],
    which: Vec<usize>,
) -> Option<(usize, Reference)> {
    let reference = |i: usize| {
        let reference = Reference::new(&exposures[i], comparison.knot_pixels)?;
        Some((i, reference))
    };
    by_snr(exposures, which).into_iter().find_map(reference)
}

/// Compares a star's exposures with the best one; with `widths` also the widths of their lines.
fn against_best(
    comparison: &Comparison,
    band: usize,
    mut normalized: Vec<Normalized>,
    widths: bool,
    scratch: &mut CoarseExposure,
) -> Option<Prepared> {
    let all = (0..normalized.len()).collect();
    let (best, reference) = best_reference(comparison, &normalized, all)?;
    let evidence = match comparison.reference {
        ReferenceKind::Best => {
            double_lined::evidence(&reference, normalized.iter(), best, widths, scratch)
        }
        ReferenceKind::Coadd => Evidence::default(),
    };
    let pixels = |n: &Normalized| SpectrumPixels::new(n, &reference, &comparison.grid);
    let pixels = normalized.iter().map(pixels).collect();
    let double_lined = vec![false; normalized.len()];
    if comparison.reference == ReferenceKind::Best {
        normalized = Vec::new();
    }
    Some(Prepared {
        band,
        pixels,
        reference,
        best,
        normalized,
        double_lined,
        evidence,
    })
}

/// Decides from all bands which exposures have two sets of lines.
fn mark_double_lined(bands: &mut [Option<Prepared>]) {
    let none = Evidence::default();
    let of = |band| {
        let mut known = bands.iter().flatten();
        let prepared = known.find(|p| p.band == band);
        prepared.map_or(&none, |p| &p.evidence)
    };
    let n = bands.iter().flatten().map(|p| p.band + 1).max();
    let evidence: Vec<&Evidence> = (0..n.unwrap_or(0)).map(of).collect();
    let double = double_lined::judge(&evidence);
    for prepared in bands.iter_mut().flatten() {
        prepared.double_lined.clone_from(&double[prepared.band]);
    }
}
