//! What a calibration of one arm gives, whichever the method.

use super::graph::Graph;
use super::population::Population;
use super::solve::ErrorMethod;
use super::terms::{Covariance, MEAN, MOST_TERMS, Shape, Terms, value};

/// One star of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct StarFit {
    /// It was taken for constant, and determined the zero points.
    pub constant: bool,
    /// Observations with a zero point.
    pub n_used: u32,
    /// Sum of squared residuals about the star's own mean (one mean per component) in units of their errors; each
    /// term is cut at the square of the outlier threshold.
    pub chi2: f64,
    /// Degrees of freedom of `chi2`: not whole, as the zero points take their part.
    pub dof: f64,
    /// Probability of a `chi2` at least this large if the star is constant; NaN with fewer than two observations.
    pub p_value: f64,
    /// Probability that the star is quiet, from its velocities and the population; NaN where the method has none.
    pub p_quiet: f64,
    /// Jitter of this star (root mean square of what it may be), in the unit of the RVs: lowers its weight.
    pub jitter: f64,
    /// What its errors leave out, in the unit of the RVs: the jitter that it has if it is quiet, and as far as it is not, the mean jitter of
    /// quiet stars. A variable star's own variation is no error.
    pub left: f64,
}

/// One step of the iteration.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Iteration {
    /// Number of the step, from 1.
    pub step: usize,
    /// Constants in this step.
    pub n_constants: usize,
    /// Largest change of a zero point, in the unit of the RVs (paper: largest mean of the constants in an exposure).
    pub largest_change: f64,
    /// Jitter common to all stars, in the unit of the RVs; NaN for the paper's method.
    pub common_jitter: f64,
    /// Components in this step.
    pub n_components: usize,
}

impl ArmSolution {
    /// No zero point at all: what is left where the solution failed.
    pub fn none(graph: &Graph) -> Self {
        let nothing = StarFit {
            constant: false,
            n_used: 0,
            chi2: 0.0,
            dof: 0.0,
            p_value: f64::NAN,
            p_quiet: f64::NAN,
            jitter: 0.0,
            left: 0.0,
        };
        ArmSolution {
            zp: vec![f64::NAN; graph.n_zp],
            zp_err: vec![f64::NAN; graph.n_zp],
            along: vec![[0.0; MOST_TERMS]; graph.n_zp],
            covariance: vec![Covariance::UNKNOWN; graph.n_zp],
            common: vec![[0.0; MOST_TERMS]; graph.n_zp],
            has: Shape::default().has(),
            population: None,
            n_constants: vec![0; graph.n_zp],
            component: vec![None; graph.n_zp],
            n_components: 0,
            stars: vec![nothing; graph.n_stars()],
            robust: vec![0.0; graph.n_obs()],
            residual: vec![f64::NAN; graph.n_obs()],
            common_jitter: f64::NAN,
            error_method: ErrorMethod::Exact,
            log: Vec::new(),
            converged: false,
        }
    }
}

/// Zero points of one arm and what they rest on. Vectors have one value per zero point, star or edge of the graph.
#[derive(Clone, Debug)]
pub struct ArmSolution {
    /// Zero point, to be subtracted from the RVs; NaN where too few stars were observed.
    pub zp: Vec<f64>,
    /// Its error.
    pub zp_err: Vec<f64>,
    /// The other terms of each zero point ([`super::terms`]): 0 for those that it does not have, and for the first, which is `zp`.
    pub along: Vec<Terms>,
    /// Covariance of each zero point's terms.
    pub covariance: Vec<Covariance>,
    /// Part of the variances of these terms that exposures have in common: their mean, which the stars' offsets take up where a star
    /// keeps its fibre and its lines. It moves a star's velocities all alike.
    pub common: Vec<Terms>,
    /// Which terms the zero points have.
    pub has: [bool; MOST_TERMS],
    /// How much stars vary by themselves; None where the method does not ask.
    pub population: Option<Population>,
    /// Constants that determine it.
    pub n_constants: Vec<u32>,
    /// Component: zero points of different components have no common scale. Each component's mean is 0.
    pub component: Vec<Option<u32>>,
    /// Number of components.
    pub n_components: usize,
    /// Stars.
    pub stars: Vec<StarFit>,
    /// Robust weight of each edge, 1 for an observation in line, less for an outlier, 0 without a zero point.
    pub robust: Vec<f64>,
    /// Residual of each edge about the star's mean (of its component) after correction; NaN without a zero point.
    pub residual: Vec<f64>,
    /// Jitter common to all stars.
    pub common_jitter: f64,
    /// How `zp_err` was computed.
    pub error_method: ErrorMethod,
    /// The steps.
    pub log: Vec<Iteration>,
    /// The iteration ended by itself.
    pub converged: bool,
}

impl ArmSolution {
    /// Zero point of number `z` where its terms are multiplied by `at`.
    pub fn zero_point_at(&self, z: usize, at: &Terms) -> f64 {
        self.zp[z] * at[MEAN] + value(&self.along[z], at)
    }

    /// 1-sigma error of [`ArmSolution::zero_point_at`], without what a star's velocities have in common.
    pub fn zero_point_err_at(&self, z: usize, at: &Terms) -> f64 {
        let common = self.common[z].iter().zip(at).map(|(c, a)| c * a * a);
        let variance = self.covariance[z].at(at) - common.sum::<f64>();
        variance.max(0.0).sqrt()
    }
}
