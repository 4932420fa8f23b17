//! Rows of both arms put together.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

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
    fn uncalibrated(&self, file: Arc<str>) -> CatalogueRow {
        CatalogueRow {
            exposure: Exposure {
                file,
                ..Exposure::from(self.any)
            },
            arms: ARMS.map(|arm| self.arm(arm).map(ArmVelocity::from).unwrap_or_default()),
        }
    }
}

/// The catalogue of these rows before its calibration, by star, then time.
pub fn uncalibrated<'a>(rows: &'a [RvRow]) -> Vec<CatalogueRow> {
    // One name for all rows of a file: a survey has millions of them.
    let mut names: HashMap<&'a Path, Arc<str>> = HashMap::new();
    let row = |pair: Pair<'a>| {
        let path = pair.any.path.as_path();
        let file = names.entry(path).or_insert_with(|| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into()
        });
        pair.uncalibrated(file.clone())
    };
    pair(rows).into_iter().map(row).collect()
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
