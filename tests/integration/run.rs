//! `relrv run`: its products, its options, and how it answers odd input.

use std::collections::BTreeSet;
use std::path::Path;

use relrv::catalogue::flags::CatalogueFlags;
use relrv::likelihood::RvFlags;
use relrv::table::{ColumnData, Table};

use crate::fits_edit::{join, recount, split};
use crate::run_support::*;
use crate::support::*;

const TABLES: [&str; 5] = [
    "catalogue",
    "stars",
    "constants",
    "zeropoints",
    "components",
];
const ARMS: [(&str, &str); 2] = [("red", "r"), ("blue", "b")];

#[test]
fn one_command_writes_every_product_and_says_what_it_did() {
    let dir = folder();
    let out = dir.path().join("made/here");
    let (status, said, errors) = run(&[two_units()], &out, &["--format", "fits,csv,parquet,mrt"]);
    assert_eq!((status, errors.as_str()), (0, ""), "{said}");
    let mut expected: BTreeSet<String> = TABLES
        .iter()
        .flat_map(|name| ["fits", "csv", "parquet", "mrt"].map(|end| format!("{name}.{end}")))
        .collect();
    expected.insert("rejected.csv".to_owned());
    let written: BTreeSet<String> = products(&out).into_keys().collect();
    assert_eq!(written, expected);
    assert_eq!((count(&said, "files in"), count(&said, "read")), (16, 16));
    assert_eq!(
        (count(&said, "spectra in"), count(&said, "measured")),
        (64, 64)
    );
    assert_eq!(count(&said, "units"), 2);
    assert_eq!(rejected(&out), Vec::<[String; 4]>::new());

    let record = record(&out);
    assert_eq!(record["counts"]["measured"], 64);
    assert_eq!(record["counts"]["exposures"], 32);
    assert_eq!(record["counts"]["stars"], 8);
    assert_eq!(record["units"].as_array().unwrap().len(), 2);
    assert_eq!(record["config"]["snr-min"], 5.0);
    assert_eq!(record["config"]["method"], "joint");
    assert_eq!(record["relrv"], env!("CARGO_PKG_VERSION"));
    let listed: BTreeSet<&str> = record["products"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_str().unwrap())
        .collect();
    assert_eq!(listed, expected.iter().map(String::as_str).collect());

    // The formats that are read back hold the same.
    for name in TABLES {
        let tables = ["fits", "csv", "parquet"].map(|end| table(&out, &format!("{name}.{end}")));
        for other in &tables[1..] {
            for column in &tables[0].columns {
                let (a, b) = (texts(&tables[0], &column.name), texts(other, &column.name));
                match column.data {
                    ColumnData::F64(_) => {
                        let number = |t: &String| t.parse::<f64>().ok();
                        assert!(
                            a.iter().map(number).eq(b.iter().map(number)),
                            "{name} {}",
                            column.name
                        );
                    }
                    // Verdicts are integers in FITS.
                    _ if ["constant", "variable"].contains(&&*column.name) => {
                        let word = |t: &String| t.replace('1', "true").replace('0', "false");
                        assert!(a.iter().map(word).eq(b), "{name} {}", column.name);
                    }
                    _ => assert_eq!(a, b, "{name} {}", column.name),
                }
            }
        }
    }
}

#[test]
fn the_catalogue_holds_the_numbers_of_measure_and_of_calibrate() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &["--format", "parquet"]).0, 0);
    let rv_path = dir.path().join("rv.parquet");
    assert_eq!(run_measure(&[two_units()], &rv_path, &[]).0, 0);
    let catalogue = table(&out, "catalogue.parquet");
    let rv = Table::read(&rv_path).unwrap();
    let key = |t: &Table, i: usize| {
        let text = |name: &str| t.column(name).unwrap().data.text_at(i);
        (
            text("designation"),
            text("lmjm"),
            text("spid"),
            text("fiberid"),
        )
    };
    let places: std::collections::BTreeMap<_, usize> = (0..catalogue.n_rows())
        .map(|i| (key(&catalogue, i), i))
        .collect();
    assert_eq!((places.len(), rv.n_rows()), (32, 64));
    for (long, wide) in [
        ("rv", "drv_X"),
        ("rv_err", "drv_X_err"),
        ("rv_err_own", "drv_X_err_own"),
        ("snr", "snr_X"),
        ("chi2_red", "chi2_X"),
        ("hjd", "hjd"),
        ("ra", "ra"),
    ] {
        for (i, arm) in texts(&rv, "arm").iter().enumerate() {
            let name = wide.replace('X', &arm[..1]);
            let place = places[&key(&rv, i)];
            let of = |t: &Table, name: &str, i| t.column(name).unwrap().data.text_at(i);
            assert_eq!(of(&rv, long, i), of(&catalogue, &name, place), "{name}");
        }
    }

    // Calibrating the catalogue again gives the same zero points and velocities.
    let again = dir.path().join("again");
    let args: [&std::ffi::OsStr; 6] = [
        "calibrate".as_ref(),
        out.join("catalogue.parquet").as_os_str().to_owned().leak(),
        "--out".as_ref(),
        again.as_os_str().to_owned().leak(),
        "--format".as_ref(),
        "parquet".as_ref(),
    ];
    assert_eq!(told(&relrv(&args)).0, 0);
    let calibrated = table(&again, "calibrated.parquet");
    for (_, x) in ARMS {
        for name in [format!("drv_{x}_corr"), format!("drv_{x}_corr_err")] {
            assert_eq!(
                texts(&catalogue, &name),
                texts(&calibrated, &name),
                "{name}"
            );
        }
    }
    let zero_points = (
        table(&out, "zeropoints.parquet"),
        table(&again, "zeropoints.parquet"),
    );
    assert_eq!(texts(&zero_points.0, "zp"), texts(&zero_points.1, "zp"));
    // What is subtracted is what the table of zero points says.
    let zp: std::collections::BTreeMap<_, f64> = (0..zero_points.0.n_rows())
        .map(|i| {
            let text = |name: &str| zero_points.0.column(name).unwrap().data.text_at(i);
            let key = (text("arm"), text("spid"), text("lmjm"));
            (key, text("zp").parse().unwrap())
        })
        .collect();
    for (arm, x) in ARMS {
        let (raw, corr) = (
            floats(&catalogue, &format!("drv_{x}")),
            floats(&catalogue, &format!("drv_{x}_corr")),
        );
        for i in 0..raw.len() {
            let (_, lmjm, spid, _) = key(&catalogue, i);
            let zp = zp[&(arm.to_owned(), spid, lmjm)];
            assert!((raw[i] - zp - corr[i]).abs() < 1e-12);
        }
    }
}

#[test]
fn one_reference_for_a_star_of_two_units() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    // The second night of one star was seen by another spectrograph, with a plate of another name.
    let all = files(two_units());
    let fibre = |path: &Path| name_of(path).split("_sp").nth(1).unwrap().to_owned();
    let star = fibre(&all[0]);
    let mut moved = 0;
    for file in &all {
        let mut hdus = split(&gunzip(file));
        if fibre(file) == star && *file != all[0] {
            hdus[0].set("PLANID", "'ANOTHER'");
            hdus[0].set("SPID", "16");
            moved += 1;
        }
        std::fs::write(plate.join(name_of(file)), gzip(&join(&hdus))).unwrap();
    }
    assert_eq!(moved, 1);
    let out = dir.path().join("out");
    let (status, said, _) = run(&[&plate], &out, WATER_LEFT);
    assert_eq!((status, count(&said, "measured")), (0, 64), "{said}");
    let catalogue = table(&out, "catalogue.fits");
    let (ids, spids) = (texts(&catalogue, "designation"), texts(&catalogue, "spid"));
    let other = spids.iter().position(|s| s == "16").unwrap();
    let rows: Vec<usize> = (0..ids.len()).filter(|&i| ids[i] == ids[other]).collect();
    assert_eq!(rows.len(), 4);
    for (_, x) in ARMS {
        let bits = floats(&catalogue, &format!("flags_{x}"));
        let references = rows
            .iter()
            .filter(|&&i| bits[i] as u32 & CatalogueFlags::REFERENCE.bits() != 0);
        assert_eq!(references.count(), 1);
    }
    // The same velocities as when one spectrograph saw it all.
    let whole = dir.path().join("whole");
    assert_eq!(run(&[two_units()], &whole, WATER_LEFT).0, 0);
    let expected = table(&whole, "catalogue.fits");
    assert_eq!(texts(&expected, "drv_r"), texts(&catalogue, "drv_r"));
    // Alone on its plate, it can have no zero point there.
    let zero_points = table(&out, "zeropoints.fits");
    let of_other: Vec<usize> = (0..zero_points.n_rows())
        .filter(|&i| texts(&zero_points, "planid")[i] == "ANOTHER")
        .collect();
    assert_eq!(of_other.len(), 4);
    let zp = floats(&zero_points, "zp");
    assert!(of_other.iter().all(|&i| zp[i].is_nan()));
    let bits = floats(&catalogue, "flags_r");
    assert!(bits[other] as u32 & CatalogueFlags::NO_ZERO_POINT.bits() != 0);
    assert!(floats(&catalogue, "drv_r_corr")[other].is_nan());
}

/// Copies files of the plate whose names pass.
fn part_of_plate(to: &Path, keep: impl Fn(usize, &str) -> bool) {
    std::fs::create_dir(to).unwrap();
    for (i, file) in files(two_units()).iter().enumerate() {
        if keep(i, &name_of(file)) {
            std::fs::copy(file, to.join(name_of(file))).unwrap();
        }
    }
}

#[test]
fn few_stars_and_few_exposures_are_measured_and_left_uncorrected() {
    let dir = folder();
    let all = files(two_units());
    let night = name_of(&all[0])[..9].to_owned();
    let star = name_of(&all[0]).split("_sp").nth(1).unwrap().to_owned();
    type Keep<'a> = Box<dyn Fn(usize, &str) -> bool + 'a>;
    let cases: [(&str, Keep, usize); 2] = [
        ("one-star", Box::new(|_, name| name.ends_with(&star)), 4),
        (
            "two-stars",
            Box::new(|i, name| i < 2 && name.starts_with(&night)),
            4,
        ),
    ];
    for (name, keep, n_rows) in cases {
        let plate = dir.path().join(name);
        part_of_plate(&plate, keep);
        let out = dir.path().join(format!("{name}-out"));
        let (status, said, errors) = run(&[&plate], &out, &[]);
        assert_eq!((status, errors.as_str()), (0, ""), "{name}: {said}");
        assert!(said.contains("not corrected"), "{name}: {said}");
        let catalogue = table(&out, "catalogue.fits");
        assert_eq!(catalogue.n_rows(), n_rows, "{name}");
        assert!(floats(&catalogue, "drv_r").iter().all(|v| v.is_finite()));
        assert!(floats(&catalogue, "drv_r_corr").iter().all(|v| v.is_nan()));
        let bits = floats(&catalogue, "flags_b");
        let none = CatalogueFlags::NO_ZERO_POINT.bits();
        assert!(bits.iter().all(|&f| f as u32 & none != 0), "{name}");
        assert_eq!(table(&out, "constants.fits").n_rows(), 0);
    }
}

#[test]
fn one_exposure_of_each_star_is_its_own_reference() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    // Of each star one exposure in each arm: the primary, two coadds, then blue and red exposures.
    let mut seen = BTreeSet::new();
    for file in files(two_units()) {
        let star = name_of(&file).split("_sp").nth(1).unwrap().to_owned();
        if seen.insert(star) {
            let hdus = split(&gunzip(&file));
            let blue = hdus
                .iter()
                .position(|h| h.name().starts_with("B-"))
                .unwrap();
            let red = hdus
                .iter()
                .position(|h| h.name().starts_with("R-"))
                .unwrap();
            let mut one = [&hdus[0], &hdus[blue], &hdus[red]].map(Clone::clone);
            recount(&mut one);
            std::fs::write(plate.join(name_of(&file)), gzip(&join(&one))).unwrap();
        }
    }
    let out = dir.path().join("out");
    let (status, said, errors) = run(&[&plate], &out, &[]);
    assert_eq!((status, errors.as_str()), (0, ""), "{said}");
    assert_eq!(count(&said, "measured"), 16);
    assert!(said.contains("not corrected"), "{said}");
    let catalogue = table(&out, "catalogue.fits");
    let expected = RvFlags::SINGLE_EXPOSURE.bits() | CatalogueFlags::REFERENCE.bits();
    for bits in floats(&catalogue, "flags_r") {
        assert_eq!(bits as u32 & expected, expected);
    }
}

#[test]
fn nothing_usable_is_an_error_that_names_the_inputs() {
    let dir = folder();
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let bad = dir.path().join("med-1.fits");
    std::fs::write(&bad, "no stars here").unwrap();
    for (input, says) in [
        (empty.as_path(), "no med-*.fits"),
        (Path::new("missing"), "missing"),
    ] {
        let out = dir.path().join("not-made");
        let (status, said, errors) = run(&[input], &out, &["--overwrite"]);
        assert_eq!((status, said.as_str()), (1, ""), "{errors}");
        assert!(
            errors.contains(says) && errors.contains("error: no file that could be measured"),
            "{errors}"
        );
        assert!(!out.exists());
    }
    // The second time in a directory where a run has begun.
    for (input, says) in [
        (bad.as_path(), "not_fits"),
        (Path::new("missing"), "missing"),
    ] {
        let out = dir.path().join("out");
        let (status, said, errors) = run(&[input], &out, &["--overwrite"]);
        assert_eq!((status, said.as_str()), (1, ""), "{errors}");
        assert!(
            errors.contains(says) && errors.contains("error: nothing could be measured"),
            "{errors}"
        );
        assert_eq!(rejected(&out).len(), 1);
        let left: Vec<String> = products(&out).into_keys().collect();
        assert_eq!(left, ["rejected.csv"]);
    }
    // Usable files, but no usable spectrum.
    let out = dir.path().join("faint");
    let (status, _, errors) = run(&[two_units()], &out, &["--snr-min", "1e9"]);
    assert_eq!(status, 1, "{errors}");
    assert_eq!(rejected(&out).len(), 64);
}

#[test]
fn options_come_from_a_file_and_the_command_line_goes_first() {
    let dir = folder();
    let out = dir.path().join("out");
    let file = dir.path().join("run.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let file_text = file.to_str().unwrap();
    write(&format!(
        "out = {:?}\nsnr-min = 50\narm = \"red\"\nformat = [\"csv\", \"fits\"]\nquiet = true\nvmax = 400.5\n",
        out.to_str().unwrap()
    ));
    let plate = two_units().to_str().unwrap();
    let args = ["run", "--config", file_text, "--arm", "blue", "--", plate];
    let (status, said, errors) = told(&relrv(&args));
    assert_eq!((status, said.as_str(), errors.as_str()), (0, "", ""));
    let record = record(&out);
    assert_eq!(record["config"]["arm"], "blue");
    assert_eq!(record["config"]["snr-min"], 50.0);
    assert_eq!(record["config"]["vmax"], 401.0);
    assert_eq!(
        record["config"]["format"],
        serde_json::json!(["fits", "csv"])
    );
    assert!(out.join("catalogue.csv").exists() && out.join("catalogue.fits").exists());

    for (text, says) in [
        ("snr-mim = 5", "snr-mim is no option of relrv run"),
        ("config = 'x'", "config is no option"),
        (
            "snr-min = [[1]]",
            "snr-min: expected text, a number or a list",
        ),
        ("quiet = 1", "quiet: expected true or false"),
        ("snr-min = ", "run.toml"),
    ] {
        write(text);
        let args = [
            "run",
            plate,
            "--out",
            out.to_str().unwrap(),
            "--config",
            file_text,
        ];
        let (status, _, errors) = told(&relrv(&args));
        assert_eq!(status, 1, "{text}");
        assert!(
            errors.contains(says) && errors.contains("run.toml"),
            "{errors}"
        );
    }
    // A value of an option is checked as on the command line.
    write("arm = 'green'");
    let args = [
        "run",
        plate,
        "--out",
        out.to_str().unwrap(),
        "--config",
        file_text,
    ];
    let (status, _, errors) = told(&relrv(&args));
    assert_eq!(status, 64);
    assert!(errors.contains("green"), "{errors}");
    let missing = ["run", plate, "--out", "x", "--config", "missing.toml"];
    let (status, _, errors) = told(&relrv(&missing));
    assert!(status == 1 && errors.contains("missing.toml"), "{errors}");
}

#[test]
fn a_dry_run_lists_the_units_and_writes_nothing() {
    let dir = folder();
    let out = dir.path().join("out");
    let (status, said, errors) = run(&[two_units()], &out, &["--dry-run"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(said.contains("2 units, 8 stars, 16 files"), "{said}");
    assert!(
        said.contains(" to measure") && said.contains("MB of memory"),
        "{said}"
    );
    assert!(!out.exists());
    // After a run nothing is left to do; with other settings it would be refused.
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    let before = products(&out);
    let (_, said, _) = run(&[two_units()], &out, &["--dry-run"]);
    assert!(said.contains("nothing is left to measure"), "{said}");
    let (_, said, _) = run(&[two_units()], &out, &["--dry-run", "--vmax", "300"]);
    assert!(
        said.contains("would be refused") && said.contains("vmax was 500"),
        "{said}"
    );
    assert_eq!(products(&out), before);
}

#[test]
fn quiet_is_quiet_and_a_closed_pipe_is_no_error() {
    let dir = folder();
    let out = dir.path().join("out");
    let (status, said, errors) = run(&[two_units()], &out, &["--quiet"]);
    assert_eq!((status, said.as_str(), errors.as_str()), (0, "", ""));
    let line = format!(
        "set -o pipefail; \"$RELRV\" run {:?} --out {:?} -v | true",
        two_units(),
        out
    );
    let output = shell(&line);
    assert_eq!(told(&output), (0, String::new(), String::new()));
}

#[test]
fn shells_and_the_manual_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (status, said, errors) = told(&relrv(&["completions", shell]));
        assert_eq!((status, errors.as_str()), (0, ""));
        for word in ["calibrate", "snr-min", "dry-run"] {
            assert!(said.contains(word), "{shell}: {word}");
        }
    }
    let (status, page, errors) = told(&relrv(&["man"]));
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(
        page.contains(".TH relrv 1") && page.contains("calibrate"),
        "{page}"
    );
    let dir = folder();
    let at = dir.path().join("man");
    assert_eq!(told(&relrv(&["man", "--out", at.to_str().unwrap()])).0, 0);
    let page = std::fs::read_to_string(at.join("relrv-run.1")).unwrap();
    assert!(page.contains("overwrite"), "{page}");
}
