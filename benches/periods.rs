//! Time to look for the periods of a survey's stars on all cores: `cargo bench --bench periods`. `RELRV_STARS=100000` says for how many.
//!
//! The budget is 10 minutes for 100,000 stars on two cores. Half of the stars are binaries, half are constant: those take longest, as
//! their false-alarm probabilities are found with sets of noise.

use std::f64::consts::TAU;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use relrv::periods::{PeriodOptions, Velocities, period};

/// Twelve nights of three exposures in 400 days, both arms: what a star of a time-domain plate has at most.
const NIGHTS: usize = 12;
const EXPOSURES: usize = 3;
const SPAN_D: f64 = 400.0;

#[derive(Default)]
struct Star {
    bjd_tdb: Vec<f64>,
    rv_km_s: Vec<f64>,
    rv_err_km_s: Vec<f64>,
    arm: Vec<usize>,
    /// 0 for a constant star.
    period_d: f64,
}

fn star(number: usize) -> Star {
    let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
    let is_binary = number.is_multiple_of(2);
    let mut star = Star {
        period_d: match is_binary {
            true => (0.3f64.ln() + rng.random::<f64>() * (SPAN_D / 2.0 / 0.3).ln()).exp(),
            false => 0.0,
        },
        ..Star::default()
    };
    let phase: f64 = rng.random();
    for _ in 0..NIGHTS {
        let night_d = (rng.random::<f64>() * SPAN_D).floor() + rng.random::<f64>() / 6.0;
        for exposure in 0..EXPOSURES {
            let t = 2_458_600.5 + night_d + 0.016 * exposure as f64;
            let moved = match is_binary {
                true => 8.0 * (TAU * (t / star.period_d + phase)).sin(),
                false => 0.0,
            };
            for arm in 0..2 {
                let noise: f64 = StandardNormal.sample(&mut rng);
                star.bjd_tdb.push(t);
                star.rv_km_s.push(moved + noise);
                star.rv_err_km_s.push(1.0);
                star.arm.push(arm);
            }
        }
    }
    star
}

fn main() {
    let n: usize = std::env::var("RELRV_STARS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(2000);
    let stars: Vec<Star> = (0..n).map(star).collect();
    let start = Instant::now();
    let right: (usize, usize) = stars
        .par_iter()
        .map(|star| {
            let velocities = Velocities {
                bjd_tdb: &star.bjd_tdb,
                rv_km_s: &star.rv_km_s,
                rv_err_km_s: &star.rv_err_km_s,
                arm: &star.arm,
            };
            let found = period(&velocities, &PeriodOptions::default());
            let Some(found) = found else { return (0, 0) };
            let is_right = (found.period_d / star.period_d - 1.0).abs() < 0.01;
            let is_claimed = star.period_d == 0.0 && found.false_alarm <= 0.01;
            (usize::from(is_right), usize::from(is_claimed))
        })
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{n} stars of {} times: {seconds:.1} s on {} threads, {:.2} ms a star and thread; {} of {} periods right to 1 %, {} of {} constant \
        stars with a false-alarm probability of 1 % at most",
        NIGHTS * EXPOSURES,
        rayon::current_num_threads(),
        1e3 * seconds * rayon::current_num_threads() as f64 / n as f64,
        right.0,
        n.div_ceil(2),
        right.1,
        n / 2
    );
}
