//! The period of each star, from the corrected velocities of both arms.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::row::{ARMS, CatalogueRow};
use super::star::StarRow;
use super::zero_point::ZeroPointRow;
use crate::Arm;
use crate::likelihood::RvFlags;
use crate::periods::{Period, PeriodOptions, Velocities, period};

/// An exposure: plate, spectrograph, minute.
type ExposureKey<'a> = (&'a str, i32, i64);

/// A star, and the plate and spectrograph that it is calibrated in where each is calibrated alone.
type StarKey = (Arc<str>, Option<(Arc<str>, i32)>);

/// Velocities of one star, as [`Velocities`] has them.
#[derive(Default)]
struct Seen {
    bjd_tdb: Vec<f64>,
    rv_km_s: Vec<f64>,
    rv_err_km_s: Vec<f64>,
    arm: Vec<usize>,
    /// Component of each velocity's zero point.
    component: Vec<u32>,
}

/// A period is looked for in stars that are this improbable as constant ones, in either arm. The work for all others would be most of
/// what a survey's products take (7 ms a star), and there is nothing to be found in them.
const LOOKED_AT_P: f64 = 0.01;

/// The period of the star of each row of `stars`, the same for both arms; None where there is none to be told ([`period`]).
///
/// Velocities that have a zero point and are of the star count. Those of two components have no common scale, so of each arm those of the
/// star's largest component are taken.
pub fn find(
    stars: &[StarRow],
    rows: &[CatalogueRow],
    zero_points: &[ZeroPointRow],
    is_by_group: bool,
) -> Vec<Option<Period>> {
    let components = components(zero_points);
    let group = |planid: &Arc<str>, spid: i32| is_by_group.then(|| (planid.clone(), spid));
    let key = |star: &StarRow| (star.designation.clone(), group(&star.planid, star.spid));
    let mut numbers: HashMap<StarKey, usize> = HashMap::new();
    let varies = |star: &&StarRow| star.found.p_value < LOOKED_AT_P;
    for star in stars.iter().filter(varies) {
        let next = numbers.len();
        numbers.entry(key(star)).or_insert(next);
    }
    let mut seen: Vec<Seen> = Vec::new();
    seen.resize_with(numbers.len(), Seen::default);
    for row in rows {
        let e = &row.exposure;
        let of = (e.designation.clone(), group(&e.planid, e.spid));
        let Some(&number) = numbers.get(&of) else {
            continue;
        };
        for (i, arm) in ARMS.into_iter().enumerate() {
            let key = ((&*e.planid, e.spid, e.lmjm), arm);
            if let Some(component) = components.get(&key).filter(|_| is_usable(row, arm)) {
                seen[number].push(row, i, *component);
            }
        }
    }
    let found: Vec<Option<Period>> = seen.into_par_iter().map(Seen::period).collect();
    let of_star = |star: &StarRow| found[*numbers.get(&key(star))?];
    stars.iter().map(of_star).collect()
}

/// Component of each exposure's zero point in each arm.
fn components(zero_points: &[ZeroPointRow]) -> HashMap<(ExposureKey<'_>, Arm), u32> {
    let mut components = HashMap::new();
    for z in zero_points {
        if let Some(component) = z.found.component {
            components.insert(((&*z.planid, z.spid, z.lmjm), z.arm), component);
        }
    }
    components
}

fn is_usable(row: &CatalogueRow, arm: Arm) -> bool {
    let velocity = row.arm(arm);
    let flags = RvFlags::from_bits_retain(velocity.flags.bits());
    velocity.rv_corr_km_s.is_finite() && !flags.intersects(RvFlags::NO_VELOCITY)
}

impl Seen {
    fn push(&mut self, row: &CatalogueRow, arm: usize, component: u32) {
        let velocity = &row.arms[arm];
        self.bjd_tdb.push(row.exposure.bjd_tdb);
        self.rv_km_s.push(velocity.rv_corr_km_s);
        self.rv_err_km_s.push(velocity.rv_corr_err_km_s);
        self.arm.push(arm);
        self.component.push(component);
    }

    fn period(mut self) -> Option<Period> {
        for arm in 0..ARMS.len() {
            let largest = self.largest_component(arm);
            for i in 0..self.arm.len() {
                if self.arm[i] == arm && Some(self.component[i]) != largest {
                    self.rv_km_s[i] = f64::NAN;
                }
            }
        }
        let velocities = Velocities {
            bjd_tdb: &self.bjd_tdb,
            rv_km_s: &self.rv_km_s,
            rv_err_km_s: &self.rv_err_km_s,
            arm: &self.arm,
        };
        period(&velocities, &PeriodOptions::default())
    }

    /// The component with most of an arm's velocities; of equal ones the first.
    fn largest_component(&self, arm: usize) -> Option<u32> {
        let mut counts: HashMap<u32, usize> = HashMap::new();
        let of_arm = self
            .component
            .iter()
            .zip(&self.arm)
            .filter(|(_, a)| **a == arm);
        of_arm.for_each(|(component, _)| *counts.entry(*component).or_default() += 1);
        let largest = counts
            .into_iter()
            .max_by_key(|(component, n)| (*n, std::cmp::Reverse(*component)));
        largest.map(|(component, _)| component)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::catalogue::flags::CatalogueFlags;

    /// 24 exposures of a star with a period of 2.5 d, both arms, in the first component.
    fn plate(designation: &str, planid: &str) -> (Vec<CatalogueRow>, Vec<ZeroPointRow>) {
        let (mut rows, mut zero_points) = (Vec::new(), Vec::new());
        for i in 0..24 {
            let mut row = CatalogueRow::default();
            row.exposure.designation = designation.into();
            row.exposure.planid = planid.into();
            row.exposure.lmjm = i;
            row.exposure.bjd_tdb = 2_458_600.5 + 1.37 * i as f64 + 0.11 * ((i * i) % 13) as f64;
            for (number, arm) in ARMS.into_iter().enumerate() {
                let phase = row.exposure.bjd_tdb / 2.5;
                let noise = 0.1 * ((7 * i + 3) % 5) as f64;
                row.arms[number].rv_corr_km_s = 20.0 * (TAU * phase).sin() + noise;
                row.arms[number].rv_corr_err_km_s = 0.2;
                row.arms[number].flags = CatalogueFlags::empty();
                let mut zero_point = ZeroPointRow {
                    planid: planid.into(),
                    lmjm: i,
                    arm,
                    ..ZeroPointRow::default()
                };
                zero_point.found.component = Some(0);
                zero_points.push(zero_point);
            }
            rows.push(row);
        }
        (rows, zero_points)
    }

    fn star(designation: &str, planid: &str, arm: Arm) -> StarRow {
        StarRow {
            designation: designation.into(),
            planid: planid.into(),
            arm,
            ..StarRow::default()
        }
    }

    fn is_found(period: Option<Period>) -> bool {
        period.is_some_and(|p| (p.period_d - 2.5).abs() < 0.01 && p.false_alarm < 1e-4)
    }

    #[test]
    fn both_rows_of_a_star_have_its_period() {
        let (rows, zero_points) = plate("J1", "P");
        let stars = [Arm::Red, Arm::Blue].map(|arm| star("J1", "", arm));
        let found = find(&stars, &rows, &zero_points, false);
        assert!(is_found(found[0]) && found[0] == found[1], "{found:?}");
        assert!((found[0].unwrap().amplitude_km_s - 20.0).abs() < 0.5);
        assert_eq!(
            find(&[star("J2", "", Arm::Red)], &rows, &zero_points, false),
            [None]
        );
    }

    #[test]
    fn none_is_looked_for_in_a_star_that_does_not_vary() {
        let (rows, zero_points) = plate("J1", "P");
        let mut stars = [Arm::Red, Arm::Blue].map(|arm| star("J1", "", arm));
        stars[0].found.p_value = 0.5;
        let found = find(&stars, &rows, &zero_points, false);
        assert!(
            is_found(found[0]) && is_found(found[1]),
            "one arm is enough"
        );
        stars[1].found.p_value = f64::NAN;
        assert_eq!(find(&stars, &rows, &zero_points, false), [None, None]);
    }

    #[test]
    fn velocities_that_are_none_of_the_star_or_have_no_zero_point_do_not_count() {
        let (mut rows, zero_points) = plate("J1", "P");
        let stars = [star("J1", "", Arm::Red)];
        // They would drown the period.
        for row in rows.iter_mut().step_by(3) {
            row.arms[0].rv_corr_km_s = 5000.0;
            row.arms[0].flags |= CatalogueFlags::from(RvFlags::NO_VELOCITY);
            row.arms[1].rv_corr_km_s = f64::NAN;
        }
        assert!(is_found(find(&stars, &rows, &zero_points, false)[0]));
        // Too few exposures with a zero point.
        assert_eq!(find(&stars, &rows, &zero_points[..30], false), [None]);
    }

    #[test]
    fn components_are_not_mixed() {
        let (mut rows, mut zero_points) = plate("J1", "P");
        for (i, row) in rows.iter_mut().enumerate().filter(|(i, _)| i % 4 == 1) {
            for velocity in &mut row.arms {
                velocity.rv_corr_km_s += 300.0;
            }
            let others = zero_points.iter_mut().filter(|z| z.lmjm == i as i64);
            others.for_each(|z| z.found.component = Some(1));
        }
        let stars = [star("J1", "", Arm::Red)];
        assert!(is_found(find(&stars, &rows, &zero_points, false)[0]));
    }

    #[test]
    fn groups_that_are_calibrated_alone_have_their_own_periods() {
        let (mut rows, mut zero_points) = plate("J1", "P");
        let (more, others) = plate("J1", "Q");
        rows.extend(more.into_iter().take(8));
        zero_points.extend(others);
        let stars = ["P", "Q"].map(|planid| star("J1", planid, Arm::Red));
        let found = find(&stars, &rows, &zero_points, true);
        assert!(is_found(found[0]) && found[1].is_none(), "{found:?}");
    }
}
