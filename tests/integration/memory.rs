//! Memory of `relrv measure` and `relrv run` does not grow with the number of files.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::fits_edit::{join, recount, split};
use crate::support::*;

/// More files than the program keeps in memory at once.
const N_FILES: usize = 500;

/// Makes files of one blue exposure each, every one of another star: copies with another position.
pub fn many_stars(folder: &Path, n: usize) {
    let mut hdus = split(&gunzip(&files(small_plate())[0]));
    hdus.truncate(4);
    hdus.drain(1..3);
    recount(&mut hdus);
    for i in 0..n {
        hdus[0].set("RA", &format!("{:.6}", 10.0 + 0.01 * i as f64));
        let name = format!("med-58630-MANY_sp01-{i:05}.fits");
        std::fs::write(folder.join(name), join(&hdus)).unwrap();
    }
}

/// Makes files of four exposures each, every one of another star.
fn many_whole_stars(folder: &Path, n: usize) {
    let mut hdus = split(&gunzip(&files(small_plate())[0]));
    for i in 0..n {
        hdus[0].set("RA", &format!("{:.6}", 10.0 + 0.01 * i as f64));
        let name = format!("med-58630-MANY_sp01-{i:05}.fits");
        std::fs::write(folder.join(name), join(&hdus)).unwrap();
    }
}

/// Most memory that the program held, KiB, and what it said.
fn peak_kib(command: &str, folder: &Path, out: &Path, more: &[&str]) -> (u64, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relrv"))
        // The driver of a GPU would be most of it.
        .args([command, "--backend", "cpu", "--out"])
        .args([out, folder])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // The high-water mark only rises, so the last look before the end counts; rows are written last and are few.
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(number) = line.and_then(|line| line.split_whitespace().next()) {
            peak = number.parse().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    (peak, String::from_utf8(output.stdout).unwrap())
}

#[test]
fn peak_memory_does_not_grow_with_the_number_of_files() {
    let mut peaks: [Vec<f64>; 2] = Default::default();
    for (n, n_runs) in [(N_FILES, 4), (4 * N_FILES, 3)] {
        let dir = folder();
        many_stars(dir.path(), n);
        for (command, peaks) in ["measure", "run"].into_iter().zip(&mut peaks) {
            let of_runs: Vec<u64> = (0..n_runs)
                .map(|i| {
                    let out = dir.path().join(format!("{command}{i}.fits"));
                    let (peak, said) = peak_kib(command, dir.path(), &out, &["--threads", "2"]);
                    assert_eq!((count(&said, "files in"), count(&said, "measured")), (n, n));
                    peak
                })
                .collect();
            println!("{command}, {n} files: {of_runs:?} KiB at most");
            // Each thread has a star in memory. How much of two stars is there at the same moment is a matter of chance, and so is
            // what the allocator keeps; and with more stars the largest amount is larger.
            // So the largest of four runs is compared with one run of four times the files, and that one may be tried three
            // times: memory that grows with the files does so every time.
            let peak = match n {
                N_FILES => of_runs.iter().max(),
                _ => of_runs.iter().min(),
            };
            peaks.push(*peak.unwrap() as f64);
        }
    }
    for peaks in peaks {
        assert!(peaks[0] > 1000.0);
        // On a busy machine the least of three has come out 1.3 times as large. Spectra that stayed would be 50 kB a file, 75 MB.
        assert!(peaks[1] < 1.4 * peaks[0], "{peaks:?} KiB");
    }
}

#[test]
fn with_many_threads_the_memory_is_what_was_asked_for() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    many_whole_stars(&plate, 160);
    let measured = |mib: &str| {
        let out = dir.path().join(mib).join("rv.fits");
        let more = ["--threads", "64", "--memory", mib];
        let (peak, said) = peak_kib("measure", &plate, &out, &more);
        assert_eq!(count(&said, "measured"), 4 * 160);
        println!("--memory {mib}: {peak} KiB at most");
        (peak as f64 / 1024.0, std::fs::read(out).unwrap())
    };
    let ((little, a), (much, b)) = (measured("112"), measured("2048"));
    assert!(a == b, "the memory changes what is measured");
    assert!(little < 112.0, "{little} MiB");
    // The limit it was that did it.
    assert!(much > 1.3 * little, "{little} and {much} MiB");
}

#[test]
fn a_star_that_does_not_fit_is_told_and_measured_when_there_is_room() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(small_plate(), &plate);
    // 40 files of one star, on fibres of their own.
    let mut hdus = split(&gunzip(&files(small_plate())[0]));
    hdus[0].set("RA", "123.456");
    for fibre in 100..140 {
        hdus[0].set("FIBERID", &fibre.to_string());
        std::fs::write(plate.join(format!("med-1-LARGE-{fibre}.fits")), join(&hdus)).unwrap();
    }
    let run = |out: &Path, memory| {
        let more = ["--memory", memory, "--telluric", "off"];
        crate::run_support::run(&[&plate], out, &more)
    };
    let out = dir.path().join("out");
    let (status, said, errors) = run(&out, "64");
    assert_eq!(status, 2, "{errors}");
    assert_eq!(
        (count(&said, "measured"), count(&said, "unreadable")),
        (32, 40)
    );
    assert!(
        errors.contains("its star has 40 files") && errors.contains("--memory"),
        "{errors}"
    );
    // A run with enough memory does not take this unit for complete: it measures the star that did not fit.
    let (status, said, errors) = run(&out, "2048");
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(count(&said, "measured"), 32 + 40 * 4);
    let fresh = dir.path().join("fresh");
    assert_eq!(run(&fresh, "1024").0, 0);
    use crate::run_support::products;
    assert!(products(&out) == products(&fresh));
}
