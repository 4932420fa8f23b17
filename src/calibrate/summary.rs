//! A calibration in numbers.

use super::arms::CalibratedArm;
use super::cal_flags::CalFlags;
use super::observations::Observations;
use super::population::Population;
use super::terms::{MOST_TERMS, SKEW, STRETCH, fibre_order};
use crate::text::count::count;

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
    /// What would link the largest components, and where stars are wanting for a zero point, in sentences. The table `components` has it in
    /// numbers.
    #[serde(skip)]
    pub links: Vec<String>,
    /// Jitter common to all stars.
    pub common_jitter: f64,
    /// Highest power of the place along the slit in the zero points: 0 where all fibres have one.
    pub fibre_order: usize,
    /// What else zero points depend on: `stretch` (the place of a star's lines in the arm), `skew` (their sharpness).
    pub by_lines: Vec<&'static str>,
    /// How much stars vary by themselves; None where the method does not ask, and where
    /// no star says anything.
    pub population: Option<Population>,
    /// How the errors were computed.
    pub error_method: super::solve::ErrorMethod,
    /// The iteration ended by itself.
    pub converged: bool,
    /// Why the arm has no zero points, where its solution failed.
    pub failure: Option<String>,
    /// Steps.
    pub log: Vec<super::Iteration>,
}

/// Names of the terms that depend on a star's lines, of those that zero points have.
fn by_lines(has: &[bool; MOST_TERMS]) -> Vec<&'static str> {
    let all = [(STRETCH, "stretch"), (SKEW, "skew")];
    all.into_iter()
        .filter(|(term, _)| has[*term])
        .map(|(_, name)| name)
        .collect()
}

/// How zero points depend on a star's lines, as the end of a sentence; `by_lines` as in [`ArmSummary`].
pub fn by_lines_told(by_lines: &[&str]) -> &'static str {
    match (by_lines.contains(&"stretch"), by_lines.contains(&"skew")) {
        (true, true) => ", by the lines' place and width",
        (true, false) => ", by the lines' place",
        (false, true) => ", by the lines' width",
        (false, false) => "",
    }
}

/// How zero points depend on the fibre, by the highest power of its place along the slit.
pub fn along_slit(order: u64) -> &'static str {
    match order {
        0 => "the same for all fibres",
        1 => "a slope along the slit",
        _ => "a slope and a curve along the slit",
    }
}

impl ArmSummary {
    /// What the zero points depend on, in a sentence. None where there is no zero point.
    pub fn told_zero_points(&self) -> Option<String> {
        let has_zero_point = self.n_exposures > self.n_without_zero_point;
        let told = || {
            let (order, by_lines) = (self.fibre_order as u64, by_lines_told(&self.by_lines));
            format!("zero points: {}{by_lines}", along_slit(order))
        };
        has_zero_point.then(told)
    }

    /// How much stars vary, in a sentence; velocities in `unit`. None where the method does not ask, and where
    /// no star says anything.
    pub fn told_population(&self, unit: &str) -> Option<String> {
        let p = self.population.filter(|p| p.n_stars > 0)?;
        let unit = match unit {
            "" => String::new(),
            unit => format!(" {unit}"),
        };
        Some(format!(
            "{:.1} +- {:.1} % of {} quiet, with a jitter of {:.4}{unit} (mean {:.4}); that of the others is {:.3}{unit} \
             (medians)",
            100.0 * p.quiet,
            100.0 * p.quiet_err,
            match p.n_stars {
                1 => "1 star is".to_owned(),
                n => format!("{n} stars are"),
            },
            p.quiet_jitter,
            p.quiet_mean,
            p.variable_jitter
        ))
    }

    /// What is wrong with the solution: it failed, or did not settle. None if nothing is.
    pub fn complaint(&self) -> Option<String> {
        if let Some(failure) = &self.failure {
            return Some(format!("{}: not corrected: {failure}", self.arm));
        }
        // An arm that had nothing to solve has not failed.
        let is_settled = self.converged || self.n_usable == 0;
        (!is_settled).then(|| {
            format!(
                "{}: the zero points did not settle in {}; the last change was {:.2e}",
                self.arm,
                count(self.log.len(), "step"),
                self.log.last().map_or(f64::NAN, |step| step.largest_change)
            )
        })
    }
}

/// What was done with arm number `index`, without what links it: that needs the groups' names; `name` gives the arms' names. With `is_paired` an RV that is missing is no fault: the star was
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
        links: Vec::new(),
        common_jitter: s.common_jitter,
        fibre_order: fibre_order(&s.has),
        by_lines: by_lines(&s.has),
        population: s.population,
        error_method: s.error_method,
        converged: s.converged,
        failure: arm.failure.as_ref().map(|error| error.to_string()),
        log: s.log.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use ndarray::Array1;

    use super::*;
    use crate::calibrate::arms::{CalibrateOptions, calibrate_except};
    use crate::calibrate::terms::SLOPE;

    /// A population whose numbers are all different.
    pub fn population() -> Population {
        Population {
            quiet: 0.875,
            quiet_err: 0.0123,
            quiet_jitter: 0.1,
            quiet_jitter_log_err: 0.05,
            quiet_width: 0.4,
            quiet_mean: 0.117,
            variable_jitter: 3.21,
            variable_jitter_log_err: 0.2,
            variable_width: 1.1,
            n_stars: 432,
        }
    }

    #[test]
    fn order_and_population_are_told_in_a_line_each() {
        let n = 5 * 4;
        let star = Array1::from_iter((0..n).map(|i| i / 4));
        let exposure = Array1::from_iter((0..n).map(|i| i % 4));
        let rv = Array1::from_iter((0..n).map(|i| 0.02 * f64::from((7 * i) % 11)));
        let err = Array1::from_elem(n as usize, 0.1);
        let obs = Observations::from_columns(star.view(), exposure.view(), rv.view(), err.view());
        let mut obs = obs.unwrap();
        let mut arms = calibrate_except(&mut obs, &[], &CalibrateOptions::default()).unwrap();
        let of =
            |obs: &Observations, a: &CalibratedArm| arm(obs, 0, a, &|_| "red".to_owned(), false);
        arms[0].solution.has[SLOPE] = true;
        arms[0].solution.has[SKEW] = true;
        arms[0].solution.population = Some(population());
        let told = of(&obs, &arms[0]);
        assert_eq!(
            told.told_zero_points().unwrap(),
            "zero points: a slope along the slit, by the lines' width"
        );
        assert_eq!(
            told.told_population("m/s").unwrap(),
            "87.5 +- 1.2 % of 432 stars are quiet, with a jitter of 0.1000 m/s (mean 0.1170); that of the others is 3.210 m/s (medians)"
        );
        let nobody = ArmSummary {
            population: Some(Population {
                n_stars: 0,
                ..population()
            }),
            ..told.clone()
        };
        assert_eq!(nobody.told_population("m/s"), None);
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(
            (
                json["fibre_order"].as_u64(),
                json["population"]["quiet_mean"].as_f64()
            ),
            (Some(1), Some(0.117))
        );
        assert_eq!(json["by_lines"], serde_json::json!(["skew"]));
        for (names, told) in [
            (vec![], ""),
            (vec!["stretch"], ", by the lines' place"),
            (vec!["stretch", "skew"], ", by the lines' place and width"),
        ] {
            assert_eq!(by_lines_told(&names), told);
        }
        arms[0].solution.population = None;
        arms[0].solution.zp.fill(f64::NAN);
        let told = of(&obs, &arms[0]);
        assert_eq!(
            (told.told_zero_points(), told.told_population("")),
            (None, None)
        );
    }
}
