//! The end of the `joint` method: zero points with their errors, and what they say of the stars.

use std::collections::HashMap;

use rayon::prelude::*;

use super::part::Part;
use super::population::Densities;
use super::problem::Problem;
use super::solution::{ArmSolution, StarFit};
use super::solve::TOLERANCE;
use super::star_fit::{GRID, grid, local_covariances};
use super::state::{StarWeight, State, sample};
use super::tail::Tail;
use super::terms::{Covariance, MEAN, SKEW, STRETCH, Terms};
use crate::Result;
use crate::numbers::statistics::{chi2_p_value, median};

/// A star is constant only if it is quiet with this probability.
const PROBABLY: f64 = 0.8;
/// Part of a star's velocities that may be outliers if it is constant; one always may. Chosen by hand.
const OUTLIERS: f64 = 0.1;
/// Least part of a weight that is information. Chosen by hand.
const LEAST_KNOWN: f64 = 0.1;
/// Jitters less probable than this for quiet stars are left out of the p-value.
const HARDLY: f64 = 1e-4;

/// The solution after the last step.
pub(super) fn finished(problem: &Problem<'_>, mut state: State) -> Result<ArmSolution> {
    let graph = problem.graph;
    let system = state.system(problem, &state.weight);
    state.zp = system.solve(&system.precondition()?, &state.zp, TOLERANCE)?;
    let found = state.look_at_stars(problem);
    let information = information(problem, &state, &found);
    let system = state.system(problem, &information);
    let preconditioner = system.precondition()?;
    let (covariance, error_method) = system.errors(&preconditioner, problem.config.max_exact)?;
    let densities = state.mixture.densities();
    let typical2 = state.mixture.quiet_mean().powi(2);
    let judge = |(star, found): (usize, &StarWeight)| {
        let mut fit = judged(found, &densities, typical2, problem.tail());
        fit.constant = problem.may_be_constant(star)
            && fit.p_quiet >= PROBABLY
            && fit.p_value > problem.config.p_min;
        fit
    };
    let stars: Vec<StarFit> = found.par_iter().enumerate().map(judge).collect();
    let mut robust = vec![0.0; graph.n_obs()];
    let mut residual = vec![f64::NAN; graph.n_obs()];
    let mut n_constants = vec![0; graph.n_zp];
    for (found, fit) in found.iter().zip(&stars) {
        for part in &found.parts {
            let mean = part.corrected_mean(typical2);
            for d in &part.data {
                robust[d.k] = d.inlier;
                residual[d.k] = d.corrected - mean;
                let z = graph.zp[d.k] as usize;
                n_constants[z] += u32::from(fit.constant && state.weight[d.k] > 0.0);
            }
        }
    }
    Ok(ArmSolution {
        zp_err: covariance.iter().map(|c| c.error_of(MEAN)).collect(),
        zp: state.zp.iter().map(|terms| terms[MEAN]).collect(),
        along: state.zp.iter().map(without_mean).collect(),
        common: common(problem, &state, &covariance),
        covariance,
        has: state.shape.has(),
        population: Some(state.mixture.population(&sample(problem, &found))),
        stars,
        robust,
        residual,
        n_constants,
        component: state.parts.of,
        n_components: state.parts.count,
        common_jitter: state.mixture.quiet_mean(),
        error_method,
        log: Vec::new(),
        converged: false,
    })
}

/// What each velocity tells of its zero point, as the inverse of a variance: its weight, less what is missing because its star's jitter is
/// not known. The mean weight alone would be right if the jitter were known; with the weight's own scatter the log-likelihood is flatter at
/// its peak by the variance of the score (the missing information of Orchard & Woodbury 1972), whose mean is var(w) / mean(w).
fn information(problem: &Problem<'_>, state: &State, found: &[StarWeight]) -> Vec<f64> {
    let mut out = state.weight.clone();
    for star in found {
        for d in star.parts.iter().flat_map(|p| &p.data) {
            let var = problem.graph.var[d.k];
            let mean = star.posterior.mean(|s| 1.0 / (var + s * s));
            let square = star.posterior.mean(|s| (var + s * s).powi(-2));
            let known = 1.0 - (square / (mean * mean) - 1.0);
            out[d.k] *= known.max(LEAST_KNOWN);
        }
    }
    out
}

/// The terms but for the first.
fn without_mean(terms: &Terms) -> Terms {
    let mut out = *terms;
    out[MEAN] = 0.0;
    out
}

/// Variance of the mean of each term but the first over the exposures in which stars keep what multiplies it, for each zero point.
///
/// The stars of a group keep their fibres, so a mean slope looks like offsets of theirs, and nothing but the population of slopes tells it:
/// its variance is theirs over their number. Where stars that changed their fibre tell it better, no more is taken than the rest of
/// a zero point's variance above that with the stars' means known. Their lines stars keep in all groups.
fn common(problem: &Problem<'_>, state: &State, covariance: &[Covariance]) -> Vec<Terms> {
    let component = |z: usize| state.parts.of[z];
    let of_group = |z: usize| component(z).map(|c| (c, Some(problem.group[z])));
    let of_all = |z: usize| component(z).map(|c| (c, None));
    let mut sizes: HashMap<(u32, Option<u32>), f64> = HashMap::new();
    for z in 0..covariance.len() {
        for key in [of_group(z), of_all(z)].into_iter().flatten() {
            *sizes.entry(key).or_default() += 1.0;
        }
    }
    let local = local_covariances(problem.graph, &state.weight, &state.shape);
    let mut out = vec![Terms::default(); covariance.len()];
    for (z, out) in out.iter_mut().enumerate() {
        for term in state.shape.terms().filter(|term| *term != MEAN) {
            let key = match term {
                STRETCH | SKEW => of_all(z),
                _ => of_group(z),
            };
            let Some(size) = key.and_then(|key| sizes.get(&key)) else {
                continue;
            };
            let of_mean = 1.0 / (state.shape.stiffness(term) * size);
            let rest = covariance[z].0[term][term] - local[z].0[term][term];
            out[term] = of_mean.min(rest).max(0.0);
        }
    }
    out
}

/// What is said of one star. Its chi^2 is taken with the mean jitter of quiet stars, its p-value with each jitter that quiet
/// stars may have, in the mean.
fn judged(found: &StarWeight, densities: &Densities, typical2: f64, tail: Tail) -> StarFit {
    let n: usize = found.parts.iter().map(|p| p.data.len()).sum();
    let n_outliers: f64 = found.parts.iter().map(Part::n_outliers).sum();
    // Single outliers are somebody else's fault. Where there are many, the star itself moves.
    let are_single = n_outliers <= (OUTLIERS * n as f64).max(1.0);
    let all: Vec<Part> = match are_single {
        true => Vec::new(),
        false => found.parts.iter().map(Part::without_outliers).collect(),
    };
    let parts = if are_single { &found.parts } else { &all };
    // The sum of nothing is -0, and `0.0 +` makes it 0.
    let dof: f64 = 0.0 + parts.iter().map(Part::dof).sum::<f64>();
    let chi2 = |jitter2: f64| 0.0 + parts.iter().map(|p| p.chi2(jitter2, tail)).sum::<f64>();
    let p_value = match dof > 0.0 {
        true => mean_p_value(densities.of_quiet(), dof, chi2),
        false => f64::NAN,
    };
    // Of a star whose velocities say nothing the population alone would speak.
    let said = |value: f64| if dof > 0.0 { value } else { f64::NAN };
    StarFit {
        constant: false,
        n_used: n as u32,
        chi2: chi2(typical2),
        dof,
        p_value,
        p_quiet: said(found.posterior.p_quiet),
        jitter: said(found.posterior.mean(|s| s * s).sqrt()),
        left: left2(found, densities, typical2).sqrt(),
    }
}

/// Square of what a star's errors leave out. If it is quiet, that is what brings the median variance of its velocities up to the
/// inverse of the mean weight; as far as it is not, it is the mean jitter of quiet stars.
fn left2(found: &StarWeight, densities: &Densities, typical2: f64) -> f64 {
    let data = found.parts.iter().flat_map(|p| &p.data);
    let var = median(&mut data.map(|d| d.own_var).collect::<Vec<f64>>());
    let weight = densities.quiet_weight(&found.likelihood, var);
    let of_quiet = weight.map_or(0.0, |w| (1.0 / w - var).max(0.0));
    let p_quiet = found.posterior.p_quiet;
    match of_quiet.is_finite() {
        true => p_quiet * of_quiet + (1.0 - p_quiet) * typical2,
        false => typical2,
    }
}

fn mean_p_value(of_quiet: &[f64; GRID], dof: f64, chi2: impl Fn(f64) -> f64) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (p, s) in of_quiet.iter().zip(grid()).filter(|(p, _)| **p > HARDLY) {
        sum += p * chi2_p_value(chi2(s * s), dof);
        total += p;
    }
    sum / total
}
