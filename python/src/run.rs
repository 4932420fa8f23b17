//! The main job on the survey's files.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use relrv::{Arm, Error, ProductFormat, RunOptions, Telluric, run_telling};

use super::calibrate::Calibrating;
use super::measure::{arm_named, device_named, reference_named};
use super::watch::watched;

/// How the files are measured: a dictionary with all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    arm: String,
    reference: String,
    snr_min: f64,
    vmax: f64,
    vstep: f64,
    telluric: String,
    formats: Vec<String>,
    flags_text: bool,
    overwrite: bool,
    memory: u64,
    device: String,
    calibrate: Calibrating,
}

impl Options {
    fn options(&self, inputs: Vec<PathBuf>, out: PathBuf) -> relrv::Result<RunOptions> {
        let arms = match self.arm.as_str() {
            "both" => Arm::ALL.to_vec(),
            one => vec![arm_named(one)?],
        };
        let telluric = match self.telluric.as_str() {
            "auto" => Telluric::Auto,
            "off" => Telluric::Off,
            other => {
                let text = format!("telluric is {other}, expected auto or off");
                return Err(Error::Config(text));
            }
        };
        let formats: relrv::Result<Vec<_>> = self.formats.iter().map(|f| format_named(f)).collect();
        Ok(RunOptions::new(inputs, out)
            .arms(&arms)
            .reference(reference_named(&self.reference)?)
            .snr_min(self.snr_min)
            .vmax_km_s(self.vmax)
            .vstep_km_s(self.vstep)
            .telluric(telluric)
            .formats(&formats?)
            .flags_text(self.flags_text)
            .overwrite(self.overwrite)
            .memory_mib(self.memory)
            .device(device_named(&self.device))
            .calibrate(self.calibrate.options()?))
    }
}

fn format_named(word: &str) -> relrv::Result<ProductFormat> {
    let format = ProductFormat::ALL.into_iter().find(|f| f.ending() == word);
    format.ok_or_else(|| {
        Error::Config(format!(
            "format is {word}, expected fits, csv, parquet or mrt"
        ))
    })
}

/// Measures, calibrates and writes the products; what it did as a dictionary.
#[pyfunction]
pub fn run<'py>(
    py: Python<'py>,
    inputs: Vec<PathBuf>,
    out: PathBuf,
    options: Options,
    threads: usize,
    tell: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let done = watched(py, threads, tell.as_ref(), |watch| {
        Ok(run_telling(&options.options(inputs, out)?, watch)?)
    })?;
    let summary = PyDict::new(py);
    summary.set_item("n_files", done.n_files)?;
    summary.set_item("n_spectra", done.n_spectra)?;
    summary.set_item("n_measured", done.n_measured)?;
    summary.set_item("n_stars", done.n_stars)?;
    summary.set_item("rejected", done.rejected)?;
    summary.set_item("complaints", done.complaints)?;
    summary.set_item("warnings", done.warnings)?;
    summary.set_item("device", done.device)?;
    Ok(summary)
}
