//! What changed is measured, and nothing else: other settings of the calibration, other formats, more files, files that lie elsewhere.

use std::path::{Path, PathBuf};

use crate::run_support::*;
use crate::support::*;

/// Units that were measured before, as a run told.
fn reused(said: &str) -> usize {
    let line = said.lines().find(|l| l.starts_with("units")).unwrap();
    let words = line.split('(').nth(1).unwrap_or("0 ");
    words.split(' ').next().unwrap().parse().unwrap()
}

fn own_plate(dir: &Path, name: &str) -> PathBuf {
    let plate = dir.join(name);
    std::fs::create_dir(&plate).unwrap();
    copy_plate(two_units(), &plate);
    plate
}

#[test]
fn settings_that_change_no_velocity_measure_nothing() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &["--format", "fits,csv"]).0, 0);
    let mut i = 0;
    for (more, says) in [
        (&["--format", "csv"][..], "format was fits,csv and is csv"),
        (
            &["--format", "csv", "--p-min", "0.02"],
            "p-min was 0.01 and is 0.02",
        ),
        (
            &["--format", "csv", "--method", "paper"],
            "method was joint and is paper",
        ),
        (
            &["--format", "csv,mrt", "--flags-text"],
            "flags-text was false and is true",
        ),
        (&["--fibre-order", "0"], "fibre-order was auto and is 0"),
    ] {
        let (status, said, errors) = run(&[two_units()], &out, more);
        assert_eq!((status, errors.as_str()), (0, ""), "{more:?}");
        assert_eq!(reused(&said), 2, "{more:?}: {said}");
        assert!(said.contains("made again") && said.contains(says), "{said}");
        i += 1;
        let fresh = dir.path().join(format!("fresh{i}"));
        assert_eq!(run(&[two_units()], &fresh, more).0, 0);
        // Tables in formats that were not asked for are gone.
        assert!(products(&out) == products(&fresh), "{more:?}");
    }
    let (_, said, _) = run(&[two_units()], &out, &["--fibre-order", "0"]);
    assert!(!said.contains("made again"), "{said}");
}

#[test]
fn a_format_that_is_no_longer_asked_for_goes_even_if_the_program_was_killed() {
    let dir = folder();
    let out = dir.path().join("out");
    let fresh = dir.path().join("fresh");
    assert_eq!(run(&[two_units()], &fresh, &["--format", "csv"]).0, 0);
    let mut killed = 0;
    for moment in (1..).step_by(2) {
        assert_eq!(run(&[two_units()], &out, &["--format", "fits,mrt"]).0, 0);
        let output = command(&[two_units()], &out, &["--format", "csv"])
            .env("RELRV_ABORT_AT", moment.to_string())
            .output()
            .unwrap();
        if output.status.success() {
            break;
        }
        killed += 1;
        let (status, said, errors) = run(&[two_units()], &out, &["--format", "csv"]);
        assert_eq!(
            (status, errors.as_str()),
            (0, ""),
            "moment {moment}: {said}"
        );
        assert_eq!(reused(&said), 2, "moment {moment}: {said}");
        assert!(products(&out) == products(&fresh), "moment {moment}");
    }
    assert!(!cfg!(debug_assertions) || killed > 10, "{killed}");
}

#[test]
fn the_same_files_elsewhere_are_the_same_files() {
    let dir = folder();
    let plate = own_plate(dir.path(), "plate");
    let out = dir.path().join("out");
    // What is too faint is listed with its file.
    let format = ["--format", "fits,csv", "--snr-min", "60"];
    assert_eq!(run(&[&plate], &out, &format).0, 0);
    // Another spelling, a link, a list.
    let list = dir.path().join("list.txt");
    let paths: Vec<String> = files(&plate)
        .iter()
        .map(|p| p.display().to_string())
        .collect();
    std::fs::write(&list, paths.join("\n")).unwrap();
    let at_list = PathBuf::from(format!("@{}", list.display()));
    for inputs in [
        vec![plate.join(".")],
        vec![plate.join("../plate/")],
        vec![at_list],
        files(&plate),
    ] {
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        let (status, said, errors) = run(&inputs, &out, &format);
        assert_eq!((status, errors.as_str()), (0, ""), "{inputs:?}");
        assert_eq!(reused(&said), 2, "{said}");
    }
    // Touched, and moved.
    for file in files(&plate) {
        let open = std::fs::File::options().write(true).open(file).unwrap();
        open.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(9))
            .unwrap();
    }
    let moved = dir.path().join("moved");
    std::fs::rename(&plate, &moved).unwrap();
    let (status, said, errors) = run(&[&moved], &out, &format);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(reused(&said), 2, "{said}");
    let fresh = dir.path().join("fresh");
    assert_eq!(run(&[&moved], &fresh, &format).0, 0);
    assert!(products(&out) == products(&fresh));
    let rejected = std::fs::read_to_string(out.join("rejected.csv")).unwrap();
    assert!(rejected.contains("/moved/") && !rejected.contains("/plate/"));
}

#[test]
fn more_files_are_welcome_and_other_ones_are_not() {
    let dir = folder();
    let plate = own_plate(dir.path(), "plate");
    // The second spectrograph comes later.
    let late = dir.path().join("late");
    std::fs::create_dir(&late).unwrap();
    let first = name_of(&files(&plate)[0]);
    let spid = first.split("_sp").nth(1).unwrap()[..2].to_owned();
    for file in files(&plate) {
        if !name_of(&file).contains(&format!("_sp{spid}")) {
            std::fs::rename(&file, late.join(name_of(&file))).unwrap();
        }
    }
    let out = dir.path().join("out");
    assert_eq!(run(&[&plate], &out, &[]).0, 0);
    let before = products(&out);
    let (status, _, errors) = run(&[&late], &out, &[]);
    assert_eq!(status, 1);
    assert!(
        errors.contains("8 of its 8 files are not among those") && errors.contains("--overwrite"),
        "{errors}"
    );
    assert!(products(&out) == before);
    let (status, said, errors) = run(&[&plate, &late], &out, &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(reused(&said), 1, "{said}");
    let fresh = dir.path().join("fresh");
    assert_eq!(run(&[&plate, &late], &fresh, &[]).0, 0);
    assert!(products(&out) == products(&fresh));
    // Then one of them alone is less than the directory holds.
    let (status, _, errors) = run(&[&late], &out, &[]);
    assert!(
        status == 1 && errors.contains("8 of its 16 files"),
        "{errors}"
    );
}

#[test]
fn a_table_that_no_run_wrote_is_left_alone() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    let mine = out.join("catalogue.csv");
    std::fs::write(&mine, "mine").unwrap();
    let is_mine = || std::fs::read(&mine).unwrap() == b"mine";
    let (status, _, errors) = run(&[two_units()], &out, &["--format", "fits,csv"]);
    assert_eq!(status, 1);
    assert!(
        errors.contains("catalogue.csv is there already"),
        "{errors}"
    );
    assert!(is_mine());
    // In its own formats the run goes on beside it, also after one that was killed before it wrote a table in another one.
    std::fs::remove_file(&mine).unwrap();
    if cfg!(debug_assertions) {
        let output = command(&[two_units()], &out, &["--format", "csv"])
            .env("RELRV_ABORT_AT", "3")
            .output()
            .unwrap();
        assert!(!output.status.success());
    }
    std::fs::write(&mine, "mine").unwrap();
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    assert!(is_mine());
    assert_eq!(
        run(&[two_units()], &out, &["--format", "csv", "--overwrite"]).0,
        0
    );
    assert!(!is_mine() && !out.join("catalogue.fits").exists());
}

#[test]
fn a_list_that_has_become_shorter_is_refused() {
    let dir = folder();
    let list = dir.path().join("list.txt");
    let write = |files: &[PathBuf]| {
        let lines: Vec<String> = files.iter().map(|p| p.display().to_string()).collect();
        std::fs::write(&list, lines.join("\n")).unwrap();
    };
    let all = files(two_units());
    let out = dir.path().join("out");
    let at_list = PathBuf::from(format!("@{}", list.display()));
    write(&all);
    assert_eq!(run(&[&at_list], &out, &[]).0, 0);
    write(&all[3..]);
    let (status, _, errors) = run(&[&at_list], &out, &[]);
    assert_eq!(status, 1);
    assert!(errors.contains("3 of its 16 files"), "{errors}");
    write(&all);
    assert_eq!(run(&[&at_list], &out, &[]).0, 0);
}
