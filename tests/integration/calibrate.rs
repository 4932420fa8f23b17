//! Zero points from measured spectra: `measure`, then `calibrate`, against the truth of the shipped plate.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use relrv::lab::simulate::TruthRow;
use relrv::table::Table;

fn relrv(args: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_relrv"))
        .args(args)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
}

fn floats(table: &Table, name: &str) -> Vec<f64> {
    table
        .column(name)
        .and_then(|c| c.data.to_f64())
        .unwrap_or_else(|| panic!("no column {name}"))
}

#[test]
fn injected_zero_points_come_back() {
    let plate = Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples/plate-small");
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    relrv(&[
        "measure",
        &plate.display().to_string(),
        "--out",
        &at("rv.parquet"),
        "--quiet",
    ]);
    relrv(&[
        "calibrate",
        &at("rv.parquet"),
        "--out",
        &at("cal"),
        "--format",
        "csv",
    ]);

    let mut truth = HashMap::new();
    for row in csv::Reader::from_path(plate.join("truth.csv"))
        .unwrap()
        .deserialize()
    {
        let row: TruthRow = row.unwrap();
        truth.insert((row.arm.clone(), row.lmjm), row.zp_true);
    }
    let zero_points = Table::read(&dir.path().join("cal/zeropoints.csv")).unwrap();
    let (zp, zp_err) = (floats(&zero_points, "zp"), floats(&zero_points, "zp_err"));
    let (arm, exposure) = (
        zero_points.column("arm").unwrap(),
        floats(&zero_points, "exposure"),
    );
    for name in ["red", "blue"] {
        let rows: Vec<usize> = (0..zp.len())
            .filter(|i| arm.data.text_at(*i) == name)
            .collect();
        assert_eq!(rows.len(), 6, "{name}: exposures");
        let off: Vec<f64> = rows
            .iter()
            .map(|i| zp[*i] - truth[&(name.to_owned(), exposure[*i] as i64)])
            .collect();
        // Only differences of zero points can be known.
        let mean = off.iter().sum::<f64>() / 6.0;
        let rms = (off.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 5.0).sqrt();
        let quoted = (rows.iter().map(|i| zp_err[*i].powi(2)).sum::<f64>() / 6.0).sqrt();
        println!("{name}: rms {rms:.3} km/s, quoted {quoted:.3} km/s");
        assert!(
            rms < 2.0 * quoted && quoted < 0.5,
            "{name}: rms {rms} quoted {quoted}"
        );
    }
}

#[test]
fn double_lined_stars_of_the_table_are_no_constants() {
    let dir = tempfile::tempdir().unwrap();
    // Eight stars alike; two of them flagged, in one row each.
    let mut rows = String::from("star,exposure,rv,rv_err,second_peak,flags\n");
    for exposure in 0..6 {
        for star in 0..8 {
            let rv = 0.1 * f64::from((7 * star + 3 * exposure) % 5) + f64::from(exposure);
            let flags = if star < 2 && exposure == star {
                4096
            } else {
                0
            };
            rows += &format!("s{star},{exposure},{rv},0.2,0.1,{flags}\n");
        }
    }
    let path = dir.path().join("rv.csv");
    std::fs::write(&path, rows).unwrap();
    let (table, out) = (path.display().to_string(), dir.path().join("out"));
    relrv(&[
        "calibrate",
        &table,
        "--out",
        &out.display().to_string(),
        "--format",
        "csv",
    ]);
    let stars = Table::read(&out.join("stars.csv")).unwrap();
    let (star, constant) = (
        stars.column("star").unwrap(),
        stars.column("constant").unwrap(),
    );
    for i in 0..stars.n_rows() {
        let is_double = ["s0", "s1"].contains(&star.data.text_at(i).as_str());
        assert_eq!(
            constant.data.text_at(i) == "true",
            !is_double,
            "{}",
            star.data.text_at(i)
        );
    }
    let json = std::fs::read(out.join("calibration.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["n_stars_never_constant"], 2);
}
