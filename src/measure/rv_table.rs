//! One row per measured spectrum, and the table that users see.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Arm;
use crate::likelihood::Measurement;
use crate::table::{Column, ColumnData, Table, TimeColumn};

/// A measured spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct RvRow {
    /// Number of the star in this table, from 1.
    pub star: i64,
    /// Name of the star from its position in its first file.
    pub designation: Arc<str>,
    /// Right ascension of the star, degrees (J2000).
    pub ra_deg: f64,
    /// Declination of the star, degrees (J2000).
    pub dec_deg: f64,
    /// Number of the star's observation.
    pub obsid: i64,
    /// Plate.
    pub planid: Arc<str>,
    /// Spectrograph.
    pub spid: i32,
    /// Fibre.
    pub fiberid: i32,
    /// Arm.
    pub arm: Arm,
    /// Local Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Heliocentric Julian date (UTC) of mid-exposure.
    pub hjd: f64,
    /// Barycentric Julian date (TDB) of mid-exposure.
    pub bjd_tdb: f64,
    /// Signal-to-noise ratio per pixel.
    pub snr: f64,
    /// What was measured.
    pub measurement: Measurement,
    /// This exposure is the star's reference in this arm.
    pub is_reference: bool,
    /// Exposures that the star's reference is made of: 1 where it is the best one.
    pub n_reference: i32,
    /// What the quoted noise was multiplied by, as the residuals show it; 1 where it was taken as it is.
    pub noise_scale: f64,
    /// File.
    pub path: Arc<PathBuf>,
}

/// The rows as a table with units and meanings.
pub fn to_table(rows: &[RvRow]) -> Table {
    fn column<T>(rows: &[RvRow], value: impl Fn(&RvRow) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    let of = |value: fn(&Measurement) -> f64| column(rows, |r| value(&r.measurement));
    let mut table = Table::new();
    table.push_i64(
        "star",
        "",
        "number of the star in this table",
        column(rows, |r| r.star),
    );
    let all: Vec<&RvRow> = rows.iter().collect();
    push_place(&mut table, &all);
    table.push_text(
        "arm",
        "",
        "arm: blue or red",
        column(rows, |r| r.arm.name().to_owned()),
    );
    push_time(&mut table, &all);
    table
        .push_f64(
            "snr",
            "",
            "signal-to-noise ratio per pixel",
            column(rows, |r| r.snr),
        )
        .push_f64(
            "rv",
            "km/s",
            "velocity c z against the star's reference, > 0 = redshifted",
            of(|m| m.rv_km_s),
        )
        .push_f64(
            "rv_err",
            "km/s",
            "1-sigma error of rv as a difference of two exposures",
            of(|m| m.rv_err_km_s),
        )
        .push_f64(
            "rv_err_own",
            "km/s",
            "1-sigma error of rv once the star's offset is known",
            of(|m| m.rv_err_own_km_s),
        )
        .push_f64(
            "chi2_red",
            "",
            "reduced chi^2 at the maximum of the likelihood",
            of(|m| m.chi2_red),
        )
        .push_i32(
            "n_pix",
            "",
            "pixels used",
            column(rows, |r| r.measurement.n_pix as i32),
        )
        .push_f64(
            "lnl_max",
            "",
            "ln of the likelihood at its maximum",
            of(|m| m.lnl_max),
        )
        .push_f64(
            "second_peak",
            "",
            "height of the second maximum of ln L above its mean, first = 1",
            of(|m| m.second_peak),
        )
        .push_bool(
            "is_reference",
            "",
            "this exposure is the star's reference in this arm",
            column(rows, |r| r.is_reference),
        )
        .push_i32(
            "n_reference",
            "",
            "exposures that the reference is made of: 1 = the best one",
            column(rows, |r| r.n_reference),
        )
        .push_f64(
            "noise_scale",
            "",
            "noise from the residuals over the quoted one, used in the errors; 1 = not used",
            column(rows, |r| r.noise_scale),
        )
        .push_i32(
            "flags",
            "",
            "bit mask, see docs/columns.md",
            column(rows, |r| r.measurement.flags.bits() as i32),
        )
        .push_text(
            "file",
            "",
            "file of the exposure",
            column(rows, |r| r.path.display().to_string()),
        );
    table
}

/// Adds the flags' names beside their numbers.
pub fn push_flags_text(table: &mut Table, rows: &[RvRow]) {
    let names = rows.iter().map(|r| r.measurement.flags.to_string());
    table.insert_after(
        "flags",
        Column::new(
            "flags_text",
            "",
            "names of the flags",
            ColumnData::Text(names.collect()),
        ),
    );
}

/// A column of rows.
fn of<T>(rows: &[&RvRow], value: impl Fn(&RvRow) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}

/// Which star and fibre each row is of: the columns that tables of rows and of exposures begin with.
pub(crate) fn push_place(table: &mut Table, rows: &[&RvRow]) {
    table
        .push_text(
            "designation",
            "",
            "name of the star from its position in its first file",
            of(rows, |r| r.designation.to_string()),
        )
        .push_f64(
            "ra",
            "deg",
            "right ascension of the star (J2000)",
            of(rows, |r| r.ra_deg),
        )
        .push_f64(
            "dec",
            "deg",
            "declination of the star (J2000)",
            of(rows, |r| r.dec_deg),
        )
        .push_i64(
            "obsid",
            "",
            "number of the observation (star and night)",
            of(rows, |r| r.obsid),
        )
        .push_text("planid", "", "plate", of(rows, |r| r.planid.to_string()))
        .push_i32("spid", "", "spectrograph", of(rows, |r| r.spid))
        .push_i32("fiberid", "", "fibre", of(rows, |r| r.fiberid));
}

/// The dates of a row.
const TIMES: [TimeColumn; 2] = [
    TimeColumn {
        column: "hjd",
        scale: "UTC",
        position: "HELIOCENTER",
    },
    TimeColumn {
        column: "bjd_tdb",
        scale: "TDB",
        position: "BARYCENTER",
    },
];

/// When each row's exposure was.
pub(crate) fn push_time(table: &mut Table, rows: &[&RvRow]) {
    table
        .push_i64(
            "lmjm",
            "min",
            "local (UTC+8) modified Julian minute of the exposure's start",
            of(rows, |r| r.lmjm),
        )
        .push_f64(
            "hjd",
            "d",
            "heliocentric Julian date (UTC) of mid-exposure",
            of(rows, |r| r.hjd),
        )
        .push_f64(
            "bjd_tdb",
            "d",
            "barycentric Julian date (TDB) of mid-exposure",
            of(rows, |r| r.bjd_tdb),
        );
    table.times.extend(TIMES);
}
