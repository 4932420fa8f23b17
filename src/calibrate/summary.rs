//! A calibration in numbers.

use super::arms::CalibratedArm;
use super::cal_flags::CalFlags;
use super::observations::Observations;

/// What was done with one arm. Velocities are in the unit of the observations.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ArmSummary {
    /// Name.
    pub arm: String,
    /// RVs (or rows) of the arm.
    pub n_rv: usize,
    /// Those that are usable.
    pub n_usable: usize,
    /// Count of each flag.
    pub flags: Vec<(String, usize)>,
    /// Stars with a usable RV.
    pub n_stars: usize,
    /// Constants.
    pub n_constants: usize,
    /// Arm that the constants come from, if not from this one.
    pub constants_from: Option<String>,
    /// Stars that could not be constants because they have no usable RV in the arm that gave the constants (the survey's red one).
    pub n_without_red: usize,
    /// Exposures (with group) that have a usable RV.
    pub n_exposures: usize,
    /// Those without a zero point.
    pub n_without_zero_point: usize,
    /// Number of zero points in each component. Zero points of different components cannot be compared.
    pub component_sizes: Vec<usize>,
    /// Jitter common to all stars.
    pub common_jitter: f64,
    /// How the errors were computed.
    pub error_method: super::solve::ErrorMethod,
    /// The iteration ended by itself.
    pub converged: bool,
    /// Why the arm has no zero points, where its solution failed.
    pub failure: Option<String>,
    /// Steps.
    pub log: Vec<super::Iteration>,
}

impl ArmSummary {
    /// What is wrong with the solution: it failed, or did not settle. None if nothing is.
    pub fn complaint(&self) -> Option<String> {
        if let Some(failure) = &self.failure {
            return Some(format!("{}: not corrected: {failure}", self.arm));
        }
        // An arm that had nothing to solve has not failed.
        let is_settled = self.converged || self.n_usable == 0;
        (!is_settled).then(|| {
            format!(
                "{}: the zero points did not settle in {} steps; the last change was {:.2e}",
                self.arm,
                self.log.len(),
                self.log.last().map_or(f64::NAN, |step| step.largest_change)
            )
        })
    }
}

/// What was done with arm number `index`; `name` gives the arms' names. With `is_paired` an RV that is missing is no fault: the star was
/// not measured in this arm.
pub fn arm(
    obs: &Observations,
    index: usize,
    arm: &CalibratedArm,
    name: &dyn Fn(usize) -> String,
    is_paired: bool,
) -> ArmSummary {
    let own = &obs.arms[index];
    let count = |flag| own.flags.iter().filter(|f| f.contains(flag)).count();
    let s = &arm.solution;
    let mut component_sizes = vec![0; s.n_components];
    for c in s.component.iter().flatten() {
        component_sizes[*c as usize] += 1;
    }
    let is_fault =
        |flag: CalFlags| !is_paired || !flag.intersects(CalFlags::BAD_RV | CalFlags::BAD_ERR);
    ArmSummary {
        arm: name(index),
        n_rv: own.row.len(),
        n_usable: arm.graph.graph.n_obs(),
        flags: CalFlags::ALL
            .iter()
            .filter(|(flag, ..)| is_fault(*flag))
            .map(|&(flag, _, text)| (text.to_owned(), count(flag)))
            .filter(|(_, n)| *n > 0)
            .collect(),
        n_stars: s.stars.len(),
        n_constants: s.stars.iter().filter(|s| s.constant).count(),
        constants_from: arm.constants_from.map(name),
        n_without_red: arm.n_without_leader,
        n_exposures: s.zp.len(),
        n_without_zero_point: s.zp.iter().filter(|z| z.is_nan()).count(),
        component_sizes,
        common_jitter: s.common_jitter,
        error_method: s.error_method,
        converged: s.converged,
        failure: arm.failure.as_ref().map(|error| error.to_string()),
        log: s.log.clone(),
    }
}
