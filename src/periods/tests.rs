//! Periods against a truth.

mod least_squares;

use std::f64::consts::TAU;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::epochs::{ARMS, Epochs};
use super::power::sinusoid;
use super::{Period, PeriodOptions, Velocities, period};

/// Velocities of one star.
#[derive(Clone, Debug, Default)]
struct Star {
    bjd_tdb: Vec<f64>,
    rv_km_s: Vec<f64>,
    rv_err_km_s: Vec<f64>,
    arm: Vec<usize>,
}

impl Star {
    fn period(&self) -> Option<Period> {
        self.period_up_to(10.0)
    }

    fn period_up_to(&self, highest_per_d: f64) -> Option<Period> {
        let velocities = Velocities {
            bjd_tdb: &self.bjd_tdb,
            rv_km_s: &self.rv_km_s,
            rv_err_km_s: &self.rv_err_km_s,
            arm: &self.arm,
        };
        period(&velocities, &PeriodOptions { highest_per_d })
    }

    fn push(&mut self, time_d: f64, rv_km_s: f64, rv_err_km_s: f64, arm: usize) {
        self.bjd_tdb.push(time_d);
        self.rv_km_s.push(rv_km_s);
        self.rv_err_km_s.push(rv_err_km_s);
        self.arm.push(arm);
    }

    fn epochs(&self) -> (Epochs, [Vec<f64>; ARMS]) {
        let all = self.bjd_tdb.iter().zip(&self.rv_km_s);
        let all = all.zip(&self.rv_err_km_s).zip(&self.arm);
        Epochs::of(all.map(|(((t, rv), err), arm)| (*t, *rv, *err, *arm)))
    }
}

/// Times of exposures 23 minutes apart, in nights that begin within four hours of each other, as a survey has them.
fn times_d(rng: &mut ChaCha8Rng, n_nights: usize, n_exposures: usize, span_d: f64) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..n_nights {
        let night_d = (rng.random::<f64>() * span_d).floor() + rng.random::<f64>() / 6.0;
        times.extend((0..n_exposures).map(|i| 2_458_600.5 + night_d + 0.016 * i as f64));
    }
    times
}

/// A star with a velocity that is a function of time, errors of about 1 km/s, and another mean in each arm.
fn star(rng: &mut ChaCha8Rng, times_d: &[f64], mut rv_km_s: impl FnMut(f64) -> f64) -> Star {
    let mut star = Star::default();
    for t in times_d {
        let rv = rv_km_s(*t);
        for arm in 0..ARMS {
            let err = rng.random_range(0.7..1.3);
            let noise: f64 = StandardNormal.sample(rng);
            star.push(*t, rv + 5.0 * arm as f64 + err * noise, err, arm);
        }
    }
    star
}

fn binary(rng: &mut ChaCha8Rng, times_d: &[f64], k_km_s: f64, period_d: f64) -> Star {
    let phase: f64 = rng.random();
    star(rng, times_d, |t| {
        k_km_s * (TAU * (t / period_d + phase)).sin()
    })
}

fn is_right(found: Option<Period>, period_d: f64) -> bool {
    found.is_some_and(|p| (p.period_d / period_d - 1.0).abs() < 0.01)
}

#[test]
fn periods_of_binaries_are_found_to_1_percent() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (n_nights, n_exposures, span_d, least) in [(12, 1, 300.0, 90), (15, 3, 200.0, 95)] {
        let mut n_right = 0;
        for _ in 0..100 {
            let times = times_d(&mut rng, n_nights, n_exposures, span_d);
            let k_km_s = rng.random_range(5.0..15.0);
            let period_d = 10f64.powf(rng.random_range(-0.5..1.5));
            let found = binary(&mut rng, &times, k_km_s, period_d).period();
            n_right += usize::from(is_right(found, period_d));
            // A period that is right comes with its amplitude.
            if let Some(p) = found.filter(|_| is_right(found, period_d)) {
                assert!((p.amplitude_km_s - k_km_s).abs() < 2.5, "{p:?} {k_km_s}");
            }
        }
        assert!(n_right >= least, "{n_nights} x {n_exposures}: {n_right}");
    }
}

#[test]
fn one_arm_is_enough_and_the_means_of_the_arms_do_not_matter() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let times = times_d(&mut rng, 20, 2, 200.0);
    let both = binary(&mut rng, &times, 20.0, 7.3);
    let found = both.period().unwrap();
    assert!(
        is_right(Some(found), 7.3) && found.false_alarm < 1e-6,
        "{found:?}"
    );
    for arm in 0..ARMS {
        let mut one = both.clone();
        let others = one.arm.iter().map(|a| *a != arm);
        let nothing: Vec<f64> = others.map(|o| if o { f64::NAN } else { 0.0 }).collect();
        one.rv_km_s
            .iter_mut()
            .zip(nothing)
            .for_each(|(rv, n)| *rv += n);
        let found = one.period();
        assert!(is_right(found, 7.3), "{found:?}");
    }
    let mut moved = both.clone();
    for (rv, arm) in moved.rv_km_s.iter_mut().zip(&both.arm) {
        *rv += 1000.0 * *arm as f64 - 300.0;
    }
    let moved = moved.period().unwrap();
    assert!((moved.period_d / found.period_d - 1.0).abs() < 1e-9);
    assert!((moved.amplitude_km_s / found.amplitude_km_s - 1.0).abs() < 1e-6);
}

#[test]
fn of_copies_that_are_alike_the_longest_period_is_told() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    // Always at the same hour: frequencies a cycle a day apart cannot be told from each other.
    let times: Vec<f64> = (0..40)
        .map(|i| 2_458_600.75 + f64::from(i * i % 97))
        .collect();
    for period_d in [2.2, 7.3, 21.0] {
        let star = binary(&mut rng, &times, 20.0, period_d);
        let found = star.period();
        assert!(is_right(found, period_d), "{found:?} {period_d}");
        // With one cycle a day the sine is nothing but rounding.
        let (epochs, rv) = star.epochs();
        let weighted = epochs.deviations(&rv).weighted;
        assert_eq!(sinusoid(&epochs, &weighted, 1.0).reduction, 0.0);
    }
}

#[test]
fn velocities_of_one_time_and_arm_are_one() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let times = times_d(&mut rng, 20, 1, 90.0);
    let one = binary(&mut rng, &times, 20.0, 3.3);
    let mut two = Star::default();
    for i in 0..one.arm.len() {
        let err = one.rv_err_km_s[i] * 2f64.sqrt();
        for off in [-0.75, 0.75] {
            two.push(one.bjd_tdb[i], one.rv_km_s[i] + off, err, one.arm[i]);
        }
    }
    let ((one, rv_one), (two, rv_two)) = (one.epochs(), two.epochs());
    assert_eq!(one.time_d, two.time_d);
    for arm in 0..ARMS {
        for (a, b) in rv_one[arm].iter().zip(&rv_two[arm]) {
            assert!((a - b).abs() < 1e-12);
        }
        for (a, b) in one.weight[arm].iter().zip(&two.weight[arm]) {
            assert!((a / b - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn velocities_that_say_nothing_have_no_period() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let times = times_d(&mut rng, 12, 1, 100.0);
    let usual = binary(&mut rng, &times, 20.0, 3.3);
    assert!(usual.period().is_some());
    assert_eq!(Star::default().period(), None);
    type Spoil = fn(&mut Star);
    let spoiled: [(&str, Spoil); 8] = [
        ("eleven times", |s| {
            let first = s.bjd_tdb[0];
            let all = s.rv_km_s.iter_mut().zip(&s.bjd_tdb);
            all.filter(|(_, t)| **t == first)
                .for_each(|(rv, _)| *rv = f64::NAN);
        }),
        ("one time", |s| s.bjd_tdb.fill(2_458_600.5)),
        ("no times", |s| s.bjd_tdb.fill(f64::NAN)),
        ("no velocities", |s| s.rv_km_s.fill(f64::INFINITY)),
        ("no errors", |s| s.rv_err_km_s.fill(0.0)),
        ("errors below zero", |s| s.rv_err_km_s.fill(-1.0)),
        ("no arm", |s| s.arm.fill(2)),
        ("equal velocities", |s| s.rv_km_s.fill(3.0)),
    ];
    for (what, spoil) in spoiled {
        let mut star = usual.clone();
        spoil(&mut star);
        assert_eq!(star.period(), None, "{what}");
    }
    // Some of them among good ones are left out.
    let times = times_d(&mut rng, 30, 1, 100.0);
    let mut some = binary(&mut rng, &times, 20.0, 3.3);
    some.rv_km_s[4] = f64::NAN;
    some.rv_err_km_s[7] = 0.0;
    some.bjd_tdb[9] = f64::INFINITY;
    some.arm[11] = 7;
    assert!(is_right(some.period(), 3.3));
}

/// Shares of stars with a false-alarm probability of 1 % and 10 % at most.
fn shares(stars: impl Iterator<Item = Star>) -> (f64, f64) {
    let found: Vec<f64> = stars
        .map(|star| star.period_up_to(2.0).unwrap().false_alarm)
        .collect();
    let share = |most: f64| {
        let n = found.iter().filter(|p| **p <= most).count();
        n as f64 / found.len() as f64
    };
    (share(0.01), share(0.1))
}

#[test]
fn one_percent_of_constant_stars_have_one_percent() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    // Nights that repeat by the day: a bound that knows nothing of it is off by several times.
    for (n_nights, n_exposures, span_d) in [(6, 4, 60.0), (15, 1, 40.0)] {
        let stars = (0..3000).map(|_| {
            let times = times_d(&mut rng, n_nights, n_exposures, span_d);
            star(&mut rng, &times, |_| 0.0)
        });
        let (of_1, of_10) = shares(stars);
        // 3 standard deviations of a count.
        assert!((of_1 - 0.01).abs() < 0.0055, "{n_nights}: {of_1}");
        assert!((of_10 - 0.1).abs() < 0.017, "{n_nights}: {of_10}");
    }
}

#[test]
fn scatter_that_both_arms_share_does_not_pass_for_a_period() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut of_jitter = ChaCha8Rng::seed_from_u64(50);
    let stars = (0..2000).map(|_| {
        let times = times_d(&mut rng, 15, 1, 40.0);
        star(&mut rng, &times, |_| {
            let jitter: f64 = StandardNormal.sample(&mut of_jitter);
            10.0 * jitter
        })
    });
    let (of_1, of_10) = shares(stars);
    // A little more than noise has: the weights go by the errors, and not by what the arms share.
    assert!(of_1 < 0.025 && of_10 < 0.16, "{of_1} {of_10}");
}

#[test]
fn the_same_velocities_give_the_same_to_the_bit_in_any_order() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let times = times_d(&mut rng, 14, 1, 50.0);
    let one = star(&mut rng, &times, |_| 0.0);
    let mut other = Star::default();
    for i in (0..one.arm.len()).rev() {
        other.push(
            one.bjd_tdb[i],
            one.rv_km_s[i],
            one.rv_err_km_s[i],
            one.arm[i],
        );
    }
    let found = one.period().unwrap();
    assert_eq!(other.period().unwrap(), found);
    assert!(found.false_alarm > 0.0 && found.false_alarm <= 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_numbers_make_it_panic(
        numbers in prop::collection::vec(
            (prop_oneof![any::<f64>(), 0.0..30.0f64], prop_oneof![any::<f64>(), -9.0..9.0f64], prop_oneof![any::<f64>(), 0.0..2.0f64], 0..3usize),
            0..40,
        ),
        highest in prop_oneof![any::<f64>(), 0.0..3.0f64],
    ) {
        let mut star = Star::default();
        for (t, rv, err, arm) in numbers {
            star.push(t, rv, err, arm);
        }
        if let Some(found) = star.period_up_to(highest.min(20.0)) {
            prop_assert!(found.period_d > 0.0);
            prop_assert!((0.0..=1.0).contains(&found.false_alarm), "{:?}", found);
        }
    }
}
