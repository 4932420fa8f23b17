//! Random damage of a run's directory between two starts: the same products, or a refusal that names the reason and whose advice
//! works; and never a file of anybody else's touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::never_lost::tree;
use crate::run_support::*;
use crate::support::*;

const FORMAT: [&str; 2] = ["--format", "fits,csv"];
const N_DAMAGES: usize = 200;

/// Every file and folder below a folder, sorted; links are not followed.
fn everything(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path).unwrap().is_dir() {
        true => fs::remove_dir_all(path).unwrap(),
        false => fs::remove_file(path).unwrap(),
    }
}

/// Names that somebody may use for files of his own, in every folder of the program's.
const FOREIGN: [&str; 11] = [
    "notes.txt",
    "stars.parquet",
    ".relrv/notes.txt",
    ".relrv/next.json.bak",
    ".relrv/units/notes.txt",
    ".relrv/units/A_sp04-0123abcd.json",
    ".relrv/units/folder/file",
    "report/notes.txt",
    "report/stars.svg",
    "report/explore/notes.js",
    ".relrv-12345.part",
];

/// What is done to the directory and around the next start.
#[derive(Debug, Default)]
struct Damage {
    what: String,
    /// Files of somebody's that are there now.
    foreign: Vec<PathBuf>,
    /// Ends the next start at this moment.
    kill_at: Option<usize>,
    /// No file may be larger than this many KiB in the next start.
    full_at: Option<usize>,
}

fn damage(out: &Path, canary: &Path, rng: &mut ChaCha8Rng) -> Damage {
    let mut done = Damage::default();
    let all = everything(out);
    let is_file = |p: &&PathBuf| fs::symlink_metadata(p).unwrap().is_file();
    let regular: Vec<&PathBuf> = all.iter().filter(is_file).collect();
    let one = regular[rng.random_range(0..regular.len())];
    let other = regular[rng.random_range(0..regular.len())];
    let bytes = fs::read(one).unwrap();
    let kind = rng.random_range(0..9);
    match kind {
        0 => {
            let mut bytes = bytes;
            if !bytes.is_empty() {
                let place = rng.random_range(0..bytes.len());
                bytes[place] ^= 1 << rng.random_range(0..8);
            }
            fs::write(one, bytes).unwrap();
            done.what = format!("flip in {}", one.display());
        }
        1 => {
            let length = rng.random_range(0..=bytes.len());
            fs::write(one, &bytes[..length]).unwrap();
            done.what = format!("{length} bytes of {}", one.display());
        }
        2 => {
            fs::write(one, fs::read(other).unwrap()).unwrap();
            fs::write(other, bytes).unwrap();
            done.what = format!("{} and {} swapped", one.display(), other.display());
        }
        3 | 4 => {
            let path = &all[rng.random_range(0..all.len())];
            let is_dir = fs::symlink_metadata(path).unwrap().is_dir();
            remove(path);
            // To a folder, a file, or nothing.
            let to = match (is_dir, rng.random_range(0..4)) {
                (_, 0) => canary.join("missing"),
                (true, _) | (_, 1) => canary.join("behind"),
                _ => canary.join("behind/file"),
            };
            symlink(&to, path).unwrap();
            done.what = format!("{} is a link to {}", path.display(), to.display());
        }
        5 => {
            let path = out.join(FOREIGN[rng.random_range(0..FOREIGN.len())]);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "mine").unwrap();
            done.what = format!("foreign {}", path.display());
            done.foreign.push(path);
        }
        6 => {
            let path = &all[rng.random_range(0..all.len())];
            remove(path);
            done.what = format!("{} is gone", path.display());
        }
        7 => done.full_at = Some(rng.random_range(0..24)),
        _ => done.kill_at = Some(rng.random_range(1..75)),
    }
    // Something is to be measured at a full disk and a kill.
    if kind >= 7 {
        if rng.random_bool(0.5) {
            fs::remove_dir_all(out.join(".relrv/units")).unwrap();
        }
        done.what = format!("full at {:?}, killed at {:?}", done.full_at, done.kill_at);
    }
    done
}

fn start(out: &Path, more: &[&str], damage: Option<&Damage>) -> (Option<i32>, String) {
    let plate = two_units();
    let limit = damage.and_then(|d| d.full_at);
    let before = limit.map_or(String::new(), |kib| {
        format!("trap '' XFSZ; ulimit -f {kib}; ")
    });
    let line = format!(
        "{before}exec \"$RELRV\" run {plate:?} --out {out:?} --threads 2 --quiet {} {}",
        FORMAT.join(" "),
        more.join(" ")
    );
    let mut command = Command::new("bash");
    command
        .args(["-c", &line])
        .env("RELRV", env!("CARGO_BIN_EXE_relrv"))
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
        .current_dir(root());
    if let Some(moment) = damage.and_then(|d| d.kill_at) {
        command.env("RELRV_ABORT_AT", moment.to_string());
    }
    let output = command.output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn two_hundred_damages_between_two_starts() {
    let dir = folder();
    let whole = dir.path().join("whole");
    assert_eq!(start(&whole, &[], None).0, Some(0));
    let expected = products(&whole);
    let pages = tree(&whole.join("report"));
    // Ended when one unit was measured and the next was being written.
    let halfway = dir.path().join("halfway");
    let end = Damage {
        kill_at: Some(11),
        ..Damage::default()
    };
    start(&halfway, &[], Some(&end));
    let canary = dir.path().join("canary");
    fs::create_dir_all(canary.join("behind/folder")).unwrap();
    for name in ["beside", "behind/file", "behind/folder/file"] {
        fs::write(canary.join(name), name).unwrap();
    }
    // As if they were units, products and pages.
    for path in everything(&whole).iter().filter(|p| p.is_file()) {
        fs::copy(path, canary.join("behind").join(name_of(path))).unwrap();
    }
    let untouched = tree(&canary);
    let out = dir.path().join("out");
    let mut rng = ChaCha8Rng::seed_from_u64(71);
    let (mut same, mut refused) = (0, 0);
    for i in 0..N_DAMAGES {
        let from = if i % 3 == 0 { &halfway } else { &whole };
        let copied = Command::new("cp").args(["-a"]).arg(from).arg(&out).status();
        assert!(copied.unwrap().success());
        let damage = damage(&out, &canary, &mut rng);
        let what = format!("{i}, {}: {}", name_of(from), damage.what);
        let foreign_as_it_was = || {
            assert!(tree(&canary) == untouched, "{what}: the canary");
            for path in &damage.foreign {
                assert_eq!(fs::read(path).unwrap(), b"mine", "{what}");
            }
        };
        if damage.kill_at.or(damage.full_at).is_some() {
            let (status, errors) = start(&out, &[], Some(&damage));
            assert!(!errors.contains("panicked"), "{what}: {errors}");
            assert!(
                status != Some(1) || errors.contains(out.to_str().unwrap()),
                "{what}: {errors}"
            );
            foreign_as_it_was();
        }
        let (status, errors) = start(&out, &[], None);
        foreign_as_it_was();
        if status != Some(0) {
            // Named, and what is advised helps.
            assert_eq!(status, Some(1), "{what}: {errors}");
            assert!(errors.contains(out.to_str().unwrap()), "{what}: {errors}");
            refused += 1;
            let after = follow_advice(&out, &errors, &dir.path().join("moved"));
            if let Err(errors) = after {
                assert!(
                    errors.contains("choose another directory"),
                    "{what}: {errors}"
                );
                println!("{what}: {errors}");
                fs::remove_dir_all(&out).unwrap();
                continue;
            }
            foreign_as_it_was();
        } else {
            same += 1;
        }
        let mut found = products(&out);
        for path in &damage.foreign {
            found.remove(&name_of(path));
        }
        assert!(found == expected, "{what}: other products");
        let report = tree(&out.join("report"));
        assert!(
            pages
                .iter()
                .all(|(name, page)| report.get(name) == Some(page)),
            "{what}"
        );
        fs::remove_dir_all(&out).unwrap();
    }
    println!("{same} with the same products, {refused} refused with a reason");
    assert!(same > 100 && refused > 10, "{same} {refused}");
}

/// Does what a refusal advises, as often as one is said; the last refusal if it cannot be done.
fn follow_advice(out: &Path, errors: &str, moved: &Path) -> Result<(), String> {
    let mut errors = errors.to_owned();
    for _ in 0..12 {
        let more: &[&str] = if errors.contains("move it away") {
            let path = errors.trim().strip_prefix("error: ").unwrap();
            let path = path.split(": ").next().unwrap();
            assert!(path.starts_with(out.to_str().unwrap()), "{errors}");
            fs::rename(path, moved).unwrap();
            remove(moved);
            &[]
        } else if errors.contains("--overwrite") {
            &["--overwrite"]
        } else {
            return Err(errors);
        };
        match start(out, more, None) {
            (Some(0), _) => return Ok(()),
            (_, text) => errors = text,
        }
    }
    Err(errors)
}
