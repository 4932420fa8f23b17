//! The primary header of a LAMOST MRS file.

use std::path::Path;
use std::sync::Arc;

use crate::fits::header::Header;
use crate::lamost::raw::{FileHeader, Frame, RejectReason, Rejection, StarNames};

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
        names: names(header),
        lmjd: header.int("LMJD").or(name.lmjd).unwrap_or(0),
        n_exposures: ["NEXP_B", "NEXP_R"].map(|key| {
            let n = usize::try_from(header.int(key)?).ok()?;
            (n <= MOST_EXPOSURES).then_some(n)
        }),
        frame: frame(header),
    })
}

/// A count of more exposures than a day has minutes is a damaged number.
const MOST_EXPOSURES: usize = 1440;

fn names(header: &Header<'_>) -> StarNames {
    let text = |key| header.text(key).unwrap_or_default();
    StarNames {
        desig: text("DESIG"),
        objname: text("OBJNAME"),
        uqid: text("UQID"),
        // A keyword has eight letters in FITS: longer ones are written by the HIERARCH convention, or cut.
        gaia_source_id: ["GAIA_SOURCE_ID", "GAIA_SOU"]
            .into_iter()
            .find_map(|key| header.text(key))
            .unwrap_or_default(),
    }
}

/// Largest HELIO_RV that is believed, km/s. The Earth moves at 30 km/s and its surface at 0.5, so a real one is far below.
const MAX_HELIO_RV_KM_S: f64 = 100.0;

/// What the header says of the wavelengths.
fn frame(header: &Header<'_>) -> Frame {
    let truth = |key| match &*header.text(key)? {
        "T" | "t" | "True" | "TRUE" | "true" | "1" => Some(true),
        "F" | "f" | "False" | "FALSE" | "false" | "0" => Some(false),
        _ => None,
    };
    let velocity = header.float("HELIO_RV");
    Frame {
        is_heliocentric: truth("HELIO"),
        helio_rv_km_s: velocity.filter(|v| v.abs() <= MAX_HELIO_RV_KM_S),
        is_vacuum: truth("VACUUM"),
    }
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

    fn of_cards<T>(cards: &[&str], read: impl Fn(&Header<'_>) -> T) -> T {
        let mut bytes: String = cards.iter().map(|card| format!("{card:<80}")).collect();
        bytes.push_str(&format!("{:<80}", "END"));
        bytes.push_str(&" ".repeat(2880));
        read(&Header::parse(bytes.as_bytes()).unwrap().0)
    }

    #[test]
    fn frame_is_what_the_header_says_and_no_more() {
        let (helio, vacuum) = (
            "HELIO   =                    T",
            "VACUUM  =                    T",
        );
        let rv = "HELIO_RV=             -8.93644";
        let full = of_cards(&[helio, vacuum, rv], frame);
        assert_eq!(
            full,
            Frame {
                is_heliocentric: Some(true),
                helio_rv_km_s: Some(-8.93644),
                is_vacuum: Some(true)
            }
        );
        assert!(full.is_known() && !full.is_moved());
        for known_not in [&[helio, rv][..], &[vacuum, rv], &[helio, vacuum]] {
            let frame = of_cards(known_not, frame);
            assert!(!frame.is_known() && !frame.is_moved(), "{known_not:?}");
        }
        // The velocity can be computed.
        let not = "HELIO   =                    F";
        let frame_not = of_cards(&[not, vacuum], frame);
        assert!(frame_not.is_known() && frame_not.is_moved());
        let air = of_cards(&[helio, rv, "VACUUM  =                    F"], frame);
        assert!(air.is_known() && air.is_moved());
        for absurd in ["-100.5", "1e9", "NaN", "-inf", "'fast'"] {
            let rv = format!("HELIO_RV= {absurd}");
            assert!(
                !of_cards(&[helio, vacuum, &rv], frame).is_known(),
                "{absurd}"
            );
        }
    }

    #[test]
    fn names_and_numbers_of_exposures() {
        let cards = [
            "DESIG   = 'LAMOST J054413.47+290911.0' /",
            "OBJNAME = '265626516609866'    / Name of object",
            "UQID    = 'G16029502191123  '  /",
            "NEXP_B  =                    3 /",
            "NEXP_R  =              4000000 /",
        ];
        let names = of_cards(&cards, names);
        assert_eq!(names.desig, "LAMOST J054413.47+290911.0");
        assert_eq!(names.objname, "265626516609866");
        assert_eq!(
            (&*names.uqid, &*names.gaia_source_id),
            ("G16029502191123", "")
        );
        let place = ["RA      = 10.0", "DEC     = 20.0"];
        let all = [&place[..], &cards].concat();
        let header = of_cards(&all, |h| file_header(Path::new("x"), h)).unwrap();
        assert_eq!(header.n_exposures, [Some(3), None]);
    }
}
