//! `relrv export`: a star's velocities in the files of programs that fit orbits, read back and held against the catalogue.

use std::path::{Path, PathBuf};

use crate::run_support::run;
use crate::support::*;
use relrv::table::Table;
use relrv::{CatalogueFlags, ColumnData, RvFlags};

fn exported(args: &[&str]) -> (i32, String, String) {
    told(&relrv(&[&["export"], args].concat()))
}

/// BJD, velocity and error, km/s, of the star's velocities in an arm that are some, by the catalogue; and its number of rows.
fn of_catalogue(out: &Path, star: &str, arm: char) -> (Vec<[f64; 3]>, usize) {
    let table = Table::read(&out.join("catalogue.fits")).unwrap();
    let floats = |name: &str| table.column(name).unwrap().to_f64().unwrap();
    let [bjd, rv, err] = [
        String::from("bjd_tdb"),
        format!("drv_{arm}_corr"),
        format!("drv_{arm}_corr_err"),
    ]
    .map(|name| floats(&name));
    let flags = floats(&format!("flags_{arm}"));
    let names = table.column("designation").unwrap();
    let is_its = |row: &usize| names.text_at(*row).starts_with(star);
    let rows: Vec<usize> = (0..table.n_rows()).filter(is_its).collect();
    let none = RvFlags::NO_VELOCITY.bits() | CatalogueFlags::NOT_MEASURED.bits();
    let is_one = |row: &&usize| flags[**row] as u32 & none == 0 && rv[**row].is_finite();
    let found = rows.iter().filter(is_one);
    let mut found: Vec<[f64; 3]> = found.map(|&row| [bjd[row], rv[row], err[row]]).collect();
    found.sort_by(|a, b| a[0].total_cmp(&b[0]));
    (found, rows.len())
}

/// The columns of an exported table, row by row.
fn of_table(path: &Path) -> Vec<[f64; 3]> {
    let table = Table::read(path).unwrap();
    let told: Vec<(&str, &str)> = table.columns.iter().map(|c| (&*c.name, &*c.unit)).collect();
    assert_eq!(told, [("bjd", ""), ("rv", "km / s"), ("rv_err", "km / s")]);
    let columns: Vec<&Vec<f64>> = (table.columns.iter())
        .map(|c| match &c.data {
            ColumnData::F64(values) => values,
            other => panic!("{}", other.type_name()),
        })
        .collect();
    (0..table.n_rows())
        .map(|row| [columns[0][row], columns[1][row], columns[2][row]])
        .collect()
}

fn of_text(path: &Path) -> Vec<[f64; 3]> {
    let text = std::fs::read_to_string(path).unwrap();
    let row = |line: &str| -> [f64; 3] {
        let cells = line.split_whitespace().map(|cell| cell.parse().unwrap());
        cells.collect::<Vec<f64>>().try_into().unwrap()
    };
    text.lines().map(row).collect()
}

#[test]
fn the_files_hold_the_velocities_of_the_catalogue() {
    let dir = folder();
    let out = dir.path().join("out");
    run(&[&root().join("data-samples/plate-small")], &out, &[]);
    let place = out.to_str().unwrap();
    let orbits = dir.path().join("orbits");
    // All of the first star's velocities are some; of the second one's some are of another star's light.
    for (star, whole, counts) in [
        ("J044105", "J044105.20+352048.1", [6, 6]),
        ("J044113", "J044113.17+354544.6", [4, 5]),
    ] {
        let (status, said, errors) = exported(&[place, star]);
        assert_eq!((status, errors.as_str()), (0, ""), "{said}");
        assert!(said.starts_with(&format!("{whole}\n")), "{said}");
        let text = ["--format", "exostriker", "--out", orbits.to_str().unwrap()];
        assert_eq!(exported(&[&[place, star], &text[..]].concat()).0, 0);
        for (arm, count) in [("red", counts[0]), ("blue", counts[1])] {
            let (expected, n_rows) = of_catalogue(&out, star, arm.chars().next().unwrap());
            assert_eq!((expected.len(), n_rows), (count, 6), "{star} {arm}");
            let table = out.join(format!("export/{whole}-{arm}.ecsv"));
            let plain = orbits.join(format!("{whole}-{arm}.vels"));
            // Whatever is left out is counted.
            let lines: Vec<&str> = said.lines().filter(|l| l.contains(arm)).collect();
            let left = format!(
                "  {arm:<5} left out: {} flagged as no velocity of the star",
                6 - count
            );
            assert_eq!(lines.contains(&&*left), count < 6, "{said}");
            assert!(
                lines[0].contains(", corrected for the zero points: "),
                "{said}"
            );
            assert!(lines[0].ends_with(&table.display().to_string()), "{said}");
            assert_eq!(of_table(&table), expected);
            for (found, expected) in of_text(&plain).iter().zip(&expected) {
                assert!((found[0] - expected[0]).abs() < 1e-8);
                assert!((found[1] - 1000.0 * expected[1]).abs() < 6e-4);
                assert!((found[2] - 1000.0 * expected[2]).abs() < 6e-4);
            }
            assert_eq!(of_text(&plain).len(), count);
        }
    }
}

#[test]
fn nothing_is_replaced_unasked_and_what_cannot_be_is_told() {
    let dir = folder();
    let out = dir.path().join("out");
    run(&[&root().join("data-samples/plate-small")], &out, &[]);
    let place = out.to_str().unwrap();
    let file = out.join("export/J044105.20+352048.1-red.ecsv");
    let export = |more: &[&str]| exported(&[&[place, "J044105"], more].concat());
    assert_eq!(export(&[]).0, 0);
    let before = std::fs::read(&file).unwrap();
    assert_eq!(export(&[]).0, 0, "the same once more");
    std::fs::write(&file, "mine").unwrap();
    let (status, said, errors) = export(&[]);
    assert!(
        status == 1 && said.is_empty() && errors.contains("-red.ecsv is there already"),
        "{errors}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    assert_eq!(export(&["--overwrite"]).0, 0);
    assert!(before == std::fs::read(&file).unwrap());

    let none = dir.path().join("none");
    let none = none.to_str().unwrap();
    for (args, status, says) in [
        (vec!["J9999"], 1, "no star \"J9999\""),
        (vec![], 1, "which star?"),
        (
            vec!["J044401", "--arm", "blue"],
            1,
            "has no velocity to export: blue  left out: 6 flagged as no velocity",
        ),
        (vec!["J044105", "--format", "csv"], 64, "thejoker"),
    ] {
        let found = exported(&[&[place], &args[..], &["--out", none]].concat());
        assert_eq!((found.0, found.1.as_str()), (status, ""), "{args:?}");
        assert!(found.2.contains(says), "{args:?}: {}", found.2);
    }
    assert!(!Path::new(none).exists());
    let (status, _, errors) = exported(&[none, "J044105"]);
    assert!(
        status == 1 && errors.contains("holds no finished run"),
        "{errors}"
    );
    let (status, _, errors) = export(&["--out", file.to_str().unwrap()]);
    assert!(status == 1 && errors.contains("is a file"), "{errors}");
}

#[test]
fn without_zero_points_the_measured_velocities_are_written_and_told() {
    let dir = folder();
    let out = dir.path().join("out");
    let all = files(&root().join("data-samples/plate-small"));
    // Those of one fibre are of one star.
    let fibre = |path: &PathBuf| name_of(path).split("_sp").nth(1).map(str::to_owned);
    let first = fibre(&all[0]);
    let own: Vec<&Path> = (all.iter())
        .filter(|f| fibre(f) == first)
        .map(PathBuf::as_path)
        .collect();
    run(&own, &out, &["--format", "csv"]);
    // By its file.
    let args = [
        out.to_str().unwrap(),
        own[0].to_str().unwrap(),
        "--arm",
        "blue",
    ];
    let (status, said, errors) = exported(&args);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(said.contains("as measured, without zero points"), "{said}");
    let file = said.lines().nth(1).unwrap().rsplit(": ").next().unwrap();
    let found = of_table(Path::new(file));
    let catalogue = std::fs::read_to_string(out.join("catalogue.csv")).unwrap();
    let mut lines = csv::Reader::from_reader(catalogue.as_bytes());
    let header = lines.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    let [bjd, rv, err] = ["bjd_tdb", "drv_b", "drv_b_err_own"].map(at);
    let row = |line: csv::StringRecord| [bjd, rv, err].map(|i| line[i].parse().unwrap());
    let expected: Vec<[f64; 3]> = lines.records().map(|line| row(line.unwrap())).collect();
    assert_eq!(found, expected);
}
