//! All arms: the leading one is solved first, and the stars that it finds constant serve the other arms.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::cal_flags::CalFlags;
use super::joint::{self, JointOptions};
use super::observations::{ArmGraph, Observations};
use super::paper::{self, PaperOptions};
use super::solution::ArmSolution;
use super::terms::FibreOrder;
use crate::{Error, Result};

/// How zero points are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Robust weighted least squares of stars and zero points together.
    #[default]
    Joint,
    /// The iteration of section 3.2 of the paper, each group alone.
    Paper,
}

/// What is solved at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everything linked by common stars: groups come to one scale.
    #[default]
    Survey,
    /// Each group (plate and spectrograph) alone.
    Spectrograph,
}

/// Settings of a calibration. The default is what `relrv run` and `relrv calibrate` do without options.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct CalibrateOptions {
    /// Method.
    pub method: Method,
    /// Scope of the joint method; the paper's is always the spectrograph.
    pub scope: Scope,
    /// Settings of the joint method.
    pub joint: JointOptions,
    /// Settings of the paper's method.
    pub paper: PaperOptions,
}

impl CalibrateOptions {
    /// Checks what the settings say.
    ///
    /// # Errors
    /// [`Error::Config`] naming the one that makes no sense.
    pub fn check(&self) -> Result<()> {
        let p_min = self.joint.p_min;
        let sigma = self.joint.outlier_sigma;
        let tolerance = self.paper.tolerance;
        let fewest = self.joint.min_constants.min(self.paper.min_constants);
        let is_of_all = matches!(
            self.joint.fibre_order,
            FibreOrder::Auto | FibreOrder::Constant
        );
        let complaint = if self.method == Method::Paper && !is_of_all {
            "fibre_order: expected Auto or Constant with the paper's method, which has one zero point for all fibres of an exposure".to_owned()
        } else if !(p_min > 0.0 && p_min < 0.5) {
            format!("p_min: expected a probability between 0 and 0.5, found {p_min}")
        } else if !(sigma.is_finite() && sigma > 0.0) {
            format!("outlier_sigma: expected a positive number, found {sigma}")
        } else if !(tolerance.is_finite() && tolerance > 0.0) {
            format!("tolerance: expected a positive number, found {tolerance}")
        } else if fewest < 2 {
            "min_constants: expected 2 at least: one star is no zero point".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::Config(complaint))
    }

    /// Each group is solved alone, so that a star is another one in each.
    pub fn is_by_group(&self) -> bool {
        self.method == Method::Paper || self.scope == Scope::Spectrograph
    }
}

/// One calibrated arm.
#[derive(Clone, Debug)]
pub struct CalibratedArm {
    /// Stars, zero points and observations by their numbers.
    pub graph: ArmGraph,
    /// What was found.
    pub solution: ArmSolution,
    /// Number of the arm that the constants were taken from; None where the arm chose its own.
    pub constants_from: Option<usize>,
    /// Why the arm has no zero points, where its solution failed; what was measured is as it was.
    pub failure: Option<Arc<Error>>,
    /// Whether each star of the graph may determine zero points: false for those that are never taken for constants.
    pub may_determine: Vec<bool>,
    /// Stars of this arm that have no usable RV in the arm that gave the constants: calibrated, but never constants.
    pub n_without_leader: usize,
}

/// Calibrates all arms; sets the observations' remaining flags.
///
/// An arm whose solution fails has no zero points and says why ([`CalibratedArm::failure`]); the others stay.
///
/// # Errors
/// [`Error::NothingUsable`] when no arm has a usable observation.
#[cfg(feature = "lab")]
pub fn calibrate(obs: &mut Observations, config: &CalibrateOptions) -> Result<Vec<CalibratedArm>> {
    calibrate_except(obs, &[], config)
}

/// As [`calibrate`], with stars that are never taken for constants, whatever their RVs say: `never[s]` is true if star number `s` of
/// `obs` is one of them; stars beyond its end are treated as usual. The RVs of barred stars are corrected like all others.
///
/// # Errors
/// As [`calibrate`].
pub fn calibrate_except(
    obs: &mut Observations,
    never: &[bool],
    config: &CalibrateOptions,
) -> Result<Vec<CalibratedArm>> {
    obs.flag_rows();
    let alone = config.is_by_group();
    let mut out: Vec<CalibratedArm> = Vec::new();
    for i in 0..obs.arms.len() {
        let graph = obs.graph(&obs.arms[i], alone);
        let serves = |(k, a): &(usize, &CalibratedArm)| {
            obs.arms[*k].leads && a.graph.graph.n_obs() > 0 && a.failure.is_none()
        };
        let leader = out.iter().enumerate().find(serves);
        let leader = leader.filter(|_| !obs.arms[i].leads);
        let constants = leader.map(|(_, arm)| constants_of(arm));
        let open: Vec<bool> = keys(&graph)
            .map(|(star, _)| !never.get(star as usize).copied().unwrap_or(false))
            .collect();
        let allowed: Option<Vec<bool>> = constants.as_ref().map(|(constant, _)| {
            let keys = keys(&graph).zip(&open);
            keys.map(|(key, open)| *open && constant.contains(&key))
                .collect()
        });
        let n_without_leader = constants.as_ref().map_or(0, |(_, seen)| {
            keys(&graph).filter(|key| !seen.contains(key)).count()
        });
        let quiet = leader.map(|(_, arm)| quiet_of(arm, &graph));
        // Where groups are solved alone a star counts as another star in each group, so groups share no star and one call
        // solves them all.
        let solution = match config.method {
            Method::Joint => {
                let known = joint::Known {
                    allowed: Some(&open),
                    constants: allowed.as_deref(),
                    quiet: quiet.as_deref(),
                };
                joint::solve(&graph.graph, &graph.zp_group, &known, &config.joint)
            }
            Method::Paper => Ok(paper::solve_among(
                &graph.graph,
                &graph.zp_group,
                &paper::Candidates {
                    open: &open,
                    given: allowed.as_deref(),
                },
                &config.paper,
            )),
        };
        let (solution, failure) = match solution {
            Ok(solution) => (solution, None),
            // An arm that fails does not end the calibration: the other arm may have a solution.
            Err(error) => (ArmSolution::none(&graph.graph), Some(Arc::new(error))),
        };
        let constants_from = leader.map(|(k, _)| k);
        flag_solution(obs, i, &graph, &solution);
        out.push(CalibratedArm {
            graph,
            solution,
            constants_from,
            failure,
            may_determine: open,
            n_without_leader,
        });
    }
    if out.iter().all(|a| a.graph.graph.n_obs() == 0) {
        return Err(Error::NothingUsable(format!(
            "none of {} rows has a star, an exposure, a finite RV and a positive error",
            obs.n_rows()
        )));
    }
    Ok(out)
}

fn keys(graph: &ArmGraph) -> impl Iterator<Item = (u32, u32)> + '_ {
    graph
        .star
        .iter()
        .copied()
        .zip(graph.star_group.iter().copied())
}

/// Probability of each star of `graph` to be quiet by what a solved arm says of it; NaN where that arm says nothing.
fn quiet_of(arm: &CalibratedArm, graph: &ArmGraph) -> Vec<f64> {
    let said = arm
        .solution
        .stars
        .iter()
        .map(|s| match s.p_value.is_finite() {
            true => s.p_quiet.clamp(LEAST_DOUBT, 1.0 - LEAST_DOUBT),
            false => f64::NAN,
        });
    let known: HashMap<(u32, u32), f64> = keys(&arm.graph).zip(said).collect();
    keys(graph)
        .map(|key| known.get(&key).copied().unwrap_or(f64::NAN))
        .collect()
}

/// One arm is never quite sure that a star is quiet or variable, so that the other arm can say otherwise. A probability, chosen by hand.
const LEAST_DOUBT: f64 = 0.01;

/// A velocity of a constant star is an outlier where its robust weight is below this. Chosen by hand.
const OUTLIER: f64 = 0.5;

/// Stars by their number and group.
type StarKeys = HashSet<(u32, u32)>;

/// Constants of an arm, and all its stars.
fn constants_of(arm: &CalibratedArm) -> (StarKeys, StarKeys) {
    let constant = keys(&arm.graph)
        .zip(&arm.solution.stars)
        .filter(|(_, s)| s.constant)
        .map(|(key, _)| key)
        .collect();
    (constant, keys(&arm.graph).collect())
}

/// Sets the flags that follow from the solution: no zero point, outlier, single observation.
fn flag_solution(obs: &mut Observations, arm: usize, graph: &ArmGraph, solution: &ArmSolution) {
    let without: Vec<bool> = (0..obs.arms[arm].row.len())
        .map(|i| match obs.zero_point_of(arm, graph, i) {
            Some(z) => solution.zp[z].is_nan(),
            None => obs.arms[arm].rv[i].is_finite(),
        })
        .collect();
    let flags = &mut obs.arms[arm].flags;
    for (flags, without) in flags.iter_mut().zip(without) {
        if without {
            *flags |= CalFlags::NO_ZERO_POINT;
        }
    }
    for (k, &i) in graph.edge_obs.iter().enumerate() {
        let (i, star) = (i as usize, graph.obs_star[i as usize] as usize);
        let has_zp = solution.zp[graph.graph.zp[k] as usize].is_finite();
        let is_low = graph.graph.counts[k] && solution.robust[k] < OUTLIER;
        if has_zp && is_low && solution.stars[star].constant {
            flags[i] |= CalFlags::OUTLIER;
        }
        if graph.graph.counted(star).count() == 1 {
            flags[i] |= CalFlags::SINGLE;
        }
    }
}
