//! One star: its files read, its exposures normalised, its references chosen.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::files::{MeasureConfig, ReferenceKind};
use super::plan::{Plan, Stamp};
use super::stages::{Stage, StageClocks};
use super::telluric::Air;
use crate::Arm;
use crate::double_lined::coarse::CoarseExposure;
use crate::double_lined::{self, Evidence};
use crate::lamost::inflate::Inflater;
use crate::lamost::mrs;
use crate::lamost::raw::{FileHeader, RawSpectrum, RejectReason, Rejection};
use crate::lamost::stars::Star;
use crate::likelihood::{ReferenceTable, RvFlags, SpectrumPixels};
use crate::reference::Reference;
use crate::spectrum::{Normalized, Normalizer};

/// Buffers of one thread.
#[derive(Default)]
pub struct Workspace {
    pub inflater: Inflater,
    pub normalizer: Normalizer,
    coarse: CoarseExposure,
}

/// An exposure's place in the table, without its pixels.
pub struct Exposure {
    pub header: Arc<FileHeader>,
    pub hdu: String,
    pub lmjm: i64,
    pub mid_s: f64,
    pub snr: f64,
    /// What the header and the wavelengths are to be blamed for: see [`RvFlags`].
    pub flags: RvFlags,
    /// The star's exposures together say that this one has two sets of lines.
    pub double_lined: bool,
}

/// A star's exposures in one arm against their reference, ready for the likelihood.
pub struct Prepared {
    pub arm: Arm,
    pub exposures: Vec<Exposure>,
    pub pixels: Vec<SpectrumPixels>,
    pub table: ReferenceTable,
    /// Which exposure is the reference.
    pub reference: usize,
    /// The exposures themselves, where they are to become a coadd; else none.
    pub normalized: Vec<Normalized>,
    /// Second sets of lines; with coadds they are looked for later, when the exposures have judged each other.
    evidence: Evidence,
}

/// What became of one star's inputs.
#[derive(Default)]
pub struct PreparedStar {
    pub arms: Vec<Prepared>,
    pub rejected: Vec<Rejection>,
    /// Exposures of single arms that were found, used or not.
    pub n_spectra: usize,
}

impl PreparedStar {
    /// Of a star that is not read, as its files take too much memory together.
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
            unchanged(path, plan.stamps[member])?;
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
            // A copy that could not be used has not been seen.
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
            let vmax_km_s = config.grid.max_shift_km_s();
            let normalized = clocks.time(Stage::Normalize, || {
                workspace
                    .normalizer
                    .normalize(&config.spectrum, &raw, vmax_km_s)
            });
            match normalized {
                Ok(mut normalized) => {
                    air.divide_out(&mut normalized, raw.lmjm);
                    let snr = normalized.snr;
                    if snr < config.snr_min {
                        reject(
                            RejectReason::LowSnr,
                            format!("SNR {snr:.1} is below {}", config.snr_min),
                        );
                    } else {
                        seen.insert(key, member);
                        usable[raw.arm as usize]
                            .push((exposure(&header, raw, snr, &normalized), normalized));
                    }
                }
                Err((reason, detail)) => reject(reason, detail),
            }
        }
    }
    clocks.time(Stage::Reference, || {
        for (arm, exposures) in Arm::ALL.into_iter().zip(usable) {
            if !exposures.is_empty() {
                // The blue arm comes first.
                let widths =
                    arm == Arm::Blue || out.arms.iter().any(|p| p.evidence.has_broad_lines());
                match against_reference(config, arm, exposures, widths, &mut workspace.coarse) {
                    Ok(prepared) => out.arms.push(prepared),
                    Err(rejected) => out.rejected.extend(rejected),
                }
            }
        }
        if config.reference == ReferenceKind::Best {
            mark_double_lined(&mut out.arms);
        }
    });
    out
}

/// A file that changed since its header was read may be of another star now.
fn unchanged(path: &Path, before: Stamp) -> Result<(), Rejection> {
    let unreadable = |detail| Rejection::file(path, RejectReason::Unreadable, detail);
    let now = Stamp::of(path).map_err(|e| unreadable(e.to_string()))?;
    if now == before {
        return Ok(());
    }
    Err(unreadable(format!(
        "the file changed while the program ran: {} bytes at first, {} when it was read{}",
        before.len,
        now.len,
        if now.len == before.len {
            ", with another time"
        } else {
            ""
        }
    )))
}

fn exposure(
    header: &Arc<FileHeader>,
    raw: RawSpectrum,
    snr: f64,
    normalized: &Normalized,
) -> Exposure {
    let mut flags = RvFlags::empty();
    flags.set(RvFlags::WAVE_AS_STORED, normalized.wave_as_stored);
    flags.set(RvFlags::TIME_UNCERTAIN, raw.time_uncertain);
    flags.set(RvFlags::FRAME_MOVED, raw.frame_moved);
    flags.set(RvFlags::FRAME_DOUBTFUL, raw.frame_doubtful);
    Exposure {
        header: header.clone(),
        hdu: raw.hdu,
        lmjm: raw.lmjm,
        mid_s: raw.mid_s,
        snr,
        flags,
        double_lined: false,
    }
}

/// Compares a star's exposures with the one of highest SNR (paper 3.1) that can be a reference; the `widths` of their lines too.
fn against_reference(
    config: &MeasureConfig,
    arm: Arm,
    mut exposures: Vec<(Exposure, Normalized)>,
    widths: bool,
    scratch: &mut CoarseExposure,
) -> Result<Prepared, Vec<Rejection>> {
    exposures.sort_by_key(|(e, _)| (e.lmjm, e.header.spid, e.header.fiberid));
    let mut by_snr: Vec<usize> = (0..exposures.len()).collect();
    by_snr.sort_by(|a, b| {
        exposures[*b]
            .0
            .snr
            .total_cmp(&exposures[*a].0.snr)
            .then(a.cmp(b))
    });
    let best = by_snr
        .into_iter()
        .find_map(|i| Reference::new(&exposures[i].1, config.knot_pixels).map(|r| (i, r)));
    let Some((reference_index, reference)) = best else {
        let reject = |(e, _): (Exposure, Normalized)| {
            let detail = "no exposure of the star can be a reference";
            Rejection::hdu(&e.header.path, &e.hdu, RejectReason::NoGoodPixels, detail)
        };
        return Err(exposures.into_iter().map(reject).collect());
    };
    let evidence = match config.reference {
        ReferenceKind::Best => {
            let normalized = exposures.iter().map(|(_, n)| n);
            double_lined::evidence(&reference, normalized, reference_index, widths, scratch)
        }
        ReferenceKind::Coadd => Evidence::default(),
    };
    let table = ReferenceTable::new(&reference, &config.grid);
    let pixels = exposures
        .iter()
        .map(|(_, n)| SpectrumPixels::new(n, &reference, &table, &config.grid))
        .collect();
    let (exposures, mut normalized): (Vec<_>, Vec<_>) = exposures.into_iter().unzip();
    if config.reference == ReferenceKind::Best {
        normalized = Vec::new();
    }
    Ok(Prepared {
        arm,
        exposures,
        normalized,
        pixels,
        table,
        reference: reference_index,
        evidence,
    })
}

/// Decides from both arms which exposures have two sets of lines.
fn mark_double_lined(arms: &mut [Prepared]) {
    let none = Evidence::default();
    let of = |arm| {
        let prepared = arms.iter().find(|p| p.arm == arm);
        prepared.map_or(&none, |p| &p.evidence)
    };
    let double = double_lined::judge(Arm::ALL.map(of));
    for prepared in arms {
        let double = &double[prepared.arm as usize];
        for (exposure, double) in prepared.exposures.iter_mut().zip(double) {
            exposure.double_lined = *double;
        }
    }
}
