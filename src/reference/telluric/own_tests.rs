use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Absorption;
use super::groups::Groups;
use super::own::found;
use super::star::StarSystem;
use super::strength::{Strength, solve};
use super::tests::{NIGHTS, Star};
use super::widths::{Seen, System, revised};
use crate::spectrum::Normalized;

/// What `n` stars say, observed in these nights under lines of this shape.
fn stars(n: usize, water: &Absorption, nights: &[(f64, f64)], seed: u64) -> Vec<StarSystem> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut out = Vec::new();
    for _ in 0..n {
        let star = Star::random(&mut rng);
        let spectra: Vec<Normalized> = nights
            .iter()
            .map(|night| star.observe_under(water, *night, (0.0, 100.0), &mut rng))
            .collect();
        let exposures: Vec<(i64, f64, &Normalized)> = (0i64..)
            .zip(nights)
            .zip(&spectra)
            .map(|((i, night), spectrum)| (1440 * i, night.0, spectrum))
            .collect();
        out.extend(StarSystem::new(&exposures));
    }
    out
}

/// Lines of which each group is wrong by a factor of its own, 0 to 2.
fn other_lines(seed: u64) -> Absorption {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let widths_km_s = Groups::listed().widths_km_s();
    let other: Vec<f64> = widths_km_s
        .iter()
        .map(|width| width * rng.random_range(0.0..2.0))
        .collect();
    Groups::listed().absorption_of(&other)
}

/// Root mean square, over the nights and wavelengths, of what is left of the water lines, in units of the continuum, and that of the lines.
fn left(strengths: &[Strength], told: &Absorption, truth: &Absorption) -> (f64, f64) {
    let (mut squares, mut all) = (0.0, 0.0);
    let n = 2000;
    for (found, (_, strength)) in strengths.iter().zip(NIGHTS) {
        for i in 0..n {
            let ln_wave = (6450.0 + 175.0 * f64::from(i) / f64::from(n)).ln();
            let lines = strength * truth.at(ln_wave);
            squares += (found.value * told.at(ln_wave) - lines).powi(2);
            all += lines * lines;
        }
    }
    let count = f64::from(n) * NIGHTS.len() as f64;
    ((squares / count).sqrt(), (all / count).sqrt())
}

#[test]
fn groups_add_up_to_the_list() {
    let groups = Groups::listed();
    let sum = groups.absorption_of(&groups.widths_km_s());
    for i in 0..3000 {
        let ln_wave = (6400.0 + 0.085 * f64::from(i)).ln();
        let listed = Absorption::listed().at(ln_wave);
        assert!((sum.at(ln_wave) - listed).abs() < 1e-12, "{ln_wave}");
        // Those that reach a place tell all of it.
        let (place, near) = groups.around(ln_wave);
        let of_near: f64 = groups.all[near]
            .iter()
            .map(|group| group.listed_km_s * group.at(place))
            .sum();
        assert!((of_near - listed).abs() < 1e-6, "{of_near} {listed}");
    }
    assert!(groups.around(f64::NAN).1.is_empty());
}

#[test]
fn lines_of_wrong_strength_are_found() {
    for seed in 0..3 {
        let truth = other_lines(100 + seed);
        let mut stars = stars(12, &truth, &NIGHTS, seed);
        let before = left(&solve(&stars), Absorption::listed(), &truth);
        let (strengths, told) = found(&mut stars);
        let after = left(&strengths, &told.unwrap(), &truth);
        assert!(before.0 > 0.35 * before.1, "{before:?}");
        assert!(after.0 < 0.4 * before.0, "{after:?}, before {before:?}");
        // The strengths, in a common unit. Their errors do not hold those of the widths.
        let unit = strengths.iter().map(|s| s.value).sum::<f64>() / 4.8;
        for (found, (_, truth)) in strengths.iter().zip(NIGHTS) {
            let off = found.value / unit - truth;
            assert!(off.abs() < 0.12, "{found:?} {unit} {truth}");
        }
    }
}

#[test]
fn the_stars_own_lines_are_not_taken_for_water() {
    for seed in 10..13 {
        let mut stars = stars(12, Absorption::listed(), &NIGHTS, seed);
        let before = left(&solve(&stars), Absorption::listed(), Absorption::listed());
        let (strengths, told) = found(&mut stars);
        let after = left(&strengths, &told.unwrap(), Absorption::listed());
        // The lines are as listed. What the stars' lines, up to 15 % deep, make of them is small against the lines.
        assert!(after.0 < 0.12 * after.1, "{after:?}, before {before:?}");
    }
}

#[test]
fn without_water_the_lines_are_the_list() {
    let nights = NIGHTS.map(|(v, _)| (v, 0.0));
    let mut stars = stars(10, Absorption::listed(), &nights, 4);
    let before = solve(&stars);
    assert_eq!(found(&mut stars), (before.clone(), None));
    assert_eq!(solve(&stars), before);
    assert_eq!(found(&mut []), (Vec::new(), None));
}

#[test]
fn numbers_that_are_none_spoil_nothing() {
    let stars = stars(3, Absorption::listed(), &NIGHTS, 5);
    let groups = Groups::listed();
    let system = |star: &StarSystem, strength: f64| {
        let seen = Seen {
            spectra: star.spectra(),
            strengths: vec![strength; NIGHTS.len()],
            inflation: 1.0,
        };
        System::of_star(groups, Absorption::listed(), &seen)
    };
    let widths_km_s = groups.widths_km_s();
    let mut systems: Vec<System> = stars.iter().map(|star| system(star, 1.0)).collect();
    let without = revised(&systems, groups, &widths_km_s).unwrap();
    systems.insert(1, system(&stars[0], f64::NAN));
    assert_eq!(revised(&systems, groups, &widths_km_s).unwrap(), without);
    let none = vec![f64::NAN; widths_km_s.len()];
    assert!(revised(&systems, groups, &none).is_none());
}
