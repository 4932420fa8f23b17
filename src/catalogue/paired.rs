//! Rows of both arms side by side (paper, Table 2).

use super::flags;
use crate::Arm;
use crate::pipeline::RvRow;
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
    fn column<T>(pairs: &[Pair<'_>], value: impl Fn(&RvRow) -> T) -> Vec<T> {
        pairs.iter().map(|p| value(p.any)).collect()
    }
    let mut table = Table::new();
    table
        .push_text(
            "source_id",
            "",
            "name of the star from its mean position",
            column(pairs, |r| r.source_id.to_string()),
        )
        .push_f64(
            "ra",
            "deg",
            "right ascension of the star (J2000)",
            column(pairs, |r| r.ra_deg),
        )
        .push_f64(
            "dec",
            "deg",
            "declination of the star (J2000)",
            column(pairs, |r| r.dec_deg),
        )
        .push_i64(
            "obsid",
            "",
            "number of the observation (star and night)",
            column(pairs, |r| r.obsid),
        )
        .push_text(
            "planid",
            "",
            "plate",
            column(pairs, |r| r.planid.to_string()),
        )
        .push_i32("spid", "", "spectrograph", column(pairs, |r| r.spid))
        .push_i32("fiberid", "", "fibre", column(pairs, |r| r.fiberid))
        .push_i64(
            "lmjm",
            "min",
            "local (UTC+8) modified Julian minute of the exposure's start",
            column(pairs, |r| r.lmjm),
        )
        .push_f64(
            "hjd",
            "d",
            "heliocentric Julian date (UTC) of mid-exposure",
            column(pairs, |r| r.hjd),
        );
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
        None => flags::NOT_MEASURED as i32,
        Some(r) => {
            let reference = if r.is_reference { flags::REFERENCE } else { 0 };
            (r.measurement.flags | reference) as i32
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
