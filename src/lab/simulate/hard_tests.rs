//! Plates under a hard sky: what `truth.csv` tells is what the files hold.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::*;
use crate::lamost::inflate::Inflater;
use crate::lamost::mrs::read_file;
use crate::lamost::raw::{RawSpectrum, StoredWave};
use crate::{Arm, C_KM_S};

fn truth(dir: &Path) -> Vec<(TruthRow, SkyRow)> {
    let path = dir.join("truth.csv");
    let rows = csv::Reader::from_path(&path).unwrap().into_deserialize();
    let sky = csv::Reader::from_path(&path).unwrap().into_deserialize();
    rows.zip(sky)
        .map(|(r, s)| (r.unwrap(), s.unwrap()))
        .collect()
}

fn spectra(dir: &Path, file: &str) -> Vec<RawSpectrum> {
    read_file(&dir.join(file), &mut Inflater::new())
        .unwrap()
        .spectra
}

/// HELIO_RV of a file's primary header, km/s.
fn helio_rv_km_s(path: &Path) -> f64 {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_end(&mut bytes)
        .unwrap();
    let cards: Vec<&[u8]> = bytes.chunks(80).take(200).collect();
    let card = cards.iter().find(|c| c.starts_with(b"HELIO_RV=")).unwrap();
    let text = String::from_utf8_lossy(&card[10..30]).into_owned();
    text.trim().parse().unwrap()
}

#[test]
fn a_hard_plate_is_the_same_on_any_number_of_threads_and_tells_all() {
    let made = |threads| {
        let dir = tempfile::tempdir().unwrap();
        let config = Config {
            out: dir.path().to_owned(),
            seed: 21,
            stars: 10,
            nights: 2,
            exposures: 2,
            coadds: false,
            sky: Sky {
                damaged: 0.5,
                ..Sky::HARD
            },
            ..Config::default()
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&config)).unwrap();
        let rows = truth(dir.path());
        let first = std::fs::read(dir.path().join(&rows[0].0.file)).unwrap();
        (rows, first)
    };
    let (rows, first) = made(1);
    assert!((rows.clone(), first) == made(3));
    let mut nights: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (row, sky) in &rows {
        let night = row.file.get(..9).unwrap();
        nights.entry(night).or_default().push(sky.water);
        assert!(sky.ivar_factor > 0.3 && sky.lsf_width != 1.0 && sky.stretch != 0.0);
    }
    assert_eq!(nights.len(), 2);
    let squares: f64 = rows.iter().map(|(_, s)| s.ivar_factor.ln().powi(2)).sum();
    let rms = (squares / rows.len() as f64).sqrt();
    assert!((0.15..0.25).contains(&rms), "{rms}");
    assert!(nights.values().all(|w| w.iter().all(|s| *s == w[0])));
    assert!(rows.iter().any(|(_, s)| s.weak_lined == 1));
    assert!(rows.iter().any(|(_, s)| s.cosmics > 0));
}

#[test]
fn damage_is_on_the_exposure_that_is_the_best_of_both_arms() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        out: dir.path().to_owned(),
        seed: 4,
        stars: 6,
        nights: 2,
        exposures: 3,
        coadds: false,
        sky: Sky {
            damaged: 1.0,
            weak_lined: 0.0,
            ..Sky::HARD
        },
        ..Config::default()
    };
    run(&config).unwrap();
    let rows = truth(dir.path());
    let mut stars: BTreeMap<(&str, &str), Vec<(f64, &str)>> = BTreeMap::new();
    for (row, sky) in &rows {
        let snr = spectra(dir.path(), &row.file)
            .iter()
            .find(|s| s.arm.name() == row.arm && s.lmjm == row.lmjm)
            .unwrap()
            .snr;
        let star = stars.entry((&row.star, &row.arm)).or_default();
        star.push((snr, &sky.damage));
    }
    assert_eq!(stars.len(), 12);
    for exposures in stars.values_mut() {
        exposures.sort_by(|a, b| b.0.total_cmp(&a.0));
        assert!(!exposures[0].1.is_empty(), "{exposures:?}");
        assert!(exposures[1..].iter().all(|e| e.1.is_empty()));
    }
}

/// Velocity of the water line of 6532.36 A (air) in the file's wavelengths, km/s.
fn water_velocity_km_s(spectrum: &RawSpectrum) -> f64 {
    let StoredWave::Log10(log) = &spectrum.pixels.wave else {
        panic!("wrong layout");
    };
    let centre_aa = lines::air_to_vacuum_aa(6532.359);
    let near: Vec<(f64, f64)> = log
        .iter()
        .zip(&spectrum.pixels.flux)
        .map(|(l, f)| {
            let wave_aa = 10f64.powf(f64::from(*l));
            ((wave_aa / centre_aa).ln() * C_KM_S, f64::from(*f))
        })
        .filter(|(v, f)| v.abs() < 110.0 && *f != 0.0)
        .collect();
    let level = near.iter().map(|p| p.1).fold(0.0, f64::max);
    // The velocity at which the line-spread function covers most of the missing light; the next line is 75 km/s away. Dead pixels are 0.
    let covered = |at: f64| -> f64 {
        near.iter()
            .map(|(v, f)| (level - f) * (-0.5 * ((v - at) / 17.0).powi(2)).exp())
            .sum()
    };
    (-450..=450)
        .map(|i| 0.1 * f64::from(i))
        .max_by(|a, b| covered(*a).total_cmp(&covered(*b)))
        .unwrap()
}

#[test]
fn water_lines_of_the_files_lie_where_helio_rv_says() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        out: dir.path().to_owned(),
        seed: 6,
        stars: 2,
        nights: 25,
        exposures: 1,
        snr: (150.0, 150.0),
        coadds: false,
        cosmics_per_spectrum: 0.0,
        zero_points: ZeroPointScale {
            spectrograph_km_s: 0.0,
            night_km_s: 0.0,
            exposure_km_s: 0.0,
            blue_factor: 1.0,
        },
        kinds: KindShares {
            pulsator: 0.0,
            sb1: 0.0,
            sb2: 0.0,
        },
        teff_k: Some((11_000.0, 14_000.0)),
        sky: Sky {
            water: 10.0,
            ..Sky::KIND
        },
        ..Config::default()
    };
    run(&config).unwrap();
    let rows = truth(dir.path());
    let (mut low, mut high) = (f64::MAX, f64::MIN);
    for (row, sky) in rows.iter().filter(|(row, _)| row.arm == "red") {
        assert!((11_000.0..=14_000.0).contains(&row.teff));
        let told = helio_rv_km_s(&dir.path().join(&row.file));
        assert!(
            (told - sky.helio_rv).abs() < 1e-4,
            "{told} {}",
            sky.helio_rv
        );
        let spectra = spectra(dir.path(), &row.file);
        let red = spectra.iter().find(|s| s.arm == Arm::Red).unwrap();
        // lambda_file = lambda_observed (1 - HELIO_RV/c), and water rests in the observer's frame.
        let found = water_velocity_km_s(red);
        assert!((found + told).abs() < 3.0, "{found} {told}");
        low = low.min(told);
        high = high.max(told);
    }
    assert!(high - low > 8.0, "{low} {high}");
}

#[test]
fn weak_lined_stars_have_weak_lines() {
    let plate = plate::Plate::new(&Config {
        stars: 200,
        sky: Sky {
            weak_lined: 0.3,
            ..Sky::KIND
        },
        ..Config::default()
    });
    let weak: Vec<_> = plate.stars.iter().filter(|s| s.weak_lined).collect();
    assert!((30..70).contains(&weak.len()), "{}", weak.len());
    let ordinary = Template::new(&StellarParams::dwarf(5500.0), Arm::Blue);
    let content = |t: &Template| -> f64 {
        (0..3000)
            .map(|i| t.slope_per_km_s(5000.0 + 0.1 * f64::from(i), 0.0).powi(2))
            .sum()
    };
    for star in weak.iter().take(12) {
        let template = Template::new(&star.params, Arm::Blue);
        assert!(
            content(&template) < 0.1 * content(&ordinary),
            "{:?}",
            star.params
        );
    }
}
