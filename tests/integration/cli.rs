//! The program as a user runs it: exit status, what it says, what it writes.

use std::path::{Path, PathBuf};

use crate::support::*;

/// Measures the small plate with these options; what was said, and where the table is.
/// With coadds an exposure that is left out is missing in the references of the star's others.
const ALONE: &[&str] = &["--reference", "best"];

fn small(dir: &Path, name: &str, more: &[&str]) -> (i32, String, String, PathBuf) {
    let out = dir.join(name);
    let (status, stdout, stderr) = run_measure(&[small_plate()], &out, more);
    (status, stdout, stderr, out)
}

#[test]
fn a_good_run_says_what_it_did_and_nothing_on_stderr() {
    let dir = folder();
    let (status, said, errors, out) = small(dir.path(), "rv.csv", &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(count(&said, "files in"), 8);
    assert_eq!(count(&said, "spectra in"), 32);
    assert_eq!(count(&said, "measured"), 32);
    assert!(said.contains("4 stars"), "{said}");
    assert_eq!(rows(&out).len(), 32);
    assert_eq!(rejections(&out).len(), 0);
}

#[test]
fn every_spectrum_in_is_measured_or_rejected_with_a_reason() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(small_plate(), &plate);
    std::fs::write(plate.join("med-1-not-fits.fits"), "no stars here").unwrap();
    // A file cut in the middle loses its last spectra, one by one.
    let cut = &files(&plate)[3];
    let bytes = gunzip(cut);
    std::fs::write(cut, gzip(&bytes[..bytes.len() * 3 / 4])).unwrap();
    let missing = dir.path().join("missing.fits");

    let out = dir.path().join("rv.csv");
    let inputs: [&Path; 2] = [&plate, &missing];
    let (status, said, _) = run_measure(&inputs, &out, &["--arm", "red", "--snr-min", "40"]);
    assert_eq!(status, 2, "{said}");
    let rejected = rejections(&out);
    let (spectra, whole): (Vec<_>, Vec<_>) = rejected.iter().partition(|r| !r[1].is_empty());
    assert_eq!(whole.len(), 2, "{whole:?}");
    assert_eq!(count(&said, "files in"), 8 + 2);
    assert_eq!(count(&said, "files in"), count(&said, "read") + whole.len());
    let n_rows = rows(&out).len();
    assert_eq!(count(&said, "measured"), n_rows);
    assert_eq!(count(&said, "spectra in"), n_rows + spectra.len());
    // What is said adds up as well.
    let reasons: std::collections::BTreeSet<&str> =
        rejected.iter().map(|r| r[2].as_str()).collect();
    assert!(
        reasons.contains("arm_not_asked") && reasons.contains("low_snr"),
        "{reasons:?}"
    );
    let of_reasons: usize = said
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            reasons.contains(words.next()?).then(|| words.next())?
        })
        .map(|n| n.parse::<usize>().unwrap())
        .sum();
    assert_eq!(of_reasons, rejected.len(), "{said}");
}

#[test]
fn exit_statuses() {
    let dir = folder();
    let out = dir.path().join("rv.csv");
    let text = out.to_str().unwrap();
    let plate = small_plate().to_str().unwrap();
    // Wrong usage.
    for args in [
        &["measure"][..],
        &["measure", plate],
        &["measure", "--out", text],
        &["measure", plate, "--out", text, "--arm", "green"],
        &["measure", plate, "--out", text, "--snr-min", "high"],
        &["measure", plate, "--out", text, "--threads", "-1"],
        &["measure", plate, "--out", text, "--no-such-option"],
        &["no-such-command"],
        &["simulate"],
        &["simulate", "--out", text, "--layout", "dr8"],
        &["simulate", "--out", text, "--snr", "10"],
    ] {
        let (status, _, errors) = told(&relrv(args));
        assert_eq!(status, 64, "{args:?}: {errors}");
        assert!(errors.contains("--help"), "{args:?}: {errors}");
    }
    // Asked for, so no error.
    for args in [&["--help"][..], &["--version"], &["measure", "--help"]] {
        let (status, said, errors) = told(&relrv(args));
        assert_eq!((status, errors.as_str()), (0, ""), "{args:?}");
        assert!(said.contains("relrv"), "{said}");
    }
    // Nothing usable, and places that will not do.
    let nothing = dir.path().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    let nothing = nothing.to_str().unwrap();
    for (args, says) in [
        (
            &["measure", "missing.fits", "--out", text][..],
            "missing.fits",
        ),
        (&["measure", "@missing.txt", "--out", text], "missing.txt"),
        (&["measure", nothing, "--out", text], nothing),
        (
            &["measure", plate, "--out", text, "--snr-min", "1e9"],
            "nothing could be measured",
        ),
        (&["simulate", "--out", plate], "not empty"),
    ] {
        let (status, said, errors) = told(&relrv(args));
        assert_eq!((status, said.as_str()), (1, ""), "{args:?}: {errors}");
        assert!(
            errors.contains("error: ") && errors.contains(says),
            "{args:?}: {errors}"
        );
        assert!(!out.exists(), "{args:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_the_work() {
    let dir = folder();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for folder in ["folder.fits", "folder"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    // The input does not exist: who complains about it has begun to work.
    for (out, says) in [
        ("rv.txt", ".fits, .csv or .parquet"),
        ("rv", ".fits, .csv or .parquet"),
        (
            "folder.fits",
            "folder.fits: expected the name of a file for the table",
        ),
        ("folder", "such as"),
        ("file/rv.fits", "file"),
        ("file/deeper/rv.fits", "file"),
    ] {
        let out = dir.path().join(out);
        let (status, _, errors) = run_measure(&[Path::new("missing.fits")], &out, &[]);
        assert_eq!(status, 1, "{errors}");
        assert!(
            errors.contains(says) && !errors.contains("missing.fits"),
            "{errors}"
        );
    }
    // A folder that is not there yet is made.
    let (status, _, errors, out) = small(dir.path(), "new/folders/rv.csv", &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(rows(&out).len(), 32);
}

#[test]
fn all_formats_hold_the_same() {
    let dir = folder();
    let tables = ["rv.fits", "rv.csv", "rv.parquet"].map(|name| {
        let (status, _, errors, out) = small(dir.path(), name, &[]);
        assert_eq!((status, errors.as_str()), (0, ""));
        relrv::table::Table::read(&out).unwrap()
    });
    let names =
        |t: &relrv::table::Table| t.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    for other in &tables[1..] {
        assert_eq!(names(other), names(&tables[0]));
        for (a, b) in tables[0].columns.iter().zip(&other.columns) {
            // To the last bit where they are numbers.
            match (a.data.to_f64(), b.data.to_f64()) {
                (Some(a_bits), Some(b_bits)) => {
                    let same = |(x, y): (&f64, &f64)| x == y || (x.is_nan() && y.is_nan());
                    assert!(a_bits.iter().zip(&b_bits).all(same), "{}", a.name);
                }
                _ => {
                    let text = |data: &relrv::table::ColumnData| -> Vec<String> {
                        (0..32).map(|row| data.text_at(row)).collect()
                    };
                    assert_eq!(text(&a.data), text(&b.data), "{}", a.name);
                }
            }
        }
    }
    // Units where the format has room for them.
    for table in [&tables[0], &tables[2]] {
        assert_eq!(table.column("rv").unwrap().unit, "km/s");
        assert_eq!(table.column("hjd").unwrap().unit, "d");
    }
}

#[test]
fn the_answer_depends_neither_on_threads_nor_on_the_order_of_inputs() {
    let dir = folder();
    let mut inputs = files(small_plate());
    for ending in ["csv", "fits", "parquet"] {
        let mut tables = Vec::new();
        for threads in ["1", "2"] {
            inputs.rotate_left(3);
            inputs.swap(0, 4);
            let out = dir.path().join(format!("rv.{ending}"));
            let mut args: Vec<String> = vec!["measure".into()];
            args.extend(inputs.iter().map(|p| p.to_str().unwrap().to_owned()));
            args.extend(["--out", out.to_str().unwrap(), "--threads", threads].map(String::from));
            let (status, _, errors) = told(&relrv(&args));
            assert_eq!((status, errors.as_str()), (0, ""));
            tables.push(std::fs::read(&out).unwrap());
        }
        assert!(tables[0] == tables[1], "{ending}");
        // A folder is the same as its files.
        let (_, _, _, out) = small(dir.path(), &format!("rv.{ending}"), &[]);
        assert!(std::fs::read(&out).unwrap() == tables[0], "{ending}");
    }
}

#[test]
fn arm_and_snr_min_select_without_changing_a_number() {
    let dir = folder();
    let all = rows(&small(dir.path(), "all.csv", ALONE).3);
    let snr = |cells: &[String]| cells[12].parse::<f64>().unwrap();
    for (arm, other) in [("red", "blue"), ("blue", "red")] {
        let (status, said, _, out) =
            small(dir.path(), "one.csv", &[ALONE, &["--arm", arm]].concat());
        assert_eq!((status, count(&said, "arm_not_asked")), (0, 16));
        let mut expected = all.clone();
        expected.retain(|key, _| key.1 != other);
        assert_eq!(rows(&out), expected);
    }
    let (status, said, _, out) = small(
        dir.path(),
        "bright.csv",
        &[ALONE, &["--snr-min", "50"]].concat(),
    );
    let mut expected = all.clone();
    expected.retain(|_, cells| snr(cells) >= 50.0);
    assert!(!expected.is_empty() && expected.len() < 32);
    assert_eq!((status, count(&said, "low_snr")), (0, 32 - expected.len()));
    let bright = rows(&out);
    assert_eq!(
        bright.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    // A star that is left with one exposure gets a flag; all else stays. Stars are numbered anew where others are gone.
    for (key, cells) in &bright {
        let n = bright
            .values()
            .filter(|c| c[1] == cells[1] && c[8] == cells[8])
            .count();
        let n_before = all
            .values()
            .filter(|c| c[1] == cells[1] && c[8] == cells[8])
            .count();
        let skip = if n == 1 && n_before > 1 {
            25
        } else {
            usize::MAX
        };
        for (i, (a, b)) in cells.iter().zip(&expected[key]).enumerate() {
            assert!(a == b || i == 0 || i == skip, "{key:?} column {i}: {a} {b}");
        }
    }
}

#[test]
fn quiet_is_quiet_and_verbose_times_the_stages() {
    let dir = folder();
    let (status, said, errors, _) = small(dir.path(), "rv.csv", &["--quiet"]);
    assert_eq!((status, said.as_str(), errors.as_str()), (0, "", ""));
    let (_, said, _, _) = small(dir.path(), "rv.csv", &["-v"]);
    for stage in relrv::measure::stages::Stage::ALL {
        assert!(said.contains(stage.name()), "{said}");
    }
    // Rejected inputs show in the exit status and in the table beside the result even so.
    let out = dir.path().join("rv.csv");
    let inputs = [small_plate(), Path::new("missing.fits")];
    let (status, said, errors) = run_measure(&inputs, &out, &["--quiet"]);
    assert_eq!((status, said.as_str(), errors.as_str()), (2, "", ""));
    assert_eq!(rejections(&out).len(), 1);
    // An error is told.
    let (status, _, errors) = run_measure(&[Path::new("missing.fits")], &out, &["--quiet"]);
    assert_eq!(status, 1);
    assert!(
        errors.contains("missing.fits") && errors.contains("error: "),
        "{errors}"
    );
}

#[test]
fn running_again_replaces_the_table_and_leaves_nothing_else() {
    let dir = folder();
    let (_, _, _, out) = small(dir.path(), "rv.fits", &[]);
    let first = rows(&out);
    let (_, _, _, again) = small(dir.path(), "rv.fits", &["--arm", "red"]);
    assert_eq!(again, out);
    assert_eq!((first.len(), rows(&out).len()), (32, 16));
    assert_eq!(rejections(&out).len(), 16);
    let (_, _, _, _) = small(dir.path(), "rv.fits", &[]);
    assert_eq!(rows(&out), first);
    assert_eq!(rejections(&out).len(), 0);
    let mut names: Vec<String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| name_of(&e.unwrap().path()))
        .collect();
    names.sort();
    assert_eq!(names, ["rv.fits", "rv.rejected.csv"]);
}

#[test]
fn shipped_plate_as_in_the_readme() {
    let dir = folder();
    let out = dir.path().join("rv.fits");
    let (status, _, errors) = run_measure(&[Path::new("data-samples/plate-small")], &out, &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let measured = rows(&out);
    let truth = truth(&root().join("data-samples/plate-small"));
    assert_eq!(
        measured.keys().collect::<Vec<_>>(),
        truth.keys().collect::<Vec<_>>()
    );
}

#[test]
fn both_layouts_give_the_same_velocities() {
    let dir = folder();
    let tables = ["dr7", "dr9"].map(|layout| {
        let plate = dir.path().join(layout);
        let plate_text = plate.to_str().unwrap();
        let options = "--seed 4 --stars 3 --nights 2 --exposures 2 --snr 40,80 --layout";
        let mut args = vec!["simulate", "--out", plate_text];
        args.extend(options.split(' '));
        args.push(layout);
        let (status, said, errors) = told(&relrv(&args));
        assert_eq!((status, errors.as_str()), (0, ""));
        assert!(said.contains("6 files, 24 spectra of 3 stars"), "{said}");
        let out = dir.path().join(format!("{layout}.csv"));
        assert_eq!(run_measure(&[&plate], &out, &[]).0, 0);
        rows(&out)
    });
    let number = |cells: &[String], i: usize| cells[i].parse::<f64>().unwrap();
    assert_eq!(
        tables[0].keys().collect::<Vec<_>>(),
        tables[1].keys().collect::<Vec<_>>()
    );
    let mut worst_m_s = 0f64;
    for (key, a) in &tables[0] {
        let b = &tables[1][key];
        // All that is not measured is the same to the letter, but for the dates: one layout has no seconds.
        assert_eq!((&a[..10], &a[20..22]), (&b[..10], &b[20..22]));
        assert_eq!((&a[12], &a[25..]), (&b[12], &b[25..]));
        for of_lines in [23, 24] {
            let off = number(a, of_lines) / number(b, of_lines) - 1.0;
            assert!(off.abs() < 1e-4, "{key:?} column {of_lines}: {off:e}");
        }
        for date in [10, 11] {
            let later_s = 86_400.0 * (number(b, date) - number(a, date));
            assert!((-1e-3..60.0).contains(&later_s), "{later_s}");
        }
        worst_m_s = worst_m_s.max(1e3 * (number(a, 13) - number(b, 13)).abs());
        assert!((number(a, 14) / number(b, 14) - 1.0).abs() < 0.01);
    }
    println!("largest difference between the layouts {worst_m_s:.2} m/s");
    assert!(worst_m_s < 5.0, "{worst_m_s} m/s");
    // Different roundings of the wavelengths cannot agree to the last digit: the files do differ.
    assert!(worst_m_s > 0.0);
}
