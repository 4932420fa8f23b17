//! Weighted least squares of v = a(star) + z(zero point), the stars eliminated.
//!
//! With weights w, the normal equations of the zero points alone are S z = b,
//! S = D - sum over stars of w w^T / W (W the star's sum of weights): a graph Laplacian, singular by one constant per
//! component (the gauge: mean 0). S is never formed as a whole. Conjugate gradients solve it, preconditioned by the
//! exact inverses of diagonal blocks (the exposures of one group) and, across blocks, by a coarse problem with one
//! unknown per block: groups hang together tightly inside and loosely with each other.

use faer::linalg::solvers::{DenseSolveCore, Llt, Solve};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Mat, Side};
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::components::Components;
use super::graph::Graph;
use crate::{Error, Result};

/// Largest block of the preconditioner.
const MAX_BLOCK: usize = 256;
/// A component with at most this many zero points is one block: the solve is then direct.
const MAX_DIRECT: usize = 1024;
/// Residual, relative to the right-hand side, of a final solution.
pub const TOLERANCE: f64 = 1e-13;
/// The same for the random probes, whose noise is far larger.
const PROBE_TOLERANCE: f64 = 1e-5;
/// Number of random probes.
const PROBES: u64 = 64;
/// More iterations than ever seen (tens); reached only if the matrix is not what it should be.
const MAX_ITERATIONS: usize = 5000;

/// How the errors of the zero points were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorMethod {
    /// From the inverse of the normal matrix.
    Exact,
    /// From the preconditioner's inverse, corrected with random probes.
    Probes,
}

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

    /// y = S x, by way of each star's weighted mean: no difference of large numbers.
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
        let goal = tolerance * dot(b, b).sqrt();
        let mut z = vec![0.0; n];
        let mut s = vec![0.0; n];
        pre.apply(self, &r, &mut z);
        let mut p = z.clone();
        let mut rz = dot(&r, &z);
        let mut last = f64::INFINITY;
        let mut stalled = 0;
        for _ in 0..MAX_ITERATIONS {
            let norm = dot(&r, &r).sqrt();
            // Rounding sets a floor under the residual; three iterations without progress there are the end.
            stalled = if norm < 0.5 * last { 0 } else { stalled + 1 };
            if norm < last {
                last = norm;
            }
            if norm <= goal || (stalled > 20 && norm <= 1e-9 * dot(b, b).sqrt()) || rz <= 0.0 {
                return Ok(());
            }
            self.apply(&p, &mut s);
            let curvature = dot(&p, &s);
            if curvature.is_nan() || curvature <= 0.0 {
                return Ok(());
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
        if last <= 1e-6 * dot(b, b).sqrt() {
            return Ok(());
        }
        Err(Error::NothingUsable(format!(
            "zero points: the solution did not settle in {MAX_ITERATIONS} iterations"
        )))
    }

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

    fn size(&self, block: usize) -> usize {
        self.blocks[block + 1] - self.blocks[block]
    }

    fn block_of(&self) -> Vec<u32> {
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
        let n_blocks = self.blocks.len() - 1;
        let mut first = 0;
        while first < n_blocks {
            let c = self.block_component[first];
            let last = (first..n_blocks)
                .find(|&b| self.block_component[b] != c)
                .unwrap_or(n_blocks);
            let diagonal: f64 = (first..last).map(|b| s[(b, b)]).sum::<f64>();
            let m = (last - first) as f64;
            let spring = if diagonal > 0.0 { diagonal / m } else { 1.0 };
            for a in first..last {
                for b in first..last {
                    s[(a, b)] += spring / m;
                }
                s[(a, a)] *= 1.0 + 1e-13;
            }
            first = last;
        }
    }

    /// Errors of the zero points (square roots of the diagonal of the pseudo-inverse of S: gauge mean 0), and how they
    /// were computed. Components of up to `max_exact` zero points are inverted; larger ones are probed.
    pub fn errors(
        &self,
        preconditioner: &Preconditioner,
        max_exact: usize,
    ) -> Result<(Vec<f64>, ErrorMethod)> {
        let mut probed = Vec::new();
        let mut exact = Vec::new();
        let n_blocks = self.blocks.len() - 1;
        let mut first = 0;
        while first < n_blocks {
            let c = self.block_component[first];
            let last = (first..n_blocks)
                .find(|&b| self.block_component[b] != c)
                .unwrap_or(n_blocks);
            let range = self.blocks[first]..self.blocks[last];
            if range.len() > max_exact {
                probed.push((first, last));
            } else {
                exact.push((c as usize, range));
            }
            first = last;
        }
        let mut members = vec![Vec::new(); self.n_components];
        let block_of = self.block_of();
        for &star in &self.stars {
            if let Some((u, ..)) = self.edges(star).next() {
                members[self.block_component[block_of[u] as usize] as usize].push(star);
            }
        }
        let invert = |(c, range): &(usize, std::ops::Range<usize>)| {
            self.exact_variances(&members[*c], range.clone())
        };
        // Small ones side by side; of large ones one at a time must be enough for the memory.
        let small = exact.iter().all(|(_, range)| range.len() <= MAX_DIRECT);
        let inverted = if small {
            exact.par_iter().map(invert).collect::<Result<Vec<_>>>()?
        } else {
            exact.iter().map(invert).collect::<Result<Vec<_>>>()?
        };
        let mut var = vec![f64::NAN; self.n()];
        for ((_, range), values) in exact.into_iter().zip(inverted) {
            var[range].copy_from_slice(&values);
        }
        let method = if probed.is_empty() {
            ErrorMethod::Exact
        } else {
            self.probed_variances(preconditioner, &probed, &mut var)?;
            ErrorMethod::Probes
        };
        let mut out = vec![f64::NAN; self.graph.n_zp];
        for (&z, &v) in self.zp.iter().zip(&var) {
            out[z as usize] = v.max(0.0).sqrt();
        }
        Ok((out, method))
    }

    /// Diagonal of the pseudo-inverse of one component's S.
    fn exact_variances(&self, stars: &[u32], range: std::ops::Range<usize>) -> Result<Vec<f64>> {
        let m = range.len();
        let mut s: Mat<f64> = Mat::zeros(m, m);
        for &star in stars {
            let total: f64 = self.edges(star).map(|(_, w, _)| w).sum();
            for (u, w, _) in self.edges(star) {
                let a = u - range.start;
                s[(a, a)] += w;
                for (v, x, _) in self.edges(star) {
                    s[(a, v - range.start)] -= w * x / total;
                }
            }
        }
        let spring = pin(&mut s);
        let factor = s.llt(Side::Lower).map_err(|_| not_positive())?;
        // S = L L^T: the diagonal of the inverse is the squared norms of the columns of L^-1, half the work of all of it.
        invert_lower_triangular(s.as_mut(), factor.L(), faer::get_global_parallelism());
        // The spring's own direction, 1 1^T / m, has the eigenvalue `spring` in the inverted matrix.
        Ok((0..m)
            .map(|a| {
                let norm2: f64 = (a..m).map(|i| s[(i, a)] * s[(i, a)]).sum();
                norm2 - 1.0 / (spring * m as f64)
            })
            .collect())
    }

    /// Diagonal of the pseudo-inverse by random signs: that of the preconditioner is known, and only what it lacks
    /// is estimated, so that few probes give percents.
    fn probed_variances(
        &self,
        pre: &Preconditioner,
        components: &[(usize, usize)],
        var: &mut [f64],
    ) -> Result<()> {
        let n = self.n();
        let known = pre.diagonals(self);
        let terms = (0..PROBES)
            .into_par_iter()
            .map(|probe| -> Result<(Vec<f64>, Vec<f64>)> {
                let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(probe);
                let signs: Vec<f64> = (0..n)
                    .map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 })
                    .collect();
                let mut x = signs.clone();
                self.centre(&mut x);
                let mut m = vec![0.0; n];
                pre.apply(self, &x, &mut m);
                let mut q = vec![0.0; n];
                pre.add_coarse(self, &x, &mut q);
                self.centre(&mut q);
                let mut s = m.clone();
                self.conjugate_gradients(pre, &x, &mut s, PROBE_TOLERANCE)?;
                self.centre(&mut s);
                let lacking = (0..n).map(|i| signs[i] * (s[i] - m[i])).collect();
                let coarse = (0..n).map(|i| signs[i] * q[i] - known.coarse[i]).collect();
                Ok((lacking, coarse))
            })
            .collect::<Result<Vec<_>>>()?;
        for &(first, last) in components {
            let range = self.blocks[first]..self.blocks[last];
            // What M lacks is mostly a fixed part of its coarse term, whose own noise is known: that much of the
            // noise is taken off (a control variate).
            let (mut products, mut squares) = (0.0, 0.0);
            for (lacking, coarse) in &terms {
                products += dot(&lacking[range.clone()], &coarse[range.clone()]);
                squares += dot(&coarse[range.clone()], &coarse[range.clone()]);
            }
            let part = if squares > 0.0 {
                products / squares
            } else {
                0.0
            };
            for i in range {
                let sum: f64 = terms.iter().map(|(r, q)| r[i] - part * q[i]).sum();
                // The block alone, as if all other blocks were known, is the least it can be.
                var[i] = (known.all[i] + sum / PROBES as f64).max(known.block[i]);
            }
        }
        Ok(())
    }
}

/// Diagonals of the preconditioner, in the gauge of mean 0.
struct Diagonals {
    /// All of it.
    all: Vec<f64>,
    /// The coarse term.
    coarse: Vec<f64>,
    /// The blocks' inverses, not centred.
    block: Vec<f64>,
}

/// Approximate inverse of S.
pub struct Preconditioner {
    factors: Vec<Llt<f64>>,
    coarse: Option<Llt<f64>>,
}

impl Preconditioner {
    /// z = M r, centred.
    fn apply(&self, system: &System<'_>, r: &[f64], z: &mut [f64]) {
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
    fn add_coarse(&self, system: &System<'_>, r: &[f64], z: &mut [f64]) {
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
    fn diagonals(&self, system: &System<'_>) -> Diagonals {
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
fn pin(s: &mut Mat<f64>) -> f64 {
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

fn not_positive() -> Error {
    Error::NothingUsable("zero points: the normal matrix is not positive".to_owned())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selfcal::components::components;

    /// Groups of `m` exposures, each with its own stars and with some shared with the next group.
    fn survey(n_groups: usize, m: usize, seed: u64) -> (Graph, Vec<f64>, Vec<u32>) {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut edges = Vec::new();
        let mut star = 0;
        for g in 0..n_groups {
            for s in 0..12 {
                for t in 0..m {
                    let next = (g + 1) % n_groups;
                    for (group, chance) in [(g, 0.7), (next, if s < 3 { 0.5 } else { 0.0 })] {
                        if rng.random_bool(chance) {
                            let rv: f64 = rng.random_range(-5.0..5.0);
                            edges.push((star, (group * m + t) as u32, rv, 1.0));
                        }
                    }
                }
                star += 1;
            }
        }
        let (graph, _) = Graph::new(star as usize, n_groups * m, &edges);
        let weight = (0..graph.n_obs())
            .map(|_| rng.random_range(0.1..10.0))
            .collect();
        let group = (0..n_groups * m).map(|z| (z / m) as u32).collect();
        (graph, weight, group)
    }

    /// Zero points and errors from the full normal matrix of stars and zero points, by its eigenvectors.
    fn oracle(graph: &Graph, weight: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (n_stars, n) = (graph.n_stars(), graph.n_stars() + graph.n_zp);
        let mut a: Mat<f64> = Mat::zeros(n, n);
        let mut b = vec![0.0; n];
        for s in 0..n_stars {
            for k in graph.of(s) {
                let z = n_stars + graph.zp[k] as usize;
                let w = weight[k];
                a[(s, s)] += w;
                a[(z, z)] += w;
                a[(s, z)] += w;
                a[(z, s)] += w;
                b[s] += w * graph.rv[k];
                b[z] += w * graph.rv[k];
            }
        }
        // The gauge as a constraint of large weight: sum of the zero points = 0.
        for i in n_stars..n {
            for j in n_stars..n {
                a[(i, j)] += 1.0;
            }
        }
        let inverse = a.llt(Side::Lower).unwrap().inverse();
        let zp = (n_stars..n)
            .map(|i| (0..n).map(|j| inverse[(i, j)] * b[j]).sum())
            .collect();
        // The constraint itself, as if measured with variance 1, adds 1 / n^2 to all variances.
        let extra = 1.0 / (graph.n_zp * graph.n_zp) as f64;
        let err = (n_stars..n)
            .map(|i| (inverse[(i, i)] - extra).max(0.0).sqrt())
            .collect();
        (zp, err)
    }

    #[test]
    fn blocks_and_direct_solution_agree_with_the_full_matrix() {
        for seed in 0..5 {
            let (graph, weight, group) = survey(6, 5, seed);
            let all = vec![true; graph.n_stars()];
            let parts = components(&graph, &all, &weight, 1);
            assert_eq!(parts.count, 1);
            let (zp, err) = oracle(&graph, &weight);
            for limits in [(1000, 1000), (0, 1000), (0, 3), (0, 1)] {
                let system = System::with_blocks(&graph, &weight, &parts, &group, limits);
                let pre = system.precondition().unwrap();
                let found = system
                    .solve(&pre, &vec![0.0; graph.n_zp], TOLERANCE)
                    .unwrap();
                let (found_err, method) = system.errors(&pre, 1000).unwrap();
                assert_eq!(method, ErrorMethod::Exact);
                for z in 0..graph.n_zp {
                    assert!(
                        (found[z] - zp[z]).abs() < 1e-9,
                        "{limits:?} {} {}",
                        found[z],
                        zp[z]
                    );
                    assert!(
                        (found_err[z] / err[z] - 1.0).abs() < 1e-8,
                        "{} {}",
                        found_err[z],
                        err[z]
                    );
                }
            }
        }
    }

    #[test]
    fn probes_find_the_errors_to_a_few_percent() {
        let (graph, weight, group) = survey(40, 10, 7);
        let all = vec![true; graph.n_stars()];
        let parts = components(&graph, &all, &weight, 1);
        let system = System::with_blocks(&graph, &weight, &parts, &group, (0, 256));
        let pre = system.precondition().unwrap();
        let (exact, _) = system.errors(&pre, usize::MAX).unwrap();
        let (probed, method) = system.errors(&pre, 0).unwrap();
        assert_eq!(method, ErrorMethod::Probes);
        let ratio: Vec<f64> = probed.iter().zip(&exact).map(|(p, e)| p / e).collect();
        let (mean, std) = crate::selfcal::stats::mean_and_std(ratio.iter().copied());
        println!("probed / exact error: mean {mean:.4}, scatter {std:.4}");
        assert!((mean - 1.0).abs() < 0.02 && std < 0.1, "{mean} {std}");
    }
}
