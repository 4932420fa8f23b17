//! What the measurement of one unit gives, and the putting together of its parts.

use super::moonlight::{self, Lit};
use super::row::RvRow;
use super::telluric::Air;
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

/// What is known of a unit while it is measured, or of a part of it.
#[derive(Default)]
pub(super) struct Growing {
    pub unit: MeasuredUnit,
    /// The sunlight in its rows.
    pub lit: Vec<Lit>,
}

impl Growing {
    /// Adds what another part of the unit gave.
    pub fn append(&mut self, part: Growing) {
        let n_rows = self.unit.rows.len();
        let moved = part.lit.into_iter().map(|lit| Lit {
            row: n_rows + lit.row,
            ..lit
        });
        self.lit.extend(moved);
        self.unit.rows.extend(part.unit.rows);
        self.unit.rejected.extend(part.unit.rejected);
        self.unit.n_spectra += part.unit.n_spectra;
    }

    /// The unit, all of whose stars have been measured.
    pub fn whole(mut self, air: Air) -> MeasuredUnit {
        moonlight::correct(&mut self.unit.rows, &self.lit);
        self.unit.air = air;
        sort_rows(&mut self.unit.rows);
        sort_rejections(&mut self.unit.rejected);
        self.unit
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
