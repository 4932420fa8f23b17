//! The water lines as a unit's own stars show them.
//!
//! The list's equivalent widths are wrong line by line, by up to a factor of two and more, and what a wrong line leaves moves all stars of an exposure
//! alike. All exposures of a unit have the same lines in the same proportions, so its stars tell them: given the strengths of the exposures,
//! the widths follow from the same spectra ([`super::widths`]), and given the widths the strengths. Both are found in turns.

use super::Absorption;
use super::groups::Groups;
use super::night;
use super::star::StarSystem;
use super::strength::{Strength, solve_and_weigh};
use super::widths::{Seen, System, revised};

/// Turns of widths and strengths. Chosen on simulated plates (seeds 9101-9106).
const TURNS: usize = 4;

/// Strengths of all exposures that the stars have, and the lines' shape where the stars tell of another than the list.
///
/// Where no night has water the shape is none, and the strengths are those of the list. The stars are left with the shape found.
pub fn found(stars: &mut [StarSystem]) -> (Vec<Strength>, Option<Absorption>) {
    let (mut strengths, mut inflation) = solve_and_weigh(stars);
    let groups = Groups::listed();
    let mut widths_km_s = groups.widths_km_s();
    let mut shape = None;
    for _ in 0..TURNS {
        let has_water = |s: &Strength| night::measured(&strengths, s.lmjm) > 0.0;
        if !strengths.iter().any(has_water) {
            break;
        }
        let water = groups.absorption_of(&widths_km_s);
        let system_of = |(star, inflation): (&StarSystem, &f64)| {
            let of_time = |lmjm: &i64| night::measured(&strengths, *lmjm);
            let seen = Seen {
                spectra: star.spectra(),
                strengths: star.lmjm().iter().map(of_time).collect(),
                inflation: *inflation,
            };
            System::of_star(groups, &water, &seen)
        };
        let systems: Vec<System> = stars.iter().zip(&inflation).map(system_of).collect();
        let Some(new_km_s) = revised(&systems, groups, &widths_km_s) else {
            break;
        };
        widths_km_s = new_km_s;
        let water = groups.absorption_of(&widths_km_s);
        for star in stars.iter_mut() {
            star.accumulate(&water);
        }
        shape = Some(water);
        (strengths, inflation) = solve_and_weigh(stars);
    }
    (strengths, shape)
}
