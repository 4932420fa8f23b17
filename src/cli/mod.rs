//! The command line: raw text in, checked settings out, one function per command.

pub mod backend;
mod bench;
mod calibrate;
mod calibrate_dir;
mod config_file;
mod devices;
mod interrupt;
mod measure;
mod outputs;
mod progress;
mod report;
mod report_page;
mod run;
mod run_progress;
mod run_summary;
mod shell;
mod simulate;
mod threads;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::files::workplace;
use crate::lab::validate::{self, all};
use crate::tell::{self, Told};
use crate::text::plain;
use crate::{Error, Result};

/// Relative radial velocities from repeated stellar spectra.
#[derive(Debug, Parser)]
#[command(name = "relrv", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Measure(measure::MeasureArgs),
    /// Find the velocity zero point of every exposure from the stars that do not vary.
    Calibrate(calibrate::CalibrateArgs),
    Simulate(simulate::SimulateArgs),
    Devices(devices::DevicesArgs),
    Bench(bench::BenchArgs),
    /// Repeat the paper's own tests.
    #[command(subcommand)]
    Validate(Validate),
    Report(report_page::ReportArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

#[derive(Debug, Subcommand)]
enum Validate {
    /// The mock stars of the paper's section 3.3, with its figures 1 and 2.
    Mock(validate::mock::run::MockArgs),
    /// A calibration of the survey's size, timed and scored.
    Survey(validate::survey::run::SurveyArgs),
    /// Scatter of simulated spectra by type and signal-to-noise ratio, with the paper's figure 8.
    Precision(validate::precision::run::PrecisionArgs),
    /// Stars whose temperature changes, with the paper's figure 9.
    Pulsators(validate::pulsators::run::PulsatorsArgs),
    /// Bias of the velocity against where between pixels it falls.
    Phase(validate::phase::run::PhaseArgs),
    /// A simulated plate through the main job, against its truth, with the paper's figures 3 to 7 and table 2.
    EndToEnd(validate::end_to_end::run::EndToEndArgs),
    /// All of them but survey, and one page that sets every figure and table of the paper beside ours.
    All(all::AllArgs),
}

/// How a command ended, as the shell sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All done: 0.
    Done,
    /// Done, but some inputs were rejected: 2.
    SomeRejected,
}

/// Exit status of wrong usage (EX_USAGE of sysexits.h).
const EXIT_USAGE: u8 = 64;

/// Runs the command line; errors are told on stderr.
///
/// Exit status: 0 all done; 2 done, but some inputs were rejected; 1 nothing usable or an error; 64 wrong usage; 130
/// stopped by the user.
pub fn run() -> ExitCode {
    let cli = match parse() {
        Ok(Ok(cli)) => cli,
        Ok(Err(usage)) => {
            return tell_usage(&usage);
        }
        Err(error) => {
            tell::alert!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = match cli.command {
        Command::Run(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
        Command::Measure(args) => args.run(),
        Command::Calibrate(args) => {
            calibrate::run(&args, &mut Told).map(|summary| match summary.n_rows_unusable {
                0 if summary.arms.iter().all(|arm| arm.complaint().is_none()) => Outcome::Done,
                _ => Outcome::SomeRejected,
            })
        }
        Command::Simulate(args) => args.run(),
        Command::Devices(args) => args.run(),
        Command::Bench(args) => args.run(),
        Command::Validate(which) => validate(which),
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeRejected) => ExitCode::from(2),
        Err(Error::Interrupted(text)) => {
            tell::alert!("{text}");
            ExitCode::from(interrupt::EXIT_INTERRUPTED)
        }
        Err(error) => {
            tell::alert!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tells what is wrong with the command line, or what `--help` and `--version` ask for.
fn tell_usage(usage: &clap::Error) -> ExitCode {
    if !usage.use_stderr() {
        // With the colours that the terminal knows.
        let told = usage.print().and_then(|()| std::io::stdout().flush());
        return match told {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        };
    }
    let words = std::env::args_os();
    if words
        .map(|word| word.to_string_lossy().into_owned())
        .all(|word| plain::is_plain(&word))
    {
        let _ = usage.print();
    } else {
        // It repeats what was given, as it was given.
        tell::alert!("{}", usage.render().to_string().trim_end());
    }
    ExitCode::from(EXIT_USAGE)
}

/// Runs a test of the paper's; its directory must not be one of a run or a calibration.
fn validate(which: Validate) -> Result<Outcome> {
    let out = match &which {
        Validate::Mock(args) => &args.out,
        Validate::Survey(args) => &args.out,
        Validate::Precision(args) => &args.out,
        Validate::Pulsators(args) => &args.out,
        Validate::Phase(args) => &args.out,
        Validate::EndToEnd(args) => &args.out,
        Validate::All(args) => &args.out,
    };
    workplace::refuse_others(out, "validate")?;
    let told = &mut Told;
    match which {
        Validate::Mock(args) => validate::mock::run::run(&args, told).map(drop),
        Validate::Survey(args) => validate::survey::run::run(&args, told).map(drop),
        Validate::Precision(args) => validate::precision::run::run(&args, told).map(drop),
        Validate::Pulsators(args) => validate::pulsators::run::run(&args, told).map(drop),
        Validate::Phase(args) => validate::phase::run::run(&args, told).map(drop),
        Validate::EndToEnd(args) => validate::end_to_end::run::run(&args, told).map(drop),
        Validate::All(args) => all::run(&args, told),
    }?;
    Ok(Outcome::Done)
}

/// Reads the command line, and the file that `run --config` names.
fn parse() -> Result<std::result::Result<Cli, clap::Error>> {
    let args: Vec<_> = std::env::args_os().collect();
    // What the file sets need not be on the command line.
    let lenient =
        Cli::command().mut_subcommand("run", |run| run.mut_arg("out", |out| out.required(false)));
    let with_file = match lenient.clone().try_get_matches_from(&args) {
        Ok(matches) => match matches.subcommand() {
            Some(("run", given)) => match given.get_one::<std::path::PathBuf>("config") {
                Some(path) => {
                    let command = lenient.find_subcommand("run");
                    let more = command.map(|c| config_file::arguments(path, c, given));
                    let more = more.transpose()?.unwrap_or_default();
                    // Right behind `run`: what follows a `--` are inputs.
                    let place = args
                        .iter()
                        .position(|a| a == "run")
                        .map_or(args.len(), |i| i + 1);
                    let (before, after) = args.split_at(place);
                    [before, &more, after].concat()
                }
                None => args,
            },
            _ => args,
        },
        Err(_) => args,
    };
    let matches = Cli::command().try_get_matches_from(with_file);
    Ok(matches.and_then(|m| Cli::from_arg_matches(&m)))
}
