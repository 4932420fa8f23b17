//! A run that was killed, stopped or cut short goes on with the same command, and its products are the same to the byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::run_support::*;
use crate::support::*;

/// Formats that differ in how they are written.
const FORMAT: [&str; 2] = ["--format", "fits,csv"];

/// What an undisturbed run writes.
fn undisturbed(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let out = dir.join("undisturbed");
    assert_eq!(run(&[two_units()], &out, &FORMAT).0, 0);
    products(&out)
}

/// Files of the units.
fn unit_files(out: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(out.join(".relrv/units"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Right after a kill: what has its final name is whole.
fn assert_no_part_of_a_product(out: &Path, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    if out.is_dir() {
        for (name, bytes) in products(out) {
            // What is being written has another name.
            let is_product = !name.ends_with(".part");
            assert!(!is_product || expected[&name] == bytes, "{what}: {name}");
        }
    }
}

/// No file of an unfinished write is left, and `run.json` vouches for what is there.
fn assert_whole(out: &Path, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    let found = products(out);
    let names = |p: &BTreeMap<String, Vec<u8>>| p.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "{what}");
    for (name, bytes) in expected {
        assert!(&found[name] == bytes, "{what}: {name} differs");
    }
    assert!(out.join("run.json").exists(), "{what}");
    assert_eq!(unit_files(out).len(), 4, "{what}");
}

#[cfg(debug_assertions)] // the program has these moments only with them
#[test]
fn killed_at_every_write_and_started_again() {
    let dir = folder();
    let expected = undisturbed(dir.path());
    let mut killed = 0;
    // A file is written in three steps: begun, whole, named.
    for moment in 1.. {
        let out = dir.path().join("out");
        let output = command(&[two_units()], &out, &FORMAT)
            .env("RELRV_ABORT_AT", moment.to_string())
            .output()
            .unwrap();
        if output.status.success() {
            break;
        }
        assert!(
            output.status.code().is_none(),
            "moment {moment}: not killed"
        );
        assert!(
            !out.join("run.json").exists() || moment > 46,
            "moment {moment}"
        );
        assert_no_part_of_a_product(&out, &expected, &format!("moment {moment}"));
        killed += 1;
        let (status, said, errors) = run(&[two_units()], &out, &FORMAT);
        assert_eq!(
            (status, errors.as_str()),
            (0, ""),
            "moment {moment}: {said}"
        );
        assert_whole(&out, &expected, &format!("moment {moment}"));
        assert!(out.join("report/index.html").exists(), "moment {moment}");
        std::fs::remove_dir_all(&out).unwrap();
    }
    // The settings, twice (the names of the tables come later), the names of the stars, the plan of two files, two units of two files, the rejections, five tables in two formats, the record, and the
    // report's page and six of its eight figures (no star varies, and no zero point has a slope), the page of all stars and the eight files that it is made of; and once when the older record is gone and no product has its name yet.
    assert_eq!(killed, 3 * (2 + 1 + 2 + 4 + 1 + 10 + 1 + 7 + 9) + 1);
}

#[cfg(debug_assertions)] // the program has these moments only with them
#[test]
fn killed_twice_at_different_moments_and_started_again() {
    let dir = folder();
    let expected = undisturbed(dir.path());
    let out = dir.path().join("out");
    for moment in ["7", "11", "5", "20"] {
        let mut command = command(&[two_units()], &out, &FORMAT);
        let output = command.env("RELRV_ABORT_AT", moment).output().unwrap();
        assert!(!output.status.success(), "moment {moment}");
    }
    let (status, said, _) = run(&[two_units()], &out, &FORMAT);
    assert!(said.contains("2 of them measured before"), "{said}");
    assert_eq!(status, 0);
    assert_whole(&out, &expected, "after four kills");
}

#[test]
fn killed_by_the_system_at_any_time() {
    let dir = folder();
    let expected = undisturbed(dir.path());
    let out = dir.path().join("out");
    let mut killed = 0;
    for ms in [5, 20, 40, 60, 80, 100, 130, 160, 200] {
        let mut child = command(&[two_units()], &out, &FORMAT)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(ms));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        assert_no_part_of_a_product(&out, &expected, &format!("{ms} ms"));
        let (status, said, errors) = run(&[two_units()], &out, &FORMAT);
        assert_eq!((status, errors.as_str()), (0, ""), "{ms} ms: {said}");
        assert_whole(&out, &expected, &format!("{ms} ms"));
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(killed >= 3, "{killed} of 9 were killed before their end");
}

#[test]
fn a_torn_or_damaged_unit_is_measured_again() {
    let dir = folder();
    let expected = undisturbed(dir.path());
    let out = dir.path().join("undisturbed");
    let n_files = unit_files(&out).len();
    for i in 0..n_files {
        for damage in ["cut", "bit", "empty", "gone"] {
            let path = &unit_files(&out)[i];
            let mut bytes = std::fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            match damage {
                "cut" => bytes.truncate(middle),
                "bit" => bytes[middle] ^= 1,
                _ => bytes.clear(),
            }
            match damage {
                "gone" => std::fs::remove_file(path).unwrap(),
                _ => std::fs::write(path, bytes).unwrap(),
            }
            let (status, said, errors) = run(&[two_units()], &out, &FORMAT);
            assert_eq!((status, errors.as_str()), (0, ""), "{damage} {i}");
            assert!(
                said.contains("1 of them measured before"),
                "{damage} {i}: {said}"
            );
            assert_whole(&out, &expected, &format!("{damage} {i}"));
        }
    }
}

#[test]
fn other_settings_are_refused_by_name_unless_told_to_overwrite() {
    let dir = folder();
    let expected = undisturbed(dir.path());
    let out = dir.path().join("undisturbed");
    let others = files(two_units());
    for (inputs, more, says) in [
        (vec![two_units()], vec!["--vmax", "300"], "vmax was 500"),
        (
            vec![two_units()],
            vec!["--snr-min", "10"],
            "snr-min was 5.0 and is 10",
        ),
        (
            vec![two_units()],
            vec!["--arm", "red"],
            "arm was both and is red",
        ),
        (vec![others[0].as_path()], vec![], "are not among those"),
    ] {
        let mut args = FORMAT.to_vec();
        args.extend(more);
        let (status, _, errors) = run(&inputs, &out, &args);
        assert_eq!(status, 1, "{errors}");
        assert!(
            errors.contains(says) && errors.contains("--overwrite"),
            "{errors}"
        );
        assert_whole(&out, &expected, says);
    }
    // What changes no number is no other setting.
    for more in [&["--threads", "1"][..], &["--quiet"], &["-v"]] {
        let mut command = command(&[two_units()], &out, &[]);
        let output = match more {
            ["--threads", n] => relrv(&[
                "run".as_ref(),
                two_units().as_os_str(),
                "--out".as_ref(),
                out.as_os_str(),
                "--threads".as_ref(),
                std::ffi::OsStr::new(n),
                FORMAT[0].as_ref(),
                FORMAT[1].as_ref(),
            ]),
            more => command.args(more).args(FORMAT).output().unwrap(),
        };
        assert_eq!(told(&output).0, 0);
        assert_whole(&out, &expected, more[0]);
    }
    // Overwritten, nothing of the old run stays.
    let (status, _, errors) = run(
        &[two_units()],
        &out,
        &["--format", "csv", "--arm", "red", "--overwrite"],
    );
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(!out.join("catalogue.fits").exists());
    assert_eq!(record(&out)["config"]["arm"], "red");
    let (status, _, _) = run(
        &[two_units()],
        &out,
        &["--format", "fits,csv", "--overwrite"],
    );
    assert_eq!(status, 0);
    assert_whole(&out, &expected, "overwritten");
    // Without a page of its own it leaves none of an older run, but what others put beside it.
    std::fs::write(out.join("report/mine.txt"), "mine").unwrap();
    let (status, _, errors) = run(&[two_units()], &out, &["--format", "mrt", "--overwrite"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let left: Vec<PathBuf> = std::fs::read_dir(out.join("report"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left, [out.join("report/mine.txt")]);
}

#[test]
fn files_that_no_run_wrote_are_not_replaced() {
    let dir = folder();
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("catalogue.fits"), "mine").unwrap();
    std::fs::write(out.join("notes.txt"), "mine too").unwrap();
    let (status, _, errors) = run(&[two_units()], &out, &[]);
    assert_eq!(status, 1);
    assert!(
        errors.contains("catalogue.fits is there already"),
        "{errors}"
    );
    assert_eq!(products(&out).len(), 2);
    assert!(!out.join(".relrv").exists());
    assert_eq!(run(&[two_units()], &out, &["--overwrite"]).0, 0);
    assert_eq!(std::fs::read(out.join("notes.txt")).unwrap(), b"mine too");
}

/// A copy of the plate, and the directory of its run.
fn own_plate(dir: &Path) -> (PathBuf, PathBuf) {
    let plate = dir.join("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(two_units(), &plate);
    (plate, dir.join("out"))
}

#[test]
fn only_units_whose_files_changed_are_measured_again() {
    let dir = folder();
    let (plate, out) = own_plate(dir.path());
    assert_eq!(run(&[&plate], &out, &FORMAT).0, 0);
    let before = products(&out);
    let reused = |said: &str| {
        let line = said.lines().find(|l| l.starts_with("units")).unwrap();
        let after = line
            .split('(')
            .nth(1)
            .map_or("0", |t| t.split(' ').next().unwrap());
        after.parse::<usize>().unwrap()
    };
    let (_, said, _) = run(&[&plate], &out, &FORMAT);
    assert_eq!(reused(&said), 2);
    // A newer file of the same content is the same file; one of other content is not.
    let file = &files(&plate)[0];
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes).unwrap();
    let (_, said, _) = run(&[&plate], &out, &FORMAT);
    assert_eq!(reused(&said), 2, "{said}");
    assert!(products(&out) == before);
    std::fs::write(file, gzip(&gunzip(file))).unwrap();
    let (_, said, _) = run(&[&plate], &out, &FORMAT);
    assert_eq!(reused(&said), 1, "{said}");
    assert!(
        said.contains("(1 measured again: their files changed"),
        "{said}"
    );
    assert!(products(&out) == before);
    // A file that is gone is no longer in the catalogue; back again, it is.
    std::fs::remove_file(file).unwrap();
    let (status, said, _) = run(&[&plate], &out, &FORMAT);
    assert_eq!(
        (status, reused(&said), count(&said, "measured")),
        (0, 1, 60)
    );
    std::fs::write(file, &bytes).unwrap();
    let (status, said, _) = run(&[&plate], &out, &FORMAT);
    assert_eq!(
        (status, reused(&said), count(&said, "measured")),
        (0, 1, 64)
    );
    assert!(products(&out) == before);
    assert_eq!(unit_files(&out).len(), 4);
    // A whole unit that is gone takes its files along.
    let spid = name_of(file).split("_sp").nth(1).unwrap()[..2].to_owned();
    for file in files(&plate) {
        if name_of(&file).contains(&format!("_sp{spid}")) {
            std::fs::remove_file(file).unwrap();
        }
    }
    let (status, said, _) = run(&[&plate], &out, &FORMAT);
    assert_eq!(
        (status, reused(&said), count(&said, "measured")),
        (0, 1, 32)
    );
    assert_eq!(unit_files(&out).len(), 2);
}

/// Waits until the first unit is on disk.
#[cfg(unix)]
fn wait_for_a_unit(out: &Path) {
    for _ in 0..4000 {
        let units = std::fs::read_dir(out.join(".relrv/units"));
        if units.is_ok_and(|mut e| e.any(|e| name_of(&e.unwrap().path()).ends_with(".json"))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("no unit was written");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let dir = folder();
    let plate = big_plate();
    let expected = {
        let out = dir.path().join("undisturbed");
        assert_eq!(run(&[plate], &out, &FORMAT).0, 0);
        products(&out)
    };
    let out = dir.path().join("out");
    let child = command(&[plate], &out, &FORMAT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_a_unit(&out);
    // While it runs nobody else may.
    let (status, _, errors) = run(&[plate], &out, &FORMAT);
    assert_eq!(status, 1);
    assert!(errors.contains("another relrv run works in"), "{errors}");
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let (status, said, errors) = told(&child.wait_with_output().unwrap());
    assert_eq!((status, said.as_str()), (130, ""), "{errors}");
    assert!(errors.contains("the same command goes on"), "{errors}");
    assert!(
        errors.starts_with("stopped: ") && errors.contains(" of 4 units"),
        "{errors}"
    );
    assert!(products(&out).is_empty() && !out.join("run.json").exists());
    let (status, said, errors) = run(&[plate], &out, &FORMAT);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(said.contains("of them measured before"), "{said}");
    assert!(products(&out) == expected);
}

/// Four spectrographs, 240 spectra each: long enough to be stopped in the middle.
#[cfg(unix)]
fn big_plate() -> &'static Path {
    use relrv::lab::simulate::Config;
    static PLATE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    PLATE.get_or_init(|| {
        made_once(Config {
            out: "four-units".into(),
            seed: 32,
            stars: 15,
            nights: 4,
            exposures: 2,
            spectrographs: 4,
            snr: (20.0, 80.0),
            ..Config::default()
        })
    })
}

/// As with a directory that is not mounted.
#[test]
fn an_empty_input_takes_nothing_from_what_was_measured() {
    let dir = folder();
    let (input, out) = (dir.path().join("in"), dir.path().join("out"));
    std::fs::create_dir(&input).unwrap();
    for file in files(two_units()) {
        std::fs::copy(&file, input.join(name_of(&file))).unwrap();
    }
    assert_eq!(run(&[&input], &out, &FORMAT).0, 0);
    let units = unit_files(&out);
    assert_eq!(units.len(), 4);
    let away = dir.path().join("away");
    std::fs::rename(&input, &away).unwrap();
    std::fs::create_dir(&input).unwrap();
    assert_eq!(run(&[&input], &out, &FORMAT).0, 1);
    assert_eq!(unit_files(&out), units);
    std::fs::remove_dir(&input).unwrap();
    std::fs::rename(&away, &input).unwrap();
    let (status, said, errors) = run(&[&input], &out, &FORMAT);
    assert_eq!(status, 0, "{errors}");
    assert!(said.contains("measured before"), "{said}");
}
