//! What the tests of `relrv run` share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use relrv::lab::simulate::{Config, KindShares};
use relrv::table::Table;

use crate::support::*;

/// Two spectrographs of 4 constant stars, 2 nights of 2 exposures: 16 files, 64 spectra, 2 units.
pub fn two_units() -> &'static Path {
    static PLATE: OnceLock<PathBuf> = OnceLock::new();
    PLATE.get_or_init(|| {
        made_once(Config {
            out: "two-units".into(),
            seed: 31,
            stars: 4,
            nights: 2,
            exposures: 2,
            spectrographs: 2,
            snr: (40.0, 80.0),
            kinds: KindShares {
                pulsator: 0.0,
                sb1: 0.0,
                sb2: 0.0,
            },
            ..Config::default()
        })
    })
}

/// `relrv run input --out out --threads 2 more`, not yet started.
pub fn command(inputs: &[&Path], out: &Path, more: &[&str]) -> Command {
    let mut command = program();
    command
        .arg("run")
        .args(inputs)
        .arg("--out")
        .arg(out)
        .args(["--threads", "2"])
        .args(more);
    command
}

/// For tests in which no star may depend on another: the stars of a unit share the strength of their water lines.
pub const WATER_LEFT: &[&str] = &["--telluric", "off"];

/// Exit status, standard output, standard error of a run.
pub fn run(inputs: &[&Path], out: &Path, more: &[&str]) -> (i32, String, String) {
    told(&command(inputs, out, more).output().unwrap())
}

/// What a shell command printed; it sees the program as `$RELRV`.
pub fn shell(line: &str) -> Output {
    Command::new("bash")
        .args(["-c", line])
        .env("RELRV", env!("CARGO_BIN_EXE_relrv"))
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
        .current_dir(root())
        .output()
        .unwrap()
}

/// Content of every file under its final name but `run.json`, which holds the times.
pub fn products(out: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && name_of(path) != "run.json")
        .map(|path| (name_of(&path), std::fs::read(&path).unwrap()))
        .collect()
}

/// `run.json`.
pub fn record(out: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(out.join("run.json")).unwrap()).unwrap()
}

pub fn table(out: &Path, name: &str) -> Table {
    Table::read(&out.join(name)).unwrap()
}

pub fn floats(table: &Table, name: &str) -> Vec<f64> {
    let column = table.column(name).and_then(|c| c.data.to_f64());
    column.unwrap_or_else(|| panic!("no column {name} of numbers"))
}

pub fn texts(table: &Table, name: &str) -> Vec<String> {
    let column = table
        .column(name)
        .unwrap_or_else(|| panic!("no column {name}"));
    (0..table.n_rows()).map(|i| column.text_at(i)).collect()
}

/// Rows of `rejected.csv`: file without folder, HDU, reason, detail.
pub fn rejected(out: &Path) -> Vec<[String; 4]> {
    read_rejections(&out.join("rejected.csv"))
}
