//! Memory of `relrv measure` does not grow with the number of files.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::fits_edit::{join, split};
use crate::support::*;

/// More files than the program keeps in memory at once.
const N_FILES: usize = 500;

/// Makes files of one blue exposure each, every one of another star: copies with another position.
fn many_stars(folder: &Path, n: usize) {
    let mut hdus = split(&gunzip(&files(small_plate())[0]));
    hdus.truncate(4);
    hdus.drain(1..3);
    for i in 0..n {
        hdus[0].set("RA", &format!("{:.6}", 10.0 + 0.01 * i as f64));
        let name = format!("med-58630-MANY_sp01-{i:05}.fits");
        std::fs::write(folder.join(name), join(&hdus)).unwrap();
    }
}

/// Most memory that the program held, KiB, and what it said.
fn peak_kib(folder: &Path, out: &Path) -> (u64, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_relrv"))
        .args(["measure", "--threads", "2", "--out"])
        .args([out, folder])
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
    let mut peaks = Vec::new();
    for n in [N_FILES, 4 * N_FILES] {
        let dir = folder();
        many_stars(dir.path(), n);
        let out = dir.path().join("rv.fits");
        // The allocator holds on to more when threads are interrupted at bad moments (once seen: 16 MiB); what grows
        // with the files does so every time.
        let mut peak = u64::MAX;
        for _ in 0..3 {
            let (once, said) = peak_kib(dir.path(), &out);
            assert_eq!((count(&said, "files in"), count(&said, "measured")), (n, n));
            peak = peak.min(once);
        }
        println!("{n} files: {peak} KiB at most");
        assert!(peak > 1000);
        peaks.push(peak as f64);
    }
    assert!(peaks[1] < 1.2 * peaks[0], "{peaks:?} KiB");
}
