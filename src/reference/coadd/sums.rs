//! What each exposure adds to the coadd, where its velocity puts it.

use super::scale::Scale;
use crate::C_KM_S;
use crate::spectrum::normalize::Normalized;
use crate::spline::bspline::{Knots, NormalEquations};

/// Sums over exposures.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub equations: NormalEquations,
    /// Inverse variance at each pixel of the scale.
    pub ivar: Vec<f64>,
}

impl Sums {
    pub fn new(knots: Knots, n: usize) -> Self {
        Sums {
            equations: NormalEquations::new(knots),
            ivar: vec![0.0; n],
        }
    }

    pub fn set_difference(&mut self, all: &Sums, part: &Sums) {
        self.equations
            .set_difference(&all.equations, &part.equations);
        set_difference(&mut self.ivar, &all.ivar, &part.ivar);
    }

    pub fn add(&mut self, other: &Sums) {
        self.equations.add(&other.equations);
        for (a, b) in self.ivar.iter_mut().zip(&other.ivar) {
            *a += b;
        }
    }
}

/// Inverse variances of `all` without those of `part`, into `out`.
pub(super) fn set_difference(out: &mut Vec<f64>, all: &[f64], part: &[f64]) {
    out.clear();
    // A difference of less than a billionth is the rounding of two equal numbers, and no information.
    let less = |(a, p): (&f64, &f64)| if a - p > 1e-9 * a { a - p } else { 0.0 };
    out.extend(all.iter().zip(part).map(less));
}

/// Sum of inverse variances.
pub(super) fn total(ivar: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (chunks, rest) = ivar.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, w) in sums.iter_mut().zip(chunk) {
            *sum += w;
        }
    }
    sums.iter().sum::<f64>() + rest.iter().sum::<f64>()
}

/// What one exposure adds to the sums, and where its pixels lie.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Pixel positions on the common scale; NaN beyond its ends.
    pub x: Vec<f64>,
    /// The knot interval of each position; 0 beyond the ends.
    pub interval: Vec<u32>,
    /// Pixels of the scale in a km/s, at each position.
    pub pixels_per_km_s: Vec<f32>,
    pub sums: Sums,
}

impl Part {
    /// An exposure's pixels on the `scale`, at rest when they are shifted back by `shift` in ln wavelength.
    pub fn new(exposure: &Normalized, scale: &Scale, knots: Knots, shift: f64) -> Self {
        let Scale { ln_wave, per_ln } = scale;
        let n = ln_wave.len();
        let n_pix = exposure.ln_wave.len();
        let mut part = Part {
            x: vec![f64::NAN; n_pix],
            interval: Vec::with_capacity(n_pix),
            pixels_per_km_s: vec![0.0; n_pix],
            sums: Sums::new(knots, n),
        };
        let last = (n - 1) as f64;
        let mut i = 0;
        let places = part.x.iter_mut().zip(&mut part.pixels_per_km_s);
        for (l, (x, pixels_per_km_s)) in exposure.ln_wave.iter().zip(places) {
            let l = l - shift;
            while i + 2 < n && ln_wave[i + 1] <= l {
                i += 1;
            }
            let at = i as f64 + (l - ln_wave[i]) * per_ln[i];
            if at >= 0.0 && at <= last {
                *x = at;
            }
            *pixels_per_km_s = (per_ln[i] * (1.0 / C_KM_S)) as f32;
        }
        let per_pixel = 1.0 / knots.spacing as f64;
        let last = knots.n_interval as i32 - 1;
        // A position that is no number becomes 0.
        let interval = |x: &f64| ((x * per_pixel) as i32).min(last) as u32;
        part.interval.extend(part.x.iter().map(interval));
        let Part { x, sums, .. } = &mut part;
        sums.equations
            .add_pixels(knots, x, &exposure.flux, &exposure.ivar);
        add_nearest(&mut sums.ivar, x, &exposure.ivar);
        part
    }
}

/// Gives each pixel of the scale the inverse variance of the exposure's nearest one, if that is a pixel away at most.
fn add_nearest(out: &mut [f64], x: &[f64], ivar: &[f64]) {
    let Some(first) = x.iter().position(|x| x.is_finite()) else {
        return;
    };
    let mut i = 0;
    for k in first..x.len() {
        // From the middle on the next pixel is nearer; after the last one none is.
        let middle = match x.get(k + 1) {
            Some(next) if next.is_finite() => 0.5 * (x[k] + next),
            _ => f64::INFINITY,
        };
        while i < out.len() && (i as f64) < middle {
            if (x[k] - i as f64).abs() <= 1.0 {
                out[i] = ivar[k];
            }
            i += 1;
        }
        if i == out.len() {
            break;
        }
    }
}
