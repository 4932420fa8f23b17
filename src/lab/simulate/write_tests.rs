//! Whole plates: same seed, same bytes; what is written is what every reader finds.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::lamost::inflate::Inflater;
use crate::lamost::mrs::read_file;
use crate::lamost::raw::StoredWave;

fn config(out: &Path) -> Config {
    Config {
        out: out.to_owned(),
        seed: 11,
        stars: 8,
        nights: 2,
        exposures: 2,
        ..Config::default()
    }
}

/// Name and content of every file of a directory.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}

fn made_with(change: impl FnOnce(&mut Config), threads: usize) -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    change(&mut config);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| run(&config)).unwrap();
    contents(dir.path())
}

fn truth(dir: &Path) -> Vec<TruthRow> {
    csv::Reader::from_path(dir.join("truth.csv"))
        .unwrap()
        .deserialize()
        .map(|row| row.unwrap())
        .collect()
}

#[test]
fn same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let one = made_with(|_| {}, 1);
    assert_eq!(one.len(), 8 * 2 + 1);
    assert!(one == made_with(|_| {}, 5));
    let other = made_with(|c| c.seed = 12, 2);
    assert!(one["truth.csv"] != other["truth.csv"]);
    // gzip header: no name, no time.
    let (_, gz) = one.iter().find(|(name, _)| name.ends_with(".gz")).unwrap();
    assert_eq!(gz[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
}

#[test]
fn both_layouts_read_back_with_the_truth() {
    for layout in [Layout::Dr7, Layout::Dr9] {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            layout,
            ..config(dir.path())
        };
        let summary = run(&config).unwrap();
        assert_eq!((summary.files, summary.spectra, summary.stars), (16, 64, 8));
        let rows = truth(dir.path());
        assert_eq!(rows.len(), 64);
        let mut found = 0;
        let mut inflater = Inflater::new();
        for name in contents(dir.path()).keys().filter(|n| n.ends_with(".gz")) {
            let file = read_file(&dir.path().join(name), &mut inflater).unwrap();
            assert!(file.rejected.is_empty(), "{:?}", file.rejected);
            for s in &file.spectra {
                let row = rows
                    .iter()
                    .find(|r| &r.file == name && r.arm == s.arm.name() && r.lmjm == s.lmjm)
                    .unwrap();
                found += 1;
                assert_eq!(
                    (row.spid, row.fiberid),
                    (file.header.spid, file.header.fiberid)
                );
                assert_eq!(format!("LAMOST {}", row.star), file.header.names.desig);
                // The key is measured with an inverse variance that is off by 10 %.
                assert!((s.snr / row.snr).ln().abs() < 0.25, "{} {}", s.snr, row.snr);
                assert!((600.0..660.0).contains(&s.mid_s), "{}", s.mid_s);
                assert_eq!(s.pixels.flux.len(), N_PIXELS);
                let wave: Vec<f64> = match (&s.pixels.wave, layout) {
                    (StoredWave::Log10(w), Layout::Dr7) => {
                        w.iter().map(|l| 10f64.powf(f64::from(*l))).collect()
                    }
                    (StoredWave::Linear(w), Layout::Dr9) => w.clone(),
                    _ => panic!("wrong layout"),
                };
                assert!(wave.windows(2).all(|w| w[1] > w[0]));
                let (from, to) = s.arm.window_aa();
                assert!(wave[100] < from && wave[N_PIXELS - 100] > to);
            }
        }
        assert_eq!(found, 64);
    }
}

#[test]
fn cfitsio_reads_the_same_tables() {
    let dir = tempfile::tempdir().unwrap();
    run(&config(dir.path())).unwrap();
    let name = contents(dir.path())
        .into_keys()
        .find(|n| n.ends_with(".gz"))
        .unwrap();
    let path = dir.path().join(name);
    let ours = read_file(&path, &mut Inflater::new()).unwrap();
    let mut theirs = fitsio::FitsFile::open(&path).unwrap();
    assert_eq!(theirs.iter().count(), 1 + 2 + 4);
    for s in &ours.spectra {
        let hdu = theirs.hdu(s.hdu.as_str()).unwrap();
        let mut flux: Vec<f32> = hdu.read_col(&mut theirs, "FLUX").unwrap();
        let mut log: Vec<f32> = hdu.read_col(&mut theirs, "LOGLAM").unwrap();
        // The red arm is stored in descending wavelength.
        assert_eq!(log[0] > log[1], s.arm == crate::Arm::Red);
        if s.arm == crate::Arm::Red {
            flux.reverse();
            log.reverse();
        }
        assert_eq!(flux, s.pixels.flux);
        assert_eq!(StoredWave::Log10(log), s.pixels.wave);
    }
    let coadd = theirs.hdu("COADD_R").unwrap();
    let flux: Vec<f32> = coadd.read_col(&mut theirs, "FLUX").unwrap();
    assert!(flux.len() > 3700);
}

#[test]
fn missing_observations_are_missing_in_files_and_truth() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        missing: 0.4,
        nights: 8,
        exposures: 4,
        coadds: false,
        ..config(dir.path())
    };
    let summary = run(&config).unwrap();
    let expected = 0.6 * (8 * 8 * 4 * 2) as f64;
    assert!(
        (summary.spectra as f64 / expected - 1.0).abs() < 0.12,
        "{}",
        summary.spectra
    );
    assert_eq!(truth(dir.path()).len(), summary.spectra);
}

#[test]
fn truth_of_each_kind_behaves() {
    let dir = tempfile::tempdir().unwrap();
    run(&config(dir.path())).unwrap();
    let rows = truth(dir.path());
    let mut by_star: BTreeMap<&str, Vec<&TruthRow>> = BTreeMap::new();
    for row in &rows {
        by_star.entry(&row.star).or_default().push(row);
    }
    assert_eq!(by_star.len(), 8);
    let mut kinds: Vec<&str> = Vec::new();
    for star in by_star.values() {
        kinds.push(&star[0].kind);
        let spread = |pick: fn(&TruthRow) -> f64| {
            let (low, high) = star
                .iter()
                .map(|r| pick(r))
                .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
            high - low
        };
        let moves = spread(|r| r.rv_true);
        assert_eq!(moves == 0.0, star[0].kind == "constant", "{}", star[0].kind);
        assert_eq!(spread(|r| r.teff) > 0.0, star[0].kind == "pulsator");
        assert!(
            star.iter()
                .all(|r| r.rv2_true.is_some() == (r.kind == "sb2")
                    && (20.0..=100.0).contains(&r.snr))
        );
    }
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "constant", "constant", "constant", "constant", "constant", "pulsator", "sb1", "sb2"
        ]
    );
    // One zero point per exposure and arm, shared by the stars of the spectrograph.
    let mut zero_points: BTreeMap<(i64, &str), f64> = BTreeMap::new();
    for row in &rows {
        assert_eq!(
            *zero_points
                .entry((row.lmjm, &row.arm))
                .or_insert(row.zp_true),
            row.zp_true
        );
    }
    assert_eq!(zero_points.len(), 2 * 2 * 2);
}

#[test]
fn a_directory_with_something_in_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    let message = run(&config(dir.path())).unwrap_err().to_string();
    assert!(message.contains("not empty"), "{message}");
    assert_eq!(contents(dir.path()).len(), 1);
}

#[test]
fn shipped_plate_is_what_the_simulator_makes() {
    let dir = tempfile::tempdir().unwrap();
    // The command line of data-samples/README.md.
    let config = Config {
        out: dir.path().to_owned(),
        seed: 5,
        stars: 8,
        nights: 3,
        exposures: 2,
        snr: (20.0, 100.0),
        ..Config::default()
    };
    run(&config).unwrap();
    let shipped_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("data-samples/plate-small");
    let (fresh, shipped) = (truth(dir.path()), truth(&shipped_dir));
    assert_eq!(fresh.len(), shipped.len());
    for (a, b) in fresh.iter().zip(&shipped) {
        assert_eq!((&a.file, &a.arm, a.lmjm), (&b.file, &b.arm, b.lmjm));
        // Not to the last digit: another system's logarithm may round otherwise.
        assert!((a.rv_true - b.rv_true).abs() < 1e-5 && (a.zp_true - b.zp_true).abs() < 1e-5);
        assert!((a.teff - b.teff).abs() < 0.2 && (a.snr - b.snr).abs() < 0.002);
    }
    // Flux of one file, to the same tolerance.
    let name = &fresh[0].file;
    let mut inflater = Inflater::new();
    let one = read_file(&dir.path().join(name), &mut inflater).unwrap();
    let other = read_file(&shipped_dir.join(name), &mut inflater).unwrap();
    for (a, b) in one.spectra.iter().zip(&other.spectra) {
        assert!(
            a.pixels
                .flux
                .iter()
                .zip(&b.pixels.flux)
                .all(|(x, y)| (x - y).abs() <= 1e-4 * y.abs().max(1.0))
        );
    }
}
