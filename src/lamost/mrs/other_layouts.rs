//! Exposures in tables of kinds that the survey does not write, and its users may: in ASCII, or with lists of any length in
//! place of vectors.
//!
//! They are tried when the fast way has given up, so that files of the survey pay nothing for them.

use super::exposure::{self, Problem};
use crate::Arm;
use crate::fits::header::Header;
use crate::fits::plain;
use crate::fits::reader::Hdu;
use crate::lamost::raw::RawSpectrum;

/// The exposure, or what is wrong with it beyond the kind of its table; `None` where the table is of no such kind, or is not as its
/// header says.
pub(super) fn read(
    hdu: &Hdu<'_>,
    name: &str,
    arm: Arm,
    lmjd: i64,
) -> Option<Result<RawSpectrum, Problem>> {
    let is_ascii = hdu.header.text("XTENSION").as_deref() == Some("TABLE");
    let bytes = if is_ascii {
        plain::of_ascii(&hdu.header, hdu.data)
    } else {
        plain::of_lists(hdu)?
    };
    let bytes = bytes.ok()?;
    let (header, length) = Header::parse(&bytes).ok()?;
    let data = &bytes[length..];
    let table = Hdu {
        index: hdu.index,
        header,
        data,
        declared_len: data.len() as u64,
    };
    Some(exposure::read(&hdu.header, &table, name, arm, lmjd))
}
