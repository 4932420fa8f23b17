//! Public LAMOST files, where `RELRV_REAL_DATA` names a folder of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use relrv::Arm;
use relrv::likelihood::RvFlags;
use relrv::measure::RvRow;

use crate::fits_edit::{join, split};
use crate::support::*;

/// The folder, or a line that says why the test does nothing.
fn real_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("RELRV_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: RELRV_REAL_DATA names no folder of LAMOST files");
    }
    folder
}

/// Fastest that the double star of these files goes, km/s.
const FASTEST_KM_S: f64 = 150.0;

/// Pixels of the window, about: a velocity that few of them speak for is not trusted.
fn n_window(arm: Arm) -> f64 {
    match arm {
        Arm::Blue => 2500.0,
        Arm::Red => 2130.0,
    }
}

#[test]
fn every_exposure_gets_a_velocity() {
    let Some(folder) = real_folder() else { return };
    let measured = measure_paths(&[&folder]);
    assert!(
        measured.rejected.iter().all(|r| !r.reason.is_defect()),
        "{:?}",
        measured.rejected
    );
    // What is left out is faint, and nothing else is.
    assert_eq!(
        measured.rows.len() + measured.rejected.len(),
        measured.n_spectra
    );
    assert!(!measured.rows.is_empty());
    for row in &measured.rows {
        let m = &row.measurement;
        println!(
            "{} {} SNR {:5.1}: {:8.3} +- {:.3} ({:.3}) km/s, chi^2 {:.2}, {} pixels, flags {}",
            row.arm,
            row.lmjm,
            row.snr,
            m.rv_km_s,
            m.rv_err_km_s,
            m.rv_err_own_km_s,
            m.chi2_red,
            m.n_pix,
            m.flags
        );
        assert!(row.snr > 5.0);
        let is_weak = m.flags.intersects(RvFlags::LOW_INFORMATION);
        let most_km_s = if is_weak { 15.0 } else { 3.0 };
        assert!(m.rv_km_s.abs() < FASTEST_KM_S && m.rv_err_km_s > 0.0);
        assert!(m.rv_err_km_s < most_km_s, "{m:?}");
        assert!(
            m.n_pix as f64 > 0.9 * n_window(row.arm),
            "{} pixels",
            m.n_pix
        );
    }
}

#[test]
fn a_night_drifts_smoothly() {
    let Some(folder) = real_folder() else { return };
    // Alone, as the paper does it, and with the other nights.
    let night: Vec<PathBuf> = files(&folder)
        .into_iter()
        .filter(|path| name_of(path).starts_with("med-58649-"))
        .collect();
    assert_eq!(night.len(), 1);
    for inputs in [&night[..], &double_star(&folder)] {
        let rows: Vec<RvRow> = measure_paths(inputs)
            .rows
            .into_iter()
            .filter(|row| name_of(&row.path).starts_with("med-58649-"))
            .collect();
        let blue: Vec<&RvRow> = rows.iter().filter(|row| row.arm == Arm::Blue).collect();
        assert!(blue.len() >= 4);
        let points: Vec<(f64, f64)> = blue
            .iter()
            .map(|row| (row.lmjm as f64, row.measurement.rv_km_s))
            .collect();
        let (slope, rms) = line(&points);
        println!("night 58649 blue: {slope:.4} km/s per minute, rms about it {rms:.3} km/s");
        assert!(rms < 0.4, "{rms} km/s");
        for row in rows.iter().filter(|row| !row.is_reference) {
            let chi2 = row.measurement.chi2_red;
            assert!(
                (0.7..2.0).contains(&chi2),
                "{} {}: chi^2 {chi2}",
                row.arm,
                row.lmjm
            );
        }
    }
}

/// Slope of the least-squares line, and rms about it.
fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / n;
    let (x0, y0) = (mean(|p| p.0), mean(|p| p.1));
    let slope = points.iter().map(|(x, y)| (x - x0) * (y - y0)).sum::<f64>()
        / points.iter().map(|(x, _)| (x - x0).powi(2)).sum::<f64>();
    let rest = points
        .iter()
        .map(|(x, y)| (y - y0 - slope * (x - x0)).powi(2));
    (slope, (rest.sum::<f64>() / n).sqrt())
}

/// Pixels beside a spike that the program masks too.
const MARGIN: usize = 2;

/// How far cosmic rays move velocities, in sigma: against the sound files, and against files in which the same pixels carry
/// no weight. The latter is what counts: a cosmic ray may cost pixels, and nothing else.
#[derive(Default)]
struct Moves {
    from_sound: Vec<f64>,
    from_blind: Vec<f64>,
}

/// Spoils copies of the files with ten cosmic rays in every spectrum, the references among them, once for each seed.
fn moved_by_cosmics(paths: &[PathBuf], seeds: std::ops::Range<u64>) -> Moves {
    let sound = by_spectrum(paths);
    let mut moves = Moves::default();
    for seed in seeds {
        let (spoiled, blind) = (folder(), folder());
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for path in paths {
            let both = with_cosmics(path, &mut rng);
            for (dir, bytes) in [&spoiled, &blind].into_iter().zip(both) {
                std::fs::write(dir.path().join(name_of(path)), gzip(&bytes)).unwrap();
            }
        }
        let (after, without) = (by_spectrum(&[spoiled.path()]), by_spectrum(&[blind.path()]));
        assert_eq!(
            sound.keys().collect::<Vec<_>>(),
            after.keys().collect::<Vec<_>>()
        );
        for (key, row) in &after {
            let m = &row.measurement;
            assert!(m.rv_km_s.abs() < FASTEST_KM_S, "captured: {key:?} {m:?}");
            let sigmas = |other: &RvRow| (m.rv_km_s - other.measurement.rv_km_s) / m.rv_err_km_s;
            if sigmas(&without[key]).abs() > 2.0 {
                println!("seed {seed}, {key:?}: {:.2} sigma", sigmas(&without[key]));
            }
            moves.from_sound.push(sigmas(&sound[key]).abs());
            moves.from_blind.push(sigmas(&without[key]).abs());
        }
    }
    for (name, values) in [
        ("sound files", &mut moves.from_sound),
        ("the same pixels without weight", &mut moves.from_blind),
    ] {
        values.sort_by(f64::total_cmp);
        println!(
            "10 cosmic rays a spectrum, against {name}: {} velocities move by {:.2} sigma (median), {:.2} (90 %), {:.2} (all)",
            values.len(),
            at(values, 0.5),
            at(values, 0.9),
            at(values, 1.0)
        );
    }
    moves
}

/// Quantile of sorted values.
fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

#[test]
fn cosmic_rays_capture_no_fit() {
    let Some(real) = real_folder() else { return };
    let paths = double_star(&real);
    // One night, in which the spectra are copies of each other.
    let night: Vec<PathBuf> = paths
        .iter()
        .filter(|path| name_of(path).starts_with("med-58649-"))
        .cloned()
        .collect();
    let moves = moved_by_cosmics(&night, 0..20);
    assert!(at(&moves.from_blind, 0.9) < 1.0 && at(&moves.from_blind, 1.0) < 3.0);
    // All nights. The star is a double one: its red velocity depends on which pixels of H alpha are seen, so that some moves
    // are larger, but none is a capture.
    let moves = moved_by_cosmics(&paths, 0..8);
    assert!(at(&moves.from_blind, 0.9) < 1.0 && at(&moves.from_blind, 0.98) < 3.0);
}

fn by_spectrum<P: AsRef<Path>>(inputs: &[P]) -> BTreeMap<(Arm, i64), RvRow> {
    let rows = measure_paths(inputs).rows;
    rows.into_iter()
        .map(|row| ((row.arm, row.lmjm), row))
        .collect()
}

/// The file with ten cosmic rays in each single exposure, 1 to 3 pixels wide and 0.3 to 8 times as high as the flux; and
/// with these pixels and their neighbours without weight. The electrons of a cosmic ray count in the variance, as they do in
/// the public files.
fn with_cosmics(path: &Path, rng: &mut ChaCha8Rng) -> [Vec<u8>; 2] {
    let mut spoiled = split(&gunzip(path));
    let mut blind = spoiled.clone();
    let is_exposure = |name: &str| name.starts_with("B-") || name.starts_with("R-");
    for (a, b) in spoiled
        .iter_mut()
        .zip(&mut blind)
        .filter(|(a, _)| is_exposure(&a.name()))
    {
        let columns = a.columns();
        let (mut flux, mut ivar) = (columns[0].to_floats(), columns[1].to_floats());
        let mut none = ivar.clone();
        let level = median(&flux.iter().map(|f| f64::from(*f)).collect::<Vec<_>>()) as f32;
        for _ in 0..10 {
            let first = rng.random_range(0..flux.len() - 3);
            let height = level * rng.random_range(0.3f32.ln()..8f32.ln()).exp();
            // The rest of the charge falls beside the pixel hit hardest.
            let shares = [&[1.0][..], &[1.0, 0.45], &[0.4, 1.0, 0.35]][rng.random_range(0..3)];
            for (pixel, share) in (first..).zip(shares) {
                flux[pixel] += height * share;
                ivar[pixel] = 1.0 / (1.0 / ivar[pixel] + height * share);
            }
            let end = (first + shares.len() + MARGIN).min(none.len());
            none[first.saturating_sub(MARGIN)..end].fill(0.0);
        }
        a.edit_floats("FLUX", |x| *x = flux);
        a.edit_floats("IVAR", |x| *x = ivar);
        b.edit_floats("IVAR", |x| *x = none);
    }
    [join(&spoiled), join(&blind)]
}
