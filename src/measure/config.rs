//! Settings of a measurement of the survey's files.

use super::comparison::{Comparison, ReferenceKind};
use crate::lamost::arm::KNOT_PIXELS;
use crate::likelihood::VelocityGrid;
use crate::spectrum::SpectrumConfig;
use crate::{Arm, Error, Result};

/// Memory that is used unless another amount is asked for (`--memory`), MiB.
pub const USUAL_MIB: u64 = 2048;
/// The least memory that can be asked for, MiB.
pub const LEAST_MIB: u64 = 64;
/// The most memory that can be asked for, MiB.
pub const MOST_MIB: u64 = 1 << 24;

/// Whether water lines are divided out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Telluric {
    /// Where the stars of an exposure show them.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// Settings of a measurement.
#[derive(Clone, Debug)]
pub struct MeasureConfig {
    /// Arms to measure.
    pub arms: Vec<Arm>,
    /// Exposures with a lower signal-to-noise ratio are left out (paper: 5).
    pub snr_min: f64,
    /// Velocities.
    pub grid: VelocityGrid,
    /// Masks and continuum.
    pub spectrum: SpectrumConfig,
    /// Knot spacing of the reference, pixels.
    pub knot_pixels: usize,
    /// What exposures are compared with.
    pub reference: ReferenceKind,
    /// Whether water lines are divided out.
    pub telluric: Telluric,
    /// Memory for the spectra that are worked on at one time, with the program itself, bytes. It changes no number; a star whose files do not fit
    /// is not measured.
    pub memory_bytes: u64,
}

impl MeasureConfig {
    /// Checks what can be checked without an input.
    ///
    /// # Errors
    /// [`Error::Config`] naming the setting that makes no sense.
    pub fn check(&self) -> Result<()> {
        if !self.snr_min.is_finite() {
            return Err(Error::Config(format!(
                "snr-min is {}, expected a number",
                self.snr_min
            )));
        }
        if self.arms.is_empty() {
            return Err(Error::Config("no arm to measure".to_owned()));
        }
        Ok(())
    }

    /// Whether water lines are looked for.
    pub fn corrects_water(&self) -> bool {
        let has_water = |arm: &Arm| arm.band().sky.is_some_and(|sky| sky.has_water);
        self.telluric == Telluric::Auto && self.arms.iter().any(has_water)
    }

    /// Whether anything is taken out that is found by HELIO_RV: water lines, and with coadds moonlight and lines of the night sky.
    pub fn needs_helio_rv(&self) -> bool {
        self.corrects_water() || self.reference == ReferenceKind::Coadd
    }

    /// How exposures are compared.
    pub fn comparison(&self) -> Comparison {
        Comparison {
            grid: self.grid,
            knot_pixels: self.knot_pixels,
            reference: self.reference,
        }
    }
}

impl Default for MeasureConfig {
    /// What `relrv run` does without options.
    fn default() -> Self {
        MeasureConfig {
            arms: Arm::ALL.to_vec(),
            snr_min: 5.0,
            grid: VelocityGrid::default(),
            spectrum: SpectrumConfig::default(),
            knot_pixels: KNOT_PIXELS,
            reference: ReferenceKind::default(),
            telluric: Telluric::default(),
            memory_bytes: USUAL_MIB << 20,
        }
    }
}
