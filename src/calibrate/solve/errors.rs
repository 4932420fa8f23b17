//! Errors of the zero points: from the inverse of S where it is small, else from probes.

use std::ops::Range;

use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Mat, Side};
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::normal::Star;
use super::preconditioner::{factorise, pairs, pin};
use super::{MAX_DIRECT, Preconditioner, System, not_positive};
use crate::Result;
use crate::calibrate::terms::Covariance;

/// Residual, relative to the right-hand side, at which a probe's solution ends: its noise is far larger than a final solution's.
const PROBE_TOLERANCE: f64 = 1e-5;
/// The same where zero points have slopes, and an iteration takes twice as long. The noise of 64 probes is some per cent, and with 1e-3
/// the errors are those of 1e-5 to a tenth of that and better.
const SLOPE_PROBE_TOLERANCE: f64 = 1e-3;
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
    /// Covariance of the terms of each zero point, and how it was computed: the elements of the pseudo-inverse of S, which is that
    /// for mean terms of mean 0. Components of up to `max_exact` unknowns (terms of zero points) are inverted; larger ones are
    /// probed. [`Covariance::UNKNOWN`] outside the components.
    pub fn errors(
        &self,
        preconditioner: &Preconditioner,
        max_exact: usize,
    ) -> Result<(Vec<Covariance>, ErrorMethod)> {
        let mut probed = Vec::new();
        let mut exact = Vec::new();
        for (first, last) in self.runs_of_blocks() {
            let c = self.block_component[first];
            let range = self.blocks[first]..self.blocks[last];
            if self.unknowns(range.clone()).len() > max_exact {
                probed.push((first, last));
            } else {
                exact.push((c as usize, range));
            }
        }
        let mut members = vec![Vec::new(); self.n_components];
        let block_of = self.block_of();
        for star in self.stars() {
            if let Some(e) = star.edges.first() {
                members[self.block_component[block_of[e.position()] as usize] as usize].push(star);
            }
        }
        let invert = |(c, range): &(usize, Range<usize>)| {
            self.exact_covariances(&members[*c], range.clone())
        };
        // Small components are inverted in parallel. Large ones are inverted one after the other, so that the memory holds one
        // dense matrix only.
        let small = exact
            .iter()
            .all(|(_, range)| self.unknowns(range.clone()).len() <= MAX_DIRECT);
        let inverted = if small {
            exact.par_iter().map(invert).collect::<Result<Vec<_>>>()?
        } else {
            exact.iter().map(invert).collect::<Result<Vec<_>>>()?
        };
        let mut covariance = vec![Covariance::UNKNOWN; self.zp.len()];
        for ((_, range), values) in exact.into_iter().zip(inverted) {
            covariance[range].copy_from_slice(&values);
        }
        let method = if probed.is_empty() {
            ErrorMethod::Exact
        } else {
            self.probed_covariances(preconditioner, &probed, &mut covariance)?;
            ErrorMethod::Probes
        };
        let mut out = vec![Covariance::UNKNOWN; self.graph.n_zp];
        for (&z, &c) in self.zp.iter().zip(&covariance) {
            out[z as usize] = c.spread_out(&self.shape);
        }
        Ok((out, method))
    }

    /// From the pseudo-inverse of one component's S.
    fn exact_covariances(
        &self,
        stars: &[Star<'_>],
        positions: Range<usize>,
    ) -> Result<Vec<Covariance>> {
        let q = self.n_terms;
        let n = self.unknowns(positions.clone()).len();
        let mut s: Mat<f64> = Mat::zeros(n, n);
        for &star in stars {
            let total = star.total();
            for i in 0..star.edges.len() {
                self.add_rows(&mut s, positions.clone(), (star, total), i);
            }
        }
        self.add_stiffness(&mut s);
        let spring = pin(&mut s, q);
        let factor = factorise(&s, q)?;
        // S = L L^T: the elements of the inverse are the products of the columns of L^-1, so those between the terms of a zero point
        // are had with half the work of all of it.
        invert_lower_triangular(s.as_mut(), factor.L(), faer::get_global_parallelism());
        // `pin` gave the direction in which all mean terms move together, 1 1^T / m, the eigenvalue `spring`. The pseudo-inverse
        // has 0 there, so its part 1 / (spring m) is taken off.
        let gauge = 1.0 / (spring * positions.len() as f64);
        let element =
            |a: usize, b: usize| -> f64 { (a.max(b)..n).map(|i| s[(i, a)] * s[(i, b)]).sum() };
        let of_zp = |i: usize| {
            let mut out = Covariance::default();
            for (row, column) in pairs(q) {
                out.0[row][column] = element(q * i + row, q * i + column);
            }
            out.0[0][0] -= gauge;
            out
        };
        Ok((0..positions.len()).map(of_zp).collect())
    }

    /// From the pseudo-inverse by random signs: the preconditioner's own elements are known, and only what it lacks
    /// is estimated, so that few probes give percents.
    fn probed_covariances(
        &self,
        pre: &Preconditioner,
        components: &[(usize, usize)],
        covariance: &mut [Covariance],
    ) -> Result<()> {
        let known = pre.known(self);
        let probes = (0..PROBES)
            .into_par_iter()
            .map(|seed| self.probe(pre, seed))
            .collect::<Result<Vec<_>>>()?;
        let elements: Vec<_> = pairs(self.n_terms).filter(|(a, b)| a <= b).collect();
        for &(first, last) in components {
            let positions = self.blocks[first]..self.blocks[last];
            // The probes estimate what the preconditioner M lacks. For the mean terms that is mostly a fixed multiple of M's coarse
            // term, and the coarse term's elements are known exactly; so the noise of its own estimate is known, and the same multiple
            // of that noise is taken off (a control variate).
            let (mut products, mut squares) = (0.0, 0.0);
            for probe in &probes {
                let lacking = positions.clone().map(|i| probe.lacking(i, (0, 0)));
                let noise = || {
                    let known = |i: usize| known.coarse[i].0[0][0];
                    positions
                        .clone()
                        .map(move |i| probe.coarse(i, (0, 0)) - known(i))
                };
                products += lacking.zip(noise()).map(|(a, b)| a * b).sum::<f64>();
                squares += noise().map(|b| b * b).sum::<f64>();
            }
            let part = if squares > 0.0 {
                products / squares
            } else {
                0.0
            };
            for i in positions {
                let mut found = known.all[i];
                for &(a, b) in &elements {
                    let exact = known.coarse[i].0[a][b];
                    let lacking =
                        |p: &Probe| p.lacking(i, (a, b)) - part * (p.coarse(i, (a, b)) - exact);
                    found.0[a][b] += probes.iter().map(lacking).sum::<f64>() / PROBES as f64;
                    found.0[b][a] = found.0[a][b];
                }
                covariance[i] = at_least(&found, &known.block[i], self.n_terms)?;
            }
        }
        Ok(())
    }

    /// Random signs, and what S^+ and M make of them.
    fn probe(&self, pre: &Preconditioner, seed: u64) -> Result<Probe> {
        let n = self.n();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let signs: Vec<i8> = (0..n)
            .map(|_| if rng.random::<bool>() { 1 } else { -1 })
            .collect();
        let mut x: Vec<f64> = signs.iter().map(|&sign| f64::from(sign)).collect();
        self.centre(&mut x);
        let mut m = vec![0.0; n];
        pre.apply(self, &x, &mut m);
        let mut coarse = vec![0.0; n];
        pre.add_coarse(self, &x, &mut coarse);
        self.centre(&mut coarse);
        let mut lacking = m.clone();
        let tolerance = if self.n_terms == 1 {
            PROBE_TOLERANCE
        } else {
            SLOPE_PROBE_TOLERANCE
        };
        self.conjugate_gradients(pre, &x, &mut lacking, tolerance)?;
        self.centre(&mut lacking);
        for (lacking, m) in lacking.iter_mut().zip(&m) {
            *lacking -= m;
        }
        Ok(Probe {
            n_terms: self.n_terms,
            signs,
            lacking,
            // It moves mean terms only.
            coarse: coarse.into_iter().step_by(self.n_terms).collect(),
        })
    }
}

/// What one vector x of random signs gives.
struct Probe {
    n_terms: usize,
    signs: Vec<i8>,
    /// (S^+ - M) x.
    lacking: Vec<f64>,
    /// The coarse term of M times x, for the mean terms.
    coarse: Vec<f64>,
}

impl Probe {
    fn sign(&self, position: usize, term: usize) -> f64 {
        f64::from(self.signs[self.n_terms * position + term])
    }

    /// Estimate of an element of S^+ - M between two terms of the zero point at a position.
    fn lacking(&self, position: usize, (a, b): (usize, usize)) -> f64 {
        let one = |a, b| self.sign(position, a) * self.lacking[self.n_terms * position + b];
        if a == b {
            one(a, a)
        } else {
            0.5 * (one(a, b) + one(b, a))
        }
    }

    /// The same of the coarse term.
    fn coarse(&self, position: usize, (a, b): (usize, usize)) -> f64 {
        let one = |a, b| match b {
            0 => self.sign(position, a) * self.coarse[position],
            _ => 0.0,
        };
        if a == b {
            one(a, a)
        } else {
            0.5 * (one(a, b) + one(b, a))
        }
    }
}

/// An estimated covariance, moved as little as makes it no less than that of the block alone, which takes all other blocks for known:
/// no sum of the terms can have a smaller variance than there.
pub(super) fn at_least(
    found: &Covariance,
    least: &Covariance,
    n_terms: usize,
) -> Result<Covariance> {
    let excess = Mat::from_fn(n_terms, n_terms, |i, j| found.0[i][j] - least.0[i][j]);
    let eigen = excess
        .self_adjoint_eigen(Side::Lower)
        .map_err(|_| not_positive())?;
    let value = |k: usize| eigen.S()[k];
    if (0..n_terms).all(|k| value(k) >= 0.0) {
        return Ok(*found);
    }
    let mut out = *least;
    for (i, j) in pairs(n_terms) {
        for k in 0..n_terms {
            out.0[i][j] += value(k).max(0.0) * eigen.U()[(i, k)] * eigen.U()[(j, k)];
        }
    }
    Ok(out)
}
