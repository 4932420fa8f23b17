//! Few file descriptors and many threads: no file is to blame.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::path::Path;
use std::process::Command;

use relrv::likelihood::Cpu;
use relrv::measure::measure;

use crate::memory::many_stars;
use crate::run_support::*;
use crate::support::*;

#[test]
fn files_that_wait_for_a_descriptor_are_read_like_others() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    many_stars(&plate, 150);
    let measured = |limit: &str| {
        let out = dir.path().join(limit).join("rv.fits");
        let line = format!(
            "ulimit -n {limit}; exec \"$RELRV\" measure {plate:?} --out {out:?} --backend cpu --threads 64"
        );
        let (status, said, errors) = told(&shell(&line));
        assert_eq!((status, errors.as_str()), (0, ""), "{limit} descriptors");
        assert_eq!(count(&said, "measured"), 150, "{limit} descriptors");
        std::fs::read(out).unwrap()
    };
    let sound = measured("1024");
    assert!(measured("16") == sound);
    assert!(measured("8") == sound);
}

#[test]
fn a_run_goes_on_with_few_descriptors() {
    let dir = folder();
    let plate = two_units();
    let sound = dir.path().join("sound");
    assert_eq!(run(&[plate], &sound, &[]).0, 0);
    let out = dir.path().join("out");
    let line = format!(
        "ulimit -n 16; exec \"$RELRV\" run {plate:?} --out {out:?} --backend cpu --threads 64"
    );
    for again in [false, true] {
        let (status, said, errors) = told(&shell(&line));
        assert_eq!((status, errors.as_str()), (0, ""));
        assert!(products(&out) == products(&sound));
        assert_eq!(
            said.contains("(2 of them measured before)"),
            again,
            "{said}"
        );
    }
}

/// Plate that [`starved`] measures.
const PLATE: &str = "RELRV_TEST_PLATE";

/// In a process of its own, in which all descriptors are taken: see the test below.
#[test]
fn starved() {
    let Some(plate) = std::env::var_os(PLATE) else {
        return;
    };
    let mut held = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        held.push(file);
    }
    let failed = measure(&default_config(), &[Path::new(&plate)], &Cpu, &()).unwrap_err();
    drop(held);
    println!("it said: {failed}");
}

#[test]
fn without_a_single_descriptor_the_work_ends_with_the_reason() {
    // A file: to list a directory takes a descriptor too.
    let file = &files(small_plate())[0];
    let output = Command::new("bash")
        .args([
            "-c",
            "ulimit -n 64; exec \"$0\" --exact descriptors::starved --nocapture",
        ])
        .arg(std::env::current_exe().unwrap())
        .env(PLATE, file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.split_once("it said: "));
    let (_, line) = line.unwrap_or_else(|| panic!("{output:?}"));
    let expected = format!(
        "{}: Too many open files (os error 24): raise the limit",
        file.display()
    );
    assert!(line.starts_with(&expected), "{line}");
}
