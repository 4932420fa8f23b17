//! The graph of stars and zero points of one arm: which star was observed in which exposure.

use super::terms::{LineKind, Terms, multipliers};

/// Observations of one arm, star by star: star `i` has the observations `start[i]..start[i + 1]`.
///
/// Every observation is an edge between a star and a zero point (one exposure of one group).
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Offsets of the stars' observations; length `n_stars + 1`.
    pub start: Vec<usize>,
    /// Zero point of each observation, below `n_zp`.
    pub zp: Vec<u32>,
    /// Measured RV (any unit, the same for all).
    pub rv: Vec<f64>,
    /// Its error squared.
    pub var: Vec<f64>,
    /// Whether an observation counts. One that does not (a velocity that is only a limit, or another star's) is corrected like all
    /// others, but neither determines a zero point nor says whether its star is constant.
    pub counts: Vec<bool>,
    /// What multiplies the terms of the zero point of each observation.
    pub terms: Vec<Terms>,
    /// Number of zero points.
    pub n_zp: usize,
}

impl Graph {
    /// A graph from edges `(star, zero point, rv, error)` in any order. Within a star they are sorted by zero point,
    /// so that the order of the input's rows does not touch the result. The second value tells for every edge of
    /// the graph its place in `edges`.
    pub fn new(n_stars: usize, n_zp: usize, edges: &[(u32, u32, f64, f64)]) -> (Self, Vec<u32>) {
        let mut order: Vec<u32> = (0..edges.len() as u32).collect();
        order.sort_unstable_by_key(|&i| {
            let e = &edges[i as usize];
            (e.0, e.1, i)
        });
        let mut start = vec![0; n_stars + 1];
        for e in edges {
            start[e.0 as usize + 1] += 1;
        }
        for i in 0..n_stars {
            start[i + 1] += start[i];
        }
        let pick = |i: &u32| &edges[*i as usize];
        let graph = Graph {
            start,
            zp: order.iter().map(|i| pick(i).1).collect(),
            rv: order.iter().map(|i| pick(i).2).collect(),
            var: order.iter().map(|i| pick(i).3 * pick(i).3).collect(),
            counts: vec![true; edges.len()],
            terms: vec![multipliers(0.0, LineKind::default()); edges.len()],
            n_zp,
        };
        (graph, order)
    }

    /// Number of stars.
    pub fn n_stars(&self) -> usize {
        self.start.len() - 1
    }

    /// Number of observations.
    pub fn n_obs(&self) -> usize {
        self.zp.len()
    }

    /// Observations of a star that count.
    pub fn counted(&self, star: usize) -> impl Iterator<Item = usize> + Clone + '_ {
        self.of(star).filter(|&k| self.counts[k])
    }

    /// Observations of a star.
    pub fn of(&self, star: usize) -> std::ops::Range<usize> {
        self.start[star]..self.start[star + 1]
    }
}
