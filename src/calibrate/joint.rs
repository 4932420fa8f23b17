//! The `joint` method: robust weighted least squares of v = a(star) + z(zero point) over the constants.
//!
//! 1. A start that no minority can spoil: all stars, absolute deviations instead of squares (convex, so there is one
//!    answer, and stars that link two groups are used from the beginning).
//! 2. Every star's chi^2 about the model, with the zero points given, and with a jitter common to all stars.
//! 3. Stars with p above a limit are the constants; those near the limit get a jitter of their own; single outliers
//!    get less weight. The zero points are solved anew, per component of the graph.
//! 4. Steps 2 and 3 repeat until the same stars are chosen and the zero points stay.
//!
//! Nothing here knows the unit: every threshold is in units of the errors, or a probability. The numbers of steps and the thresholds
//! below, and the defaults of [`JointOptions`], were chosen by hand; `docs/calibration.md` ("How well") shows what they give on the
//! paper's mock.
//!
//! Words: a constant is a star that is taken not to vary; a component is a set of zero points that common stars link
//! ([`super::components`]); a group is a plate and spectrograph.

use rayon::prelude::*;

use super::along::{FibreOrder, MOST_TERMS, Shape};
use super::components::{Components, components};
use super::fit::{Edge, Fit, Model};
use super::graph::Graph;
use super::jitter;
use super::solution::{ArmSolution, Iteration, StarFit};
use super::solve::{System, TOLERANCE};
use crate::Result;
use crate::numbers::statistics::median;

/// Settings of the `joint` method.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct JointOptions {
    /// A star is constant only if its p-value, the probability of a larger chi^2, is above this. A probability, between 0 and 0.5.
    pub p_min: f64,
    /// Residuals beyond this many sigma lose weight (with the inverse square of their distance); above 0.
    pub outlier_sigma: f64,
    /// Constants that an exposure needs for a zero point.
    pub min_constants: usize,
    /// Steps of the iteration, at most.
    pub max_iterations: usize,
    /// Largest component, in zero points, whose errors come from a dense inverse. Larger ones get them by random probes, good to a few
    /// per cent.
    pub max_exact: usize,
    /// Highest power of the fibre's place along the slit in a zero point.
    pub fibre_order: FibreOrder,
}

impl Default for JointOptions {
    fn default() -> Self {
        JointOptions {
            p_min: 0.01,
            outlier_sigma: 4.0,
            min_constants: 3,
            max_iterations: 40,
            max_exact: 8192,
            fibre_order: FibreOrder::Auto,
        }
    }
}

/// Steps of the start by absolute deviations.
const START_STEPS: usize = 10;
/// Residual, relative to the right-hand side, at which the conjugate gradients of the start end. Each solution of the start is only
/// there to find the next weights, so it need not be exact.
const START_TOLERANCE: f64 = 1e-3;
/// The same in the steps after the start.
const STEP_TOLERANCE: f64 = 1e-8;
/// The iteration ends when no zero point moves by more than this fraction of its error (and the same stars are constant).
const SETTLED: f64 = 1e-2;
/// A star that is a constant stays one until its p-value falls below this fraction of the limit, so that stars near the limit do not
/// come and go.
const STAY: f64 = 0.5;
/// First steps, in which stars can become constants; after them they can only cease to be.
const OPEN_STEPS: usize = 8;
/// First steps, in which stars can cease to be constants; after them the choice of stars is fixed.
const LEAVING_STEPS: usize = 12;
/// Steps in which the common jitter comes from all stars; later it comes from the constants.
const FIRST_STEPS: usize = 3;

/// Calibrates one arm. `allowed` tells the stars that may be constants (None: all); `group` the group of each zero point.
pub fn solve(
    graph: &Graph,
    group: &[u32],
    allowed: Option<&[bool]>,
    config: &JointOptions,
) -> Result<ArmSolution> {
    let (graph, unit) = scaled(graph);
    let may = |star: usize| allowed.is_none_or(|a| a[star]);
    let problem = Problem {
        graph: &graph,
        group,
        may: &may,
        config,
    };
    let mut state = State::start(&problem)?;
    let mut log = Vec::new();
    let mut converged = false;
    for step in 1..=config.max_iterations.max(1) {
        let (iteration, has_settled) = state.advance(&problem, step)?;
        log.push(iteration);
        if has_settled {
            converged = true;
            break;
        }
    }
    let mut solution = state.finish(&problem)?;
    (solution.log, solution.converged) = (log, converged);
    to_unit(&mut solution, unit);
    Ok(solution)
}

/// What is to be solved.
struct Problem<'a> {
    graph: &'a Graph,
    /// Group of each zero point.
    group: &'a [u32],
    /// Whether a star may be a constant.
    may: &'a (dyn Fn(usize) -> bool + Sync),
    config: &'a JointOptions,
}

/// What is known after a step.
struct State {
    zp: Vec<f64>,
    zp_var: Vec<f64>,
    is_constant: Vec<bool>,
    parts: Components,
    /// Square of the jitter common to all stars.
    jitter2: f64,
    /// Weight of each observation.
    weight: Vec<f64>,
}

impl State {
    fn start(problem: &Problem<'_>) -> Result<Self> {
        let graph = problem.graph;
        Ok(State {
            zp: start(graph, problem.group, problem.may, problem.config)?,
            zp_var: vec![0.0; graph.n_zp],
            is_constant: vec![false; graph.n_stars()],
            parts: Components::default(),
            jitter2: 0.0,
            weight: vec![0.0; graph.n_obs()],
        })
    }

    fn model<'s>(&'s self, problem: &'s Problem<'_>) -> Model<'s> {
        Model {
            graph: problem.graph,
            zp: &self.zp,
            zp_var: &self.zp_var,
            component: &self.parts.of,
            is_constant: &self.is_constant,
            cut: problem.config.outlier_sigma,
        }
    }

    /// One step: jitter, constants, zero points. The second value tells whether the same stars were chosen and the zero points stayed.
    fn advance(&mut self, problem: &Problem<'_>, step: usize) -> Result<(Iteration, bool)> {
        let (graph, config) = (problem.graph, problem.config);
        if step <= FIRST_STEPS {
            self.jitter2 = jitter::from_p_values(&self.model(problem), problem.may);
        }
        let fits = self.model(problem).fits(self.jitter2);
        if step > FIRST_STEPS {
            self.jitter2 = jitter::from_constants(&self.model(problem), &fits, self.jitter2);
        }
        let chosen = self.choose(problem, &fits, step);
        let mut weight = std::mem::take(&mut self.weight);
        let model = self.model(problem);
        fill_weights(&model, &fits, &chosen, self.jitter2, &mut weight);
        self.parts = components(graph, &chosen, &weight, config.min_constants);
        let system = System::new(graph, &weight, &self.parts, problem.group, Shape::default());
        let next =
            means(&system.solve(&system.precondition()?, &terms(&self.zp), STEP_TOLERANCE)?);
        self.zp_var = diagonal_variances(graph, &weight, &self.parts);
        // Each component is centred by itself, so a zero point that changes its component shows as a change here.
        let change = |z: usize| (next[z] - self.zp[z]).abs();
        let finite = || (0..graph.n_zp).filter(|&z| next[z].is_finite());
        let largest_change = finite().map(change).fold(0.0, f64::max);
        let moving = finite()
            .filter(|&z| change(z) > SETTLED * self.zp_var[z].sqrt())
            .count();
        // One zero point in a thousand may go on moving: that of an exposure with few constants and an outlier among them.
        let has_settled = chosen == self.is_constant && moving <= graph.n_zp / 1000;
        (self.is_constant, self.zp, self.weight) = (chosen, next, weight);
        let iteration = Iteration {
            step,
            n_constants: self.is_constant.iter().filter(|&&c| c).count(),
            largest_change,
            common_jitter: self.jitter2.sqrt(),
            n_components: self.parts.count,
        };
        Ok((iteration, has_settled))
    }

    /// The constants of a step.
    fn choose(&self, problem: &Problem<'_>, fits: &[Fit], step: usize) -> Vec<bool> {
        let choose = |(i, (f, &before)): (usize, (&Fit, &bool))| {
            // The limit for a star to stay is lower than that to enter. Among many thousands of stars a few near the limit come
            // and go all the same, so after OPEN_STEPS no star may enter, and after LEAVING_STEPS none may leave.
            let limit = if before { STAY } else { 1.0 } * problem.config.p_min;
            let good = (problem.may)(i) && f.p_value > limit;
            if step <= OPEN_STEPS {
                good
            } else {
                before && (good || step > LEAVING_STEPS)
            }
        };
        let all = fits.par_iter().zip(&self.is_constant).enumerate();
        all.map(choose).collect()
    }

    /// Zero points with their errors, and what they say of the stars.
    fn finish(mut self, problem: &Problem<'_>) -> Result<ArmSolution> {
        let graph = problem.graph;
        let system = System::new(
            graph,
            &self.weight,
            &self.parts,
            problem.group,
            Shape::default(),
        );
        let preconditioner = system.precondition()?;
        self.zp = means(&system.solve(&preconditioner, &terms(&self.zp), TOLERANCE)?);
        let (covariance, error_method) =
            system.errors(&preconditioner, problem.config.max_exact)?;
        let zp_err: Vec<f64> = covariance.iter().map(|c| c.error_of(0)).collect();
        self.zp_var = zp_err
            .iter()
            .map(|e| if e.is_finite() { e * e } else { 0.0 })
            .collect();
        let fits = self.model(problem).fits(self.jitter2);
        let star = |(f, &constant): (&Fit, &bool)| StarFit {
            constant,
            n_used: f.edges.len() as u32,
            chi2: f.chi2,
            dof: f.dof,
            p_value: f.p_value,
            p_quiet: f64::NAN,
            jitter: if constant { f.own_jitter } else { 0.0 },
        };
        Ok(ArmSolution {
            stars: fits.iter().zip(&self.is_constant).map(star).collect(),
            robust: per_edge(graph, &fits, 0.0, |e| e.robust),
            residual: per_edge(graph, &fits, f64::NAN, |e| e.residual),
            along: vec![[0.0; 2]; graph.n_zp],
            covariance,
            fibre_order: 0,
            population: None,
            zp: self.zp,
            zp_err,
            n_constants: self.parts.n_constants,
            component: self.parts.of,
            n_components: self.parts.count,
            common_jitter: self.jitter2.sqrt(),
            error_method,
            log: Vec::new(),
            converged: false,
        })
    }
}

/// The graph with the median error as unit and each star's median RV as its zero: neither the unit nor a star's
/// velocity touches the result. Errors below a millionth of the median are raised to it: no star can
/// be that much better, and its weight would drown all others in rounding.
fn scaled(graph: &Graph) -> (Graph, f64) {
    let mut errors: Vec<f64> = graph.var.iter().map(|v| v.sqrt()).collect();
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
fn to_unit(solution: &mut ArmSolution, unit: f64) {
    let all = solution.zp.iter_mut().chain(&mut solution.zp_err);
    for value in all.chain(&mut solution.residual) {
        *value *= unit;
    }
    solution.common_jitter *= unit;
    for star in &mut solution.stars {
        star.jitter *= unit;
    }
    for step in &mut solution.log {
        step.largest_change *= unit;
        step.common_jitter *= unit;
    }
}

/// Zero points of least absolute deviations over all allowed stars, by reweighting. Errors below the median count as
/// the median: a star with a wrong, tiny error must not pull the start its way.
fn start(
    graph: &Graph,
    group: &[u32],
    may: &dyn Fn(usize) -> bool,
    config: &JointOptions,
) -> Result<Vec<f64>> {
    let allowed: Vec<bool> = (0..graph.n_stars()).map(may).collect();
    let mut zp = vec![0.0; graph.n_zp];
    let mut weight = vec![0.0; graph.n_obs()];
    let mut values = Vec::new();
    for _ in 0..START_STEPS {
        for star in (0..graph.n_stars()).filter(|&s| allowed[s]) {
            let residual = |k: usize| graph.rv[k] - zp[graph.zp[k] as usize];
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
        let parts = components(graph, &allowed, &weight, config.min_constants);
        let system = System::new(graph, &weight, &parts, group, Shape::default());
        zp = means(&system.solve(&system.precondition()?, &terms(&zp), START_TOLERANCE)?);
    }
    Ok(zp)
}

/// Zero points without slope.
fn terms(zp: &[f64]) -> Vec<[f64; MOST_TERMS]> {
    zp.iter().map(|&z| [z, 0.0, 0.0]).collect()
}

/// The mean terms of zero points.
fn means(terms: &[[f64; MOST_TERMS]]) -> Vec<f64> {
    terms.iter().map(|t| t[0]).collect()
}

/// Weights of the constants' observations; 0 for all others.
fn fill_weights(
    model: &Model<'_>,
    fits: &[Fit],
    chosen: &[bool],
    jitter2: f64,
    weight: &mut [f64],
) {
    weight.fill(0.0);
    for (star, fit) in fits.iter().enumerate().filter(|&(s, _)| chosen[s]) {
        let own = fit.own_jitter * fit.own_jitter;
        for k in model.graph.counted(star) {
            weight[k] = 1.0 / (model.graph.var[k] + jitter2 + own);
        }
        for edge in &fit.edges {
            weight[edge.k] *= edge.robust;
        }
    }
}

/// Variance of each zero point if the stars' means were known: cheap, and close when stars have many observations.
fn diagonal_variances(graph: &Graph, weight: &[f64], parts: &Components) -> Vec<f64> {
    let mut sum = vec![0.0; graph.n_zp];
    for (&z, &w) in graph.zp.iter().zip(weight) {
        if parts.of[z as usize].is_some() {
            sum[z as usize] += w;
        }
    }
    sum.iter()
        .map(|&w| if w > 0.0 { 1.0 / w } else { 0.0 })
        .collect()
}

fn per_edge(graph: &Graph, fits: &[Fit], empty: f64, value: impl Fn(&Edge) -> f64) -> Vec<f64> {
    let mut out = vec![empty; graph.n_obs()];
    for edge in fits.iter().flat_map(|f| &f.edges) {
        out[edge.k] = value(edge);
    }
    out
}
