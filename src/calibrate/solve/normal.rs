//! The normal matrix S and the right-hand side, from the observations; and the gauge.
//!
//! What runs over all observations is compiled for each number of terms Q.

use std::ops::Range;

use faer::Mat;

use super::{NONE, System};
use crate::calibrate::graph::Graph;
use crate::calibrate::terms::{Covariance, MEAN, Shape};

/// An observation that counts.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) weight: f64,
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

/// All observations that count.
pub(super) struct Observed {
    /// Star by star.
    edges: Vec<Edge>,
    /// First edge of each star that counts (a constant with two usable observations at least), and the end of the last.
    stars: Vec<usize>,
    /// What multiplies the terms but the first at each edge, one edge after the other.
    rows: Vec<f64>,
}

/// The observations of a star that count.
#[derive(Clone, Copy)]
pub(super) struct Star<'a> {
    pub(super) edges: &'a [Edge],
    /// What multiplies the terms but the first at each.
    rows: &'a [f64],
}

impl Star<'_> {
    /// The sum of weights.
    pub(super) fn total(&self) -> f64 {
        self.edges.iter().map(|e| e.weight).sum()
    }

    /// What multiplies the terms at edge `i`. The first is multiplied by 1.
    fn row<const Q: usize>(&self, i: usize) -> [f64; Q] {
        let mut row = [1.0; Q];
        row[1..].copy_from_slice(&self.rows[(Q - 1) * i..(Q - 1) * (i + 1)]);
        row
    }
}

/// The observations that count.
pub(super) fn edges(graph: &Graph, weight: &[f64], position: &[u32], shape: &Shape) -> Observed {
    let mut edges = Vec::with_capacity(weight.iter().filter(|w| **w > 0.0).count());
    let mut starts = vec![0];
    for star in 0..graph.n_stars() {
        let first = edges.len();
        edges.extend(graph.of(star).filter_map(|k| {
            let position = position[graph.zp[k] as usize];
            (position != NONE && weight[k] > 0.0).then_some(Edge {
                weight: weight[k],
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
    let others: Vec<usize> = shape.terms().filter(|term| *term != MEAN).collect();
    let mut rows = Vec::with_capacity(others.len() * edges.len());
    for e in &edges {
        let terms = &graph.terms[e.k as usize];
        rows.extend(others.iter().map(|term| terms[*term]));
    }
    Observed {
        rows,
        edges,
        stars: starts,
    }
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
    pub(super) fn stars(&self) -> impl Iterator<Item = Star<'_>> {
        let Observed { edges, stars, rows } = &self.observed;
        let n = self.n_terms - 1;
        stars.windows(2).map(move |w| Star {
            edges: &edges[w[0]..w[1]],
            rows: &rows[n * w[0]..n * w[1]],
        })
    }

    /// y = S x.
    pub(super) fn apply(&self, x: &[f64], y: &mut [f64]) {
        match self.n_terms {
            1 => self.apply_terms::<1>(x, y),
            2 => self.apply_terms::<2>(x, y),
            3 => self.apply_terms::<3>(x, y),
            4 => self.apply_terms::<4>(x, y),
            _ => self.apply_terms::<5>(x, y),
        }
    }

    /// It is summed from differences to each star's weighted mean, so that no two large numbers are subtracted.
    fn apply_terms<const Q: usize>(&self, x: &[f64], y: &mut [f64]) {
        let (x, _) = x.as_chunks::<Q>();
        let (y, _) = y.as_chunks_mut::<Q>();
        let stiffness: [f64; Q] = self.stiffness();
        for (y, x) in y.iter_mut().zip(x) {
            for i in 0..Q {
                y[i] = stiffness[i] * x[i];
            }
        }
        for star in self.stars() {
            let (mut sum, mut total) = (0.0, 0.0);
            for (i, e) in star.edges.iter().enumerate() {
                sum += e.weight * value(&star.row(i), &x[e.position()]);
                total += e.weight;
            }
            let mean = sum / total;
            for (i, e) in star.edges.iter().enumerate() {
                let row = star.row(i);
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
            for e in star.edges {
                sum += e.weight * self.graph.rv[e.k as usize];
                total += e.weight;
            }
            let mean = sum / total;
            for e in star.edges {
                let pull = e.weight * (self.graph.rv[e.k as usize] - mean);
                let of_zp = self.unknowns(e.position()..e.position() + 1);
                let terms = &self.graph.terms[e.k as usize];
                for (b, term) in b[of_zp].iter_mut().zip(self.shape.terms()) {
                    *b += pull * terms[term];
                }
            }
        }
        b
    }

    /// Adds to `s`, the elements of S between the zero points at `positions`, what observation `i` of a star gives: the rows of its
    /// zero point. `total` is the star's sum of weights.
    pub(super) fn add_rows(
        &self,
        s: &mut Mat<f64>,
        positions: Range<usize>,
        (star, total): (Star<'_>, f64),
        i: usize,
    ) {
        match self.n_terms {
            1 => Self::add_rows_terms::<1>(s, positions, (star, total), i),
            2 => Self::add_rows_terms::<2>(s, positions, (star, total), i),
            3 => Self::add_rows_terms::<3>(s, positions, (star, total), i),
            4 => Self::add_rows_terms::<4>(s, positions, (star, total), i),
            _ => Self::add_rows_terms::<5>(s, positions, (star, total), i),
        }
    }

    fn add_rows_terms<const Q: usize>(
        s: &mut Mat<f64>,
        positions: Range<usize>,
        (star, total): (Star<'_>, f64),
        i: usize,
    ) {
        let edge = &star.edges[i];
        let a = Q * (edge.position() - positions.start);
        let row_a = star.row::<Q>(i);
        for i in 0..Q {
            for j in 0..Q {
                s[(a + i, a + j)] += edge.weight * row_a[i] * row_a[j];
            }
        }
        for (k, other) in star.edges.iter().enumerate() {
            if !positions.contains(&other.position()) {
                continue;
            }
            let b = Q * (other.position() - positions.start);
            let row_b = star.row::<Q>(k);
            let product = edge.weight * other.weight / total;
            // Column by column, as the matrix is stored.
            for j in 0..Q {
                for i in 0..Q {
                    s[(b + i, a + j)] -= product * row_b[i] * row_a[j];
                }
            }
        }
    }

    /// Adds to the elements of S between some zero points what holds their terms.
    pub(super) fn add_stiffness(&self, s: &mut Mat<f64>) {
        for first in (0..s.nrows()).step_by(self.n_terms) {
            for (i, term) in self.shape.terms().enumerate() {
                s[(first + i, first + i)] += self.shape.stiffness(term);
            }
        }
    }

    /// How firmly the terms are held at 0, if there are Q of them.
    fn stiffness<const Q: usize>(&self) -> [f64; Q] {
        let mut out = [0.0; Q];
        for (out, term) in out.iter_mut().zip(self.shape.terms()) {
            *out = self.shape.stiffness(term);
        }
        out
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
