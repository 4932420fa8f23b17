//! The first zero points of the `joint` method, which no minority of stars can spoil, and the unit in which it works.

use super::components::components;
use super::graph::Graph;
use super::problem::Problem;
use super::solution::ArmSolution;
use super::solve::System;
use super::terms::{MOST_TERMS, Shape, Terms};
use crate::Result;
use crate::numbers::statistics::median;

/// Steps of the start by absolute deviations.
const START_STEPS: usize = 10;
/// Residual, relative to the right-hand side, at which the conjugate gradients of the start end. Each solution of the start is only
/// there to find the next weights, so it need not be exact.
const START_TOLERANCE: f64 = 1e-3;

/// The graph with the median error as unit and each star's median RV as its zero: neither the unit nor a star's
/// velocity touches the result. Observations that say nothing (of a star that was seen once, say) do not touch the unit. Errors below a
/// millionth of the median are raised to it: no star can be that much better, and its weight would drown all others in rounding.
pub(super) fn scaled(graph: &Graph) -> (Graph, f64) {
    let mut errors: Vec<f64> = (0..graph.n_stars())
        .filter(|&star| graph.counted(star).count() >= 2)
        .flat_map(|star| graph.counted(star).map(|k| graph.var[k].sqrt()))
        .collect();
    let unit = match median(&mut errors) {
        unit if unit > 0.0 => unit,
        _ => 1.0,
    };
    let mut out = graph.clone();
    let mut values = Vec::new();
    for star in 0..graph.n_stars() {
        values.clear();
        values.extend(graph.counted(star).map(|k| graph.rv[k]));
        if values.is_empty() {
            values.extend_from_slice(&graph.rv[graph.of(star)]);
        }
        let middle = median(&mut values);
        for k in graph.of(star) {
            out.rv[k] = (graph.rv[k] - middle) / unit;
            out.var[k] = (graph.var[k].sqrt() / unit).max(1e-6).powi(2);
        }
    }
    (out, unit)
}

/// Undoes the unit of [`scaled`].
pub(super) fn to_unit(solution: &mut ArmSolution, unit: f64) {
    let all = solution.zp.iter_mut().chain(&mut solution.zp_err);
    for value in all.chain(&mut solution.residual) {
        *value *= unit;
    }
    for covariance in &mut solution.covariance {
        covariance
            .0
            .iter_mut()
            .flatten()
            .for_each(|c| *c *= unit * unit);
    }
    for term in solution.along.iter_mut().flatten() {
        *term *= unit;
    }
    for variance in solution.common.iter_mut().flatten() {
        *variance *= unit * unit;
    }
    if let Some(population) = &mut solution.population {
        population.scale(unit);
    }
    solution.common_jitter *= unit;
    for star in &mut solution.stars {
        star.jitter *= unit;
        star.left *= unit;
    }
    for step in &mut solution.log {
        step.largest_change *= unit;
        step.common_jitter *= unit;
    }
}

/// Zero points of least absolute deviations over all allowed stars, by reweighting. Errors below the median count as
/// the median: a star with a wrong, tiny error must not pull the start its way.
pub(super) fn start(problem: &Problem<'_>) -> Result<Vec<Terms>> {
    let graph = problem.graph;
    let allowed: Vec<bool> = (0..graph.n_stars()).map(|s| problem.may(s)).collect();
    let mut zp = vec![[0.0; MOST_TERMS]; graph.n_zp];
    let mut weight = vec![0.0; graph.n_obs()];
    let mut values = Vec::new();
    for _ in 0..START_STEPS {
        for star in (0..graph.n_stars()).filter(|&s| allowed[s]) {
            let residual = |k: usize| graph.rv[k] - zp[graph.zp[k] as usize][0];
            values.clear();
            values.extend(graph.counted(star).map(residual).filter(|d| d.is_finite()));
            let middle = median(&mut values);
            for k in graph.counted(star) {
                let d = residual(k) - middle;
                let var = graph.var[k].max(1.0);
                // Where there is no zero point yet, the observation gets the weight of one without a residual.
                let far = if d.is_finite() { d * d / var } else { 0.0 };
                weight[k] = 1.0 / (var * (1.0 + far).sqrt());
            }
        }
        let parts = components(graph, &allowed, &weight, problem.config.min_constants);
        let system = System::new(graph, &weight, &parts, problem.group, Shape::default());
        zp = system.solve(&system.precondition()?, &zp, START_TOLERANCE)?;
    }
    Ok(zp)
}
