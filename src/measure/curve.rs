//! The likelihood of one exposure at all velocities, for whoever wants to look at it.

use ndarray::Array1;

use super::comparison::Comparison;
use super::first_pass::FirstPass;
use crate::likelihood::grid::rv_of_shift_km_s;
use crate::likelihood::{Backend, Batch, Likelihood, RvFlags, SpectrumPixels};
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

/// ln L of exposure `place` of a star that was measured.
///
/// # Errors
/// [`Error::NothingUsable`] where it has no reference; what the back end says.
pub(super) fn of(
    comparison: &Comparison,
    backend: &Backend,
    exposures: Vec<Normalized>,
    star: &FirstPass,
    place: usize,
) -> Result<Curve> {
    let lone = exposures[place].clone();
    let against = match coadd(comparison, &exposures, star) {
        Some(coadd) => {
            let others = coadd.references(&[place]).pop().flatten();
            let exposure = coadd.exposures()[place].clone();
            let zero = move |rv_km_s| coadd.against_best_km_s(rv_km_s);
            others.map(|others| (others, exposure, Box::new(zero) as Box<dyn Fn(f64) -> f64>))
        }
        None => Reference::new(&exposures[star.best], comparison.knot_pixels).map(|best| {
            (
                best,
                lone,
                Box::new(|rv_km_s| rv_km_s) as Box<dyn Fn(f64) -> f64>,
            )
        }),
    };
    let Some((reference, exposure, to_star)) = against else {
        return Err(Error::NothingUsable("no reference".to_owned()));
    };
    let grid = comparison.grid;
    let pixels = SpectrumPixels::new(&exposure, &reference, &grid);
    if pixels.is_empty() {
        return Err(Error::NothingUsable(
            "no pixel can be compared with the reference at all velocities".to_owned(),
        ));
    }
    let constant = pixels.ln_constant();
    let batch = Batch {
        grid,
        references: vec![reference],
        spectra: vec![pixels],
    };
    let ln_l = Array1::from(backend.curve(&batch, 0)?) + constant;
    let rv = |i: usize| to_star(rv_of_shift_km_s(grid.shift_km_s(i as f64)));
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
