//! `relrv calibrate` of a VOTable gives what the same table gives in CSV, and knows its units.

use std::path::Path;

use crate::support::*;

/// Twelve stars in eight exposures, in m/s: star, exposure, velocity; the last velocity is missing.
fn rows() -> Vec<(String, i32, Option<f64>)> {
    let mut rows = Vec::new();
    for star in 0..12 {
        for exposure in 0..8 {
            let noise = f64::from((7 * star + 5 * exposure + star * exposure) % 11 - 5);
            let rv = 900.0 * f64::from(exposure % 3) + 40.0 * f64::from(star) + 9.0 * noise;
            rows.push((format!("s{star} & co"), exposure, Some(rv)));
        }
    }
    rows.last_mut().unwrap().2 = None;
    rows
}

fn csv() -> String {
    let row = |(star, exposure, rv): &(String, i32, Option<f64>)| {
        let rv = rv.map_or(String::new(), |rv| format!("{rv:?}"));
        format!("{star},{exposure},{rv},30.0\n")
    };
    let rows: String = rows().iter().map(row).collect();
    format!("source_id,visit,RV,e_RV\n{rows}")
}

fn votable() -> String {
    let row = |(star, exposure, rv): &(String, i32, Option<f64>)| {
        let rv = rv.map_or(String::new(), |rv| format!("{rv:?}"));
        let star = star.replace('&', "&amp;");
        format!("<TR><TD>{star}</TD><TD>{exposure}</TD><TD>{rv}</TD><TD>30.0</TD></TR>\n")
    };
    let rows: String = rows().iter().map(row).collect();
    format!(
        "<?xml version='1.0'?><VOTABLE version='1.4'><RESOURCE><TABLE name='vels'>\n\
         <FIELD name='source_id' datatype='char' arraysize='*'/><FIELD name='visit' datatype='short'/>\n\
         <FIELD name='RV' datatype='double' unit='m/s'/><FIELD name='e_RV' datatype='double' unit='m/s'/>\n\
         <DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n"
    )
}

fn calibrate(table: &Path, out: &Path, more: &[&str]) -> (i32, String, String) {
    let paths = [table.to_str().unwrap(), "--out", out.to_str().unwrap()];
    told(&relrv(
        &[&["calibrate"], &paths[..], &["--format", "csv"], more].concat(),
    ))
}

#[test]
fn a_votable_is_calibrated_like_the_same_table_in_csv() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("t.csv"), csv()).unwrap();
    std::fs::write(at("t.vot"), votable()).unwrap();
    let of_csv = calibrate(&at("t.csv"), &at("csv"), &["--unit", "m/s"]);
    let (status, said, errors) = calibrate(&at("t.vot"), &at("vot"), &[]);
    assert_eq!((of_csv.0, status, errors.as_str()), (2, 2, ""), "{said}");
    assert!(said.contains("column source_id: taken for star"), "{said}");
    let json = std::fs::read(at("vot").join("calibration.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["unit"], "m/s");
    for name in ["calibrated.csv", "zeropoints.csv", "stars.csv"] {
        let [a, b] = ["csv", "vot"].map(|out| std::fs::read(at(out).join(name)).unwrap());
        assert!(!a.is_empty() && a == b, "{name}");
    }
    // What is wrong is named with its place, and nothing is written.
    let broken = votable().replacen("<TD>30.0</TD>", "<TD>30,0</TD>", 1);
    std::fs::write(at("broken.vot"), broken).unwrap();
    let (status, said, errors) = calibrate(&at("broken.vot"), &at("none"), &[]);
    assert_eq!((status, said.as_str()), (1, ""));
    let says = "broken.vot: TABLE \"vels\", row 1, column e_RV: expected double, found \"30,0\"";
    assert!(errors.contains(says), "{errors}");
    let text = votable();
    std::fs::write(at("cut.vot"), &text[..text.len() / 2]).unwrap();
    let (status, _, errors) = calibrate(&at("cut.vot"), &at("none"), &[]);
    assert!(status == 1 && errors.contains("cut.vot"), "{errors}");
    assert!(!at("none").exists());
}
