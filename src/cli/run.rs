//! `relrv run`: the options, the settings they make, and what is told.

use std::path::{Path, PathBuf};

use super::Outcome;
use super::calibrating::CalibratingArgs;
use super::interrupt;
use super::measure::MeasuringArgs;
use super::measure_summary::tell_rejections;
use super::progress::Bar;
use super::run_summary::{outlook_text, tell_summary};
use crate::calibrate::summary::ArmSummary;
use crate::files::{same_file, workplace};
use crate::lamost::inputs;
use crate::likelihood::Likelihood;
use crate::run::{self, Done, ProductFormat, RunConfig, STATE_DIR};
use crate::tell::{self, Told};
use crate::text::count::count;
use crate::text::plain;
use crate::{Error, Result};

/// At the end of the help.
const EXAMPLES: &str = "Examples:
  relrv run data-samples/plate-small --out plate
      measure, calibrate, write tables and report
  relrv run night1 night2 --out survey --dry-run
      what would be done, and how long it would take
  relrv run @files.txt --out survey --format fits,parquet
      files by a list, tables in two formats
  relrv run night1 --out blue --arm blue --snr-min 10
      one arm, without exposures of a lower signal-to-noise ratio
Then: relrv show plate STAR, or open plate/report/index.html";

/// Measure, calibrate, and write the catalogue with everything that belongs to it.
///
/// A run that was stopped or killed goes on when the same command is given again, and its products are the same to the byte. With more
/// inputs than before it measures what they bring; with other settings of the calibration or other formats it measures nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    #[command(flatten)]
    what: WhatArgs,
    /// List what would be done, with an estimate of time and memory, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// What `run` and `plan` take.
#[derive(Debug, clap::Args)]
pub struct WhatArgs {
    /// Files, directories (searched for med-*.fits and med-*.fits.gz) or @list.txt with one path a line.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Directory for the products; made if missing.
    #[arg(long, value_name = "DIR", display_order = 0)]
    pub out: PathBuf,
    /// Formats of the tables, separated by commas.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "fits",
        value_name = "LIST",
        display_order = 2
    )]
    format: Vec<ProductFormat>,
    /// Start anew even if DIR holds another run, whose products are removed.
    #[arg(long, display_order = 3)]
    overwrite: bool,
    /// Take options from FILE, under the same names; the command line goes before it.
    #[arg(long, value_name = "FILE.toml", hide_short_help = true)]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub measure: MeasuringArgs,
    #[command(flatten)]
    calibrate: CalibratingArgs,
}

impl WhatArgs {
    /// Checks values that have to do with each other.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option.
    pub fn check(&self) -> Result<()> {
        self.measure.config()?;
        self.calibrate.config().map(drop)
    }

    /// The settings, with what the likelihood is evaluated on.
    pub fn config(&self, backend: &dyn Likelihood) -> Result<RunConfig> {
        Ok(RunConfig {
            inputs: self.inputs.clone(),
            out: self.out.clone(),
            measure: self.measure.config()?,
            calibrate: self.calibrate.config()?,
            formats: self.format.clone(),
            flags_text: self.measure.flags_text,
            overwrite: self.overwrite,
            backend: run::without_threads(&backend.name()),
        })
    }

    /// Refuses inputs of which none is a file or holds one, before a directory is made: a name may be mistyped. Where a run has begun it
    /// says itself what it misses.
    ///
    /// # Errors
    /// [`Error::NothingUsable`].
    pub fn refuse_nothing(&self) -> Result<()> {
        if self.out.join(STATE_DIR).exists() || inputs::is_any_there(&self.inputs) {
            return Ok(());
        }
        tell_rejections(&inputs::expand(&self.inputs).1, self.measure.verbose);
        Err(Error::NothingUsable(
            "no file that could be measured: no input is a file or holds one; nothing was written"
                .to_owned(),
        ))
    }

    /// Refuses an output that would take the place of the file of options.
    pub fn refuse_config(&self) -> Result<()> {
        match &self.config {
            Some(file) => same_file::refuse_inputs(run::outputs(&self.out), [file]),
            None => Ok(()),
        }
    }
}

impl RunArgs {
    /// As [`WhatArgs::check`].
    pub fn check(&self) -> Result<()> {
        self.what.check()
    }

    /// Runs, or tells what would be done.
    pub fn run(self) -> Result<Outcome> {
        let measure = &self.what.measure;
        let backend = measure.backend.open()?;
        let config = self.what.config(&backend)?;
        let pool = measure.pool()?;
        workplace::refuse_no_directory(&config.out)?;
        if self.dry_run {
            let outlook = pool.install(|| run::outlook(&config, &backend))?;
            let defects = defects(&outlook.rejected);
            tell_rejections(&outlook.rejected, measure.verbose);
            tell::product(outlook_text(&outlook).as_bytes())?;
            return Ok(outcome(defects));
        }
        self.what.refuse_config()?;
        self.what.refuse_nothing()?;
        interrupt::watch()?;
        let progress = Bar::of_files(measure.quiet);
        let done = pool.install(|| run::run_with_report(&config, &backend, &progress));
        progress.finish();
        let (done, report) = done.map_err(|e| self.with_what_is_kept(e))?;
        tell_done(&done, report.as_deref(), &config.out, Words::of(measure))
    }

    /// An error of the system, such as a full disk, with what it leaves.
    fn with_what_is_kept(&self, error: Error) -> Error {
        let out = &self.what.out;
        let state = out.join(STATE_DIR);
        match error {
            Error::Io { path, source } if run::holds_units(out) => {
                let kept = format!(
                    "{source}\nwhat was measured is kept in {}; the same command goes on from there",
                    plain::path(&state)
                );
                Error::io(&path, std::io::Error::new(source.kind(), kept))
            }
            other => other,
        }
    }
}

/// How much is told.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Nothing but errors.
    pub quiet: bool,
    /// Every rejected input, and the time of each stage.
    pub verbose: bool,
}

impl Words {
    fn of(measure: &MeasuringArgs) -> Self {
        Words {
            quiet: measure.quiet,
            verbose: measure.verbose,
        }
    }
}

/// Tells what was done, and how the command ends.
pub fn tell_done(done: &Done, report: Option<&Path>, out: &Path, words: Words) -> Result<Outcome> {
    let Words { quiet, verbose } = words;
    let defects = defects(&done.rejected);
    // Errors are told even when asked to be quiet.
    let nothing = done.record.counts.measured == 0;
    if defects > 0 && (nothing || !quiet) {
        tell_rejections(&done.rejected, verbose);
    }
    if nothing {
        let counts = &done.record.counts;
        let more = match &done.rejected_path {
            Some(path) => format!("reasons in {}", plain::path(path)),
            None => format!(
                "{}; what {} holds is as it was",
                reasons(counts),
                plain::path(out)
            ),
        };
        return Err(Error::NothingUsable(format!(
            "nothing could be measured: {}, {} in, none usable; {more}",
            count(counts.files, "file"),
            count(counts.spectra, "spectrum"),
        )));
    }
    if !quiet {
        tell_summary(done, out, verbose, &mut Told);
        tell_page(report, verbose);
    }
    let complaints = done
        .record
        .calibration
        .iter()
        .filter_map(ArmSummary::complaint);
    let complaints: Vec<String> = complaints.collect();
    for complaint in &complaints {
        tell::alert!("warning: {complaint}");
    }
    for unit in &done.lacking {
        tell::alert!("warning: {unit} is not measured, and not in the products");
    }
    Ok(outcome(defects + complaints.len() + done.lacking.len()))
}

/// Tells where the page is, or that this build makes none.
#[cfg(feature = "report")]
fn tell_page(path: Option<&Path>, _verbose: bool) {
    if let Some(path) = path {
        super::report::tell_report(path);
    }
}

/// Tells where the page is, or that this build makes none.
#[cfg(not(feature = "report"))]
fn tell_page(_path: Option<&Path>, verbose: bool) {
    if verbose {
        tell::say!("report            none: this relrv was built without the feature report");
    }
}

/// `low_snr 64, unreadable 1`.
fn reasons(counts: &run::Counts) -> String {
    let all = counts.files_rejected.iter().chain(&counts.spectra_rejected);
    let words: Vec<String> = all.map(|(reason, n)| format!("{reason} {n}")).collect();
    words.join(", ")
}

fn outcome(defects: usize) -> Outcome {
    match defects {
        0 => Outcome::Done,
        _ => Outcome::SomeRejected,
    }
}

fn defects(rejected: &[crate::lamost::raw::Rejection]) -> usize {
    rejected.iter().filter(|r| r.reason.is_defect()).count()
}
