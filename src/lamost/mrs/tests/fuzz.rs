//! Random damage: whatever the bytes, the answer is a file or a rejection, soon, and nothing is lost in silence.

use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::NAME;
use super::sample::{Layout, Sample, gzip};
use crate::lamost::inflate::Inflater;
use crate::lamost::mrs::{parse, read_file, read_header};
use crate::lamost::raw::{MrsFile, StoredWave};

/// Damaged files in all: both layouts, plain and gzip.
const N_CASES: usize = 10_000;

/// No case may take longer, on a loaded machine in the dev profile; a sound file takes 1 ms.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn ten_thousand_corruptions() {
    let mut rng = ChaCha8Rng::seed_from_u64(20260611);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let mut inflater = Inflater::new();
    let (mut n_sound, mut n_partial, mut n_rejected) = (0, 0, 0);
    for layout in [Layout::Rows, Layout::Vectors] {
        let plain = Sample::new(layout, 1).bytes();
        let packed = gzip(&plain);
        std::fs::write(&path, &plain).unwrap();
        let intact = read_file(&path, &mut inflater).unwrap();
        for case in 0..N_CASES / 2 {
            let is_gzip = case % 4 == 3;
            let bytes = damage(if is_gzip { &packed } else { &plain }, &mut rng);
            let start = Instant::now();
            let result = if is_gzip || case % 8 == 0 {
                std::fs::write(&path, &bytes).unwrap();
                let header = read_header(&path, &mut inflater);
                let result = read_file(&path, &mut inflater);
                if let Ok(file) = &result {
                    assert_eq!(header.as_ref(), Ok(&file.header), "case {case}");
                }
                result
            } else {
                parse(&path, &bytes)
            };
            assert!(
                start.elapsed() < LIMIT,
                "case {case} took {:?}",
                start.elapsed()
            );
            match result {
                Ok(file) => {
                    check(&file, case);
                    // The checksum of gzip lets no damage pass.
                    if is_gzip {
                        assert_eq!(file.spectra, intact.spectra, "case {case}");
                        assert_eq!(file.header, intact.header, "case {case}");
                    }
                    if file.rejected.is_empty() {
                        n_sound += 1;
                    } else {
                        n_partial += 1;
                    }
                }
                Err(rejection) => {
                    assert!(!rejection.detail.is_empty() && rejection.path == path);
                    n_rejected += 1;
                }
            }
        }
    }
    eprintln!("{n_sound} files read whole, {n_partial} in part, {n_rejected} rejected");
    assert_eq!(n_sound + n_partial + n_rejected, N_CASES);
    // The damage is neither harmless nor always deadly.
    assert!(n_sound > 500 && n_partial > 500 && n_rejected > 500);
}

/// What the rest of the program relies on.
fn check(file: &MrsFile, case: usize) {
    assert!((0.0..360.0).contains(&file.header.ra_deg), "case {case}");
    assert!(file.header.dec_deg.abs() <= 90.0, "case {case}");
    for s in &file.spectra {
        let n = s.pixels.flux.len();
        assert!(
            n >= 500 && s.pixels.ivar.len() == n && s.pixels.masked.len() == n,
            "case {case}"
        );
        assert!(s.pixels.flux.iter().all(|x| x.is_finite()), "case {case}");
        assert!(
            s.pixels.ivar.iter().all(|x| x.is_finite() && *x >= 0.0),
            "case {case}"
        );
        let wave: Vec<f64> = match &s.pixels.wave {
            StoredWave::Log10(x) => x.iter().map(|&x| 10f64.powf(f64::from(x))).collect(),
            StoredWave::Linear(x) => x.clone(),
        };
        assert!(
            wave.len() == n && wave.is_sorted_by(|a, b| a < b),
            "case {case}"
        );
        assert!(wave[0] > 4700.0 && wave[n - 1] < 7100.0, "case {case}");
        assert!(s.lmjm > 0 && !s.hdu.is_empty(), "case {case}");
        assert!(s.mid_s.is_nan() || s.mid_s > -60.0, "case {case}");
    }
    assert!(
        !file.spectra.is_empty() || !file.rejected.is_empty(),
        "case {case}"
    );
}

/// One to three ways of damage.
fn damage(bytes: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..=3) {
        match rng.random_range(0..8) {
            0 => flip(&mut bytes, rng),
            1 => overwrite(&mut bytes, rng),
            2 if !bytes.is_empty() => {
                let len = rng.random_range(0..bytes.len());
                bytes.truncate(len);
            }
            3 => move_piece(&mut bytes, rng),
            4 => {
                let extra = rng.random_range(1..5000);
                let value: u8 = rng.random();
                bytes.extend(std::iter::repeat_n(value, extra));
            }
            _ => edit_card(&mut bytes, rng),
        }
    }
    bytes
}

/// Flips bits, mostly in the headers.
fn flip(bytes: &mut [u8], rng: &mut ChaCha8Rng) {
    for _ in 0..rng.random_range(1..20) {
        let at = card_or_anywhere(bytes, rng);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << rng.random_range(0..8);
        }
    }
}

/// Zeroes, blanks or randomises a piece.
fn overwrite(bytes: &mut [u8], rng: &mut ChaCha8Rng) {
    let start = rng.random_range(0..=bytes.len());
    let end = (start + rng.random_range(1..6000)).min(bytes.len());
    match rng.random_range(0..4) {
        0 => bytes[start..end].fill(0),
        1 => bytes[start..end].fill(b' '),
        2 => bytes[start..end].fill(0xff),
        _ => rng.fill_bytes(&mut bytes[start..end]),
    }
}

/// Takes a piece out, or puts it in twice.
fn move_piece(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let start = rng.random_range(0..=bytes.len());
    let end = (start + rng.random_range(1..6000)).min(bytes.len());
    if rng.random() {
        bytes.drain(start..end);
    } else {
        let piece = bytes[start..end].to_vec();
        bytes.splice(start..start, piece);
    }
}

/// Gives a key another value, or a card another key.
fn edit_card(bytes: &mut [u8], rng: &mut ChaCha8Rng) {
    const VALUES: [&str; 16] = [
        "0",
        "1",
        "-1",
        "7",
        "1000",
        "65536",
        "2147483648",
        "1099511627776",
        "9223372036854775807",
        "18446744073709551616",
        "1E400",
        "NaN",
        "T",
        "'4136E   '",
        "'999999999999D'",
        "'text",
    ];
    const KEYS: [&str; 16] = [
        "END     ", "NAXIS   ", "NAXIS1  ", "NAXIS2  ", "BITPIX  ", "PCOUNT  ", "GCOUNT  ",
        "TFIELDS ", "TFORM1  ", "TTYPE2  ", "TSCAL1  ", "TZERO3  ", "TNULL4  ", "XTENSION",
        "EXTNAME ", "LMJM    ",
    ];
    let at = card_or_anywhere(bytes, rng) / 80 * 80;
    let Some(card) = bytes.get_mut(at..at + 80) else {
        return;
    };
    if rng.random_range(0..4) == 0 {
        card[..8].copy_from_slice(KEYS[rng.random_range(0..KEYS.len())].as_bytes());
    } else {
        let value = VALUES[rng.random_range(0..VALUES.len())];
        card[10..30].copy_from_slice(format!("{value:>20}").as_bytes());
    }
}

/// A place in the first cards of some block that looks like a header, or anywhere.
fn card_or_anywhere(bytes: &[u8], rng: &mut ChaCha8Rng) -> usize {
    let n_blocks = bytes.len() / 2880;
    for _ in 0..50 * usize::from(n_blocks > 0) {
        let at = rng.random_range(0..n_blocks) * 2880;
        if bytes[at..at + 160].is_ascii() && bytes[at] >= b'A' {
            return at + rng.random_range(0..2880);
        }
    }
    rng.random_range(0..=bytes.len())
}
