//! One star: its files read, its exposures normalised, its rows named.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::config::MeasureConfig;
use super::plan::Plan;
use super::prepared::{Prepared, prepare_star};
use super::stages::{Stage, StageClocks};
use super::telluric::Air;
use super::workspace::Workspace;
use crate::lamost::content::Content;
use crate::lamost::mrs;
use crate::lamost::raw::{FileHeader, RawSpectrum, RejectReason, Rejection};
use crate::lamost::stars::Star;
use crate::likelihood::RvFlags;
use crate::numbers::statistics::median_high;
use crate::spectrum::Normalized;
use crate::{Arm, C_KM_S};

/// An exposure's place in the table, without its pixels.
pub struct Exposure {
    pub header: Arc<FileHeader>,
    pub hdu: String,
    pub lmjm: i64,
    pub mid_s: f64,
    pub snr: f64,
    /// Median of the flux, in the unit of the file: how bright the star is.
    pub light: f64,
    /// Velocity that the wavelengths were corrected for, km/s, where it is known.
    pub helio_rv_km_s: Option<f64>,
    /// c ln(wavelength / A) of its middle pixel, km/s, and how many it has.
    pub place_km_s: f64,
    pub n_pixels: usize,
    /// The flags that come from the header and the wavelengths, before anything is measured.
    pub flags: RvFlags,
}

/// A star's exposures in one arm, ready for the likelihood.
pub struct PreparedArm {
    pub arm: Arm,
    pub exposures: Vec<Exposure>,
    pub(super) prepared: Prepared,
}

/// What became of one star's inputs.
#[derive(Default)]
pub struct PreparedStar {
    pub arms: Vec<PreparedArm>,
    pub rejected: Vec<Rejection>,
    /// Exposures of single arms that were found, used or not.
    pub n_spectra: usize,
}

impl PreparedStar {
    /// The rejections of a star that is not read, because its files together take too much memory.
    pub fn too_large(star: &Star, plan: &Plan, why: &str) -> Self {
        let reject =
            |&member: &usize| Rejection::file(&plan.paths[member], RejectReason::Unreadable, why);
        PreparedStar {
            rejected: star.members.iter().map(reject).collect(),
            ..PreparedStar::default()
        }
    }
}

/// Reads and prepares all exposures of a star.
pub fn prepare(
    config: &MeasureConfig,
    star: &Star,
    plan: &Plan,
    air: &Air,
    workspace: &mut Workspace,
    clocks: &StageClocks,
) -> PreparedStar {
    let mut out = PreparedStar::default();
    let mut usable: [Vec<(Exposure, Normalized)>; 2] = Default::default();
    let mut seen = HashMap::new();
    for &member in &star.members {
        let path = &plan.paths[member];
        let file = clocks.time(Stage::Read, || {
            let file = mrs::read_file(path, &mut workspace.inflater)?;
            unchanged(path, plan.contents[member], workspace.inflater.content())?;
            Ok(file)
        });
        clocks.add_traffic(workspace.inflater.take_traffic());
        let file = match file {
            Ok(file) => file,
            Err(rejection) => {
                out.rejected.push(rejection);
                continue;
            }
        };
        let header = Arc::new(file.header);
        let of_hdus = file.rejected.iter().filter(|r| !r.hdu.is_empty()).count();
        out.n_spectra += file.spectra.len() + of_hdus;
        out.rejected.extend(file.rejected);
        for raw in file.spectra {
            let mut reject = |reason, detail: String| {
                out.rejected
                    .push(Rejection::hdu(path, &raw.hdu, reason, detail))
            };
            if !config.arms.contains(&raw.arm) {
                reject(RejectReason::ArmNotAsked, format!("{} arm", raw.arm));
                continue;
            }
            if raw.snr < config.snr_min {
                reject(
                    RejectReason::LowSnr,
                    format!("SNR {:.1} is below {}", raw.snr, config.snr_min),
                );
                continue;
            }
            // Only an exposure that can be used is noted as seen: a second copy of one that cannot be used may be sound.
            let key = (raw.arm, raw.lmjm, header.spid, header.fiberid);
            if let Some(before) = seen.get(&key) {
                let place = match *before == member {
                    true => "in this file already",
                    false => "in a file before this one",
                };
                reject(
                    RejectReason::Duplicate,
                    format!("the same exposure is {place}"),
                );
                continue;
            }
            match normalized(config, &raw, air, workspace, clocks) {
                Ok(normalized) => {
                    seen.insert(key, member);
                    let of_arm = &mut usable[raw.arm as usize];
                    of_arm.push((exposure(&header, raw, &normalized), normalized));
                }
                Err((reason, detail)) => reject(reason, detail),
            }
        }
    }
    clocks.time(Stage::Reference, || {
        compare(config, usable, workspace, &mut out)
    });
    out
}

/// Normalises an exposure and divides the water lines out of it. The error is why it is not used.
fn normalized(
    config: &MeasureConfig,
    raw: &RawSpectrum,
    air: &Air,
    workspace: &mut Workspace,
    clocks: &StageClocks,
) -> Result<Normalized, (RejectReason, String)> {
    let vmax_km_s = config.grid.max_shift_km_s();
    let normalizer = &mut workspace.normalizer;
    let normalize = || normalizer.normalize(&config.spectrum, raw, vmax_km_s);
    let normalized = clocks.time(Stage::Normalize, normalize);
    let mut normalized = normalized.map_err(|why| (RejectReason::NoGoodPixels, why.to_string()))?;
    air.divide_out(&mut normalized, raw.lmjm);
    config.comparison().weigh_sky(&mut normalized);
    let snr = normalized.snr;
    if snr < config.snr_min {
        let detail = format!("SNR {snr:.1} is below {}", config.snr_min);
        return Err((RejectReason::LowSnr, detail));
    }
    Ok(normalized)
}

/// Prepares what was normalised of a star.
fn compare(
    config: &MeasureConfig,
    usable: [Vec<(Exposure, Normalized)>; 2],
    workspace: &mut Workspace,
    out: &mut PreparedStar,
) {
    let (mut of_arms, mut bands) = (Vec::new(), Vec::new());
    for (arm, mut exposures) in Arm::ALL.into_iter().zip(usable) {
        if !exposures.is_empty() {
            exposures.sort_by_key(|(e, _)| (e.lmjm, e.header.spid, e.header.fiberid));
            let (exposures, normalized): (Vec<_>, Vec<_>) = exposures.into_iter().unzip();
            of_arms.push((arm, exposures));
            bands.push((arm as usize, normalized));
        }
    }
    let prepared = prepare_star(&config.comparison(), bands, &mut workspace.coarse);
    for ((arm, exposures), prepared) in of_arms.into_iter().zip(prepared) {
        match prepared {
            Some(prepared) => out.arms.push(PreparedArm {
                arm,
                exposures,
                prepared,
            }),
            None => {
                let reject = |e: Exposure| {
                    let detail = "no exposure of the star can be a reference";
                    Rejection::hdu(&e.header.path, &e.hdu, RejectReason::NoGoodPixels, detail)
                };
                out.rejected.extend(exposures.into_iter().map(reject));
            }
        }
    }
}

/// A file that changed since its header was read may be of another star now.
fn unchanged(path: &Path, before: Content, now: Content) -> Result<(), Rejection> {
    if now == before {
        return Ok(());
    }
    let detail = format!(
        "the file changed while the program ran: {} bytes at first, {} when it was read{}",
        before.len,
        now.len,
        if now.len == before.len {
            ", with other content"
        } else {
            ""
        }
    );
    Err(Rejection::file(path, RejectReason::Unreadable, detail))
}

fn exposure(header: &Arc<FileHeader>, raw: RawSpectrum, normalized: &Normalized) -> Exposure {
    let mut flags = RvFlags::empty();
    flags.set(RvFlags::WAVE_AS_STORED, normalized.wave_as_stored);
    flags.set(RvFlags::TIME_UNCERTAIN, raw.time_uncertain);
    flags.set(RvFlags::FRAME_MOVED, raw.frame_moved);
    flags.set(RvFlags::FRAME_DOUBTFUL, raw.frame_doubtful);
    let light = median_light(&raw.pixels.flux);
    let n_pixels = raw.pixels.flux.len();
    Exposure {
        header: header.clone(),
        hdu: raw.hdu,
        lmjm: raw.lmjm,
        mid_s: raw.mid_s,
        snr: normalized.snr,
        light,
        helio_rv_km_s: raw.helio_rv_km_s,
        place_km_s: C_KM_S * raw.pixels.wave.ln(n_pixels / 2).unwrap_or(f64::NAN),
        n_pixels,
        flags,
    }
}

/// Median of every 16th pixel's flux: it stands for the brightness of the star, and need not be exact.
fn median_light(flux: &[f32]) -> f64 {
    let mut some: Vec<f64> = flux.iter().step_by(16).map(|f| f64::from(*f)).collect();
    some.retain(|f| f.is_finite());
    median_high(&mut some).unwrap_or(f64::NAN)
}
