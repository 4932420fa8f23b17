//! Random damage to files on their way through the whole program: no panic, no hang, nothing lost in silence, and no
//! velocity far from the sound one without a flag or a rejection.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use relrv::Arm;
use relrv::measure::{Measured, RvRow};

use crate::fits_edit::{join, split};
use crate::support::*;

/// Damaged files in all, one of each star in each round.
const N_CASES: usize = 300;

/// No round may take longer, on a loaded machine; a sound one takes 0.1 s.
const LIMIT: Duration = Duration::from_secs(30);

type SpectrumKey = (String, Arm, i64);

fn key(row: &RvRow) -> SpectrumKey {
    (name_of(&row.path), row.arm, row.lmjm)
}

#[test]
fn three_hundred_corruptions() {
    let mut rng = ChaCha8Rng::seed_from_u64(20260612);
    let dir = folder();
    let plain: Vec<(String, Vec<u8>)> = files(small_plate())
        .iter()
        .map(|path| (name_of(path).replace(".gz", ""), gunzip(path)))
        .collect();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    for (name, bytes) in &plain {
        write(name, bytes);
    }
    let sound = measure_paths(&[dir.path()]);
    let sound: BTreeMap<SpectrumKey, RvRow> =
        sound.rows.into_iter().map(|row| (key(&row), row)).collect();
    assert_eq!(sound.len(), 32);
    // Files of a star end with its fibre.
    let mut by_star: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, (name, _)) in plain.iter().enumerate() {
        by_star.entry(&name[name.len() - 8..]).or_default().push(i);
    }
    assert_eq!(by_star.len(), 4);

    let (mut n_spoiled, mut n_rejected, mut n_flagged) = (0, 0, 0);
    let mut silent = Vec::new();
    for round in 0..N_CASES / by_star.len() {
        let mut how = BTreeMap::new();
        for members in by_star.values() {
            let (name, bytes) = &plain[members[rng.random_range(0..members.len())]];
            let mut bytes = bytes.clone();
            let ways = if rng.random() {
                vec![spoil_pixels(&mut bytes, &mut rng)]
            } else {
                let n = rng.random_range(1..=2);
                (0..n).map(|_| damage(&mut bytes, &mut rng)).collect()
            };
            write(name, &bytes);
            how.insert(name.clone(), ways.join(", "));
        }
        let start = Instant::now();
        let measured = measure_paths(&[dir.path()]);
        assert!(
            start.elapsed() < LIMIT,
            "round {round} took {:?}",
            start.elapsed()
        );
        check_counts(&measured);
        n_spoiled += how.len();
        n_rejected += how
            .keys()
            .filter(|name| is_rejected(&measured, name))
            .count();
        n_flagged += measured
            .rows
            .iter()
            .filter(|r| !r.measurement.flags.is_empty())
            .count();
        for wrong in wrong_without_notice(&measured, &sound) {
            let star = &wrong[wrong.len() - 13..wrong.len() - 5];
            let ways: Vec<_> = how.iter().filter(|(name, _)| name.contains(star)).collect();
            silent.push(format!("round {round}: {wrong}: {ways:?}"));
        }
        for name in how.keys() {
            let (_, bytes) = plain.iter().find(|(n, _)| n == name).unwrap();
            write(name, bytes);
        }
    }
    println!(
        "{n_spoiled} files spoiled, {n_rejected} of them rejected at least in part, {n_flagged} rows with flags"
    );
    for line in &silent {
        println!("{line}");
    }
    assert!(
        silent.is_empty(),
        "{} wrong velocities without notice",
        silent.len()
    );
    // The damage is neither harmless nor always deadly.
    assert!(n_rejected > N_CASES / 10 && n_rejected < N_CASES * 9 / 10 && n_flagged > N_CASES / 10);
}

fn is_rejected(measured: &Measured, name: &str) -> bool {
    measured.rejected.iter().any(|r| name_of(&r.path) == name)
}

/// Counts in are counts out, and every row is a number or has a flag.
fn check_counts(measured: &Measured) {
    let of_hdus = measured
        .rejected
        .iter()
        .filter(|r| !r.hdu.is_empty())
        .count();
    assert_eq!(measured.n_spectra, measured.rows.len() + of_hdus);
    for row in &measured.rows {
        let m = &row.measurement;
        assert!(
            (m.rv_km_s.is_finite() && m.rv_err_km_s > 0.0) || !m.flags.is_empty(),
            "{row:?}"
        );
        assert!(row.snr.is_finite(), "{row:?}");
    }
    assert!(measured.rejected.iter().all(|r| !r.detail.is_empty()));
}

/// Rows whose velocity is off by more than 5 sigma and 5 km/s, although neither they nor their reference have a flag and
/// neither file has a rejection.
fn wrong_without_notice(measured: &Measured, sound: &BTreeMap<SpectrumKey, RvRow>) -> Vec<String> {
    let references: BTreeMap<(i64, Arm), &RvRow> = measured
        .rows
        .iter()
        .filter(|r| r.is_reference)
        .map(|r| ((r.star, r.arm), r))
        .collect();
    let mut wrong = Vec::new();
    for row in &measured.rows {
        let reference = references[&(row.star, row.arm)];
        let noticed =
            |r: &RvRow| !r.measurement.flags.is_empty() || is_rejected(measured, &name_of(&r.path));
        if noticed(row) || noticed(reference) {
            continue;
        }
        let name = name_of(&row.path);
        let (Some(before), Some(origin)) = (sound.get(&key(row)), sound.get(&key(reference)))
        else {
            wrong.push(format!("{} {} is no exposure of {name}", row.arm, row.lmjm));
            continue;
        };
        // Damage may have made another exposure the reference.
        let expected = before.measurement.rv_km_s - origin.measurement.rv_km_s;
        let off = row.measurement.rv_km_s - expected;
        let sigma = row
            .measurement
            .rv_err_km_s
            .hypot(before.measurement.rv_err_km_s);
        if off.abs() > 5.0 && off.abs() > 5.0 * sigma {
            wrong.push(format!(
                "{off:.1} +- {sigma:.2} km/s in {} {} of {name}",
                row.arm, row.lmjm
            ));
        }
    }
    wrong
}

/// Spoils flux or ivar over a piece of some exposure, in a file that stays sound; says how.
fn spoil_pixels(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) -> String {
    let mut hdus = split(bytes);
    let exposure = rng.random_range(3..hdus.len());
    let column = ["FLUX", "IVAR"][rng.random_range(0..2)];
    let kind = rng.random_range(0..8);
    let mut place = 0..0;
    hdus[exposure].edit_floats(column, |values| {
        let n = values.len();
        let len = [1, 3, 10, 100, 1000, n][rng.random_range(0..6)];
        let start = rng.random_range(0..=n - len);
        place = start..start + len;
        let factor = rng.random_range(-7f32..7f32).exp();
        let level = median(&values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>()) as f32;
        for value in &mut values[place.clone()] {
            *value = match kind {
                0 => 0.0,
                1 => f32::NAN,
                2 => f32::INFINITY,
                3 => -*value,
                4 => f32::from_bits(rng.random()),
                5 => level * factor,
                6 => level * rng.random_range(-1f32..3f32),
                _ => *value * factor,
            };
        }
    });
    *bytes = join(&hdus);
    format!(
        "{} {column} {place:?} spoiled ({kind})",
        hdus[exposure].name()
    )
}

/// Damages the file in one way; says how.
fn damage(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) -> String {
    let anywhere = rng.random_range(0..bytes.len().max(1));
    match rng.random_range(0..8) {
        0 => {
            bytes.truncate(anywhere);
            format!("cut at {anywhere}")
        }
        1 | 2 => {
            let n = rng.random_range(1..40);
            for _ in 0..n {
                let at = rng.random_range(0..bytes.len().max(1));
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
            format!("{n} bits flipped")
        }
        3 | 4 => {
            let end = (anywhere + rng.random_range(1..20_000)).min(bytes.len());
            let fill = rng.random_range(0..3);
            match fill {
                0 => bytes[anywhere..end].fill(0),
                1 => bytes[anywhere..end].fill(0x7f),
                _ => rng.fill_bytes(&mut bytes[anywhere..end]),
            }
            format!("{anywhere}..{end} overwritten ({fill})")
        }
        5 => {
            let end = (anywhere + rng.random_range(1..6000)).min(bytes.len());
            bytes.drain(anywhere..end);
            format!("{anywhere}..{end} taken out")
        }
        _ => edit_card(bytes, rng),
    }
}

/// Changes a byte of the value of some header card.
fn edit_card(bytes: &mut [u8], rng: &mut ChaCha8Rng) -> String {
    let cards: Vec<usize> = (0..bytes.len() / 80)
        .map(|card| card * 80)
        .filter(|&at| bytes[at..at + 80].is_ascii() && &bytes[at + 8..at + 10] == b"= ")
        .collect();
    if cards.is_empty() {
        return "nothing".to_owned();
    }
    let at = cards[rng.random_range(0..cards.len())];
    let card = &mut bytes[at..at + 80];
    // Right-justified numbers end in column 30; texts begin in column 11.
    let place = rng.random_range(10..30);
    card[place] = b"0123456789 -.'"[rng.random_range(0..14)];
    String::from_utf8_lossy(&card[..30]).into_owned()
}
