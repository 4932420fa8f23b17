//! Conjugate gradients.

use super::{Preconditioner, System, dot};
use crate::{Error, Result};

/// Most iterations of the conjugate gradients. Tens are usual; so many are only reached if the matrix is not positive.
const MAX_ITERATIONS: usize = 5000;
/// Largest residual, relative to the right-hand side, for which rounding may be the reason that the iteration makes no more progress,
/// or that r^T M r or p^T S p is not positive; then the solution is accepted as it is.
const ROUNDING: f64 = 1e-9;
/// Largest residual, relative to the right-hand side, that is accepted after the last iteration.
const ENOUGH: f64 = 1e-6;

impl System<'_> {
    /// Improves x until S x = b to this residual, relative to b.
    pub(super) fn conjugate_gradients(
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
