//! Where it cannot be said whether a star varies, nothing is said, and why.

use std::path::Path;

use relrv::calibrate::arms::CalibrateOptions;
use relrv::catalogue;
use relrv::likelihood::RvFlags;
use relrv::table::Table;

use crate::run_support::run;
use crate::support::*;

/// Cells of a column, empty where there is none. FITS has verdicts as 1 and 0.
fn cells(table: &Table, name: &str) -> Vec<String> {
    let column = table.column(name).unwrap();
    let cell = |row: usize| match column.text_at(row).as_str() {
        "1" => "true".to_owned(),
        "0" => "false".to_owned(),
        text => text.to_owned(),
    };
    (0..table.n_rows()).map(cell).collect()
}

#[test]
fn a_star_alone_is_neither_constant_nor_variable() {
    let measured = measure_paths(&[small_plate()]);
    let one: Vec<_> = measured.rows.iter().filter(|r| r.star == 1).collect();
    let mut rows: Vec<_> = one.into_iter().cloned().collect();
    let made =
        catalogue::products(&rows, &Default::default(), &CalibrateOptions::default()).unwrap();
    assert!(!made.stars.is_empty());
    let dir = folder();
    for ending in ["fits", "csv", "parquet"] {
        let path = dir.path().join(format!("stars.{ending}"));
        made.table("stars", false).unwrap().write(&path).unwrap();
        let table = Table::read(&path).unwrap();
        for name in ["constant", "variable"] {
            assert!(cells(&table, name).iter().all(String::is_empty), "{ending}");
        }
        let reasons = cells(&table, "not_judged");
        assert!(reasons.iter().all(|r| r == "no zero point"), "{reasons:?}");
    }
    assert_eq!(made.table("constants", false).unwrap().n_rows(), 0);
    // Of a star without a velocity nothing is summed: 0, and not the -0 of an empty sum.
    for row in &mut rows {
        row.measurement.flags |= RvFlags::EDGE;
    }
    let made =
        catalogue::products(&rows, &Default::default(), &CalibrateOptions::default()).unwrap();
    let stars = made.table("stars", false).unwrap();
    for column in stars.columns.iter().filter_map(|c| c.data.to_f64()) {
        let is_minus_0 = |x: &f64| *x == 0.0 && x.is_sign_negative();
        assert!(!column.iter().any(is_minus_0));
    }
}

/// A table of 12 quiet stars in 8 exposures; `x` scatters by 50 km/s in two exposures of its own, and `y` has one velocity.
fn table(path: &Path) {
    let mut text = "star,exposure,rv,rv_err,position\n".to_owned();
    for star in 0..12 {
        for exposure in 0..8 {
            let rv = 0.03 * f64::from((7 * star + 5 * exposure) % 11);
            text += &format!("s{star:02},{exposure},{rv},0.1,{}\n", 2 * star);
        }
    }
    text += "x,20,0,0.1,\nx,21,50,0.1,\ny,3,0,0.1,9\n";
    std::fs::write(path, text).unwrap();
}

fn calibrate(dir: &Path, more: &[&str]) -> (i32, String, String) {
    let (input, out) = (dir.join("rv.csv"), dir.join("out"));
    table(&input);
    let mut args = vec!["calibrate", input.to_str().unwrap(), "--overwrite", "--out"];
    args.extend([out.to_str().unwrap(), "--format", "fits,csv,parquet"]);
    args.extend(more);
    told(&relrv(&args))
}

#[test]
fn calibrate_says_of_whom_it_cannot_say_anything() {
    let dir = folder();
    let (_, said, errors) = calibrate(dir.path(), &[]);
    assert_eq!(errors, "");
    assert!(
        said.contains("column position: taken for the place"),
        "{said}"
    );
    assert!(said.contains("all: zero points: "), "{said}");
    for ending in ["fits", "csv", "parquet"] {
        let read = |name: &str| {
            let path = dir.path().join(format!("out/{name}.{ending}"));
            Table::read(&path).unwrap()
        };
        let stars = read("stars");
        let (constant, variable, reason) = (
            cells(&stars, "constant"),
            cells(&stars, "variable"),
            cells(&stars, "not_judged"),
        );
        for (row, star) in cells(&stars, "star").iter().enumerate() {
            let expected = match star.as_str() {
                "x" => ["", "", "no zero point"],
                "y" => ["", "", "one velocity"],
                _ => ["true", "false", ""],
            };
            assert_eq!(
                [&constant[row], &variable[row], &reason[row]],
                expected,
                "{ending} {star}"
            );
        }
        let rows = cells(&read("calibrated"), "constant");
        assert_eq!(rows[95..], ["true", "", "", ""], "{ending}");
    }
}

#[test]
fn the_order_along_the_slit_is_an_option() {
    let dir = folder();
    for (order, expected) in [("0", "0"), ("1", "1"), ("2", "2"), ("auto", "auto")] {
        let (_, _, errors) = calibrate(dir.path(), &["--fibre-order", order]);
        assert_eq!(errors, "");
        let json = std::fs::read(dir.path().join("out/calibration.json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["config"]["joint"]["fibre_order"], expected);
        assert!(json["arms"][0]["fibre_order"].is_u64());
    }
    for order in ["1", "2"] {
        let (status, _, errors) =
            calibrate(dir.path(), &["--method", "paper", "--fibre-order", order]);
        assert_eq!(status, 64, "{errors}");
        assert!(
            errors.contains("--fibre-order: expected auto or 0"),
            "{errors}"
        );
    }
    for order in ["0", "auto"] {
        let (status, _, errors) =
            calibrate(dir.path(), &["--method", "paper", "--fibre-order", order]);
        assert!(status != 1 && errors.is_empty(), "{errors}");
    }
    let (_, _, errors) = calibrate(dir.path(), &["--fibre-order", "3"]);
    assert!(errors.contains("auto, 0, 1, 2"), "{errors}");
}

#[test]
fn of_a_few_files_nothing_is_said_of_who_varies_and_what_to_add_is() {
    let dir = folder();
    let out = dir.path().join("out");
    let samples = root().join("data-samples/plate-small");
    let files = std::fs::read_dir(samples).unwrap();
    let files = files.map(|file| file.unwrap().path());
    // One star, which varies.
    let files: Vec<_> = files
        .filter(|path| path.display().to_string().ends_with("_sp01-160.fits.gz"))
        .collect();
    assert_eq!(files.len(), 3);
    let paths: Vec<&Path> = files.iter().map(|path| path.as_path()).collect();
    let (status, said, errors) = run(&paths, &out, &["--format", "csv"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    for says in [
        "red  zero points         0   of 6 exposures\n",
        "no star is called variable or constant\n",
        "  what to add: all files of the plates, of every night; an exposure needs three stars",
        "stars                    1   none of which can be called variable or constant\n",
    ] {
        assert!(said.contains(says), "{says}: {said}");
    }
    let stars = Table::read(&out.join("stars.csv")).unwrap();
    assert_eq!(cells(&stars, "variable"), ["", ""]);
    assert_eq!(cells(&stars, "not_judged"), ["no zero point"; 2]);
    let record = std::fs::read(out.join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["verdicts"]["not_judged"], 1);
    let page = std::fs::read_to_string(out.join("report/index.html")).unwrap();
    assert!(page.contains("which stars vary cannot be said. A zero point takes three stars"));
    assert!(!page.contains("the 0 variable stars") && !page.contains("no variable stars"));
}
