//! A run that is stopped keeps the stars that it has measured, also those of units that are not whole.

use std::path::Path;
use std::sync::Mutex;

use relrv::Error;
use relrv::calibrate::arms::CalibrateOptions;
use relrv::likelihood::Cpu;
use relrv::measure::Progress;
use relrv::run::{ProductFormat, RunConfig};

use crate::run_support::*;
use crate::support::*;

/// Stops a run when so many files more than at its start are done.
struct Stops {
    after: usize,
    /// Files that were done at the start, and those that are.
    done: Mutex<Option<(usize, usize)>>,
}

impl Progress for Stops {
    fn files(&self, done: usize, _: usize) {
        let mut seen = self.done.lock().unwrap();
        let first = seen.map_or(done, |(first, _)| first);
        *seen = Some((first, done));
    }

    fn cancelled(&self) -> bool {
        let done = *self.done.lock().unwrap();
        done.is_some_and(|(first, done)| done >= first + self.after)
    }
}

fn config(out: &Path) -> RunConfig {
    RunConfig {
        inputs: vec![two_units().to_owned()],
        out: out.to_owned(),
        measure: default_config(),
        calibrate: CalibrateOptions::default(),
        formats: vec![ProductFormat::Csv],
        flags_text: false,
        overwrite: false,
        backend: "CPU".to_owned(),
    }
}

/// Files that were done at the start, those that are at the end, and what was said if it was stopped.
fn start(out: &Path, after: usize) -> (usize, usize, Option<String>) {
    let stops = Stops {
        after,
        done: Mutex::default(),
    };
    let said = match relrv::run::run(&config(out), &Cpu, &stops) {
        Ok(_) => None,
        Err(Error::Interrupted(said)) => Some(said),
        Err(error) => panic!("{error}"),
    };
    let (first, done) = stops.done.into_inner().unwrap().unwrap();
    (first, done, said)
}

/// Files with the stars of units that are not whole.
fn n_begun(out: &Path) -> usize {
    std::fs::read_dir(out.join(".relrv/begun")).unwrap().count()
}

#[test]
fn stars_that_are_measured_are_kept_however_often_a_run_is_stopped() {
    let dir = folder();
    let whole = dir.path().join("whole");
    assert_eq!(start(&whole, usize::MAX).2, None);
    let expected = products(&whole);

    let out = dir.path().join("out");
    let (mut n_before, mut n_starts, mut n_told) = (0, 0, 0);
    loop {
        // A star has two files.
        let (first, done, said) = start(&out, 2);
        assert!(first >= n_before, "{first} of {n_before} files are kept");
        n_before = done;
        n_starts += 1;
        let Some(said) = said else { break };
        assert!(done > first, "{said}");
        let is_within = said.contains("star");
        assert_eq!(is_within, n_begun(&out) > 0, "{said}");
        n_told += usize::from(is_within);
    }
    assert!(n_starts > 3 && n_told > 2, "{n_starts}, {n_told}");
    assert_eq!(products(&out), expected);
    assert_eq!(n_begun(&out), 0);
}

#[test]
fn stars_that_are_kept_and_damaged_are_measured_again() {
    let dir = folder();
    let whole = dir.path().join("whole");
    assert_eq!(start(&whole, usize::MAX).2, None);
    let expected = products(&whole);
    for ending in ["json", "parquet"] {
        let out = dir.path().join(ending);
        let said = start(&out, 4).2.unwrap();
        assert!(said.contains("star"), "{said}");
        for entry in std::fs::read_dir(out.join(".relrv/begun")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == ending) {
                let mut bytes = std::fs::read(&path).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(&path, bytes).unwrap();
            }
        }
        let (first, _, said) = start(&out, usize::MAX);
        assert_eq!((first % 8, said), (0, None), "whole units alone");
        assert_eq!(products(&out), expected);
    }
}
