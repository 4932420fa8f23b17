//! What the calibration says of one star in one arm.

use std::borrow::Cow;
use std::sync::Arc;

use super::exposure::arm_named;
use super::row::LARGEST;
use super::star_period::{PERIOD, StarPeriod};
use crate::calibrate::Unjudged;
use crate::calibrate::results::Star;
use crate::lamost::raw::StarNames;
use crate::table::{Cell, Field, Table, field};
use crate::{Arm, C_KM_S};

/// A row of `stars`.
#[derive(Clone, Debug, PartialEq)]
pub struct StarRow {
    /// Name of the star from its position in its first file.
    pub designation: Arc<str>,
    /// Right ascension, degrees (J2000).
    pub ra_deg: f64,
    /// Declination, degrees (J2000).
    pub dec_deg: f64,
    /// Plate and spectrograph where each is calibrated alone, so that a star has a row in each.
    pub planid: Arc<str>,
    /// Spectrograph, with `planid`.
    pub spid: i32,
    /// Arm.
    pub arm: Arm,
    /// What was found, in km/s.
    pub found: Star,
    /// It shows two sets of lines in an exposure, in either arm.
    pub is_double_lined: bool,
    /// Its period.
    pub period: StarPeriod,
    /// What headers call it.
    pub names: StarNames,
}

impl Default for StarRow {
    fn default() -> Self {
        StarRow {
            designation: "".into(),
            ra_deg: f64::NAN,
            dec_deg: f64::NAN,
            planid: "".into(),
            spid: 0,
            arm: Arm::Red,
            found: Star::default(),
            is_double_lined: false,
            period: StarPeriod::default(),
            names: StarNames::default(),
        }
    }
}

/// Which star.
pub static WHICH: [Field<StarRow>; 3] = [
    field!(
        name,
        StarRow,
        designation,
        "designation",
        "",
        "name of the star from its position in its first file"
    )
    .page("name of the star")
    .ucd("meta.id;meta.main"),
    field!(
        f64,
        StarRow,
        ra_deg,
        "ra",
        "deg",
        "right ascension of the star (J2000)"
    )
    .ucd("pos.eq.ra;meta.main")
    .up_to(360.0),
    field!(
        f64,
        StarRow,
        dec_deg,
        "dec",
        "deg",
        "declination of the star (J2000)"
    )
    .ucd("pos.eq.dec;meta.main")
    .up_to(90.0),
];

/// Plate and spectrograph, where each is calibrated alone.
pub static GROUP: [Field<StarRow>; 2] = [
    field!(name, StarRow, planid, "planid", "", "plate").ucd("meta.id;obs.field"),
    field!(i32, StarRow, spid, "spid", "", "spectrograph").ucd("meta.id;instr"),
];

/// Its arm.
pub static ARM: [Field<StarRow>; 1] = [Field::new(
    "arm",
    "",
    "arm of the spectrograph",
    Cell::Text(
        |s: &StarRow| Cow::Borrowed(s.arm.name()),
        |s, text| {
            s.arm = arm_named(text)?;
            Ok(())
        },
    ),
)
.page("`red` or `blue`")
.ucd("instr.bandpass")];

/// What was found.
pub static FOUND: [Field<Star>; 9] = [
    Field::new(
        "n_exp",
        "",
        "usable RVs",
        Cell::I32(|s: &Star| s.n_exp as i32, |s, x| s.n_exp = x.max(0) as u32),
    )
    .page("usable velocities: without those whose [flags](#flags) say that they are none")
    .ucd("meta.number;obs.exposure"),
    Field::new(
        "n_used",
        "",
        "usable RVs in exposures with a zero point",
        Cell::I32(
            |s: &Star| s.n_used as i32,
            |s, x| s.n_used = x.max(0) as u32,
        ),
    )
    .page("those of them in exposures with a zero point")
    .ucd("meta.number;obs.exposure"),
    field!(
        f64,
        Star,
        scatter_before,
        "scatter_before",
        "km/s",
        "standard deviation of the RVs (Var_rv of the paper)"
    )
    .page("standard deviation of the velocities as measured (the paper's Var_rv)")
    .ucd("stat.stdev;spect.dopplerVeloc")
    .up_to(C_KM_S),
    field!(
        f64,
        Star,
        scatter_after,
        "scatter_after",
        "km/s",
        "the same after correction, about one mean per component"
    )
    .ucd("stat.stdev;spect.dopplerVeloc")
    .up_to(C_KM_S),
    field!(
        f64,
        Star,
        chi2,
        "chi2",
        "",
        "squared residuals in units of their errors and the common jitter, single outliers cut"
    )
    .ucd("stat.fit.chi2")
    .up_to(LARGEST),
    field!(f64, Star, dof, "dof", "", "degrees of freedom of chi2")
        .page("degrees of freedom of `chi2`")
        .ucd("stat.fit.dof")
        .up_to(LARGEST),
    field!(
        f64,
        Star,
        p_value,
        "p_value",
        "",
        "probability of a larger chi2 if the star is constant"
    )
    .page("probability of a larger `chi2` if the star is constant")
    .ucd("stat.probability"),
    field!(
        f64,
        Star,
        p_quiet,
        "p_quiet",
        "",
        "probability that the star is quiet, from its velocities and from how much the other stars vary"
    )
    .ucd("stat.probability")
    .late(),
    field!(
        f64,
        Star,
        jitter,
        "jitter",
        "km/s",
        "expected jitter of the star by itself, used in its weight"
    )
    .ucd("stat.stdev;spect.dopplerVeloc"),
];

/// Whether it was taken for constant.
pub static CONSTANT: [Field<Star>; 1] = [field!(
    verdict,
    Star,
    is_constant,
    "constant",
    "",
    "p_quiet of 0.8 at least and p_value above p-min; missing where not_judged says why"
)
.page("taken for constant: `p_quiet` of 0.8 at least and `p_value` above `--p-min`; with `--method paper` as the paper chooses. Missing where `not_judged` says why")
.ucd("meta.code;src.var")];

/// Whether it varies.
pub static VARIABLE: [Field<Star>; 1] = [field!(
        verdict,
        Star,
        is_variable,
        "variable",
        "",
        "p_value < 0.001, with 3 times the errors where most velocities are flagged low_information; missing where not_judged says why"
    )
    .page("`p_value` < 0.001, with errors of 3 times the size where more than half of the velocities are flagged `low_information`; missing where `not_judged` says why")
    .ucd("meta.code;src.var")];

/// Why nothing is said of whether it varies.
pub static NOT_JUDGED: [Field<Star>; 1] = [Field::new(
    "not_judged",
    "",
    "why constant and variable are missing; empty where they are not",
    Cell::Text(
        |s: &Star| Cow::Borrowed(s.unjudged.map_or("", Unjudged::reason)),
        |s, text| {
            s.unjudged = Unjudged::of_reason(text);
            match s.unjudged.is_some() || text.is_empty() {
                true => Ok(()),
                false => Err("a reason why a star is not judged"),
            }
        },
    ),
)
.page(
    "why `constant` and `variable` are missing, empty where they are not: `no velocity` (no usable one), `one velocity`, `no zero point` (none of its \
     exposures had enough stars), `one velocity with a zero point`, `no common scale` (one velocity in each of several components), \
     `solution failed`",
)
.ucd("meta.note")
.may_be_empty()
.late()];

/// What is known of it beside the calibration.
pub static KNOWN: [Field<StarRow>; 5] = [
    field!(
        bool,
        StarRow,
        is_double_lined,
        "sb2_candidate",
        "",
        "double-lined candidate: an exposure in either arm is double_lined; never a constant"
    )
    .page("double-lined candidate: at least one exposure, in either arm, is `double_lined`. The same in both rows of a star. Never a constant")
    .ucd("meta.code;src.class"),
    field!(
        text,
        StarRow,
        names.desig,
        "desig",
        "",
        "LAMOST's designation, header DESIG of the star's first file"
    )
    .page("LAMOST's own designation, key `DESIG` of the star's first file; empty where there is none")
    .ucd("meta.id")
    .may_be_empty(),
    field!(
        text,
        StarRow,
        names.objname,
        "objname",
        "",
        "name in the catalogue of targets, header OBJNAME"
    )
    .page("name in the catalogue that the target is from, key `OBJNAME`")
    .ucd("meta.id")
    .may_be_empty(),
    field!(
        text,
        StarRow,
        names.uqid,
        "uqid",
        "",
        "LAMOST's identifier, header UQID"
    )
    .page("LAMOST's identifier of the star, key `UQID` of later releases")
    .ucd("meta.id")
    .may_be_empty(),
    field!(
        text,
        StarRow,
        names.gaia_source_id,
        "gaia_source_id",
        "",
        "number in Gaia's catalogue, header GAIA_SOURCE_ID"
    )
    .page("number in Gaia's catalogue, key `GAIA_SOURCE_ID` of later releases. Text, so that no digit is lost")
    .ucd("meta.id.cross")
    .may_be_empty(),
];

/// The stars as a table; with `groups` each row tells its plate and spectrograph.
pub fn to_table(rows: &[StarRow], groups: bool) -> Table {
    table_of(rows.iter(), groups, true)
}

/// Those taken for constant as a table, without what is the same for all of them.
pub fn constants_to_table(rows: &[StarRow], groups: bool) -> Table {
    table_of(
        rows.iter().filter(|s| s.found.is_constant == Some(true)),
        groups,
        false,
    )
}

fn table_of<'r>(
    rows: impl Iterator<Item = &'r StarRow> + Clone,
    groups: bool,
    verdicts: bool,
) -> Table {
    let found = rows.clone().map(|s| &s.found);
    let mut table = Table::new();
    table.push_fields(&WHICH, rows.clone());
    if groups {
        table.push_fields(&GROUP, rows.clone());
    }
    table
        .push_fields(&ARM, rows.clone())
        .push_fields(&FOUND, found.clone());
    if verdicts {
        table
            .push_fields(&CONSTANT, found.clone())
            .push_fields(&VARIABLE, found.clone())
            .push_fields(&NOT_JUDGED, found)
            .push_fields(&PERIOD, rows.clone().map(|s| &s.period));
    }
    table.push_fields(&KNOWN, rows);
    table
}

/// The rows of a table of stars, and how many of its numbers are impossibly large and were taken for missing. Plate and spectrograph
/// are not read.
///
/// # Errors
/// [`crate::Error::Table`] naming the column that is missing or of another type.
#[cfg(feature = "report")]
pub fn from_table(table: &Table) -> crate::Result<(Vec<StarRow>, usize)> {
    let mut rows = vec![StarRow::default(); table.n_rows()];
    let mut reader = crate::table::FieldReader::new(table);
    for fields in [&WHICH[..], &ARM, &KNOWN] {
        reader.fill(fields, &mut rows, |s| s)?;
    }
    for fields in [&FOUND[..], &CONSTANT, &VARIABLE, &NOT_JUDGED] {
        reader.fill(fields, &mut rows, |s| &mut s.found)?;
    }
    reader.fill(&PERIOD, &mut rows, |s| &mut s.period)?;
    Ok((rows, reader.n_absurd))
}

#[cfg(all(test, feature = "report"))]
mod tests {
    use super::*;
    use crate::table::ColumnData;

    fn row(verdict: Option<bool>, unjudged: Option<Unjudged>) -> StarRow {
        let found = Star {
            p_quiet: 0.75,
            is_constant: verdict,
            is_variable: verdict.map(|v| !v),
            unjudged,
            ..Star::default()
        };
        StarRow {
            designation: "J1".into(),
            ra_deg: 1.0,
            dec_deg: 2.0,
            found,
            period: StarPeriod {
                period_d: 2.5,
                false_alarm: 1e-9,
                amplitude_km_s: 20.0,
            },
            ..StarRow::default()
        }
    }

    #[test]
    fn verdicts_come_back_from_tables_of_now_and_before() {
        let mut rows = vec![row(Some(true), None), row(Some(false), None)];
        rows.extend(Unjudged::ALL.map(|cause| row(None, Some(cause))));
        let mut table = to_table(&rows, false);
        assert_eq!(from_table(&table).unwrap().0, rows);
        assert_eq!(constants_to_table(&rows, false).n_rows(), 1);
        let reason = table.columns.iter_mut().find(|c| c.name == "not_judged");
        if let Some(ColumnData::Text(texts)) = reason.map(|c| &mut c.data) {
            texts[0] = "weather".to_owned();
        }
        let error = from_table(&table).unwrap_err().to_string();
        assert!(
            error.contains("not_judged") && error.contains("weather"),
            "{error}"
        );
        // Tables of earlier versions have a verdict on every star.
        let mut old = to_table(&rows[..2], false);
        old.columns
            .retain(|c| !["p_quiet", "not_judged"].contains(&c.name.as_str()));
        let back = from_table(&old).unwrap().0;
        assert!(
            back.iter()
                .all(|s| s.found.p_quiet.is_nan() && s.found.unjudged.is_none())
        );
        assert_eq!(back[1].found.is_variable, Some(true));
    }
}
