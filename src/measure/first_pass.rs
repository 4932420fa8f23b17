//! The first pass: a star's exposures against the best of them, all stars of one band in one call of the back end.

use std::collections::HashSet;

use super::alone::Alone;
use super::comparison::Comparison;
use super::prepared::Prepared;
use super::stages::{Stage, StageClocks};
use crate::Result;
use crate::likelihood::{Batch, Likelihood, Measurement, RvFlags};
use crate::reference::SunlitWhere;
use crate::reference::coadd::Lines;
use crate::spectrum::Normalized;

/// A star in one band, measured against its best exposure.
#[derive(Clone, Debug)]
pub struct FirstPass {
    /// Number of the star: all its bands have the same.
    pub star: i64,
    /// Number of the band, from 0. The first band decides whether the widths of lines are looked at ([`crate::double_lined`]).
    pub band: usize,
    /// Its exposures.
    pub normalized: Vec<Normalized>,
    /// Which of them is the reference: that of highest signal-to-noise ratio, or the next best one where that is unlike the others.
    pub best: usize,
    /// The measurement of each exposure: first against the best one, later against the coadd of the others.
    pub measurements: Vec<Measurement>,
    /// Exposures that the reference is made of.
    pub n_reference: i32,
    /// Which exposures show two sets of lines.
    pub double_lined: Vec<bool>,
    /// Which exposures were found to be unlike the others and left out ("odd" in `measure::coadd`).
    pub odd: Vec<bool>,
    /// The best exposure of a star that looks double, left out to see whether it does so without it.
    pub(super) on_trial: Option<usize>,
    /// The measurements against that exposure, as they were before it was left out; else none.
    pub(super) before_trial: Vec<Measurement>,
    /// It was left out because the exposures were no copies of each other, and not because the star looks double; what was known then.
    pub(super) no_copies: Option<Alone>,
    /// Before that exposure was left out, the star looked double by what this band shows, without the other bands.
    pub(super) is_suspected: bool,
    /// Factor on the quoted noise of each exposure; 1 where the quoted noise is used as it is.
    pub noise_scale: Vec<f64>,
    /// Sunlight in each exposure, of a star that has a coadd; else empty.
    pub sunlit: Vec<Option<SunlitWhere>>,
    /// By how much sunlight made the errors of each larger, km/s, where it did; else empty.
    pub sunlight_err_km_s: Vec<f64>,
    /// Mean squared slope of the reference of each exposure, (km/s)^-2, of a star that has a coadd; else empty.
    pub slope2: Vec<f64>,
    /// Where the star's lines lie in this band and how wide they are, of a star that has a coadd.
    pub lines: Option<Lines>,
}

impl FirstPass {
    /// The first pass of star number `star` in band number `band`, whose exposure `best` is the reference of these measurements.
    pub fn new(
        star: i64,
        band: usize,
        normalized: Vec<Normalized>,
        best: usize,
        measurements: Vec<Measurement>,
    ) -> Self {
        FirstPass {
            double_lined: vec![false; measurements.len()],
            odd: vec![false; measurements.len()],
            noise_scale: vec![1.0; measurements.len()],
            sunlit: Vec::new(),
            sunlight_err_km_s: Vec::new(),
            slope2: Vec::new(),
            lines: None,
            on_trial: None,
            before_trial: Vec::new(),
            no_copies: None,
            is_suspected: false,
            star,
            band,
            normalized,
            best,
            measurements,
            n_reference: 1,
        }
    }

    /// If an exposure was left out on trial, it is the reference again, and the measurements are those against it. The exposures
    /// must be as they were then.
    pub(super) fn end_trial(&mut self) {
        if let Some(best) = self.on_trial.take() {
            self.odd[best] = false;
            self.best = best;
            self.measurements = std::mem::take(&mut self.before_trial);
        }
    }

    /// Adds to the measurements' flags what is known of the exposures together. `is_double`: the star shows two sets of lines in some
    /// exposure of any band.
    fn flag(&mut self, is_double: bool) {
        let is_single = self.measurements.len() == 1;
        for (m, double_lined) in self.measurements.iter_mut().zip(&self.double_lined) {
            if *double_lined {
                m.flags |= RvFlags::DOUBLE_LINED;
            } else if is_double {
                m.flags |= RvFlags::BLENDED;
            }
            if is_single {
                m.flags |= RvFlags::SINGLE_EXPOSURE;
            }
        }
    }
}

/// Adds to the flags of all measurements what is known of the exposures of a star together. All bands of a star must be among `stars`.
pub(super) fn flag(stars: &mut [FirstPass]) {
    let is_double = |star: &&FirstPass| star.double_lined.contains(&true);
    let double: HashSet<i64> = stars.iter().filter(is_double).map(|s| s.star).collect();
    for star in stars {
        star.flag(double.contains(&star.star));
    }
}

/// Measures prepared stars, each with its number, in one call of the back end.
///
/// # Errors
/// What the back end says.
pub(super) fn first_pass(
    comparison: &Comparison,
    stars: Vec<(i64, Prepared)>,
    backend: &dyn Likelihood,
    clocks: &StageClocks,
) -> Result<Vec<FirstPass>> {
    let mut batch = Batch {
        grid: comparison.grid,
        references: Vec::with_capacity(stars.len()),
        spectra: Vec::new(),
    };
    let mut rest = Vec::with_capacity(stars.len());
    for (number, star) in stars {
        let reference = batch.references.len();
        batch.references.push(star.reference);
        rest.push((
            number,
            star.band,
            star.normalized,
            star.best,
            star.double_lined,
        ));
        let pixels = star.pixels.into_iter();
        let of_star = pixels.map(|p| p.with_reference(reference));
        batch.spectra.extend(of_star);
    }
    let measure = || backend.measure(&batch);
    let measurements = match backend.takes_plates() {
        true => clocks.time_all_threads(Stage::Likelihood, measure)?,
        false => clocks.time(Stage::Likelihood, measure)?,
    };
    let mut measurements = measurements.into_iter();
    let of_star = |(number, band, normalized, best, double_lined): (_, _, _, _, Vec<bool>)| {
        let of_star = measurements.by_ref().take(double_lined.len()).collect();
        FirstPass {
            double_lined,
            ..FirstPass::new(number, band, normalized, best, of_star)
        }
    };
    Ok(rest.into_iter().map(of_star).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(star: i64, band: usize, double_lined: &[bool]) -> FirstPass {
        let of_none = vec![Measurement::without_pixels(); double_lined.len()];
        FirstPass {
            double_lined: double_lined.to_vec(),
            ..FirstPass::new(star, band, Vec::new(), 0, of_none)
        }
    }

    #[test]
    fn one_exposure_with_two_sets_of_lines_makes_blends_of_the_stars_others_in_all_bands() {
        const ALL: RvFlags = RvFlags::DOUBLE_LINED.union(RvFlags::BLENDED);
        let mut stars = [
            band(1, 0, &[false, true, false]),
            band(2, 0, &[false, false]),
            band(1, 1, &[false, false]),
            band(3, 1, &[false]),
        ];
        flag(&mut stars);
        let flags = |i: usize| -> Vec<RvFlags> {
            let all = stars[i].measurements.iter();
            all.map(|m| m.flags & (ALL | RvFlags::SINGLE_EXPOSURE))
                .collect()
        };
        let blended = RvFlags::BLENDED;
        assert_eq!(flags(0), [blended, RvFlags::DOUBLE_LINED, blended]);
        assert_eq!(flags(1), [RvFlags::empty(); 2]);
        assert_eq!(flags(2), [blended; 2]);
        assert_eq!(flags(3), [RvFlags::SINGLE_EXPOSURE]);
        assert!(RvFlags::NO_VELOCITY.contains(ALL));
    }
}
