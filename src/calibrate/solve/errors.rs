//! Errors of the zero points: from the inverse of S where it is small, else from probes.

use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Mat, Side};
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::preconditioner::pin;
use super::{MAX_DIRECT, Preconditioner, System, dot, not_positive};
use crate::Result;

/// Residual, relative to the right-hand side, at which a probe's solution ends: its noise is far larger than a final solution's.
const PROBE_TOLERANCE: f64 = 1e-5;
/// Number of random probes: with 64 the errors are good to a few per cent (`probes_find_the_errors_to_a_few_percent` in the tests).
const PROBES: u64 = 64;

/// How the errors of the zero points were computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorMethod {
    /// From the inverse of the normal matrix.
    Exact,
    /// From the preconditioner's inverse, corrected with random probes.
    Probes,
}

impl System<'_> {
    /// Errors of the zero points, and how they were computed: square roots of the diagonal of the pseudo-inverse of S, which is that
    /// for zero points of mean 0. Components of up to `max_exact` zero points are inverted; larger ones are probed.
    pub fn errors(
        &self,
        preconditioner: &Preconditioner,
        max_exact: usize,
    ) -> Result<(Vec<f64>, ErrorMethod)> {
        let mut probed = Vec::new();
        let mut exact = Vec::new();
        for (first, last) in self.runs_of_blocks() {
            let c = self.block_component[first];
            let range = self.blocks[first]..self.blocks[last];
            if range.len() > max_exact {
                probed.push((first, last));
            } else {
                exact.push((c as usize, range));
            }
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
        // Small components are inverted in parallel. Large ones are inverted one after the other, so that the memory holds one
        // dense matrix only.
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
        // `pin` gave the direction in which all zero points move together, 1 1^T / m, the eigenvalue `spring`. The pseudo-inverse
        // has 0 there, so its part 1 / (spring m) is taken off.
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
            // The probes estimate what the preconditioner M lacks. That is mostly a fixed multiple of M's coarse term, and the
            // coarse term's diagonal is known exactly; so the noise of its own estimate is known, and the same multiple of that
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
                // The variance cannot be less than that of the block alone, which takes all other blocks for known.
                var[i] = (known.all[i] + sum / PROBES as f64).max(known.block[i]);
            }
        }
        Ok(())
    }
}
