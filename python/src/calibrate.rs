//! Zero points of velocities in columns.

use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use relrv::{
    ByLines, CalFlags, CalibrateOptions, Calibration, Error, FibreOrder, Method, Observations,
    Scope, Unjudged, calibrate_without,
};

use super::watch::watched;

/// How zero points are found: a dictionary with all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Calibrating {
    method: String,
    scope: String,
    min_constants: usize,
    p_min: f64,
    fibre_order: String,
    by_lines: String,
    tolerance: f64,
}

impl Calibrating {
    /// The settings; the library checks their values.
    pub fn options(&self) -> relrv::Result<CalibrateOptions> {
        let wrong = |name: &str, word: &str, expected: &str| {
            Error::Config(format!("{name} is {word}, expected {expected}"))
        };
        let mut options = CalibrateOptions {
            method: match self.method.as_str() {
                "joint" => Method::Joint,
                "paper" => Method::Paper,
                other => return Err(wrong("method", other, "joint or paper")),
            },
            scope: match self.scope.as_str() {
                "survey" => Scope::Survey,
                "spectrograph" => Scope::Spectrograph,
                other => return Err(wrong("scope", other, "survey or spectrograph")),
            },
            ..CalibrateOptions::default()
        };
        options.joint.fibre_order = match self.fibre_order.as_str() {
            "auto" => FibreOrder::Auto,
            "0" => FibreOrder::Constant,
            "1" => FibreOrder::Slope,
            "2" => FibreOrder::Curve,
            other => return Err(wrong("fibre_order", other, "auto, 0, 1 or 2")),
        };
        options.joint.by_lines = match self.by_lines.as_str() {
            "auto" => ByLines::Auto,
            "off" => ByLines::Off,
            other => return Err(wrong("by_lines", other, "auto or off")),
        };
        options.joint.p_min = self.p_min;
        options.joint.min_constants = self.min_constants;
        options.paper.min_constants = self.min_constants;
        options.paper.tolerance = self.tolerance;
        Ok(options)
    }
}

/// Velocities as columns: a dictionary with all of these keys, of arrays of one length but for `never_constant`, which has a value for
/// each star's number.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Columns<'py> {
    star: PyReadonlyArray1<'py, u32>,
    exposure: PyReadonlyArray1<'py, u32>,
    rv: PyReadonlyArray1<'py, f64>,
    rv_err: PyReadonlyArray1<'py, f64>,
    group: Option<PyReadonlyArray1<'py, u32>>,
    arm: Option<PyReadonlyArray1<'py, u32>>,
    position: Option<PyReadonlyArray1<'py, f64>>,
    no_velocity: Option<PyReadonlyArray1<'py, bool>>,
    never_constant: Vec<bool>,
}

impl Columns<'_> {
    fn observations(&self) -> relrv::Result<Observations> {
        let mut observations = Observations::from_columns(
            self.star.as_array(),
            self.exposure.as_array(),
            self.rv.as_array(),
            self.rv_err.as_array(),
        )?;
        if let Some(group) = &self.group {
            observations = observations.with_group(group.as_array())?;
        }
        if let Some(arm) = &self.arm {
            observations = observations.with_arm(arm.as_array())?;
        }
        if let Some(position) = &self.position {
            observations = observations.with_position(position.as_array())?;
        }
        if let Some(none) = &self.no_velocity {
            observations = observations.with_no_velocity(none.as_array())?;
        }
        Ok(observations)
    }
}

/// Finds the zero points, and gives them, the stars and the corrected velocities as dictionaries of arrays.
#[pyfunction]
pub fn calibrate<'py>(
    py: Python<'py>,
    columns: Columns<'py>,
    options: Calibrating,
    threads: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let observations = columns
        .observations()
        .map_err(|error| super::raise::raise(py, &error))?;
    let never = &columns.never_constant;
    let found = watched(py, threads, None, |_| {
        Ok(calibrate_without(
            &observations,
            never,
            &options.options()?,
        )?)
    })?;
    let out = PyDict::new(py);
    out.set_item("zeropoints", zero_points(py, &found)?)?;
    out.set_item("stars", stars(py, &found)?)?;
    out.set_item("converged", found.converged)?;
    let (mut complaints, mut notes) = (Vec::new(), Vec::new());
    for arm in &found.arms {
        complaints.extend(arm.complaint());
        notes.extend(arm.told_zero_points());
        notes.extend(arm.links.iter().cloned());
    }
    out.set_item("complaints", complaints)?;
    out.set_item("notes", notes)?;
    let flags: Vec<i32> = found.flags.iter().map(CalFlags::bits).collect();
    out.set_item("flags", flags.into_pyarray(py))?;
    out.set_item("rv", found.rv.into_pyarray(py))?;
    out.set_item("rv_err", found.rv_err.into_pyarray(py))?;
    Ok(out)
}

/// A column of a list of rows as an array.
macro_rules! column {
    ($out:ident, $rows:expr, $name:literal, $type:ty, $value:expr) => {{
        let all: Vec<$type> = $rows.iter().map($value).collect();
        $out.set_item($name, all.into_pyarray($out.py()))?;
    }};
}

fn zero_points<'py>(py: Python<'py>, found: &Calibration) -> PyResult<Bound<'py, PyDict>> {
    let (out, rows) = (PyDict::new(py), &found.zero_points);
    column!(out, rows, "arm", i64, |z| z.arm as i64);
    column!(out, rows, "group", u32, |z| z.group);
    column!(out, rows, "exposure", u32, |z| z.exposure);
    column!(out, rows, "zp", f64, |z| z.zp);
    column!(out, rows, "zp_err", f64, |z| z.zp_err);
    column!(out, rows, "slope", f64, |z| z.slope);
    column!(out, rows, "slope_err", f64, |z| z.slope_err);
    column!(out, rows, "curve", f64, |z| z.curve);
    column!(out, rows, "curve_err", f64, |z| z.curve_err);
    column!(out, rows, "n_constants", i64, |z| i64::from(z.n_constants));
    column!(out, rows, "component", i64, |z| z
        .component
        .map_or(-1, i64::from));
    Ok(out)
}

fn stars<'py>(py: Python<'py>, found: &Calibration) -> PyResult<Bound<'py, PyDict>> {
    let (out, rows) = (PyDict::new(py), &found.stars);
    column!(out, rows, "arm", i64, |s| s.arm as i64);
    column!(out, rows, "star", u32, |s| s.star);
    column!(out, rows, "group", u32, |s| s.group);
    column!(out, rows, "n_exp", i64, |s| i64::from(s.n_exp));
    column!(out, rows, "n_used", i64, |s| i64::from(s.n_used));
    column!(out, rows, "scatter_before", f64, |s| s.scatter_before);
    column!(out, rows, "scatter_after", f64, |s| s.scatter_after);
    column!(out, rows, "chi2", f64, |s| s.chi2);
    column!(out, rows, "dof", f64, |s| s.dof);
    column!(out, rows, "p_value", f64, |s| s.p_value);
    column!(out, rows, "p_quiet", f64, |s| s.p_quiet);
    column!(out, rows, "jitter", f64, |s| s.jitter);
    column!(out, rows, "constant", bool, |s| s.is_constant == Some(true));
    column!(out, rows, "variable", bool, |s| s.is_variable == Some(true));
    let reason = |s: &relrv::Star| s.unjudged.map_or("", Unjudged::reason);
    out.set_item("not_judged", rows.iter().map(reason).collect::<Vec<_>>())?;
    Ok(out)
}
