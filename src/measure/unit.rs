//! What the measurement of one unit gives, and the putting together of its parts.

use super::moonlight::{self, Lit};
use super::row::RvRow;
use super::still::{self, Still};
use super::telluric::Air;
use super::{arms, astray};
use crate::lamost::raw::Rejection;

/// What one unit gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasuredUnit {
    /// One row per measured spectrum, by star, arm and time.
    pub rows: Vec<RvRow>,
    /// Everything of its files that was not measured, by file.
    pub rejected: Vec<Rejection>,
    /// Exposures of single arms found in its files.
    pub n_spectra: usize,
    /// Strengths of the water lines in its exposures.
    pub air: Air,
}

/// What one star gives. Its velocities have in them what only all stars of the unit together tell, and is taken off then: moonlight, and
/// what stands still on the detector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeasuredStar {
    /// One row per measured spectrum.
    pub rows: Vec<RvRow>,
    /// The sunlight in them, one each, in their order.
    pub lit: Vec<Lit>,
    /// How they lie on the detector, in their order.
    pub still: Vec<Still>,
    /// Everything of its files that was not measured.
    pub rejected: Vec<Rejection>,
    /// Exposures of single arms found in its files.
    pub n_spectra: usize,
}

impl MeasuredUnit {
    /// Of all its stars, in their order.
    pub(super) fn of(stars: impl IntoIterator<Item = MeasuredStar>, air: Air) -> Self {
        let mut unit = MeasuredUnit {
            air,
            ..MeasuredUnit::default()
        };
        let (mut lit, mut still): (Vec<Lit>, Vec<Still>) = Default::default();
        for star in stars {
            let rows = unit.rows.len()..;
            let in_unit = rows.zip(star.lit).map(|(row, lit)| Lit { row, ..lit });
            lit.extend(in_unit);
            still.extend(star.still);
            unit.rows.extend(star.rows);
            unit.rejected.extend(star.rejected);
            unit.n_spectra += star.n_spectra;
        }
        moonlight::correct(&mut unit.rows, &lit);
        still::correct(&mut unit.rows, &still);
        astray::flag(&mut unit.rows);
        arms::flag(&mut unit.rows);
        sort_rows(&mut unit.rows);
        sort_rejections(&mut unit.rejected);
        unit
    }
}

/// By star, arm and time.
pub fn sort_rows(rows: &mut [RvRow]) {
    rows.sort_by_key(|r| (r.star, r.arm, r.lmjm, r.spid, r.fiberid));
}

/// By file.
pub fn sort_rejections(rejected: &mut [Rejection]) {
    rejected.sort_by(|a, b| (&a.path, &a.hdu).cmp(&(&b.path, &b.hdu)));
}

/// Stars in sorted rows.
pub fn count_stars(rows: &[RvRow]) -> usize {
    rows.chunk_by(|a, b| a.star == b.star).count()
}
