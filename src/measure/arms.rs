//! Exposures whose two arms tell of different velocities.
//!
//! Light of both arms came from one star through one fibre. If the lines of one kind are not where those of another kind are (the line
//! H-alpha of a pulsating star, a faint companion, what is left of the sky), no comparison within an arm needs to show it: the arms do, each
//! against its own middle over all exposures. Which of them is right, if any, is not known, and both are told.
//!
//! What all stars of an exposure have in common in an arm is its drift and is taken off first. docs/method.md, section 14, "Arms that
//! disagree".

use std::collections::HashMap;

use super::row::RvRow;
use super::undrifted::{self, Undrifted};
use crate::Arm;
use crate::likelihood::RvFlags;
use crate::numbers::statistics::median;

/// The arms disagree if their difference is so many errors from the middle of the star's. Where those of one exposure do, the star may be of
/// a kind whose lines move differently, and the second number is enough in its others. Chosen on simulated plates (`--sky hard`, seeds
/// 3151 to 3153, 3161, 3162, 3171 to 3173, 3181, 3182, and 4001, four in five stars of which pulsate).
const DISAGREE_SIGMA: f64 = 4.5;
const ALSO_SIGMA: f64 = 3.0;

/// Added to the error of a difference: slopes along the slit and what else moves single fibres, km/s.
const SCATTER_KM_S: f64 = 0.3;

/// Fewer differences of a star have no middle.
const FEWEST_EXPOSURES: usize = 3;

/// Flags the exposures of a unit whose arms disagree, in both of them. Rows are by star.
pub(super) fn flag(rows: &mut [RvRow]) {
    let [first, second] = Arm::ALL.map(|arm| by_star(rows, arm));
    let pairs = first
        .iter()
        .filter_map(|(star, a)| Some((a, second.get(star)?)));
    let disagree: Vec<usize> = pairs.flat_map(|(a, b)| that_disagree(rows, a, b)).collect();
    for row in disagree {
        rows[row].measurement.flags |= RvFlags::ARMS_DISAGREE;
    }
}

/// The velocities of an arm, by the numbers of their stars.
fn by_star(rows: &[RvRow], arm: Arm) -> HashMap<i64, Vec<Undrifted>> {
    let stars = undrifted::stars(rows, arm).into_iter();
    let numbered = stars.filter_map(|star| Some((rows[star.first()?.row].star, star)));
    numbered.collect()
}

/// The rows of a star whose other arm disagrees.
fn that_disagree(rows: &[RvRow], first: &[Undrifted], second: &[Undrifted]) -> Vec<usize> {
    let exposure = |v: &Undrifted| (rows[v.row].obsid, v.minute);
    let others: HashMap<_, &Undrifted> = second.iter().map(|v| (exposure(v), v)).collect();
    let difference = |a: &Undrifted| {
        let b = others.get(&exposure(a))?;
        let err_km_s = a.err_km_s.hypot(b.err_km_s).hypot(SCATTER_KM_S);
        Some(([a.row, b.row], a.km_s - b.km_s, err_km_s))
    };
    let differences: Vec<([usize; 2], f64, f64)> = first.iter().filter_map(difference).collect();
    if differences.len() < FEWEST_EXPOSURES {
        return Vec::new();
    }
    let middle = median(&mut differences.iter().map(|d| d.1).collect::<Vec<f64>>());
    let sigma = |(_, km_s, err_km_s): &([usize; 2], f64, f64)| (km_s - middle).abs() / err_km_s;
    let limit = match differences.iter().any(|d| sigma(d) > DISAGREE_SIGMA) {
        true => ALSO_SIGMA,
        false => DISAGREE_SIGMA,
    };
    let far = differences.iter().filter(|d| sigma(d) > limit);
    far.flat_map(|(rows, ..)| *rows).collect()
}

#[cfg(test)]
mod tests {
    use super::super::undrifted::test_rows::unit;
    use super::*;

    /// Star, exposure and arm of what is flagged.
    fn flagged(mut rows: Vec<RvRow>) -> Vec<(i64, i64, Arm)> {
        flag(&mut rows);
        let exposure = |lmjm: i64| 2 * (lmjm / 1440) + lmjm % 1440 / 30;
        let of = |r: &RvRow| (r.star, exposure(r.lmjm), r.arm);
        let flagged = rows
            .iter()
            .filter(|r| r.measurement.flags == RvFlags::ARMS_DISAGREE);
        let mut found: Vec<_> = flagged.map(of).collect();
        found.sort_by_key(|(star, exposure, arm)| (*star, *exposure, *arm == Arm::Red));
        found
    }

    #[test]
    fn exposures_whose_arms_disagree_are_flagged_in_both() {
        // Errors are 0.4 km/s, so that of a difference is 0.64.
        let of = |star, exposure, arm| match (star, exposure, arm) {
            // 4.7 errors, and 3.3 in another exposure of that star.
            (2, 5, Arm::Red) => 3.0,
            (2, 6, Arm::Red) => -2.1,
            // 2.7 errors there, and 4.2 in a star that shows no more.
            (2, 7, Arm::Blue) => 1.7,
            (3, 5, Arm::Blue) => 2.7,
            // A star that moves, in both arms alike.
            (4, ..) => 30.0 * (1.3 * exposure as f64).sin(),
            // Another zero in one arm.
            (5, _, Arm::Red) => 17.0,
            _ => 0.0,
        };
        let rows = unit(of);
        let both = |exposure| [(2, exposure, Arm::Blue), (2, exposure, Arm::Red)];
        assert_eq!(flagged(rows), [both(5), both(6)].concat());
    }

    #[test]
    fn one_arm_few_exposures_and_flagged_ones_say_nothing() {
        let of = |star, exposure, arm| match (star, exposure, arm) {
            (2, 5, Arm::Red) => 9.0,
            _ => 0.0,
        };
        assert_eq!(flagged(unit(of)).len(), 2);
        let mut one_arm = unit(of);
        one_arm.retain(|r| r.arm == Arm::Red);
        assert_eq!(flagged(one_arm), []);
        let mut few = unit(of);
        few.retain(|r| r.star != 2 || r.lmjm == 30 || r.lmjm == 2 * 1440 + 30);
        assert_eq!(flagged(few), []);
        let mut unsure = unit(of);
        for row in unsure.iter_mut().filter(|r| r.star == 2) {
            row.measurement.flags = RvFlags::LOW_INFORMATION;
        }
        assert_eq!(flagged(unsure), []);
        assert_eq!(flagged(Vec::new()), []);
    }
}
