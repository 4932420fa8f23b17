//! The coadd of the others at the pixels of an exposure.

use crate::C_KM_S;
use crate::reference::single::{cubic, dot};
use crate::spectrum::normalize::Normalized;
use crate::spline::bspline::{Knots, basis};

/// The coadd of the others, as a sweep sees it.
pub(super) struct View<'a> {
    pub scale: &'a Scale,
    pub knots: Knots,
    pub coefficients: &'a [f64],
    pub variance: &'a [f64],
    /// Variances of fitted flux and slope (per pixel of the scale) at each pixel of the scale, those of all exposures' coadd.
    pub spread: &'a [[f64; 2]],
    /// By how much they are larger without the exposure.
    pub spread_factor: f64,
    pub covered: (usize, usize),
}

/// The common scale of pixels.
#[derive(Clone, Debug, Default)]
pub(super) struct Scale {
    /// Pixels per km/s, from each pixel to the next.
    pub pixels_per_km_s: Vec<f64>,
}

impl Scale {
    pub fn new(ln_wave: &[f64]) -> Self {
        let mut pixels_per_km_s: Vec<f64> = ln_wave
            .windows(2)
            .map(|pair| 1.0 / (C_KM_S * (pair[1] - pair[0])))
            .collect();
        pixels_per_km_s.extend(pixels_per_km_s.last().copied());
        Scale { pixels_per_km_s }
    }

    /// In the middle.
    pub fn pixels_in(&self, rv_km_s: f64) -> f64 {
        rv_km_s * self.pixels_per_km_s[self.pixels_per_km_s.len() / 2]
    }
}

impl View<'_> {
    pub fn flux(&self, x: f64) -> f64 {
        let (interval, t) = self.knots.locate(x);
        dot(&basis(t), &self.coefficients[interval..])
    }
}

/// The others' coadd at an exposure's pixels, from `first` on, and the exposure's residuals. Kept for its memory.
#[derive(Clone, Debug, Default)]
pub(super) struct AtPixels {
    /// Number of the first pixel.
    pub first: usize,
    pub flux: Vec<f64>,
    pub slope: Vec<f64>,
    pub variance: Vec<f64>,
    pub residual: Vec<f64>,
    pub of_flux: Vec<f64>,
    pub of_slope: Vec<f64>,
}

impl AtPixels {
    /// Evaluates the others at the pixels that they cover.
    #[inline(never)]
    pub fn evaluate(&mut self, exposure: &Normalized, x: &[f64], others: &View<'_>) {
        let (low, high) = (others.covered.0 as f64, others.covered.1 as f64);
        // Positions ascend; beyond the scale's ends they are no numbers.
        let from = x.iter().position(|x| *x >= low).unwrap_or(x.len());
        let n = x[from..].iter().take_while(|x| **x <= high).count();
        self.first = from;
        for values in [
            &mut self.flux,
            &mut self.slope,
            &mut self.variance,
            &mut self.residual,
            &mut self.of_flux,
            &mut self.of_slope,
        ] {
            values.clear();
            values.resize(n, 0.0);
        }
        let per_pixel = 1.0 / others.knots.spacing as f64;
        let last = others.knots.n_interval - 1;
        let mut current = usize::MAX;
        let (mut flux, mut variance) = ([0.0; 4], [0.0; 4]);
        let observed = x[from..from + n].iter().zip(&exposure.flux[from..]);
        let values = self.flux.iter_mut().zip(&mut self.slope);
        let values = values.zip(self.variance.iter_mut().zip(&mut self.residual));
        let values = values.zip(self.of_flux.iter_mut().zip(&mut self.of_slope));
        for ((x, observed), ((model, noise), spread)) in observed.zip(values) {
            let t = x * per_pixel;
            let interval = (t as usize).min(last);
            if interval != current {
                flux = cubic(&others.coefficients[interval..], 0.0, 1.0);
                variance = cubic(&others.variance[interval..], 0.0, 1.0);
                current = interval;
            }
            let t = t - interval as f64;
            let value = flux[0] + t * (flux[1] + t * (flux[2] + t * flux[3]));
            let rise = flux[1] + t * (2.0 * flux[2] + t * 3.0 * flux[3]);
            let pixels_per_km_s = others.scale.pixels_per_km_s[*x as usize];
            let [of_flux, of_slope] = others.spread[(*x + 0.5) as usize];
            *model.0 = value;
            *model.1 = -rise * per_pixel * pixels_per_km_s;
            *noise.0 = variance[0] + t * (variance[1] + t * (variance[2] + t * variance[3]));
            *noise.1 = observed - value;
            *spread.0 = others.spread_factor * of_flux;
            *spread.1 = others.spread_factor * of_slope * pixels_per_km_s * pixels_per_km_s;
        }
    }
}
