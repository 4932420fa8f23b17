//! What each exposure adds to the coadd, where its velocity puts it.

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
    /// An exposure's pixels on the scale `ln_wave`, at rest when they are shifted back by `shift` in ln wavelength.
    pub fn new(exposure: &Normalized, ln_wave: &[f64], knots: Knots, shift: f64) -> Self {
        let n = ln_wave.len();
        let n_pix = exposure.ln_wave.len();
        let mut part = Part {
            x: Vec::with_capacity(n_pix),
            interval: Vec::with_capacity(n_pix),
            pixels_per_km_s: Vec::with_capacity(n_pix),
            sums: Sums::new(knots, n),
        };
        let (mut i, mut per_ln) = (0, 1.0 / (ln_wave[1] - ln_wave[0]));
        for l in &exposure.ln_wave {
            let l = l - shift;
            while i + 2 < n && ln_wave[i + 1] <= l {
                i += 1;
                per_ln = 1.0 / (ln_wave[i + 1] - ln_wave[i]);
            }
            let at = i as f64 + (l - ln_wave[i]) * per_ln;
            let is_inside = at >= 0.0 && at <= (n - 1) as f64;
            part.x.push(if is_inside { at } else { f64::NAN });
            part.pixels_per_km_s.push((per_ln / C_KM_S) as f32);
        }
        // No interval has a position that is not a number: it becomes 0.
        let interval = |x: &f64| knots.locate(*x).0 as u32;
        part.interval.extend(part.x.iter().map(interval));
        let Part { x, sums, .. } = &mut part;
        sums.equations
            .add_pixels(knots, x, &exposure.flux, &exposure.ivar);
        // Each pixel of the scale has the inverse variance of the exposure's nearest one.
        let mut k = x.iter().position(|x| x.is_finite()).unwrap_or(0);
        for (i, ivar) in sums.ivar.iter_mut().enumerate() {
            let distance = |k: usize| (x[k] - i as f64).abs();
            while k + 1 < x.len() && distance(k + 1) <= distance(k) {
                k += 1;
            }
            if distance(k) <= 1.0 {
                *ivar = exposure.ivar[k];
            }
        }
        part
    }
}
