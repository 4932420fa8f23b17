//! The coadd of the others at the pixels of an exposure.

use std::ops::Range;

use multiversion::multiversion;

use super::Coadd;
use super::scale::Scale;
use super::sums::{Part, set_difference, total};
use crate::reference::single::{longest_covered, smooth_variance};
use crate::spectrum::normalize::Normalized;
use crate::spline::bspline::{Knots, NormalEquations, SplineFit, basis, dot, powers};

/// Pixels that are computed side by side.
pub(super) const LANES: usize = 4;

/// So many numbers side by side.
pub(super) type Lanes = [f64; LANES];

/// The numbers of `column` from `start` on, and 0 for those from `end` on.
#[inline(always)]
pub(super) fn lanes(column: &[f64], start: usize, end: usize) -> Lanes {
    if let (true, Some(all)) = (start + LANES <= end, column[start..].first_chunk()) {
        return *all;
    }
    let mut some = [0.0; LANES];
    for (value, there) in some.iter_mut().zip(&column[start..end]) {
        *value = *there;
    }
    some
}

/// The coadd of the others, as a sweep sees it.
pub(super) struct View<'a> {
    pub scale: &'a Scale,
    pub knots: Knots,
    pub coefficients: &'a [f64],
    /// The pieces of flux and per-pixel variance ([`fill_pieces`]).
    pub pieces: &'a [Piece],
    /// Variances of fitted flux and slope (per pixel of the scale) at each pixel of the scale, those of all exposures' coadd.
    pub spread: &'a [[f64; 2]],
    /// By how much they are larger without the exposure.
    pub spread_factor: f64,
    pub covered: (usize, usize),
}

/// Flux and per-pixel variance of the others in one knot interval, by powers of the fraction of it.
pub(super) type Piece = [[f64; 4]; 2];

/// All pieces of the splines with these coefficients, into `out`.
#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn fill_pieces(out: &mut Vec<Piece>, flux: &[f64], variance: &[f64]) {
    let n = (flux.len().min(variance.len()) + 1).saturating_sub(4);
    out.resize(n, [[0.0; 4]; 2]);
    for (i, out) in out.iter_mut().enumerate() {
        if let (Some(flux), Some(variance)) = (flux[i..].first_chunk(), variance[i..].first_chunk())
        {
            *out = [powers(flux), powers(variance)];
        }
    }
}

/// What the coadd without one exposure is made in. Kept for its memory.
#[derive(Default)]
pub(super) struct Others {
    fit: SplineFit,
    ivar: Vec<f64>,
    pieces: Vec<Piece>,
}

impl Coadd {
    /// The coadd without exposure i; none where the others cover nothing. `with_prior` are the equations of all exposures with the
    /// prior.
    pub(super) fn without<'a>(
        &'a self,
        i: usize,
        with_prior: &NormalEquations,
        others: &'a mut Others,
    ) -> Option<View<'a>> {
        let Others { fit, ivar, pieces } = others;
        let own = self.members[i].then_some(&self.parts[i].sums);
        match own {
            Some(own) => set_difference(ivar, &self.all.ivar, &own.ivar),
            None => ivar.clone_from(&self.all.ivar),
        }
        let covered = longest_covered(ivar)?;
        fit.coefficients_without(with_prior, own.map(|own| &own.equations));
        fill_pieces(
            pieces,
            &fit.coefficients,
            &smooth_variance(self.knots, ivar),
        );
        Some(View {
            scale: &self.scale,
            knots: self.knots,
            coefficients: &fit.coefficients,
            pieces,
            spread: &self.spread,
            spread_factor: total(&self.all.ivar) / total(ivar),
            covered,
        })
    }
}

impl View<'_> {
    pub fn flux(&self, x: f64) -> f64 {
        let (interval, t) = self.knots.locate(x);
        dot(&basis(t), &self.coefficients[interval..])
    }
}

/// The others' coadd at `n` of an exposure's pixels, from `first` on, and what it leaves of them. Its vectors are a little longer, to
/// whole lanes. Kept for its memory.
#[derive(Clone, Debug, Default)]
pub(super) struct AtPixels {
    /// Number of the first pixel.
    pub first: usize,
    /// Number of pixels.
    pub n: usize,
    pub flux: Vec<f64>,
    /// f'.
    pub slope: Vec<f64>,
    /// sigma_ref^2.
    pub variance: Vec<f64>,
    pub residual: Vec<f64>,
    /// sigma_t^2; 1 for pixels that do not count.
    pub noise2: Vec<f64>,
    /// 1 / S; 0 for pixels that do not count.
    pub inverse: Vec<f64>,
    /// Variance of the fitted flux; [`AtPixels::add_spread`].
    pub of_flux: Vec<f64>,
    /// Variance of the fitted slope.
    pub of_slope: Vec<f64>,
}

impl AtPixels {
    /// Evaluates the others at the pixels that they cover.
    pub fn evaluate(&mut self, exposure: &Normalized, part: &Part, others: &View<'_>) {
        let (low, high) = (others.covered.0 as f64, others.covered.1 as f64);
        // Positions ascend; beyond the scale's ends they are no numbers.
        let x = &part.x;
        let from = x.iter().position(|x| *x >= low).unwrap_or(x.len());
        let beyond = x.iter().rev().position(|x| *x <= high);
        let end = x.len() - beyond.unwrap_or(x.len());
        let which = from..end.max(from);
        self.first = from;
        self.n = which.len();
        for values in [
            &mut self.flux,
            &mut self.slope,
            &mut self.variance,
            &mut self.residual,
            &mut self.noise2,
            &mut self.inverse,
        ] {
            values.resize(self.n.next_multiple_of(LANES), 0.0);
        }
        evaluate(self, exposure, part, others, which);
    }

    /// The variances of what was fitted, at the same pixels.
    pub fn add_spread(&mut self, part: &Part, others: &View<'_>) {
        let which = self.first..self.first + self.n;
        let places = part.x[which.clone()].iter();
        let places = places.zip(&part.pixels_per_km_s[which]);
        self.of_flux.clear();
        self.of_slope.clear();
        for (x, pixels_per_km_s) in places {
            let [of_flux, of_slope] = others.spread[(*x + 0.5) as usize];
            let per_km_s = f64::from(*pixels_per_km_s);
            self.of_flux.push(others.spread_factor * of_flux);
            let factor = others.spread_factor * per_km_s * per_km_s;
            self.of_slope.push(factor * of_slope);
        }
    }
}

#[multiversion(targets("x86_64+avx2+fma", "aarch64+neon"))]
fn evaluate(
    out: &mut AtPixels,
    exposure: &Normalized,
    part: &Part,
    others: &View<'_>,
    which: Range<usize>,
) {
    let per_pixel = 1.0 / others.knots.spacing as f64;
    let (flux, ivar) = (&exposure.flux[which.clone()], &exposure.ivar[which.clone()]);
    let (x, interval) = (&part.x[which.clone()], &part.interval[which.clone()]);
    let pixels_per_km_s = &part.pixels_per_km_s[which];
    let n = x.len();
    let values = out.flux.as_chunks_mut::<LANES>().0.iter_mut();
    let values = values.zip(out.slope.as_chunks_mut::<LANES>().0);
    let values = values.zip(out.variance.as_chunks_mut::<LANES>().0);
    let values = values.zip(out.residual.as_chunks_mut::<LANES>().0);
    let values = values.zip(out.noise2.as_chunks_mut::<LANES>().0);
    let values = values.zip(out.inverse.as_chunks_mut::<LANES>().0);
    for (chunk, (((((out_flux, out_slope), out_variance), residual), noise2), inverse)) in
        values.enumerate()
    {
        let start = chunk * LANES;
        let x = lanes(x, start, n);
        let (observed, ivar) = (lanes(flux, start, n), lanes(ivar, start, n));
        let at = std::array::from_fn(|l| (start + l).min(n - 1));
        let interval: [u32; LANES] = at.map(|i: usize| interval[i]);
        let per_km_s = at.map(|i| f64::from(pixels_per_km_s[i]));
        let rows: [&Piece; LANES] = interval.map(|i| &others.pieces[i as usize]);
        // Number l of row k: the factor of the power k at pixel l.
        let of = |which: usize| -> [Lanes; 4] {
            std::array::from_fn(|k| std::array::from_fn(|l| rows[l][which][k]))
        };
        let ([f0, f1, f2, f3], [v0, v1, v2, v3]) = (of(0), of(1));
        // Local, so that the compiler sees that nothing else is written to.
        let mut value = [[0.0; LANES]; 6];
        for l in 0..LANES {
            let t = x[l] * per_pixel - f64::from(interval[l]);
            let flux = f0[l] + t * (f1[l] + t * (f2[l] + t * f3[l]));
            let rise = f1[l] + t * (2.0 * f2[l] + t * (3.0 * f3[l]));
            let variance = v0[l] + t * (v1[l] + t * (v2[l] + t * v3[l]));
            let is_good = ivar[l] > 0.0;
            let noise = 1.0 / if is_good { ivar[l] } else { 1.0 };
            value[0][l] = flux;
            value[1][l] = -rise * per_pixel * per_km_s[l];
            value[2][l] = variance;
            value[3][l] = observed[l] - flux;
            value[4][l] = noise;
            value[5][l] = if is_good { 1.0 } else { 0.0 } / (noise + variance);
        }
        [
            *out_flux,
            *out_slope,
            *out_variance,
            *residual,
            *noise2,
            *inverse,
        ] = value;
    }
}
