//! Exposures that judge each other, on whole plates and files: damaged ones are found, and nothing depends on threads.

use std::collections::BTreeMap;
use std::path::Path;

use relrv::Arm;
use relrv::lab::simulate::{Config, Sky, SkyRow, TruthRow};
use relrv::likelihood::{Cpu, Measurement};
use relrv::measure::{RvRow, measure};

use crate::agreement::{CONSTANT, config, moved_sigma};
use crate::fits_edit::{join, split};
use crate::support::*;

/// Hotter stars have too few lines for their faint exposures to say anything, damaged best exposure or not.
const HOTTEST_K: f64 = 9000.0;

/// Rows of a folder, whose exposures judge each other.
fn rows_of(folder: &Path) -> Vec<RvRow> {
    measure(&config(), &[folder], &Cpu, &()).unwrap().rows
}

/// What a spectrum was made with, and what was found.
#[derive(Clone, Debug)]
struct Found {
    truth: TruthRow,
    damage: String,
    is_reference: bool,
    n_reference: i32,
    measurement: Measurement,
    /// Distance from the median of the star's good exposures, in units of the exposure's own error.
    error_sigma: f64,
}

/// Spectra of the stars and arms of a plate of which one exposure is damaged.
fn damaged_stars(plate: &Path) -> Vec<Vec<Found>> {
    let path = plate.join("truth.csv");
    let truth = csv::Reader::from_path(&path).unwrap().into_deserialize();
    let sky = csv::Reader::from_path(&path).unwrap().into_deserialize();
    let mut made: BTreeMap<Key, (TruthRow, SkyRow)> = BTreeMap::new();
    for (truth, sky) in truth.zip(sky) {
        let (truth, sky): (TruthRow, SkyRow) = (truth.unwrap(), sky.unwrap());
        made.insert(
            (truth.file.clone(), truth.arm.clone(), truth.lmjm),
            (truth, sky),
        );
    }
    let rows = rows_of(plate);
    assert_eq!(rows.len(), made.len());
    let mut out = Vec::new();
    for star in rows.chunk_by(|a, b| (a.star, a.arm) == (b.star, b.arm)) {
        let key = |row: &RvRow| (name_of(&row.path), row.arm.name().to_owned(), row.lmjm);
        let made: Vec<&(TruthRow, SkyRow)> = star.iter().map(|row| &made[&key(row)]).collect();
        if made.iter().all(|(_, sky)| sky.damage.is_empty()) {
            continue;
        }
        let error =
            |i: usize| star[i].measurement.rv_km_s - expected_rv_km_s(&made[i].0, &made[0].0);
        let good = (0..star.len()).filter(|i| made[*i].1.damage.is_empty());
        let zero = median(&good.map(error).collect::<Vec<f64>>());
        let found = (0..star.len()).map(|i| Found {
            truth: made[i].0.clone(),
            damage: made[i].1.damage.clone(),
            is_reference: star[i].is_reference,
            n_reference: star[i].n_reference,
            measurement: star[i].measurement,
            error_sigma: (error(i) - zero) / star[i].measurement.rv_err_own_km_s,
        });
        out.push(found.collect());
    }
    out
}

/// Faint stars with nothing but broad lines, under what the sky subtraction leaves of the night sky's lines: these stand still, and
/// where a star is as faint they are higher than its own lines are deep.
#[test]
fn lines_of_the_night_sky_do_not_hold_faint_hot_stars() {
    let plate = made_once(Config {
        out: "agreement-night-lines".into(),
        seed: 7321,
        stars: 24,
        nights: 4,
        exposures: 3,
        snr: (6.0, 12.0),
        teff_k: Some((9000.0, 20_000.0)),
        kinds: CONSTANT,
        coadds: false,
        sky: Sky {
            sky_lines_sigma: 3.0,
            ..Sky::KIND
        },
        ..Config::default()
    });
    let (rows, made) = (rows_of(&plate), truth(&plate));
    std::fs::remove_dir_all(plate).unwrap();
    let (mut n, mut n_wrong) = (0, 0);
    for star in rows.chunk_by(|a, b| (a.star, a.arm) == (b.star, b.arm)) {
        if star[0].arm != Arm::Red {
            continue;
        }
        let key = |row: &RvRow| (name_of(&row.path), row.arm.name().to_owned(), row.lmjm);
        let first = &made[&key(&star[0])];
        let error =
            |row: &RvRow| row.measurement.rv_km_s - expected_rv_km_s(&made[&key(row)], first);
        let zero = median(&star.iter().map(error).collect::<Vec<f64>>());
        for row in star.iter().filter(|r| r.measurement.flags.is_empty()) {
            n += 1;
            let off_sigma = (error(row) - zero) / row.measurement.rv_err_own_km_s;
            n_wrong += usize::from(off_sigma.abs() > 5.0);
        }
    }
    println!("{n_wrong} of {n} velocities without a flag are more than 5 sigma off");
    assert!(n > 150 && n_wrong <= n / 200, "{n_wrong} of {n}");
}

/// The damaged exposure would be the reference of the star: it is flagged, and the star's others are measured all the same.
#[test]
fn damaged_best_exposures_are_found() {
    let plate = made_once(Config {
        out: "agreement-damaged".into(),
        seed: 7301,
        stars: 40,
        nights: 4,
        exposures: 3,
        snr: (10.0, 80.0),
        kinds: CONSTANT,
        coadds: false,
        sky: Sky {
            damaged: 0.3,
            ..Sky::KIND
        },
        ..Config::default()
    });
    let stars = damaged_stars(&plate);
    std::fs::remove_dir_all(plate).unwrap();
    let mut failures = Vec::new();
    for arm in Arm::ALL {
        let of_arm = |found: &&Found| found.truth.arm == arm.name() && found.truth.teff < HOTTEST_K;
        let all: Vec<&Found> = stars.iter().flatten().filter(of_arm).collect();
        let (good, damaged): (Vec<&Found>, Vec<&Found>) =
            all.into_iter().partition(|found| found.damage.is_empty());
        let is_right = |f: &&&Found| f.measurement.flags.is_empty() && f.error_sigma.abs() < 5.0;
        let n_right = good.iter().filter(is_right).count();
        let is_missed = |f: &&&Found| f.measurement.flags.is_empty();
        let missed = damaged.iter().filter(is_missed);
        let n_harmless = missed.filter(|f| f.error_sigma.abs() < 5.0).count();
        let n_flagged = damaged
            .iter()
            .filter(|f| !f.measurement.flags.is_empty())
            .count();
        println!(
            "{arm}: {n_right} of {} good exposures are right, {n_flagged} of {} damaged ones are flagged, {n_harmless} more are right",
            good.len(),
            damaged.len()
        );
        let is_wrong = |f: &&&Found| !is_right(f);
        for f in good
            .iter()
            .filter(is_wrong)
            .chain(damaged.iter().filter(is_missed))
        {
            println!(
                "  {} {:.0} K SNR {:.0} {}: {:.1} sigma off, error {:.3} km/s, chi^2 {:.2}, flags {}, {} exposures in the reference{}",
                f.truth.star,
                f.truth.teff,
                f.truth.snr,
                f.damage,
                f.error_sigma,
                f.measurement.rv_err_own_km_s,
                f.measurement.chi2_red,
                f.measurement.flags,
                f.n_reference,
                if f.is_reference { " (its zero)" } else { "" }
            );
        }
        assert!(damaged.len() >= 8, "{arm}: {} damaged", damaged.len());
        if 100 * n_right < 95 * good.len() || 100 * n_flagged < 90 * damaged.len() {
            failures.push(arm);
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

/// A cosmic ray of a real spectrum, four pixels wide and flat with a wing on either side, in the red spectrum R-84427301 of
/// fibre 108 of the sample: its first pixel, and the heights in sigma of each pixel's noise.
const RAY_HDU: &str = "R-84427301";
const RAY_FIRST: usize = 2782;
const RAY_SIGMA: [f32; 6] = [5.6, 20.1, 28.1, 27.3, 30.3, 4.6];

/// The ray lies in the best of six exposures, and against it all of them moved.
#[test]
fn a_real_cosmic_ray_in_the_best_exposure_moves_none() {
    let sample = root().join("data-samples/plate-small");
    let (clean, spoiled) = (folder(), folder());
    let is_star = |path: &&std::path::PathBuf| name_of(path).ends_with("sp01-108.fits.gz");
    let mut n_spoiled = 0;
    for path in files(&sample).iter().filter(is_star) {
        let mut hdus = split(&gunzip(path));
        for hdu in hdus.iter_mut().filter(|hdu| hdu.name() == RAY_HDU) {
            n_spoiled += 1;
            let columns = hdu.columns();
            let ivar = columns.iter().find(|c| c.name == "IVAR").unwrap();
            let ivar = ivar.to_floats();
            hdu.edit_floats("FLUX", |flux| {
                for (k, height) in (RAY_FIRST..).zip(RAY_SIGMA) {
                    flux[k] += height / ivar[k].sqrt();
                }
            });
        }
        let name = name_of(path);
        std::fs::copy(path, clean.path().join(&name)).unwrap();
        std::fs::write(spoiled.path().join(&name), gzip(&join(&hdus))).unwrap();
    }
    assert_eq!(n_spoiled, 1);
    let (clean, spoiled) = (rows_of(clean.path()), rows_of(spoiled.path()));
    assert_eq!((clean.len(), spoiled.len()), (12, 12));
    let mut failures = Vec::new();
    for arm in Arm::ALL {
        let of = |rows: &[RvRow]| -> Vec<Measurement> {
            let of_arm = rows.iter().filter(|r| r.arm == arm);
            of_arm.map(|r| r.measurement).collect()
        };
        let (was, is) = (of(&clean), of(&spoiled));
        let of_arm = spoiled.iter().filter(|r| r.arm == arm);
        for (((row, was), is), sigma) in of_arm.zip(&was).zip(&is).zip(moved_sigma(&is, &was)) {
            let plain_sigma = (is.rv_km_s - was.rv_km_s) / was.rv_err_own_km_s;
            println!(
                "{arm} {}{}: {:.3} -> {:.3} km/s, {plain_sigma:.2} sigma, {sigma:.2} about the median, flags {} -> {}",
                row.lmjm,
                if row.is_reference { " (reference)" } else { "" },
                was.rv_km_s,
                is.rv_km_s,
                was.flags,
                is.flags
            );
            if !(plain_sigma.abs() <= 3.0 && sigma.abs() <= 3.0) {
                failures.push((arm, row.lmjm));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

/// Stars with many files, so that the number of threads decides which stars are measured together.
#[test]
fn the_number_of_threads_changes_no_row() {
    let plate = made_once(Config {
        out: "agreement-threads".into(),
        seed: 7341,
        stars: 8,
        nights: 24,
        exposures: 1,
        snr: (10.0, 80.0),
        coadds: false,
        sky: Sky {
            damaged: 0.3,
            ..Sky::HARD
        },
        ..Config::default()
    });
    let [one, three] = [1, 3].map(|n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
        pool.unwrap().install(|| rows_of(&plate))
    });
    std::fs::remove_dir_all(plate).unwrap();
    assert_eq!(one.len(), three.len());
    assert!(one.iter().any(|row| row.n_reference > 2));
    for (a, b) in one.iter().zip(&three) {
        let of = |row: &RvRow| {
            (
                row.path.clone(),
                row.arm,
                row.lmjm,
                row.is_reference,
                row.n_reference,
            )
        };
        assert_eq!(of(a), of(b));
        let (m, n) = (&a.measurement, &b.measurement);
        let bits = |m: &Measurement| {
            let numbers = [
                m.rv_km_s,
                m.rv_err_km_s,
                m.rv_err_own_km_s,
                m.lnl_max,
                m.chi2_red,
            ];
            numbers.map(f64::to_bits)
        };
        assert_eq!(
            (bits(m), m.flags, m.n_pix),
            (bits(n), n.flags, n.n_pix),
            "{a:?} {b:?}"
        );
    }
}
