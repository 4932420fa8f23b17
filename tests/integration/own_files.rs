//! Only what is its own: files that others put beside the program's, links, parts of ended programs.

use std::fs;
use std::path::Path;

use crate::never_lost::{assert_refused, call, small_table, tree};
use crate::run_support::*;
use crate::support::*;

#[test]
fn foreign_files_in_the_report_are_named_and_left_alone() {
    let dir = folder();
    let bad = dir.path().join("med-1.fits");
    fs::write(&bad, "no stars here").unwrap();
    for name in [
        "index.html",
        "sky.svg",
        "stars.html",
        "explore/page.js",
        "explore/curves-00321.js",
    ] {
        let out = dir.path().join(name.replace(['.', '/'], "-"));
        fs::create_dir_all(out.join("report/explore")).unwrap();
        fs::write(out.join("report").join(name), "<html>mine</html>").unwrap();
        let before = tree(&out);
        for more in [&[][..], &["--overwrite"]] {
            // Before anything is read: the input is no spectrum, and nobody complains about it.
            let refused = run(&[&bad], &out, more);
            assert!(!refused.2.contains("med-1.fits"), "{}", refused.2);
            assert_refused(refused, &[name, "move it away"]);
            assert!(tree(&out) == before && !out.join(".relrv").exists());
            let more: Vec<&str> = more.iter().copied().chain(["--dry-run"]).collect();
            assert_refused(run(&[two_units()], &out, &more), &[name, "move it away"]);
        }
        // A run without a page has nothing to do with it.
        let (status, _, errors) = run(&[two_units()], &out, &["--format", "mrt"]);
        assert_eq!((status, errors.as_str()), (0, ""));
        assert_eq!(
            fs::read(out.join("report").join(name)).unwrap(),
            b"<html>mine</html>"
        );
        // Moved away, as advised.
        fs::rename(out.join("report").join(name), out.join("mine")).unwrap();
        assert_eq!(run(&[two_units()], &out, &["--overwrite"]).0, 0);
        fs::rename(out.join("mine"), out.join("report").join(name)).unwrap();
        assert_refused(call(&[&"report", &out]), &[name, "move it away"]);
        assert_eq!(
            fs::read(out.join("report").join(name)).unwrap(),
            b"<html>mine</html>"
        );
    }
}

#[test]
fn links_in_the_directory_lead_nowhere() {
    let dir = folder();
    let canary = dir.path().join("canary");
    fs::create_dir_all(canary.join("folder")).unwrap();
    for name in [
        "folder/TD_sp04-8ed716af.json",
        "folder/mine.txt",
        "mine.txt",
    ] {
        fs::write(canary.join(name), "mine").unwrap();
    }
    let before = tree(&canary);
    for (name, to) in [
        (".relrv", "folder"),
        (".relrv/units", "folder"),
        (".relrv/lock", "mine.txt"),
        (".relrv/config.json", "mine.txt"),
        ("report", "folder"),
        ("report/index.html", "mine.txt"),
        ("report/explore", "folder"),
        ("report/explore/page.js", "mine.txt"),
    ] {
        for more in [&[][..], &["--overwrite"]] {
            let out = dir.path().join("out");
            let link = out.join(name);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(canary.join(to), &link).unwrap();
            let refused = run(&[two_units()], &out, more);
            assert_refused(refused, &[name, "is a symbolic link", "move it away"]);
            assert!(tree(&canary) == before, "{name}");
            fs::remove_dir_all(&out).unwrap();
        }
    }
    // A product is replaced by name, and not what a link of its name leads to.
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    let expected = products(&out);
    for name in ["catalogue.fits", "run.json", "rejected.csv"] {
        fs::remove_file(out.join(name)).unwrap();
        std::os::unix::fs::symlink(canary.join("mine.txt"), out.join(name)).unwrap();
    }
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    assert!(products(&out) == expected && tree(&canary) == before);
}

#[test]
fn what_others_put_into_the_state_stays() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &["--format", "fits"]).0, 0);
    let units = out.join(".relrv/units");
    let notes = ["note.txt", "plate_sp04.json", "A_sp04-8ed716af.parquet"];
    for name in notes {
        fs::write(units.join(name), "mine").unwrap();
    }
    fs::create_dir(units.join("folder")).unwrap();
    fs::write(units.join("folder/inside"), "mine").unwrap();
    // Products of another format that no run wrote.
    fs::write(out.join("stars.csv"), "mine").unwrap();
    for more in [&[][..], &["--overwrite"], &["--overwrite", "--vmax", "400"]] {
        let mut args = vec!["--format", "fits"];
        args.extend(more);
        let (status, _, errors) = run(&[two_units()], &out, &args);
        assert_eq!((status, errors.as_str()), (0, ""), "{more:?}");
        for name in notes
            .into_iter()
            .chain(["folder/inside", "../../stars.csv"])
        {
            assert_eq!(fs::read(units.join(name)).unwrap(), b"mine", "{name}");
        }
    }
}

#[test]
fn parts_of_killed_programs_go_and_those_of_living_ones_stay() {
    let dir = folder();
    let (out, table) = (dir.path().join("out"), dir.path().join("rv.csv"));
    fs::write(&table, small_table()).unwrap();
    let calibrated = dir.path().join("calibrated");
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    fs::create_dir(&calibrated).unwrap();
    let measured = dir.path().join("measured");
    fs::create_dir(&measured).unwrap();
    let folders = [
        &out,
        &out.join("report"),
        &out.join("report/explore"),
        &out.join(".relrv/units"),
        &calibrated,
        &measured,
    ];
    let living: Vec<fs::File> = folders
        .iter()
        .map(|folder| {
            fs::write(folder.join(".relrv-dead01.part"), "half").unwrap();
            let file = fs::File::create(folder.join(".relrv-alive1.part")).unwrap();
            file.lock().unwrap();
            file
        })
        .collect();
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    assert_eq!(call(&[&"calibrate", &table, &"--out", &calibrated]).0, 0);
    let fits = measured.join("rv.fits");
    assert_eq!(run_measure(&[two_units()], &fits, &[]).0, 0);
    for folder in folders {
        assert!(!folder.join(".relrv-dead01.part").exists(), "{folder:?}");
        assert!(folder.join(".relrv-alive1.part").exists(), "{folder:?}");
    }
    drop(living);
    // Where a run works, others remove nothing: it holds more parts than it may have open files.
    let lock = fs::File::open(out.join(".relrv/lock")).unwrap();
    lock.lock().unwrap();
    fs::write(out.join(".relrv-dead02.part"), "whole").unwrap();
    assert_eq!(run_measure(&[two_units()], &out.join("rv.fits"), &[]).0, 0);
    assert!(out.join(".relrv-dead02.part").exists());
    drop(lock);
    assert_eq!(run_measure(&[two_units()], &out.join("rv.fits"), &[]).0, 0);
    assert!(!out.join(".relrv-dead02.part").exists());
}

#[test]
fn all_formats_are_written_with_few_open_files() {
    let dir = folder();
    let (plate, out) = (two_units(), dir.path().join("out"));
    let line = format!(
        "ulimit -n 16; \"$RELRV\" run {plate:?} --out {out:?} --threads 2 --quiet --format fits,csv,parquet,mrt"
    );
    let (status, _, errors) = told(&shell(&line));
    assert_eq!((status, errors.as_str()), (0, ""));
}

#[cfg(debug_assertions)] // the program has these moments only with them
#[test]
fn a_simulation_that_was_ended_is_gone_on_with() {
    let dir = folder();
    let whole = dir.path().join("whole");
    let settings = [
        "--seed",
        "3",
        "--stars",
        "2",
        "--nights",
        "1",
        "--exposures",
        "1",
    ];
    let line = |out: &Path, before: &str| {
        let words = settings.join(" ");
        format!("{before} \"$RELRV\" simulate --out {out:?} {words}")
    };
    assert_eq!(shell(&line(&whole, "")).status.code(), Some(0));
    let expected = tree(&whole);
    assert_eq!(expected.len(), 3);
    assert!(!whole.join(".relrv").exists());
    let full = |kib: usize| format!("trap '' XFSZ; ulimit -f {kib};");
    let kill = |moment: usize| format!("RELRV_ABORT_AT={moment}");
    // The note, the files, the truth.
    for end in [
        full(0),
        full(1),
        full(20),
        kill(1),
        kill(3),
        kill(4),
        kill(5),
        kill(6),
    ] {
        let out = dir.path().join("out");
        let ended = shell(&line(&out, &end));
        assert!(!ended.status.success(), "{end}");
        if end.starts_with("trap") {
            let (_, _, errors) = told(&ended);
            assert!(
                errors.contains("the same command makes the plate again"),
                "{errors}"
            );
        }
        if end == kill(5) {
            // Another plate is not mixed with it.
            let other = shell(&line(&out, "").replace("--seed 3", "--seed 4"));
            assert_refused(told(&other), &["was begun and not finished"]);
        }
        let (status, _, errors) = told(&shell(&line(&out, "")));
        assert_eq!((status, errors.as_str()), (0, ""), "{end}");
        assert!(
            tree(&out) == expected && !out.join(".relrv").exists(),
            "{end}"
        );
        fs::remove_dir_all(&out).unwrap();
    }
}
