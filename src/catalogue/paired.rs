//! Rows of both arms side by side (paper, Table 2).

use super::flags::CatalogueFlags;
use crate::Arm;
use crate::measure::{RvRow, rv_table};
use crate::table::Table;

/// An exposure of a star: its rows in both arms, at least one.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Red arm.
    pub red: Option<&'a RvRow>,
    /// Blue arm.
    pub blue: Option<&'a RvRow>,
    /// Whichever there is: what both have in common.
    any: &'a RvRow,
}

impl<'a> Pair<'a> {
    fn arm(&self, arm: Arm) -> Option<&'a RvRow> {
        match arm {
            Arm::Red => self.red,
            Arm::Blue => self.blue,
        }
    }
}

/// Puts the arms of each exposure together: by star, then time.
pub fn pair(rows: &[RvRow]) -> Vec<Pair<'_>> {
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

/// Letter and name of an arm in the columns; red first, as in the paper.
pub(super) const ARMS: [(Arm, char); 2] = [(Arm::Red, 'r'), (Arm::Blue, 'b')];

/// The catalogue before its calibration: without the corrected velocities.
pub fn uncalibrated(pairs: &[Pair<'_>]) -> Table {
    let exposures: Vec<&RvRow> = pairs.iter().map(|p| p.any).collect();
    let mut table = Table::new();
    rv_table::push_place(&mut table, &exposures);
    rv_table::push_time(&mut table, &exposures);
    for (arm, x) in ARMS {
        push_arm(&mut table, pairs, arm, x);
    }
    table
}

fn push_arm(table: &mut Table, pairs: &[Pair<'_>], arm: Arm, x: char) {
    let of = |value: fn(&RvRow) -> f64| -> Vec<f64> {
        let value = |p: &Pair<'_>| p.arm(arm).map_or(f64::NAN, value);
        pairs.iter().map(value).collect()
    };
    let flag = |p: &Pair<'_>| match p.arm(arm) {
        None => CatalogueFlags::NOT_MEASURED.bits() as i32,
        Some(r) => {
            let mut flags = CatalogueFlags::from(r.measurement.flags);
            flags.set(CatalogueFlags::REFERENCE, r.is_reference);
            flags.bits() as i32
        }
    };
    table
        .push_f64(
            &format!("snr_{x}"),
            "",
            &format!("signal-to-noise ratio per pixel, {arm} arm"),
            of(|r| r.snr),
        )
        .push_f64(
            &format!("drv_{x}"),
            "km/s",
            &format!(
                "velocity against the star's reference as measured, {arm} arm, > 0 = redshifted"
            ),
            of(|r| r.measurement.rv_km_s),
        )
        .push_f64(
            &format!("drv_{x}_err"),
            "km/s",
            &format!("1-sigma error of drv_{x} as a difference of two exposures"),
            of(|r| r.measurement.rv_err_km_s),
        )
        .push_f64(
            &format!("drv_{x}_err_own"),
            "km/s",
            &format!("1-sigma error of drv_{x} once the star's offset is known"),
            of(|r| r.measurement.rv_err_own_km_s),
        )
        .push_f64(
            &format!("chi2_{x}"),
            "",
            &format!("reduced chi^2 of drv_{x}"),
            of(|r| r.measurement.chi2_red),
        )
        .push_i32(
            &format!("flags_{x}"),
            "",
            &format!("bit mask of the {arm} arm, see docs/columns.md"),
            pairs.iter().map(flag).collect(),
        );
}
