//! `relrv measure`: the options, the settings they make, and the summary.

use super::about::of_measurement;
use super::headings::{MACHINE, MEASURING};
use std::path::PathBuf;

use super::Outcome;
use super::backend::{BackendArgs, notes};
use super::measure_summary::{rejected_path, tell_rejections, tell_summary, write_rejections};
use super::numbers::{real, whole};
use super::outputs;
use super::progress::Bar;
use super::threads::Threads;
use crate::catalogue::measured as measured_table;
use crate::files::whole::directory_of;
use crate::files::workplace;
use crate::lamost::raw::Rejection;
use crate::likelihood::{Likelihood, VelocityGrid};
use crate::measure::{MeasureConfig, Measured, ReferenceKind, Telluric, measure, memory};
use crate::text::count::count;
use crate::text::plain;
use crate::{Arm, Error, Result, table, tell};

/// Arms as an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ArmArg {
    Red,
    Blue,
    Both,
}

/// At the end of the help.
const EXAMPLES: &str = "Examples:
  relrv measure med-*.fits.gz --out velocities.csv
      the velocities alone, a row per exposure and arm
  relrv measure night1 --out velocities.fits --flags-text
      with the names of the flags
Then: relrv calibrate velocities.fits --out calibrated";

/// Measure the velocity of every exposure against the star's other ones.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct MeasureArgs {
    /// Files, directories (searched for med-*.fits and med-*.fits.gz) or @list.txt with one path a line.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Table to write: .fits, .csv or .parquet by its ending.
    #[arg(long, value_name = "FILE", display_order = 0)]
    out: PathBuf,
    /// How it is measured.
    #[command(flatten)]
    options: MeasuringArgs,
}

/// Options that `measure` and `run` share.
#[derive(Debug, clap::Args)]
pub struct MeasuringArgs {
    /// Leave out exposures with a lower signal-to-noise ratio.
    #[arg(long, value_name = "SNR", default_value_t = MeasureConfig::default().snr_min, value_parser = real(0.0..=f64::INFINITY), display_order = 1)]
    snr_min: f64,
    /// Arm to measure.
    #[arg(long, value_enum, default_value_t = ArmArg::Both, display_order = 1)]
    arm: ArmArg,
    /// What exposures are compared with: the coadd of all the star's others that agree, or its best one.
    #[arg(long, value_enum, default_value_t = MeasureConfig::default().reference, help_heading = MEASURING, hide_short_help = true)]
    reference: ReferenceKind,
    /// Lines of water in the Earth's atmosphere, red arm: divided out where an exposure's stars show them, or left.
    #[arg(long, value_enum, default_value_t = MeasureConfig::default().telluric, help_heading = MEASURING, hide_short_help = true)]
    telluric: Telluric,
    /// Largest velocity, km/s.
    #[arg(long, value_name = "KM_S", default_value_t = VelocityGrid::default().max_shift_km_s(), value_parser = real(0.0..=VelocityGrid::MAX_KM_S), help_heading = MEASURING, hide_short_help = true)]
    vmax: f64,
    /// Step of the velocity grid, km/s; the peak is found far more finely.
    #[arg(long, value_name = "KM_S", default_value_t = VelocityGrid::default().step_km_s, value_parser = real(VelocityGrid::STEP_KM_S.0..=VelocityGrid::STEP_KM_S.1), help_heading = MEASURING, hide_short_help = true)]
    vstep: f64,
    /// Name the flags too, in a column of text beside that of their numbers.
    #[arg(long)]
    pub flags_text: bool,
    /// Memory for the spectra that are worked on at one time, MiB; changes no number.
    #[arg(long, value_name = "MIB", default_value_t = memory::USUAL_MIB, value_parser = whole::<u64>(memory::LEAST_MIB..=memory::MOST_MIB), help_heading = MACHINE, hide_short_help = true)]
    memory: u64,
    #[command(flatten)]
    pub backend: BackendArgs,
    #[command(flatten)]
    pub threads: Threads,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// List every rejected input, and the time of each stage.
    #[arg(short, long)]
    pub verbose: bool,
}

impl MeasuringArgs {
    /// The checked settings.
    pub fn config(&self) -> Result<MeasureConfig> {
        let config = MeasureConfig {
            arms: match self.arm {
                ArmArg::Red => vec![Arm::Red],
                ArmArg::Blue => vec![Arm::Blue],
                ArmArg::Both => Arm::ALL.to_vec(),
            },
            snr_min: self.snr_min,
            grid: grid(self.vmax, self.vstep)?,
            reference: self.reference,
            telluric: self.telluric,
            memory_bytes: self.memory << 20,
            ..MeasureConfig::default()
        };
        config.check()?;
        Ok(config)
    }

    /// Threads to work in.
    pub fn pool(&self) -> Result<rayon::ThreadPool> {
        self.threads.pool()
    }
}

/// The grid of `--vmax` and `--vstep`.
///
/// # Errors
/// [`Error::Config`] naming the option.
pub fn grid(vmax_km_s: f64, vstep_km_s: f64) -> Result<VelocityGrid> {
    VelocityGrid::new(vmax_km_s, vstep_km_s).map_err(|e| match e {
        // The grid calls them by the names of the options.
        Error::Config(what) => Error::Config(format!("--{what}")),
        other => other,
    })
}

impl MeasureArgs {
    /// Checks values that have to do with each other.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option.
    pub fn check(&self) -> Result<()> {
        self.options.config().map(drop)
    }

    /// Measures, writes the table, tells what happened.
    pub fn run(self) -> Result<Outcome> {
        let options = &self.options;
        let config = options.config()?;
        workplace::refuse_no_directory(directory_of(&self.out))?;
        table::Table::check_path(&self.out)?;
        let rejected_path = rejected_path(&self.out);
        outputs::refuse_inputs(&[&self.out, &rejected_path], &self.inputs)?;
        outputs::refuse_products(&self.out)?;
        outputs::refuse_no_list(&rejected_path)?;
        workplace::remove_parts(directory_of(&self.out))?;
        let pool = options.pool()?;
        let backend = options.backend.open()?;
        let (name, measured) = pool.install(|| -> Result<(String, Measured)> {
            let bar = Bar::of_files(options.quiet);
            let measured = measure(&config, &self.inputs, &backend, &bar)?;
            bar.finish();
            Ok((backend.name(), measured))
        })?;
        let defects = measured
            .rejected
            .iter()
            .filter(|r| r.reason.is_defect())
            .count();
        // Errors are told even when asked to be quiet, and the list is whole even when nothing else is.
        let nothing = measured.rows.is_empty();
        // Nothing is written, and no directory made, before a file was there to be read: a name may be mistyped.
        let is_file = |r: &Rejection| r.path.is_file();
        let is_there = !nothing || measured.rejected.iter().any(is_file);
        if is_there {
            write_rejections(&rejected_path, &measured.rejected)?;
        }
        if !nothing {
            let mut table = measured_table::to_table(&measured.rows);
            if options.flags_text {
                measured_table::push_flags_text(&mut table, &measured.rows);
            }
            let about = of_measurement(&config, &measured.rows)?;
            table::write::prepare(&table, &self.out, &about)?.persist()?;
        }
        if defects > 0 && (nothing || !options.quiet) {
            tell_rejections(&measured.rejected, options.verbose);
        }
        if !is_there {
            return Err(Error::NothingUsable(
                "no file that could be measured: no input is a file or holds one; nothing was written"
                    .to_owned(),
            ));
        }
        if nothing {
            return Err(Error::NothingUsable(format!(
                "nothing could be measured: {}, {} in, none usable; reasons in {}",
                count(measured.n_files, "file"),
                count(measured.n_spectra, "spectrum"),
                plain::path(&rejected_path)
            )));
        }
        if !options.quiet {
            tell_summary(&measured, &name, &self.out, &rejected_path, options.verbose);
            if options.verbose {
                let notes = notes(&backend, &name);
                notes.iter().for_each(|line| tell::say!("{line}"));
            }
        }
        Ok(if defects > 0 {
            Outcome::SomeRejected
        } else {
            Outcome::Done
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        options: MeasuringArgs,
    }

    #[test]
    fn no_option_means_the_usual() {
        let options = Cli::parse_from(["x"]).options.config().unwrap();
        let usual = MeasureConfig::default();
        assert_eq!(format!("{options:?}"), format!("{usual:?}"));
    }
}
