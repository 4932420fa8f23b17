//! An approximate inverse of S: exact inside blocks, and one unknown per block across them.

use faer::linalg::solvers::{DenseSolveCore, Llt, Solve};
use faer::{Mat, Side};
use rayon::prelude::*;

use super::{System, not_positive};
use crate::Result;
use crate::calibrate::terms::Covariance;

impl System<'_> {
    /// The diagonal blocks of S: for each block the elements between its own unknowns.
    fn blocks_of_s(&self) -> Vec<Mat<f64>> {
        let mut out: Vec<Mat<f64>> = (0..self.blocks.len() - 1)
            .map(|b| Mat::zeros(self.of_block(b).len(), self.of_block(b).len()))
            .collect();
        let block_of = self.block_of();
        for star in self.stars() {
            let total = star.total();
            for (i, e) in star.edges.iter().enumerate() {
                let block = block_of[e.position()] as usize;
                let positions = self.blocks[block]..self.blocks[block + 1];
                self.add_rows(&mut out[block], positions, (star, total), i);
            }
        }
        out.iter_mut().for_each(|s| self.add_stiffness(s));
        out
    }

    /// Block of each position.
    pub(super) fn block_of(&self) -> Vec<u32> {
        let mut out = vec![0; self.zp.len()];
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
                pin(&mut s, self.n_terms);
                factorise(&s, self.n_terms)
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
                pin(&mut s, 1);
                (0..last - first).for_each(|b| s[(b, b)] *= 1.0 + 1e-13);
                let factor = factorise(&s, 1)?;
                Ok(Coarse { first, factor })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Preconditioner { factors, coarse })
    }

    /// For each of these components (given by its first block and the one after its last) the coarse matrix: S for unknowns of which
    /// each moves all mean terms of a block together. A component of one block needs none.
    fn coarse_matrices(&self, linked: &[(usize, usize)]) -> Vec<Mat<f64>> {
        let mut place = vec![None; self.blocks.len() - 1];
        for (i, &(first, last)) in linked.iter().enumerate() {
            place[first..last].fill(Some((i, first)));
        }
        let sizes = linked.iter().map(|(first, last)| last - first);
        let mut out: Vec<Mat<f64>> = sizes.map(|m| Mat::zeros(m, m)).collect();
        let block_of = self.block_of();
        let mut sums: Vec<(usize, f64)> = Vec::new();
        for star in self.stars() {
            sums.clear();
            let mut total = 0.0;
            for e in star.edges {
                let b = block_of[e.position()] as usize;
                total += e.weight;
                match sums.iter_mut().find(|(c, _)| *c == b) {
                    Some((_, sum)) => *sum += e.weight,
                    None => sums.push((b, e.weight)),
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

/// The blocks of one component, each as one unknown: a constant added to its mean terms.
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

/// What the preconditioner says of the covariance of the terms of each zero point, for mean terms whose mean is set to 0.
pub(super) struct Known {
    /// All of it.
    pub(super) all: Vec<Covariance>,
    /// The coarse term.
    pub(super) coarse: Vec<Covariance>,
    /// The blocks' inverses, not centred.
    pub(super) block: Vec<Covariance>,
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
            let range = system.of_block(b);
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
            let range = |b: usize| system.of_block(first + b);
            let step = system.n_terms;
            let mut column = Mat::from_fn(coarse.len(), 1, |b, _| {
                r[range(b)].iter().step_by(step).sum::<f64>()
            });
            coarse.factor.solve_in_place(column.as_mut());
            for b in 0..coarse.len() {
                let means = z[range(b)].iter_mut().step_by(step);
                means.for_each(|z| *z += column[(b, 0)]);
            }
        }
    }

    /// The elements of M and of its parts between the terms of each zero point.
    pub(super) fn known(&self, system: &System<'_>) -> Known {
        let (n, q) = (system.n(), system.n_terms);
        let mut offsets = vec![0.0; self.factors.len()];
        for coarse in &self.coarse {
            let inverse = coarse.factor.inverse();
            (0..coarse.len()).for_each(|b| offsets[coarse.first + b] = inverse[(b, b)]);
        }
        let mut block = vec![Covariance::default(); system.zp.len()];
        let mut coarse = block.clone();
        for (b, factor) in self.factors.iter().enumerate() {
            let inverse = factor.inverse();
            for (a, i) in (system.blocks[b]..system.blocks[b + 1]).enumerate() {
                for (row, column) in pairs(q) {
                    block[i].0[row][column] = inverse[(q * a + row, q * a + column)];
                }
                coarse[i].0[0][0] = offsets[b];
            }
        }
        let mut all = block.clone();
        for (all, coarse) in all.iter_mut().zip(&coarse) {
            all.0[0][0] += coarse.0[0][0];
        }
        let gauge = system.gauge();
        let mut rows = vec![0.0; n];
        self.add_coarse(system, &gauge, &mut rows);
        system.centre_covariance(&mut coarse, &rows);
        self.apply_raw(system, &gauge, &mut rows);
        system.centre_covariance(&mut all, &rows);
        Known { all, coarse, block }
    }
}

/// Rows and columns of a matrix of this size.
pub(super) fn pairs(size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..size).flat_map(move |row| (0..size).map(move |column| (row, column)))
}

/// Cholesky factor of a matrix of the terms of zero points. A term that nothing determines is an error: what the elimination
/// leaves of its diagonal element is then no more than rounding.
pub(super) fn factorise(s: &Mat<f64>, n_terms: usize) -> Result<Llt<f64>> {
    let factor = s.llt(Side::Lower).map_err(|_| not_positive())?;
    let least = s.nrows() as f64 * f64::EPSILON;
    let is_lost = |i: usize| {
        let left = factor.L()[(i, i)] * factor.L()[(i, i)];
        !i.is_multiple_of(n_terms) && left <= least * s[(i, i)]
    };
    if (0..s.nrows()).any(is_lost) {
        return Err(not_positive());
    }
    Ok(factor)
}

/// Makes a matrix positive definite that is singular because a constant added to all mean terms changes nothing: a spring that holds
/// their mean is added. Returns the strength of the spring.
pub(super) fn pin(s: &mut Mat<f64>, n_terms: usize) -> f64 {
    let means = || (0..s.nrows()).step_by(n_terms);
    let m = means().len() as f64;
    let diagonal: f64 = means().map(|i| s[(i, i)]).sum();
    let spring = if diagonal > 0.0 { diagonal / m } else { 1.0 };
    for i in (0..s.nrows()).step_by(n_terms) {
        for j in (0..s.nrows()).step_by(n_terms) {
            s[(i, j)] += spring / m;
        }
    }
    spring
}
