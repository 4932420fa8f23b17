//! Errors of the library as exceptions of the package. Each kind has its class in `relrv._errors`; the text is the library's, which is
//! what the command line tells.

use pyo3::prelude::*;
use relrv::Error;

/// Why work that was watched did not give its result.
pub enum Failed {
    /// The library says so.
    Relrv(Error),
    /// One of many spectra is none: numbers of its star and of itself, from 0.
    Spectrum(usize, usize, Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Relrv(error)
    }
}

impl Failed {
    /// The exception.
    pub fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Failed::Relrv(error) => raise(py, &error),
            Failed::Spectrum(star, number, error) => exception(
                py,
                class_of(&error),
                &format!("star {star}, spectrum {number}: {error}"),
            ),
        }
    }
}

/// The exception of an error.
pub fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, class_of(error), &error.to_string())
}

/// An exception of the package with this text; what Python says where the package cannot be imported.
pub fn exception(py: Python<'_>, class: &str, text: &str) -> PyErr {
    let made = || -> PyResult<Bound<'_, PyAny>> {
        py.import("relrv._errors")?.getattr(class)?.call1((text,))
    };
    match made() {
        Ok(exception) => PyErr::from_value(exception),
        Err(other) => other,
    }
}

fn class_of(error: &Error) -> &'static str {
    match error {
        Error::Io { .. } => "FileError",
        Error::Format { .. } => "FormatError",
        Error::OutputIsInput { .. } | Error::InTheWay { .. } | Error::Occupied(_) => {
            "OccupiedError"
        }
        Error::Config(_) | Error::NoStar(_) => "OptionError",
        Error::Table(_) => "TableError",
        Error::Arrays(_) => "ArraysError",
        Error::Gone(_) => "GoneError",
        // Units of a plan that are not measured: the directory holds no finished run yet.
        Error::NoRun(_) | Error::Incomplete { .. } => "NoRunError",
        Error::Spectrum(_) => "SpectrumError",
        Error::Interrupted(_) => "StoppedError",
        Error::NothingUsable(_) => "NothingUsableError",
        Error::NotPositive { .. } | Error::NotSettled { .. } => "CalibrationError",
        Error::NoGpu(_) | Error::Gpu { .. } | Error::GpuMemory { .. } => "DeviceError",
        _ => "RelrvError",
    }
}
