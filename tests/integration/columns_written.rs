//! `docs/columns.md` against the files that the program writes, in every format.

use std::collections::BTreeSet;
use std::path::Path;

use relrv::table::{Column, Table};

use crate::columns::{assert_described, assert_meaning, expected, names, row_of, rows, type_of};
use crate::run_support::{run, two_units};
use crate::support::*;

const FORMATS: [&str; 4] = ["fits", "csv", "parquet", "mrt"];

/// A table's file against a section: names in every format, units where the format has them, types where it keeps them.
fn assert_file_described(heading: &str, path: &Path) {
    let columns = expected(heading);
    let written: Vec<(String, Option<String>)> = match path.extension().unwrap().to_str().unwrap() {
        "fits" | "parquet" => return assert_described(heading, &Table::read(path).unwrap()),
        "csv" => csv_header(path).into_iter().map(|n| (n, None)).collect(),
        _ => mrt_columns(path),
    };
    let names = |pairs: &[(String, Option<String>)]| -> Vec<String> {
        pairs.iter().map(|(name, _)| name.clone()).collect()
    };
    let described: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(described, names(&written), "{}", path.display());
    let rows = rows(heading);
    for ((name, unit), (_, on_page)) in written.iter().zip(&columns) {
        if let Some(unit) = unit {
            assert_eq!(row_of(&rows, on_page)[2], unit, "unit of {name}");
        }
    }
}

fn csv_header(path: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect()
}

/// Labels and units of the byte-by-byte description; a continued explanation has no byte range.
fn mrt_columns(path: &Path) -> Vec<(String, Option<String>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let description = text.split("\n----").nth(2).unwrap();
    description
        .lines()
        .skip(1)
        .filter(|line| line.as_bytes().get(8).is_some_and(u8::is_ascii_digit))
        .map(|line| {
            let words: Vec<&str> = line[9..].split_whitespace().collect();
            let unit = words[1].trim_matches('-');
            (words[2].to_owned(), Some(unit.to_owned()))
        })
        .collect()
}

#[test]
fn every_file_of_a_run_is_described_in_every_format() {
    let folder = folder();
    let out = folder.path().join("out");
    let (status, _, error) = run(
        &[small_plate()],
        &out,
        &[
            "--quiet",
            "--backend",
            "cpu",
            "--format",
            &FORMATS.join(","),
        ],
    );
    assert_eq!((status, error.as_str()), (0, ""));

    // The page's list of files: tables in each format, the others by their name.
    let list = rows("The products of `relrv run`");
    let mut files = BTreeSet::from([".relrv".to_owned(), "report".to_owned()]);
    for row in list.iter().filter(|row| row.len() == 2) {
        let name = row[0].trim_start_matches('[').split('`').nth(1);
        match name {
            Some(name) if name.contains('.') => _ = files.insert(name.to_owned()),
            Some(name) => files.extend(FORMATS.map(|format| format!("{name}.{format}"))),
            None => {}
        }
    }
    let written: BTreeSet<String> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| name_of(&entry.unwrap().path()))
        .collect();
    assert_eq!(
        files, written,
        "the page's files of a run and those written"
    );

    for format in FORMATS {
        let at = |name: &str| out.join(format!("{name}.{format}"));
        assert_file_described("`catalogue`", &at("catalogue"));
        assert_file_described("`stars` and `constants`", &at("stars"));
        assert_file_described("`zeropoints`", &at("zeropoints"));
        assert_file_described("`components`", &at("components"));
    }
    assert_eq!(
        csv_header(&out.join("rejected.csv")),
        names(&rows("`rejected.csv`"), 4)
    );
}

#[test]
fn the_table_of_measure_is_described_in_every_format() {
    let folder = folder();
    for format in FORMATS {
        let out = folder.path().join(format!("rv.{format}"));
        let (status, _, error) = run_measure(&[small_plate()], &out, &["--quiet"]);
        assert_eq!((status, error.as_str()), (0, ""));
        assert_file_described("The table of `relrv measure`", &out);
        assert_eq!(
            csv_header(&folder.path().join("rv.rejected.csv")),
            names(&rows("`rejected.csv`"), 4)
        );
    }
}

#[test]
fn truth_is_described_with_its_types() {
    let rows = rows("`truth.csv` of `relrv simulate`");
    let path = small_plate().join("truth.csv");
    assert_eq!(csv_header(&path), names(&rows, 4));
    for record in csv::Reader::from_path(&path).unwrap().records() {
        for (row, cell) in rows
            .iter()
            .filter(|row| row.len() == 4)
            .skip(2)
            .zip(&record.unwrap())
        {
            let fits = match row[1] {
                "int" => cell.parse::<i64>().is_ok(),
                "float" => cell.is_empty() || cell.parse::<f64>().is_ok(),
                "text" => cell.parse::<f64>().is_err(),
                other => panic!("{} is {other}", row[0]),
            };
            assert!(fits, "{} is '{cell}', no {}", row[0], row[1]);
        }
    }
}

#[test]
fn truth_under_a_hard_sky_is_described_with_its_types() {
    let folder = folder();
    let plate = folder.path().join("hard");
    relrv::lab::simulate::run(&relrv::lab::simulate::Config {
        out: plate.clone(),
        stars: 2,
        nights: 1,
        exposures: 1,
        coadds: false,
        sky: relrv::lab::simulate::Sky::HARD,
        ..Default::default()
    })
    .unwrap();
    let path = plate.join("truth.csv");
    let both = [
        rows("`truth.csv` of `relrv simulate`"),
        rows("`truth.csv` under `--sky hard`"),
    ];
    let described: Vec<&str> = both.iter().flat_map(|rows| names(rows, 4)).collect();
    assert_eq!(csv_header(&path), described);
    let types: Vec<&str> = both
        .iter()
        .flat_map(|rows| rows.iter().filter(|row| row.len() == 4).skip(2))
        .map(|row| row[1])
        .collect();
    for record in csv::Reader::from_path(&path).unwrap().records() {
        for (kind, cell) in types.iter().zip(&record.unwrap()) {
            let fits = match *kind {
                "int" => cell.parse::<i64>().is_ok(),
                "float" => cell.is_empty() || cell.parse::<f64>().is_ok(),
                _ => cell.parse::<f64>().is_err(),
            };
            assert!(fits, "'{cell}' is no {kind}");
        }
    }
}

/// Holds the columns of a table of `calibrate` against a section, whose columns may be there or not. Notes those that are.
fn assert_partly_described(
    heading: &str,
    table: &[&Column],
    unit: &str,
    seen: &mut BTreeSet<String>,
) {
    let rows = rows(heading);
    let expected = expected(heading);
    for column in table {
        let place = expected.iter().position(|(name, _)| *name == column.name);
        assert!(
            place.is_some(),
            "{heading}: no entry for column {}",
            column.name
        );
        let on_page = expected[place.unwrap_or_default()].1;
        seen.insert(format!("{heading} {on_page}"));
        let row = row_of(&rows, on_page);
        let types: Vec<&str> = row[1].split(" or ").collect();
        assert!(
            types.contains(&type_of(column)),
            "{heading}: {} is {}",
            column.name,
            type_of(column)
        );
        let of_page = if row[2] == "as `rv`" { unit } else { row[2] };
        assert_eq!(of_page, column.unit, "{heading}: unit of {}", column.name);
        assert_meaning(&row, column);
    }
}

#[test]
fn the_tables_of_calibrate_are_described() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let (status, ..) = run_measure(&[two_units()], &at("rv.fits"), &["--quiet"]);
    assert_eq!(status, 0);
    let (status, ..) = run(&[two_units()], &at("run"), &["--quiet", "--backend", "cpu"]);
    assert_eq!(status, 0);
    // A table in another unit, without groups and arms, with fibres but no spectrograph.
    let mut plain = Table::new();
    let stars: Vec<i64> = (0..40).map(|i| i / 4).collect();
    let velocity = |i: i64| 0.1 * ((7 * i) % 11) as f64;
    plain.push_text(
        "star",
        "",
        "star",
        stars.iter().map(|s| format!("s{s}")).collect(),
    );
    plain.push_i64("exposure", "", "exposure", (0..40).map(|i| i % 4).collect());
    plain.push_i64("fiberid", "", "fibre", stars.clone());
    plain.push_f64("rv", "m/s", "velocity", (0..40).map(velocity).collect());
    plain.push_f64("rv_err", "m/s", "its error", vec![0.5; 40]);
    plain.write(&at("plain.fits")).unwrap();

    let mut seen = BTreeSet::new();
    let tables = ["calibrated", "zeropoints", "components", "stars", "fibres"]
        .map(|t| (t, format!("`{t}` of `relrv calibrate`")));
    for (number, (input, scope, unit)) in [
        ("rv.fits", "survey", "km/s"),
        ("rv.fits", "spectrograph", "km/s"),
        ("run/catalogue.fits", "survey", "km/s"),
        ("run/catalogue.fits", "spectrograph", "km/s"),
        ("plain.fits", "survey", "m/s"),
    ]
    .into_iter()
    .enumerate()
    {
        let out = at(&format!("cal{number}"));
        let args = [
            "calibrate",
            at(input).to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
            "--scope",
            scope,
        ]
        .map(str::to_owned);
        let (status, _, error) = told(&relrv(&args));
        // Where something is missing in one arm a row is flagged, and the status is 2.
        assert!(status == 0 || status == 2, "{input}: {status} {error}");
        let before = Table::read(&at(input)).unwrap();
        for (name, heading) in &tables {
            let table = Table::read(&out.join(format!("{name}.fits"))).unwrap();
            let described = expected(heading);
            // `calibrated` has the input's columns too; those of an earlier calibration are replaced.
            let is_own = |column: &&Column| {
                *name != "calibrated"
                    || before.column(&column.name).is_none()
                    || described.iter().any(|(name, _)| *name == column.name)
            };
            let own: Vec<&Column> = table.columns.iter().filter(is_own).collect();
            assert_partly_described(heading, &own, unit, &mut seen);
        }
    }
    for (_, heading) in &tables {
        for name in names(&rows(heading), 4) {
            assert!(
                seen.contains(&format!("{heading} {name}")),
                "{heading}: {name} was never written"
            );
        }
    }
}
