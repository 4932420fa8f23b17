//! How well a velocity is known: the sums behind its error and its chi^2.

/// Sums over the pixels at the best velocity. S = sigma_t^2 + sigma_ref^2, f' = d f_ref / d v, V = variance of f'.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PrecisionSums {
    /// I = sum f'^2 / S.
    pub slope2: f64,
    /// sum V / S: the part of the squared slope that is unknown, because the reference has noise.
    pub slope_noise: f64,
    /// sum sigma_t^2 f'^2 / S^2.
    pub own_slope2: f64,
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
    /// 1-sigma error without the part that all velocities of the star share (the noise of its reference), km/s.
    pub rv_err_own_km_s: f64,
    /// Reduced chi^2.
    pub chi2_red: f64,
    /// Share of the expected squared slope that is not known.
    pub noise_share: f64,
}

/// A pixel as [`PrecisionSums::add`] wants it.
#[derive(Clone, Copy, Debug)]
#[cfg(feature = "lab")]
pub struct PixelAtPeak {
    /// Observed minus reference flux.
    pub residual: f64,
    /// sigma_t^2.
    pub variance: f64,
    /// sigma_ref^2.
    pub reference_variance: f64,
    /// f', 1/(km/s).
    pub slope: f64,
    /// Variance of the fitted flux of the reference.
    pub flux_variance: f64,
    /// Variance of its fitted slope.
    pub slope_variance: f64,
}

impl PrecisionSums {
    /// Adds a pixel.
    #[inline]
    #[cfg(feature = "lab")]
    pub fn add(&mut self, pixel: &PixelAtPeak) {
        let inverse = 1.0 / (pixel.variance + pixel.reference_variance);
        let slope2 = pixel.slope * pixel.slope;
        self.slope2 += slope2 * inverse;
        self.slope_noise += pixel.slope_variance * inverse;
        self.own_slope2 += pixel.variance * slope2 * inverse * inverse;
        self.chi2 += pixel.residual * pixel.residual / (pixel.variance + pixel.flux_variance);
        self.n_pix += 1;
    }

    /// Errors and chi^2, for a reference of which `response` is the share of its squared slope that is the star's
    /// ([`crate::reference::response`]).
    ///
    /// The velocity moves by sum f' n / S / R for noise n, with R = `response` I. Of the numerator's variance, what the
    /// exposure's noise gives is sum sigma_t^2 f'^2 / S^2. The reference's noise acts through the star's slope alone, so
    /// `response` of the rest is left. Where the star is well seen, the response is 1 and the error I^(-1/2).
    ///
    /// That the slope f' is itself uncertain does not add to it, since f' is the mean of what the slope can be given the
    /// reference exposure. (For a least-squares spline without prior it is not, and the error is sqrt(I + J) / I with
    /// J = sum sigma_t^2 V / S^2.)
    pub fn precision(&self, response: f64) -> Precision {
        let noise_share = self.slope_noise / (self.slope2 + self.slope_noise);
        let known = response * self.slope2;
        let common = response * (self.slope2 - self.own_slope2);
        Precision {
            rv_err_km_s: (self.own_slope2 + common).sqrt() / known,
            rv_err_own_km_s: self.own_slope2.sqrt() / known,
            chi2_red: self.chi2 / (self.n_pix as f64 - 1.0).max(1.0),
            noise_share,
        }
    }
}
