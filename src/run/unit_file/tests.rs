//! Whose a kept unit is, and whether it is what was written.

use std::fs::File;

use super::*;
use crate::Arm;
use crate::lamost::stars::Star;
use crate::likelihood::Measurement;

pub(in crate::run) fn unit(planid: &str, spid: i32) -> Unit {
    let star = |name: &str| Star {
        designation: name.to_owned(),
        ra_deg: 1.0,
        dec_deg: 2.0,
        names: Default::default(),
        members: vec![0],
    };
    Unit {
        planid: planid.to_owned(),
        spid,
        stars: vec![(1, star("J1")), (2, star("J2"))],
    }
}

/// A plan of this one file.
pub(in crate::run) fn plan(path: &str) -> Plan {
    Plan {
        paths: vec![path.into()],
        contents: vec![Default::default()],
        ..Plan::default()
    }
}

/// Rows of these stars.
pub(in crate::run) fn measured(stars: &[&str]) -> MeasuredUnit {
    let row = |star: &&str| RvRow {
        star: 1,
        designation: (*star).into(),
        ra_deg: 1.0,
        dec_deg: 2.0,
        obsid: 1,
        planid: "P".into(),
        spid: 1,
        fiberid: 1,
        arm: Arm::Red,
        lmjm: 1,
        hjd: 1.0,
        bjd_tdb: 1.0,
        snr: 10.0,
        measurement: Measurement {
            rv_km_s: 0.0,
            rv_err_km_s: 0.1,
            rv_err_own_km_s: 0.1,
            lnl_max: 0.0,
            chi2_red: 1.0,
            n_pix: 10,
            second_peak: 0.0,
            flags: Default::default(),
        },
        is_reference: false,
        n_reference: 1,
        noise_scale: 1.0,
        line_place: 0.25,
        line_width_km_s: 21.5,
        path: PathBuf::from("f.fits").into(),
    };
    MeasuredUnit {
        rows: stars.iter().map(row).collect(),
        ..MeasuredUnit::default()
    }
}

#[test]
fn a_record_is_of_its_unit_its_settings_and_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let of = |planid, spid, settings, print| {
        UnitFile::new(dir.path(), &unit(planid, spid), settings, print)
    };
    let file = of("P", 1, "settings", "files");
    let rows = measured(&["J1", "J2"]);
    file.write(&plan("f.fits"), &unit("P", 1), &rows, Cost::default())
        .unwrap();
    assert!(file.usable().is_some());
    for other in [
        of("Q", 1, "settings", "files"),
        of("P", 2, "settings", "files"),
        of("P", 1, "others", "files"),
        of("P", 1, "settings", "others"),
    ] {
        assert!(other.usable().is_none());
        // Also under the name of the other one, should names ever collide or be swapped.
        for (from, to) in file.paths().into_iter().zip(other.paths()) {
            fs::copy(from, to).unwrap();
        }
        assert!(other.header().is_none() && other.usable().is_none());
    }
    let known = known(dir.path(), &[unit("P", 1), unit("P", 11)]).unwrap();
    assert_eq!(known, [true, false]);
    let kept = of_settings(dir.path(), "settings").unwrap();
    assert!(file.paths().iter().all(|path| kept.contains(*path)));
    assert!(of_settings(dir.path(), "nobody's").unwrap().is_empty());
}

#[test]
fn rows_are_held_against_the_record_when_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let unit = unit("P", 1);
    let plan = plan("f.fits");
    let file = UnitFile::new(dir.path(), &unit, "settings", "files");
    let write = |stars: &[&str]| {
        file.write(&plan, &unit, &measured(stars), Cost::default())
            .unwrap();
        file.usable().unwrap()
    };
    let header = write(&["J1", "J1", "J2"]);
    assert_eq!(file.rows(&header, &plan, &unit).unwrap().len(), 3);
    // Sound rows of the same length and kind, written after the record was looked at.
    write(&["J1", "J2", "J2"]);
    let error = file.rows(&header, &plan, &unit).unwrap_err().to_string();
    assert!(error.contains("found other bytes"), "{error}");
    // Of a star that is not the unit's.
    let header = write(&["J1", "J3"]);
    let error = file.rows(&header, &plan, &unit).unwrap_err().to_string();
    assert!(error.contains("found J3"), "{error}");
    // Counted.
    for (n_rows, n_stars_measured) in [(3, 2), (2, 1)] {
        let header = UnitHeader {
            n_rows,
            n_stars_measured,
            ..write(&["J1", "J2"])
        };
        let error = file.rows(&header, &plan, &unit).unwrap_err().to_string();
        assert!(error.contains("found 2 of 2"), "{error}");
    }
}

#[test]
fn only_names_of_the_very_form_are_units() {
    let hash = "0123456789abcdef0123456789abcdef";
    let name = |head: &str| format!("{head}-{hash}-{hash}");
    for good in [
        "P_sp04.json",
        "A-B_sp11.parquet",
        "_sp01.json",
        "P______sp04.json",
    ] {
        let (head, end) = good.rsplit_once('.').unwrap();
        assert!(is_units_name(&format!("{}.{end}", name(head))), "{good}");
    }
    for bad in [
        format!("{}.json.bak", name("P_sp04")),
        format!("{}.txt", name("P_sp04")),
        format!("{}.json", name("P")),
        format!("P_sp04-{hash}.json"),
        format!("P_sp04-{hash}-{}.json", &hash[1..]),
        "P_sp04-8ed716af.json".to_owned(),
        "note.json".to_owned(),
        ".json".to_owned(),
        String::new(),
    ] {
        assert!(!is_units_name(&bad), "{bad}");
    }
    assert!(is_units_name(&format!(
        "{}{hash}.json",
        stem(("\u{e9}/../x", -3))
    )));
}

#[test]
fn files_that_lie_elsewhere_now_are_called_by_their_place() {
    let dir = tempfile::tempdir().unwrap();
    let unit = unit("P", 1);
    let file = UnitFile::new(dir.path(), &unit, "settings", "files");
    let mut rows = measured(&["J1", "J2"]);
    let reason = RejectReason::LowSnr;
    rows.rejected = vec![Rejection::hdu(Path::new("f.fits"), "R-1", reason, "2")];
    file.write(&plan("f.fits"), &unit, &rows, Cost::default())
        .unwrap();
    let mut header = file.usable().unwrap();
    for (place, expected) in [("f.fits", "f.fits"), ("a/g.fits", "a/g.fits")] {
        let rows = file.rows(&header, &plan(place), &unit).unwrap();
        assert!(rows.iter().all(|r| r.path.as_path() == Path::new(expected)));
    }
    let told: Vec<Rejection> = header.take_rejections(&plan("a/g.fits"), &unit).collect();
    assert_eq!(told[0].path, PathBuf::from("a/g.fits"));
}

#[test]
fn a_unit_with_a_damaged_file_is_used_until_that_file_changes() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("bad.fits.gz");
    fs::write(&bad, "damaged").unwrap();
    let unit = unit("P", 1);
    let file = UnitFile::new(dir.path(), &unit, "settings", "files");
    let mut rows = measured(&["J1", "J2"]);
    rows.rejected = vec![Rejection::file(&bad, RejectReason::BadGzip, "CRC")];
    let plan = plan(bad.to_str().unwrap());
    file.write(&plan, &unit, &rows, Cost::default()).unwrap();
    assert!(file.usable().is_some());
    let time = fs::metadata(&bad).unwrap().modified().unwrap();
    let open = File::options().write(true).open(&bad).unwrap();
    open.set_modified(time - std::time::Duration::from_secs(5))
        .unwrap();
    assert!(file.usable().is_none());
}
