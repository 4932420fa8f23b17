//! The command line: raw text in, checked settings out, one function per command.

mod measure;
mod progress;
mod report;
mod simulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Simulate(simulate::SimulateArgs),
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
        Command::Simulate(args) => args.run(),
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
