//! An approximate inverse of S: exact inside blocks, and one unknown per block across them.

use faer::linalg::solvers::{DenseSolveCore, Llt, Solve};
use faer::{Mat, Side};
use rayon::prelude::*;

use super::{System, not_positive};
use crate::Result;

impl System<'_> {
    /// The part of S in which the unknowns `first..last` meet each other, by the stars that touch them.
    fn blocks_of_s(&self) -> Vec<Mat<f64>> {
        let mut out: Vec<Mat<f64>> = (0..self.blocks.len() - 1)
            .map(|b| Mat::zeros(self.size(b), self.size(b)))
            .collect();
        let block_of = self.block_of();
        for &star in &self.stars {
            let total: f64 = self.edges(star).map(|(_, w, _)| w).sum();
            for (u, w, _) in self.edges(star) {
                let block = block_of[u] as usize;
                let first = self.blocks[block];
                let s = &mut out[block];
                s[(u - first, u - first)] += w;
                for (v, x, _) in self.edges(star) {
                    if block_of[v] as usize == block {
                        s[(u - first, v - first)] -= w * x / total;
                    }
                }
            }
        }
        out
    }

    pub(super) fn size(&self, block: usize) -> usize {
        self.blocks[block + 1] - self.blocks[block]
    }

    pub(super) fn block_of(&self) -> Vec<u32> {
        let mut out = vec![0; self.n()];
        for b in 0..self.blocks.len() - 1 {
            out[self.blocks[b]..self.blocks[b + 1]].fill(b as u32);
        }
        out
    }

    /// Builds the preconditioner for the present weights.
    pub fn precondition(&self) -> Result<Preconditioner> {
        let factors = self
            .blocks_of_s()
            .into_par_iter()
            .map(|mut s| {
                pin(&mut s);
                s.llt(Side::Lower).map_err(|_| not_positive())
            })
            .collect::<Result<Vec<_>>>()?;
        let n_blocks = factors.len();
        let coarse = if n_blocks > self.n_components {
            let mut s = self.coarse_matrix();
            self.pin_components(&mut s);
            Some(s.llt(Side::Lower).map_err(|_| not_positive())?)
        } else {
            None
        };
        Ok(Preconditioner { factors, coarse })
    }

    /// S between blocks: each block's unknowns move together.
    fn coarse_matrix(&self) -> Mat<f64> {
        let n_blocks = self.blocks.len() - 1;
        let block_of = self.block_of();
        let mut s = Mat::zeros(n_blocks, n_blocks);
        let mut sums: Vec<(usize, f64)> = Vec::new();
        for &star in &self.stars {
            sums.clear();
            let mut total = 0.0;
            for (u, w, _) in self.edges(star) {
                let b = block_of[u] as usize;
                total += w;
                match sums.iter_mut().find(|(c, _)| *c == b) {
                    Some((_, sum)) => *sum += w,
                    None => sums.push((b, w)),
                }
            }
            if sums.len() < 2 {
                continue;
            }
            for &(b, w) in &sums {
                s[(b, b)] += w;
                for &(c, x) in &sums {
                    s[(b, c)] -= w * x / total;
                }
            }
        }
        s
    }

    /// Makes the coarse matrix regular: each component gets a spring on its mean.
    fn pin_components(&self, s: &mut Mat<f64>) {
        for (first, last) in self.runs_of_blocks() {
            let diagonal: f64 = (first..last).map(|b| s[(b, b)]).sum::<f64>();
            let m = (last - first) as f64;
            let spring = if diagonal > 0.0 { diagonal / m } else { 1.0 };
            for a in first..last {
                for b in first..last {
                    s[(a, b)] += spring / m;
                }
                s[(a, a)] *= 1.0 + 1e-13;
            }
        }
    }
}

/// Diagonals of the preconditioner, in the gauge of mean 0.
pub(super) struct Diagonals {
    /// All of it.
    pub(super) all: Vec<f64>,
    /// The coarse term.
    pub(super) coarse: Vec<f64>,
    /// The blocks' inverses, not centred.
    pub(super) block: Vec<f64>,
}

/// Approximate inverse of S.
pub struct Preconditioner {
    factors: Vec<Llt<f64>>,
    coarse: Option<Llt<f64>>,
}

impl Preconditioner {
    /// z = M r, centred.
    pub(super) fn apply(&self, system: &System<'_>, r: &[f64], z: &mut [f64]) {
        self.apply_raw(system, r, z);
        system.centre(z);
    }

    fn apply_raw(&self, system: &System<'_>, r: &[f64], z: &mut [f64]) {
        for (b, factor) in self.factors.iter().enumerate() {
            let range = system.blocks[b]..system.blocks[b + 1];
            let mut column = Mat::from_fn(range.len(), 1, |i, _| r[range.start + i]);
            factor.solve_in_place(column.as_mut());
            for (i, z) in z[range].iter_mut().enumerate() {
                *z = column[(i, 0)];
            }
        }
        self.add_coarse(system, r, z);
    }

    /// The coarse term of z = M r, added.
    pub(super) fn add_coarse(&self, system: &System<'_>, r: &[f64], z: &mut [f64]) {
        if let Some(coarse) = &self.coarse {
            let n_blocks = self.factors.len();
            let mut column = Mat::from_fn(n_blocks, 1, |b, _| {
                r[system.blocks[b]..system.blocks[b + 1]]
                    .iter()
                    .sum::<f64>()
            });
            coarse.solve_in_place(column.as_mut());
            for b in 0..n_blocks {
                for z in &mut z[system.blocks[b]..system.blocks[b + 1]] {
                    *z += column[(b, 0)];
                }
            }
        }
    }

    /// Diagonals of M and of its parts.
    pub(super) fn diagonals(&self, system: &System<'_>) -> Diagonals {
        let n = system.n();
        let coarse_inverse = self.coarse.as_ref().map(|c| c.inverse());
        let mut block = vec![0.0; n];
        let mut coarse = vec![0.0; n];
        for (b, factor) in self.factors.iter().enumerate() {
            let inverse = factor.inverse();
            let offset = coarse_inverse.as_ref().map_or(0.0, |c| c[(b, b)]);
            for i in 0..system.size(b) {
                block[system.blocks[b] + i] = inverse[(i, i)];
                coarse[system.blocks[b] + i] = offset;
            }
        }
        let mut all: Vec<f64> = block.iter().zip(&coarse).map(|(b, c)| b + c).collect();
        let ones = vec![1.0; n];
        let mut rows = vec![0.0; n];
        self.add_coarse(system, &ones, &mut rows);
        system.centre_diagonal(&mut coarse, &rows);
        self.apply_raw(system, &ones, &mut rows);
        system.centre_diagonal(&mut all, &rows);
        Diagonals { all, coarse, block }
    }
}

/// Adds a spring on the mean of the unknowns to a matrix that may be singular by a constant, and tells its strength.
pub(super) fn pin(s: &mut Mat<f64>) -> f64 {
    let m = s.nrows();
    let diagonal: f64 = (0..m).map(|i| s[(i, i)]).sum();
    let spring = if diagonal > 0.0 {
        diagonal / m as f64
    } else {
        1.0
    };
    for i in 0..m {
        for j in 0..m {
            s[(i, j)] += spring / m as f64;
        }
    }
    spring
}
