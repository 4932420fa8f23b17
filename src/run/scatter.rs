//! How well the constants agree before and after the calibration.

use crate::calibrate::stats::median;
use crate::table::{ColumnData, Table};

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

/// Reads the table of constants; one value per arm in it.
pub fn of_constants(constants: &Table) -> Vec<ArmScatter> {
    let float = |name: &str| {
        let column = constants.column(name).and_then(|c| c.data.to_f64());
        column.unwrap_or_default()
    };
    let (before, after) = (float("scatter_before"), float("scatter_after"));
    let Some(ColumnData::Text(arm)) = constants.column("arm").map(|c| &c.data) else {
        return Vec::new();
    };
    ["red", "blue"]
        .into_iter()
        .filter(|name| arm.iter().any(|a| a == name))
        .map(|name| {
            let middle = |values: &[f64]| {
                let of = values.iter().zip(arm).filter(|(_, a)| *a == name);
                let mut of: Vec<f64> = of.map(|(v, _)| *v).filter(|v| v.is_finite()).collect();
                (!of.is_empty()).then(|| median(&mut of))
            };
            ArmScatter {
                arm: name.to_owned(),
                n_constants: arm.iter().filter(|a| *a == name).count(),
                before_km_s: middle(&before),
                after_km_s: middle(&after),
            }
        })
        .collect()
}
