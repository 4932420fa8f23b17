//! Which exposures of a star are shown with their spectra: a page with hundreds would open slowly and be read by nobody.

use crate::Arm;
use crate::catalogue::flags::CatalogueFlags;
use crate::report::finished::Finished;

/// Exposures with their spectra on a page, at most.
pub const MOST_EXPOSURES: usize = 12;

/// Of a star's rows those that are shown: first the ones with a flag that has to be judged, then the references, then others spread
/// evenly; in their order.
pub fn shown(products: &Finished, rows: &[usize], arms: &[Arm]) -> Vec<usize> {
    if rows.len() <= MOST_EXPOSURES {
        return rows.to_vec();
    }
    let flags = |row: usize| {
        let of = arms
            .iter()
            .map(|arm| products.catalogue.arm(*arm, row).flags);
        of.fold(CatalogueFlags::empty(), |a, b| a | b)
    };
    // Of no use here: that there is nothing, or no zero point, no spectrum shows.
    let nothing =
        CatalogueFlags::REFERENCE | CatalogueFlags::NOT_MEASURED | CatalogueFlags::NO_ZERO_POINT;
    let is_flagged = |row: &usize| !(flags(*row) - nothing).is_empty();
    let is_reference = |row: &usize| flags(*row).contains(CatalogueFlags::REFERENCE);
    let mut chosen: Vec<usize> = Vec::new();
    for group in [
        rows.iter()
            .copied()
            .filter(is_reference)
            .collect::<Vec<usize>>(),
        rows.iter().copied().filter(is_flagged).collect(),
        rows.to_vec(),
    ] {
        let left: Vec<usize> = group
            .into_iter()
            .filter(|row| !chosen.contains(row))
            .collect();
        let room = MOST_EXPOSURES - chosen.len();
        let n = left.len().min(room);
        chosen.extend((0..n).map(|i| left[(2 * i + 1) * left.len() / (2 * n)]));
    }
    let mut chosen: Vec<usize> = rows
        .iter()
        .copied()
        .filter(|row| chosen.contains(row))
        .collect();
    chosen.truncate(MOST_EXPOSURES);
    chosen
}
