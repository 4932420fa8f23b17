//! The catalogue's rows as the calibration takes them: stars, exposures, plates and spectrographs as numbers.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use super::row::{ARMS, CatalogueRow};
use crate::Arm;
use crate::calibrate::CalFlags;
use crate::calibrate::observations::{ArmObservations, Observations};
use crate::calibrate::terms::LineKind;
use crate::likelihood::RvFlags;

/// The observations, and what their numbers stand for.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// The observations; row i is the catalogue's row i, and the arms are those of [`ARMS`].
    pub observations: Observations,
    /// Designation of each star.
    pub stars: Vec<Arc<str>>,
    /// Minute of each exposure.
    pub minutes: Vec<i64>,
    /// Plate and spectrograph of each group.
    pub groups: Vec<(Arc<str>, i32)>,
}

/// Numbers the rows. Velocities whose flags say that they are not of the star ([`RvFlags::NO_VELOCITY`](crate::RvFlags::NO_VELOCITY))
/// are corrected, but not used.
pub fn numbered(rows: &[CatalogueRow]) -> Numbered {
    let (stars, star) = number(rows, |r| r.exposure.designation.clone());
    let (minutes, exposure) = number(rows, |r| r.exposure.lmjm);
    let (groups, group) = number(rows, |r| (r.exposure.planid.clone(), r.exposure.spid));
    let arms = ARMS.map(|arm| of_arm(rows, arm)).to_vec();
    Numbered {
        observations: Observations {
            star,
            exposure,
            group,
            place: rows
                .iter()
                .map(|r| slit_place(r.exposure.fiberid))
                .collect(),
            arms,
        },
        stars,
        minutes,
        groups,
    }
}

/// Fibres of a spectrograph of LAMOST, numbered from 1 along its slit.
pub const FIBRES: i32 = 250;

/// Place of a fibre along the slit of its spectrograph, from -1 (fibre 1) to 1 (fibre 250); NaN for no fibre.
pub fn slit_place(fiberid: i32) -> f64 {
    match (1..=FIBRES).contains(&fiberid) {
        true => (2.0 * f64::from(fiberid) - f64::from(FIBRES + 1)) / f64::from(FIBRES - 1),
        false => f64::NAN,
    }
}

fn of_arm(rows: &[CatalogueRow], arm: Arm) -> ArmObservations {
    let flags = |row: &CatalogueRow| {
        let flags = RvFlags::from_bits_retain(row.arm(arm).flags.bits());
        match flags.intersects(RvFlags::NO_VELOCITY) {
            true => CalFlags::NO_VELOCITY,
            false => CalFlags::empty(),
        }
    };
    let mut of_arm = ArmObservations {
        // The paper, 3.2: the red arm's lines tell constants better, and its constants serve the blue one.
        leads: arm == Arm::Red,
        row: (0..rows.len() as u32).collect(),
        rv: rows.iter().map(|r| r.arm(arm).rv_km_s).collect(),
        err: rows.iter().map(|r| r.arm(arm).rv_err_own_km_s).collect(),
        lines: Vec::new(),
        flags: rows.iter().map(flags).collect(),
    };
    of_arm.set_lines(rows.iter().map(|r| {
        let arm = r.arm(arm);
        star_lines(arm.line_place, arm.line_width_km_s)
    }));
    of_arm
}

/// Width of a line that is not resolved, km/s: standard deviation of the survey's line-spread function (R = 7500, Liu et al. 2020). It
/// only sets the unit in which the sharpness of lines is told.
const UNRESOLVED_KM_S: f64 = 17.0;

/// The lines of a star, as zero points may depend on them; none where they are not known.
pub fn star_lines(line_place: f64, line_width_km_s: f64) -> Option<LineKind> {
    let sharpness = (UNRESOLVED_KM_S / line_width_km_s).powi(2);
    let lines = LineKind {
        place: line_place,
        // Noise may make a spectrum sharper than any line.
        sharpness: sharpness.min(1.0),
    };
    let is_known = line_width_km_s > 0.0 && line_place.is_finite();
    is_known.then_some(lines)
}

/// Distinct keys in order, and the number of each row's.
fn number<K: Ord + Hash + Clone>(
    rows: &[CatalogueRow],
    key: impl Fn(&CatalogueRow) -> K,
) -> (Vec<K>, Vec<u32>) {
    let distinct: HashSet<K> = rows.iter().map(&key).collect();
    let mut keys: Vec<K> = distinct.into_iter().collect();
    keys.sort_unstable();
    // Every row's key is among the sorted ones, so that this finds its place.
    let place = |row: &CatalogueRow| keys.partition_point(|k| *k < key(row)) as u32;
    let numbers = rows.iter().map(place).collect();
    (keys, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_not_resolved_have_a_sharpness_of_one() {
        let sharpness = |width| star_lines(0.25, width).map(|l| l.sharpness);
        assert_eq!(star_lines(0.25, 17.0).unwrap().place, 0.25);
        assert_eq!(sharpness(17.0), Some(1.0));
        assert_eq!(sharpness(34.0), Some(0.25));
        // Noise.
        assert_eq!(sharpness(9.0), Some(1.0));
        for (place, width) in [(f64::NAN, 17.0), (0.0, f64::NAN), (0.0, 0.0), (0.0, -1.0)] {
            assert_eq!(star_lines(place, width), None);
        }
        assert_eq!(star_lines(0.0, f64::INFINITY).unwrap().sharpness, 0.0);
    }
}
