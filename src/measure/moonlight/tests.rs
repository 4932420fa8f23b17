mod counted;
mod scattered;

use std::path::PathBuf;
use std::sync::Arc;

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::*;
use crate::likelihood::Measurement;
use crate::reference::Sunlit;

/// Moonlight of 12 exposures in four nights.
const LEVEL: [f64; 12] = [
    0.06, 0.055, 0.05, 0.03, 0.028, 0.033, 0.08, 0.075, 0.085, 0.045, 0.05, 0.04,
];

const MISMATCH: f64 = 0.002;

/// A unit whose stars are told as lists of what was seen, and the shares of moonlight that they have.
struct Made {
    stars: Vec<Vec<Seen>>,
    shares: Vec<Vec<f64>>,
}

/// What is asked of a unit.
#[derive(Clone, Copy)]
struct Asked {
    stars: usize,
    /// Factor on [`LEVEL`].
    moon: f64,
    of_fibre: f64,
    of_exposure: f64,
    /// Error of a share.
    sigma: f64,
    /// Stars with an orbit, one of so many; 0 for none.
    one_binary_of: usize,
    /// All exposures have the same moonlight, 0.05 of it.
    is_flat: bool,
}

const ASKED: Asked = Asked {
    stars: 60,
    moon: 1.0,
    of_fibre: 0.2,
    of_exposure: 0.1,
    sigma: 0.004,
    one_binary_of: 5,
    is_flat: false,
};

/// By the sums of docs/method.md, section 14, word for word.
fn made(seed: u64, asked: Asked) -> Made {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut out = Made {
        stars: Vec::new(),
        shares: Vec::new(),
    };
    for star in 0..asked.stars {
        let mut normal = || -> f64 { rng.sample(StandardNormal) };
        let faintness = (0.4 * normal()).exp();
        let factor = (asked.of_fibre * normal()).exp();
        let is_binary = asked.one_binary_of > 0 && star % asked.one_binary_of == 0;
        let (system, swing) = (30.0 * normal(), if is_binary { 40.0 } else { 0.0 });
        let distinct = 0.0023 + 0.0077 * (star as f64 / asked.stars as f64);
        let shares: Vec<f64> = LEVEL
            .iter()
            .map(|l| if asked.is_flat { 0.05 } else { *l })
            .map(|l| asked.moon * l * faintness * factor * (1.0 + asked.of_exposure * normal()))
            .collect();
        let v = |e: usize| system + swing * (1.7 * e as f64 + star as f64).sin();
        let seen = |e: usize, noise: f64| {
            let others = (0..LEVEL.len()).filter(|j| *j != e);
            let alike = |j: usize| (-(v(e) - v(j)).powi(2) / (4.0 * 18.0 * 18.0)).exp();
            let in_others = others.map(|j| shares[j] * alike(j)).sum::<f64>() / 11.0;
            let response = 1.0 - MISMATCH / distinct;
            Seen {
                row: 0,
                exposure: e,
                sunlit: Sunlit {
                    share: response * (shares[e] - in_others) + asked.sigma * noise,
                    sigma: asked.sigma,
                    distinct,
                    pull_km_s: -0.5 * v(e),
                },
                faintness,
                against_earth_km_s: v(e),
                velocity_km_s: None,
                err_km_s: 0.0,
                weight: 1e4,
                is_copy: true,
            }
        };
        out.stars
            .push((0..LEVEL.len()).map(|e| seen(e, normal())).collect());
        out.shares.push(shares);
    }
    out
}

fn stars_of(made: &Made) -> Vec<Star> {
    let star = |seen: &Vec<Seen>| Star::new(seen.clone(), seen.len()).unwrap();
    made.stars.iter().map(star).collect()
}

fn sky_of(made: &Made) -> Option<(Levels, Vec<Star>)> {
    let mut stars = stars_of(made);
    sky::find(&mut stars, &[0.0; 12], &[]).map(|sky| (sky, stars))
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values {
        sum += value * value;
        n += 1.0;
    }
    f64::sqrt(sum / n)
}

#[test]
fn the_sky_is_found_from_all_stars() {
    let (mut fibre, mut exposure, mut mismatch) = (vec![], vec![], vec![]);
    let (mut off, mut levels) = (vec![], vec![]);
    for seed in 0..8 {
        let (sky, _) = sky_of(&made(seed, ASKED)).unwrap();
        fibre.push(sky.of_fibre);
        exposure.push(sky.of_exposure);
        mismatch.push(sky.mismatch / MISMATCH);
        for (e, level) in LEVEL.iter().enumerate() {
            levels.push(sky.level[e] / level - 1.0);
            off.push((sky.level[e] - level) / sky.level_err[e].hypot(sky.common_err));
        }
    }
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    println!(
        "scatter {:.3} {:.3}, levels {:.3} +- {:.3}, over their errors {:.2}",
        mean(&fibre),
        mean(&exposure),
        mean(&levels),
        rms(levels.iter().copied()),
        rms(off.iter().copied())
    );
    println!("mismatch {:.2}", mean(&mismatch));
    assert!((mean(&mismatch) - 1.0).abs() < 0.35);
    assert!((mean(&fibre) / 0.2 - 1.0).abs() < 0.2);
    assert!((0.055..0.13).contains(&mean(&exposure)));
    assert!(mean(&levels).abs() < 0.2 && rms(levels.iter().copied()) < 0.2);
    assert!((0.6..2.2).contains(&rms(off.iter().copied())));
}

#[test]
fn without_moonlight_or_with_too_few_stars_nothing_is_known() {
    for seed in 20..26 {
        let dark = Asked { moon: 0.0, ..ASKED };
        assert!(sky_of(&made(seed, dark)).is_none(), "{seed}");
        assert!(sky_of(&made(seed, Asked { stars: 3, ..ASKED })).is_none());
        assert!(sky_of(&made(seed, Asked { stars: 10, ..ASKED })).is_some());
    }
    let mut made = made(26, ASKED);
    for star in &mut made.stars[3..] {
        star.retain(|s| s.exposure != 5);
    }
    let (sky, stars) = sky_of(&made).unwrap();
    assert!(!sky.is_known(5) && sky.is_known(4));
    assert!(stars[0].moved(&sky, &[0.1; 12]).is_none());
    assert!(stars[3].moved(&sky, &[0.1; 11]).is_some());
}

#[test]
fn levels_that_no_star_tells_have_their_errors() {
    // Without a star that moves, what all exposures share is not known.
    let still = Asked {
        one_binary_of: 0,
        sigma: 1e-5,
        of_exposure: 0.0,
        ..ASKED
    };
    let (sky, _) = sky_of(&made(31, still)).unwrap();
    assert!((0.03..0.06).contains(&sky.common_err), "{}", sky.common_err);
    // However small the noise, a level is not known better than to 0.003.
    let best = sky.level_err.iter().fold(1.0f64, |a, b| a.min(*b));
    assert!((0.003..0.0035).contains(&best), "{best}");
    assert_eq!((sky.of_exposure, sky.of_fibre > 0.1), (0.05, true));
    let (sky, _) = sky_of(&made(
        32,
        Asked {
            of_fibre: 0.0,
            ..still
        },
    ))
    .unwrap();
    assert_eq!(sky.of_fibre, 0.1);
    let (sky, _) = sky_of(&made(
        33,
        Asked {
            of_fibre: 0.8,
            ..ASKED
        },
    ))
    .unwrap();
    assert!((0.5..=1.0).contains(&sky.of_fibre), "{}", sky.of_fibre);
    // Stars that know nothing of their factors leave their scatter at 0.25.
    let faint = Asked {
        sigma: 0.06,
        stars: 400,
        ..ASKED
    };
    let (sky, _) = sky_of(&made(34, faint)).unwrap();
    assert_eq!(sky.of_fibre, 0.25);
}

#[test]
fn shares_in_the_others_are_those_at_the_same_velocity() {
    let made = made(41, ASKED);
    for (star, shares) in stars_of(&made).iter().zip(&made.shares).take(12) {
        let found = star.in_others(shares);
        for (e, found) in found.iter().enumerate() {
            let v = |j: usize| star.seen[j].against_earth_km_s;
            let alike = |j: usize| (-(v(e) - v(j)).powi(2) / (4.0 * 18.0 * 18.0)).exp();
            let direct: f64 = (0..12)
                .filter(|j| *j != e)
                .map(|j| shares[j] * alike(j))
                .sum();
            assert!(
                (found - direct / 11.0).abs() < 0.04 * shares[e],
                "{found} {direct}"
            );
        }
    }
}

#[test]
fn weights_hold_a_floor_and_far_shares_have_less() {
    let mut made = made(42, ASKED);
    for seen in &mut made.stars[0] {
        seen.sunlit.sigma = 0.0;
        seen.sunlit.share = 0.0;
    }
    // Three floors off.
    made.stars[0][3].sunlit.share = 0.0045;
    made.stars[0][4].is_copy = false;
    let mut star = Star::new(made.stars[0].clone(), 12).unwrap();
    let (mut sky, _) = sky_of(&made).unwrap();
    sky.level = vec![0.0; 12];
    star.fit(&sky);
    let weights = star.weights();
    assert!((weights[0] * 0.0015 * 0.0015 - 1.0).abs() < 1e-9);
    assert!((weights[3] / weights[0] - 0.5).abs() < 1e-9);
    assert_eq!(weights[4], 0.0);
    // A star that shows the opposite of moonlight has a fifth of it.
    let mut opposite = made.stars[59].clone();
    for seen in &mut opposite {
        seen.sunlit.share *= -5.0;
    }
    let (sky, _) = sky_of(&made).unwrap();
    let mut star = Star::new(opposite, 12).unwrap();
    star.fit(&sky);
    assert_eq!(star.factor, 0.2);
    assert!(Star::new(made.stars[0][..3].to_vec(), 3).is_some());
    assert!(Star::new(made.stars[0][..2].to_vec(), 2).is_none());
}

#[test]
fn a_pull_that_is_not_steady_counts_as_an_error() {
    let made = made(43, ASKED);
    let (sky, stars) = sky_of(&made).unwrap();
    let star = &stars[51];
    let before = star.moved(&sky, &[0.1; 12]).unwrap();
    let mut other = star.clone();
    other.seen[7].sunlit.pull_km_s += 40.0;
    let after = other.moved(&sky, &[0.1; 12]).unwrap();
    let share = star.shares(|e| sky.level[e])[7];
    let more = (after[7].err_km_s.powi(2) - before[7].err_km_s.powi(2)).sqrt();
    assert!(
        (0.8..1.6).contains(&(more / (40.0 * share))),
        "{more} {share}"
    );
    // Shares of 0.3 at most make the lines weaker.
    let mut bright = star.clone();
    bright.factor = 1e3;
    let moved = bright.moved(&sky, &[0.1; 12]).unwrap();
    let full = bright.shares(|e| sky.level[e])[0] * bright.seen[0].sunlit.pull_km_s;
    assert!((moved[0].by_km_s / full * 0.49 - 1.0).abs() < 1e-9);
}

fn row(star: usize, seen: &Seen, rv_km_s: f64, err_km_s: f64) -> RvRow {
    RvRow {
        star: star as i64,
        designation: Arc::from("J"),
        ra_deg: 0.0,
        dec_deg: 0.0,
        obsid: 0,
        planid: Arc::from("P"),
        spid: 1,
        fiberid: star as i32,
        arm: Arm::Blue,
        lmjm: 1000 + seen.exposure as i64,
        hjd: 0.0,
        bjd_tdb: 0.0,
        snr: 100.0,
        measurement: Measurement {
            rv_km_s,
            rv_err_km_s: err_km_s * 2f64.sqrt(),
            rv_err_own_km_s: err_km_s,
            flags: RvFlags::empty(),
            ..Measurement::without_pixels()
        },
        is_reference: seen.exposure == 4,
        n_reference: 12,
        noise_scale: 1.0,
        line_place: f64::NAN,
        line_width_km_s: f64::NAN,
        path: Arc::new(PathBuf::from("x")),
    }
}

const ERR_KM_S: f64 = 0.07;

/// By how much the pull changes with the place of the Sun: so much that velocities are wrong where the drift is not counted.
const PULL_PER_KM_S: f64 = 2.0;

/// What is found of sunlight at several places, if it is `sunlit` where the wavelengths are too large by `drift_km_s`.
fn drifting(sunlit: Sunlit, drift_km_s: f64) -> Option<SunlitWhere> {
    SunlitWhere::found(&mut |by_km_s| {
        Some(Sunlit {
            pull_km_s: sunlit.pull_km_s - PULL_PER_KM_S * (drift_km_s - by_km_s),
            ..sunlit
        })
    })
}

/// By how much the wavelengths of each exposure are too large, km/s.
const DRIFT_KM_S: [f64; 12] = [
    3.0, 2.5, 3.5, -2.0, -2.5, -1.5, 0.5, 1.5, 1.0, -1.0, -2.0, -3.0,
];

/// Rows of stars whose velocities moonlight and the drift have moved, what is known of it, and the velocities without moonlight.
fn moved_rows(seed: u64, asked: Asked) -> (Vec<RvRow>, Vec<Lit>, Vec<f64>) {
    let made = made(seed, asked);
    let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
    let (mut rows, mut lit, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (seen, shares)) in made.stars.iter().zip(&made.shares).enumerate() {
        let usual = shares.iter().sum::<f64>() / 12.0;
        for (s, m) in seen.iter().zip(shares) {
            let noise: f64 = rng.sample(StandardNormal);
            let moved = m / (1.0 - m) / (1.0 - usual) * s.sunlit.pull_km_s;
            let drift = DRIFT_KM_S[s.exposure];
            let of_star = s.against_earth_km_s - 30.0 + drift;
            truth.push(of_star);
            let row = row(number, s, of_star + moved + ERR_KM_S * noise, ERR_KM_S);
            lit.push(Lit {
                row: rows.len(),
                sunlit: drifting(s.sunlit, drift),
                light: 3000.0 / s.faintness,
                helio_rv_km_s: 30.0,
                err_km_s: 0.0,
                is_odd: false,
            });
            rows.push(row);
        }
    }
    (rows, lit, truth)
}

/// Velocities of stars that moonlight moves, over their errors, before and after it was taken off.
fn pulls(seed: u64, asked: Asked) -> (f64, f64, Vec<RvRow>) {
    let (mut rows, lit, truth) = moved_rows(seed, asked);
    let score = |rows: &[RvRow]| {
        let stars = rows.chunks(12).zip(truth.chunks(12));
        let z = stars.flat_map(|(rows, truth)| {
            let off: Vec<f64> = rows
                .iter()
                .zip(truth)
                .map(|(r, t)| r.measurement.rv_km_s - t)
                .collect();
            let weights: Vec<f64> = rows
                .iter()
                .map(|r| r.measurement.rv_err_own_km_s.powi(-2))
                .collect();
            let all: f64 = weights.iter().sum();
            let zero = off.iter().zip(&weights).map(|(o, w)| o * w).sum::<f64>() / all;
            let one = |(o, w): (&f64, &f64)| (o - zero) * w.sqrt() / (1.0 - w / all).sqrt();
            off.iter().zip(&weights).map(one).collect::<Vec<f64>>()
        });
        rms(z)
    };
    let before = score(&rows);
    correct(&mut rows, &lit);
    (before, score(&rows), rows)
}

#[test]
fn moonlight_is_taken_off_and_errors_hold_what_is_left() {
    let mut all = 0.0;
    for seed in 50..54 {
        let (before, after, _) = pulls(seed, ASKED);
        println!("{before:.2} {after:.3}");
        assert!(before > 3.0 && after < 1.4, "{before} {after}");
        all += after / 4.0;
    }
    assert!((0.85..1.25).contains(&all), "{all}");
    // Nothing is touched where there is none.
    let (before, after, rows) = pulls(55, Asked { moon: 0.0, ..ASKED });
    assert_eq!(before, after);
    assert!(
        rows.iter()
            .all(|r| r.measurement.rv_err_own_km_s == ERR_KM_S)
    );
}

#[test]
fn sunlight_is_read_where_the_drift_of_its_exposure_has_put_it() {
    let asked = Asked {
        one_binary_of: 0,
        ..ASKED
    };
    let (rows, lit, _) = moved_rows(56, asked);
    let minutes: Vec<i64> = (1000..1012).collect();
    let unlit = Unlit {
        minutes: &minutes,
        usual: &[3000.0; 12],
        drift_km_s: &DRIFT_KM_S,
    };
    let of_star: Vec<&Lit> = lit[..12].iter().collect();
    let seen = seen(&rows, &of_star, &unlit);
    let made = &made(56, asked).stars[0];
    assert_eq!(seen.len(), 12);
    for (seen, made) in seen.iter().zip(made) {
        let (pull, there) = (seen.sunlit.pull_km_s, made.sunlit.pull_km_s);
        assert!((pull - there).abs() < 1e-9, "{pull} {there}");
        // The star's own velocity against the Earth: what was measured has the drift, noise and moonlight's pull.
        let (found, made) = (seen.against_earth_km_s, made.against_earth_km_s);
        assert!((found - made).abs() < 6.0 * ERR_KM_S + 0.15 * made.abs());
    }
}

#[test]
fn a_star_is_corrected_as_a_whole_or_not_at_all() {
    let (rows, mut lit, _) = moved_rows(70, ASKED);
    lit[3].sunlit = None;
    let corrected = |rows: &[RvRow]| {
        let mut now = rows.to_vec();
        correct(&mut now, &lit);
        let changed = |(a, b): (&RvRow, &RvRow)| a.measurement.rv_km_s != b.measurement.rv_km_s;
        now.iter().zip(rows).map(changed).collect::<Vec<bool>>()
    };
    let changed = corrected(&rows);
    assert!(changed[..12].iter().all(|c| !c));
    // Its reference stays 0.
    assert_eq!(changed[12..24].iter().filter(|c| **c).count(), 11);
    // What says nothing of the star does not hinder.
    let mut flagged = rows;
    flagged[3].measurement.flags |= RvFlags::NOT_AS_OTHERS;
    assert_eq!(corrected(&flagged)[..12].iter().filter(|c| **c).count(), 10);
}

#[test]
fn what_is_not_told_is_left_alone() {
    let made = made(60, ASKED);
    let seen = made.stars[0][0];
    let plain = row(0, &seen, 3.0, 0.1);
    let mut rows = vec![plain.clone(); 4];
    let lit = |row, light, share| Lit {
        row,
        sunlit: drifting(
            Sunlit {
                share,
                ..seen.sunlit
            },
            0.0,
        ),
        light,
        helio_rv_km_s: f64::NAN,
        err_km_s: 0.0,
        is_odd: false,
    };
    correct(
        &mut rows,
        &[
            lit(0, 0.0, 0.1),
            lit(1, f64::NAN, 0.1),
            lit(2, 1.0, f64::NAN),
        ],
    );
    correct(&mut rows, &[]);
    // A row of numbers that are none is equal to no row, but reads the same.
    let told = format!("{plain:?}");
    assert!(rows.iter().all(|r| format!("{r:?}") == told));
    assert!(
        !Seen {
            faintness: f64::INFINITY,
            ..seen
        }
        .is_usable()
            && seen.is_usable()
    );
}

#[test]
fn moonlight_shows_by_its_changes_or_by_stars_that_move() {
    let found = |asked: Asked| {
        (70..76)
            .filter(|seed| sky_of(&made(*seed, asked)).is_some())
            .count()
    };
    let changes = |moon| Asked {
        moon,
        one_binary_of: 0,
        ..ASKED
    };
    let same = |moon| Asked {
        moon,
        is_flat: true,
        ..ASKED
    };
    // Limits are crossed near 0.27 of the usual moonlight in both.
    assert_eq!((found(changes(0.25)), found(changes(0.35))), (0, 6));
    assert_eq!((found(same(0.2)), found(same(0.5))), (0, 6));
}
