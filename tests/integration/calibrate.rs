//! Zero points from measured spectra: `measure`, then `calibrate`, against the truth of the shipped plate.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use relrv::simulate::TruthRow;
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
