//! The table of measured spectra, a row each, and the rows back from it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use super::exposure::{DATES, Exposure, PLACE, TIME, arm_named};
use crate::likelihood::{Measurement, RvFlags};
use crate::measure::RvRow;
use crate::table::{Cell, Column, ColumnData, Field, FieldReader, Table, field};
use crate::{Arm, Result};

/// The column with the number of the star.
pub static STAR: [Field<RvRow>; 1] = [field!(
        i64,
        RvRow,
        star,
        "star",
        "",
        "number of the star in this table"
    )
    .page("number of the star in this table, from 1, by right ascension. It changes when other stars are added; `designation` does not")
    .ucd("meta.id;src")];

/// The column with the arm, which stands between those of place and of time.
pub static ARM: [Field<RvRow>; 1] = [Field::new(
    "arm",
    "",
    "arm: blue or red",
    Cell::Text(
        |r: &RvRow| Cow::Borrowed(r.arm.name()),
        |r, text| {
            r.arm = arm_named(text)?;
            Ok(())
        },
    ),
)
.page("`blue` (5000-5300 A used) or `red` (6400-6700 A used)")
.ucd("instr.bandpass")];

/// What was measured.
pub static MEASURED: [Field<RvRow>; 15] = [
    field!(
        f64,
        RvRow,
        snr,
        "snr",
        "",
        "signal-to-noise ratio per pixel"
    )
    .page("signal-to-noise ratio per pixel: header key `SNR`; where there is none, the median of flux over error in the window")
    .ucd("stat.snr"),
    field!(
        f64,
        RvRow,
        measurement.rv_km_s,
        "rv",
        "km/s",
        "velocity c z against the star's reference, > 0 = redshifted"
    )
    .page("velocity $cz$ against the star's reference exposure in this arm, > 0 = redshifted. Not corrected for the zero points of the wavelength calibration")
    .ucd("spect.dopplerVeloc"),
    field!(
        f64,
        RvRow,
        measurement.rv_err_km_s,
        "rv_err",
        "km/s",
        "1-sigma error of rv as a difference of two exposures"
    )
    .page("1-sigma error of `rv` as the difference of two exposures: both exposures' noise")
    .ucd("stat.error;spect.dopplerVeloc"),
    field!(
        f64,
        RvRow,
        measurement.rv_err_own_km_s,
        "rv_err_own",
        "km/s",
        "1-sigma error of rv once the star's offset is known"
    )
    .page("1-sigma error of `rv` once the star's offset (the reference's noise, common to all its rows) is known. For scatter about a mean, chi^2 of a constant star, orbits")
    .ucd("stat.error;spect.dopplerVeloc"),
    field!(
        f64,
        RvRow,
        measurement.chi2_red,
        "chi2_red",
        "",
        "reduced chi^2 at the maximum of the likelihood"
    )
    .page("reduced chi^2 at the maximum of the likelihood; near 1 if the exposure is a shifted copy of the reference, below 1 for the reference itself")
    .ucd("stat.fit.chi2"),
    Field::new(
        "n_pix",
        "",
        "pixels used",
        Cell::I32(
            |r: &RvRow| r.measurement.n_pix as i32,
            |r, x| r.measurement.n_pix = x.max(0) as usize,
        ),
    )
    .ucd("meta.number;instr.pixel"),
    field!(
        f64,
        RvRow,
        measurement.lnl_max,
        "lnl_max",
        "",
        "ln of the likelihood at its maximum"
    )
    .page("$\\ln L$ at its maximum, with all constants of Eq. 3")
    .ucd("stat.likelihood"),
    field!(
        f64,
        RvRow,
        measurement.second_peak,
        "second_peak",
        "",
        "height of the second maximum of ln L above its mean, first = 1"
    )
    .page("height of the second maximum of $\\ln L$ above the curve's mean, in units of the first one's; 0 if there is none")
    .ucd("stat.likelihood"),
    field!(
        bool,
        RvRow,
        is_reference,
        "is_reference",
        "",
        "this exposure is the star's reference in this arm"
    )
    .page("this exposure is the star's reference in this arm (with `--reference coadd`: the one whose velocity is the zero). Its `rv` is 0 or near it; where `n_reference` is 1 its errors are formal")
    .ucd("meta.code"),
    field!(
        i32,
        RvRow,
        n_reference,
        "n_reference",
        "",
        "exposures that the reference is made of: 1 = the best one"
    )
    .page("exposures that the reference is made of: 1 = the best one; with `--reference coadd` the number in the coadd, with the exposure itself, which is left out when it is measured")
    .ucd("meta.number;obs.exposure"),
    field!(
        f64,
        RvRow,
        noise_scale,
        "noise_scale",
        "",
        "noise from the residuals over the quoted one, used in the errors; 1 = not used"
    )
    .page("the noise that the residuals show from pixel to pixel over the quoted one (`IVAR`); the errors are multiplied by it. 1 = the quoted noise was taken as it is: fewer than three exposures, or residuals that do not tell")
    .ucd("arith.factor;instr.det.noise"),
    field!(
        f64,
        RvRow,
        line_place,
        "line_place",
        "",
        "where the star's lines lie in the arm's window: -1 = its blue end, 1 = its red end; NaN = not known"
    )
    .page("where the star's lines lie in the arm's window, weighted by what tells of a velocity: -1 at its blue end, 1 at its red end. NaN where the star's reference is its best exposure alone")
    .ucd("pos"),
    field!(
        f64,
        RvRow,
        line_width_km_s,
        "line_width",
        "km/s",
        "width of the star's lines as observed: standard deviation of a Gaussian line whose slope changes as fast; NaN = not known"
    )
    .page("width of the star's lines as observed: standard deviation of a Gaussian line whose slope changes as fast. A line that is not resolved has 17 km/s. NaN where the star's reference is its best exposure alone")
    .ucd("spect.line.width"),
    Field::new(
        "flags",
        "",
        "bit mask, see docs/columns.md",
        Cell::I32(
            |r: &RvRow| r.measurement.flags.bits() as i32,
            |r, x| r.measurement.flags = RvFlags::from_bits_retain(x as u32),
        ),
    ).page("sum of the bits below; 0 = nothing to say")
    .ucd("meta.code.qual"),
    Field::new(
        "file",
        "",
        "file of the exposure",
        Cell::Text(
            |r: &RvRow| Cow::Owned(r.path.display().to_string()),
            |r, text| {
                if r.path.as_os_str() != &**text {
                    r.path = Arc::new(PathBuf::from(&**text));
                }
                Ok(())
            },
        ),
    ).page("file of the exposure, as it was found")
    .ucd("meta.id;meta.file"),
];

/// The rows as a table.
pub fn to_table(rows: &[RvRow]) -> Table {
    let exposures: Vec<Exposure> = rows.iter().map(Exposure::from).collect();
    let mut table = Table::new();
    table
        .push_fields(&STAR, rows.iter())
        .push_fields(&PLACE, exposures.iter())
        .push_fields(&ARM, rows.iter())
        .push_fields(&TIME, exposures.iter())
        .push_fields(&MEASURED, rows.iter());
    table.times.extend(DATES);
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

/// A row with nothing in it, to be filled from a table.
fn blank() -> RvRow {
    let nothing = Exposure::default();
    RvRow {
        star: 0,
        designation: nothing.designation,
        ra_deg: 0.0,
        dec_deg: 0.0,
        obsid: 0,
        planid: nothing.planid,
        spid: 0,
        fiberid: 0,
        arm: Arm::Blue,
        lmjm: 0,
        hjd: 0.0,
        bjd_tdb: 0.0,
        snr: 0.0,
        measurement: Measurement::without_pixels(),
        is_reference: false,
        n_reference: 0,
        noise_scale: 1.0,
        line_place: f64::NAN,
        line_width_km_s: f64::NAN,
        path: Arc::default(),
    }
}

/// Rows of a table that [`to_table`] made; equal names share their memory.
///
/// # Errors
/// [`crate::Error::Table`] naming the column that is missing or of another type.
pub fn from_table(table: &Table) -> Result<Vec<RvRow>> {
    let mut exposures = vec![Exposure::default(); table.n_rows()];
    let mut rows = vec![blank(); table.n_rows()];
    let mut reader = FieldReader::new(table);
    reader.fill(&PLACE, &mut exposures, |e| e)?;
    reader.fill(&TIME, &mut exposures, |e| e)?;
    for fields in [&STAR[..], &ARM, &MEASURED] {
        reader.fill(fields, &mut rows, |r| r)?;
    }
    let mut path: Arc<PathBuf> = Arc::default();
    for (row, exposure) in rows.iter_mut().zip(exposures) {
        row.designation = exposure.designation;
        (row.ra_deg, row.dec_deg) = (exposure.ra_deg, exposure.dec_deg);
        row.obsid = exposure.obsid;
        row.planid = exposure.planid;
        (row.spid, row.fiberid) = (exposure.spid, exposure.fiberid);
        row.lmjm = exposure.lmjm;
        (row.hjd, row.bjd_tdb) = (exposure.hjd, exposure.bjd_tdb);
        // The rows of a file follow each other, so that comparing with the row before finds most equal paths.
        match path == row.path {
            true => row.path = path.clone(),
            false => path = row.path.clone(),
        }
    }
    Ok(rows)
}
#[cfg(test)]
mod tests {
    use super::*;

    fn row(arm: Arm, rv_km_s: f64) -> RvRow {
        RvRow {
            star: 3,
            designation: "J1".into(),
            ra_deg: 1.25,
            dec_deg: -1.0 / 3.0,
            obsid: i64::MAX,
            planid: "A".into(),
            spid: 2,
            fiberid: 250,
            arm,
            lmjm: 84_420_148,
            hjd: 2_458_411.145_602,
            bjd_tdb: 2_458_411.146_4,
            snr: 24.34,
            measurement: Measurement {
                rv_km_s,
                rv_err_km_s: 0.1,
                rv_err_own_km_s: f64::MIN_POSITIVE,
                lnl_max: -1e300,
                chi2_red: 1.5,
                n_pix: 2130,
                second_peak: 0.25,
                flags: RvFlags::from_bits_retain(1 << 31),
            },
            is_reference: arm == Arm::Red,
            n_reference: 7,
            noise_scale: 0.875,
            line_place: -0.25,
            line_width_km_s: 21.5,
            path: PathBuf::from("f \u{e9}.fits").into(),
        }
    }

    #[test]
    fn rows_come_back_through_a_file_as_they_were() {
        let rows = [row(Arm::Blue, -4.25), row(Arm::Red, 1.0 / 7.0)];
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.parquet");
        to_table(&rows).write(&path).unwrap();
        assert_eq!(from_table(&Table::read(&path).unwrap()).unwrap(), rows);
        // The velocity is NaN, which is not equal to itself, so the rows cannot be compared with `==`.
        let none = [row(Arm::Blue, f64::NAN)];
        to_table(&none).write(&path).unwrap();
        let back = from_table(&Table::read(&path).unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{none:?}"));
        assert_eq!(from_table(&to_table(&[])).unwrap(), []);
    }

    #[test]
    fn another_table_is_refused_by_column() {
        let mut table = to_table(&[row(Arm::Red, 0.0)]);
        table.columns.retain(|c| c.name != "rv_err_own");
        let error = from_table(&table).unwrap_err().to_string();
        assert!(error.contains("rv_err_own"), "{error}");
    }
}
