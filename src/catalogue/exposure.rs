//! Which exposure a row is of: the columns that the tables of velocities begin with.

use std::borrow::Cow;
use std::sync::Arc;

use crate::Arm;
use crate::measure::RvRow;
use crate::table::{Cell, Field, TimeColumn};

/// A star in one exposure, through one fibre.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposure {
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
    /// Local Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Heliocentric Julian date (UTC) of mid-exposure.
    pub hjd: f64,
    /// Barycentric Julian date (TDB) of mid-exposure.
    pub bjd_tdb: f64,
}

impl From<&RvRow> for Exposure {
    fn from(row: &RvRow) -> Self {
        Exposure {
            designation: row.designation.clone(),
            ra_deg: row.ra_deg,
            dec_deg: row.dec_deg,
            obsid: row.obsid,
            planid: row.planid.clone(),
            spid: row.spid,
            fiberid: row.fiberid,
            lmjm: row.lmjm,
            hjd: row.hjd,
            bjd_tdb: row.bjd_tdb,
        }
    }
}

/// The arm of this name.
pub(super) fn arm_named(name: &str) -> Result<Arm, &'static str> {
    let found = Arm::ALL.into_iter().find(|arm| arm.name() == name);
    found.ok_or("red or blue")
}

/// Largest Julian date that is believed when a table is read: far in the future.
const LARGEST_DATE_D: f64 = 1e8;
/// Largest minute that is believed when a table is read: two million years.
pub(super) const LARGEST_MINUTE: f64 = 1e12;

/// Which star and fibre a row is of.
pub static PLACE: [Field<Exposure>; 7] = [
    Field::new(
        "designation",
        "",
        "name of the star from its position in its first file",
        Cell::Text(
            |e: &Exposure| Cow::Borrowed(&e.designation),
            |e, text| {
                e.designation = text.clone();
                Ok(())
            },
        ),
    ).page("name from the star's position in its first file, by day, plate, spectrograph and fibre: `JHHMMSS.ss+DDMMSS.s` (truncated). Files are of one star if their positions lie within 3 arcsec. Files that are added rename no star: those of later nights because the first one stays, those of earlier nights because `run` keeps the names in `.relrv/stars.json` of its directory")
    .ucd("meta.id;meta.main"),
    Field::new(
        "ra",
        "deg",
        "right ascension of the star (J2000)",
        Cell::F64(|e: &Exposure| e.ra_deg, |e, x| e.ra_deg = x),
    )
    .page("right ascension of that position (J2000)")
    .ucd("pos.eq.ra;meta.main")
    .up_to(360.0)
    .never_missing(),
    Field::new(
        "dec",
        "deg",
        "declination of the star (J2000)",
        Cell::F64(|e: &Exposure| e.dec_deg, |e, x| e.dec_deg = x),
    )
    .page("declination of that position (J2000)")
    .ucd("pos.eq.dec;meta.main")
    .up_to(90.0)
    .never_missing(),
    Field::new(
        "obsid",
        "",
        "number of the observation (star and night)",
        Cell::I64(|e: &Exposure| e.obsid, |e, x| e.obsid = x),
    ).page("number of the observation (star and night), key `OBSID`; 0 if missing")
    .ucd("meta.id;obs"),
    Field::new(
        "planid",
        "",
        "plate",
        Cell::Text(
            |e: &Exposure| Cow::Borrowed(&e.planid),
            |e, text| {
                e.planid = text.clone();
                Ok(())
            },
        ),
    ).page("plate, key `PLANID`")
    .ucd("meta.id;obs.field"),
    Field::new(
        "spid",
        "",
        "spectrograph",
        Cell::I32(|e: &Exposure| e.spid, |e, x| e.spid = x),
    ).page("spectrograph, 1-16, key `SPID`")
    .ucd("meta.id;instr"),
    Field::new(
        "fiberid",
        "",
        "fibre",
        Cell::I32(|e: &Exposure| e.fiberid, |e, x| e.fiberid = x),
    ).page("fibre in the spectrograph, 1-250, key `FIBERID`")
    .ucd("meta.id;instr.setup"),
];

/// When a row's exposure was.
pub static TIME: [Field<Exposure>; 3] = [
    Field::new(
        "lmjm",
        "min",
        "local (UTC+8) modified Julian minute of the exposure's start",
        Cell::I64(|e: &Exposure| e.lmjm, |e, x| e.lmjm = x),
    ).page("local (UTC+8) Modified Julian Minute of the exposure's start, truncated")
    .ucd("time.start;obs.exposure")
    .up_to(LARGEST_MINUTE),
    Field::new(
        "hjd",
        "d",
        "heliocentric Julian date (UTC) of mid-exposure",
        Cell::F64(|e: &Exposure| e.hjd, |e, x| e.hjd = x),
    ).page("heliocentric Julian date of mid-exposure, in UTC (as in the paper). From the header's `DATE-BEG` and `DATE-END` where the exposure has them (DR9 and later); else from `lmjm` and `EXPTIME`, so up to a minute early")
    .ucd("time.epoch;obs.exposure")
    .up_to(LARGEST_DATE_D),
    Field::new(
        "bjd_tdb",
        "d",
        "barycentric Julian date (TDB) of mid-exposure",
        Cell::F64(|e: &Exposure| e.bjd_tdb, |e, x| e.bjd_tdb = x),
    ).page("barycentric Julian date of mid-exposure, in TDB: for periods and orbits")
    .ucd("time.epoch;obs.exposure")
    .up_to(LARGEST_DATE_D),
];

/// The dates among these columns.
pub const DATES: [TimeColumn; 2] = [
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
