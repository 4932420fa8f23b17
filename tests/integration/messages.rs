//! What the program says to a slip of the hand: the option or file that is to blame, what was expected and what was found.

use std::path::Path;

use crate::support::*;

/// What is said of a wrong command line; nothing else happens.
fn usage(args: &[&str]) -> String {
    let (status, said, errors) = told(&relrv(args));
    assert_eq!((status, said.as_str()), (64, ""), "{args:?}: {errors}");
    assert!(
        !errors.contains("unexpected argument"),
        "{args:?}: {errors}"
    );
    errors
}

#[test]
fn impossible_numbers_are_wrong_usage_and_told_with_what_the_option_takes() {
    let dir = folder();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let table = format!("{out}.fits");
    let plate = small_plate().to_str().unwrap();
    let measuring = [
        ("--snr-min", "-5", "a number from 0 on"),
        ("--snr-min", "nan", "a number from 0 on"),
        ("--vmax", "0", "expected 10 (10 steps) to 2000"),
        ("--vmax", "-1", "a number from 0 to 2000"),
        ("--vmax", "inf", "a number from 0 to 2000"),
        ("--vstep", "0", "a number from 0.1 to 5"),
        ("--memory", "-1", "a whole number from 64 to 16777216"),
        ("--memory", "0", "a whole number from 64 to 16777216"),
        ("--memory", "1.5", "a whole number from 64 to 16777216"),
        ("--threads", "-1", "a whole number from 0 to 1024"),
        ("--gpu-memory", "-1", "a whole number from 1 to 1048576"),
    ];
    let calibrating = [
        ("--p-min", "2", "a number above 0 and below 0.5"),
        ("--p-min", "-1", "a number above 0 and below 0.5"),
        ("--min-constants", "1", "a whole number from 2 on"),
        ("--min-constants", "-3", "a whole number from 2 on"),
        ("--tolerance", "0", "a number above 0"),
        ("--tolerance", "-1", "a number above 0"),
        ("--fibre-order", "-1", "auto, 0, 1, 2"),
    ];
    let simulating = [
        ("--stars", "0", "a whole number from 1 to 250"),
        ("--stars", "-1", "a whole number from 1 to 250"),
        ("--nights", "0", "a whole number from 1 to 365"),
        ("--exposures", "99", "a whole number from 1 to 25"),
        ("--spectrographs", "0", "a whole number from 1 to 16"),
        ("--seed", "-1", "a whole number from 0 on"),
        ("--snr", "-1,5", "must rise from above 0 to at most 10000"),
        ("--snr", "5,1", "must rise from above 0 to at most 10000"),
        ("--missing", "-1", "a number from 0 to 1"),
        ("--missing", "1", "must be below 1"),
        ("--cosmics", "-1", "a number from 0 to 1000"),
        ("--kinds", "1,1,1", "must be 0 to 1"),
        ("--kinds", "-1,0,0", "must be 0 to 1"),
        ("--teff", "1,2", "must rise within 3000 to 45000"),
        ("--water", "-1", "must be 0 to 20"),
        ("--moon", "nan", "must be 0 to 0.5"),
        ("--fibre-slope", "-1", "must be 0 to 100"),
        ("--noise-correlation", "3", "must be 0 to 0.5"),
    ];
    let commands: [(&[&str], &[_]); 6] = [
        (&["measure", plate, "--out", &table], &measuring),
        (&["run", plate, "--out", out], &measuring),
        (&["run", plate, "--out", out], &calibrating),
        (&["plan", plate, "--out", out], &measuring),
        (&["calibrate", "rv.fits", "--out", out], &calibrating),
        (&["simulate", "--out", out], &simulating),
    ];
    for (command, options) in commands {
        for (option, given, says) in options {
            let errors = usage(&[command, &[option, given]].concat());
            let first = errors.lines().take(2).collect::<Vec<_>>().join(" ");
            let is_told = first.contains(option) && first.contains(says);
            let tells_found = first.contains(given) || first.contains(&given.replace("nan", "NaN"));
            assert!(is_told && tells_found, "{option} {given}: {errors}");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_file_where_a_directory_was_meant_is_named() {
    let dir = folder();
    let file = dir.path().join("rv.csv");
    std::fs::write(&file, "star,exposure,rv,rv_err\n1,1,0.1,0.1\n").unwrap();
    let file = file.to_str().unwrap();
    let within = format!("{file}/deep/er");
    let plate = small_plate().to_str().unwrap();
    for (command, within_too) in [
        (&["run", plate][..], true),
        (&["run", plate, "--dry-run"], true),
        (&["plan", plate], true),
        (&["simulate"], true),
        // The table lies where its products are to be.
        (&["calibrate", file], true),
    ] {
        for out in [Some(file), within_too.then_some(&*within)]
            .into_iter()
            .flatten()
        {
            let args = [command, &["--out", out]].concat();
            let (status, said, errors) = told(&relrv(&args));
            assert_eq!((status, said.as_str()), (1, ""), "{args:?}: {errors}");
            let what = format!("error: {file}: is a file, and ");
            assert!(errors.contains(&what), "{args:?}: {errors}");
            assert!(errors.contains("choose another directory"), "{errors}");
            assert!(!errors.contains("os error"), "{args:?}: {errors}");
        }
    }
    let table = format!("{file}/rv.fits");
    let (status, _, errors) = told(&relrv(&["measure", plate, "--out", &table]));
    assert!(
        status == 1 && errors.contains("rv.csv: is a file, and "),
        "{errors}"
    );
    let (status, _, errors) = told(&relrv(&["report", file]));
    assert!(
        status == 1 && errors.contains("expected the directory of a finished run"),
        "{errors}"
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn nothing_is_written_before_a_file_was_there() {
    let dir = folder();
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let out = dir.path().join("new/rv.fits");
    for (input, says) in [
        (Path::new("med-mistyped.fits"), "med-mistyped.fits"),
        (&empty, "no med-*.fits or med-*.fits.gz"),
    ] {
        let (status, said, errors) = run_measure(&[input], &out, &[]);
        assert_eq!((status, said.as_str()), (1, ""), "{errors}");
        assert!(
            errors.contains(says) && errors.contains("nothing was written"),
            "{errors}"
        );
        assert!(!dir.path().join("new").exists());
        for command in ["run", "plan"] {
            let args = [
                command.as_ref(),
                input.as_os_str(),
                "--out".as_ref(),
                dir.path().join("new").as_os_str(),
            ]
            .map(std::ffi::OsStr::to_owned);
            let (status, said, errors) = told(&relrv(&args));
            assert_eq!((status, said.as_str()), (1, ""), "{errors}");
            assert!(
                errors.contains(says) && errors.contains("nothing was written"),
                "{errors}"
            );
            assert!(!dir.path().join("new").exists());
        }
    }
    // A file that is there and is no good is listed, as it may be one of thousands.
    let bad = dir.path().join("med-bad.fits");
    std::fs::write(&bad, "no stars here").unwrap();
    let (status, _, errors) = run_measure(&[&bad], &out, &[]);
    assert!(
        status == 1 && errors.contains("1 file, 0 spectra in"),
        "{errors}"
    );
    assert_eq!(rejections(&out).len(), 1);
}

#[test]
fn one_is_told_as_one() {
    let dir = folder();
    let out = dir.path().join("plan");
    let out = out.to_str().unwrap();
    let one_file = files(small_plate()).remove(0);
    let one_file = one_file.to_str().unwrap();
    let (status, said, errors) = told(&relrv(&[
        "plan",
        one_file,
        "--out",
        out,
        "--backend",
        "cpu",
    ]));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(
        said.contains(&format!("relrv unit {out} 1, then")),
        "{said}"
    );
    let (_, said, _) = told(&relrv(&["status", out]));
    assert!(said.contains("\n1 unit: 0 done"), "{said}");
    let dry = [
        "run",
        one_file,
        "--out",
        out,
        "--dry-run",
        "--backend",
        "cpu",
    ];
    let (_, said, errors) = told(&relrv(&dry));
    assert!(
        said.contains("1 unit, 1 star, 1 file of which 0"),
        "{said}{errors}"
    );
    assert!(
        !said.contains(" 1 stars") && !said.contains(" 1 files"),
        "{said}"
    );
}

#[test]
fn threads_are_counted_once() {
    let dir = folder();
    let (plate, out) = (small_plate(), dir.path().join("rv.csv"));
    let (plate, out) = (plate.to_str().unwrap(), out.to_str().unwrap());
    let args = [
        "measure",
        plate,
        "--out",
        out,
        "-v",
        "--threads",
        "1",
        "--backend",
        "cpu",
    ];
    let (_, said, errors) = told(&relrv(&args));
    assert_eq!(said.matches(", 1 thread)").count(), 2, "{said}{errors}");
    assert!(!said.contains("threads)"), "{said}");
    // The record of a run, which its page quotes.
    let out = dir.path().join("run");
    let args = ["run", plate, "--threads", "1", "--backend", "cpu", "--out"];
    let args = [&args[..], &[out.to_str().unwrap()]].concat();
    let (status, _, errors) = told(&relrv(&args));
    assert_eq!(status, 0, "{errors}");
    let record = std::fs::read_to_string(out.join("run.json")).unwrap();
    assert!(record.contains(", 1 thread)"), "{record}");
    assert!(!record.contains("1 threads"), "{record}");
}

#[test]
fn a_mistyped_key_of_the_file_of_options_is_asked_about() {
    let dir = folder();
    let config = dir.path().join("options.toml");
    let out = dir.path().join("out");
    let args = [
        "run",
        "x.fits",
        "--out",
        out.to_str().unwrap(),
        "--config",
        config.to_str().unwrap(),
    ];
    for (key, says) in [
        ("vmx", "; did you mean vmax?"),
        ("snr_min", "; did you mean snr-min?"),
        ("colour", "is no option of relrv run; known are"),
    ] {
        std::fs::write(&config, format!("{key} = 300\n")).unwrap();
        let (status, _, errors) = told(&relrv(&args));
        assert!(status == 1 && errors.contains(says), "{errors}");
        // Options for tests alone are none of the user's.
        assert!(!errors.contains("gpu-fail-after"), "{errors}");
    }
    std::fs::write(&config, "vmax = -300\n").unwrap();
    let (status, _, errors) = told(&relrv(&args));
    assert!(
        status == 64 && errors.contains("'-300' for '--vmax"),
        "{errors}"
    );
    assert!(!out.exists());
}
