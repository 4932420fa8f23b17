//! An approximate inverse of S: exact inside blocks, and one unknown per block across them.

use faer::linalg::solvers::{DenseSolveCore, Llt, Solve};
use faer::{Mat, Side};
use rayon::prelude::*;

use super::{System, not_positive};
use crate::Result;

impl System<'_> {
    /// The diagonal blocks of S: for each block the elements between its own unknowns.
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
        let linked: Vec<(usize, usize)> = self
            .runs_of_blocks()
            .filter(|(first, last)| last - first > 1)
            .collect();
        let coarse = self
            .coarse_matrices(&linked)
            .into_iter()
            .zip(&linked)
            .map(|(mut s, &(first, last))| {
                pin(&mut s);
                (0..last - first).for_each(|b| s[(b, b)] *= 1.0 + 1e-13);
                let factor = s.llt(Side::Lower).map_err(|_| not_positive())?;
                Ok(Coarse { first, factor })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Preconditioner { factors, coarse })
    }

    /// For each of these components (given by its first block and the one after its last) the coarse matrix: S for unknowns of which
    /// those of a block all move together. A component of one block needs none.
    fn coarse_matrices(&self, linked: &[(usize, usize)]) -> Vec<Mat<f64>> {
        let mut place = vec![None; self.blocks.len() - 1];
        for (i, &(first, last)) in linked.iter().enumerate() {
            place[first..last].fill(Some((i, first)));
        }
        let sizes = linked.iter().map(|(first, last)| last - first);
        let mut out: Vec<Mat<f64>> = sizes.map(|m| Mat::zeros(m, m)).collect();
        let block_of = self.block_of();
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
            // All blocks of a star are of one component, so the first one tells which. A star of a single block adds nothing: in the
            // coarse problem its exposures move together.
            let Some((i, first)) = sums.first().and_then(|(b, _)| place[*b]) else {
                continue;
            };
            if sums.len() < 2 {
                continue;
            }
            let s = &mut out[i];
            for &(b, w) in &sums {
                s[(b - first, b - first)] += w;
                for &(c, x) in &sums {
                    s[(b - first, c - first)] -= w * x / total;
                }
            }
        }
        out
    }
}

/// The blocks of one component, each as one unknown.
struct Coarse {
    /// The component's first block.
    first: usize,
    factor: Llt<f64>,
}

impl Coarse {
    /// Number of the component's blocks.
    fn len(&self) -> usize {
        self.factor.L().nrows()
    }
}

/// Diagonals of the preconditioner, for unknowns whose mean is set to 0.
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
    coarse: Vec<Coarse>,
}

impl Preconditioner {
    /// Unknowns of each coarse problem.
    #[cfg(test)]
    pub(super) fn coarse_sizes(&self) -> Vec<usize> {
        self.coarse.iter().map(Coarse::len).collect()
    }

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
        for coarse in &self.coarse {
            let first = coarse.first;
            let range = |b: usize| system.blocks[first + b]..system.blocks[first + b + 1];
            let mut column = Mat::from_fn(coarse.len(), 1, |b, _| r[range(b)].iter().sum::<f64>());
            coarse.factor.solve_in_place(column.as_mut());
            for b in 0..coarse.len() {
                z[range(b)].iter_mut().for_each(|z| *z += column[(b, 0)]);
            }
        }
    }

    /// Diagonals of M and of its parts.
    pub(super) fn diagonals(&self, system: &System<'_>) -> Diagonals {
        let n = system.n();
        let mut offsets = vec![0.0; self.factors.len()];
        for coarse in &self.coarse {
            let inverse = coarse.factor.inverse();
            (0..coarse.len()).for_each(|b| offsets[coarse.first + b] = inverse[(b, b)]);
        }
        let mut block = vec![0.0; n];
        let mut coarse = vec![0.0; n];
        for (b, factor) in self.factors.iter().enumerate() {
            let inverse = factor.inverse();
            for i in 0..system.size(b) {
                block[system.blocks[b] + i] = inverse[(i, i)];
                coarse[system.blocks[b] + i] = offsets[b];
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

/// Makes a matrix positive definite that is singular because a constant added to all unknowns changes nothing: a spring that holds
/// their mean is added. Returns the strength of the spring.
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
