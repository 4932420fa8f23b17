//! The likelihood of one exposure at all velocities, for whoever wants to look at it.

use ndarray::Array1;

use super::comparison::Comparison;
use super::first_pass::FirstPass;
use crate::likelihood::grid::{rv_of_shift_km_s, shift_of_rv_km_s};
use crate::likelihood::{Batch, Likelihood, RvFlags, SpectrumPixels, VelocityGrid};
use crate::reference::{Coadd, Reference};
use crate::spectrum::Normalized;
use crate::{Error, Result};

/// ln L over the grid of velocities. Both arrays have one value for each velocity of the grid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Curve {
    /// Velocities c z on the scale of the star's velocities, km/s, ascending.
    pub rv_km_s: Array1<f64>,
    /// ln L (natural logarithm) at each of them, with all constants of the Gaussian.
    pub ln_l: Array1<f64>,
}

/// An exposure, and the reference that it was compared with.
pub(super) struct Against {
    /// The reference: the coadd of the star's others, or its best exposure.
    pub reference: Reference,
    /// The exposure, without the pixels that were taken out of it because no other exposure has what they show.
    pub exposure: Normalized,
    /// c ln(1 + v/c) of the reference's own zero on the scale of the star's velocities, km/s.
    zero_km_s: f64,
}

impl Against {
    /// Velocity c z on the scale of the star's velocities of what has this one against the reference, km/s.
    pub fn on_scale_of_star(&self, rv_km_s: f64) -> f64 {
        rv_of_shift_km_s(shift_of_rv_km_s(rv_km_s) + self.zero_km_s)
    }

    /// Velocity c z against the reference of what has this one on the scale of the star's velocities, km/s.
    pub fn on_scale_of_reference(&self, rv_km_s: f64) -> f64 {
        rv_of_shift_km_s(shift_of_rv_km_s(rv_km_s) - self.zero_km_s)
    }
}

/// Exposures `places` of a star that was measured, each with its reference; none where it has none.
pub(in crate::measure) fn against(
    comparison: &Comparison,
    exposures: &[Normalized],
    star: &FirstPass,
    places: &[usize],
) -> Vec<Option<Against>> {
    match coadd(comparison, exposures, star) {
        Some(coadd) => {
            let zero_km_s = shift_of_rv_km_s(coadd.against_best_km_s(0.0));
            let references = coadd.references(places).into_iter();
            let of_coadd = |(reference, place): (Option<Reference>, &usize)| {
                Some(Against {
                    reference: reference?,
                    exposure: coadd.exposures()[*place].clone(),
                    zero_km_s,
                })
            };
            references.zip(places).map(of_coadd).collect()
        }
        None => {
            // Without the defects that were clipped, where the star's exposures were laid over each other.
            let used = match star.normalized.len() == exposures.len() {
                true => &star.normalized,
                false => exposures,
            };
            let best = Reference::new(&used[star.best], comparison.knot_pixels);
            let of_best = |place: &usize| {
                Some(Against {
                    reference: best.clone()?,
                    exposure: used[*place].clone(),
                    zero_km_s: 0.0,
                })
            };
            places.iter().map(of_best).collect()
        }
    }
}

/// ln L of exposure `place` of a star that was measured.
///
/// # Errors
/// [`Error::NothingUsable`] where it has no reference; what the back end says.
pub(super) fn of(
    comparison: &Comparison,
    backend: &dyn Likelihood,
    exposures: &[Normalized],
    star: &FirstPass,
    place: usize,
) -> Result<Curve> {
    let mut compared = against(comparison, exposures, star, &[place]);
    let Some(against) = compared.pop().flatten() else {
        return Err(Error::NothingUsable("no reference".to_owned()));
    };
    on_grid(comparison.grid, backend, &against)
}

/// ln L of an exposure against its reference at the velocities of a grid.
///
/// # Errors
/// As [`of`].
pub(super) fn on_grid(
    grid: VelocityGrid,
    backend: &dyn Likelihood,
    against: &Against,
) -> Result<Curve> {
    let pixels = SpectrumPixels::new(&against.exposure, &against.reference, &grid);
    if pixels.is_empty() {
        return Err(Error::NothingUsable(
            "no pixel can be compared with the reference at all velocities".to_owned(),
        ));
    }
    let constant = pixels.ln_constant();
    let batch = Batch {
        grid,
        references: vec![against.reference.clone()],
        spectra: vec![pixels],
    };
    let ln_l = Array1::from(backend.curve(&batch, 0)?) + constant;
    let rv = |i: usize| against.on_scale_of_star(rv_of_shift_km_s(grid.shift_km_s(i as f64)));
    Ok(Curve {
        rv_km_s: (0..grid.len()).map(rv).collect(),
        ln_l,
    })
}

/// The star's coadd where its velocities were measured against one.
fn coadd(comparison: &Comparison, exposures: &[Normalized], star: &FirstPass) -> Option<Coadd> {
    if star.n_reference < 2 {
        return None;
    }
    let no_place = RvFlags::EDGE | RvFlags::NO_CURVATURE;
    let zero = star.measurements[star.best].rv_km_s;
    let places: Vec<f64> = star
        .measurements
        .iter()
        .zip(&star.odd)
        .map(|(m, odd)| match *odd || m.flags.intersects(no_place) {
            true => f64::NAN,
            false => m.rv_km_s - zero,
        })
        .collect();
    let spacing = comparison.knot_pixels;
    let mut coadd = Coadd::new(exposures.to_vec(), star.best, spacing, &places).ok()?;
    coadd.settle().then_some(coadd)
}
