//! The normal matrix S and the right-hand side, from the observations; and the gauge.
//!
//! What runs over all observations is compiled for each number of terms Q.

use std::ops::Range;

use faer::Mat;

use super::{NONE, System};
use crate::calibrate::along::{Covariance, terms};
use crate::calibrate::graph::Graph;

/// An observation that counts.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) weight: f64,
    place: f64,
    /// Position of its zero point.
    position: u32,
    /// The observation in the graph.
    k: u32,
}

impl Edge {
    pub(super) fn position(&self) -> usize {
        self.position as usize
    }
}

/// The observations that count, star by star, and where each star with two of them at least begins.
pub(super) fn edges(graph: &Graph, weight: &[f64], position: &[u32]) -> (Vec<Edge>, Vec<usize>) {
    let mut edges = Vec::with_capacity(weight.iter().filter(|w| **w > 0.0).count());
    let mut starts = vec![0];
    for star in 0..graph.n_stars() {
        let first = edges.len();
        edges.extend(graph.of(star).filter_map(|k| {
            let position = position[graph.zp[k] as usize];
            (position != NONE && weight[k] > 0.0).then_some(Edge {
                weight: weight[k],
                place: graph.place[k],
                position,
                k: k as u32,
            })
        }));
        if edges.len() < first + 2 {
            edges.truncate(first);
        } else {
            starts.push(edges.len());
        }
    }
    (edges, starts)
}

/// A star's sum of weights.
pub(super) fn total(star: &[Edge]) -> f64 {
    star.iter().map(|e| e.weight).sum()
}

/// What multiplies the terms of a zero point at a place.
fn row<const Q: usize>(place: f64) -> [f64; Q] {
    let all = terms(place);
    std::array::from_fn(|i| all[i])
}

/// Value of a zero point. The mean term is multiplied by 1.
fn value<const Q: usize>(row: &[f64; Q], terms: &[f64; Q]) -> f64 {
    let mut sum = terms[0];
    for i in 1..Q {
        sum += row[i] * terms[i];
    }
    sum
}

impl System<'_> {
    /// The observations of each star.
    pub(super) fn stars(&self) -> impl Iterator<Item = &[Edge]> {
        self.stars.windows(2).map(|w| &self.edges[w[0]..w[1]])
    }

    /// y = S x.
    pub(super) fn apply(&self, x: &[f64], y: &mut [f64]) {
        match self.n_terms {
            1 => self.apply_terms::<1>(x, y),
            2 => self.apply_terms::<2>(x, y),
            _ => self.apply_terms::<3>(x, y),
        }
    }

    /// It is summed from differences to each star's weighted mean, so that no two large numbers are subtracted.
    fn apply_terms<const Q: usize>(&self, x: &[f64], y: &mut [f64]) {
        let (x, _) = x.as_chunks::<Q>();
        let (y, _) = y.as_chunks_mut::<Q>();
        for (y, x) in y.iter_mut().zip(x) {
            y[0] = 0.0;
            for i in 1..Q {
                y[i] = self.stiffness[i - 1] * x[i];
            }
        }
        for star in self.stars() {
            let (mut sum, mut total) = (0.0, 0.0);
            for e in star {
                sum += e.weight * value(&row(e.place), &x[e.position()]);
                total += e.weight;
            }
            let mean = sum / total;
            for e in star {
                let row = row(e.place);
                let pull = e.weight * (value(&row, &x[e.position()]) - mean);
                for (y, row) in y[e.position()].iter_mut().zip(row) {
                    *y += pull * row;
                }
            }
        }
    }

    /// b = sum of w (v - the star's weighted mean) times what multiplies the terms.
    pub(super) fn right_hand_side(&self) -> Vec<f64> {
        let mut b = vec![0.0; self.n()];
        for star in self.stars() {
            let (mut sum, mut total) = (0.0, 0.0);
            for e in star {
                sum += e.weight * self.graph.rv[e.k as usize];
                total += e.weight;
            }
            let mean = sum / total;
            for e in star {
                let pull = e.weight * (self.graph.rv[e.k as usize] - mean);
                let of_zp = self.unknowns(e.position()..e.position() + 1);
                for (b, row) in b[of_zp].iter_mut().zip(terms(e.place)) {
                    *b += pull * row;
                }
            }
        }
        b
    }

    /// Adds to `s`, the elements of S between the zero points at `positions`, what one observation of a star gives: the rows of its
    /// zero point. `total` is the star's sum of weights.
    pub(super) fn add_rows(
        &self,
        s: &mut Mat<f64>,
        positions: Range<usize>,
        (star, total): (&[Edge], f64),
        edge: &Edge,
    ) {
        match self.n_terms {
            1 => Self::add_rows_terms::<1>(s, positions, (star, total), edge),
            2 => Self::add_rows_terms::<2>(s, positions, (star, total), edge),
            _ => Self::add_rows_terms::<3>(s, positions, (star, total), edge),
        }
    }

    fn add_rows_terms<const Q: usize>(
        s: &mut Mat<f64>,
        positions: Range<usize>,
        (star, total): (&[Edge], f64),
        edge: &Edge,
    ) {
        let a = Q * (edge.position() - positions.start);
        let row_a = row::<Q>(edge.place);
        for i in 0..Q {
            for j in 0..Q {
                s[(a + i, a + j)] += edge.weight * row_a[i] * row_a[j];
            }
        }
        for other in star {
            if !positions.contains(&other.position()) {
                continue;
            }
            let b = Q * (other.position() - positions.start);
            let row_b = row::<Q>(other.place);
            let product = edge.weight * other.weight / total;
            // Column by column, as the matrix is stored.
            for j in 0..Q {
                for i in 0..Q {
                    s[(b + i, a + j)] -= product * row_b[i] * row_a[j];
                }
            }
        }
    }

    /// Adds to the elements of S between some zero points what holds their slopes and curves.
    pub(super) fn add_stiffness(&self, s: &mut Mat<f64>) {
        for first in (0..s.nrows()).step_by(self.n_terms) {
            for (i, stiffness) in (1..self.n_terms).zip(self.stiffness) {
                s[(first + i, first + i)] += stiffness;
            }
        }
    }

    /// Subtracts each component's mean from the mean terms.
    pub(super) fn centre(&self, x: &mut [f64]) {
        let mut sum = vec![0.0; self.n_components];
        let mut count = vec![0.0; self.n_components];
        for (b, &c) in self.block_component.iter().enumerate() {
            for &v in x[self.of_block(b)].iter().step_by(self.n_terms) {
                sum[c as usize] += v;
                count[c as usize] += 1.0;
            }
        }
        for (b, &c) in self.block_component.iter().enumerate() {
            for v in x[self.of_block(b)].iter_mut().step_by(self.n_terms) {
                *v -= sum[c as usize] / count[c as usize];
            }
        }
    }

    /// 1 for the mean terms, 0 for all others: what the gauge adds.
    pub(super) fn gauge(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.n()];
        out.iter_mut().step_by(self.n_terms).for_each(|v| *v = 1.0);
        out
    }

    /// Turns the elements of a matrix A between the terms of each zero point into those of P A P, with P the centring of the mean
    /// terms. `rows` is A times [`System::gauge`], the sums of A's rows over the mean terms of the component. With n zero points in
    /// it, P A P differs from A by - rows_j / n in row and column i of a mean term, and by + (sum of the mean terms' rows) / n^2 where
    /// both are mean terms.
    pub(super) fn centre_covariance(&self, covariance: &mut [Covariance], rows: &[f64]) {
        let q = self.n_terms;
        let mut total = vec![0.0; self.n_components];
        let mut count = vec![0.0; self.n_components];
        for (b, &c) in self.block_component.iter().enumerate() {
            let means = rows[self.of_block(b)].iter().step_by(q);
            total[c as usize] += means.sum::<f64>();
            count[c as usize] += (self.blocks[b + 1] - self.blocks[b]) as f64;
        }
        for (b, &c) in self.block_component.iter().enumerate() {
            let (total, count) = (total[c as usize], count[c as usize]);
            for i in self.blocks[b]..self.blocks[b + 1] {
                let matrix = &mut covariance[i].0;
                matrix[0][0] += total / (count * count) - 2.0 * rows[q * i] / count;
                for term in 1..q {
                    let change = rows[q * i + term] / count;
                    matrix[0][term] -= change;
                    matrix[term][0] -= change;
                }
            }
        }
    }
}
