mod broken;
mod defects;
mod frames;
mod fuzz;
mod layouts;
mod real;
// The benchmark includes this file by its path, and uses other parts of it.
#[allow(dead_code)]
mod sample;

use std::path::Path;

use super::parse;
use crate::lamost::raw::{MrsFile, RejectReason, Rejection};
use sample::Sample;

/// Name of the files that the tests make in memory.
const NAME: &str = "med-58625-TD192102N424113K01_sp12-076.fits";

fn parse_bytes(bytes: &[u8]) -> Result<MrsFile, Rejection> {
    parse(Path::new(NAME), bytes)
}

fn parse_sample(sample: &Sample) -> MrsFile {
    parse_bytes(&sample.bytes()).unwrap()
}

/// Reasons of the rejected HDUs.
fn reasons(file: &MrsFile) -> Vec<(&str, RejectReason)> {
    file.rejected
        .iter()
        .map(|r| (r.hdu.as_str(), r.reason))
        .collect()
}
