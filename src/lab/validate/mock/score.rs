//! How well a method recovers a mock: against the truth, the Cramer-Rao bound and its own errors.

use crate::Result;
use crate::calibrate::components::components;
use crate::calibrate::graph::Graph;
use crate::calibrate::joint::{self, JointOptions};
use crate::calibrate::paper::{self, PaperOptions};
use crate::calibrate::solution::ArmSolution;
use crate::calibrate::solve::System;
use crate::calibrate::terms::Shape;
use crate::lab::validate::mock::{CONSTANT_HALF_RANGE_KM_S, Mock};
use crate::lab::validate::statistics::rms;

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
pub fn joint(mock: &Mock, config: &JointOptions) -> Result<Score> {
    let graph = graph(mock);
    let solution = joint::solve(
        &graph,
        &vec![0; graph.n_zp],
        &joint::Known::default(),
        config,
    )?;
    score(mock, &graph, &solution)
}

/// The `paper` method on a mock.
pub fn paper(mock: &Mock, config: &PaperOptions) -> Result<Score> {
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
    let system = System::new(
        graph,
        &weight,
        &parts,
        &vec![0; graph.n_zp],
        Shape::default(),
    );
    let (errors, _) = system.errors(&system.precondition()?, usize::MAX)?;
    let errors: Vec<f64> = errors.iter().map(|c| c.error_of(0)).collect();
    Ok(rms(&errors))
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::super::MockConfig;
    use super::*;

    const SEEDS: u64 = 50;

    struct Total {
        rms: f64,
        bound: f64,
        pull: f64,
        contamination: f64,
        completeness: f64,
    }

    fn run(n_binaries: usize, missing: f64, method: impl Fn(&Mock) -> Score + Sync) -> Total {
        let scores: Vec<Score> = (1..=SEEDS)
            .into_par_iter()
            .map(|seed| {
                method(&Mock::new(&MockConfig {
                    seed,
                    n_binaries,
                    missing,
                    ..MockConfig::default()
                }))
            })
            .collect();
        let sum = |f: fn(&Score) -> usize| scores.iter().map(f).sum::<usize>() as f64;
        let all = |f: fn(&Score) -> f64| rms(&scores.iter().map(f).collect::<Vec<_>>());
        let pulls: Vec<f64> = scores.iter().flat_map(|s| s.pulls.clone()).collect();
        let (chosen, wrong) = (sum(|s| s.n_chosen), sum(|s| s.n_wrong));
        Total {
            rms: all(|s| s.zp_rms_km_s),
            bound: all(|s| s.bound_km_s),
            pull: rms(&pulls),
            contamination: wrong / chosen,
            completeness: (chosen - wrong) / sum(|s| s.n_true),
        }
    }

    #[test]
    fn joint_reaches_the_bound_and_beats_the_paper() {
        for missing in [0.0, 0.3, 0.6] {
            let j = run(40, missing, |m| joint(m, &JointOptions::default()).unwrap());
            let p = run(40, missing, |m| paper(m, &PaperOptions::default()).unwrap());
            println!(
                "missing {missing}: joint {:.4}, bound {:.4}, paper {:.4} km/s; pull {:.3}; contamination {:.4}, completeness {:.4}",
                j.rms, j.bound, p.rms, j.pull, j.contamination, j.completeness
            );
            assert!(j.rms <= 1.2 * j.bound);
            assert!(j.rms <= 0.5 * p.rms);
            assert!((0.9..=1.1).contains(&j.pull));
            assert!(j.contamination < 0.02 && j.completeness > 0.95);
        }
    }

    #[test]
    fn many_binaries_hardly_contaminate_the_constants() {
        let j = run(150, 0.0, |m| joint(m, &JointOptions::default()).unwrap());
        println!(
            "150 binaries: contamination {:.4}, pull {:.3}",
            j.contamination, j.pull
        );
        assert!(j.contamination < 0.03 && j.completeness > 0.95);
        assert!(j.rms <= 1.2 * j.bound && (0.9..=1.1).contains(&j.pull));
    }
}
