//! The command line: raw text in, checked settings out, one function per command.

pub mod backend;
mod bench;
mod calibrate;
mod devices;
mod measure;
mod progress;
mod report;
mod simulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::validate::{mock_run, survey_run};

/// Relative radial velocities from repeated stellar spectra.
#[derive(Debug, Parser)]
#[command(name = "relrv", version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Measure(measure::MeasureArgs),
    /// Find the velocity zero point of every exposure from the stars that do not vary.
    Calibrate(calibrate::CalibrateArgs),
    Simulate(simulate::SimulateArgs),
    Devices(devices::DevicesArgs),
    Bench(bench::BenchArgs),
    /// Repeat the paper's own tests.
    #[command(subcommand)]
    Validate(Validate),
}

#[derive(Debug, Subcommand)]
enum Validate {
    /// The mock stars of the paper's section 3.3, with its figures 1 and 2.
    Mock(mock_run::MockArgs),
    /// A calibration of the survey's size, timed and scored.
    Survey(survey_run::SurveyArgs),
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
/// Exit status: 0 all done; 2 done, but some inputs were rejected; 1 nothing usable or an error; 64 wrong usage.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            // --help and --version come here too, and are no errors.
            let _ = usage.print();
            return if usage.use_stderr() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let result = match cli.command {
        Command::Measure(args) => args.run(),
        Command::Calibrate(args) => calibrate::run(&args, &mut std::io::stdout()).map(|summary| {
            match summary.n_rows_unusable {
                0 => Outcome::Done,
                _ => Outcome::SomeRejected,
            }
        }),
        Command::Simulate(args) => args.run(),
        Command::Devices(args) => args.run(),
        Command::Bench(args) => args.run(),
        Command::Validate(Validate::Mock(args)) => {
            mock_run::run(&args, &mut std::io::stdout()).map(|_| Outcome::Done)
        }
        Command::Validate(Validate::Survey(args)) => {
            survey_run::run(&args, &mut std::io::stdout()).map(|_| Outcome::Done)
        }
    };
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeRejected) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
