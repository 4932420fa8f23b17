//! `docs/columns.md` against what the program writes in JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::columns::{names, row_of, rows};
use crate::run_support::{run, two_units};
use crate::support::*;
use relrv::table::Table;

/// Paths to all that is not an object or a list, with the words for their types; an empty list has a path, but no type.
fn paths(value: &Value, at: &str, found: &mut BTreeMap<String, Vec<&'static str>>) {
    let kind = match value {
        Value::Object(map) => {
            let dot = if at.is_empty() { "" } else { "." };
            for (key, value) in map {
                paths(value, &format!("{at}{dot}{key}"), found);
            }
            return;
        }
        Value::Array(list) => {
            let at = format!("{at}[]");
            if list.is_empty() {
                found.entry(at.clone()).or_default();
            }
            list.iter().for_each(|value| paths(value, &at, found));
            return;
        }
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
    };
    let kinds = found.entry(at.to_owned()).or_default();
    if !kinds.contains(&kind) {
        kinds.push(kind);
    }
}

/// Whether a path is what an entry of the page describes: the same, or anything below an entry that ends in `*`. An
/// empty list, and null in place of an object, stand for what would be in them.
fn describes(entry: &str, path: &str, empty: bool) -> bool {
    let below = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    entry == path
        || entry.strip_suffix(".*").is_some_and(below)
        || (empty && entry.starts_with(path) && entry[path.len()..].starts_with(['.', '[']))
}

/// Holds a section against JSON: every path has an entry and every entry a path, and the types agree.
fn assert_json_described(heading: &str, values: &[Value]) {
    let rows = rows(heading);
    let entries = names(&rows, 4);
    let mut found = BTreeMap::new();
    values.iter().for_each(|value| paths(value, "", &mut found));
    for (path, kinds) in &found {
        let empty = kinds.iter().all(|kind| *kind == "null");
        let entry = entries.iter().find(|entry| describes(entry, path, empty));
        let Some(entry) = entry else {
            panic!("{heading}: no entry for {path}");
        };
        let row = row_of(&rows, entry);
        assert!(row[3].len() > 3, "{path} has no meaning");
        for kind in kinds.iter().filter(|kind| **kind != "null") {
            assert!(
                row[1] == *kind || row[1] == "any",
                "{path} is {kind}, not {}",
                row[1]
            );
        }
        assert_unit(path, row[2]);
    }
    for entry in entries {
        let is_written = found
            .iter()
            .any(|(path, kinds)| describes(entry, path, kinds.iter().all(|kind| *kind == "null")));
        assert!(is_written, "{heading}: {entry} was not written");
    }
}

/// A name that ends in a unit has this unit on the page.
fn assert_unit(path: &str, unit: &str) {
    let endings = [
        ("_km_s", "km/s"),
        ("_m_s", "m/s"),
        ("_per_s", "1/s"),
        ("_s", "s"),
    ];
    let name = path.trim_end_matches("[]");
    if name.ends_with("gflop_per_s") || unit.is_empty() && path.contains(".*") {
        return;
    }
    if let Some((_, expected)) = endings.iter().find(|(ending, _)| name.ends_with(ending)) {
        assert_eq!(unit, *expected, "unit of {path}");
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn run_json_is_described() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let (status, ..) = run(
        &[two_units()],
        &at("whole"),
        &["--quiet", "--backend", "cpu"],
    );
    assert_eq!(status, 0);
    let whole = read(&at("whole").join("run.json"));
    for list in ["units", "calibration", "scatter", "stages", "products"] {
        assert_ne!(whole[list].as_array().map(Vec::len), Some(0), "{list}");
    }
    // A file that is none, and spectra below the limit: both kinds of rejection.
    std::fs::create_dir(at("plate")).unwrap();
    copy_plate(two_units(), &at("plate"));
    std::fs::write(at("plate").join("med-00000-X_sp01-001.fits"), "no FITS").unwrap();
    let (status, ..) = run(
        &[&at("plate")],
        &at("part"),
        &["--quiet", "--backend", "cpu", "--snr-min", "60"],
    );
    assert_eq!(status, 2);
    let part = read(&at("part").join("run.json"));
    for rejected in ["files_rejected", "spectra_rejected"] {
        let reasons = part["counts"][rejected].as_object().unwrap();
        assert!(!reasons.is_empty(), "{rejected}");
    }
    assert_json_described("`run.json`", &[whole.clone(), part]);
    // Its part `calibration` is that of `calibration.json`.
    let mut arms = BTreeMap::new();
    paths(&whole["calibration"], "arms", &mut arms);
    let entries = names(&rows("`calibration.json`"), 4);
    for (path, kinds) in arms {
        let empty = kinds.iter().all(|kind| *kind == "null");
        assert!(
            entries.iter().any(|e| describes(e, &path, empty)),
            "no entry for {path}"
        );
    }
}

#[test]
fn calibration_json_is_described() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (status, ..) = run_measure(&[small_plate()], Path::new(&at("rv.fits")), &["--quiet"]);
    assert_eq!(status, 0);
    // One with a column of a product's name, which is told.
    let mut table = Table::read(Path::new(&at("rv.fits"))).unwrap();
    let n_rows = table.n_rows();
    table.push_i32("constant", "", "", vec![1; n_rows]);
    table.write(Path::new(&at("mine.fits"))).unwrap();
    let values = [("joint", "rv.fits"), ("paper", "mine.fits")].map(|(method, table)| {
        let args = [
            "calibrate",
            &at(table),
            "--out",
            &at(method),
            "--method",
            method,
        ];
        let (status, _, error) = told(&relrv(&args));
        assert!(status == 0 || status == 2, "{error}");
        read(&folder.path().join(method).join("calibration.json"))
    });
    assert_json_described("`calibration.json`", &values);
}

#[test]
fn bench_json_is_described() {
    let (status, text, error) = told(&relrv(&["bench", "--json", "--spectra", "8"]));
    assert_eq!(status, 0, "{error}");
    assert_json_described(
        "`relrv bench --json`",
        &[serde_json::from_str(&text).unwrap()],
    );
}
