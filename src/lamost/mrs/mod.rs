//! LAMOST MRS files (`med-<LMJD>-<PLANID>_sp<SPID>-<FIBERID>.fits[.gz]`): one star, one night, single exposures of both arms.
//!
//! Known defects of releases are no errors: a primary HDU named `PRIMARY`, a missing coadd or arm, `NEXP` 0, `EXPTIME`
//! only as `DATE-BEG` and `DATE-END`. What cannot be used is rejected HDU by HDU, each with its reason.

mod exposure;
mod frame;
mod mid;
mod missing;
mod other_layouts;
mod primary;
#[cfg(test)]
mod tests;

use std::path::Path;

use frame::Settler;

use super::inflate::Inflater;
use super::raw::{FileHeader, MrsFile, RawSpectrum, RejectReason, Rejection};
use crate::fits::BLOCK;
use crate::fits::header::Header;
use crate::fits::reader::{Hdu, Part, split};
use crate::text::count::count;

/// Bytes read for the primary header alone: the three blocks of DR7 files, then what any header should fit in.
const PREFIXES: [usize; 2] = [3 * BLOCK, 12 * BLOCK];

/// Reads the primary header alone, which takes a few kB of the file.
pub fn read_header(path: &Path, inflater: &mut Inflater) -> Result<FileHeader, Rejection> {
    for n_bytes in PREFIXES {
        let prefix = inflater.read_prefix(path, n_bytes)?;
        if prefix.starts_with(b"SIMPLE  =")
            && let Ok((header, _)) = Header::parse(prefix)
        {
            return primary::file_header(path, &header);
        }
    }
    // Either the header is very long or the file is broken: it is read as a whole to tell which.
    let parts = split(inflater.read(path)?).map_err(|problem| not_fits(path, problem))?;
    primary_of(path, &parts)
}

/// Reads all single exposures of a file. An error rejects the whole file; what is wrong with one HDU is in
/// [`MrsFile::rejected`].
pub fn read_file(path: &Path, inflater: &mut Inflater) -> Result<MrsFile, Rejection> {
    let (file, n_other) = parse_counting(path, inflater.read(path)?)?;
    inflater.note_other_layouts(n_other);
    Ok(file)
}

/// The same as [`read_file`] for bytes in memory; `path` is only for names.
#[cfg(feature = "lab")]
pub fn parse(path: &Path, bytes: &[u8]) -> Result<MrsFile, Rejection> {
    parse_counting(path, bytes).map(|(file, _)| file)
}

/// The same, and how many of the spectra were in tables of other kinds than the survey's.
fn parse_counting(path: &Path, bytes: &[u8]) -> Result<(MrsFile, u64), Rejection> {
    let parts = split(bytes).map_err(|problem| not_fits(path, problem))?;
    let header = primary_of(path, &parts)?;
    let mut file = MrsFile {
        header,
        spectra: Vec::new(),
        rejected: Vec::new(),
    };
    let mut n_other = 0;
    let mut settler = Settler::default();
    for (i, part) in parts.iter().enumerate().skip(1) {
        match part {
            Part::Hdu(hdu) => match read_hdu(path, hdu, parts.get(i + 1), &file, &mut settler) {
                Ok(Some((spectrum, kind))) => {
                    file.spectra.push(spectrum);
                    n_other += u64::from(kind == TableKind::Other);
                }
                Ok(None) => {}
                Err(rejection) => file.rejected.push(rejection),
            },
            Part::Gap { problem, len, .. } => {
                let detail = format!("{problem}; {len} bytes are not used");
                let (hdu, reason) = (format!("#{i}"), RejectReason::NotFits);
                file.rejected
                    .push(Rejection::hdu(path, &hdu, reason, detail));
            }
        }
    }
    if file.spectra.is_empty() && file.rejected.is_empty() {
        file.rejected.push(Rejection::file(
            path,
            RejectReason::NoExposures,
            no_exposures(path, &parts),
        ));
    } else {
        missing::tell(path, &parts, &mut file);
    }
    Ok((file, n_other))
}

/// What is said of a file that is sound and has no exposure of medium resolution.
fn no_exposures(path: &Path, parts: &[Part<'_>]) -> String {
    let found = count(parts.len(), "HDU");
    let what = format!("expected HDUs named B-<LMJM> or R-<LMJM>, found none in {found}");
    let of_header = match parts.first() {
        Some(Part::Hdu(hdu)) => hdu.header.text("FILENAME").unwrap_or_default(),
        _ => String::new(),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match [&*name, &of_header]
        .iter()
        .any(|name| name.starts_with("spec-"))
    {
        true => format!(
            "{what}: it is a spectrum of low resolution, which has no single exposures; relrv measures those of medium resolution (med-*.fits)"
        ),
        false => what,
    }
}

fn primary_of(path: &Path, parts: &[Part<'_>]) -> Result<FileHeader, Rejection> {
    match parts.first() {
        Some(Part::Hdu(hdu)) => primary::file_header(path, &hdu.header),
        _ => Err(not_fits(path, "no primary header".to_owned())),
    }
}

/// The kind of table that a spectrum is in: the survey's, or another.
#[derive(Clone, Copy, PartialEq)]
enum TableKind {
    Survey,
    Other,
}

/// Spectrum of one HDU; `None` where it is something else (a coadd, an image).
fn read_hdu(
    path: &Path,
    hdu: &Hdu<'_>,
    next: Option<&Part<'_>>,
    file: &MrsFile,
    settler: &mut Settler,
) -> Result<Option<(RawSpectrum, TableKind)>, Rejection> {
    let name = hdu.name();
    let label = if name.is_empty() {
        format!("#{}", hdu.index)
    } else {
        name.clone()
    };
    let reject = |reason, detail: String| Rejection::hdu(path, &label, reason, detail);
    let Some(arm) = exposure::arm_of(&name) else {
        if is_coadd(&name) || !hdu.is_bintable() {
            return Ok(None);
        }
        return Err(reject(
            RejectReason::MissingKey,
            format!("expected EXTNAME COADD_*, B-<LMJM> or R-<LMJM>, found '{name}'"),
        ));
    };
    if hdu.is_cut() {
        let (expected, found) = (hdu.declared_len, hdu.data.len());
        return Err(reject(
            RejectReason::NotFits,
            format!("the file is cut: expected {expected} bytes of data, found {found}"),
        ));
    }
    // Where the next header should be there is neither a header nor the remains of one: the size of this HDU is wrong.
    if let Some(Part::Gap {
        is_text: false,
        problem,
        ..
    }) = next
    {
        return Err(reject(
            RejectReason::NotFits,
            format!("its size does not lead to the next HDU: {problem}"),
        ));
    }
    let lmjd = file.header.lmjd;
    let (read, kind) = match exposure::read(&hdu.header, hdu, &name, arm, lmjd) {
        Err(problem) if problem.reason == RejectReason::BadColumn => {
            let other = other_layouts::read(hdu, &name, arm, lmjd);
            (other.unwrap_or(Err(problem)), TableKind::Other)
        }
        read => (read, TableKind::Survey),
    };
    let mut spectrum = read.map_err(|problem| reject(problem.reason, problem.detail))?;
    settler.settle(&file.header, &mut spectrum);
    Ok(Some((spectrum, kind)))
}

fn is_coadd(name: &str) -> bool {
    starts_with_ignore_case(name, "COADD")
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn not_fits(path: &Path, problem: String) -> Rejection {
    Rejection::file(path, RejectReason::NotFits, problem)
}
