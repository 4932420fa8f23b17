//! What was taken off an exposure: water lines of the Earth's air, divided out of its spectrum, and what only all stars of the plate tell,
//! subtracted from its velocity: moonlight, and what stands still on the detector.

use super::{OneStar, Spectra, Spectrum};
use crate::Arm;
use crate::catalogue::row::ArmVelocity;

/// Velocities that differ by less are the same number in the table, km/s.
pub const SAME_KM_S: f64 = 0.0005;

/// The spectrum of a row in an arm, if it was measured again.
pub fn spectrum<'a>(
    star: &OneStar,
    spectra: &'a [Spectrum],
    arm: Arm,
    row: usize,
) -> Option<&'a Spectrum> {
    let e = star.products.catalogue.exposure(row);
    let is_it = |s: &&Spectrum| (s.arm, s.lmjm, s.fibre) == (arm, e.lmjm, (e.spid, e.fiberid));
    spectra.iter().find(is_it)
}

/// The velocity of the run less that of the spectrum by itself, where they differ; NaN where one of them is missing.
pub fn from_velocity_km_s(s: &Spectrum, of_run: &ArmVelocity) -> f64 {
    let difference = of_run.rv_km_s - s.rv_km_s;
    match difference.abs() < SAME_KM_S {
        true => 0.0,
        false => difference,
    }
}

/// The water, in words; none where none was divided out.
pub fn water(s: &Spectrum) -> Option<String> {
    let (mm, left) = (s.water_mm?, s.water.as_ref()?);
    let least = left.iter().copied().fold(1.0, f64::min);
    Some(format!(
        "water lines of {mm:.1} mm of water were divided out, {:.1} % of the light at the deepest",
        100.0 * (1.0 - least)
    ))
}

/// A cell of the table of velocities: empty where nothing was taken off.
fn cell(s: &Spectrum, of_run: &ArmVelocity) -> String {
    let water = s.water_mm.filter(|_| s.water.is_some());
    let water = water.map(|mm| format!("water {mm:.1} mm"));
    let difference = from_velocity_km_s(s, of_run);
    let by_others = (difference.is_finite() && difference != 0.0)
        .then(|| format!("sky and detector {difference:+.3} km/s"));
    [water, by_others]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether anything was taken off any of the star's spectra that were measured again: then the table has a column for it.
pub fn is_any(star: &OneStar, spectra: &Spectra) -> bool {
    let all = || {
        star.rows
            .iter()
            .flat_map(|row| star.arms.iter().map(|arm| (*row, *arm)))
    };
    all().any(|(row, arm)| !told(star, spectra, arm, row).unwrap_or_default().is_empty())
}

/// What was taken off an exposure in an arm; none where its spectrum was not measured again.
pub fn told(star: &OneStar, spectra: &Spectra, arm: Arm, row: usize) -> Option<String> {
    let Spectra::Seen { spectra, .. } = spectra else {
        return None;
    };
    let of_run = star.products.catalogue.arm(arm, row);
    spectrum(star, spectra, arm, row).map(|s| cell(s, of_run))
}
