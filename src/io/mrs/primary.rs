//! The primary header of a LAMOST MRS file.

use std::path::Path;
use std::sync::Arc;

use crate::io::fits_header::Header;
use crate::io::raw::{FileHeader, RejectReason, Rejection};

/// What a file's name says: `med-<LMJD>-<PLANID>_sp<SPID>-<FIBERID>.fits[.gz]`.
#[derive(Debug, Default, PartialEq)]
struct NameParts {
    lmjd: Option<i64>,
    planid: Option<String>,
    spid: Option<i32>,
    fiberid: Option<i32>,
}

/// Identity of the star and its fibre. The position must be there; the rest falls back on the file's name, then on 0 or
/// the empty text.
pub(super) fn file_header(path: &Path, header: &Header<'_>) -> Result<FileHeader, Rejection> {
    let name = name_parts(path);
    let int32 = |key| header.int(key).and_then(|n| i32::try_from(n).ok());
    let degrees = |key: &str, range: std::ops::RangeInclusive<f64>| {
        let value = header.float(key);
        value.filter(|x| range.contains(x)).ok_or_else(|| {
            let found = header.text(key).unwrap_or("no value".to_owned());
            Rejection::file(
                path,
                RejectReason::MissingKey,
                format!(
                    "expected {key} in {} to {} degrees, found {found}",
                    range.start(),
                    range.end()
                ),
            )
        })
    };
    let ra_deg = degrees("RA", 0.0..=360.0)? % 360.0;
    let dec_deg = degrees("DEC", -90.0..=90.0)?;
    Ok(FileHeader {
        path: Arc::new(path.to_owned()),
        obsid: header.int("OBSID").unwrap_or(0),
        planid: header.text("PLANID").or(name.planid).unwrap_or_default(),
        spid: int32("SPID").or(name.spid).unwrap_or(0),
        fiberid: int32("FIBERID").or(name.fiberid).unwrap_or(0),
        ra_deg,
        dec_deg,
        desig: header.text("DESIG").unwrap_or_default(),
        lmjd: header.int("LMJD").or(name.lmjd).unwrap_or(0),
        helio_rv_km_s: helio_rv_km_s(header),
    })
}

/// The Earth moves at 30 km/s and turns at 0.5: a larger velocity is none that was taken off.
const MAX_HELIO_RV_KM_S: f64 = 100.0;

/// `HELIO_RV`, if the header says that it was taken off vacuum wavelengths.
fn helio_rv_km_s(header: &Header<'_>) -> Option<f64> {
    let is_true = |key| {
        let word = header.text(key);
        word.is_some_and(|w| matches!(&*w, "T" | "t" | "True" | "TRUE" | "true" | "1"))
    };
    let velocity = header.float("HELIO_RV")?;
    (is_true("HELIO") && is_true("VACUUM") && velocity.abs() <= MAX_HELIO_RV_KM_S)
        .then_some(velocity)
}

fn name_parts(path: &Path) -> NameParts {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split(".fits").next().unwrap_or_default();
    let Some((lmjd, rest)) = stem
        .strip_prefix("med-")
        .and_then(|rest| rest.split_once('-'))
    else {
        return NameParts::default();
    };
    // A plate's name may hold dashes and underscores itself.
    let Some((planid, fibre)) = rest.rsplit_once("_sp") else {
        return NameParts::default();
    };
    let (spid, fiberid) = fibre.split_once('-').unwrap_or((fibre, ""));
    NameParts {
        lmjd: lmjd.parse().ok(),
        planid: Some(planid.to_owned()),
        spid: spid.parse().ok(),
        fiberid: fiberid.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        let parts = name_parts(Path::new("a/med-58625-TD192102N424113K01_sp12-076.fits.gz"));
        assert_eq!(
            parts,
            NameParts {
                lmjd: Some(58625),
                planid: Some("TD192102N424113K01".to_owned()),
                spid: Some(12),
                fiberid: Some(76),
            }
        );
        let odd = name_parts(Path::new("med-58625-HIP_1-2_sp3-250.fits"));
        assert_eq!(
            (odd.planid.as_deref(), odd.spid),
            (Some("HIP_1-2"), Some(3))
        );
        for none in ["", "x.fits", "med-", "med-1", "med-1-p", "/"] {
            assert_eq!(name_parts(Path::new(none)), NameParts::default());
        }
    }

    #[test]
    fn velocity_counts_only_if_it_was_taken_off_vacuum_wavelengths() {
        let velocity = |cards: &[&str]| {
            let mut bytes: String = cards.iter().map(|card| format!("{card:<80}")).collect();
            bytes.push_str(&format!("{:<80}", "END"));
            bytes.push_str(&" ".repeat(2880));
            let header = Header::parse(bytes.as_bytes()).unwrap().0;
            helio_rv_km_s(&header)
        };
        let (helio, vacuum) = (
            "HELIO   =                    T",
            "VACUUM  =                    T",
        );
        let rv = "HELIO_RV=             -8.93644";
        assert_eq!(velocity(&[helio, vacuum, rv]), Some(-8.93644));
        assert_eq!(velocity(&[helio, rv]), None);
        assert_eq!(velocity(&[vacuum, rv]), None);
        assert_eq!(velocity(&[helio, vacuum]), None);
        let not = "HELIO   =                    F";
        assert_eq!(velocity(&[not, vacuum, rv]), None);
        for absurd in ["-100.5", "1e9", "NaN", "-inf", "'fast'"] {
            let rv = format!("HELIO_RV= {absurd}");
            assert_eq!(velocity(&[helio, vacuum, &rv]), None, "{absurd}");
        }
    }
}
