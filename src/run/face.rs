//! The main job as a caller of the library sees it: measure, calibrate, write the products.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::config::{ProductFormat, RunConfig, without_threads};
use super::job;
use crate::calibrate::arms::CalibrateOptions;
use crate::calibrate::summary::ArmSummary;
use crate::lamost::raw::Rejection;
use crate::likelihood::{Backend, Likelihood, VelocityGrid};
use crate::measure::config::{LEAST_MIB, MOST_MIB};
use crate::measure::{Device, MeasureConfig, Progress, ReferenceKind, Telluric};
use crate::{Arm, Error, Result};

/// What [`run`] reads and writes, and how it measures and calibrates. Inputs and the output directory must be given
/// ([`RunOptions::new`]); everything else has a default, which is that of `relrv run`. Values are checked by [`run`].
#[derive(Clone, Debug)]
pub struct RunOptions {
    config: RunConfig,
    vmax_km_s: f64,
    vstep_km_s: f64,
    memory_mib: u64,
    device: Device,
}

impl RunOptions {
    /// For these inputs, with products in the directory `out`, which is made if missing. An input is a file, a directory (searched for
    /// `med-*.fits` and `med-*.fits.gz`), or `@` and the path of a text file with one file or directory a line.
    pub fn new<P: Into<PathBuf>>(
        inputs: impl IntoIterator<Item = P>,
        out: impl Into<PathBuf>,
    ) -> Self {
        let measure = MeasureConfig::default();
        RunOptions {
            vmax_km_s: measure.grid.max_shift_km_s(),
            vstep_km_s: measure.grid.step_km_s,
            memory_mib: measure.memory_bytes >> 20,
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

    /// Arms to measure; both unless it is set.
    pub fn arms(mut self, arms: &[Arm]) -> Self {
        self.config.measure.arms = arms.to_vec();
        self
    }

    /// Least signal-to-noise ratio per pixel: exposures with a smaller one are left out. 5 unless it is set.
    pub fn snr_min(mut self, snr_min: f64) -> Self {
        self.config.measure.snr_min = snr_min;
        self
    }

    /// Largest difference of velocity between two exposures of a star that is looked for, km/s; 500 unless it is set.
    pub fn vmax_km_s(mut self, vmax_km_s: f64) -> Self {
        self.vmax_km_s = vmax_km_s;
        self
    }

    /// Step of the velocity grid, km/s; 1 unless it is set. Velocities are found far more finely.
    pub fn vstep_km_s(mut self, vstep_km_s: f64) -> Self {
        self.vstep_km_s = vstep_km_s;
        self
    }

    /// What exposures are compared with; [`ReferenceKind::Coadd`] unless it is set.
    pub fn reference(mut self, reference: ReferenceKind) -> Self {
        self.config.measure.reference = reference;
        self
    }

    /// Whether the lines of water in the Earth's atmosphere are divided out (red arm); [`Telluric::Auto`] unless it is set.
    pub fn telluric(mut self, telluric: Telluric) -> Self {
        self.config.measure.telluric = telluric;
        self
    }

    /// Memory for the spectra that are worked on at one time, MiB; 2048 unless it is set. It changes no number.
    pub fn memory_mib(mut self, memory_mib: u64) -> Self {
        self.memory_mib = memory_mib;
        self
    }

    /// How zero points are found. [`run`] refuses values that make no sense.
    pub fn calibrate(mut self, options: CalibrateOptions) -> Self {
        self.config.calibrate = options;
        self
    }

    /// Formats of the tables: each table is written in every one of them. FITS unless it is set.
    pub fn formats(mut self, formats: &[ProductFormat]) -> Self {
        self.config.formats = formats.to_vec();
        self
    }

    /// Whether the tables have columns of text with the names of the flags, beside those with their numbers; false unless it is set.
    pub fn flags_text(mut self, flags_text: bool) -> Self {
        self.config.flags_text = flags_text;
        self
    }

    /// Whether the run starts anew, and replaces what an earlier run left in the directory; false unless it is set. Without it a
    /// directory that holds a run with other options is an error.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.config.overwrite = overwrite;
        self
    }

    /// Where likelihoods are evaluated; [`Device::Cpu`] unless it is set.
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }
}

/// What a run did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunSummary {
    /// Number of files found, and of inputs that gave none.
    pub n_files: usize,
    /// Number of spectra in the files: an exposure counts once for each arm.
    pub n_spectra: usize,
    /// Number of spectra with a velocity.
    pub n_measured: usize,
    /// Number of stars with a velocity.
    pub n_stars: usize,
    /// Inputs that were not used: files and HDUs, each with its reason in words.
    pub rejected: Vec<String>,
    /// Paths of the products, each table in every format that was asked for; empty where nothing could be measured.
    pub products: Vec<PathBuf>,
    /// The page with the figures, where one was made.
    pub page: Option<PathBuf>,
    /// What likelihoods were evaluated on.
    pub device: String,
    /// That the processor took over from a graphics processor, and why.
    pub warnings: Vec<String>,
    /// Why an arm has no zero points, or why they did not settle, one sentence for each such arm. Empty if all is well.
    pub complaints: Vec<String>,
}

/// Measures every exposure of the survey's files, finds the zero points, and writes the products, as `relrv run` does. What an earlier
/// call with the same options measured in this directory is used again. `docs/columns.md` describes the products.
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
/// [`Error::Config`](crate::Error::Config) for options that make no sense; [`Error::Occupied`](crate::Error::Occupied) for a directory
/// that belongs to another run or command; [`Error::Gone`](crate::Error::Gone) for inputs that cannot be found although an earlier call
/// has used them; [`Error::OutputIsInput`](crate::Error::OutputIsInput);
/// [`Error::InTheWay`](crate::Error::InTheWay) for files of others where the products belong; [`Error::Io`](crate::Error::Io) for files
/// that cannot be written (what was measured is kept, and the next call goes on from it); [`Error::NoGpu`](crate::Error::NoGpu) and
/// [`Error::Gpu`](crate::Error::Gpu) for a graphics processor that was asked for. A file that cannot be used is no error: it is in
/// [`RunSummary::rejected`].
pub fn run(options: &RunOptions) -> Result<RunSummary> {
    run_telling(options, &())
}

/// As [`run`], telling how far it is ([`Progress::files`]); it ends early where `progress` says so, and the next call with the same
/// options goes on from there.
///
/// # Errors
/// As [`run`]; [`Error::Interrupted`] where it was to end.
pub fn run_telling(options: &RunOptions, progress: &dyn Progress) -> Result<RunSummary> {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let noted = warnings.clone();
    let note = move |warning: &str| {
        let mut all = noted.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(warning.to_owned());
    };
    let backend = Backend::open(&options.device.config(), note)?;
    let mut config = options.config.clone();
    if !(LEAST_MIB..=MOST_MIB).contains(&options.memory_mib) {
        return Err(Error::Config(format!(
            "memory is {} MiB, expected {LEAST_MIB} to {MOST_MIB}",
            options.memory_mib
        )));
    }
    config.measure.memory_bytes = options.memory_mib << 20;
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
        device: backend.name(),
        warnings: warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
        complaints: done
            .record
            .calibration
            .iter()
            .filter_map(complaint)
            .collect(),
    })
}
