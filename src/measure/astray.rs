//! Exposures whose velocity alone is unlike the star's others.
//!
//! Half of another light in a star of the same kind, as scattered sunlight in a star like the Sun, leaves one set of lines between the two:
//! nothing in the spectrum tells that from a velocity, in either arm. The star's other velocities do: where all of them agree, those of the
//! same night too, no star moves for one exposure alone.
//!
//! What all stars of an exposure have in common is its drift and is taken off first. docs/method.md, section 14, "Velocities astray".

use std::collections::HashSet;

use super::row::RvRow;
use super::undrifted::{self, Undrifted};
use crate::Arm;
use crate::likelihood::RvFlags;

/// A velocity is astray if it is this many errors and this far, km/s, from the middle of the star's, and every other one is within so many
/// errors of it. Chosen by hand: slopes along the slit are some tenths of a km/s, and six times the errors are left between the two.
const ASTRAY_SIGMA: f64 = 7.0;
const ASTRAY_KM_S: f64 = 2.0;
const AGREE_SIGMA: f64 = 3.5;

/// In the other arm of an exposure that is astray so many errors in the same direction are enough.
const OTHER_ARM_SIGMA: f64 = 3.0;

/// Added to each error: slopes along the slit and what else moves single fibres, km/s.
const SCATTER_KM_S: f64 = 0.3;

/// An exposure of the star must be so near in time that no star of constant velocity before and after moves in between, minutes.
const NEAR_MINUTES: i64 = 180;

/// Fewer velocities of a star tell nothing.
const FEWEST_EXPOSURES: usize = 5;

/// Flags velocities that are astray in the rows of a unit, by star.
pub(super) fn flag(rows: &mut [RvRow]) {
    let of_arms = Arm::ALL.map(|arm| undrifted::stars(rows, arm));
    let mut astray: Vec<Undrifted> = Vec::new();
    for stars in &of_arms {
        astray.extend(stars.iter().filter_map(|star| of_star(star)));
    }
    let exposure = |row: &RvRow| (row.star, row.obsid, row.lmjm);
    let known: HashSet<_> = astray
        .iter()
        .map(|p| (exposure(&rows[p.row]), sigma(p) > 0.0))
        .collect();
    let others = of_arms.iter().flatten().flatten();
    let with_other_arm = others.filter(|p| {
        let is_known = known.contains(&(exposure(&rows[p.row]), sigma(p) > 0.0));
        is_known && sigma(p).abs() > OTHER_ARM_SIGMA
    });
    let found: Vec<usize> = with_other_arm.map(|p| p.row).collect();
    for row in found {
        rows[row].measurement.flags |= RvFlags::NOT_AS_OTHERS;
    }
}

/// How far a velocity is from the middle of the star's, in its errors.
fn sigma(p: &Undrifted) -> f64 {
    p.km_s / p.err_km_s.hypot(SCATTER_KM_S)
}

/// The velocity that is astray among those of a star.
fn of_star(star: &[Undrifted]) -> Option<Undrifted> {
    if star.len() < FEWEST_EXPOSURES {
        return None;
    }
    let far = |p: &&Undrifted| sigma(p).abs();
    let most = star.iter().max_by(|a, b| far(a).total_cmp(&far(b)))?;
    let others = || star.iter().filter(|p| p.row != most.row);
    let is_alone = others().all(|p| sigma(p).abs() < AGREE_SIGMA);
    let is_near = others().any(|p| (p.minute - most.minute).abs() <= NEAR_MINUTES);
    let is_far = sigma(most).abs() > ASTRAY_SIGMA && most.km_s.abs() > ASTRAY_KM_S;
    (is_far && is_alone && is_near).then_some(*most)
}

#[cfg(test)]
mod tests {
    use super::super::undrifted::test_rows::unit;
    use super::*;

    /// Star and exposure of what is flagged.
    fn flagged(mut rows: Vec<RvRow>) -> Vec<(i64, i64, Arm)> {
        flag(&mut rows);
        let exposure = |lmjm: i64| 2 * (lmjm / 1440) + lmjm % 1440 / 30;
        rows.iter()
            .filter(|r| r.measurement.flags.contains(RvFlags::NOT_AS_OTHERS))
            .map(|r| (r.star, exposure(r.lmjm), r.arm))
            .collect()
    }

    #[test]
    fn one_velocity_that_is_far_from_all_others_is_flagged_in_both_arms() {
        // In red the error is as large as a third of it.
        let of = |star, exposure, arm| match (star, exposure, arm) {
            (2, 5, Arm::Blue) => -11.0,
            (2, 5, Arm::Red) => -1.8,
            // The other arm goes the other way.
            (3, 5, Arm::Blue) => 4.5,
            (3, 5, Arm::Red) => -1.8,
            // Not far enough.
            (4, 2, _) => 3.4,
            _ => 0.1 * exposure as f64,
        };
        let mut found = flagged(unit(of));
        found.sort_by_key(|(star, exposure, arm)| (*star, *exposure, *arm == Arm::Red));
        let expected = [(2, 5, Arm::Blue), (2, 5, Arm::Red), (3, 5, Arm::Blue)];
        assert_eq!(found, expected);
    }

    #[test]
    fn stars_that_move_and_drifts_are_left_alone() {
        assert_eq!(flagged(unit(|_, exposure, _| 9.0 * exposure as f64)), []);
        // A binary whose velocity is another one in one night, or that moves all the time.
        let night = |star, exposure, _| match (star, exposure / 2) {
            (2, 3) => 25.0,
            (3, _) => 40.0 * (1.3 * exposure as f64).sin(),
            _ => 0.0,
        };
        assert_eq!(flagged(unit(night)), []);
        // Alone in its night.
        let mut rows = unit(|star, exposure, _| {
            if (star, exposure) == (2, 5) {
                20.0
            } else {
                0.0
            }
        });
        rows.retain(|r| !(r.star == 2 && r.lmjm == 2 * 1440));
        assert_eq!(flagged(rows), []);
    }

    #[test]
    fn few_stars_few_velocities_and_flagged_ones_say_nothing() {
        let of = |star, exposure, _| {
            if (star, exposure) == (2, 5) {
                20.0
            } else {
                0.0
            }
        };
        assert_eq!(flagged(unit(of)).len(), 2);
        let mut few = unit(of);
        few.retain(|r| r.star <= 4);
        assert_eq!(flagged(few), []);
        let mut short = unit(of);
        short.retain(|r| r.star != 2 || (2 * 1440..3 * 1440).contains(&r.lmjm) || r.lmjm < 31);
        assert_eq!(flagged(short), []);
        let mut unsure = unit(of);
        for row in unsure.iter_mut().filter(|r| r.star == 2) {
            row.measurement.flags = RvFlags::LOW_INFORMATION;
        }
        assert_eq!(flagged(unsure), []);
        assert_eq!(flagged(Vec::new()), []);
        let mut none = unit(of);
        none.iter_mut()
            .for_each(|r| r.measurement.rv_km_s = f64::NAN);
        assert_eq!(flagged(none), []);
    }
}
