//! Standard output or standard error that nobody reads, or that is on a full disk: the work is done all the same.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run_support::*;
use crate::support::*;

/// Where output goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Out {
    /// To a pipe whose reader has gone, as behind `| head`.
    ClosedPipe,
    /// To a disk that is full.
    Full,
    /// To nobody.
    Null,
}

impl From<Out> for Stdio {
    fn from(out: Out) -> Stdio {
        match out {
            Out::ClosedPipe => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                writer.into()
            }
            Out::Full => File::options()
                .write(true)
                .open("/dev/full")
                .unwrap()
                .into(),
            Out::Null => Stdio::null(),
        }
    }
}

/// Exit status of the program with such outputs; it must not be killed by a signal.
fn status<S: AsRef<std::ffi::OsStr>>(args: &[S], stdout: Out, stderr: Out) -> i32 {
    let status = Command::new(env!("CARGO_BIN_EXE_relrv"))
        .args(args)
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
        .current_dir(root())
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr))
        .status()
        .unwrap();
    status.code().expect("no signal ended it")
}

/// Every way of not being read.
const NOT_READ: [(Out, Out); 5] = [
    (Out::ClosedPipe, Out::Null),
    (Out::Null, Out::ClosedPipe),
    (Out::ClosedPipe, Out::ClosedPipe),
    (Out::Full, Out::Null),
    (Out::Null, Out::Full),
];

/// A plate with a file that is none, so that there is something to say on standard error.
fn plate_with_a_defect(dir: &Path) -> std::path::PathBuf {
    let plate = dir.join("plate");
    std::fs::create_dir(&plate).unwrap();
    for file in &files(small_plate())[..4] {
        std::fs::copy(file, plate.join(name_of(file))).unwrap();
    }
    std::fs::write(plate.join("med-1-not-fits.fits"), "no stars here").unwrap();
    plate
}

#[test]
fn tables_are_written_where_nobody_reads_what_is_said() {
    let dir = folder();
    let plate = plate_with_a_defect(dir.path());
    let (plate, at) = (plate.to_str().unwrap(), |name: &str| {
        dir.path().join(name).display().to_string()
    });
    let measure = |out: &str, a, b| {
        let args = ["measure", plate, "--out", out, "-v", "--backend", "cpu"];
        status(&args, a, b)
    };
    assert_eq!(measure(&at("whole.fits"), Out::Null, Out::Null), 2);
    let whole = std::fs::read(at("whole.fits")).unwrap();
    for (i, (stdout, stderr)) in NOT_READ.into_iter().enumerate() {
        let out = at(&format!("{i}.fits"));
        assert_eq!(measure(&out, stdout, stderr), 2, "{stdout:?} {stderr:?}");
        // The name of the extension is that of the file.
        let length = std::fs::metadata(&out).unwrap().len();
        assert_eq!(length, whole.len() as u64, "{stdout:?} {stderr:?}");

        let out = at(&format!("cal{i}"));
        let args = ["calibrate", &at("whole.fits"), "--out", &out];
        assert_eq!(status(&args, stdout, stderr), 0, "{stdout:?} {stderr:?}");
        assert!(dir.path().join(format!("cal{i}/calibration.json")).exists());
    }
    // Nothing is open there at all.
    for (i, closed) in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"]
        .into_iter()
        .enumerate()
    {
        let out = at(&format!("closed{i}.fits"));
        let line = format!("\"$RELRV\" measure {plate} --out {out} -v --backend cpu {closed}");
        assert_eq!(shell(&line).status.code(), Some(2), "{closed}");
        assert_eq!(std::fs::metadata(&out).unwrap().len(), whole.len() as u64);
    }
}

#[test]
fn a_run_is_finished_where_nobody_reads_what_is_said() {
    let dir = folder();
    let plate = plate_with_a_defect(dir.path());
    let plate = plate.to_str().unwrap();
    let run = |out: &Path, a, b| {
        let out = out.to_str().unwrap();
        status(
            &["run", plate, "--out", out, "-v", "--backend", "cpu"],
            a,
            b,
        )
    };
    let whole = dir.path().join("whole");
    assert_eq!(run(&whole, Out::Null, Out::Null), 2);
    for (i, (stdout, stderr)) in NOT_READ.into_iter().enumerate() {
        let out = dir.path().join(i.to_string());
        assert_eq!(run(&out, stdout, stderr), 2, "{stdout:?} {stderr:?}");
        assert!(products(&out) == products(&whole), "{stdout:?} {stderr:?}");
        assert!(out.join("run.json").exists() && out.join("report/index.html").exists());
        let report = ["report", out.to_str().unwrap()];
        assert_eq!(status(&report, stdout, stderr), 0, "{stdout:?} {stderr:?}");
    }
}

#[test]
fn what_is_printed_for_its_own_sake_is_an_error_on_a_full_disk_alone() {
    let dir = folder();
    let (plate, out) = (small_plate().to_str().unwrap(), dir.path().join("out"));
    let out = out.to_str().unwrap();
    for args in [
        &["completions", "bash"][..],
        &["man"],
        &["devices"],
        &["devices", "--json"],
        &["--help"],
        &["run", "--help"],
        &["--version"],
        &["run", plate, "--out", out, "--dry-run", "--backend", "cpu"],
    ] {
        assert_eq!(status(args, Out::Null, Out::Null), 0, "{args:?}");
        assert_eq!(status(args, Out::ClosedPipe, Out::Null), 0, "{args:?}");
        assert_eq!(status(args, Out::Full, Out::Null), 1, "{args:?}");
    }
    // Silent: a reader that has seen enough is no error.
    let mut command = Command::new(env!("CARGO_BIN_EXE_relrv"));
    command.arg("man").stdout(Stdio::from(Out::ClosedPipe));
    let output = command.stderr(Stdio::piped()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    // Errors have their status, heard or not.
    for stderr in [Out::ClosedPipe, Out::Full] {
        assert_eq!(status(&["measure", "--no-such"], Out::Null, stderr), 64);
        assert_eq!(status(&["report", out], Out::Null, stderr), 1);
    }
}
