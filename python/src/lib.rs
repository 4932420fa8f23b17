//! The compiled part of the Python package `relrv`: thin functions over the library's public face, which the modules in `../relrv`
//! call. Arguments are checked and given their units there; here arrays become views, results become arrays, and long work is done
//! without Python's lock while its caller listens for Ctrl-C.

mod arrays;
mod arrow;
mod calibrate;
mod measure;
mod raise;
mod read;
mod run;
mod simulate;
mod tables;
mod watch;

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Runs a command line, the first word of which is the program's name, and gives its exit status.
#[pyfunction]
fn cli(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| relrv::run_cli_from(words))
}

/// What likelihoods can be evaluated on: name, kind, backend, driver, largest buffer in bytes, and what relrv would do with it.
#[pyfunction]
fn devices(py: Python<'_>) -> Vec<(String, String, String, String, u64, String)> {
    let all = py.detach(relrv::devices).into_iter();
    all.map(|d| {
        let limit = d.max_buffer_bytes;
        (d.name, d.kind, d.backend, d.driver, limit, d.verdict)
    })
    .collect()
}

/// Every flag of velocities, calibrations and pixels: value, name and meaning.
#[pyfunction]
fn flags(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    type Described = Vec<(u32, &'static str, &'static str)>;
    let velocity: Described = relrv::CatalogueFlags::described().collect();
    let calibration: Described = relrv::CalFlags::ALL
        .into_iter()
        .map(|(flag, name, meaning)| (flag.bits().unsigned_abs(), name, meaning))
        .collect();
    let pixel: Described = relrv::PixelFlags::ALL
        .into_iter()
        .map(|(flag, name, meaning)| (u32::from(flag.bits()), name, meaning))
        .collect();
    let all = PyDict::new(py);
    all.set_item("velocity", velocity)?;
    all.set_item("no_velocity", relrv::RvFlags::NO_VELOCITY.bits())?;
    all.set_item("calibration", calibration)?;
    all.set_item("pixel", pixel)?;
    Ok(all)
}

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::arrow::arrow_stream;
    #[pymodule_export]
    use super::calibrate::calibrate;
    #[pymodule_export]
    use super::measure::{compared, curve, measure};
    #[pymodule_export]
    use super::read::read;
    #[pymodule_export]
    use super::run::run;
    #[pymodule_export]
    use super::simulate::simulate;
    #[pymodule_export]
    use super::tables::read_table;
    #[pymodule_export]
    use super::{cli, devices, flags};

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
