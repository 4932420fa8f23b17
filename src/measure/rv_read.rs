//! The rows back from the table that [`super::rv_table::to_table`] makes.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::rv_table::RvRow;
use crate::likelihood::{Measurement, RvFlags};
use crate::table::{ColumnData, Table};
use crate::{Arm, Error, Result};

/// Rows of a table that was written by [`super::rv_table::to_table`]; equal names share their memory.
///
/// # Errors
/// [`Error::Config`] naming the column that is missing or of another type.
pub fn from_table(table: &Table) -> Result<Vec<RvRow>> {
    let data = |name: &str| {
        let column = table.column(name).map(|c| &c.data);
        column.ok_or_else(|| Error::Config(format!("expected a column {name}, found none")))
    };
    macro_rules! column {
        ($name:literal, $variant:ident) => {
            match data($name)? {
                ColumnData::$variant(values) => values,
                other => {
                    return Err(Error::Config(format!(
                        "column {}: found {}",
                        $name,
                        other.type_name()
                    )))
                }
            }
        };
    }
    let (star, obsid, lmjm) = (
        column!("star", I64),
        column!("obsid", I64),
        column!("lmjm", I64),
    );
    let (designation, planid) = (column!("designation", Text), column!("planid", Text));
    let (arm, file) = (column!("arm", Text), column!("file", Text));
    let (spid, fiberid) = (column!("spid", I32), column!("fiberid", I32));
    let (n_pix, flags) = (column!("n_pix", I32), column!("flags", I32));
    let (ra, dec, hjd, bjd_tdb, snr) = (
        column!("ra", F64),
        column!("dec", F64),
        column!("hjd", F64),
        column!("bjd_tdb", F64),
        column!("snr", F64),
    );
    let (rv, rv_err, rv_err_own) = (
        column!("rv", F64),
        column!("rv_err", F64),
        column!("rv_err_own", F64),
    );
    let (chi2_red, lnl_max, second_peak) = (
        column!("chi2_red", F64),
        column!("lnl_max", F64),
        column!("second_peak", F64),
    );
    let is_reference = column!("is_reference", Bool);
    let n_reference = column!("n_reference", I32);
    let noise_scale = column!("noise_scale", F64);

    let mut texts: HashSet<Arc<str>> = HashSet::new();
    let mut shared = |text: &str| -> Arc<str> {
        if let Some(known) = texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        texts.insert(new.clone());
        new
    };
    let mut path: Arc<PathBuf> = Arc::default();
    let mut rows = Vec::with_capacity(table.n_rows());
    for i in 0..table.n_rows() {
        let arm = Arm::ALL.into_iter().find(|a| a.name() == arm[i]);
        let arm = arm
            .ok_or_else(|| Error::Config(format!("column arm, row {}: expected an arm", i + 1)))?;
        if path.as_os_str() != file[i].as_str() {
            path = Arc::new(PathBuf::from(&file[i]));
        }
        rows.push(RvRow {
            star: star[i],
            designation: shared(&designation[i]),
            ra_deg: ra[i],
            dec_deg: dec[i],
            obsid: obsid[i],
            planid: shared(&planid[i]),
            spid: spid[i],
            fiberid: fiberid[i],
            arm,
            lmjm: lmjm[i],
            hjd: hjd[i],
            bjd_tdb: bjd_tdb[i],
            snr: snr[i],
            measurement: Measurement {
                rv_km_s: rv[i],
                rv_err_km_s: rv_err[i],
                rv_err_own_km_s: rv_err_own[i],
                lnl_max: lnl_max[i],
                chi2_red: chi2_red[i],
                n_pix: n_pix[i].max(0) as usize,
                second_peak: second_peak[i],
                flags: RvFlags::from_bits_retain(flags[i] as u32),
            },
            is_reference: is_reference[i],
            n_reference: n_reference[i],
            noise_scale: noise_scale[i],
            path: path.clone(),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::rv_table::to_table;

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
        // NaN, which is not equal to itself.
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
