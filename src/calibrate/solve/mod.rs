//! Weighted least squares of v = a(star) + z(zero point), the stars eliminated.
//!
//! With weights w, the normal equations of the zero points alone are S z = b,
//! S = D - sum over stars of w w^T / W, with D the diagonal matrix of the zero points' sums of weights and W the star's sum of
//! weights. This is a graph Laplacian: a constant added to all zero points of a component (a set that common stars link) changes
//! nothing, so S is singular. The free constant is called the gauge, and is fixed by mean 0 in each component. S is never formed as a
//! whole. Conjugate gradients solve it, preconditioned by the exact inverses of diagonal blocks (the exposures of one group) and,
//! across blocks, by a coarse problem with one unknown per block: exposures of one group have nearly all their stars in common, those
//! of different groups few.

mod errors;
mod preconditioner;
#[cfg(test)]
mod tests;

pub use errors::ErrorMethod;
pub use preconditioner::Preconditioner;

use super::components::Components;
use super::graph::Graph;
use crate::{Error, Result};

/// Largest block of the preconditioner, in zero points. This and the next limit bound the time of the dense factors; chosen by hand.
const MAX_BLOCK: usize = 256;
/// A component with at most this many zero points is one block: the solve is then direct.
const MAX_DIRECT: usize = 1024;
/// Residual, relative to the right-hand side, of a final solution.
pub const TOLERANCE: f64 = 1e-13;
/// Most iterations of the conjugate gradients. Tens are usual; so many are only reached if the matrix is not positive.
const MAX_ITERATIONS: usize = 5000;
/// Largest residual, relative to the right-hand side, for which rounding may be the reason that the iteration makes no more progress,
/// or that r^T M r or p^T S p is not positive; then the solution is accepted as it is.
const ROUNDING: f64 = 1e-9;
/// Largest residual, relative to the right-hand side, that is accepted after the last iteration.
const ENOUGH: f64 = 1e-6;

/// Weighted observations of the constants, ready to solve.
pub struct System<'a> {
    graph: &'a Graph,
    /// Stars that count: constants with two usable observations at least.
    stars: Vec<u32>,
    /// Weight of each observation, 0 for those that do not count.
    weight: &'a [f64],
    /// Place of each zero point among the unknowns.
    unknown: Vec<u32>,
    /// Zero point of each unknown; unknowns of a block are neighbours, blocks of a component too.
    zp: Vec<u32>,
    /// Offsets of the blocks among the unknowns.
    blocks: Vec<usize>,
    /// Component of each block.
    block_component: Vec<u32>,
    n_components: usize,
}

const NONE: u32 = u32::MAX;

impl<'a> System<'a> {
    /// Orders the unknowns in blocks. `group` tells the group of each zero point; `weight` must be 0 for stars that are
    /// not constants.
    pub fn new(
        graph: &'a Graph,
        weight: &'a [f64],
        components: &Components,
        group: &[u32],
    ) -> Self {
        Self::with_blocks(graph, weight, components, group, (MAX_DIRECT, MAX_BLOCK))
    }

    /// As [`System::new`] with other limits: (largest component that is one block, largest block of others).
    fn with_blocks(
        graph: &'a Graph,
        weight: &'a [f64],
        components: &Components,
        group: &[u32],
        (max_direct, max_block): (usize, usize),
    ) -> Self {
        let mut zp: Vec<u32> = (0..graph.n_zp as u32)
            .filter(|&z| components.of[z as usize].is_some())
            .collect();
        zp.sort_by_key(|&z| (components.of[z as usize], group[z as usize], z));
        let mut size = vec![0_usize; components.count];
        for &z in &zp {
            if let Some(c) = components.of[z as usize] {
                size[c as usize] += 1;
            }
        }
        let mut unknown = vec![NONE; graph.n_zp];
        let (mut blocks, mut block_component) = (Vec::new(), Vec::new());
        for (i, &z) in zp.iter().enumerate() {
            unknown[z as usize] = i as u32;
            let component = components.of[z as usize].unwrap_or(0);
            let fresh = match (i.checked_sub(1), blocks.last()) {
                (Some(before), Some(&first)) => {
                    let before = zp[before] as usize;
                    let other_component = components.of[before] != Some(component);
                    let direct = size[component as usize] <= max_direct;
                    other_component
                        || (!direct
                            && (group[before] != group[z as usize] || i - first >= max_block))
                }
                _ => true,
            };
            if fresh {
                blocks.push(i);
                block_component.push(component);
            }
        }
        blocks.push(zp.len());
        let stars = (0..graph.n_stars() as u32)
            .filter(|&s| {
                let live = |&k: &usize| weight[k] > 0.0 && unknown[graph.zp[k] as usize] != NONE;
                graph.of(s as usize).filter(live).count() >= 2
            })
            .collect();
        System {
            graph,
            stars,
            weight,
            unknown,
            zp,
            blocks,
            block_component,
            n_components: components.count,
        }
    }

    /// First block of each component, and the one after its last.
    fn runs_of_blocks(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut last = 0;
        self.block_component
            .chunk_by(|a, b| a == b)
            .map(move |run| {
                let first = last;
                last += run.len();
                (first, last)
            })
    }

    fn n(&self) -> usize {
        self.zp.len()
    }

    /// Unknown and weight of the observations of a star that count.
    fn edges(&self, star: u32) -> impl Iterator<Item = (usize, f64, usize)> + '_ {
        self.graph.of(star as usize).filter_map(|k| {
            let u = self.unknown[self.graph.zp[k] as usize];
            (u != NONE && self.weight[k] > 0.0).then(|| (u as usize, self.weight[k], k))
        })
    }

    /// y = S x. It is summed from differences to each star's weighted mean, so that no two large numbers are subtracted.
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        y.fill(0.0);
        for &star in &self.stars {
            let (mut sum, mut total) = (0.0, 0.0);
            for (u, w, _) in self.edges(star) {
                sum += w * x[u];
                total += w;
            }
            let mean = sum / total;
            for (u, w, _) in self.edges(star) {
                y[u] += w * (x[u] - mean);
            }
        }
    }

    /// b = sum of w (v - the star's weighted mean).
    fn right_hand_side(&self) -> Vec<f64> {
        let mut b = vec![0.0; self.n()];
        for &star in &self.stars {
            let (mut sum, mut total) = (0.0, 0.0);
            for (_, w, k) in self.edges(star) {
                sum += w * self.graph.rv[k];
                total += w;
            }
            let mean = sum / total;
            for (u, w, k) in self.edges(star) {
                b[u] += w * (self.graph.rv[k] - mean);
            }
        }
        b
    }

    /// Subtracts each component's mean.
    fn centre(&self, x: &mut [f64]) {
        let mut sum = vec![0.0; self.n_components];
        let mut count = vec![0.0; self.n_components];
        for (b, &c) in self.block_component.iter().enumerate() {
            for &v in &x[self.blocks[b]..self.blocks[b + 1]] {
                sum[c as usize] += v;
                count[c as usize] += 1.0;
            }
        }
        for (b, &c) in self.block_component.iter().enumerate() {
            for v in &mut x[self.blocks[b]..self.blocks[b + 1]] {
                *v -= sum[c as usize] / count[c as usize];
            }
        }
    }

    /// Turns the diagonal of a matrix A into that of A between two centrings: A_ii - 2 mean_j A_ij + mean_jk A_jk
    /// within the component. `rows` holds the sums of A's rows.
    fn centre_diagonal(&self, diagonal: &mut [f64], rows: &[f64]) {
        let mut total = vec![0.0; self.n_components];
        let mut count = vec![0.0; self.n_components];
        for (b, &c) in self.block_component.iter().enumerate() {
            let range = self.blocks[b]..self.blocks[b + 1];
            total[c as usize] += rows[range.clone()].iter().sum::<f64>();
            count[c as usize] += range.len() as f64;
        }
        for (b, &c) in self.block_component.iter().enumerate() {
            let (total, count) = (total[c as usize], count[c as usize]);
            for u in self.blocks[b]..self.blocks[b + 1] {
                diagonal[u] += total / (count * count) - 2.0 * rows[u] / count;
            }
        }
    }

    /// Solves for the zero points; `start` (one per zero point) is where the search begins, `tolerance` the residual,
    /// relative to the right-hand side, at which it ends. NaN outside the components.
    pub fn solve(
        &self,
        preconditioner: &Preconditioner,
        start: &[f64],
        tolerance: f64,
    ) -> Result<Vec<f64>> {
        let b = self.right_hand_side();
        let mut x: Vec<f64> = self
            .zp
            .iter()
            .map(|&z| start[z as usize])
            .map(|v| if v.is_finite() { v } else { 0.0 })
            .collect();
        self.conjugate_gradients(preconditioner, &b, &mut x, tolerance)?;
        self.centre(&mut x);
        let mut out = vec![f64::NAN; self.graph.n_zp];
        for (&z, &v) in self.zp.iter().zip(&x) {
            out[z as usize] = v;
        }
        Ok(out)
    }

    fn conjugate_gradients(
        &self,
        pre: &Preconditioner,
        b: &[f64],
        x: &mut [f64],
        tolerance: f64,
    ) -> Result<()> {
        let n = self.n();
        let mut r = vec![0.0; n];
        self.apply(x, &mut r);
        for (r, b) in r.iter_mut().zip(b) {
            *r = b - *r;
        }
        let scale = dot(b, b).sqrt();
        if !scale.is_finite() {
            return Err(Error::NotPositive {
                what: "a velocity or a weight is no number",
            });
        }
        let mut z = vec![0.0; n];
        let mut s = vec![0.0; n];
        pre.apply(self, &r, &mut z);
        let mut p = z.clone();
        let mut rz = dot(&r, &z);
        let mut last = f64::INFINITY;
        let mut stalled = 0;
        for _ in 0..MAX_ITERATIONS {
            let norm = dot(&r, &r).sqrt();
            // Rounding sets a floor under the residual. `stalled` counts the iterations since it last fell below half of the least
            // so far; after more than 20 of them it is on that floor.
            stalled = if norm < 0.5 * last { 0 } else { stalled + 1 };
            if norm < last {
                last = norm;
            }
            if norm <= tolerance * scale || (stalled > 20 && norm <= ROUNDING * scale) {
                return Ok(());
            }
            self.apply(&p, &mut s);
            let curvature = dot(&p, &s);
            let is_positive = rz > 0.0 && curvature > 0.0;
            if !is_positive {
                // Where only rounding is left both products are differences of large numbers, and their sign says nothing.
                return if norm <= ROUNDING * scale {
                    Ok(())
                } else {
                    Err(Error::NotPositive {
                        what: "a step of the solution leads uphill",
                    })
                };
            }
            let alpha = rz / curvature;
            for i in 0..n {
                x[i] += alpha * p[i];
                r[i] -= alpha * s[i];
            }
            pre.apply(self, &r, &mut z);
            let next = dot(&r, &z);
            let beta = next / rz;
            rz = next;
            for i in 0..n {
                p[i] = z[i] + beta * p[i];
            }
        }
        if last <= ENOUGH * scale {
            return Ok(());
        }
        Err(Error::NotSettled {
            iterations: MAX_ITERATIONS,
            residual: last / scale,
            tolerance,
        })
    }
}

fn not_positive() -> Error {
    Error::NotPositive {
        what: "it has no Cholesky factor",
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
