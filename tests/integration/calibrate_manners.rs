//! `relrv calibrate` finds columns by the names that people use, claims no unit that nobody told, says what it wrote and replaces nothing
//! without being told; and it calibrates a run anew without measuring.

use std::path::Path;

use crate::support::*;
use relrv::table::Table;

/// Twelve stars in eight exposures, in m/s, under these names of columns.
fn table(header: &str) -> String {
    let mut rows = format!("{header}\n");
    for star in 0..12 {
        for exposure in 0..8 {
            let noise = f64::from((7 * star + 5 * exposure + star * exposure) % 11 - 5);
            let rv = 900.0 * f64::from(exposure % 3) + 40.0 * f64::from(star) + 9.0 * noise;
            rows += &format!("s{star},{exposure},{rv},30\n");
        }
    }
    rows
}

/// Calibrates a table into the folder `out` beside it: status, what was said, errors.
fn calibrate(dir: &Path, name: &str, more: &[&str]) -> (i32, String, String) {
    let (table, out) = (dir.join(name), dir.join("out"));
    let args = [
        "calibrate",
        table.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    told(&relrv(&[&args, more].concat()))
}

fn json(dir: &Path) -> serde_json::Value {
    let bytes = std::fs::read(dir.join("out/calibration.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn columns_of_well_known_names_are_taken_and_told() {
    let dir = folder();
    let usual = table("star,exposure,rv,rv_err");
    std::fs::write(dir.path().join("usual.csv"), &usual).unwrap();
    let (status, said, errors) = calibrate(dir.path(), "usual.csv", &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(!said.contains("taken for"), "{said}");
    let zero_points = || std::fs::read(dir.path().join("out/zeropoints.fits")).unwrap();
    let expected = zero_points();
    let headers: [(&str, &[&str]); 4] = [
        ("source_id,mjd,RV,e_RV", &[]),
        ("APOGEE_ID,visit,VHELIO,VHELIO_ERR", &[]),
        ("Star,EXPID,vrad,sigma_vrad", &[]),
        (
            "who,when,speed,speed_error",
            &["--star", "who", "--exposure", "when", "--rv", "speed"],
        ),
    ];
    for (header, options) in headers {
        std::fs::write(dir.path().join("t.csv"), table(header)).unwrap();
        let more = [options, &["--overwrite"]].concat();
        let (status, said, errors) = calibrate(dir.path(), "t.csv", &more);
        assert_eq!((status, errors.as_str()), (0, ""), "{header}");
        for (column, part) in header.split(',').zip(["star", "exposure", "rv", "rv_err"]) {
            let told = format!("column {column}: taken for {part}\n");
            assert!(said.contains(&told), "{header}: {said}");
        }
        assert!(expected == zero_points(), "{header}: other zero points");
    }
    // The errors of another velocity are not those of the one that was named.
    let two = usual
        .replace("rv_err\n", "rv_err,RV2,e_RV2\n")
        .replace(",30\n", ",30,5,x\n");
    std::fs::write(dir.path().join("two.csv"), two).unwrap();
    let (status, _, errors) = calibrate(dir.path(), "two.csv", &["--rv", "RV2", "--overwrite"]);
    assert!(
        status == 1 && errors.contains("column e_RV2, row 1"),
        "{errors}"
    );
    let (status, _, errors) = calibrate(dir.path(), "two.csv", &["--rv", "rvv", "--overwrite"]);
    assert_eq!(status, 1);
    assert!(
        errors.contains("expected a column rvv, as --rv says, found star, exposure")
            && errors.contains("; did you mean rv?"),
        "{errors}"
    );
}

#[test]
fn no_unit_is_claimed_that_nobody_told() {
    let dir = folder();
    std::fs::write(dir.path().join("t.csv"), table("source_id,mjd,RV,e_RV")).unwrap();
    let (status, said, _) = calibrate(dir.path(), "t.csv", &[]);
    assert_eq!(status, 0);
    assert!(
        said.contains("unit: the table tells none") && !said.contains("km/s"),
        "{said}"
    );
    assert_eq!(json(dir.path())["unit"], "");
    let unit = |name: &str| {
        let table = Table::read(&dir.path().join("out/calibrated.fits")).unwrap();
        table.column(name).unwrap().unit.clone()
    };
    assert_eq!(unit("rv_corr"), "");
    let (status, said, _) = calibrate(dir.path(), "t.csv", &["--unit", "m/s", "--overwrite"]);
    assert_eq!(status, 0);
    assert!(
        said.contains(" m/s") && !said.contains("unit: the table"),
        "{said}"
    );
    assert_eq!(
        (unit("rv_corr"), unit("RV")),
        ("m/s".to_owned(), String::new())
    );
}

#[test]
fn what_is_there_is_replaced_where_that_was_asked_for_and_what_was_written_is_told() {
    let dir = folder();
    std::fs::write(dir.path().join("t.csv"), table("star,exposure,rv,rv_err")).unwrap();
    let (status, said, errors) = calibrate(dir.path(), "t.csv", &["--format", "csv"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let out = dir.path().join("out");
    let wrote = format!(
        "products          {}\n  zeropoints.csv, components.csv, stars.csv, calibrated.csv, calibration.html, calibration.json\n",
        out.display()
    );
    assert!(said.ends_with(&wrote), "{said}");
    for name in ["zeropoints", "components", "stars", "calibrated"] {
        assert!(out.join(format!("{name}.csv")).is_file(), "{name}");
    }
    let before = std::fs::read(out.join("calibration.json")).unwrap();
    for other in [["--p-min", "0.02"], ["--unit", "m/s"], ["--rv-err", "rv"]] {
        let more = [&["--format", "csv"], &other[..]].concat();
        let (status, _, errors) = calibrate(dir.path(), "t.csv", &more);
        assert_eq!(status, 1);
        assert!(errors.contains("replace it with --overwrite"), "{errors}");
    }
    assert!(before == std::fs::read(out.join("calibration.json")).unwrap());
    let (_, said, _) = calibrate(dir.path(), "t.csv", &["--format", "csv"]);
    assert!(
        said.contains("(in place of those of the calibration before)"),
        "{said}"
    );
    let quiet = calibrate(dir.path(), "t.csv", &["--format", "csv", "--quiet"]);
    assert_eq!(quiet, (0, String::new(), String::new()));
}

#[test]
fn zero_points_rest_on_the_stars_of_a_list_alone() {
    let dir = folder();
    let rows = table("star,exposure,rv,rv_err");
    std::fs::write(dir.path().join("t.csv"), &rows).unwrap();
    // The same, said by the table.
    let known = ["s0", "s3", "s4", "s7", "s9"];
    let with = |line: &str| match known.iter().any(|s| line.starts_with(&format!("{s},"))) {
        true => format!("{line},false\n"),
        false => format!("{line},true\n"),
    };
    let barred: String = rows.lines().skip(1).map(with).collect();
    let barred = format!("star,exposure,rv,rv_err,never_constant\n{barred}");
    std::fs::write(dir.path().join("barred.csv"), barred).unwrap();
    assert_eq!(calibrate(dir.path(), "barred.csv", &["--quiet"]).0, 0);
    let zero_points = || std::fs::read(dir.path().join("out/zeropoints.fits")).unwrap();
    let expected = zero_points();

    let list = format!("# of a catalogue\n{}\n\nnobody\n", known.join("\r\n"));
    std::fs::write(dir.path().join("known.txt"), list).unwrap();
    std::fs::write(
        dir.path().join("known.csv"),
        format!("source_id\n{}\n", known.join("\n")),
    )
    .unwrap();
    for (file, n) in [("known.txt", 6), ("known.csv", 5)] {
        let file = dir.path().join(file).display().to_string();
        let (status, said, errors) =
            calibrate(dir.path(), "t.csv", &["--overwrite", "--constants", &file]);
        assert_eq!((status, errors.as_str()), (0, ""));
        let told = format!("known constants alone: 5 of the {n} names in {file}\n");
        assert!(said.contains(&told), "{said}");
        assert!(expected == zero_points(), "{file}");
        assert_eq!(json(dir.path())["n_known_constants"], 5);
    }
    let others = dir.path().join("others.txt");
    std::fs::write(&others, "x\ny\n").unwrap();
    let others = others.to_str().unwrap();
    let (status, _, errors) =
        calibrate(dir.path(), "t.csv", &["--overwrite", "--constants", others]);
    assert!(
        status == 1 && errors.contains("names 2 stars, and none of them"),
        "{errors}"
    );
    assert!(expected == zero_points());
}

#[test]
fn a_run_is_calibrated_anew_and_nothing_is_measured() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let plate = small_plate().display().to_string();
    let run = |out: &str, more: &[&str]| {
        let args = ["run", &plate, "--quiet", "--backend", "cpu", "--out", out];
        assert_eq!(told(&relrv(&[&args, more].concat())).0, 0);
    };
    let (one, other) = (at("one"), at("other"));
    run(&one, &[]);
    run(&other, &["--method", "paper"]);
    let stars = |out: &str| std::fs::read(Path::new(out).join("stars.fits")).unwrap();
    let catalogue = |out: &str| std::fs::read(Path::new(out).join("catalogue.fits")).unwrap();
    let (before, units) = (stars(&one), files_of(&Path::new(&one).join(".relrv/units")));
    assert!(before != stars(&other));

    let (status, said, errors) = told(&relrv(&["calibrate", &one, "--method", "paper"]));
    assert_eq!((status, errors.as_str()), (0, ""));
    let told_why = "calibration and tables, as method was joint and is paper";
    assert!(said.contains(told_why), "{said}");
    assert!(stars(&one) == stars(&other) && catalogue(&one) == catalogue(&other));
    assert_eq!(units, files_of(&Path::new(&one).join(".relrv/units")));
    // A merge keeps what was asked for last, and the same settings write no plan again.
    let plan = Path::new(&one).join(".relrv/plan.json");
    let written = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    let planned = written(&plan);
    let (status, said, errors) = told(&relrv(&["merge", &one]));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(!said.contains("as method was"), "{said}");
    assert!(stars(&one) == stars(&other) && catalogue(&one) == catalogue(&other));
    assert_eq!(
        (units.clone(), planned),
        (
            files_of(&Path::new(&one).join(".relrv/units")),
            written(&plan)
        )
    );
    assert_eq!(
        told(&relrv(&["calibrate", &one, "--quiet"])),
        (0, String::new(), String::new())
    );
    assert!(before == stars(&one));

    // Its catalogue is a table like others, too.
    let (status, _, errors) = told(&relrv(&["calibrate", &one, "--out", &at("cal"), "--quiet"]));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(Path::new(&at("cal")).join("calibrated.fits").is_file());
    assert!(before == stars(&one));

    std::fs::create_dir(at("empty")).unwrap();
    for (args, status, says) in [
        (
            vec![one.as_str(), "--unit", "m/s"],
            64,
            "--out: expected with options about columns",
        ),
        (vec![&one, "--format", "csv"], 64, "keeps its formats"),
        (vec![&at("empty")], 1, "and not that of a run"),
        (
            vec![&at("empty"), "--out", &at("none")],
            1,
            "holds no catalogue.fits",
        ),
        (vec![&at("none.csv")], 64, "--out: expected the directory"),
    ] {
        let found = told(&relrv(&[&["calibrate"], &args[..]].concat()));
        assert_eq!((found.0, found.1.as_str()), (status, ""), "{args:?}");
        assert!(found.2.contains(says), "{args:?}: {}", found.2);
    }
    assert!(before == stars(&one) && !Path::new(&at("none")).exists());
}

#[test]
fn a_calibration_has_a_page_in_the_words_of_its_table() {
    let dir = folder();
    let evil = "nights/t<b>.csv";
    std::fs::create_dir(dir.path().join("nights")).unwrap();
    // The last star's velocities go up and down by 20 km/s.
    let mut rows = table("HD,visit,RV,e_RV").replace("s3,", "<img src=x>,");
    for exposure in 0..8 {
        rows += &format!("far,{exposure},{},30\n", 20_000 * (exposure % 2));
    }
    std::fs::write(dir.path().join(evil), rows).unwrap();
    let more = [
        "--star", "HD", "--format", "csv", "--unit", "m/s", "--quiet",
    ];
    let (status, said, errors) = calibrate(dir.path(), evil, &more);
    assert_eq!((status, said.as_str(), errors.as_str()), (0, "", ""));
    let path = dir.path().join("out/calibration.html");
    let html = std::fs::read_to_string(&path).unwrap();
    for says in [
        "<h1>Calibration of t&lt;b&gt;.csv</h1>",
        "column HD: taken for star",
        "104, 0 of them without a usable velocity",
        "zero point, m/s",
        "&lt;img src=x&gt;",
        "<td class=\"text\">variable</td>",
    ] {
        assert!(html.contains(says), "{says}\n{html}");
    }
    assert!(!html.contains("<img") && !html.contains("t<b>"));
    // The star that varies is the first of the list, and each exposure has its zero point.
    let first = html.split(">verdict</th></tr></thead><tbody>").nth(1);
    assert!(first.unwrap().starts_with("<tr><th scope=\"row\">far</th>"));
    assert_eq!(
        html.matches("</th><td class=\"text\">").count()
            - html.matches("<th scope=\"row\">columns</th>").count(),
        8 + 4
    );
    // Nothing is loaded, and the same calibration elsewhere has the same page.
    assert!(!html.contains("href=") && !html.contains("src=\""));
    let other = dir.path().join("other");
    let place = dir.path().join(evil);
    let args = [
        "calibrate",
        place.to_str().unwrap(),
        "--out",
        other.to_str().unwrap(),
    ];
    assert_eq!(told(&relrv(&[&args[..], &more].concat())).0, 0);
    assert!(std::fs::read_to_string(other.join("calibration.html")).unwrap() == html);
    // Somebody's own page is not replaced without being told.
    std::fs::write(&path, "mine").unwrap();
    let (status, _, errors) = calibrate(dir.path(), evil, &more);
    assert!(
        status == 1 && errors.contains("calibration.html"),
        "{errors}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    let more = [&more[..], &["--overwrite"]].concat();
    assert_eq!(calibrate(dir.path(), evil, &more).0, 0);
    assert!(std::fs::read_to_string(&path).unwrap() == html);
}

/// Names, sizes and times of change of the files of a folder.
fn files_of(dir: &Path) -> Vec<(String, u64, std::time::SystemTime)> {
    let of = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let meta = entry.metadata().unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, meta.len(), meta.modified().unwrap())
    };
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(of).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}
