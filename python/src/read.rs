//! The spectra of one of the survey's files.

use std::path::PathBuf;

use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use relrv::{SurveyFile, SurveySpectrum};

use super::raise::raise;

/// Reads a file: what its header says, its spectra, and what of it cannot be used.
#[pyfunction]
pub fn read(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let file = py.detach(|| SurveyFile::read(&path));
    let file = file.map_err(|error| raise(py, &error))?;
    let out = PyDict::new(py);
    out.set_item("obsid", file.obsid)?;
    out.set_item("planid", file.planid)?;
    out.set_item("spid", file.spid)?;
    out.set_item("fiberid", file.fiberid)?;
    out.set_item("ra", file.ra_deg)?;
    out.set_item("dec", file.dec_deg)?;
    out.set_item("rejected", file.rejected)?;
    let spectra = file.spectra.into_iter().map(|s| spectrum(py, s));
    out.set_item("spectra", spectra.collect::<PyResult<Vec<_>>>()?)?;
    Ok(out)
}

fn spectrum(py: Python<'_>, spectrum: SurveySpectrum) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("arm", spectrum.arm.name())?;
    out.set_item("hdu", spectrum.hdu)?;
    out.set_item("lmjm", spectrum.lmjm)?;
    out.set_item("hjd", spectrum.hjd)?;
    out.set_item("bjd_tdb", spectrum.bjd_tdb)?;
    out.set_item("snr", spectrum.snr)?;
    out.set_item("helio_rv", spectrum.helio_rv_km_s)?;
    out.set_item("flags", spectrum.flags.bits())?;
    out.set_item("wave", spectrum.wave_aa.into_pyarray(py))?;
    let log10 = spectrum.log10_wave_aa.map(|log10| log10.into_pyarray(py));
    out.set_item("loglam", log10)?;
    out.set_item("flux", spectrum.flux.into_pyarray(py))?;
    out.set_item("ivar", spectrum.ivar.into_pyarray(py))?;
    out.set_item("mask", spectrum.mask.into_pyarray(py))?;
    Ok(out)
}
