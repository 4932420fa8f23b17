//! Velocities of stars from arrays.

use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use relrv::{
    Arm, ContinuumConfig, Device, Error, MaskConfig, MeasureOptions, Measurer, ReferenceKind,
    Spectrum, StarVelocities,
};

use super::arrays::{SpectrumIn, Views};
use super::raise::Failed;
use super::watch::watched;

/// How spectra are measured: a dictionary with all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    arm: Option<String>,
    window: Option<(f64, f64)>,
    pixel_km_s: Option<f64>,
    lsf_pixels: Option<f64>,
    vmax: Option<f64>,
    vstep: Option<f64>,
    reference: String,
    knot_pixels: Option<usize>,
    polynomial_wavelengths: bool,
    edge_pixels: Option<usize>,
    clip_below_sigma: Option<f64>,
    device: String,
}

impl Options {
    fn measurer(&self) -> relrv::Result<Measurer> {
        let mut options = match (&self.arm, self.window, self.pixel_km_s, self.lsf_pixels) {
            (Some(arm), ..) => MeasureOptions::of_arm(arm_named(arm)?),
            (None, Some(window), Some(pixel), Some(lsf)) => MeasureOptions::new(window, pixel, lsf),
            _ => {
                let text = "expected arm, or window, pixel_km_s and lsf_pixels together";
                return Err(Error::Config(text.to_owned()));
            }
        };
        options = options.reference(reference_named(&self.reference)?);
        if let Some(vmax) = self.vmax {
            options = options.vmax_km_s(vmax);
        }
        if let Some(vstep) = self.vstep {
            options = options.vstep_km_s(vstep);
        }
        if let Some(knot_pixels) = self.knot_pixels {
            options = options.knot_pixels(knot_pixels);
        }
        if self.polynomial_wavelengths {
            options = options.polynomial_wavelengths(true);
        }
        if let (Some(edge_pixels), Some(lsf)) = (self.edge_pixels, self.lsf_pixels) {
            options = options.mask(MaskConfig {
                edge_pixels,
                spike_knots: ((0.5 * lsf).round() as usize).max(1),
                ..MaskConfig::default()
            });
        }
        if let Some(clip_below_sigma) = self.clip_below_sigma {
            options = options.continuum(ContinuumConfig {
                clip_below_sigma,
                ..ContinuumConfig::default()
            });
        }
        Measurer::new(options, device_named(&self.device))
    }
}

/// The arm of a word.
pub fn arm_named(word: &str) -> relrv::Result<Arm> {
    let arm = Arm::ALL.into_iter().find(|arm| arm.name() == word);
    arm.ok_or_else(|| Error::Config(format!("arm is {word}, expected red or blue")))
}

/// The reference of a word.
pub fn reference_named(word: &str) -> relrv::Result<ReferenceKind> {
    match word {
        "coadd" => Ok(ReferenceKind::Coadd),
        "best" => Ok(ReferenceKind::Best),
        _ => Err(Error::Config(format!(
            "reference is {word}, expected coadd or best"
        ))),
    }
}

/// The device of a word: one of three, or part of the name of a graphics processor.
pub fn device_named(word: &str) -> Device {
    match word {
        "cpu" => Device::Cpu,
        "auto" => Device::Auto,
        "gpu" => Device::Gpu,
        name => Device::GpuNamed(name.to_owned()),
    }
}

/// Every spectrum of every star, checked.
fn spectra<'a>(stars: &[Vec<Views<'a>>]) -> Result<Vec<Vec<Spectrum<'a>>>, Failed> {
    let of_star = |(number, star): (usize, &Vec<Views<'a>>)| {
        let one = |(i, views): (usize, &Views<'a>)| {
            let spectrum = views.spectrum();
            spectrum.map_err(|error| Failed::Spectrum(number, i, error))
        };
        star.iter().enumerate().map(one).collect()
    };
    stars.iter().enumerate().map(of_star).collect()
}

fn views<'a>(stars: &'a [Vec<SpectrumIn<'_>>]) -> Vec<Vec<Views<'a>>> {
    let of_star = |star: &'a Vec<SpectrumIn<'_>>| star.iter().map(SpectrumIn::views).collect();
    stars.iter().map(of_star).collect()
}

/// Velocities of all spectra of all stars, star after star: a dictionary of arrays with a value for each spectrum.
#[pyfunction]
pub fn measure<'py>(
    py: Python<'py>,
    stars: Vec<Vec<SpectrumIn<'py>>>,
    options: Options,
    threads: usize,
    tell: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let views = views(&stars);
    let (device, measured) = watched(py, threads, tell.as_ref(), |watch| {
        let measurer = options.measurer()?;
        let spectra = spectra(&views)?;
        let measured = measurer.stars_telling(&spectra, watch)?;
        Ok((measurer.device_name(), measured))
    })?;
    let out = columns(py, &measured)?;
    out.set_item("device", device)?;
    Ok(out)
}

/// The arrays of all stars, one behind the other.
fn columns<'py>(py: Python<'py>, stars: &[StarVelocities]) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let floats = |column: fn(&StarVelocities) -> &ndarray::Array1<f64>| {
        let all: Vec<f64> = stars
            .iter()
            .flat_map(|s| column(s).iter().copied())
            .collect();
        all.into_pyarray(py)
    };
    out.set_item("rv", floats(|s| &s.rv_km_s))?;
    out.set_item("rv_err", floats(|s| &s.rv_err_km_s))?;
    out.set_item("rv_err_own", floats(|s| &s.rv_err_own_km_s))?;
    out.set_item("chi2_red", floats(|s| &s.chi2_red))?;
    out.set_item("snr", floats(|s| &s.snr))?;
    let flags: Vec<u32> = stars
        .iter()
        .flat_map(|s| s.flags.iter().map(|f| f.bits()))
        .collect();
    out.set_item("flags", flags.into_pyarray(py))?;
    let is_reference: Vec<bool> = stars
        .iter()
        .flat_map(|s| (0..s.len()).map(|i| s.reference == Some(i)))
        .collect();
    out.set_item("is_reference", is_reference.into_pyarray(py))?;
    let n_reference: Vec<i32> = stars
        .iter()
        .flat_map(|s| (0..s.len()).map(|_| i32::try_from(s.n_reference).unwrap_or(i32::MAX)))
        .collect();
    out.set_item("n_reference", n_reference.into_pyarray(py))?;
    let reasons: Vec<String> = stars
        .iter()
        .flat_map(|s| &s.not_measured)
        .map(|why| why.map(|why| why.to_string()).unwrap_or_default())
        .collect();
    out.set_item("not_measured", reasons)?;
    Ok(out)
}

/// ln L of one of a star's spectra at the velocities of the grid: velocities (km/s), ln L.
#[pyfunction]
pub fn curve<'py>(
    py: Python<'py>,
    star: Vec<SpectrumIn<'py>>,
    number: usize,
    options: Options,
    threads: usize,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let stars = [star];
    let views = views(&stars);
    let curve = watched(py, threads, None, |_| {
        let measurer = options.measurer()?;
        Ok(measurer.curve(&spectra(&views)?[0], number)?)
    })?;
    let rv = curve.rv_km_s.into_pyarray(py).into_any();
    Ok((rv, curve.ln_l.into_pyarray(py).into_any()))
}

/// What is compared of each of a star's spectra: a dictionary of arrays for each, or why it cannot be measured.
#[pyfunction]
pub fn compared<'py>(
    py: Python<'py>,
    star: Vec<SpectrumIn<'py>>,
    options: Options,
    threads: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let stars = [star];
    let views = views(&stars);
    let all = watched(py, threads, None, |_| {
        let measurer = options.measurer()?;
        Ok(measurer.compared(&spectra(&views)?[0])?)
    })?;
    all.into_iter()
        .map(|one| match one {
            Ok(one) => {
                let out = PyDict::new(py);
                let pixel: Vec<i64> = one.pixel.iter().map(|i| *i as i64).collect();
                let mask: Vec<u16> = one.mask.iter().map(|m| m.bits()).collect();
                out.set_item("pixel", pixel.into_pyarray(py))?;
                out.set_item("wave", one.wave_aa.into_pyarray(py))?;
                out.set_item("flux", one.flux.into_pyarray(py))?;
                out.set_item("ivar", one.ivar.into_pyarray(py))?;
                out.set_item("continuum", one.continuum.into_pyarray(py))?;
                out.set_item("mask", mask.into_pyarray(py))?;
                out.set_item("reference", one.reference.into_pyarray(py))?;
                out.set_item("reference_err", one.reference_err.into_pyarray(py))?;
                out.set_item("rv", one.rv_km_s)?;
                Ok(out.into_any())
            }
            Err(why) => Ok(pyo3::types::PyString::new(py, &why.to_string()).into_any()),
        })
        .collect()
}
