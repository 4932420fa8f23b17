//! The hierarchical solution as a whole, on drawn stars.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::CalFlags;
use super::arms::{CalibrateOptions, CalibratedArm, calibrate_except};
use super::observations::{ArmObservations, Observations};
use super::results::Corrected;
use super::terms::{FibreOrder, LineKind, SKEW, SLOPE, STRETCH, fibre_order};
use crate::numbers::statistics::mean_and_std;

/// What is drawn; velocities in units of the errors' middle.
struct Drawn {
    n_stars: usize,
    n_exposures: usize,
    /// Chance of a star to be seen in an exposure.
    seen: f64,
    /// Scatter of slopes.
    slope: f64,
    /// Scatter of what goes with the place of a star's lines and with their sharpness.
    by_lines: [f64; 2],
    /// Median of the stars' jitter, whose logarithm scatters by 0.5.
    jitter: f64,
    /// Part of the stars that move by tens of errors.
    variable: f64,
}

const PLAIN: Drawn = Drawn {
    n_stars: 60,
    n_exposures: 20,
    seen: 1.0,
    slope: 0.0,
    by_lines: [0.0; 2],
    jitter: 0.0,
    variable: 0.0,
};

/// Zero points that go with where a star's lines lie and how wide they are.
const BY_LINES: Drawn = Drawn {
    by_lines: [2.0, 3.0],
    ..PLAIN
};

#[derive(Clone)]
struct Truth {
    obs: Observations,
    zp: Vec<f64>,
    slope: Vec<f64>,
    /// Stretch and skew of each exposure.
    by_lines: Vec<[f64; 2]>,
    /// Lines of each row's star.
    drawn_lines: Vec<LineKind>,
    is_variable: Vec<bool>,
    /// Own velocity of each row's star.
    velocity: Vec<f64>,
}

fn draw(what: &Drawn, seed: u64) -> Truth {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let normal = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
    let zp: Vec<f64> = (0..what.n_exposures)
        .map(|_| 5.0 * normal(&mut rng))
        .collect();
    let slope: Vec<f64> = (0..what.n_exposures)
        .map(|_| what.slope * normal(&mut rng))
        .collect();
    // Numbers of their own, so that the others stay as they are.
    let mut of_lines = ChaCha8Rng::seed_from_u64(1000 + seed);
    let by_lines: Vec<[f64; 2]> = (0..what.n_exposures)
        .map(|_| what.by_lines.map(|scatter| scatter * normal(&mut of_lines)))
        .collect();
    let is_variable: Vec<bool> = (0..what.n_stars)
        .map(|s| (s as f64) < what.variable * what.n_stars as f64)
        .collect();
    let (mut star, mut exposure, mut place) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rv, mut err, mut velocity) = (Vec::new(), Vec::new(), Vec::new());
    let mut lines = Vec::new();
    for (s, moves) in is_variable.iter().enumerate() {
        let at: f64 = rng.random_range(-1.0..1.0);
        let kind = LineKind {
            place: of_lines.random_range(-0.5..0.5),
            sharpness: of_lines.random_range(0.1..1.0),
        };
        let jitter = what.jitter * (0.5 * normal(&mut rng)).exp();
        for e in 0..what.n_exposures {
            if !rng.random_bool(what.seen) {
                continue;
            }
            let sigma: f64 = rng.random_range(0.7..1.4);
            let own = if *moves { 40.0 * normal(&mut rng) } else { 0.0 };
            star.push(s as u32);
            exposure.push(e as u32);
            place.push(at);
            velocity.push(own);
            let [stretch, skew] = by_lines[e];
            let of_lines = stretch * kind.place + skew * kind.sharpness;
            lines.push(kind);
            let noise = sigma.hypot(jitter) * normal(&mut rng);
            rv.push(own + zp[e] + at * slope[e] + of_lines + noise);
            err.push(sigma);
        }
    }
    let n = rv.len();
    let mut arm = ArmObservations {
        leads: true,
        row: (0..n as u32).collect(),
        rv,
        err,
        lines: Vec::new(),
        flags: vec![CalFlags::empty(); n],
    };
    arm.set_lines(lines.iter().copied().map(Some));
    let obs = Observations {
        star,
        exposure,
        group: vec![0; n],
        place,
        arms: vec![arm],
    };
    Truth {
        obs,
        zp,
        slope,
        by_lines,
        drawn_lines: lines,
        is_variable,
        velocity,
    }
}

impl Truth {
    /// Mean of the stars' lines, as observations are weighted: what zero points are about.
    fn usual_lines(&self) -> LineKind {
        let arm = &self.obs.arms[0];
        let (drawn, about_mean) = (self.drawn_lines[0], arm.lines[0]);
        LineKind {
            place: drawn.place - about_mean.place,
            sharpness: drawn.sharpness - about_mean.sharpness,
        }
    }
}

fn solved(truth: &mut Truth, order: FibreOrder) -> CalibratedArm {
    let mut options = CalibrateOptions::default();
    options.joint.fibre_order = order;
    let mut arms = calibrate_except(&mut truth.obs, &[], &options).unwrap();
    assert!(arms[0].failure.is_none() && arms[0].solution.converged);
    arms.remove(0)
}

fn rms(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (mean, std) = mean_and_std(values);
    mean.hypot(std)
}

/// Differences between found and true zero points, the mean of each component taken off, in units of their errors.
fn zero_point_pulls(truth: &Truth, arm: &CalibratedArm) -> Vec<f64> {
    let s = &arm.solution;
    let mut out = Vec::new();
    for component in 0..s.n_components as u32 {
        let of: Vec<usize> = (0..s.zp.len())
            .filter(|z| s.component[*z] == Some(component))
            .collect();
        let off = |z: usize| s.zp[z] - truth.zp[arm.graph.zp_exposure[z] as usize];
        let mean = mean_and_std(of.iter().map(|z| off(*z))).0;
        out.extend(of.iter().map(|&z| (off(z) - mean) / s.zp_err[z]));
    }
    out
}

/// Corrected velocities of stars that do not move about their star's mean, in units of their errors.
fn velocity_pulls(truth: &Truth, arm: &CalibratedArm) -> Vec<f64> {
    let arms = [arm.clone()];
    let corrected = Corrected::of(&truth.obs, &arms, 0);
    let mut out = Vec::new();
    for s in (0..truth.is_variable.len()).filter(|s| !truth.is_variable[*s]) {
        let rows: Vec<usize> = (0..truth.obs.n_rows())
            .filter(|r| truth.obs.star[*r] as usize == s)
            .collect();
        let off = |r: usize| corrected.rv[r] - truth.velocity[r];
        let weight = |r: usize| corrected.err[r].powi(-2);
        let total: f64 = rows.iter().map(|r| weight(*r)).sum();
        let mean = rows.iter().map(|r| weight(*r) * off(*r)).sum::<f64>() / total;
        let free = |r: usize| (1.0 - weight(r) / total).sqrt();
        out.extend(
            rows.iter()
                .map(|&r| (off(r) - mean) / corrected.err[r] / free(r)),
        );
    }
    out
}

#[test]
fn slopes_come_back_with_their_errors_and_cost_nothing_where_there_are_none() {
    let mut slope_pulls = Vec::new();
    let (mut zp_pulls, mut rv_pulls) = (Vec::new(), Vec::new());
    for seed in 0..12 {
        let sloped = Drawn {
            slope: 0.8,
            ..PLAIN
        };
        let mut truth = draw(&sloped, seed);
        let arm = solved(&mut truth, FibreOrder::Auto);
        assert_eq!(fibre_order(&arm.solution.has), 1, "{seed}");
        for z in 0..truth.slope.len() {
            let off = arm.solution.along[z][SLOPE] - truth.slope[z];
            slope_pulls.push(off / arm.solution.covariance[z].error_of(SLOPE));
        }
        zp_pulls.extend(zero_point_pulls(&truth, &arm));
        rv_pulls.extend(velocity_pulls(&truth, &arm));
        // Without slopes nothing is asked for.
        let mut plain = draw(&PLAIN, seed);
        let auto = solved(&mut plain, FibreOrder::Auto);
        let none = solved(&mut plain, FibreOrder::Constant);
        assert_eq!(auto.solution.has, none.solution.has, "{seed}");
        assert_eq!(auto.solution.zp, none.solution.zp);
        // Even where a slope is asked for, the errors grow by little.
        let asked = solved(&mut plain, FibreOrder::Slope);
        let err = |arm: &CalibratedArm| rms(arm.solution.zp_err.iter().copied());
        assert!(err(&asked) < 1.02 * err(&none), "{seed}");
    }
    let all = [slope_pulls, zp_pulls, rv_pulls].map(|p| rms(p.iter().copied()));
    println!("pulls of slopes, zero points and velocities: {all:.3?}");
    // 240 slopes and zero points: 5 % each by chance.
    assert!(all.iter().all(|p| (0.87..1.13).contains(p)), "{all:?}");
    assert!((0.95..1.05).contains(&all[2]), "{all:?}");
}

#[test]
fn what_goes_with_the_stars_lines_comes_back_with_its_errors() {
    let (mut pulls, mut zp_pulls, mut rv_pulls) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..12 {
        let mut truth = draw(&BY_LINES, seed);
        let arm = solved(&mut truth, FibreOrder::Auto);
        let has = arm.solution.has;
        assert!(!has[SLOPE] && has[STRETCH] && has[SKEW], "{seed}: {has:?}");
        for (i, term) in [STRETCH, SKEW].into_iter().enumerate() {
            // What all exposures have in common is the stars' own velocity.
            let of = |e: usize| arm.solution.along[e][term] - truth.by_lines[e][i];
            let n = truth.by_lines.len();
            let mean = (0..n).map(of).sum::<f64>() / n as f64;
            let s = &arm.solution;
            let err = |e: usize| (s.covariance[e].0[term][term] - s.common[e][term]).sqrt();
            pulls.extend((0..n).map(|e| (of(e) - mean) / err(e)));
        }
        // A zero point is that of the usual star.
        let usual = truth.usual_lines();
        for (zp, [stretch, skew]) in truth.zp.iter_mut().zip(&truth.by_lines) {
            *zp += stretch * usual.place + skew * usual.sharpness;
        }
        zp_pulls.extend(zero_point_pulls(&truth, &arm));
        rv_pulls.extend(velocity_pulls(&truth, &arm));
    }
    let all = [pulls, zp_pulls, rv_pulls].map(|p| rms(p.iter().copied()));
    println!("pulls of terms, zero points and velocities: {all:.3?}");
    assert!(all.iter().all(|p| (0.87..1.13).contains(p)), "{all:?}");
    assert!((0.93..1.05).contains(&all[2]), "{all:?}");
}

#[test]
fn stars_whose_lines_are_not_known_have_the_usual_zero_point() {
    let mut truth = draw(&BY_LINES, 7);
    let kinds = truth.obs.arms[0].lines.clone();
    // Every fifth star is of no known kind.
    let star = truth.obs.star.clone();
    let known = |i: usize| (!star[i].is_multiple_of(5)).then(|| kinds[i]);
    truth.obs.arms[0].set_lines((0..kinds.len()).map(known));
    let lines = &truth.obs.arms[0].lines;
    assert!(
        (0..lines.len()).all(|i| (lines[i] == LineKind::default()) == star[i].is_multiple_of(5))
    );
    let mean = |value: fn(&LineKind) -> f64| {
        let weight = |i: usize| truth.obs.arms[0].err[i].powi(-2);
        (0..lines.len())
            .map(|i| weight(i) * value(&lines[i]))
            .sum::<f64>()
    };
    assert!(mean(|l| l.place).abs() < 1e-9 && mean(|l| l.sharpness).abs() < 1e-9);
    let arm = solved(&mut truth, FibreOrder::Auto);
    assert!(arm.solution.has[SKEW] && !arm.solution.has[SLOPE]);
    let corrected = Corrected::of(&truth.obs, std::slice::from_ref(&arm), 0);
    for (i, star) in star.iter().enumerate() {
        let usual = arm.solution.zp[arm.graph.obs_zp[i] as usize];
        let by_usual = truth.obs.arms[0].rv[i] - usual;
        let is_usual = (corrected.rv[i] - by_usual).abs() < 1e-12;
        assert_eq!(is_usual, star.is_multiple_of(5), "{i}");
    }
    let mut of_none = truth.obs.arms[0].clone();
    of_none.set_lines((0..kinds.len()).map(|_| None));
    assert!(of_none.lines.is_empty());
}

#[test]
fn a_field_where_all_stars_have_some_jitter_has_all_its_zero_points() {
    let (mut zp_pulls, mut rv_pulls) = (Vec::new(), Vec::new());
    let mut wrong = 0;
    for seed in 0..12 {
        let jittery = Drawn {
            jitter: 1.5,
            variable: 0.3,
            seen: 0.15,
            n_stars: 50,
            n_exposures: 60,
            ..PLAIN
        };
        let mut truth = draw(&jittery, seed);
        let arm = solved(&mut truth, FibreOrder::Auto);
        let seen = |z: usize| {
            arm.graph
                .graph
                .zp
                .iter()
                .filter(|of| **of as usize == z)
                .count()
        };
        for z in 0..arm.solution.zp.len() {
            assert_eq!(arm.solution.zp[z].is_finite(), seen(z) >= 3, "{seed}: {z}");
        }
        zp_pulls.extend(
            zero_point_pulls(&truth, &arm)
                .into_iter()
                .filter(|p| p.is_finite()),
        );
        rv_pulls.extend(
            velocity_pulls(&truth, &arm)
                .into_iter()
                .filter(|p| p.is_finite()),
        );
        let population = arm.solution.population.unwrap();
        assert!(
            (population.quiet - 0.7).abs() < 4.0 * population.quiet_err,
            "{population:?}"
        );
        let off = (population.quiet_jitter / 1.5).ln() / population.quiet_jitter_log_err;
        assert!(off.abs() < 4.0, "{population:?}");
        let stars = arm.solution.stars.iter().zip(&truth.is_variable);
        wrong += stars.filter(|(fit, v)| (fit.p_quiet < 0.5) != **v).count();
    }
    let all = [zp_pulls, rv_pulls].map(|p| rms(p.iter().copied()));
    println!("pulls of zero points and velocities: {all:.3?}; {wrong} of 600 stars misjudged");
    // Stars far out in the wing of the quiet ones look variable.
    assert!(wrong < 18);
    assert!(all.iter().all(|p| (0.92..1.08).contains(p)), "{all:?}");
}

#[test]
fn a_variable_star_links_no_groups_and_a_quiet_one_does() {
    // Two groups of four exposures with eight stars each; star 16 is seen in both.
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for (moves, n_components) in [(0.0, 1), (30.0, 2)] {
        let (mut star, mut exposure, mut group) = (Vec::new(), Vec::new(), Vec::new());
        let mut rv = Vec::new();
        for s in 0..17_u32 {
            for e in 0..8_u32 {
                if s == 16 || s / 8 == e / 4 {
                    let noise: f64 = StandardNormal.sample(&mut rng);
                    let orbit: f64 = StandardNormal.sample(&mut rng);
                    star.push(s);
                    exposure.push(e);
                    group.push(e / 4);
                    rv.push(noise + if s == 16 { moves * orbit } else { 0.0 });
                }
            }
        }
        let n = rv.len();
        let mut obs = Observations {
            star,
            exposure,
            group,
            place: Vec::new(),
            arms: vec![ArmObservations {
                leads: true,
                row: (0..n as u32).collect(),
                rv,
                err: vec![1.0; n],
                lines: Vec::new(),
                flags: vec![CalFlags::empty(); n],
            }],
        };
        let arms = calibrate_except(&mut obs, &[], &CalibrateOptions::default()).unwrap();
        assert_eq!(arms[0].solution.n_components, n_components, "{moves}");
        assert!(arms[0].solution.zp_err.iter().all(|e| *e < 1.0));
    }
}

#[test]
fn velocities_that_are_marks_spoil_no_other_star() {
    for mark in [1e9, 1e36, 1e99, 1e150] {
        let mut truth = draw(&PLAIN, 5);
        let sound = solved(&mut truth.clone(), FibreOrder::Auto);
        let of_star_0 = truth.obs.star.iter().take_while(|s| **s == 0).count();
        for (i, rv) in truth.obs.arms[0].rv[..of_star_0].iter_mut().enumerate() {
            *rv = if i % 2 == 0 { mark } else { -mark };
        }
        let arm = solved(&mut truth, FibreOrder::Auto);
        let constants =
            |arm: &CalibratedArm| arm.solution.stars.iter().filter(|s| s.constant).count();
        assert!(!arm.solution.stars[0].constant);
        assert!(
            constants(&arm) + 2 >= constants(&sound),
            "{mark:e}: {}",
            constants(&arm)
        );
        let pairs = arm.solution.zp_err.iter().zip(&sound.solution.zp_err);
        assert!(
            pairs.clone().all(|(a, b)| (a / b - 1.0).abs() < 0.05),
            "{mark:e}"
        );
        assert!(
            arm.solution.population.is_some_and(|p| p.quiet > 0.9),
            "{mark:e}"
        );
    }
}
