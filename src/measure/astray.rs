//! Exposures whose velocity alone is unlike the star's others.
//!
//! Half of another light in a star of the same kind, as scattered sunlight in a star like the Sun, leaves one set of lines between the two:
//! nothing in the spectrum tells that from a velocity, in either arm. The star's other velocities do: where all of them agree, those of the
//! same night too, no star moves for one exposure alone.
//!
//! What all stars of an exposure have in common is its drift and is taken off first. docs/method.md, section 14, "Velocities astray".

use std::collections::HashSet;

use super::drift;
use super::row::RvRow;
use crate::Arm;
use crate::likelihood::RvFlags;
use crate::numbers::statistics::median;

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

/// Fewer velocities of a star tell nothing, and fewer stars nothing of the drift.
const FEWEST_EXPOSURES: usize = 5;
const FEWEST_STARS: usize = 5;

/// A velocity of a star, without the drift of its exposure.
#[derive(Clone, Copy, Debug)]
struct Point {
    row: usize,
    minute: i64,
    /// From the middle of the star's, in its errors and in km/s.
    sigma: f64,
    km_s: f64,
}

/// Flags velocities that are astray in the rows of a unit, by star.
pub(super) fn flag(rows: &mut [RvRow]) {
    let of_arms = Arm::ALL.map(|arm| stars(rows, arm));
    let mut astray: Vec<Point> = Vec::new();
    for stars in &of_arms {
        astray.extend(stars.iter().filter_map(|star| of_star(star)));
    }
    let exposure = |row: &RvRow| (row.star, row.obsid, row.lmjm);
    let known: HashSet<_> = astray
        .iter()
        .map(|p| (exposure(&rows[p.row]), p.sigma > 0.0))
        .collect();
    let others = of_arms.iter().flatten().flatten();
    let with_other_arm = others.filter(|p| {
        let is_known = known.contains(&(exposure(&rows[p.row]), p.sigma > 0.0));
        is_known && p.sigma.abs() > OTHER_ARM_SIGMA
    });
    let found: Vec<usize> = with_other_arm.map(|p| p.row).collect();
    for row in found {
        rows[row].measurement.flags |= RvFlags::NOT_AS_OTHERS;
    }
}

/// The velocity that is astray among those of a star.
fn of_star(star: &[Point]) -> Option<Point> {
    if star.len() < FEWEST_EXPOSURES {
        return None;
    }
    let far = |p: &&Point| p.sigma.abs();
    let most = star.iter().max_by(|a, b| far(a).total_cmp(&far(b)))?;
    let others = || star.iter().filter(|p| p.row != most.row);
    let is_alone = others().all(|p| p.sigma.abs() < AGREE_SIGMA);
    let is_near = others().any(|p| (p.minute - most.minute).abs() <= NEAR_MINUTES);
    let is_far = most.sigma.abs() > ASTRAY_SIGMA && most.km_s.abs() > ASTRAY_KM_S;
    (is_far && is_alone && is_near).then_some(*most)
}

/// The velocities of each star in an arm that say something of it, in exposures whose drift is known.
fn stars(rows: &[RvRow], arm: Arm) -> Vec<Vec<Point>> {
    let says_something = |row: &RvRow| {
        let m = &row.measurement;
        let nothing = RvFlags::NO_VELOCITY | RvFlags::LOW_INFORMATION;
        let are_numbers = m.rv_km_s.is_finite() && m.rv_err_own_km_s > 0.0;
        row.arm == arm && are_numbers && !m.flags.intersects(nothing)
    };
    let numbers: Vec<usize> = (0..rows.len())
        .filter(|i| says_something(&rows[*i]))
        .collect();
    let mut minutes: Vec<i64> = numbers.iter().map(|i| rows[*i].lmjm).collect();
    minutes.sort_unstable();
    minutes.dedup();
    let exposure = |i: usize| minutes.partition_point(|t| *t < rows[i].lmjm);
    let of_stars: Vec<&[usize]> = numbers
        .chunk_by(|a, b| rows[*a].star == rows[*b].star)
        .collect();
    let velocity = |i: &usize| {
        let m = &rows[*i].measurement;
        (exposure(*i), m.rv_km_s, m.rv_err_own_km_s)
    };
    let velocities: Vec<Vec<(usize, f64, f64)>> = of_stars
        .iter()
        .map(|star| star.iter().map(velocity).collect())
        .collect();
    let drift_km_s = drift::of_exposures(&velocities, minutes.len());
    let mut n_stars = vec![0; minutes.len()];
    velocities
        .iter()
        .flatten()
        .for_each(|(e, ..)| n_stars[*e] += 1);
    of_stars
        .iter()
        .zip(&velocities)
        .map(|(numbers, velocities)| {
            let both = numbers.iter().zip(velocities);
            let known = both.filter(|(_, (e, ..))| n_stars[*e] >= FEWEST_STARS);
            let own: Vec<(usize, f64, f64)> = known
                .map(|(row, (e, rv, err))| (*row, rv - drift_km_s[*e], *err))
                .collect();
            let middle = median(&mut own.iter().map(|o| o.1).collect::<Vec<f64>>());
            let point = |(row, rv, err): (usize, f64, f64)| Point {
                row,
                minute: rows[row].lmjm,
                sigma: (rv - middle) / err.hypot(SCATTER_KM_S),
                km_s: rv - middle,
            };
            own.into_iter().map(point).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::likelihood::Measurement;

    /// Four nights of two exposures, 30 minutes apart, of six stars in both arms; the exposures have drifted by up to 4 km/s.
    fn unit(velocity: impl Fn(i64, usize, Arm) -> f64) -> Vec<RvRow> {
        let drift_km_s = [0.0, 3.0, -4.0, 1.0, 2.0, -1.0, 0.5, 3.5];
        let mut rows = Vec::new();
        for star in 1..=6 {
            for arm in Arm::ALL {
                for (exposure, drift_km_s) in drift_km_s.iter().enumerate() {
                    let rv_km_s = velocity(star, exposure, arm) + drift_km_s;
                    rows.push(row(star, exposure as i64, arm, rv_km_s));
                }
            }
        }
        rows
    }

    fn row(star: i64, exposure: i64, arm: Arm, rv_km_s: f64) -> RvRow {
        RvRow {
            star,
            designation: "J".into(),
            ra_deg: 0.0,
            dec_deg: 0.0,
            obsid: 10 * star + exposure / 2,
            planid: "P".into(),
            spid: 1,
            fiberid: star as i32,
            arm,
            lmjm: 1440 * (exposure / 2) + 30 * (exposure % 2),
            hjd: 0.0,
            bjd_tdb: 0.0,
            snr: 50.0,
            measurement: Measurement {
                rv_km_s,
                rv_err_km_s: 0.5,
                rv_err_own_km_s: 0.4,
                n_pix: 2000,
                flags: RvFlags::empty(),
                ..Measurement::without_pixels()
            },
            is_reference: false,
            n_reference: 8,
            noise_scale: 1.0,
            path: PathBuf::from("f").into(),
        }
    }

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
