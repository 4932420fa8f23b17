//! What goes wrong around a run: places that cannot be written, a full disk, files that change under its hands, damage.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use relrv::calibrate::arms::CalibrateOptions;
use relrv::likelihood::Cpu;
use relrv::measure::Progress;
use relrv::run::{Done, ProductFormat, RunConfig};

use crate::run_support::*;
use crate::support::*;

#[test]
fn a_directory_that_cannot_be_made_is_told_before_the_work() {
    let dir = folder();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    // An input that does not exist: who complains about it has begun to work. Before a directory is made there must be one, though.
    let missing = Path::new("missing.fits");
    for (out, input) in [
        (file.clone(), missing),
        (file.join("deeper"), missing),
        ("/proc/relrv-out".into(), two_units()),
    ] {
        let (status, said, errors) = run(&[input], &out, &[]);
        assert_eq!((status, said.as_str()), (1, ""));
        let at = out.ancestors().find(|p| p.exists()).unwrap();
        assert!(errors.contains(at.to_str().unwrap()), "{errors}");
        assert!(!errors.contains("missing.fits"), "{errors}");
    }
}

#[test]
fn a_full_disk_is_told_and_what_was_measured_is_kept() {
    let dir = folder();
    // No file may be larger than this many KiB: first too little for a unit, then for the catalogue only.
    let formats = "--format mrt,csv,fits";
    let plate = two_units();
    let expected = {
        let out = dir.path().join("whole");
        assert_eq!(run(&[plate], &out, &["--format", "mrt,csv,fits"]).0, 0);
        products(&out)
    };
    let largest = expected.values().map(Vec::len).max().unwrap() as u64;
    let unit_bytes = std::fs::read_dir(dir.path().join("whole/.relrv/units"))
        .unwrap()
        .map(|e| e.unwrap().metadata().unwrap().len())
        .max()
        .unwrap();
    let mut kept = 0;
    for kib in [
        0,
        4,
        unit_bytes / 1024 / 2,
        unit_bytes / 1024 + 1,
        largest / 1024 - 1,
    ] {
        let out = dir.path().join(format!("out{kib}"));
        // The shell ignores the signal that goes with the limit, so that the program sees the error of a full disk.
        let line = format!(
            "trap '' XFSZ; ulimit -f {kib}; \"$RELRV\" run {plate:?} --out {out:?} --threads 2 {formats}"
        );
        let (status, said, errors) = told(&shell(&line));
        println!("{kib} KiB: {errors}");
        assert_eq!((status, said.as_str()), (1, ""), "{kib} KiB");
        assert!(
            errors.contains("File too large") && errors.contains(out.to_str().unwrap()),
            "{errors}"
        );
        assert!(!out.join("run.json").exists());
        // Nothing stands under a final name that is not whole, and no half file under another.
        for (name, bytes) in products(&out) {
            assert!(expected[&name] == bytes, "{name}");
        }
        for dir in [out.clone(), out.join(".relrv"), out.join(".relrv/units")] {
            for entry in std::fs::read_dir(dir).unwrap() {
                let name = name_of(&entry.unwrap().path());
                assert!(!name.ends_with(".part"), "{name}");
            }
        }
        kept += usize::from(errors.contains("what was measured is kept"));
        let (status, _, errors) = run(&[plate], &out, &["--format", "mrt,csv,fits"]);
        assert_eq!((status, errors.as_str()), (0, ""));
        assert!(products(&out) == expected, "{kib} KiB");
    }
    assert!(kept >= 2, "{kept}");
}

/// Spoils files as soon as the measurement begins, after all headers were read.
struct Saboteur<'a> {
    spoil: &'a (dyn Fn() + Sync),
    is_done: AtomicBool,
}

impl Progress for Saboteur<'_> {
    fn files(&self, _: usize, _: usize) {
        if !self.is_done.swap(true, Ordering::Relaxed) {
            (self.spoil)();
        }
    }
}

fn run_spoiled(plate: &Path, out: &Path, spoil: &(dyn Fn() + Sync)) -> Done {
    let config = RunConfig {
        inputs: vec![plate.to_owned()],
        out: out.to_owned(),
        measure: default_config(),
        calibrate: CalibrateOptions::default(),
        formats: vec![ProductFormat::Fits],
        flags_text: false,
        overwrite: false,
        backend: "CPU".to_owned(),
    };
    let progress = Saboteur {
        spoil,
        is_done: AtomicBool::new(false),
    };
    relrv::run::run(&config, &Cpu, &progress).unwrap()
}

#[test]
fn files_that_vanish_or_change_while_it_runs_are_told_and_tried_again() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(two_units(), &plate);
    let all = files(&plate);
    let whole = dir.path().join("whole");
    run_spoiled(&plate, &whole, &|| {});
    let expected = products(&whole);

    let out = dir.path().join("out");
    let (gone, other) = (&all[0], &all[1]);
    let (gone_bytes, other_bytes) = (std::fs::read(gone).unwrap(), std::fs::read(other).unwrap());
    let times = [gone, other].map(|p| std::fs::metadata(p).unwrap().modified().unwrap());
    let done = run_spoiled(&plate, &out, &|| {
        std::fs::remove_file(gone).unwrap();
        // Another star's spectra under this name.
        std::fs::write(other, std::fs::read(&all[2]).unwrap()).unwrap();
    });
    let told: Vec<(String, &str, bool)> = done
        .rejected
        .iter()
        .map(|r| {
            let changed = r.detail.contains("changed while the program ran");
            (name_of(&r.path), r.reason.name(), changed)
        })
        .collect();
    let expected_told = [
        (name_of(gone), "unreadable", false),
        (name_of(other), "unreadable", true),
    ];
    assert_eq!(told, expected_told);
    assert!(
        done.rejected[0].detail.contains("No such file"),
        "{}",
        done.rejected[0]
    );
    // The good part is kept.
    assert_eq!(done.record.counts.measured, 64 - 2 * 4);
    assert_eq!(rejected(&out).len(), 2);
    assert!(out.join("run.json").exists());

    // With the old content and the old times back, their units are measured again all the same.
    for ((path, bytes), time) in [(gone, gone_bytes), (other, other_bytes)]
        .into_iter()
        .zip(times)
    {
        std::fs::write(path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    }
    let done = run_spoiled(&plate, &out, &|| {});
    assert_eq!((done.rejected.len(), done.record.counts.measured), (0, 64));
    assert_eq!(products(&out), expected);
}

#[test]
fn one_damaged_file_in_a_hundred_costs_no_other() {
    let dir = folder();
    let plate = dir.path().join("plate");
    std::fs::create_dir(&plate).unwrap();
    copy_plate(two_units(), &plate);
    let sound = dir.path().join("sound");
    assert_eq!(run(&[two_units()], &sound, WATER_LEFT).0, 0);

    // 1 % of the bytes of one file and a cut in the middle of another, in different units.
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let all = files(&plate);
    let unit = |path: &Path| name_of(path).split("_sp").nth(1).unwrap()[..2].to_owned();
    let first = &all[0];
    let second: &PathBuf = all.iter().rev().find(|p| unit(p) != unit(first)).unwrap();
    let mut bytes = std::fs::read(first).unwrap();
    for _ in 0..bytes.len() / 100 {
        let place = rng.random_range(1000..bytes.len());
        bytes[place] ^= 1 << rng.random_range(0..8);
    }
    std::fs::write(first, &bytes).unwrap();
    let bytes = std::fs::read(second).unwrap();
    std::fs::write(second, &bytes[..bytes.len() / 2]).unwrap();

    let out = dir.path().join("out");
    let (status, said, errors) = run(&[&plate], &out, WATER_LEFT);
    assert_eq!(status, 2, "{errors}");
    assert_eq!(count(&said, "bad_gzip"), 2);
    for path in [first, second] {
        assert!(errors.contains(path.to_str().unwrap()), "{errors}");
    }
    assert_eq!(rejected(&out).len(), 2);
    assert_eq!(count(&said, "measured"), 64 - 8);
    // Stars without a damaged file have the velocities of the sound plate.
    let rows = |dir: &Path| -> std::collections::BTreeMap<_, _> {
        let catalogue = table(dir, "catalogue.fits");
        let column = |name: &str| texts(&catalogue, name);
        let (spid, fibre, lmjm) = (column("spid"), column("fiberid"), column("lmjm"));
        let (red, blue) = (column("drv_r"), column("drv_b"));
        (0..catalogue.n_rows())
            .map(|i| {
                let key = (spid[i].clone(), fibre[i].clone(), lmjm[i].clone());
                (key, (red[i].clone(), blue[i].clone()))
            })
            .collect()
    };
    let (before, after) = (rows(&sound), rows(&out));
    assert_eq!(after.len(), 28);
    let fibre = |path: &Path| {
        let name = name_of(path);
        let text = name.split("_sp").nth(1).unwrap()[..6].to_owned();
        let (spid, fibre) = text.split_once('-').unwrap();
        let plain = |t: &str| t.trim_start_matches('0').to_owned();
        (plain(spid), plain(fibre))
    };
    let hit = [fibre(first), fibre(second)];
    let mut same = 0;
    for (key, values) in &after {
        if !hit.contains(&(key.0.clone(), key.1.clone())) {
            assert_eq!(values, &before[key], "{key:?}");
            same += 1;
        }
    }
    assert_eq!(same, 24);
}
