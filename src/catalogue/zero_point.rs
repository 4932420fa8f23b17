//! The zero point of one exposure of one plate, spectrograph and arm.

use std::borrow::Cow;
use std::sync::Arc;

use super::exposure::{LARGEST_MINUTE, arm_named};
use crate::calibrate::results::ZeroPoint;
#[cfg(feature = "report")]
pub use crate::calibrate::summary::{along_slit, by_lines_told};
use crate::table::{Cell, Field, Table, field};
use crate::{Arm, C_KM_S};

/// A row of `zeropoints`.
#[derive(Clone, Debug, PartialEq)]
pub struct ZeroPointRow {
    /// Plate.
    pub planid: Arc<str>,
    /// Spectrograph.
    pub spid: i32,
    /// Local Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Arm.
    pub arm: Arm,
    /// What was found, in km/s.
    pub found: ZeroPoint,
}

impl Default for ZeroPointRow {
    fn default() -> Self {
        ZeroPointRow {
            planid: "".into(),
            spid: 0,
            lmjm: 0,
            arm: Arm::Red,
            found: ZeroPoint::default(),
        }
    }
}

/// Which exposure.
pub static WHICH: [Field<ZeroPointRow>; 4] = [
    field!(name, ZeroPointRow, planid, "planid", "", "plate").ucd("meta.id;obs.field"),
    field!(i32, ZeroPointRow, spid, "spid", "", "spectrograph").ucd("meta.id;instr"),
    field!(
        i64,
        ZeroPointRow,
        lmjm,
        "lmjm",
        "min",
        "local (UTC+8) modified Julian minute of the exposure's start"
    )
    .page("local (UTC+8) Modified Julian Minute of the exposure's start")
    .ucd("time.start;obs.exposure")
    .up_to(LARGEST_MINUTE),
    Field::new(
        "arm",
        "",
        "arm of the spectrograph",
        Cell::Text(
            |z: &ZeroPointRow| Cow::Borrowed(z.arm.name()),
            |z, text| {
                z.arm = arm_named(text)?;
                Ok(())
            },
        ),
    )
    .page("`red` or `blue`")
    .ucd("instr.bandpass"),
];

/// What was found.
pub static FOUND: [Field<ZeroPoint>; 12] = [
    field!(
        f64,
        ZeroPoint,
        zp,
        "zp",
        "km/s",
        "zero point, mean along the slit, to be subtracted from the RVs; mean 0 in each component; NaN with too few stars"
    )
    .page("zero point, to be subtracted from the velocities: its mean along the slit. Mean 0 in each component; NaN with too few stars")
    .ucd("arith.zp;spect.dopplerVeloc")
    .up_to(C_KM_S),
    field!(
        f64,
        ZeroPoint,
        zp_err,
        "zp_err",
        "km/s",
        "formal error of zp"
    )
    .page("formal error of `zp`")
    .ucd("stat.error;arith.zp")
    .up_to(C_KM_S),
    field!(
        f64,
        ZeroPoint,
        slope,
        "zp_slope",
        "km/s",
        "rise of the zero point along the slit, from its middle to the last fibre; NaN where all fibres have one zero point"
    )
    .page("slope of the zero point along the slit: at the place $p$ of a fibre, -1 at fibre 1 and 1 at fibre 250, $z(p)$ = `zp` + `zp_slope` $p$ + `zp_curve` $(p^2 - 1/3)$, which is subtracted. NaN where all fibres have one zero point (`--fibre-order 0`), and where `zp` is NaN")
    .ucd("stat.fit.param;arith.zp")
    .up_to(C_KM_S)
    .late(),
    field!(
        f64,
        ZeroPoint,
        slope_err,
        "zp_slope_err",
        "km/s",
        "formal error of zp_slope"
    )
    .page("formal error of `zp_slope`")
    .ucd("stat.error;arith.zp")
    .up_to(C_KM_S)
    .late(),
    field!(
        f64,
        ZeroPoint,
        curve,
        "zp_curve",
        "km/s",
        "bend of the zero point along the slit: at place p (-1 to 1) it is zp + zp_slope p + zp_curve (p^2 - 1/3); NaN where there is none"
    )
    .page("bend of the zero point along the slit; NaN where there is none (`--fibre-order` 0 or 1), and where `zp` is NaN")
    .ucd("stat.fit.param;arith.zp")
    .up_to(C_KM_S)
    .late(),
    field!(
        f64,
        ZeroPoint,
        curve_err,
        "zp_curve_err",
        "km/s",
        "formal error of zp_curve"
    )
    .page("formal error of `zp_curve`")
    .ucd("stat.error;arith.zp")
    .up_to(C_KM_S)
    .late(),
    field!(
        f64,
        ZeroPoint,
        stretch,
        "zp_stretch",
        "km/s",
        "by how much the zero point rises with the place of a star's lines, from the middle of the arm's window to its red end; NaN where it is the same for all"
    )
    .page("by how much the zero point rises with the place of a star's lines in the arm's window (`line_place_x`, about its mean over the run), from the middle to the red end: how much the wavelengths are stretched. NaN where all stars have one zero point (`--by-lines off`, or nothing speaks for it), and where `zp` is NaN")
    .ucd("stat.fit.param;arith.zp")
    .up_to(C_KM_S)
    .late(),
    field!(
        f64,
        ZeroPoint,
        stretch_err,
        "zp_stretch_err",
        "km/s",
        "formal error of zp_stretch"
    )
    .page("formal error of `zp_stretch`")
    .ucd("stat.error;arith.zp")
    .up_to(C_KM_S)
    .late(),
    field!(
        f64,
        ZeroPoint,
        skew,
        "zp_skew",
        "km/s",
        "by how much the zero point is larger for lines that are not resolved than for broad ones; NaN where it is the same for all"
    )
    .page("by how much the zero point is larger for lines that are not resolved than for very broad ones, going with the sharpness $(17/\\mathtt{line\\_width\\_x})^2$ about its mean over the run: how skew the line-spread function is. NaN as `zp_stretch`")
    .ucd("stat.fit.param;arith.zp")
    .up_to(C_KM_S)
    .late(),
    field!(
        f64,
        ZeroPoint,
        skew_err,
        "zp_skew_err",
        "km/s",
        "formal error of zp_skew"
    )
    .page("formal error of `zp_skew`")
    .ucd("stat.error;arith.zp")
    .up_to(C_KM_S)
    .late(),
    Field::new(
        "n_constants",
        "",
        "constant stars that determine zp",
        Cell::I32(
            |z: &ZeroPoint| z.n_constants as i32,
            |z, x| z.n_constants = x.max(0) as u32,
        ),
    ).page("constant stars that determine `zp`")
    .ucd("meta.number;src"),
    Field::new(
        "component",
        "",
        "exposures of one component of an arm are on one scale; -1 where there is no zero point",
        Cell::I32(
            |z: &ZeroPoint| z.component.map_or(-1, |c| c as i32),
            |z, x| z.component = u32::try_from(x).ok(),
        ),
    ).page("exposures of one component of an arm hang together by common stars and are on one scale; -1 where there is no zero point")
    .ucd("meta.id.part"),
];

/// The zero points as a table.
pub fn to_table(rows: &[ZeroPointRow]) -> Table {
    let mut table = Table::new();
    table
        .push_fields(&WHICH, rows.iter())
        .push_fields(&FOUND, rows.iter().map(|z| &z.found));
    table
}

/// The rows of a table of zero points, and how many of its numbers are impossibly large and were taken for missing.
///
/// # Errors
/// [`crate::Error::Table`] naming the column that is missing or of another type.
#[cfg(feature = "report")]
pub fn from_table(table: &Table) -> crate::Result<(Vec<ZeroPointRow>, usize)> {
    let mut rows = vec![ZeroPointRow::default(); table.n_rows()];
    let mut reader = crate::table::FieldReader::new(table);
    reader.fill(&WHICH, &mut rows, |z| z)?;
    reader.fill(&FOUND, &mut rows, |z| &mut z.found)?;
    Ok((rows, reader.n_absurd))
}

#[cfg(all(test, feature = "report"))]
mod tests {
    use super::*;

    #[test]
    fn zero_points_come_back_from_tables_of_now_and_before() {
        let found = ZeroPoint {
            zp: 1.5,
            zp_err: 0.1,
            slope: -0.3,
            slope_err: 0.04,
            curve: 0.2,
            curve_err: 0.05,
            stretch: 0.4,
            stretch_err: 0.06,
            skew: -0.7,
            skew_err: 0.07,
            n_constants: 7,
            component: Some(0),
            ..ZeroPoint::default()
        };
        let row = ZeroPointRow {
            planid: "p".into(),
            found,
            ..ZeroPointRow::default()
        };
        let mut table = to_table(std::slice::from_ref(&row));
        assert_eq!(from_table(&table).unwrap().0, std::slice::from_ref(&row));
        // The columns of slopes came later.
        let late = ["zp_slope", "zp_curve", "zp_stretch", "zp_skew"];
        let is_late = |name: &str| late.contains(&name.trim_end_matches("_err"));
        table.columns.retain(|c| !is_late(&c.name));
        let old = &from_table(&table).unwrap().0[0].found;
        assert_eq!((old.zp, old.n_constants), (1.5, 7));
        assert!(
            [
                old.slope,
                old.curve_err,
                old.stretch,
                old.stretch_err,
                old.skew
            ]
            .iter()
            .all(|x| x.is_nan())
        );
        table.columns.retain(|c| c.name != "zp_err");
        assert!(from_table(&table).is_err());
    }
}
