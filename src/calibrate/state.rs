//! One step of the `joint` method: what is known of zero points and stars, and how it is bettered.

use rayon::prelude::*;

use super::components::{Components, components};
use super::graph::Graph;
use super::part::Part;
use super::population::{Mixture, Posterior};
use super::problem::Problem;
use super::shape::{self, Residuals};
use super::solution::Iteration;
use super::solve::System;
use super::star_fit::{GRID, Model, local_covariances};
use super::terms::{Covariance, MEAN, Shape, Terms};
use crate::Result;

/// Residual, relative to the right-hand side, at which the conjugate gradients of a step end.
const STEP_TOLERANCE: f64 = 1e-8;
/// The iteration ends when no zero point moves by more than this fraction of its error.
const SETTLED: f64 = 1e-2;
/// Least probability of being quiet with which a star links the exposures of different groups.
pub(super) const LINKS: f64 = 0.5;
/// Stars that the population is found from, at most: so many tell its parameters to a few per cent.
const SAMPLE: usize = 5000;
/// First steps, in which the population is sought from several beginnings, and after which the stars that link groups stay the same.
const LINKING_STEPS: usize = 6;
/// First step that asks whether zero points change along the slit: before it they are too rough.
const SLIT_STEP: usize = 3;

/// What is known after a step.
pub(super) struct State {
    /// Terms of each zero point, NaN where there is none.
    pub(super) zp: Vec<Terms>,
    /// Their covariances if the stars' means were known.
    pub(super) local: Vec<Covariance>,
    pub(super) shape: Shape,
    pub(super) parts: Components,
    pub(super) mixture: Mixture,
    /// Weight of each observation.
    pub(super) weight: Vec<f64>,
    /// The graph with a star for each mean: a star that is not quiet has a mean of its own in each group, so that it does not link them.
    pub(super) means: Graph,
    /// Star of each mean.
    pub(super) star_of_mean: Vec<u32>,
}

/// What a star says in a step.
pub(super) struct StarWeight {
    pub(super) posterior: Posterior,
    pub(super) likelihood: [f64; GRID],
    pub(super) parts: Vec<Part>,
    /// Jitter that its velocities speak for most.
    jitter: f64,
}

impl State {
    /// The state before the first step, with these zero points.
    pub(super) fn new(problem: &Problem<'_>, zp: Vec<Terms>) -> Self {
        let graph = problem.graph;
        let weight: Vec<f64> = (0..graph.n_stars())
            .flat_map(|star| graph.of(star).map(move |k| (star, k)))
            .map(|(star, k)| match problem.may(star) && graph.counts[k] {
                true => 1.0 / (graph.var[k] + 1.0),
                false => 0.0,
            })
            .collect();
        let mut state = State {
            zp,
            local: Vec::new(),
            shape: Shape::default(),
            parts: Components::default(),
            mixture: Mixture::default(),
            weight,
            means: graph.clone(),
            star_of_mean: (0..graph.n_stars() as u32).collect(),
        };
        state.local = local_covariances(graph, &state.weight, &state.shape);
        state
    }

    pub(super) fn model<'s>(&'s self, problem: &Problem<'_>) -> Model<'s> {
        Model {
            graph: &self.means,
            component: &self.parts.of,
            zp: &self.zp,
            local: &self.local,
            weight: &self.weight,
            tail: problem.tail(),
        }
    }

    /// The equations of the zero points with these weights.
    pub(super) fn system<'s>(&'s self, problem: &Problem<'_>, weight: &'s [f64]) -> System<'s> {
        System::new(&self.means, weight, &self.parts, problem.group, self.shape)
    }

    /// Means of each star, as ranges of their numbers.
    pub(super) fn means_of_stars(&self) -> Vec<std::ops::Range<usize>> {
        let mut last = 0;
        let chunks = self.star_of_mean.chunk_by(|a, b| a == b);
        let ranges = chunks.map(|chunk| {
            let first = last;
            last += chunk.len();
            first..last
        });
        ranges.collect()
    }

    /// One step: jitters, population, weights, zero points. The second value tells whether the zero points stayed.
    pub(super) fn advance(
        &mut self,
        problem: &Problem<'_>,
        step: usize,
    ) -> Result<(Iteration, bool)> {
        let (graph, config) = (problem.graph, problem.config);
        let stars = self.look_at_stars(problem);
        let of_sample = sample(problem, &stars);
        self.mixture = match step <= LINKING_STEPS {
            true => Mixture::of(&of_sample),
            false => self.mixture.towards(&of_sample),
        };
        self.fill_weights(problem, &stars);
        if step <= LINKING_STEPS {
            self.split(problem, &stars);
        }
        let has_before = self.shape.has();
        if step >= SLIT_STEP {
            self.shape = self.next_shape(problem, &stars);
        }
        let takes_part: Vec<bool> = self
            .star_of_mean
            .iter()
            .map(|&s| problem.may(s as usize))
            .collect();
        self.parts = components(&self.means, &takes_part, &self.weight, config.min_constants);
        let system = self.system(problem, &self.weight);
        let next = system.solve(&system.precondition()?, &self.zp, STEP_TOLERANCE)?;
        self.local = local_covariances(graph, &self.weight, &self.shape);
        let has_zp = |z: &usize| next[*z][0].is_finite();
        // Each component is centred by itself, so a zero point that changes its component shows as a change here.
        let change = |z: usize, term: usize| (next[z][term] - self.zp[z][term]).abs();
        let finite = || (0..graph.n_zp).filter(has_zp);
        let largest_change = finite().map(|z| change(z, 0)).fold(0.0, f64::max);
        let moves = |z: &usize| {
            let still = |term| change(*z, term) <= SETTLED * self.local[*z].error_of(term);
            !self.shape.terms().all(still)
        };
        let moving = finite().filter(moves).count();
        // One zero point in a thousand may go on moving: that of an exposure with few stars and an outlier among them.
        let has_settled =
            step > LINKING_STEPS && self.shape.has() == has_before && moving <= graph.n_zp / 1000;
        self.zp = next;
        let iteration = Iteration {
            step,
            n_constants: stars
                .iter()
                .filter(|s| s.posterior.p_quiet >= LINKS)
                .count(),
            largest_change,
            common_jitter: self.mixture.quiet_mean(),
            n_components: self.parts.count,
        };
        Ok((iteration, has_settled))
    }

    /// What each star's velocities say with the present zero points.
    pub(super) fn look_at_stars(&self, problem: &Problem<'_>) -> Vec<StarWeight> {
        let model = self.model(problem);
        let densities = self.mixture.densities();
        let look = |(star, means): (usize, std::ops::Range<usize>)| {
            let mut parts: Vec<Part> = means
                .flat_map(|mean| model.parts(self.means.of(mean)))
                .collect();
            let likelihood = model.likelihoods(&parts);
            let posterior = densities.posterior(&likelihood, problem.quiet(star));
            let jitter = posterior.mean_log().exp();
            for part in &mut parts {
                part.mark_outliers(jitter * jitter, model.tail);
            }
            StarWeight {
                posterior,
                likelihood,
                parts,
                jitter,
            }
        };
        let ranges = self.means_of_stars();
        ranges.into_par_iter().enumerate().map(look).collect()
    }

    fn fill_weights(&mut self, problem: &Problem<'_>, stars: &[StarWeight]) {
        self.weight.fill(0.0);
        let may = stars.iter().enumerate().filter(|(s, _)| problem.may(*s));
        for (_, found) in may {
            // One velocity alone is its own mean, and says nothing of a zero point.
            let telling = found.parts.iter().filter(|p| p.data.len() >= 2);
            for d in telling.flat_map(|p| &p.data) {
                let var = problem.graph.var[d.k];
                self.weight[d.k] = d.inlier * found.posterior.mean(|s| 1.0 / (var + s * s));
            }
        }
    }

    /// Gives each star that does not link groups a mean in each of them.
    fn split(&mut self, problem: &Problem<'_>, stars: &[StarWeight]) {
        let graph = problem.graph;
        self.means.start = vec![0];
        self.star_of_mean.clear();
        let group = |k: usize| problem.group[graph.zp[k] as usize];
        for (star, found) in stars.iter().enumerate() {
            let links = found.posterior.p_quiet >= LINKS;
            let of = graph.of(star);
            for k in of.clone().skip(1) {
                if !links && group(k) != group(k - 1) {
                    self.means.start.push(k);
                    self.star_of_mean.push(star as u32);
                }
            }
            self.means.start.push(of.end);
            self.star_of_mean.push(star as u32);
        }
    }

    /// Which terms zero points may have.
    fn next_shape(&self, problem: &Problem<'_>, stars: &[StarWeight]) -> Shape {
        let mut left = vec![f64::NAN; problem.graph.n_obs()];
        let parts = stars
            .iter()
            .flat_map(|s| s.parts.iter().map(move |p| (s, p)));
        for (star, part) in parts {
            let mean = part.corrected_mean(star.jitter * star.jitter);
            for d in &part.data {
                left[d.k] =
                    problem.graph.rv[d.k] - self.zp[problem.graph.zp[d.k] as usize][MEAN] - mean;
            }
        }
        let residuals = Residuals {
            graph: problem.graph,
            weight: &self.weight,
            left: &left,
        };
        shape::shape(&residuals, problem.config, &self.shape)
    }
}

/// The stars that the population is found from: those that may take part and have two velocities with a common mean; of many, every
/// second or third and so on.
pub(super) fn sample<'s>(
    problem: &Problem<'_>,
    stars: &'s [StarWeight],
) -> Vec<(&'s [f64; GRID], Option<f64>)> {
    let has_scatter = |s: &StarWeight| s.parts.iter().any(|p| p.data.len() >= 2);
    let all = stars.iter().enumerate();
    let telling: Vec<(&[f64; GRID], Option<f64>)> = all
        .filter(|(star, found)| problem.may(*star) && has_scatter(found))
        .map(|(star, found)| (&found.likelihood, problem.quiet(star)))
        .collect();
    let stride = telling.len().div_ceil(SAMPLE).max(1);
    telling.into_iter().step_by(stride).collect()
}
