//! Weighted least squares of v = a(star) + z(zero point, place), the stars eliminated.
//!
//! A zero point depends on the place of the fibre along the slit and on the star's lines (`terms`): it has 1 to 5 terms, and z = x^T c with
//! c the terms and x what multiplies them at an observation. With weights w, the normal equations of the terms of all zero
//! points alone are S c = b, S = D + R - sum over stars of (sum of w x) (sum of w x)^T / W, with D the sums of w x x^T of each zero
//! point and W the star's sum of weights. R holds all terms but the first at 0 as firmly as their [`Shape`] says: where each star keeps
//! its fibre, a slope common to all zero points of a group looks like the stars' own offsets.
//!
//! A constant added to all mean terms of a component (a set of zero points that common stars link) changes nothing, so S is singular.
//! The free constant is called the gauge, and is fixed by mean 0 in each component. S is never formed as a whole. Conjugate gradients
//! solve it, preconditioned by the exact inverses of diagonal blocks (the exposures of one group) and, across blocks, by a coarse
//! problem with one unknown per block: exposures of one group have nearly all their stars in common, those of different groups few.

mod errors;
mod gradients;
mod normal;
mod preconditioner;
#[cfg(test)]
mod tests;

use normal::{Observed, edges};

pub use errors::ErrorMethod;
pub use preconditioner::Preconditioner;

use std::ops::Range;

use super::components::Components;
use super::graph::Graph;
use super::terms::{MOST_TERMS, Shape, Terms};
use crate::{Error, Result};

/// Largest block of the preconditioner, in zero points. This and the next two limits bound the time and the memory of the dense factors;
/// chosen by hand.
const MAX_BLOCK: usize = 256;
/// Largest block of the preconditioner, in unknowns (the terms of all its zero points).
const MAX_BLOCK_UNKNOWNS: usize = 512;
/// A component with at most this many unknowns is one block: the solve is then direct.
const MAX_DIRECT: usize = 1024;
/// Residual, relative to the right-hand side, of a final solution.
pub const TOLERANCE: f64 = 1e-13;
/// Weighted observations of the constants, ready to solve.
pub struct System<'a> {
    graph: &'a Graph,
    /// The observations that count.
    observed: Observed,
    /// Terms of a zero point.
    shape: Shape,
    /// Their number.
    n_terms: usize,
    /// Zero point at each position in the order of the solve: those of a block are neighbours, blocks of a component too. The terms of
    /// the zero point at position i are the unknowns from `n_terms` i on.
    zp: Vec<u32>,
    /// First position of each block, and the end of the last.
    blocks: Vec<usize>,
    /// Component of each block.
    block_component: Vec<u32>,
    n_components: usize,
}

/// Position of a zero point outside the components.
const NONE: u32 = u32::MAX;

impl<'a> System<'a> {
    /// Orders the zero points in blocks. `group` tells the group of each zero point; `weight` must be 0 for stars that are
    /// not constants. All terms but the first need a stiffness above 0 wherever stars may keep what multiplies them.
    pub fn new(
        graph: &'a Graph,
        weight: &'a [f64],
        components: &Components,
        group: &[u32],
        shape: Shape,
    ) -> Self {
        let n_terms = shape.n_terms();
        let limits = (
            MAX_DIRECT / n_terms,
            MAX_BLOCK.min(MAX_BLOCK_UNKNOWNS / n_terms),
        );
        Self::with_blocks(graph, weight, components, group, shape, limits)
    }

    /// As [`System::new`] with other limits: (largest component that is one block, largest block of others), in zero points.
    fn with_blocks(
        graph: &'a Graph,
        weight: &'a [f64],
        components: &Components,
        group: &[u32],
        shape: Shape,
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
        let mut position = vec![NONE; graph.n_zp];
        let (mut blocks, mut block_component) = (Vec::new(), Vec::new());
        for (i, &z) in zp.iter().enumerate() {
            position[z as usize] = i as u32;
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
        System {
            graph,
            observed: edges(graph, weight, &position, &shape),
            n_terms: shape.n_terms(),
            shape,
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

    /// Number of unknowns.
    fn n(&self) -> usize {
        self.zp.len() * self.n_terms
    }

    /// Unknowns of the zero points at these positions.
    fn unknowns(&self, positions: Range<usize>) -> Range<usize> {
        positions.start * self.n_terms..positions.end * self.n_terms
    }

    /// Unknowns of a block.
    fn of_block(&self, block: usize) -> Range<usize> {
        self.unknowns(self.blocks[block]..self.blocks[block + 1])
    }

    /// Solves for the terms of the zero points; `start` (one per zero point) is where the search begins, `tolerance` the residual,
    /// relative to the right-hand side, at which it ends. NaN outside the components, 0 for terms that the zero points do not have.
    pub fn solve(
        &self,
        preconditioner: &Preconditioner,
        start: &[Terms],
        tolerance: f64,
    ) -> Result<Vec<Terms>> {
        let b = self.right_hand_side();
        let mut x: Vec<f64> = self
            .zp
            .iter()
            .flat_map(|&z| self.shape.terms().map(move |term| start[z as usize][term]))
            .map(|v| if v.is_finite() { v } else { 0.0 })
            .collect();
        self.conjugate_gradients(preconditioner, &b, &mut x, tolerance)?;
        self.centre(&mut x);
        let mut out = vec![[f64::NAN; MOST_TERMS]; self.graph.n_zp];
        for (&z, found) in self.zp.iter().zip(x.chunks_exact(self.n_terms)) {
            let terms = &mut out[z as usize];
            terms.fill(0.0);
            for (term, found) in self.shape.terms().zip(found) {
                terms[term] = *found;
            }
        }
        Ok(out)
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
