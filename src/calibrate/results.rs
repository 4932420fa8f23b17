//! What a calibration gives, in numbers: zero points, stars, corrected RVs. Stars, exposures, groups and arms are the numbers of the
//! [`Observations`].

use std::collections::BTreeMap;

use super::arms::CalibratedArm;
use super::cal_flags::CalFlags;
use super::observations::Observations;
use super::solution::ArmSolution;
use super::terms::{CURVE, SKEW, SLOPE, STRETCH};
use super::unjudged::Unjudged;
use crate::numbers::statistics::mean_and_std;

/// Stars with a smaller p-value are called variable (about 3.3 sigma, so one constant star in a thousand by chance). Chosen by hand.
pub const VARIABLE_P: f64 = 1e-3;

/// The zero point of one exposure, group and arm. Velocities are in the unit of the [`Observations`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ZeroPoint {
    /// Number of the arm.
    pub arm: usize,
    /// Group.
    pub group: u32,
    /// Exposure.
    pub exposure: u32,
    /// Zero point, to be subtracted from the RVs, in their unit. Zero points of one component have mean 0. NaN where too few
    /// stars were observed.
    pub zp: f64,
    /// Its formal 1-sigma error, in the same unit; NaN where `zp` is NaN.
    pub zp_err: f64,
    /// How much it rises along the slit, from its middle to one end, in the same unit; NaN where zero points are taken as the same for all
    /// fibres, and where `zp` is NaN.
    pub slope: f64,
    /// Error of `slope`.
    pub slope_err: f64,
    /// How much it bends: the zero point at place p (-1 to 1) along the slit is `zp + slope p + curve (p^2 - 1/3)`. NaN where no bend is
    /// asked for.
    pub curve: f64,
    /// Error of `curve`.
    pub curve_err: f64,
    /// How much it rises with the place of a star's lines in the arm's window, from the middle to the red end: the wavelengths are stretched.
    /// NaN where it does not depend on that.
    pub stretch: f64,
    /// Error of `stretch`.
    pub stretch_err: f64,
    /// By how much it is larger for lines that are not resolved than for very broad ones: the line-spread function is skew. NaN where it
    /// does not depend on that.
    pub skew: f64,
    /// Error of `skew`.
    pub skew_err: f64,
    /// Constant stars that determine it.
    pub n_constants: u32,
    /// Number of the component: the zero points of one arm that common stars link, and that alone can be compared with each other.
    /// None where there is no zero point.
    pub component: Option<u32>,
}

/// One star of one arm, or of one group where groups are solved alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Star {
    /// Number of the arm.
    pub arm: usize,
    /// Star.
    pub star: u32,
    /// Its group where groups are solved alone, else 0.
    pub group: u32,
    /// Number of usable RVs that say something about the star.
    pub n_exp: u32,
    /// Number of those among them whose exposure has a zero point.
    pub n_used: u32,
    /// Standard deviation of the RVs (Var_rv of the paper), in their unit.
    pub scatter_before: f64,
    /// The same after correction, about one mean per component.
    pub scatter_after: f64,
    /// Sum of squared residuals, each in units of its error and the common jitter; the term of a single outlier is cut.
    pub chi2: f64,
    /// Degrees of freedom of `chi2`.
    pub dof: f64,
    /// Probability of a larger `chi2` if the star is constant.
    pub p_value: f64,
    /// Probability that the star is quiet, from its velocities and from how much the other stars vary; NaN for the paper's method.
    pub p_quiet: f64,
    /// Jitter that is expected of the star by itself, in the unit of the RVs. It lowers the star's weight.
    pub jitter: f64,
    /// The star was taken for constant, and determined zero points; None where that cannot be said.
    pub is_constant: Option<bool>,
    /// `p_value` is below 0.001; None where that cannot be said.
    pub is_variable: Option<bool>,
    /// What is missing for these two to be said; None where they are.
    pub unjudged: Option<Unjudged>,
}

/// RVs less the zero points of their exposures; one value per row of the observations, NaN where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrected {
    /// Corrected RV.
    pub rv: Vec<f64>,
    /// Own error of the RV, error of the zero point and the star's jitter as a quiet star, together.
    pub err: Vec<f64>,
    /// Flags.
    pub flags: Vec<CalFlags>,
}

/// The zero points of all exposures that have a usable RV: by arm, group, exposure.
pub fn zero_points(arms: &[CalibratedArm]) -> impl Iterator<Item = ZeroPoint> + '_ {
    arms.iter().enumerate().flat_map(|(arm, a)| {
        let s = &a.solution;
        (0..a.graph.graph.n_zp).map(move |z| ZeroPoint {
            arm,
            group: a.graph.zp_group[z],
            exposure: a.graph.zp_exposure[z],
            zp: s.zp[z],
            zp_err: s.zp_err[z],
            slope: term(s, z, SLOPE),
            slope_err: term_err(s, z, SLOPE),
            curve: term(s, z, CURVE),
            curve_err: term_err(s, z, CURVE),
            stretch: term(s, z, STRETCH),
            stretch_err: term_err(s, z, STRETCH),
            skew: term(s, z, SKEW),
            skew_err: term_err(s, z, SKEW),
            n_constants: s.n_constants[z],
            component: s.component[z],
        })
    })
}

/// A term of a zero point; NaN where the solution does not have it.
fn term(s: &ArmSolution, z: usize, term: usize) -> f64 {
    match s.has[term] && s.zp[z].is_finite() {
        true => s.along[z][term],
        false => f64::NAN,
    }
}

/// Error of a term of a zero point; NaN where the solution does not have it.
fn term_err(s: &ArmSolution, z: usize, term: usize) -> f64 {
    match s.has[term] && s.zp[z].is_finite() {
        true => s.covariance[z].error_of(term),
        false => f64::NAN,
    }
}

/// The stars that have a usable RV: by arm, star, group.
pub fn stars(arms: &[CalibratedArm]) -> impl Iterator<Item = Star> + '_ {
    arms.iter()
        .enumerate()
        .flat_map(|(arm, a)| (0..a.graph.star.len()).map(move |i| star(arm, a, i)))
}

fn star(arm: usize, a: &CalibratedArm, i: usize) -> Star {
    let fit = &a.solution.stars[i];
    let unjudged = Unjudged::of(a, i);
    let judged = |verdict: bool| unjudged.is_none().then_some(verdict);
    Star {
        arm,
        star: a.graph.star[i],
        group: a.graph.star_group[i],
        n_exp: a.graph.graph.counted(i).count() as u32,
        n_used: fit.n_used,
        scatter_before: mean_and_std(a.graph.graph.counted(i).map(|k| a.graph.graph.rv[k])).1,
        scatter_after: scatter_after(a, i),
        chi2: fit.chi2,
        dof: fit.dof,
        p_value: fit.p_value,
        p_quiet: fit.p_quiet,
        jitter: fit.jitter,
        is_constant: judged(fit.constant),
        is_variable: judged(fit.p_value < VARIABLE_P),
        unjudged,
    }
}

/// Residuals are about the robust mean of their component; here the plain mean is wanted.
fn scatter_after(arm: &CalibratedArm, star: usize) -> f64 {
    let graph = &arm.graph.graph;
    let mut parts: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for k in graph.counted(star) {
        if let Some(c) = arm.solution.component[graph.zp[k] as usize] {
            parts.entry(c).or_default().push(arm.solution.residual[k]);
        }
    }
    let n: usize = parts.values().map(Vec::len).sum();
    let squares: f64 = parts
        .values()
        .map(|v| mean_and_std(v.iter().copied()).1.powi(2) * v.len() as f64)
        .sum();
    (squares / n as f64).sqrt()
}

/// The rows without a correction: what [`Corrected::fill`] begins with.
impl Corrected {
    /// Values for `n_rows` rows, none of which is corrected yet.
    pub fn none(n_rows: usize) -> Self {
        Corrected {
            rv: vec![f64::NAN; n_rows],
            err: vec![f64::NAN; n_rows],
            flags: vec![CalFlags::empty(); n_rows],
        }
    }

    /// The corrected velocities of one arm.
    pub fn of(obs: &Observations, arms: &[CalibratedArm], arm: usize) -> Self {
        let mut out = Corrected::none(obs.n_rows());
        out.fill(obs, arms, arm);
        out
    }

    /// Puts in the rows of one arm; where arms share no row, one table holds them all.
    pub fn fill(&mut self, obs: &Observations, arms: &[CalibratedArm], arm: usize) {
        let (own, calibrated) = (&obs.arms[arm], &arms[arm]);
        for (i, &row) in own.row.iter().enumerate() {
            let row = row as usize;
            self.flags[row] = own.flags[i];
            // A duplicate is not used, but it is corrected like any other row of its exposure.
            if let Some(z) = obs.zero_point_of(arm, &calibrated.graph, i) {
                let (solution, at) = (&calibrated.solution, obs.terms_of(own, i));
                self.rv[row] = own.rv[i] - solution.zero_point_at(z, &at);
                if !own.flags[i].contains(CalFlags::BAD_ERR) {
                    let left = match calibrated.graph.obs_star[i] {
                        u32::MAX => solution.population.map_or(0.0, |p| p.quiet_mean),
                        star => solution.stars[star as usize].left,
                    };
                    let known = own.err[i].hypot(solution.zero_point_err_at(z, &at));
                    self.err[row] = known.hypot(left);
                }
            }
        }
    }
}

/// Marks the rows of an arm by whether their star was taken for constant there; those whose star is not judged stay as they are.
pub fn mark_constants(
    obs: &Observations,
    arms: &[CalibratedArm],
    arm: usize,
    constant: &mut [Option<bool>],
) {
    let (own, calibrated) = (&obs.arms[arm], &arms[arm]);
    for (i, &row) in own.row.iter().enumerate() {
        let star = calibrated.graph.obs_star[i];
        if star != u32::MAX && Unjudged::of(calibrated, star as usize).is_none() {
            let verdict = calibrated.solution.stars[star as usize].constant;
            let known = constant[row as usize].unwrap_or(false);
            constant[row as usize] = Some(known || verdict);
        }
    }
}

/// Rows without a single usable RV.
pub fn n_rows_unusable(obs: &Observations) -> usize {
    let mut usable = vec![false; obs.n_rows()];
    for own in &obs.arms {
        for (&row, &flags) in own.row.iter().zip(&own.flags) {
            usable[row as usize] |= !flags.intersects(CalFlags::UNUSABLE);
        }
    }
    usable.iter().filter(|&&u| !u).count()
}
