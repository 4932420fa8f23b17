//! How well a velocity is known: the sums behind its error and its chi^2 (DESIGN M4).

/// Sums over the pixels at the best velocity. S = sigma_t^2 + sigma_ref^2, f' = d f_ref / d v, V = variance of f'.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PrecisionSums {
    /// sum f'^2 / S of the fitted, noisy slope.
    pub slope2: f64,
    /// sum V / S: what noise adds to `slope2`.
    pub slope_noise: f64,
    /// sum sigma_t^2 f'^2 / S^2.
    pub own_slope2: f64,
    /// sum sigma_t^2 V / S^2: J.
    pub j: f64,
    /// sum r^2 / (sigma_t^2 + variance of the fitted flux).
    pub chi2: f64,
    /// Number of pixels.
    pub n_pix: usize,
}

/// Errors from [`PrecisionSums`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// 1-sigma error of the difference to the reference, km/s.
    pub rv_err_km_s: f64,
    /// What is left of it once the star's offset is known, km/s.
    pub rv_err_own_km_s: f64,
    /// Reduced chi^2.
    pub chi2_red: f64,
    /// Share of the squared slope that is noise.
    pub noise_share: f64,
}

/// The squared slope is not taken below this part of its noisy value, however large its expected noise.
const MIN_SIGNAL_SHARE: f64 = 0.1;

impl PrecisionSums {
    /// Adds a pixel: residual, sigma_t^2, sigma_ref^2, slope in 1/(km/s), and the variances of the fitted flux and slope.
    #[inline]
    pub fn add(
        &mut self,
        residual: f64,
        sigma2: f64,
        pixel_variance: f64,
        slope: f64,
        flux_variance: f64,
        slope_variance: f64,
    ) {
        let inverse = 1.0 / (sigma2 + pixel_variance);
        let own = sigma2 * inverse * inverse;
        let slope2 = slope * slope;
        self.slope2 += slope2 * inverse;
        self.slope_noise += slope_variance * inverse;
        self.own_slope2 += own * slope2;
        self.j += own * slope_variance;
        self.chi2 += residual * residual / (sigma2 + flux_variance);
        self.n_pix += 1;
    }

    /// Errors and chi^2. The curvature of the likelihood is that of the noise-free reference, I = sum (f'^2 - V) / S: the noise
    /// of the slope that adds to f'^2 is taken out again by the noise of the reference's curvature, which belongs to the same pixels.
    pub fn precision(&self) -> Precision {
        let information = (self.slope2 - self.slope_noise).max(MIN_SIGNAL_SHARE * self.slope2);
        let own = (self.own_slope2 - self.j).max(MIN_SIGNAL_SHARE * self.own_slope2);
        Precision {
            rv_err_km_s: (information + self.j).sqrt() / information,
            rv_err_own_km_s: (own + self.j).sqrt() / information,
            chi2_red: self.chi2 / (self.n_pix as f64 - 1.0).max(1.0),
            noise_share: self.slope_noise / self.slope2,
        }
    }
}
