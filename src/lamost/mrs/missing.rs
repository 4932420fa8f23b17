//! Exposures that a header counts and the file does not have.
//!
//! A file that was cut between two HDUs is a sound file with fewer of them: only the header's count tells.

use std::path::Path;

use super::exposure;
use crate::Arm;
use crate::fits::reader::Part;
use crate::lamost::raw::{MrsFile, RejectReason, Rejection};

/// Adds a rejection for each missing exposure. Bytes that are no HDU, and tables of unknown names, may be missing exposures that have
/// a rejection already; so many are not told again.
pub(super) fn tell(path: &Path, parts: &[Part<'_>], file: &mut MrsFile) {
    let mut n_told_before = parts.iter().filter(|part| is_unknown(part)).count();
    for (arm, expected) in Arm::ALL.into_iter().zip(file.header.n_exposures) {
        let found: Vec<String> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Hdu(hdu) => Some(hdu.name()),
                Part::Gap { .. } => None,
            })
            .filter(|name| exposure::arm_of(name) == Some(arm))
            .collect();
        let n_missing = expected.unwrap_or(0).saturating_sub(found.len());
        let n_told = n_missing.min(n_told_before);
        n_told_before -= n_told;
        let letter = arm.letter();
        let detail = format!(
            "the header says {} in NEXP_{letter}, the file has {}{}",
            expected.unwrap_or(0),
            found.len(),
            listed(parts, letter)
        );
        for i in n_told..n_missing {
            let hdu = format!("{letter}-missing-{}", i + 1);
            file.rejected.push(Rejection::hdu(
                path,
                &hdu,
                RejectReason::MissingExposure,
                detail.as_str(),
            ));
        }
    }
}

/// No HDU, or a table that may be anything.
fn is_unknown(part: &Part<'_>) -> bool {
    match part {
        Part::Gap { .. } => true,
        Part::Hdu(hdu) => {
            let name = hdu.name();
            let is_known = exposure::arm_of(&name).is_some() || super::is_coadd(&name);
            hdu.is_bintable() && !is_known
        }
    }
}

/// The exposures of an arm that its coadd was made of, if there is one that says so.
fn listed(parts: &[Part<'_>], letter: char) -> String {
    let name = format!("COADD_{letter}");
    let list = parts.iter().find_map(|part| match part {
        Part::Hdu(hdu) if hdu.name().eq_ignore_ascii_case(&name) => hdu.header.text("LMJMLIST"),
        _ => None,
    });
    list.map_or_else(String::new, |list| {
        format!("; {name} was made of exposures {list}")
    })
}
