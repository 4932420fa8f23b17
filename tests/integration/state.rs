//! What a run keeps in its directory is only used for the unit, the settings and the attempt that it is of.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fits_edit::{join, split};
use crate::never_lost::tree;
use crate::run_support::*;
use crate::support::*;

fn units(out: &Path) -> PathBuf {
    out.join(".relrv/units")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(name_of(&path))).unwrap();
    }
}

/// Two plates whose names differ in letters that no name of a file has, and share the 32 bits of a hash that told them apart.
#[test]
fn plates_whose_names_were_alike_are_two_units() {
    let dir = folder();
    let plate = dir.path().join("plate");
    fs::create_dir(&plate).unwrap();
    let fibre = |path: &Path| name_of(path).split("_sp").nth(1).unwrap().to_owned();
    let all = files(two_units());
    let stars: Vec<String> = all.iter().map(|f| fibre(f)).take(2).collect();
    assert_ne!(stars[0], stars[1]);
    for file in &all {
        let Some(i) = stars.iter().position(|star| *star == fibre(file)) else {
            continue;
        };
        let mut hdus = split(&gunzip(file));
        hdus[0].set("PLANID", ["'P!($=:'", "'P+;*%#'"][i]);
        hdus[0].set("SPID", "4");
        fs::write(plate.join(name_of(file)), gzip(&join(&hdus))).unwrap();
    }
    let out = dir.path().join("out");
    let (status, said, errors) = run(&[&plate], &out, &[]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!((count(&said, "units"), count(&said, "measured")), (2, 16));
    let first = products(&out);
    let (status, said, _) = run(&[&plate], &out, &[]);
    assert_eq!(status, 0);
    assert!(said.contains("2 of them measured before"), "{said}");
    assert!(products(&out) == first);
    let ids = texts(&table(&out, "catalogue.fits"), "designation");
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (8, 2));
}

#[test]
fn units_of_other_settings_are_not_taken_for_those_of_these() {
    let dir = folder();
    let other = ["--vmax", "300", "--telluric", "off"];
    let expected = {
        let out = dir.path().join("expected");
        assert_eq!(run(&[two_units()], &out, &other).0, 0);
        products(&out)
    };
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    // The user removes the products and what tells of the settings, and keeps the rest.
    let names: Vec<PathBuf> = products(&out).into_keys().map(|n| out.join(n)).collect();
    for path in names
        .into_iter()
        .chain(["run.json", ".relrv/config.json"].map(|n| out.join(n)))
    {
        fs::remove_file(path).unwrap();
    }
    // Or copies the units elsewhere.
    let copied = dir.path().join("copied");
    copy_folder(&units(&out), &units(&copied));
    for out in [&out, &copied] {
        let (status, said, errors) = run(&[two_units()], out, &other);
        assert_eq!((status, errors.as_str()), (0, ""));
        assert!(!said.contains("measured before"), "{said}");
        assert!(products(out) == expected);
    }
    // Under the same settings they are what they were.
    let again = dir.path().join("again");
    copy_folder(&units(&out), &units(&again));
    let (_, said, _) = run(&[two_units()], &again, &other);
    assert!(said.contains("2 of them measured before"), "{said}");
    assert!(products(&again) == expected);
}

#[test]
fn the_same_relative_input_in_another_folder_is_another_input() {
    let dir = folder();
    let out = dir.path().join("out");
    let from = |place: &Path| {
        let output = command(&[Path::new("plate")], &out, &["--format", "csv"])
            .current_dir(place)
            .output()
            .unwrap();
        told(&output)
    };
    // The same names, sizes and times.
    let places = ["a", "b"].map(|name| dir.path().join(name));
    for place in &places {
        let plate = place.join("plate");
        fs::create_dir_all(&plate).unwrap();
        for file in files(two_units()) {
            let copy = plate.join(name_of(&file));
            fs::copy(&file, &copy).unwrap();
            let time = fs::metadata(&file).unwrap().modified().unwrap();
            let copy = fs::File::options().write(true).open(copy).unwrap();
            copy.set_modified(time).unwrap();
        }
    }
    // Another star's file under the name of the last one.
    let in_b = files(&places[1].join("plate"));
    fs::copy(&in_b[0], in_b.last().unwrap()).unwrap();
    assert_eq!(from(&places[0]).0, 0);
    let first = products(&out);
    let (status, _, errors) = from(&places[1]);
    assert_eq!(status, 1, "{errors}");
    for place in &places {
        let path = place.join("plate");
        assert!(errors.contains(path.to_str().unwrap()), "{errors}");
    }
    let (status, said, _) = from(&places[0]);
    assert_eq!(status, 0);
    assert!(said.contains("2 of them measured before"), "{said}");
    // Where it was started is in no product.
    assert!(products(&out) == first);
    let text = fs::read_to_string(out.join("run.json")).unwrap();
    assert!(
        !text.contains(dir.path().join("a").to_str().unwrap()),
        "{text}"
    );
}

/// Only a run that began by overwriting, has the same settings and is not finished goes on when it is told to overwrite.
#[cfg(debug_assertions)] // the program has these moments only with them
#[test]
fn an_overwriting_run_that_was_killed_goes_on() {
    let dir = folder();
    let out = dir.path().join("out");
    let new = ["--overwrite", "--vmax", "400"];
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    let old = tree(&out);
    let expected = {
        let out = dir.path().join("expected");
        assert_eq!(run(&[two_units()], &out, &new).0, 0);
        products(&out)
    };
    let killed_at = |moment: usize| {
        let output = command(&[two_units()], &out, &new)
            .env("RELRV_ABORT_AT", moment.to_string())
            .output()
            .unwrap();
        assert!(output.status.code().is_none(), "not killed at {moment}");
    };
    // The note has three moments, the plan six, a unit six: one is measured.
    killed_at(16);
    assert!(tree(&out) == old);
    let (status, said, errors) = run(&[two_units()], &out, &new);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(said.contains("1 of them measured before"), "{said}");
    assert!(products(&out) == expected);
    // Finished: now it begins anew.
    let (status, said, _) = run(&[two_units()], &out, &new);
    assert_eq!(status, 0);
    assert!(
        !said.contains("measured before") && !said.contains("measured again"),
        "{said}"
    );
    assert!(products(&out) == expected);
    assert_eq!(fs::read_dir(units(&out)).unwrap().count(), 4);
    // Killed when some products are new and some old, and with other settings in between.
    killed_at(21 + 2 * 6 + 6);
    assert!(!out.join("run.json").exists());
    let (status, _, errors) = run(&[two_units()], &out, &[]);
    assert_eq!(status, 1);
    assert!(errors.contains("vmax was 400"), "{errors}");
    let (status, said, _) = run(&[two_units()], &out, &new);
    assert_eq!(status, 0);
    assert!(said.contains("2 of them measured before"), "{said}");
    assert!(products(&out) == expected);
}

/// At every third moment, old and new differ in settings and in formats.
#[cfg(debug_assertions)] // the program has these moments only with them
#[test]
fn an_overwriting_run_that_is_killed_at_any_write_mixes_nothing() {
    let dir = folder();
    let new = ["--overwrite", "--vmax", "400", "--format", "fits,csv"];
    let (old, expected) = (dir.path().join("old"), dir.path().join("expected"));
    assert_eq!(run(&[two_units()], &old, &["--format", "fits,mrt"]).0, 0);
    assert_eq!(run(&[two_units()], &expected, &new).0, 0);
    let with_record = |out: &Path| {
        let mut files = tree(out);
        files.retain(|name, _| !name.ends_with(".part") && !name.contains('/'));
        files.remove("run.json").is_some().then_some(files)
    };
    let [old_files, new_files] = [&old, &expected].map(|out| with_record(out).unwrap());
    let out = dir.path().join("out");
    let mut seen = [0; 3];
    for moment in (1..).step_by(3) {
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .arg(&old)
            .arg(&out)
            .status();
        assert!(copied.unwrap().success());
        let output = command(&[two_units()], &out, &new)
            .env("RELRV_ABORT_AT", moment.to_string())
            .output()
            .unwrap();
        if output.status.success() {
            break;
        }
        let what = match with_record(&out) {
            None => 0,
            Some(files) if files == old_files => 1,
            Some(files) => {
                assert!(files == new_files, "moment {moment}: a mixture");
                2
            }
        };
        seen[what] += 1;
        let (status, said, errors) = run(&[two_units()], &out, &new);
        assert_eq!(
            (status, errors.as_str()),
            (0, ""),
            "moment {moment}: {said}"
        );
        assert!(with_record(&out).unwrap() == new_files, "moment {moment}");
        assert!(out.join("report/index.html").exists(), "moment {moment}");
        assert_eq!(
            fs::read_dir(units(&out)).unwrap().count(),
            4,
            "moment {moment}"
        );
        assert!(!out.join(".relrv/next.json").exists(), "moment {moment}");
        fs::remove_dir_all(&out).unwrap();
    }
    // Mostly the old, then neither, then the new without its page.
    assert!(seen[1] > 10 && seen[0] > 0 && seen[2] > 5, "{seen:?}");
}

#[test]
fn a_damaged_note_is_told_once_and_overwriting_mends_it() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    let expected = products(&out);
    let note = out.join(".relrv/config.json");
    for bytes in [&b"\xff\xfe\x00"[..], b"", b"{}"] {
        fs::write(&note, bytes).unwrap();
        let (status, _, errors) = run(&[two_units()], &out, &[]);
        assert_eq!(status, 1);
        for text in ["config.json is damaged", "--overwrite"] {
            assert!(errors.contains(text), "{errors}");
        }
        assert!(products(&out) == expected);
        let (status, _, errors) = run(&[two_units()], &out, &["--overwrite"]);
        assert_eq!((status, errors.as_str()), (0, ""));
        assert!(products(&out) == expected);
        assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    }
    // A folder is somebody's: it is named, and moving it away helps.
    fs::remove_file(&note).unwrap();
    fs::create_dir(&note).unwrap();
    fs::write(note.join("mine"), "mine").unwrap();
    for more in [&[][..], &["--overwrite"]] {
        let (status, _, errors) = run(&[two_units()], &out, more);
        assert_eq!(status, 1);
        for text in ["config.json", "is a folder", "move it away"] {
            assert!(errors.contains(text), "{errors}");
        }
        assert_eq!(fs::read(note.join("mine")).unwrap(), b"mine");
    }
    fs::rename(&note, dir.path().join("moved")).unwrap();
    assert_eq!(run(&[two_units()], &out, &["--overwrite"]).0, 0);
    assert!(products(&out) == expected);
}

#[test]
fn folders_in_the_place_of_files_are_named_before_the_work() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    let expected = products(&out);
    let unit = fs::read_dir(units(&out)).unwrap().next().unwrap().unwrap();
    for path in [
        unit.path(),
        out.join("catalogue.fits"),
        out.join("run.json"),
    ] {
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("mine"), "mine").unwrap();
        let (status, _, errors) = run(&[two_units()], &out, &[]);
        assert_eq!(status, 1);
        for text in [&*name_of(&path), "is a folder", "move it away"] {
            assert!(errors.contains(text), "{errors}");
        }
        assert!(!errors.contains("goes on"), "{errors}");
        let moved = dir.path().join(name_of(&path));
        fs::rename(&path, &moved).unwrap();
        assert_eq!(fs::read(moved.join("mine")).unwrap(), b"mine");
        assert_eq!(run(&[two_units()], &out, &[]).0, 0);
        assert!(products(&out) == expected);
    }
}
