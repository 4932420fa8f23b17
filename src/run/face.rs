//! The main job as a caller of the library sees it.

use std::path::PathBuf;

use super::config::{ProductFormat, RunConfig, without_threads};
use super::job;
use crate::calibrate::arms::CalibrateOptions;
use crate::calibrate::summary::ArmSummary;
use crate::lamost::raw::Rejection;
use crate::likelihood::{Backend, Likelihood, VelocityGrid};
use crate::measure::{Device, MeasureConfig, Progress, ReferenceKind};
use crate::{Arm, Result};

/// What the main job reads and writes, and how it measures and calibrates: everything but the first two has a usual value.
#[derive(Clone, Debug)]
pub struct RunOptions {
    config: RunConfig,
    vmax_km_s: f64,
    vstep_km_s: f64,
    device: Device,
}

impl RunOptions {
    /// For these files, directories of files, or lists of them (`@LIST`), with products in the directory `out`.
    pub fn new<P: Into<PathBuf>>(
        inputs: impl IntoIterator<Item = P>,
        out: impl Into<PathBuf>,
    ) -> Self {
        let measure = MeasureConfig::default();
        RunOptions {
            vmax_km_s: measure.grid.max_shift_km_s(),
            vstep_km_s: measure.grid.step_km_s,
            config: RunConfig {
                inputs: inputs.into_iter().map(Into::into).collect(),
                out: out.into(),
                measure,
                calibrate: CalibrateOptions::default(),
                formats: vec![ProductFormat::Fits],
                flags_text: false,
                overwrite: false,
                backend: String::new(),
            },
            device: Device::default(),
        }
    }

    /// Measures these arms only.
    pub fn arms(mut self, arms: &[Arm]) -> Self {
        self.config.measure.arms = arms.to_vec();
        self
    }

    /// Leaves out exposures with a smaller signal-to-noise ratio per pixel.
    pub fn snr_min(mut self, snr_min: f64) -> Self {
        self.config.measure.snr_min = snr_min;
        self
    }

    /// Looks for velocities up to this, km/s.
    pub fn vmax_km_s(mut self, vmax_km_s: f64) -> Self {
        self.vmax_km_s = vmax_km_s;
        self
    }

    /// Steps of the velocity grid, km/s.
    pub fn vstep_km_s(mut self, vstep_km_s: f64) -> Self {
        self.vstep_km_s = vstep_km_s;
        self
    }

    /// What exposures are compared with.
    pub fn reference(mut self, reference: ReferenceKind) -> Self {
        self.config.measure.reference = reference;
        self
    }

    /// How zero points are found.
    pub fn calibrate(mut self, options: CalibrateOptions) -> Self {
        self.config.calibrate = options;
        self
    }

    /// Formats of the products.
    pub fn formats(mut self, formats: &[ProductFormat]) -> Self {
        self.config.formats = formats.to_vec();
        self
    }

    /// Columns with the flags' names beside those with their numbers.
    pub fn flags_text(mut self, flags_text: bool) -> Self {
        self.config.flags_text = flags_text;
        self
    }

    /// Replaces what an earlier run with other options left in the directory.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.config.overwrite = overwrite;
        self
    }

    /// Where likelihoods are evaluated.
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }
}

/// What a run did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunSummary {
    /// Files found, and inputs that gave none.
    pub n_files: usize,
    /// Exposures of single arms in the files.
    pub n_spectra: usize,
    /// Those with a velocity.
    pub n_measured: usize,
    /// Stars with a velocity.
    pub n_stars: usize,
    /// Inputs that were not used: files and HDUs, each with its reason in words.
    pub rejected: Vec<String>,
    /// Products, each in every format that was asked for; none where nothing could be measured.
    pub products: Vec<PathBuf>,
    /// The page with the figures, where one was made.
    pub page: Option<PathBuf>,
    /// The zero points were found; where not, or not to the end, why.
    pub complaints: Vec<String>,
}

/// Measures every exposure of the survey's files, finds the zero points, and writes the products: `relrv run`. What an earlier start of
/// the same run measured is used again.
///
/// ```
/// use relrv::{Column, ProductFormat, RunOptions, Table, run};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let out = folder.path().join("out");
/// let options = RunOptions::new(["data-samples/plate-small"], &out).formats(&[ProductFormat::Parquet]);
/// let summary = run(&options)?;
/// assert!(summary.n_measured > 0 && summary.complaints.is_empty());
///
/// let catalogue = Table::read(&out.join("catalogue.parquet"))?;
/// let rv_km_s = catalogue.column("drv_b_corr").and_then(Column::to_f64).unwrap();
/// assert_eq!(rv_km_s.len(), catalogue.n_rows());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Options that make no sense; a directory that belongs to another run; outputs that are inputs; inputs that cannot be found; files that
/// cannot be written (what was measured is kept, and the next call goes on from it).
pub fn run(options: &RunOptions) -> Result<RunSummary> {
    run_telling(options, &())
}

/// As [`run`], telling how far it is; it ends early where `progress` says so.
pub(crate) fn run_telling(options: &RunOptions, progress: &dyn Progress) -> Result<RunSummary> {
    let backend = Backend::open(&options.device.config(), |_| ())?;
    let mut config = options.config.clone();
    config.calibrate.check()?;
    config.measure.check()?;
    config.measure.grid = VelocityGrid::new(options.vmax_km_s, options.vstep_km_s)?;
    config.backend = without_threads(&backend.name());
    let (done, page) = job::run_with_report(&config, &backend, progress)?;
    let counts = &done.record.counts;
    let complaint = |arm: &ArmSummary| arm.complaint();
    Ok(RunSummary {
        n_files: counts.files,
        n_spectra: counts.spectra,
        n_measured: counts.measured,
        n_stars: counts.stars,
        rejected: done.rejected.iter().map(Rejection::to_string).collect(),
        products: done
            .record
            .products
            .iter()
            .map(|name| config.out.join(name))
            .collect(),
        page,
        complaints: done
            .record
            .calibration
            .iter()
            .filter_map(complaint)
            .collect(),
    })
}
