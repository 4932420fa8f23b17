//! Which exposure a row is of: the columns that the tables of velocities begin with.

use std::sync::Arc;

use crate::Arm;
use crate::measure::RvRow;
use crate::table::{Field, TimeColumn, field};

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
    /// Name of the file, without its folder; empty where the rows tell more of it, or nothing.
    pub file: Arc<str>,
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
            file: Arc::default(),
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
    field!(
        name,
        Exposure,
        designation,
        "designation",
        "",
        "name of the star from its position in its first file"
    )
    .page("name from the star's position in its first file, by day, plate, spectrograph and fibre: `JHHMMSS.ss+DDMMSS.s` (truncated). Files are of one star if their positions lie within 3 arcsec. Files that are added rename no star: those of later nights because the first one stays, those of earlier nights because `run` keeps the names in `.relrv/stars.json` of its directory")
    .ucd("meta.id;meta.main"),
    field!(
        f64,
        Exposure,
        ra_deg,
        "ra",
        "deg",
        "right ascension of the star (J2000)"
    )
    .page("right ascension of that position (J2000)")
    .ucd("pos.eq.ra;meta.main")
    .up_to(360.0)
    .never_missing(),
    field!(
        f64,
        Exposure,
        dec_deg,
        "dec",
        "deg",
        "declination of the star (J2000)"
    )
    .page("declination of that position (J2000)")
    .ucd("pos.eq.dec;meta.main")
    .up_to(90.0)
    .never_missing(),
    field!(
        i64,
        Exposure,
        obsid,
        "obsid",
        "",
        "number of the observation (star and night)"
    )
    .page("number of the observation (star and night), key `OBSID`; 0 if missing")
    .ucd("meta.id;obs"),
    field!(
        name,
        Exposure,
        planid,
        "planid",
        "",
        "plate"
    )
    .page("plate, key `PLANID`")
    .ucd("meta.id;obs.field"),
    field!(
        i32,
        Exposure,
        spid,
        "spid",
        "",
        "spectrograph"
    )
    .page("spectrograph, 1-16, key `SPID`")
    .ucd("meta.id;instr"),
    field!(
        i32,
        Exposure,
        fiberid,
        "fiberid",
        "",
        "fibre"
    )
    .page("fibre in the spectrograph, 1-250, key `FIBERID`")
    .ucd("meta.id;instr.setup"),
];

/// When a row's exposure was.
pub static TIME: [Field<Exposure>; 3] = [
    field!(
        i64,
        Exposure,
        lmjm,
        "lmjm",
        "min",
        "local (UTC+8) modified Julian minute of the exposure's start"
    )
    .page("local (UTC+8) Modified Julian Minute of the exposure's start, truncated")
    .ucd("time.start;obs.exposure")
    .up_to(LARGEST_MINUTE),
    field!(
        f64,
        Exposure,
        hjd,
        "hjd",
        "d",
        "heliocentric Julian date (UTC) of mid-exposure"
    )
    .page("heliocentric Julian date of mid-exposure, in UTC (as in the paper). From the header's `DATE-BEG` and `DATE-END` where the exposure has them (DR9 and later); else from `lmjm` and `EXPTIME`, so up to a minute early")
    .ucd("time.epoch;obs.exposure")
    .up_to(LARGEST_DATE_D),
    field!(
        f64,
        Exposure,
        bjd_tdb,
        "bjd_tdb",
        "d",
        "barycentric Julian date (TDB) of mid-exposure"
    )
    .page("barycentric Julian date of mid-exposure, in TDB: for periods and orbits")
    .ucd("time.epoch;obs.exposure")
    .up_to(LARGEST_DATE_D),
];

/// Which file a row is from.
pub static FILE: [Field<Exposure>; 1] = [
    field!(
        name,
        Exposure,
        file,
        "file",
        "",
        "file of the exposure, without its folder; its HDU of an arm is B- or R- and lmjm"
    )
    .page("file of the exposure, without its folder. Its HDU of an arm is called by the arm and `lmjm`: `B-84427278`, `R-84427278`. Folders are in the table of [`measure`](#the-table-of-relrv-measure)")
    .ucd("meta.id;meta.file")
    .late(),
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
