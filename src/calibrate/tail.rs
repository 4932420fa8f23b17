//! The distribution of single velocities: noise, and outliers beyond it.

/// Squared residual beyond which densities are taken by their logarithm, because the square of one might be 0: far beyond any that a
/// spectrum gives, but tables hold marks such as 1e99 for what is missing.
pub(super) const FAR: f64 = 1e20;

/// Where the noise of a velocity ends and outliers begin: velocities are normal about their mean but for a few, which are spread over a
/// Cauchy distribution. Both are equally likely at the limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Square of the limit, in sigma.
    pub(super) limit2: f64,
    /// Density of outliers in the middle, relative to that of the normal distribution.
    height: f64,
}

impl Tail {
    /// The tail that begins at `limit` sigma.
    pub(super) fn at(limit: f64) -> Self {
        let limit2 = limit * limit;
        Tail {
            limit2,
            // Never so small that no product of densities holds it.
            height: (2.0 * (-0.5 * limit2).exp()).max(1e-30),
        }
    }

    /// Density at a squared residual (in units of its variance), relative to the normal one at 0.
    pub(super) fn density(&self, u2: f64) -> f64 {
        (-0.5 * u2).exp() + self.height / (1.0 + u2 / self.limit2)
    }

    /// Natural logarithm of the density at a squared residual beyond [`FAR`].
    pub(super) fn log_density_far(&self, u2: f64) -> f64 {
        self.height.ln() + self.limit2.ln() - u2.ln()
    }

    /// Probability that a velocity is no outlier; 0 where its distance is no number.
    pub(super) fn inlier(&self, u2: f64) -> f64 {
        let normal = (-0.5 * u2).exp();
        let all = normal + self.height / (1.0 + u2 / self.limit2);
        if all > 0.0 { normal / all } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_and_outliers_are_alike_at_the_limit() {
        for limit in [2.0, 4.0, 6.0] {
            let tail = Tail::at(limit);
            assert!((tail.inlier(limit * limit) - 0.5).abs() < 1e-12);
            assert!(tail.inlier(0.0) > 0.7 && tail.inlier(4.0 * limit * limit) < 1e-2);
        }
        // Up to the limit of distances no product of densities is 0, and beyond it the logarithm goes on.
        let tail = Tail::at(40.0);
        let far = tail.density(FAR);
        assert!((far.powi(4) / 1e18).ln().is_finite());
        assert!((far.ln() - tail.log_density_far(FAR)).abs() < 1e-6);
        for wild in [1e100, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(tail.inlier(wild), 0.0);
        }
    }
}
