//! Inputs on which the program could wait or work for ever: it must end.
#![cfg(unix)]

use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run_support::*;
use crate::support::*;

/// Exit status and standard error of the program, which must end within a minute.
fn ends<S: AsRef<OsStr>>(args: &[S]) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relrv"))
        .args(args)
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
        .current_dir(root())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            child.wait().unwrap();
            let args: Vec<_> = args.iter().map(|a| a.as_ref().to_owned()).collect();
            panic!("no end: {args:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let status = output.status.code().expect("no signal ended it");
    (status, String::from_utf8(output.stderr).unwrap())
}

/// Replaces the first numbers of a column in a CSV file.
fn spoil(text: &str, column: usize, values: &[&str]) -> String {
    let mut values = values.iter();
    let lines = text.lines().enumerate().map(|(i, line)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if i > 0
            && let Some(value) = values.next()
        {
            cells[column] = value;
        }
        cells.join(",") + "\n"
    });
    lines.collect()
}

#[test]
fn a_report_is_drawn_whatever_numbers_the_products_hold() {
    let dir = folder();
    let out = dir.path();
    let text = out.to_str().unwrap();
    let (status, _, errors) = run(&[two_units()], out, &["--format", "csv"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let page = || std::fs::read_to_string(out.join("report/index.html")).unwrap();
    assert!(!page().contains("left out of the figures"));
    let texts = [
        "source_id",
        "planid",
        "arm",
        "constant",
        "variable",
        "not_judged",
        "sb2_candidate",
    ];
    let mut n = 0;
    for product in ["catalogue.csv", "stars.csv", "zeropoints.csv"] {
        let path = out.join(product);
        let sound = std::fs::read_to_string(&path).unwrap();
        let names: Vec<String> = sound
            .lines()
            .next()
            .unwrap()
            .split(',')
            .map(str::to_owned)
            .collect();
        let numbers = (0..names.len()).filter(|i| !texts.contains(&names[*i].as_str()));
        let mut all = sound.clone();
        for column in numbers {
            let few = spoil(
                &sound,
                column,
                &["1e308", "-1e308", "inf", "-inf", "NaN", "1e-308"],
            );
            std::fs::write(&path, few).unwrap();
            assert_eq!(
                ends(&["report", text]),
                (0, String::new()),
                "{product} {}",
                names[column]
            );
            all = spoil(&all, column, &["-1e308", "1e308", "1e17", "-1e9", "1e9"]);
            n += 1;
        }
        std::fs::write(&path, all).unwrap();
        assert_eq!(ends(&["report", text]), (0, String::new()), "{product}");
    }
    assert!(n > 30, "{n} columns");
    assert!(page().contains("left out of the figures"));
}

#[test]
fn too_many_threads_are_wrong_usage() {
    for command in ["measure", "run"] {
        for n in ["1025", "10000", "99999999999999999999"] {
            let (status, errors) = ends(&[command, "x", "--out", "y.fits", "--threads", n]);
            assert_eq!(status, 64, "{errors}");
            assert!(errors.contains("--threads"), "{errors}");
        }
        let (_, errors) = ends(&[command, "x", "--out", "y.fits", "--threads", "10000"]);
        assert!(errors.contains("from 0 to 1024"), "{errors}");
    }
    let dir = folder();
    let out = dir.path().join("rv.fits");
    let (out, plate) = (out.to_str().unwrap(), small_plate().to_str().unwrap());
    let args = [
        "measure",
        plate,
        "--out",
        out,
        "--backend",
        "cpu",
        "--threads",
        "1024",
    ];
    assert_eq!(ends(&args), (0, String::new()));
}

fn fifo(path: PathBuf) -> PathBuf {
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

/// `@` and the path.
fn list_of(path: &Path) -> String {
    format!("@{}", path.display())
}

#[test]
fn pipes_and_devices_are_named_and_not_waited_for() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    let plate = at("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(small_plate(), &plate);
    fifo(plate.join("med-1-pipe.fits"));
    symlink("/dev/zero", plate.join("med-2-zero.fits.gz")).unwrap();
    let list = at("list.txt");
    std::fs::write(&list, "pipe\n/dev/zero\n").unwrap();
    let pipe = fifo(at("pipe"));
    let out = at("rv.csv");
    let inputs = [
        plate.display().to_string(),
        list_of(&list),
        list_of(&pipe),
        "@/dev/zero".to_owned(),
        pipe.display().to_string(),
    ];
    let mut args = vec![
        "measure".to_owned(),
        "--out".to_owned(),
        out.display().to_string(),
    ];
    args.extend(inputs);
    let (status, errors) = ends(&args);
    assert_eq!(status, 2, "{errors}");
    let rejected = rejections(&out);
    assert_eq!(rejected.len(), 7, "{rejected:?}");
    for r in &rejected {
        assert!(r[3].contains("not a regular file"), "{r:?}");
    }
    assert_eq!(rows(&out).len(), 32);

    for name in ["table.csv", "table.fits", "table.fits.gz", "table.parquet"] {
        let (pipe, zero) = (fifo(at(name)), at(&format!("zero-{name}")));
        symlink("/dev/zero", &zero).unwrap();
        for table in [pipe, zero] {
            let (status, errors) = ends(&[
                "calibrate".as_ref(),
                table.as_os_str(),
                "--out".as_ref(),
                at("cal").as_os_str(),
            ]);
            let expected = format!("error: {}: not a regular file\n", table.display());
            assert_eq!((status, errors), (1, expected));
        }
    }
    for config in [pipe.as_os_str(), OsStr::new("/dev/zero")] {
        let args = [
            "run".as_ref(),
            plate.as_os_str(),
            "--config".as_ref(),
            config,
        ];
        let (status, errors) = ends(&args);
        assert_eq!(status, 1);
        assert!(errors.ends_with(": not a regular file\n"), "{errors}");
    }

    let done = at("done");
    assert_eq!(run(&[small_plate()], &done, &[]).0, 0);
    for product in ["run.json", "rejected.csv", "catalogue.fits", "stars.fits"] {
        let (path, kept) = (done.join(product), at("kept"));
        std::fs::rename(&path, &kept).unwrap();
        fifo(path.clone());
        let (status, errors) = ends(&["report".as_ref(), done.as_os_str()]);
        let expected = format!("error: {}: not a regular file\n", path.display());
        assert_eq!((status, errors), (1, expected));
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(kept, path).unwrap();
    }
    assert_eq!(ends(&["report".as_ref(), done.as_os_str()]).0, 0);
}

/// Says that it is a regular file, and blocks who reads it.
#[cfg(target_os = "linux")]
#[test]
fn the_log_of_the_kernel_is_not_waited_for() {
    let log = "/proc/kmsg";
    // Not everybody may open it, and not every system has it.
    if std::fs::File::open(log).is_err() {
        println!("skipped: {log} cannot be opened");
        return;
    }
    let dir = folder();
    let out = dir.path().join("rv.csv");
    let out = out.to_str().unwrap();
    assert_eq!(ends(&["measure", log, "@/proc/kmsg", "--out", out]).0, 1);
    let (status, errors) = ends(&["run", "x", "--out", out, "--config", log]);
    assert_eq!(status, 1, "{errors}");
    let table = dir.path().join("table.csv");
    symlink(log, &table).unwrap();
    let (status, errors) = ends(&["calibrate", table.to_str().unwrap(), "--out", out]);
    assert_eq!(status, 1);
    assert!(errors.contains("found an empty file"), "{errors}");
}
