//! The `paper` method: section 3.2 as printed, each group (plate and spectrograph) by itself.
//!
//! Step one: sigma_i^2 = (1/m) sum over t of (v_it - mean_i)^2 (Eq. 4) for each star; candidates have
//! sigma_i < mean of all sigma_i. Step two: the candidates' mean in each exposure is subtracted from every star.
//! Both repeat until no exposure's mean is further from 0 than the tolerance.
//!
//! The text leaves one thing open: a star with one observation has sigma_i = 0. It says nothing about
//! constancy and is not counted here.

use super::components::components;
use super::graph::Graph;
use super::solution::{ArmSolution, Iteration, StarFit};
use super::solve::ErrorMethod;
use super::terms::{Covariance, MOST_TERMS, Shape};
use crate::numbers::statistics::{chi2_p_value, mean_and_std};

/// Settings of the `paper` method.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct PaperOptions {
    /// The iteration ends when the mean of every exposure is below this, in the unit of the RVs (paper: 0.01 km/s).
    pub tolerance: f64,
    /// Constants that an exposure needs for a zero point.
    pub min_constants: usize,
    /// Steps of the iteration, at most.
    pub max_iterations: usize,
}

impl Default for PaperOptions {
    fn default() -> Self {
        PaperOptions {
            tolerance: 0.01,
            min_constants: 3,
            max_iterations: 200,
        }
    }
}

/// Which stars of the graph may be candidates.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    /// Stars among which step one chooses; no other counts for the mean of sigma_i.
    pub open: &'a [bool],
    /// If given, the candidates are these stars, and step one is left out (paper, section 4: "directly use these candidate
    /// constant stars" for the blue arm).
    pub given: Option<&'a [bool]>,
}

/// Calibrates one arm. `group` tells the group of each zero point; no star of the graph may be in two groups.
/// `allowed` tells the stars that are candidates (None: step one chooses among all).
#[cfg(feature = "lab")]
pub fn solve(
    graph: &Graph,
    group: &[u32],
    allowed: Option<&[bool]>,
    config: &PaperOptions,
) -> ArmSolution {
    let candidates = Candidates {
        open: &vec![true; graph.n_stars()],
        given: allowed,
    };
    solve_among(graph, group, &candidates, config)
}

/// Calibrates one arm as `solve` does, with candidates as `candidates` says.
pub fn solve_among(
    graph: &Graph,
    group: &[u32],
    candidates: &Candidates<'_>,
    config: &PaperOptions,
) -> ArmSolution {
    let n_groups = group.iter().max().map_or(0, |&g| g as usize + 1);
    let star_group: Vec<Option<u32>> = (0..graph.n_stars())
        .map(|s| {
            let first = graph.of(s).next()?;
            Some(group[graph.zp[first] as usize])
        })
        .collect();
    let mut zp = vec![0.0; graph.n_zp];
    let mut candidate = vec![false; graph.n_stars()];
    let mut done = vec![false; n_groups];
    let mut log = Vec::new();
    let mut converged = false;
    let mut spread = vec![f64::NAN; graph.n_zp];
    let mut n_constants = vec![0_u32; graph.n_zp];
    for step in 1..=config.max_iterations.max(1) {
        choose(
            graph,
            &star_group,
            &zp,
            candidates,
            &done,
            n_groups,
            &mut candidate,
        );
        let means = exposure_means(graph, &zp, &candidate);
        let mut worst = vec![0.0_f64; n_groups];
        for (z, mean) in means.iter().enumerate() {
            let group = group[z] as usize;
            if done[group] {
                continue;
            }
            n_constants[z] = mean.n;
            spread[z] = mean.std;
            if mean.n as usize >= config.min_constants.max(1) {
                zp[z] += mean.mean;
                worst[group] = worst[group].max(mean.mean.abs());
            }
        }
        log.push(Iteration {
            step,
            n_constants: candidate.iter().filter(|&&c| c).count(),
            largest_change: worst.iter().copied().fold(0.0, f64::max),
            common_jitter: f64::NAN,
            n_components: n_groups,
        });
        for (done, worst) in done.iter_mut().zip(&worst) {
            *done |= *worst < config.tolerance;
        }
        if done.iter().all(|&d| d) {
            converged = true;
            break;
        }
    }
    for (z, n) in n_constants.iter().enumerate() {
        if (*n as usize) < config.min_constants.max(1) {
            zp[z] = f64::NAN;
            spread[z] = f64::NAN;
        }
    }
    finish(
        graph,
        zp,
        spread,
        n_constants,
        candidate,
        (log, converged),
        config,
    )
}

/// Step one.
fn choose(
    graph: &Graph,
    star_group: &[Option<u32>],
    zp: &[f64],
    candidates: &Candidates<'_>,
    done: &[bool],
    n_groups: usize,
    candidate: &mut [bool],
) {
    if let Some(given) = candidates.given {
        candidate.copy_from_slice(given);
        return;
    }
    let sigma: Vec<f64> = (0..graph.n_stars())
        .map(|s| {
            let v = graph
                .counted(s)
                .map(|k| graph.rv[k] - zp[graph.zp[k] as usize]);
            if graph.counted(s).count() < 2 || !candidates.open[s] {
                f64::NAN
            } else {
                mean_and_std(v).1
            }
        })
        .collect();
    let mut sum = vec![(0.0, 0.0); n_groups];
    for (sigma, group) in sigma.iter().zip(star_group) {
        if let Some(group) = group
            && sigma.is_finite()
        {
            sum[*group as usize].0 += sigma;
            sum[*group as usize].1 += 1.0;
        }
    }
    for (star, group) in star_group.iter().enumerate() {
        if let Some(group) = group
            && !done[*group as usize]
        {
            let (total, n) = sum[*group as usize];
            candidate[star] = sigma[star] < total / n;
        }
    }
}

struct Mean {
    n: u32,
    mean: f64,
    std: f64,
}

/// Step two: mean corrected RV of the candidates in each exposure.
fn exposure_means(graph: &Graph, zp: &[f64], candidate: &[bool]) -> Vec<Mean> {
    let mut sums = vec![(0_u32, 0.0, 0.0); graph.n_zp];
    for star in (0..graph.n_stars()).filter(|&s| candidate[s]) {
        for k in graph.counted(star) {
            let z = graph.zp[k] as usize;
            let v = graph.rv[k] - zp[z];
            sums[z].0 += 1;
            sums[z].1 += v;
            sums[z].2 += v * v;
        }
    }
    sums.into_iter()
        .map(|(n, sum, squares)| {
            let mean = sum / f64::from(n);
            Mean {
                n,
                mean,
                std: (squares / f64::from(n) - mean * mean).max(0.0).sqrt(),
            }
        })
        .collect()
}

/// Everything else that a solution holds. The paper gives no errors: that of a zero point is the standard error of
/// the candidates' mean, and a star's chi^2 is about its plain mean.
fn finish(
    graph: &Graph,
    mut zp: Vec<f64>,
    spread: Vec<f64>,
    n_constants: Vec<u32>,
    candidate: Vec<bool>,
    (log, converged): (Vec<Iteration>, bool),
    config: &PaperOptions,
) -> ArmSolution {
    let (component, n_components) = linked(graph, &zp, &candidate, config);
    centre(&mut zp, &component, n_components);
    let mut residual = vec![f64::NAN; graph.n_obs()];
    let mut robust = vec![0.0; graph.n_obs()];
    let stars = (0..graph.n_stars())
        .map(|s| {
            let used: Vec<usize> = graph
                .counted(s)
                .filter(|&k| zp[graph.zp[k] as usize].is_finite())
                .collect();
            let corrected = |k: usize| graph.rv[k] - zp[graph.zp[k] as usize];
            let (mean, _) = mean_and_std(used.iter().map(|&k| corrected(k)));
            let mut chi2 = 0.0;
            for &k in &used {
                residual[k] = corrected(k) - mean;
                robust[k] = 1.0;
                chi2 += residual[k] * residual[k] / graph.var[k];
            }
            let dof = (used.len() as f64 - 1.0).max(0.0);
            StarFit {
                constant: candidate[s],
                n_used: used.len() as u32,
                chi2,
                dof,
                p_value: chi2_p_value(chi2, dof),
                p_quiet: f64::NAN,
                jitter: 0.0,
                left: 0.0,
            }
        })
        .collect();
    let zp_err: Vec<f64> = spread
        .iter()
        .zip(&n_constants)
        .map(|(s, &n)| s / (f64::from(n) - 1.0).max(1.0).sqrt())
        .collect();
    ArmSolution {
        along: vec![[0.0; MOST_TERMS]; zp.len()],
        covariance: zp_err.iter().map(|e| Covariance::of_mean(e * e)).collect(),
        common: vec![[0.0; MOST_TERMS]; zp.len()],
        has: Shape::default().has(),
        population: None,
        zp,
        zp_err,
        n_constants,
        component,
        n_components,
        stars,
        robust,
        residual,
        common_jitter: 0.0,
        error_method: ErrorMethod::Exact,
        log,
        converged,
    }
}

/// Which zero points candidates link, and how many components there are. The iteration also finds a zero point where every candidate
/// was seen once only: nothing links it to another, and it is a component by itself.
fn linked(
    graph: &Graph,
    zp: &[f64],
    candidate: &[bool],
    config: &PaperOptions,
) -> (Vec<Option<u32>>, usize) {
    let is_known = |k: usize| graph.counts[k] && zp[graph.zp[k] as usize].is_finite();
    let weight: Vec<f64> = (0..graph.n_obs())
        .map(|k| f64::from(u8::from(is_known(k))))
        .collect();
    let parts = components(graph, candidate, &weight, config.min_constants);
    let mut n = parts.count as u32;
    let mut number = |z: usize| {
        zp[z].is_finite().then(|| {
            parts.of[z].unwrap_or_else(|| {
                n += 1;
                n - 1
            })
        })
    };
    let component = (0..graph.n_zp).map(&mut number).collect();
    (component, n as usize)
}

/// Gives the zero points of each component the mean 0.
fn centre(zp: &mut [f64], component: &[Option<u32>], n_components: usize) {
    let mut sums = vec![(0.0, 0.0); n_components];
    for (zp, component) in zp.iter().zip(component) {
        if let Some(c) = component {
            sums[*c as usize].0 += zp;
            sums[*c as usize].1 += 1.0;
        }
    }
    for (zp, component) in zp.iter_mut().zip(component) {
        if let Some(c) = component {
            let (sum, n) = sums[*c as usize];
            *zp -= sum / n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four stars in exposures 0 and 1, and three others that were seen in exposure 2 alone.
    #[test]
    fn every_zero_point_has_a_component_and_each_component_the_mean_0() {
        let mut edges = Vec::new();
        for star in 0..4 {
            for exposure in 0..2 {
                let noise = 0.01 * f64::from((3 * star + exposure) % 4);
                edges.push((star, exposure, f64::from(exposure) + 5.0 + noise, 0.1));
            }
        }
        edges.extend((4..7).map(|star| (star, 2, 7.0, 0.1)));
        let graph = Graph::new(7, 3, &edges).0;
        let everyone = [true; 7];
        let candidates = Candidates {
            open: &everyone,
            given: Some(&everyone),
        };
        let found = solve_among(&graph, &[0; 3], &candidates, &PaperOptions::default());
        assert_eq!(found.component, [Some(0), Some(0), Some(1)]);
        assert_eq!(found.n_components, 2);
        assert!((found.zp[0] + found.zp[1]).abs() < 1e-12, "{:?}", found.zp);
        assert!((found.zp[1] - found.zp[0] - 1.0).abs() < 0.02);
        assert_eq!(found.zp[2], 0.0);
    }
}
