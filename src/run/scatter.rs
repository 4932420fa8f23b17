//! How well the constants agree before and after the calibration.

use crate::calibrate::results::Star;
use crate::catalogue::row::ARMS;
use crate::catalogue::star::StarRow;
use crate::numbers::statistics::median;

/// The constants of an arm.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ArmScatter {
    /// Arm.
    pub arm: String,
    /// Constants with two usable velocities at least.
    pub n_constants: usize,
    /// Median of their standard deviations as measured (Var_rv of the paper), km/s.
    pub before_km_s: Option<f64>,
    /// The same after correction, km/s.
    pub after_km_s: Option<f64>,
}

/// One value per arm that has constants, red first.
pub fn of_constants(stars: &[StarRow]) -> Vec<ArmScatter> {
    ARMS.into_iter()
        .filter_map(|arm| {
            let is_one = |s: &&StarRow| s.arm == arm && s.found.is_constant == Some(true);
            let constants: Vec<&StarRow> = stars.iter().filter(is_one).collect();
            let middle = |value: fn(&Star) -> f64| {
                let values = constants.iter().map(|s| value(&s.found));
                let mut finite: Vec<f64> = values.filter(|v| v.is_finite()).collect();
                (!finite.is_empty()).then(|| median(&mut finite))
            };
            (!constants.is_empty()).then(|| ArmScatter {
                arm: arm.name().to_owned(),
                n_constants: constants.len(),
                before_km_s: middle(|s| s.scatter_before),
                after_km_s: middle(|s| s.scatter_after),
            })
        })
        .collect()
}
