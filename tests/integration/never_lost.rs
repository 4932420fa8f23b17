//! Nothing of the user's is lost: inputs, products of other commands, files that nobody gave the program, what was measured.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run_support::*;
use crate::support::*;

/// Content of every file below a folder by its path from there, but of the state; links as where they lead to.
pub fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().display().to_string();
            let meta = fs::symlink_metadata(&path).unwrap();
            if meta.is_symlink() {
                let to = fs::read_link(&path).unwrap();
                found.insert(name, format!("-> {}", to.display()).into_bytes());
            } else if meta.is_dir() && name != ".relrv" {
                open.push(path);
            } else if meta.is_file() {
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The program with arguments of any kind.
pub fn call(args: &[&dyn AsRef<OsStr>]) -> (i32, String, String) {
    let args: Vec<&OsStr> = args.iter().map(|a| a.as_ref()).collect();
    told(&relrv(&args))
}

/// One file of the plate, not compressed, so that a table can have its name.
fn one_fits(dir: &Path) -> PathBuf {
    let path = dir.join("med-1.fits");
    fs::write(&path, gunzip(&files(two_units())[0])).unwrap();
    path
}

pub fn assert_refused((status, said, errors): (i32, String, String), says: &[&str]) {
    assert_eq!((status, said.as_str()), (1, ""), "{errors}");
    for text in says {
        assert!(errors.contains(text), "{text}: {errors}");
    }
}

const SAME: &str = "is the same file as the input";

#[test]
fn measure_never_replaces_an_input() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let fits = one_fits(dir.path());
    fs::hard_link(&fits, at("hard.fits")).unwrap();
    std::os::unix::fs::symlink(&fits, at("link.fits")).unwrap();
    fs::write(at("list.csv"), "med-1.fits\n").unwrap();
    fs::write(at("a.rejected.csv"), "file,hdu,reason,detail\n").unwrap();
    let before = tree(dir.path());
    let list = format!("@{}", at("list.csv").display());
    let inside = at("./med-1.fits");
    let cases: [(&dyn AsRef<OsStr>, &dyn AsRef<OsStr>); 7] = [
        (&fits, &fits),
        (&fits, &inside),
        (&fits, &at("hard.fits")),
        (&fits, &at("link.fits")),
        (&dir.path(), &fits),
        (&list, &at("list.csv")),
        // The list of rejected inputs is an output too.
        (&at("a.rejected.csv"), &at("a.fits")),
    ];
    for (input, out) in cases {
        assert_refused(call(&[&"measure", input, &"--out", out]), &[SAME]);
        assert!(tree(dir.path()) == before);
    }
    // Nobody named this list, and it is none.
    fs::write(at("rv.rejected.csv"), "mine\n").unwrap();
    let before = tree(dir.path());
    let refused = call(&[&"measure", &fits, &"--out", &at("rv.fits")]);
    assert_refused(refused, &["rv.rejected.csv", "move it away"]);
    assert!(tree(dir.path()) == before);
}

#[test]
fn calibrate_never_replaces_its_table() {
    let dir = folder();
    let table = dir.path().join("stars.csv");
    fs::write(&table, small_table()).unwrap();
    for more in [&[][..], &["--overwrite"]] {
        let mut args: Vec<&dyn AsRef<OsStr>> = vec![&"calibrate", &table, &"--out"];
        let out = dir.path();
        args.push(&out);
        args.extend(more.iter().map(|m| m as &dyn AsRef<OsStr>));
        assert_refused(call(&args), &[SAME, "stars.csv"]);
        assert_eq!(fs::read_to_string(&table).unwrap(), small_table());
    }
}

#[test]
fn run_never_replaces_a_list_or_a_file_of_options() {
    let dir = folder();
    let list = dir.path().join("rejected.csv");
    fs::write(&list, format!("{}\n", two_units().display())).unwrap();
    let options = dir.path().join("stars.csv");
    fs::write(&options, "quiet = true\n").unwrap();
    let before = tree(dir.path());
    let named = PathBuf::from(format!("@{}", list.display()));
    let refused = run(&[&named], dir.path(), &["--overwrite"]);
    assert_refused(refused, &[SAME, "rejected.csv"]);
    let more = ["--overwrite", "--config", options.to_str().unwrap()];
    assert_refused(run(&[two_units()], dir.path(), &more), &[SAME, "stars.csv"]);
    assert!(tree(dir.path()) == before);
}

/// The files of the plate's two spectrographs in two folders.
fn two_folders(dir: &Path) -> [PathBuf; 2] {
    let folders = ["one", "two"].map(|name| dir.join(name));
    let spid = |path: &Path| name_of(path).split("_sp").nth(1).unwrap()[..2].to_owned();
    let all = files(two_units());
    let first = spid(&all[0]);
    for folder in &folders {
        fs::create_dir(folder).unwrap();
    }
    for file in all {
        let folder = &folders[usize::from(spid(&file) != first)];
        fs::copy(&file, folder.join(name_of(&file))).unwrap();
    }
    folders
}

#[test]
fn an_overwriting_run_clears_nothing_until_something_is_measured() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &["--format", "fits,csv"]).0, 0);
    let before = tree(&out);
    for (inputs, more) in [
        (vec![Path::new("mistyped")], vec!["--overwrite"]),
        (vec![two_units()], vec!["--overwrite", "--snr-min", "1e9"]),
    ] {
        assert_refused(
            run(&inputs, &out, &more),
            &["nothing could be measured", "is as it was"],
        );
        assert!(tree(&out) == before, "{more:?}");
    }
    // It goes on as if nothing had been.
    let (status, said, _) = run(&[two_units()], &out, &["--format", "fits,csv"]);
    assert_eq!(status, 0);
    assert!(said.contains("2 of them measured before"), "{said}");
    assert!(products(&out) == products_of(&before));
}

fn products_of(tree: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let is_product = |name: &&String| !name.contains('/') && *name != "run.json";
    let names = tree.keys().filter(is_product);
    names.map(|n| (n.clone(), tree[n].clone())).collect()
}

#[test]
fn an_overwriting_run_on_a_full_disk_leaves_the_old_products() {
    let dir = folder();
    let out = dir.path().join("out");
    assert_eq!(run(&[two_units()], &out, &["--format", "fits"]).0, 0);
    let before = tree(&out);
    let plate = two_units();
    // Units are smaller than this, the catalogue is larger.
    let kib = before["catalogue.fits"].len() / 1024 - 1;
    let line = format!(
        "trap '' XFSZ; ulimit -f {kib}; \"$RELRV\" run {plate:?} --out {out:?} --threads 2 --format fits --overwrite --vmax 400"
    );
    assert_refused(told(&shell(&line)), &["File too large", "the same command"]);
    assert!(tree(&out) == before);
}

#[test]
fn inputs_that_vanished_take_nothing_along() {
    let dir = folder();
    let [one, two] = two_folders(dir.path());
    let out = dir.path().join("out");
    let away = dir.path().join("away");
    let inputs = [one.as_path(), two.as_path()];
    // Not there from the beginning: nothing is lost by it.
    fs::rename(&two, &away).unwrap();
    let (status, _, errors) = run(&inputs, &out, &[]);
    assert_eq!(status, 2, "{errors}");
    assert_eq!(run(&inputs, &out, &[]).0, 2);
    fs::rename(&away, &two).unwrap();
    assert_eq!(run(&inputs, &out, &[]).0, 0);
    let (before, units) = (tree(&out), tree(&out.join(".relrv/units")));
    // Not mounted, then mounted without what it holds; with and without the products.
    for finished in [true, false] {
        if !finished {
            fs::remove_file(out.join("run.json")).unwrap();
        }
        let now = tree(&out);
        fs::rename(&two, &away).unwrap();
        assert_refused(run(&inputs, &out, &[]), &["two", "bring the input back"]);
        fs::create_dir(&two).unwrap();
        assert_refused(run(&inputs, &out, &[]), &["two", "bring the input back"]);
        assert!(tree(&out) == now && tree(&out.join(".relrv/units")) == units);
        fs::remove_dir(&two).unwrap();
        fs::rename(&away, &two).unwrap();
    }
    let (status, said, _) = run(&inputs, &out, &[]);
    assert_eq!(status, 0);
    assert!(said.contains("2 of them measured before"), "{said}");
    assert!(products(&out) == products_of(&before));
    // Everything is away.
    fs::rename(&one, dir.path().join("one-away")).unwrap();
    fs::rename(&two, &away).unwrap();
    let now = tree(&out);
    assert_refused(run(&inputs, &out, &[]), &["one", "bring the input back"]);
    assert!(tree(&out) == now && tree(&out.join(".relrv/units")) == units);
    // Meant so: then without it, and what was measured of it is kept all the same.
    fs::rename(dir.path().join("one-away"), &one).unwrap();
    let (status, said, _) = run(&inputs, &out, &["--overwrite"]);
    assert_eq!((status, count(&said, "measured")), (2, 32));
    let kept = tree(&out.join(".relrv/units"));
    assert!(
        units
            .iter()
            .all(|(name, bytes)| kept.get(name) == Some(bytes))
    );
}

#[test]
fn inputs_that_came_late_and_vanished_take_nothing_along() {
    let dir = folder();
    let [one, two] = two_folders(dir.path());
    let (out, away) = (dir.path().join("out"), dir.path().join("away"));
    // Units are smaller than this, the catalogue is larger.
    let line = format!(
        "trap '' XFSZ; ulimit -f 16; \"$RELRV\" run {one:?} {two:?} --out {out:?} --threads 2 --format csv,mrt"
    );
    for moved in [[&two, &away], [&away, &two]] {
        fs::rename(moved[0], moved[1]).unwrap();
        let (status, _, errors) = told(&shell(&line));
        assert!(status == 1 && errors.contains("File too large"), "{errors}");
    }
    let units = tree(&out.join(".relrv/units"));
    assert_eq!(units.len(), 4);
    fs::rename(&two, &away).unwrap();
    let more = ["--format", "csv,mrt"];
    let refused = run(&[&one, &two], &out, &more);
    assert_refused(refused, &["two", "bring the input back"]);
    assert!(tree(&out.join(".relrv/units")) == units);
    fs::rename(&away, &two).unwrap();
    let (status, said, _) = run(&[&one, &two], &out, &more);
    assert_eq!(status, 0);
    assert!(said.contains("2 of them measured before"), "{said}");
}

/// A table for `calibrate`: 4 stars, 4 exposures.
pub fn small_table() -> String {
    let mut rows = String::from("star,exposure,rv,rv_err\n");
    for i in 0..16 {
        rows += &format!(
            "s{},{},{},0.2\n",
            i / 4,
            i % 4,
            0.1 * f64::from((7 * i) % 5)
        );
    }
    rows
}

#[test]
fn a_directory_belongs_to_the_command_that_made_it() {
    let dir = folder();
    let (of_run, of_calibrate) = (dir.path().join("run"), dir.path().join("calibrate"));
    let table = dir.path().join("rv.csv");
    fs::write(&table, small_table()).unwrap();
    assert_eq!(run(&[two_units()], &of_run, &[]).0, 0);
    let done = call(&[&"calibrate", &table, &"--out", &of_calibrate]);
    assert_eq!(done.0, 0, "{}", done.2);
    let before = [&of_run, &of_calibrate].map(|d| tree(d));
    let catalogue = of_run.join("catalogue.fits");
    // With what tells whose it is, and with what a user may remove.
    for state in ["kept", "removed"] {
        for table in [&table, &catalogue] {
            let refused = call(&[&"calibrate", table, &"--out", &of_run]);
            assert_refused(refused, &["belongs to relrv run"]);
            let refused = call(&[&"calibrate", table, &"--out", &of_run, &"--overwrite"]);
            assert_refused(refused, &["belongs to relrv run"]);
        }
        for more in [&[][..], &["--overwrite"]] {
            let refused = run(&[two_units()], &of_calibrate, more);
            assert_refused(refused, &["belongs to relrv calibrate"]);
        }
        let refused = call(&[&"validate", &"mock", &"--out", &of_run, &"--seeds", &"1"]);
        assert_refused(refused, &["belongs to relrv run"]);
        for (out, owner) in [(&of_run, "run"), (&of_calibrate, "calibrate")] {
            let out = out.join("stars.fits");
            let refused = call(&[&"measure", &two_units(), &"--out", &out]);
            assert_refused(refused, &["stars.fits", &format!("relrv {owner}")]);
        }
        assert!(
            before == [&of_run, &of_calibrate].map(|d| tree(d)),
            "{state}"
        );
        for out in [&of_run, &of_calibrate] {
            let _ = fs::remove_dir_all(out.join(".relrv"));
        }
    }
}

#[test]
fn calibrate_replaces_its_own_and_overwrites_by_name() {
    let dir = folder();
    let (out, table) = (dir.path().join("out"), dir.path().join("rv.csv"));
    fs::write(&table, small_table()).unwrap();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("stars.csv"), "mine").unwrap();
    fs::write(out.join("notes.txt"), "mine too").unwrap();
    let calibrate = |more: &[&str]| {
        let mut args: Vec<&dyn AsRef<OsStr>> = vec![&"calibrate", &table, &"--out", &out];
        args.extend(more.iter().map(|m| m as &dyn AsRef<OsStr>));
        call(&args)
    };
    let before = tree(&out);
    assert_refused(
        calibrate(&["--format", "csv"]),
        &["stars.csv", "--overwrite"],
    );
    // Only the ending differs from what it would write: a calibration of any format is refused beside it.
    assert_refused(calibrate(&[]), &["stars.csv", "--overwrite"]);
    assert!(tree(&out) == before);
    assert_eq!(calibrate(&["--format", "csv,fits", "--overwrite"]).0, 0);
    let first = tree(&out);
    assert_eq!(first["notes.txt"], b"mine too");
    assert!(first["stars.csv"] != b"mine" && first.contains_key("stars.fits"));
    // The same again, then others.
    assert_eq!(calibrate(&["--format", "fits,csv"]).0, 0);
    assert!(tree(&out) == first);
    let refused = calibrate(&["--format", "csv"]);
    assert_refused(
        refused,
        &["holds another calibration", "format was csv,fits"],
    );
    let refused = calibrate(&["--format", "csv,fits", "--p-min", "0.1"]);
    assert_refused(refused, &["calibration was", "--overwrite"]);
    assert!(tree(&out) == first);
    // A table that cannot be used takes nothing with it.
    fs::write(&table, "star,rv\n").unwrap();
    assert_refused(calibrate(&["--format", "csv", "--overwrite"]), &["rv.csv"]);
    assert!(tree(&out) == first);
    fs::write(&table, small_table()).unwrap();
    // Neither does a full disk.
    let line = format!(
        "trap '' XFSZ; ulimit -f 2; \"$RELRV\" calibrate {table:?} --out {out:?} --overwrite --p-min 0.1"
    );
    assert_refused(told(&shell(&line)), &["File too large"]);
    assert!(tree(&out) == first);
    assert_eq!(calibrate(&["--format", "csv", "--overwrite"]).0, 0);
    let left: Vec<String> = tree(&out).into_keys().collect();
    let expected = [
        "calibrated.csv",
        "calibration.html",
        "calibration.json",
        "components.csv",
        "notes.txt",
        "stars.csv",
    ];
    assert_eq!(left, [&expected[..], &["zeropoints.csv"]].concat());
}

#[cfg(debug_assertions)] // the program has these moments only with them
#[test]
fn a_calibration_that_is_killed_at_any_write_mixes_nothing() {
    let dir = folder();
    let (out, table) = (dir.path().join("out"), dir.path().join("rv.csv"));
    fs::write(&table, small_table()).unwrap();
    let line = |before: &str, out: &Path, more: &str| {
        let line = format!("{before} \"$RELRV\" calibrate {table:?} --out {out:?} {more}");
        shell(&line).status.success()
    };
    let (old, new) = ("--format fits", "--format csv --p-min 0.1 --overwrite");
    let expected = dir.path().join("expected");
    assert!(line("", &expected, new));
    let expected = tree(&expected);
    for moment in 1.. {
        assert!(line("", &out, old));
        let before = tree(&out);
        if line(&format!("RELRV_ABORT_AT={moment}"), &out, new) {
            assert!(moment > 15);
            break;
        }
        let mut found = tree(&out);
        found.retain(|name, _| !name.ends_with(".part"));
        assert!(
            !found.contains_key("calibration.json") || found == before || found == expected,
            "moment {moment}"
        );
        assert!(line("", &out, new));
        assert!(tree(&out) == expected, "moment {moment}");
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn one_program_at_a_time_works_in_a_directory() {
    let dir = folder();
    let (out, table) = (dir.path().join("out"), dir.path().join("rv.csv"));
    fs::write(&table, small_table()).unwrap();
    assert_eq!(run(&[two_units()], &out, &[]).0, 0);
    let calibrated = dir.path().join("calibrated");
    assert_eq!(call(&[&"calibrate", &table, &"--out", &calibrated]).0, 0);
    let locks = [&out, &calibrated].map(|dir| {
        let lock = fs::File::open(dir.join(".relrv/lock")).unwrap();
        lock.lock().unwrap();
        lock
    });
    assert_refused(
        run(&[two_units()], &out, &[]),
        &["another relrv run works in"],
    );
    assert_refused(call(&[&"report", &out]), &["another relrv run works in"]);
    let refused = call(&[&"calibrate", &table, &"--out", &calibrated]);
    assert_refused(refused, &["another relrv calibrate works in"]);
    drop(locks);
    assert_eq!(call(&[&"report", &out]).0, 0);
}
