//! A plan whose units are measured one by one, by several programs, gives the products of a run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use relrv::lab::simulate::{Config, KindShares};

use crate::run_support::*;
use crate::support::*;

/// Twelve units of 3 constant stars, one night of 2 exposures: 36 files.
fn twelve_units() -> &'static Path {
    static PLATE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    PLATE.get_or_init(|| {
        made_once(Config {
            out: "twelve-units".into(),
            seed: 32,
            stars: 3,
            nights: 1,
            exposures: 2,
            spectrographs: 12,
            snr: (40.0, 80.0),
            kinds: KindShares {
                pulsator: 0.0,
                sb1: 0.0,
                sb2: 0.0,
            },
            ..Config::default()
        })
    })
}

/// `relrv words... dir more...`, not yet started.
fn on(dir: &Path, words: &[&dyn AsRef<OsStr>]) -> Command {
    let mut command = program();
    command
        .env_remove("SLURM_ARRAY_TASK_ID")
        .arg(words[0])
        .arg(dir)
        .args(&words[1..]);
    command
}

fn unit(dir: &Path, numbers: &str) -> (i32, String, String) {
    told(
        &on(dir, &[&"unit", &numbers, &"--threads", &"1"])
            .output()
            .unwrap(),
    )
}

fn merge(dir: &Path, more: &[&dyn AsRef<OsStr>]) -> (i32, String, String) {
    let words: Vec<&dyn AsRef<OsStr>> = [&"merge" as &dyn AsRef<OsStr>]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    told(&on(dir, &words).output().unwrap())
}

fn plan(inputs: &[&Path], dir: &Path, more: &[&str]) -> (i32, String, String) {
    let mut command = program();
    command.arg("plan").args(inputs).arg("--out").arg(dir);
    told(&command.args(more).output().unwrap())
}

/// States of the units by their numbers, and the reasons.
fn states(dir: &Path) -> BTreeMap<u64, (String, String)> {
    let (status, json, errors) = told(&on(dir, &[&"status", &"--json"]).output().unwrap());
    assert_eq!((status, errors.as_str()), (0, ""));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let units = json["units"].as_array().unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    units
        .iter()
        .map(|u| {
            (
                u["number"].as_u64().unwrap(),
                (text(&u["state"]), text(&u["reason"])),
            )
        })
        .collect()
}

fn n_in_state(dir: &Path, state: &str) -> usize {
    states(dir)
        .values()
        .filter(|(word, _)| word == state)
        .count()
}

fn expected(plate: &Path, dir: &Path, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let out = dir.join("expected");
    assert_eq!(run(&[plate], &out, more).0, 0);
    products(&out)
}

#[test]
fn units_one_by_one_make_the_products_of_a_run() {
    let dir = folder();
    let formats = ["--format", "fits,csv"];
    let expected = expected(two_units(), dir.path(), &formats);
    let out = dir.path().join("out");
    let (status, said, errors) = plan(&[two_units()], &out, &formats);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(
        said.contains("units           2") && said.contains("files          16"),
        "{said}"
    );
    assert!(products(&out).is_empty());
    assert_eq!(n_in_state(&out, "missing"), 2);
    // By the number of a task of Slurm.
    let mut task = on(&out, &[&"unit"]);
    let (status, said, _) = told(&task.env("SLURM_ARRAY_TASK_ID", "2").output().unwrap());
    assert_eq!(status, 0);
    assert!(
        said.contains("unit 2 (plate") && said.contains("32 velocities"),
        "{said}"
    );
    assert_eq!(states(&out)[&2].0, "done");
    // Not whole: nothing is written, and the unit is named.
    let (status, _, errors) = merge(&out, &[]);
    assert_eq!(status, 1);
    assert!(
        errors.contains("1 of 2 units") && errors.contains("unit 1 (plate"),
        "{errors}"
    );
    assert!(products(&out).is_empty());
    // A part if asked for.
    let (status, said, errors) = merge(&out, &[&"--partial"]);
    assert_eq!((status, count(&said, "measured")), (2, 32), "{errors}");
    assert!(errors.contains("unit 1 (plate"), "{errors}");
    assert!(products(&out) != expected);
    assert_eq!(unit(&out, "1-2").0, 0);
    let (status, said, errors) = merge(&out, &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(count(&said, "measured"), 64);
    assert!(products(&out) == expected);
    assert!(out.join("report/index.html").exists());
    // The run of the same inputs finds everything done.
    let (_, said, _) = run(&[two_units()], &out, &formats);
    assert!(said.contains("2 of them measured before"), "{said}");
    assert!(products(&out) == expected);
}

#[test]
fn what_does_not_fit_the_plan_is_told() {
    let dir = folder();
    let out = dir.path().join("out");
    let (status, _, errors) = unit(&out, "1");
    assert!(status == 1 && errors.contains("holds no plan"), "{errors}");
    assert!(!out.exists());
    assert_eq!(plan(&[two_units()], &out, &[]).0, 0);
    for (numbers, expected, says) in [
        ("3", 1, "of a plan that has 2"),
        ("1-3", 1, "of a plan that has 2"),
        ("0", 64, "expected the number of a unit"),
        ("2-1", 64, "expected the number of a unit"),
        ("x", 64, "expected the number of a unit"),
    ] {
        let (status, _, errors) = unit(&out, numbers);
        assert!(
            status == expected && errors.contains(says),
            "{numbers}: {errors}"
        );
    }
    let (status, _, errors) = told(&on(&out, &[&"unit"]).output().unwrap());
    assert!(
        status == 64 && errors.contains("SLURM_ARRAY_TASK_ID"),
        "{errors}"
    );
    let (status, _, errors) = merge(&out, &[&"--partial"]);
    assert!(status == 1 && errors.contains("2 of 2 units"), "{errors}");
    // Nothing to plan.
    let none = dir.path().join("none");
    std::fs::create_dir(&none).unwrap();
    let (status, _, errors) = plan(&[&none], &dir.path().join("other"), &[]);
    assert!(
        status == 1 && errors.contains("no file that could be measured"),
        "{errors}"
    );
    assert!(!dir.path().join("other").exists());
    let bad = none.join("med-1.fits");
    std::fs::write(&bad, "no stars here").unwrap();
    let (status, _, errors) = plan(&[&bad], &dir.path().join("other"), &[]);
    assert!(
        status == 1 && errors.contains("no file that could be measured"),
        "{errors}"
    );
}

#[test]
fn a_unit_that_fails_is_told_and_measured_when_its_files_are_back() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(two_units(), &plate);
    let expected = expected(&plate, dir.path(), &[]);
    let out = dir.path().join("out");
    assert_eq!(plan(&[&plate], &out, &[]).0, 0);
    let file = files(&plate)[0].clone();
    let away = dir.path().join("away");
    std::fs::rename(&file, &away).unwrap();
    let (status, _, errors) = unit(&out, "1-2");
    assert_eq!(status, 1);
    assert!(
        errors.contains(&name_of(&file)) && errors.contains("No such file"),
        "{errors}"
    );
    let failed: Vec<u64> = states(&out)
        .iter()
        .filter(|(_, s)| s.0 == "failed")
        .map(|(n, _)| *n)
        .collect();
    assert_eq!(failed.len(), 1);
    assert!(states(&out)[&failed[0]].1.contains(&name_of(&file)));
    let (status, _, errors) = merge(&out, &[]);
    assert!(
        status == 1 && errors.contains(&format!("unit {} ", failed[0])),
        "{errors}"
    );
    std::fs::rename(&away, &file).unwrap();
    let (status, said, _) = unit(&out, "1-2");
    assert_eq!(status, 0);
    assert!(said.contains("measured before"), "{said}");
    assert_eq!(n_in_state(&out, "done"), 2);
    assert_eq!(merge(&out, &[]).0, 0);
    assert!(products(&out) == expected);
}

/// Velocities that were measured now, by the lines that programs told.
fn measured_units(said: &str) -> Vec<&str> {
    said.lines()
        .filter(|l| l.contains(" velocities"))
        .map(|l| l.split(':').next().unwrap())
        .collect()
}

#[test]
fn two_programs_in_one_directory_share_the_units() {
    let dir = folder();
    let expected = expected(twelve_units(), dir.path(), &[]);
    let out = dir.path().join("out");
    assert_eq!(plan(&[twelve_units()], &out, &[]).0, 0);
    let start = || {
        on(&out, &[&"unit", &"1-12", &"--threads", &"1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let outputs = [start(), start()].map(|child| told(&child.wait_with_output().unwrap()));
    let mut all: Vec<&str> = outputs
        .iter()
        .flat_map(|(_, said, _)| measured_units(said))
        .collect();
    assert!(
        outputs
            .iter()
            .all(|(status, _, errors)| (*status, errors.as_str()) == (0, "")),
        "{outputs:?}"
    );
    all.sort_unstable();
    let n = all.len();
    all.dedup();
    assert_eq!((n, all.len()), (12, 12), "{outputs:?}");
    assert_eq!(merge(&out, &[]).0, 0);
    assert!(products(&out) == expected);
}

#[test]
fn programs_that_are_killed_leave_their_units_to_others() {
    let dir = folder();
    let expected = expected(twelve_units(), dir.path(), &[]);
    let mut killed = 0;
    for moment in 0..20u64 {
        let out = dir.path().join(format!("out{moment}"));
        assert_eq!(plan(&[twelve_units()], &out, &[]).0, 0);
        let start = |numbers: &str| {
            on(&out, &[&"unit", &numbers, &"--threads", &"1"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let (mut doomed, other) = (start("1-12"), start("1-12"));
        std::thread::sleep(Duration::from_millis(10 + 12 * moment));
        doomed.kill().unwrap();
        let doomed = doomed.wait_with_output().unwrap();
        killed += usize::from(!doomed.status.success());
        let doomed = String::from_utf8(doomed.stdout).unwrap();
        let (status, other, errors) = told(&other.wait_with_output().unwrap());
        assert_eq!((status, errors.as_str()), (0, ""), "moment {moment}");
        // The unit of the killed one is left to be done, or was taken over.
        assert_eq!(n_in_state(&out, "running"), 0, "moment {moment}");
        let missing = n_in_state(&out, "missing");
        assert!(missing <= 1, "moment {moment}: {missing}");
        let (status, last, _) = unit(&out, "1-12");
        assert_eq!(status, 0);
        let n: usize = [&doomed, &other, &last]
            .map(|said| measured_units(said).len())
            .iter()
            .sum();
        // The killed one may have written a unit and not told it.
        assert!(
            (11..=12).contains(&n),
            "moment {moment}: {n}\n{doomed}\n{other}\n{last}"
        );
        assert_eq!(merge(&out, &[]).0, 0);
        assert!(products(&out) == expected, "moment {moment}");
    }
    assert!(killed >= 15, "{killed}");
}

#[test]
fn a_unit_of_another_machine_is_waited_for_and_taken_over() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(plan(&[two_units()], &out, &[]).0, 0);
    assert_eq!(unit(&out, "1").0, 0);
    let units = out.join(".relrv/units");
    // A claim has the name of the unit's files. The other machine has touched it just now.
    let (status, _, _) = unit(&out, "2");
    assert_eq!(status, 0);
    let names: Vec<PathBuf> = std::fs::read_dir(&units)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| name_of(p).contains("_sp") && p.extension().is_some_and(|e| e == "json"))
        .collect();
    let doomed = &names[0];
    std::fs::remove_file(doomed).unwrap();
    let claim = out.join(".relrv/claims").join(doomed.file_stem().unwrap());
    std::fs::write(&claim, "elsewhere 7 other-machine 12\n").unwrap();
    assert_eq!(n_in_state(&out, "running"), 1);
    let waiting = on(&out, &[&"unit", &"1-2", &"--threads", &"1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(900));
    assert_eq!(n_in_state(&out, "done"), 1);
    // The other one ends without having measured it.
    std::fs::remove_file(&claim).unwrap();
    let (status, said, _) = told(&waiting.wait_with_output().unwrap());
    assert_eq!(status, 0);
    assert!(
        said.contains("process 7 on elsewhere works on it") && said.contains("velocities"),
        "{said}"
    );
    assert_eq!(n_in_state(&out, "done"), 2);
}

#[test]
fn a_damaged_plan_is_made_again_and_another_one_is_told() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(plan(&[two_units()], &out, &[]).0, 0);
    let state = out.join(".relrv");
    let body = std::fs::read_dir(&state)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| name_of(p).starts_with("plan-"))
        .unwrap();
    let good = std::fs::read(&body).unwrap();
    let mut bad = good.clone();
    bad[100] ^= 1;
    std::fs::write(&body, bad).unwrap();
    let (status, _, errors) = unit(&out, "1");
    assert!(
        status == 1 && errors.contains("relrv plan makes it again"),
        "{errors}"
    );
    assert_eq!(plan(&[two_units()], &out, &[]).0, 0);
    assert!(std::fs::read(&body).unwrap() == good);
    // A task of an older plan does nothing.
    let hash = name_of(&body)["plan-".len()..].replace(".units", "");
    for (hash, expected) in [("0123", 1), (hash.as_str(), 0)] {
        let task = on(&out, &[&"unit", &"1", &"--plan", &hash])
            .output()
            .unwrap();
        let (status, _, errors) = told(&task);
        assert_eq!(status, expected, "{errors}");
        assert!(expected == 0 || errors.contains("another plan"), "{errors}");
    }
}

#[test]
fn relative_inputs_are_found_from_any_folder() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(two_units(), &plate);
    let from = |place: &Path, words: &[&str]| {
        told(&program().current_dir(place).args(words).output().unwrap())
    };
    assert_eq!(
        from(dir.path(), &["run", "plate", "--out", "expected"]).0,
        0
    );
    assert_eq!(from(dir.path(), &["plan", "plate", "--out", "out"]).0, 0);
    let (status, said, errors) = from(&plate, &["unit", "../out", "1-2"]);
    assert_eq!((status, errors.as_str()), (0, ""), "{said}");
    assert_eq!(from(&plate, &["merge", "../out"]).0, 0);
    assert!(products(&dir.path().join("out")) == products(&dir.path().join("expected")));
}
