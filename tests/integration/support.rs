//! What the tests share: folders, the program, simulated plates, tables as rows.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use relrv::lab::simulate::{self, Config, KindShares, TruthRow};
use relrv::lamost::arm::KNOT_PIXELS;
use relrv::likelihood::{Cpu, VelocityGrid};
use relrv::measure::{MeasureConfig, Measured, ReferenceKind, measure};
use relrv::spectrum::SpectrumConfig;
use relrv::table::{ColumnData, Table};
use relrv::{Arm, C_KM_S};

/// Root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder that goes when it is dropped; in the target directory, so that nothing is left elsewhere.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The program, not yet started, in the folder of the repository.
pub fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_relrv"));
    program
        .current_dir(root())
        // Some Vulkan layers look for a display there, and complain on stderr if it is not set.
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"));
    program
}

/// Runs the program with these arguments and two threads at most.
pub fn relrv<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Output {
    program().args(args).output().unwrap()
}

/// Exit status, standard output, standard error.
pub fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().expect("no signal ended it"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// `relrv measure inputs... --out out --threads 2`.
pub fn run_measure(inputs: &[&Path], out: &Path, more: &[&str]) -> (i32, String, String) {
    let mut args: Vec<&std::ffi::OsStr> = vec!["measure".as_ref()];
    args.extend(inputs.iter().map(|p| p.as_os_str()));
    args.extend([
        "--out".as_ref(),
        out.as_os_str(),
        "--threads".as_ref(),
        "2".as_ref(),
    ]);
    args.extend(more.iter().map(|s| std::ffi::OsStr::new(*s)));
    told(&relrv(&args))
}

/// Settings of `relrv measure` without options.
pub fn default_config() -> MeasureConfig {
    MeasureConfig {
        arms: Arm::ALL.to_vec(),
        snr_min: 5.0,
        grid: VelocityGrid::new(500.0, 1.0).unwrap(),
        spectrum: SpectrumConfig::default(),
        knot_pixels: KNOT_PIXELS,
        reference: ReferenceKind::Best,
        telluric: relrv::measure::Telluric::Auto,
        memory_bytes: relrv::measure::memory::USUAL_MIB << 20,
    }
}

/// Measures without the command line.
/// Files of the double-lined star among the public ones in `folder`; the others are of a hot star.
pub fn double_star(folder: &Path) -> Vec<PathBuf> {
    let is_double = |path: &PathBuf| !name_of(path).contains("HIP");
    files(folder).into_iter().filter(is_double).collect()
}

pub fn measure_paths<P: AsRef<Path>>(inputs: &[P]) -> Measured {
    measure(&default_config(), inputs, &Cpu, &()).unwrap()
}

/// A plate of constant stars of several types, made once: 4 stars, 2 nights, 2 exposures a night, both arms, so 8 files and 32 spectra.
pub fn small_plate() -> &'static Path {
    static PLATE: OnceLock<PathBuf> = OnceLock::new();
    PLATE.get_or_init(|| {
        made_once(Config {
            seed: 21,
            stars: 4,
            nights: 2,
            exposures: 2,
            snr: (25.0, 80.0),
            kinds: KindShares {
                pulsator: 0.0,
                sb1: 0.0,
                sb2: 0.0,
            },
            out: "small".into(),
            ..Config::default()
        })
    })
}

/// Makes a plate in a folder of this name below the target directory, in place of what an older run left there.
pub fn made_once(config: Config) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&config.out);
    if out.exists() {
        std::fs::remove_dir_all(&out).unwrap();
    }
    let config = Config { out, ..config };
    simulate::run(&config).unwrap();
    config.out
}

/// The truth of a plate, by file, arm and minute.
pub fn truth(plate: &Path) -> BTreeMap<(String, String, i64), TruthRow> {
    csv::Reader::from_path(plate.join("truth.csv"))
        .unwrap()
        .deserialize()
        .map(|row| {
            let row: TruthRow = row.unwrap();
            ((row.file.clone(), row.arm.clone(), row.lmjm), row)
        })
        .collect()
}

/// Velocity c z that exposure `t` shows against exposure `r` of the same star, km/s.
pub fn expected_rv_km_s(t: &TruthRow, r: &TruthRow) -> f64 {
    let stretch = |row: &TruthRow| (1.0 + row.rv_true / C_KM_S) * (1.0 + row.zp_true / C_KM_S);
    C_KM_S * (stretch(t) / stretch(r) - 1.0)
}

/// Files of spectra in a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| name_of(path).starts_with("med-"))
        .collect();
    files.sort();
    files
}

pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Copies the files of a plate.
pub fn copy_plate(from: &Path, to: &Path) {
    for file in files(from) {
        std::fs::copy(&file, to.join(name_of(&file))).unwrap();
    }
}

/// Content of a .gz file.
pub fn gunzip(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What tells a spectrum from all others: name of its file, arm, minute.
pub type Key = (String, String, i64);

/// Rows of a table of velocities: every cell as text, the file without its folder.
pub fn rows(path: &Path) -> BTreeMap<Key, Vec<String>> {
    let table = Table::read(path).unwrap();
    let column = |name: &str| &table.column(name).unwrap().data;
    let ColumnData::I64(lmjm) = column("lmjm") else {
        panic!("lmjm is {}", column("lmjm").type_name())
    };
    let rows: BTreeMap<Key, Vec<String>> = (0..table.n_rows())
        .map(|i| {
            let name = name_of(Path::new(&column("file").text_at(i)));
            let key = (name.clone(), column("arm").text_at(i), lmjm[i]);
            let cells = table.columns.iter().map(|c| match c.name.as_str() {
                "file" => name.clone(),
                _ => c.data.text_at(i),
            });
            (key, cells.collect())
        })
        .collect();
    assert_eq!(rows.len(), table.n_rows(), "a spectrum came twice");
    rows
}

/// Rows of the table of rejections beside `out`: file without folder, HDU, reason, detail.
pub fn rejections(out: &Path) -> Vec<[String; 4]> {
    read_rejections(&out.with_extension("rejected.csv"))
}

/// Rows of a table of rejections: file without folder, HDU, reason, detail.
pub fn read_rejections(path: &Path) -> Vec<[String; 4]> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    assert_eq!(
        reader.headers().unwrap(),
        &["file", "hdu", "reason", "detail"][..]
    );
    let row = |row: csv::Result<csv::StringRecord>| {
        let row = row.unwrap();
        let name = name_of(Path::new(&row[0]));
        [
            name,
            row[1].to_owned(),
            row[2].to_owned(),
            row[3].to_owned(),
        ]
    };
    reader.records().map(row).collect()
}

/// Number after a word at the start of a line of the summary.
pub fn count(summary: &str, word: &str) -> usize {
    let line = summary
        .lines()
        .find(|line| line.trim_start().starts_with(word))
        .unwrap_or_else(|| panic!("no line '{word}' in\n{summary}"));
    let rest = line.trim_start()[word.len()..].split_whitespace().next();
    rest.unwrap().parse().unwrap()
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
