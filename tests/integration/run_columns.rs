//! What the columns and headers of a run's products say beside velocities: arms that were measured, files, settings, dates.

use crate::columns::expected_of_arms;
use crate::run_support::*;
use crate::support::*;

#[test]
fn an_arm_that_was_not_asked_for_has_no_columns() {
    let dir = folder();
    let out = dir.path().join("out");
    let more = ["--arm", "blue", "--format", "fits,csv", "--flags-text"];
    let (status, said, _) = run(&[two_units()], &out, &more);
    assert_eq!((status, count(&said, "arm_not_asked")), (0, 32));
    let catalogue = table(&out, "catalogue.fits");
    assert_eq!(catalogue.n_rows(), 32);
    let names = |name: &str| -> Vec<String> {
        let table = table(&out, name);
        table.columns.iter().map(|c| c.name.clone()).collect()
    };
    let described = expected_of_arms("`catalogue`", &["_b"]);
    let mut described: Vec<String> = described.into_iter().map(|(name, _)| name).collect();
    let flags = described.iter().position(|name| name == "flags_b").unwrap();
    described.insert(flags + 1, "flags_b_text".to_owned());
    for name in ["catalogue.fits", "catalogue.csv"] {
        assert_eq!(names(name), described, "{name}");
    }
    // Blue chooses its own constants then.
    assert!(
        floats(&catalogue, "drv_b_corr")
            .iter()
            .all(|v| v.is_finite())
    );
    // The stars' columns are the same whatever was measured.
    let stars = expected_of_arms("`stars` and `constants`", &[]);
    let stars: Vec<String> = stars.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names("stars.fits"), stars);
    assert!(
        texts(&table(&out, "stars.fits"), "arm")
            .iter()
            .all(|a| a == "blue")
    );
    // What reads the products reads these.
    let star = texts(&catalogue, "designation")[0].clone();
    let place = out.to_str().unwrap();
    let tables = dir.path().join("tables");
    for args in [
        vec!["report", place],
        vec!["show", place, &star],
        vec!["export", place, &star],
        vec!["calibrate", place, "--out", tables.to_str().unwrap()],
        vec!["calibrate", place, "--quiet"],
        vec!["merge", place, "--quiet"],
    ] {
        let (status, said, errors) = told(&relrv(&args));
        assert_eq!((status, errors.as_str()), (0, ""), "{args:?}: {said}");
    }
    assert_eq!(names("catalogue.fits"), described);
}

#[test]
fn each_row_of_the_catalogue_names_its_file() {
    let dir = folder();
    let out = dir.path().join("out");
    run(&[two_units()], &out, &[]);
    let catalogue = table(&out, "catalogue.fits");
    let there: Vec<String> = files(two_units()).iter().map(|f| name_of(f)).collect();
    let found = texts(&catalogue, "file");
    let numbers = |name: &str| floats(&catalogue, name);
    let (plates, spectrographs) = (texts(&catalogue, "planid"), numbers("spid"));
    let (fibres, minutes) = (numbers("fiberid"), numbers("lmjm"));
    for (row, name) in found.iter().enumerate() {
        assert!(there.contains(name), "{name}");
        let (spid, fibre) = (spectrographs[row], fibres[row]);
        let end = format!("{}_sp{spid:02}-{fibre:03}.fits.gz", plates[row]);
        assert!(name.ends_with(&end), "{name} {end}");
        let day: f64 = name.split('-').nth(1).unwrap().parse().unwrap();
        assert!((minutes[row] / 1440.0 - day).abs() < 2.0, "{name}");
    }
    let names: std::collections::BTreeSet<&String> = found.iter().collect();
    assert_eq!(names.len(), there.len());
}

#[test]
fn headers_tell_program_settings_and_dates_and_no_time_of_making() {
    let dir = folder();
    let out = dir.path().join("out");
    run(&[two_units()], &out, &["--p-min", "0.02"]);
    let bjd = floats(&table(&out, "catalogue.fits"), "bjd_tdb");
    let first = bjd.iter().copied().fold(f64::INFINITY, f64::min);
    for name in [
        "catalogue",
        "stars",
        "constants",
        "zeropoints",
        "components",
    ] {
        let cards = cards(&out.join(format!("{name}.fits")));
        let version = env!("CARGO_PKG_VERSION");
        let creator = format!("CREATOR = 'relrv {version}' / program and its version");
        assert_eq!(
            cards
                .iter()
                .filter(|c| c.starts_with(creator.split('/').next().unwrap()))
                .count(),
            2
        );
        for line in [
            "--arm both",
            "--vmax 500.0",
            "--p-min 0.02",
            "--method joint",
        ] {
            let card = format!("HISTORY {line}");
            assert_eq!(
                cards.iter().filter(|c| **c == card).count(),
                1,
                "{name}: {line}"
            );
        }
        let value = |key: &str| {
            let start = format!("{key:<8}= '");
            let card = cards.iter().find_map(|c| c.strip_prefix(&start)).unwrap();
            card.split('\'').next().unwrap().trim_end().to_owned()
        };
        assert_eq!(
            (value("TIMESYS"), value("TREFPOS")),
            ("TDB".to_owned(), "BARYCENTER".to_owned())
        );
        let (begin, end) = (value("DATE-BEG"), value("DATE-END"));
        assert!(begin < end, "{begin} {end}");
        // The day and the time of day of the first date.
        let of_day = (first + 0.5).fract() * 24.0;
        let hour: f64 = begin[11..13].parse().unwrap();
        let minute: f64 = begin[14..16].parse().unwrap();
        assert!(
            (hour + minute / 60.0 - of_day).abs() < 0.05,
            "{begin} {of_day}"
        );
        assert!(!cards.iter().any(|c| c.starts_with("DATE    =")));
    }
}

#[test]
fn tables_of_one_command_say_how_they_were_made() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (rv, out) = (at("rv.fits"), at("out"));
    let plate = two_units();
    let measure = [
        "measure",
        plate.to_str().unwrap(),
        "--out",
        &rv,
        "--snr-min",
        "7",
    ];
    let calibrate = [
        "calibrate",
        &rv,
        "--out",
        &out,
        "--min-constants",
        "4",
        "--quiet",
    ];
    for args in [&measure[..], &calibrate] {
        let (status, said, errors) = told(&relrv(args));
        assert_eq!((status, errors.as_str()), (0, ""), "{args:?}: {said}");
    }
    let history = |file: &str| -> Vec<String> {
        let cards = cards(std::path::Path::new(file));
        let lines = cards.iter().filter_map(|c| c.strip_prefix("HISTORY "));
        lines.map(str::to_owned).collect()
    };
    let measured = history(&rv);
    assert_eq!(measured[0], "made by relrv measure, with");
    assert!(measured.contains(&"--snr-min 7.0".to_owned()));
    assert_eq!(measured.len(), 7, "{measured:?}");
    for name in ["zeropoints", "stars", "components", "calibrated"] {
        let calibrated = history(&format!("{out}/{name}.fits"));
        assert_eq!(calibrated[0], "made by relrv calibrate, with", "{name}");
        assert!(calibrated.contains(&"--min-constants 4".to_owned()));
        assert_eq!(calibrated.len(), 8, "{calibrated:?}");
    }
    let dates = cards(std::path::Path::new(&rv));
    assert!(dates.iter().any(|c| c.starts_with("DATE-BEG=")));
}

/// The first cards of a FITS file.
fn cards(path: &std::path::Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let cards = bytes.chunks(80).take(400);
    cards
        .map(|card| String::from_utf8_lossy(card).trim_end().to_owned())
        .collect()
}
