//! How well a method recovers a mock: against the truth, the Cramer-Rao bound and its own errors.

use super::mock::{CONSTANT_HALF_RANGE_KM_S, Mock};
use crate::Result;
use crate::selfcal::ArmSolution;
use crate::selfcal::components::components;
use crate::selfcal::graph::Graph;
use crate::selfcal::joint::{self, JointConfig};
use crate::selfcal::paper::{self, PaperConfig};
use crate::selfcal::solve::System;

/// One method on one mock.
#[derive(Clone, Debug)]
pub struct Score {
    /// Rms difference of the zero points from the truth, means removed, km/s.
    pub zp_rms_km_s: f64,
    /// The least that any unbiased method could reach: the true constants known, with their true variance, km/s.
    pub bound_km_s: f64,
    /// (zero point - truth) / quoted error, one per exposure.
    pub pulls: Vec<f64>,
    /// Stars taken for constant.
    pub n_chosen: usize,
    /// Those among them that are not.
    pub n_wrong: usize,
    /// True constants in the mock.
    pub n_true: usize,
    /// Steps of the iteration.
    pub steps: usize,
    /// It ended by itself.
    pub converged: bool,
}

/// The mock as one group of one arm.
pub fn graph(mock: &Mock) -> Graph {
    let edges: Vec<_> = mock
        .rows
        .iter()
        .map(|r| (r.star, r.exposure, r.rv_km_s, r.err_km_s))
        .collect();
    Graph::new(mock.kinds.len(), mock.zp_km_s.len(), &edges).0
}

/// The `joint` method on a mock.
pub fn joint(mock: &Mock, config: &JointConfig) -> Result<Score> {
    let graph = graph(mock);
    let solution = joint::solve(&graph, &vec![0; graph.n_zp], None, config)?;
    score(mock, &graph, &solution)
}

/// The `paper` method on a mock.
pub fn paper(mock: &Mock, config: &PaperConfig) -> Result<Score> {
    let graph = graph(mock);
    let solution = paper::solve(&graph, &vec![0; graph.n_zp], None, config);
    score(mock, &graph, &solution)
}

/// Compares a solution with the truth.
pub fn score(mock: &Mock, graph: &Graph, solution: &ArmSolution) -> Result<Score> {
    let mut differences: Vec<f64> = solution
        .zp
        .iter()
        .zip(&mock.zp_km_s)
        .map(|(found, truth)| found - truth)
        .collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    for d in &mut differences {
        *d -= mean;
    }
    let chosen = |s: &usize| solution.stars[*s].constant;
    let stars = 0..mock.kinds.len();
    Ok(Score {
        zp_rms_km_s: rms(&differences),
        bound_km_s: bound_km_s(mock, graph)?,
        pulls: differences
            .iter()
            .zip(&solution.zp_err)
            .map(|(d, e)| d / e)
            .collect(),
        n_chosen: stars.clone().filter(chosen).count(),
        n_wrong: stars
            .clone()
            .filter(chosen)
            .filter(|&s| !mock.is_constant(s))
            .count(),
        n_true: stars.filter(|&s| mock.is_constant(s)).count(),
        steps: solution.log.len(),
        converged: solution.converged,
    })
}

/// Rms over exposures of the errors that the true constants allow.
fn bound_km_s(mock: &Mock, graph: &Graph) -> Result<f64> {
    let is_constant: Vec<bool> = (0..graph.n_stars()).map(|s| mock.is_constant(s)).collect();
    // A uniform distribution of half range h has the variance h^2 / 3.
    let wobble2 = CONSTANT_HALF_RANGE_KM_S * CONSTANT_HALF_RANGE_KM_S / 3.0;
    let mut weight = vec![0.0; graph.n_obs()];
    for star in (0..graph.n_stars()).filter(|&s| is_constant[s]) {
        for k in graph.of(star) {
            weight[k] = 1.0 / (graph.var[k] + wobble2);
        }
    }
    let parts = components(graph, &is_constant, &weight, 1);
    let system = System::new(graph, &weight, &parts, &vec![0; graph.n_zp]);
    let (errors, _) = system.errors(&system.precondition()?, usize::MAX)?;
    Ok(rms(&errors))
}

/// Root mean square.
pub fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}
