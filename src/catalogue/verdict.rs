//! Which stars show two sets of lines, and which are certainly variable.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::row::{ARMS, CatalogueRow};
use super::star::StarRow;
use crate::Arm;
use crate::calibrate::results::VARIABLE_P;
use crate::likelihood::RvFlags;
use crate::numbers::statistics::chi2_p_value;

/// Stars that show two sets of lines in any of their exposures, in either arm.
pub fn double_lined(rows: &[CatalogueRow]) -> HashSet<Arc<str>> {
    rows.iter()
        .filter(|row| ARMS.iter().any(|arm| has(row, *arm, RvFlags::DOUBLE_LINED)))
        .map(|row| row.exposure.designation.clone())
        .collect()
}

fn has(row: &CatalogueRow, arm: Arm, flags: RvFlags) -> bool {
    RvFlags::from_bits_retain(row.arm(arm).flags.bits()).intersects(flags)
}

/// Factor by which the errors of velocities with little information may be too small. Chosen on a simulated plate: 32 of 448 constant
/// stars and arms were variable by their chi^2 (SNR 6 to 43), 29 of them with most velocities flagged `low_information`; with 3 times
/// the errors none of the 29 was.
const UNSURE_FACTOR: f64 = 3.0;

/// Clears `is_variable` of stars most of whose velocities have little information, so that their errors are only estimates, if errors
/// of [`UNSURE_FACTOR`] times the size would explain how much they vary.
pub fn only_sure_variables(stars: &mut [StarRow], rows: &[CatalogueRow]) {
    let unsure = unsure(rows);
    for star in stars {
        let found = &mut star.found;
        let p_value = chi2_p_value(found.chi2 / UNSURE_FACTOR.powi(2), found.dof);
        let is_sure = p_value < VARIABLE_P;
        let counts = is_sure || !unsure.contains(&(star.designation.clone(), star.arm));
        found.is_variable = found.is_variable.map(|varies| varies && counts);
    }
}

/// Stars and arms most of whose velocities have little information.
fn unsure(rows: &[CatalogueRow]) -> HashSet<(Arc<str>, Arm)> {
    let mut counts: HashMap<(Arc<str>, Arm), (usize, usize)> = HashMap::new();
    for row in rows {
        for arm in ARMS {
            if row.arm(arm).is_measured() {
                let key = (row.exposure.designation.clone(), arm);
                let (all, unsure) = counts.entry(key).or_default();
                *all += 1;
                *unsure += usize::from(has(row, arm, RvFlags::LOW_INFORMATION));
            }
        }
    }
    let most = counts
        .into_iter()
        .filter(|(_, (all, unsure))| 2 * unsure > *all);
    most.map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::results::Star;
    use crate::catalogue::flags::CatalogueFlags;
    use crate::catalogue::row::ArmVelocity;

    fn rows(star: usize, n_low: usize) -> impl Iterator<Item = CatalogueRow> {
        (0..4).map(move |i| {
            let mut row = CatalogueRow::default();
            row.exposure.designation = format!("J{star}").into();
            row.arms[0] = ArmVelocity {
                flags: match i < n_low {
                    true => RvFlags::LOW_INFORMATION.into(),
                    false => CatalogueFlags::empty(),
                },
                ..ArmVelocity::default()
            };
            row
        })
    }

    #[test]
    fn errors_that_are_estimates_make_no_variable_by_a_little() {
        // (how many of 4 velocities have little information, chi^2 for 20 degrees of freedom, whether the star is variable in the
        // end)
        let stars = [
            (0, 60.0, true),
            (2, 60.0, true),
            (3, 60.0, false),
            (4, 400.0, false),
            (4, 500.0, true),
            (0, 20.0, false),
        ];
        let all: Vec<CatalogueRow> = (0..)
            .zip(&stars)
            .flat_map(|(star, (n_low, ..))| rows(star, *n_low))
            .collect();
        let star_row = |(i, &(_, chi2, _)): (usize, &(usize, f64, bool))| StarRow {
            designation: format!("J{i}").into(),
            arm: Arm::Red,
            found: Star {
                chi2,
                dof: 20.0,
                is_variable: Some(chi2_p_value(chi2, 20.0) < VARIABLE_P),
                ..Star::default()
            },
            ..StarRow::default()
        };
        let mut found: Vec<StarRow> = stars.iter().enumerate().map(star_row).collect();
        only_sure_variables(&mut found, &all);
        let variable: Vec<Option<bool>> = found.iter().map(|s| s.found.is_variable).collect();
        let expected: Vec<Option<bool>> = stars.iter().map(|s| Some(s.2)).collect();
        assert_eq!(variable, expected);
    }
}
