//! One star against the zero points that the other stars give: how likely its velocities are with each jitter.
//!
//! A star that helped to determine a zero point has pulled it towards itself. So each of its velocities is compared with the zero point as
//! it would be without the star: with h the share of the velocity in its own zero point, the residual is 1 / (1 - h) times the one that
//! is left, and the zero point's variance too. A star may then be judged whatever its weight was.

use std::sync::LazyLock;

use super::graph::Graph;
use super::part::{Datum, Part};
use super::tail::Tail;
use super::terms::{Covariance, MOST_TERMS, Shape, Terms, value};

/// Jitters looked at.
pub(super) const GRID: usize = 44;
/// The least jitter looked at, in units of the median error: its square does not count beside the error's.
const LEAST_JITTER: f64 = 0.03;
/// Natural logarithm of the ratio of a jitter to the one before: fine beside the width of any star's likelihood. With [`GRID`] of them the
/// largest jitter is 40,000 errors.
const LOG_STEP: f64 = 0.33;
/// Likelihoods smaller than the largest one by this factor (natural logarithm) are taken for 0.
const NEGLIGIBLE: f64 = 30.0;
/// Least part of a zero point that is left without a star; below it the star alone determines it.
const LEAST_REST: f64 = 1e-9;

/// Jitters at which likelihoods are tabulated, in units of the median error.
pub(super) fn grid() -> &'static [f64; GRID] {
    static GRID_OF_JITTERS: LazyLock<[f64; GRID]> =
        LazyLock::new(|| std::array::from_fn(|i| LEAST_JITTER * (LOG_STEP * i as f64).exp()));
    &GRID_OF_JITTERS
}

/// The zero points that stars are compared with.
pub(super) struct Model<'a> {
    /// Stars with their observations. Those of one range of `start` have one mean.
    pub(super) graph: &'a Graph,
    /// Component of each zero point; empty before the first solution, when all are one.
    pub(super) component: &'a [Option<u32>],
    /// Terms of each zero point, NaN where there is none.
    pub(super) zp: &'a [Terms],
    /// Their covariances if the stars' means were known.
    pub(super) local: &'a [Covariance],
    /// Weights that the zero points were solved with.
    pub(super) weight: &'a [f64],
    pub(super) tail: Tail,
}

impl Model<'_> {
    /// The velocities of a range of observations that have a zero point and count, one part for each component: between components
    /// there is no common scale.
    pub(super) fn parts(&self, range: std::ops::Range<usize>) -> Vec<Part> {
        let component = |d: &Datum| {
            let z = self.graph.zp[d.k] as usize;
            self.component.get(z).copied().flatten()
        };
        let mut data: Vec<Datum> = range.filter_map(|k| self.datum(k)).collect();
        data.sort_by_key(component);
        data.chunk_by(|a, b| component(a) == component(b))
            .map(|of| self.part(of.to_vec()))
            .collect()
    }

    /// A velocity less its zero point; None where it does not count or there is none.
    fn datum(&self, k: usize) -> Option<Datum> {
        let graph = self.graph;
        let zero_point = value(&self.zp[graph.zp[k] as usize], &graph.terms[k]);
        let corrected = graph.rv[k] - zero_point;
        (graph.counts[k] && corrected.is_finite()).then_some(Datum {
            k,
            y: corrected,
            own_var: graph.var[k],
            var: graph.var[k],
            inlier: 1.0,
            corrected,
        })
    }

    /// The velocities of one mean, as the other stars see them.
    fn part(&self, mut data: Vec<Datum>) -> Part {
        let (mut sum, mut total) = (0.0, 0.0);
        for d in &data {
            sum += self.weight[d.k] * d.corrected;
            total += self.weight[d.k];
        }
        let mean = if total > 0.0 { sum / total } else { 0.0 };
        for d in &mut data {
            let zp_var = self.local[self.graph.zp[d.k] as usize].at(&self.graph.terms[d.k]);
            let rest = (1.0 - self.weight[d.k] * zp_var).max(LEAST_REST);
            d.y = mean + (d.corrected - mean) / rest;
            d.var += zp_var / rest;
        }
        let mut part = Part { data };
        part.first_inliers(self.tail);
        part
    }

    /// Likelihoods of the star's velocities with each jitter of the grid, relative to the largest.
    pub(super) fn likelihoods(&self, parts: &[Part]) -> [f64; GRID] {
        let mut log = [f64::NEG_INFINITY; GRID];
        let mut best = f64::NEG_INFINITY;
        // Below the widest distance there may be two peaks: few velocities with little scatter and outliers, or all of them with much.
        let widest = parts.iter().map(Part::widest).fold(0.0, f64::max);
        for (i, s) in grid().iter().enumerate() {
            log[i] = parts
                .iter()
                .map(|p| p.log_likelihood(s * s, self.tail))
                .sum();
            best = log[i].max(best);
            if *s > widest && log[i] < best - NEGLIGIBLE {
                break;
            }
        }
        log.map(|l| (l - best).exp())
    }
}

/// Covariance of each zero point's terms if the stars' means were known.
pub(super) fn local_covariances(graph: &Graph, weight: &[f64], shape: &Shape) -> Vec<Covariance> {
    let n = shape.n_terms();
    let mut sums = vec![Square::default(); graph.n_zp];
    for (k, &w) in weight.iter().enumerate().filter(|(_, w)| **w > 0.0) {
        let x = &graph.terms[k];
        let sum = &mut sums[graph.zp[k] as usize];
        for (row, a) in sum.iter_mut().zip(shape.terms()) {
            for (value, b) in row.iter_mut().zip(shape.terms()) {
                *value += w * x[a] * x[b];
            }
        }
    }
    let inverse = |mut sum: Square| {
        for (i, term) in shape.terms().enumerate() {
            sum[i][i] += shape.stiffness(term);
        }
        let inverse = inverse_of(sum, n).map(|inverse| Covariance(inverse).spread_out(shape));
        inverse.unwrap_or(Covariance::UNKNOWN)
    };
    sums.into_iter().map(inverse).collect()
}

/// A matrix between terms.
type Square = [[f64; MOST_TERMS]; MOST_TERMS];

/// Inverse of the first `n` rows and columns of a matrix that is symmetric and positive (Gauss and Jordan); None where it is not.
fn inverse_of(mut a: Square, n: usize) -> Option<Square> {
    let mut inverse = Square::default();
    (0..n).for_each(|i| inverse[i][i] = 1.0);
    for i in 0..n {
        let pivot = a[i][i];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        a[i].iter_mut().for_each(|x| *x /= pivot);
        inverse[i].iter_mut().for_each(|x| *x /= pivot);
        let (row, row_inverse) = (a[i], inverse[i]);
        for j in (0..n).filter(|&j| j != i) {
            let factor = a[j][i];
            for k in 0..n {
                a[j][k] -= factor * row[k];
                inverse[j][k] -= factor * row_inverse[k];
            }
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    fn normal(seed: u64) -> impl FnMut() -> f64 {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        move || StandardNormal.sample(&mut rng)
    }

    /// Stars that were all seen in all exposures, with weights 1 and zero points that are the mean over stars of velocity less star's mean.
    fn dense(velocities: &[Vec<f64>]) -> (Graph, Vec<Terms>) {
        let (n_stars, n) = (velocities.len(), velocities[0].len());
        let mut edges = Vec::new();
        let mut zp = vec![Terms::default(); n];
        for (star, of) in velocities.iter().enumerate() {
            let mean = of.iter().sum::<f64>() / n as f64;
            for (z, v) in of.iter().enumerate() {
                edges.push((star as u32, z as u32, *v, 1.0));
                zp[z][0] += (v - mean) / n_stars as f64;
            }
        }
        (Graph::new(n_stars, n, &edges).0, zp)
    }

    fn differences(graph: &Graph, zp: &[Terms]) -> Vec<f64> {
        let weight = vec![1.0; graph.n_obs()];
        let model = Model {
            graph,
            component: &[],
            zp,
            local: &local_covariances(graph, &weight, &Shape::default()),
            weight: &weight,
            tail: Tail::at(4.0),
        };
        let parts = model.parts(graph.of(0));
        let [part] = &parts[..] else {
            panic!("one part");
        };
        part.data.iter().map(|d| d.y - part.data[0].y).collect()
    }

    #[test]
    fn a_star_meets_the_zero_points_that_the_others_give() {
        let mut normal = normal(3);
        let velocities: Vec<Vec<f64>> =
            (0..5).map(|_| (0..7).map(|_| normal()).collect()).collect();
        let (graph, zp) = dense(&velocities);
        let found = differences(&graph, &zp);
        let (_, without) = dense(&velocities[1..]);
        for (i, found) in found.iter().enumerate() {
            let of = |i: usize| velocities[0][i] - without[i][0];
            assert!((found - (of(i) - of(0))).abs() < 1e-12, "{i}");
        }
    }

    #[test]
    fn the_likelihood_finds_the_jitter_and_no_outlier_makes_one() {
        let mut normal = normal(5);
        let n = 400;
        for (jitter, n_wild) in [(0.0, 0), (0.0, 8), (3.0, 0), (3.0, 8), (300.0, 0)] {
            let mut edges: Vec<(u32, u32, f64, f64)> = (0..n)
                .map(|z| (0, z, jitter * normal() + normal(), 1.0))
                .collect();
            edges
                .iter_mut()
                .step_by(50)
                .take(n_wild)
                .for_each(|e| e.2 += 1000.0);
            let graph = Graph::new(1, n as usize, &edges).0;
            let weight = vec![0.0; graph.n_obs()];
            let model = Model {
                graph: &graph,
                component: &[],
                zp: &vec![Terms::default(); n as usize],
                local: &vec![Covariance::default(); n as usize],
                weight: &weight,
                tail: Tail::at(4.0),
            };
            let mut parts = model.parts(graph.of(0));
            let likelihood = model.likelihoods(&parts);
            let total: f64 = likelihood.iter().sum();
            let mean = likelihood
                .iter()
                .zip(grid())
                .map(|(l, s)| l * s)
                .sum::<f64>()
                / total;
            println!("jitter {jitter}, {n_wild} outliers: {mean:.3}");
            assert!(
                (mean - jitter).abs() < 0.1 * jitter + 0.3,
                "{jitter}: {mean}"
            );
            parts[0].mark_outliers(mean * mean, model.tail);
            let marked = parts[0].data.iter().filter(|d| d.inlier < 0.5).count();
            assert_eq!(marked, n_wild, "{jitter}");
        }
    }

    #[test]
    fn the_inverse_is_one() {
        let mut a = Square::default();
        for (i, row) in a.iter_mut().enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                *value = (0.7 * (i * j) as f64).cos() + if i == j { 4.0 } else { 0.0 };
            }
        }
        for n in 1..=MOST_TERMS {
            let inverse = inverse_of(a, n).unwrap();
            let product = |i: usize, j: usize| (0..n).map(|k| a[i][k] * inverse[k][j]).sum::<f64>();
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                assert!((product(i, j) - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
        assert!(inverse_of(Square::default(), 1).is_none());
    }
}
