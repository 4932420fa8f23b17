//! Rows of both arms put together.

use super::exposure::Exposure;
use super::row::{ARMS, ArmVelocity, CatalogueRow};
use crate::Arm;
use crate::measure::RvRow;

/// An exposure of a star: its rows in both arms, at least one.
#[derive(Clone, Copy, Debug)]
struct Pair<'a> {
    red: Option<&'a RvRow>,
    blue: Option<&'a RvRow>,
    /// The row of whichever arm there is: for what both have in common.
    any: &'a RvRow,
}

impl<'a> Pair<'a> {
    /// The row of an arm.
    fn arm(&self, arm: Arm) -> Option<&'a RvRow> {
        match arm {
            Arm::Red => self.red,
            Arm::Blue => self.blue,
        }
    }

    /// The catalogue's row before its calibration: without corrected velocities.
    fn uncalibrated(&self) -> CatalogueRow {
        CatalogueRow {
            exposure: Exposure::from(self.any),
            arms: ARMS.map(|arm| self.arm(arm).map(ArmVelocity::from).unwrap_or_default()),
        }
    }
}

/// The catalogue of these rows before its calibration, by star, then time.
pub fn uncalibrated(rows: &[RvRow]) -> Vec<CatalogueRow> {
    pair(rows).iter().map(Pair::uncalibrated).collect()
}

/// Puts the arms of each exposure together: by star, then time.
fn pair(rows: &[RvRow]) -> Vec<Pair<'_>> {
    let mut sorted: Vec<&RvRow> = rows.iter().collect();
    let exposure = |r: &RvRow| (r.star, r.lmjm, r.spid, r.fiberid);
    sorted.sort_by_key(|r| (exposure(r), r.arm));
    sorted
        .chunk_by(|a, b| exposure(a) == exposure(b))
        .filter_map(|of| {
            let arm = |arm| of.iter().copied().find(|r| r.arm == arm);
            Some(Pair {
                red: arm(Arm::Red),
                blue: arm(Arm::Blue),
                any: of.first()?,
            })
        })
        .collect()
}
