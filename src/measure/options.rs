//! What is to be known of an instrument, and how its spectra are to be measured.

use super::comparison::{Comparison, ReferenceKind};
use crate::likelihood::VelocityGrid;
use crate::likelihood::backend::{BackendConfig, Choice};
use crate::spectrum::band::SecondLines;
use crate::spectrum::continuum::ContinuumConfig;
use crate::spectrum::mask::MaskConfig;
use crate::spectrum::normalize::MIN_GOOD_PIXELS;
use crate::spectrum::{Band, SpectrumConfig};
use crate::{Arm, C_KM_S, Error, Result};

/// Largest velocity unless another is asked for, km/s.
const USUAL_VMAX_KM_S: f64 = 500.0;

/// Steps of the velocity grid in a quarter of the line-spread function's width, unless another step is asked for. Chosen by hand: the
/// survey's grid has ten steps of 1 km/s there.
const STEPS_PER_BIN: f64 = 10.0;

/// Bins on either side in which second sets of lines are looked for, at most: the work goes with their number.
const MOST_BINS: f64 = 1e4;

/// How many standard deviations below the continuum a pixel still counts in its fit, unless other settings are asked for: see
/// [`MeasureOptions::continuum`].
const USUAL_CLIP_BELOW_SIGMA: f64 = 2.0;

/// Where likelihoods are evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// On the processor, by the threads of rayon's current pool.
    #[default]
    Cpu,
    /// On a graphics processor where there is one and as long as it works, else on the processor.
    Auto,
    /// On the best graphics processor there is, a software one if need be; its failure is an error.
    Gpu,
    /// On the graphics processor whose name holds this text, in any case; its failure is an error.
    GpuNamed(String),
}

impl Device {
    pub(crate) fn config(&self) -> BackendConfig {
        let (choice, adapter) = match self {
            Device::Cpu => (Choice::Cpu, ""),
            Device::Auto => (Choice::Auto, ""),
            Device::Gpu => (Choice::Gpu, ""),
            Device::GpuNamed(name) => (Choice::Gpu, name.as_str()),
        };
        BackendConfig {
            choice,
            adapter: adapter.to_owned(),
            ..BackendConfig::default()
        }
    }
}

/// The instrument that the spectra are of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Instrument {
    Numbers {
        window_aa: (f64, f64),
        pixel_km_s: f64,
        lsf_pixels: f64,
        is_polynomial: bool,
    },
    Band(Band),
    Arm(Arm),
}

/// How spectra of one instrument are measured. [`Measurer::new`](super::Measurer::new) checks it.
///
/// ```
/// use relrv::{Device, MeasureOptions, Measurer, ReferenceKind};
///
/// let options = MeasureOptions::new((6110.0, 6240.0), 1.9, 3.2)
///     .vmax_km_s(100.0)
///     .reference(ReferenceKind::Best);
/// assert!(Measurer::new(options, Device::Cpu).is_ok());
/// let backwards = MeasureOptions::new((6240.0, 6110.0), 1.9, 3.2);
/// let error = Measurer::new(backwards, Device::Cpu).err().unwrap();
/// assert!(error.to_string().starts_with("window_aa is 6240 to 6110"));
/// ```
#[derive(Clone, Debug)]
pub struct MeasureOptions {
    instrument: Instrument,
    vmax_km_s: f64,
    vstep_km_s: Option<f64>,
    reference: ReferenceKind,
    knot_pixels: Option<usize>,
    mask: Option<MaskConfig>,
    continuum: Option<ContinuumConfig>,
}

/// Options that were checked.
pub(super) struct Checked {
    pub band: Band,
    /// Its number among the instrument's bands.
    pub band_number: usize,
    pub comparison: Comparison,
    pub spectrum: SpectrumConfig,
}

impl MeasureOptions {
    /// For an instrument with pixels of `pixel_km_s` (km/s; the widest, where they differ) and a line-spread function whose full width
    /// at half maximum is `lsf_pixels`. Pixels between the two wavelengths `window_aa` (A, vacuum) are compared.
    ///
    /// The spectra should reach beyond the window by the largest velocity: a reference is moved by as much, and pixels that it does not
    /// cover then are left out.
    pub fn new(window_aa: (f64, f64), pixel_km_s: f64, lsf_pixels: f64) -> Self {
        Self::of(Instrument::Numbers {
            window_aa,
            pixel_km_s,
            lsf_pixels,
            is_polynomial: false,
        })
    }

    /// For an instrument that is described by a [`Band`], which holds more than the three numbers of [`MeasureOptions::new`].
    pub fn of_band(band: Band) -> Self {
        Self::of(Instrument::Band(band))
    }

    /// For spectra of the survey's arm, measured as `relrv measure` measures its files: masks, continuum, and wavelengths whose rounding
    /// is taken out. Water lines are not: they need the other stars of an exposure.
    pub fn of_arm(arm: Arm) -> Self {
        Self::of(Instrument::Arm(arm))
            .mask(MaskConfig::default())
            .continuum(ContinuumConfig::default())
    }

    fn of(instrument: Instrument) -> Self {
        MeasureOptions {
            instrument,
            vmax_km_s: USUAL_VMAX_KM_S,
            vstep_km_s: None,
            reference: ReferenceKind::default(),
            knot_pixels: None,
            mask: None,
            continuum: None,
        }
    }

    /// Largest difference of velocity that is looked for, km/s; 500 unless it is set.
    pub fn vmax_km_s(self, vmax_km_s: f64) -> Self {
        MeasureOptions { vmax_km_s, ..self }
    }

    /// Step of the velocities at which the likelihood is evaluated, km/s, from 0.1 to 5. Unless it is set, a fortieth of the line-spread
    /// function's width within these limits. Velocities are found far more finely than this step.
    pub fn vstep_km_s(self, vstep_km_s: f64) -> Self {
        let vstep_km_s = Some(vstep_km_s);
        MeasureOptions { vstep_km_s, ..self }
    }

    /// What a star's exposures are compared with: the best of them, or the coadd of the others (as it is unless it is set).
    pub fn reference(self, reference: ReferenceKind) -> Self {
        MeasureOptions { reference, ..self }
    }

    /// Distance of the knots of the reference's spline, pixels; about half the line-spread function's width unless it is set.
    pub fn knot_pixels(self, knot_pixels: usize) -> Self {
        let knot_pixels = Some(knot_pixels);
        MeasureOptions {
            knot_pixels,
            ..self
        }
    }

    /// How bad pixels are found. Unless it is set no pixel is dropped at the ends, and spikes are measured against a spline whose
    /// knots are as wide as half the line-spread function.
    pub fn mask(self, mask: MaskConfig) -> Self {
        let mask = Some(mask);
        MeasureOptions { mask, ..self }
    }

    /// How the pseudo-continuum is found. Unless it is set the settings are those for the survey's spectra with one change: pixels are
    /// left out of the fit from two standard deviations below it on, not from one. With one, the continuum lies higher the more noise
    /// there is, and exposures of different signal-to-noise ratio are no copies of each other.
    pub fn continuum(self, continuum: ContinuumConfig) -> Self {
        let continuum = Some(continuum);
        MeasureOptions { continuum, ..self }
    }

    /// Whether wavelengths are a polynomial of degree 7 in the pixel's number but for the rounding that they were stored with, which is
    /// taken out then. Unless it is set they are used as they are.
    pub fn polynomial_wavelengths(mut self, yes: bool) -> Self {
        match &mut self.instrument {
            Instrument::Numbers { is_polynomial, .. }
            | Instrument::Band(Band { is_polynomial, .. }) => *is_polynomial = yes,
            Instrument::Arm(arm) => {
                let is_polynomial = yes;
                self.instrument = Instrument::Band(Band {
                    is_polynomial,
                    ..arm.band()
                });
            }
        }
        self
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Config`], which names the value.
    pub(super) fn checked(&self) -> Result<Checked> {
        let band = self.band()?;
        let bin_km_s = band.second_lines.bin_km_s;
        let (least, most) = VelocityGrid::STEP_KM_S;
        let usual_km_s = (bin_km_s / STEPS_PER_BIN).clamp(least, most);
        let grid = VelocityGrid::new(self.vmax_km_s, self.vstep_km_s.unwrap_or(usual_km_s))?;
        let most_km_s = MOST_BINS * bin_km_s;
        within("reach_km_s", band.second_lines.reach_km_s, 0.0..=most_km_s)?;
        let half = half_width(band.lsf_pixels);
        let knot_pixels = self.knot_pixels.unwrap_or(half);
        let widest = band.lsf_pixels.floor();
        if knot_pixels < 1 || knot_pixels as f64 > widest {
            return Err(Error::Config(format!(
                "knot_pixels is {knot_pixels}, expected 1 to {widest}, the line-spread function's width"
            )));
        }
        let spectrum = SpectrumConfig {
            mask: self.mask.unwrap_or(MaskConfig {
                edge_pixels: 0,
                spike_knots: half,
                ..MaskConfig::default()
            }),
            continuum: self.continuum.unwrap_or(ContinuumConfig {
                clip_below_sigma: USUAL_CLIP_BELOW_SIGMA,
                ..ContinuumConfig::default()
            }),
        };
        check_mask(&spectrum.mask)?;
        check_continuum(&spectrum.continuum)?;
        let band_number = match self.instrument {
            Instrument::Arm(arm) => arm as usize,
            Instrument::Numbers { .. } | Instrument::Band(_) => 0,
        };
        Ok(Checked {
            band,
            band_number,
            comparison: Comparison {
                grid,
                knot_pixels,
                reference: self.reference,
            },
            spectrum,
        })
    }

    fn band(&self) -> Result<Band> {
        let band = match self.instrument {
            Instrument::Band(band) => band,
            Instrument::Arm(arm) => arm.band(),
            Instrument::Numbers {
                window_aa,
                pixel_km_s,
                lsf_pixels,
                is_polynomial,
            } => Band {
                window_aa,
                pixel_km_s,
                lsf_pixels,
                is_polynomial,
                sky: None,
                second_lines: SecondLines {
                    bin_km_s: 0.25 * lsf_pixels * pixel_km_s,
                    reach_km_s: self.vmax_km_s,
                    own_correlation: None,
                    has_widths: false,
                },
            },
        };
        within("pixel_km_s", band.pixel_km_s, 1e-3..=1000.0)?;
        within("lsf_pixels", band.lsf_pixels, 2.0..=200.0)?;
        let (low_aa, high_aa) = band.window_aa;
        if !(low_aa > 0.0 && low_aa < high_aa && high_aa.is_finite()) {
            return Err(Error::Config(format!(
                "window_aa is {low_aa} to {high_aa}, expected two wavelengths in Angstrom, the smaller one first"
            )));
        }
        let n_pixels = (high_aa / low_aa).ln() * C_KM_S / band.pixel_km_s;
        if n_pixels < MIN_GOOD_PIXELS as f64 {
            return Err(Error::Config(format!(
                "window_aa is {low_aa} to {high_aa}, which are {n_pixels:.0} pixels of {} km/s, expected {MIN_GOOD_PIXELS} at least",
                band.pixel_km_s
            )));
        }
        within("bin_km_s", band.second_lines.bin_km_s, 1e-3..=1000.0)?;
        Ok(band)
    }
}

/// Half the line-spread function's width in whole pixels.
fn half_width(lsf_pixels: f64) -> usize {
    ((0.5 * lsf_pixels).round() as usize).max(1)
}

fn within(name: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<()> {
    match range.contains(&value) {
        true => Ok(()),
        false => Err(Error::Config(format!(
            "{name} is {value}, expected {} to {}",
            range.start(),
            range.end()
        ))),
    }
}

fn check_mask(mask: &MaskConfig) -> Result<()> {
    if !(1..=100).contains(&mask.spike_knots) {
        return Err(Error::Config(format!(
            "spike_knots is {}, expected 1 to 100",
            mask.spike_knots
        )));
    }
    within("spike_sigma", mask.spike_sigma, 0.1..=f64::INFINITY)?;
    within("dip_sigma", mask.dip_sigma, 0.1..=f64::INFINITY)?;
    within("spike_range", mask.spike_range, 0.0..=f64::INFINITY)
}

fn check_continuum(continuum: &ContinuumConfig) -> Result<()> {
    within("p", continuum.p, f64::MIN_POSITIVE..=1.0)?;
    within("segment_aa", continuum.segment_aa, 0.1..=f64::INFINITY)?;
    within(
        "clip_above_sigma",
        continuum.clip_above_sigma,
        0.1..=f64::INFINITY,
    )?;
    within(
        "clip_below_sigma",
        continuum.clip_below_sigma,
        0.1..=f64::INFINITY,
    )?;
    if continuum.iterations > 100 {
        return Err(Error::Config(format!(
            "iterations is {}, expected 0 to 100",
            continuum.iterations
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_by_its_name() {
        let usual = || MeasureOptions::new((6110.0, 6240.0), 1.9, 3.2);
        assert!(usual().checked().is_ok());
        let of = |window, pixel, lsf| MeasureOptions::new(window, pixel, lsf);
        let mask = MaskConfig {
            spike_knots: 0,
            ..MaskConfig::default()
        };
        let continuum = ContinuumConfig {
            segment_aa: f64::NAN,
            ..ContinuumConfig::default()
        };
        for (name, options) in [
            ("window_aa", of((6240.0, 6110.0), 1.9, 3.2)),
            ("window_aa", of((f64::NAN, 6110.0), 1.9, 3.2)),
            ("window_aa", of((-5.0, 6110.0), 1.9, 3.2)),
            ("window_aa", of((6110.0, f64::INFINITY), 1.9, 3.2)),
            ("window_aa", of((6110.0, 6111.0), 1.9, 3.2)),
            ("pixel_km_s", of((6110.0, 6240.0), 0.0, 3.2)),
            ("pixel_km_s", of((6110.0, 6240.0), f64::NAN, 3.2)),
            ("lsf_pixels", of((6110.0, 6240.0), 1.9, 0.5)),
            ("lsf_pixels", of((6110.0, 6240.0), 1.9, f64::INFINITY)),
            ("vmax", usual().vmax_km_s(f64::NAN)),
            ("vstep", usual().vstep_km_s(-1.0)),
            ("knot_pixels", usual().knot_pixels(0)),
            ("knot_pixels", usual().knot_pixels(9)),
            ("spike_knots", usual().mask(mask)),
            ("segment_aa", usual().continuum(continuum)),
        ] {
            match options.checked().err() {
                Some(Error::Config(told)) => assert!(told.starts_with(name), "{name}: {told}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
