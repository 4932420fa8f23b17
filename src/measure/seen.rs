//! One star of the survey's files, measured once more, for whoever wants to see what stands behind its velocities.
//!
//! It goes through the same steps as in a measurement of all stars, on the CPU, so its velocities are the same before moonlight is taken
//! off: that takes the other stars of its unit, and no pixel of a spectrum changes for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::coadd::against_coadds;
use super::compared::ComparedSpectrum;
use super::comparison::ReferenceKind;
use super::config::MeasureConfig;
use super::curve::{Against, Curve, against, on_grid};
use super::first_pass::{self, FirstPass, first_pass};
use super::plan::{Plan, Unit};
use super::stages::StageClocks;
use super::star::{Exposure, PreparedArm, prepare};
use super::telluric::Air;
use super::workspace::Workspace;
use crate::lamost::mrs;
use crate::lamost::raw::{RawSpectrum, Rejection};
use crate::lamost::stars::Star;
use crate::likelihood::{Cpu, Measurement, VelocityGrid};
use crate::reference::telluric;
use crate::spectrum::Normalized;
use crate::{Arm, Error, Result};

/// Step of the grid on which ln L is shown around its peak, km/s.
const FINE_KM_S: f64 = 0.1;
/// ln L is shown so many errors to either side of its peak, and no less than the second number, km/s.
const NEAR_SIGMA: f64 = 8.0;
const NEAR_KM_S: f64 = 5.0;

/// A star's spectra with what they were compared with.
#[derive(Debug, Default)]
pub struct SeenStar {
    /// Those that were asked for and measured, by arm and time.
    pub spectra: Vec<SeenSpectrum>,
    /// What of its files was not measured.
    pub rejected: Vec<Rejection>,
}

/// One exposure in one arm, and its reference.
#[derive(Debug)]
pub struct SeenSpectrum {
    /// Its arm.
    pub arm: Arm,
    /// Its file.
    pub path: Arc<PathBuf>,
    /// The HDU in the file.
    pub hdu: String,
    /// Local Modified Julian Minute of its start.
    pub lmjm: i64,
    /// Spectrograph.
    pub spid: i32,
    /// Fibre.
    pub fiberid: i32,
    /// What was measured, before moonlight is taken off.
    pub measurement: Measurement,
    /// Exposures that the reference is made of.
    pub n_reference: i32,
    /// Its pixels, with the water lines divided out.
    pub compared: ComparedSpectrum,
    /// Flux over continuum of all of them, also of those that do not count, with the water lines in it; NaN where the file has no number.
    pub stored: Vec<f64>,
    /// What the Earth's water left of the light at each of them; none where nothing was divided out.
    pub water: Option<Vec<f64>>,
    /// How much water that was, mm on the line of sight.
    pub water_mm: Option<f64>,
    /// ln L at all velocities of the run's grid, and around its peak; none where it cannot be evaluated.
    pub curves: Option<[Curve; 2]>,
}

/// Measures a star of a unit of the plan, and gives what stands behind the velocities of the exposures (LMJM) that are `wanted`.
///
/// # Errors
/// [`Error::Io`] where the system has no descriptors left; [`Error::Format`] for a file that changes meanwhile.
pub fn see(
    config: &MeasureConfig,
    plan: &Plan,
    unit: &Unit,
    star: &Star,
    wanted: impl Fn(i64) -> bool,
) -> Result<SeenStar> {
    let clocks = StageClocks::default();
    let mut workspace = Workspace::default();
    let air = Air::of_unit(config, unit, plan, &clocks)?;
    let prepared = prepare(config, star, plan, &air, &mut workspace, &clocks);
    let mut out = SeenStar {
        rejected: prepared.rejected,
        ..SeenStar::default()
    };
    let comparison = config.comparison();
    let (mut arms, mut measured) = (Vec::new(), Vec::new());
    for PreparedArm {
        arm,
        exposures,
        prepared,
    } in prepared.arms
    {
        measured.extend(first_pass(&comparison, vec![(0, prepared)], &Cpu, &clocks)?);
        arms.push((arm, exposures));
    }
    if comparison.reference == ReferenceKind::Coadd {
        against_coadds(&comparison, &mut measured, &clocks, &|| false);
    }
    first_pass::flag(&mut measured);
    for ((arm, exposures), measured) in arms.into_iter().zip(&measured) {
        let pixels = again(config, arm, &exposures, &air, &mut workspace)?;
        let mut normalized = Vec::with_capacity(pixels.len());
        let mut rest = Vec::with_capacity(pixels.len());
        for pixels in pixels {
            normalized.push(pixels.normalized);
            rest.push(Some((pixels.compared, pixels.stored)));
        }
        let is_wanted = |i: &usize| wanted(exposures[*i].lmjm);
        let places: Vec<usize> = (0..exposures.len()).filter(is_wanted).collect();
        let references = against(&comparison, &normalized, measured, &places);
        for (place, reference) in places.into_iter().zip(references) {
            if let Some(pixels) = rest[place].take() {
                let of = (&exposures[place], &normalized[place]);
                let mut seen = one(arm, of, place, measured, pixels, &air);
                if let Some(against) = reference {
                    seen.compared.put(&normalized[place], &against);
                    seen.curves = curves(comparison.grid, &against, &seen.measurement);
                }
                out.spectra.push(seen);
            }
        }
    }
    Ok(out)
}

/// An exposure without its reference.
fn one(
    arm: Arm,
    (exposure, normalized): (&Exposure, &Normalized),
    place: usize,
    measured: &FirstPass,
    (mut compared, stored): (ComparedSpectrum, Vec<f64>),
    air: &Air,
) -> SeenSpectrum {
    let mut measurement = measured.measurements[place];
    measurement.flags |= exposure.flags;
    compared.rv_km_s = measurement.rv_km_s;
    let strength = air.strength(exposure.lmjm);
    let water = air.left_of(normalized, exposure.lmjm);
    SeenSpectrum {
        arm,
        path: exposure.header.path.clone(),
        hdu: exposure.hdu.clone(),
        lmjm: exposure.lmjm,
        spid: exposure.header.spid,
        fiberid: exposure.header.fiberid,
        measurement,
        n_reference: measured.n_reference,
        compared,
        stored,
        water_mm: water.is_some().then_some(strength * telluric::UNIT_MM),
        water,
        curves: None,
    }
}

/// ln L at all velocities and around the peak.
fn curves(grid: VelocityGrid, against: &Against, found: &Measurement) -> Option<[Curve; 2]> {
    let all = on_grid(grid, &Cpu, against).ok()?;
    let fine = VelocityGrid {
        step_km_s: FINE_KM_S,
        n_side: (grid.max_shift_km_s() / FINE_KM_S).round() as usize,
    };
    let near = on_grid(fine, &Cpu, against).ok()?;
    let reach = (NEAR_SIGMA * found.rv_err_km_s).max(NEAR_KM_S);
    let is_near = |rv_km_s: &f64| (rv_km_s - found.rv_km_s).abs() <= reach;
    let both = near.rv_km_s.iter().zip(&near.ln_l);
    let (rv_km_s, ln_l): (Vec<f64>, Vec<f64>) = both.filter(|(v, _)| is_near(v)).unzip();
    let near = Curve {
        rv_km_s: rv_km_s.into(),
        ln_l: ln_l.into(),
    };
    Some([all, near])
}

/// An exposure as it is compared, and what is known of its pixels.
struct Again {
    normalized: Normalized,
    compared: ComparedSpectrum,
    stored: Vec<f64>,
}

/// A star's exposures of an arm as they were compared, with what is known of their pixels: the measurement keeps neither.
fn again(
    config: &MeasureConfig,
    arm: Arm,
    exposures: &[Exposure],
    air: &Air,
    workspace: &mut Workspace,
) -> Result<Vec<Again>> {
    let mut by_file: BTreeMap<&PathBuf, Vec<usize>> = BTreeMap::new();
    for (i, exposure) in exposures.iter().enumerate() {
        by_file.entry(&*exposure.header.path).or_default().push(i);
    }
    let mut out: BTreeMap<usize, Again> = BTreeMap::new();
    for (path, members) in by_file {
        let changed = || Error::format(path, "the file changed while the program ran");
        let file = mrs::read_file(path, &mut workspace.inflater).map_err(|_| changed())?;
        for i in members {
            let exposure = &exposures[i];
            let is_it = |raw: &&RawSpectrum| {
                raw.arm == arm && (&raw.hdu, raw.lmjm) == (&exposure.hdu, exposure.lmjm)
            };
            let raw = file.spectra.iter().find(is_it).ok_or_else(changed)?;
            let vmax_km_s = config.grid.max_shift_km_s();
            let normalizer = &mut workspace.normalizer;
            let normalized = normalizer.normalize(&config.spectrum, raw, vmax_km_s);
            let mut normalized = normalized.map_err(|_| changed())?;
            air.divide_out(&mut normalized, raw.lmjm);
            config.comparison().weigh_sky(&mut normalized);
            let edge_pixels = config.spectrum.mask.edge_pixels;
            let kept = normalizer.kept();
            let compared = ComparedSpectrum::without_reference(
                &normalized,
                &raw.pixels,
                &kept,
                edge_pixels,
                |i| i,
            );
            let flux = raw.pixels.flux[kept.first..].iter();
            let stored = flux.zip(kept.continuum).map(|(f, c)| f64::from(*f) / c);
            let again = Again {
                stored: stored
                    .map(|f| if f.is_finite() { f } else { f64::NAN })
                    .collect(),
                normalized,
                compared,
            };
            out.insert(i, again);
        }
    }
    Ok(out.into_values().collect())
}
