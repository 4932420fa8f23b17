//! The command line: raw text in, checked settings out, one function per command.

mod about;
mod arms_told;
mod backend;
#[cfg(feature = "lab")]
mod bench;
mod calibrate;
mod calibrate_columns;
mod calibrate_dir;
#[cfg(feature = "report")]
mod calibrate_page;
mod calibrate_summary;
mod calibrating;
mod config_file;
mod devices;
#[cfg(feature = "report")]
mod export;
mod headings;
mod interrupt;
mod measure;
mod measure_summary;
mod merge;
mod missing;
mod numbers;
mod outputs;
mod plan;
mod progress;
mod recalibrate;
#[cfg(feature = "report")]
mod report;
mod run;
mod run_summary;
mod shell;
#[cfg(feature = "report")]
mod show;
#[cfg(feature = "lab")]
mod simulate;
mod slurm;
mod status;
mod threads;
mod unit;
#[cfg(feature = "lab")]
mod validate;
#[cfg(feature = "report")]
mod which_star;
mod words;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::tell;
use crate::text::plain;
use crate::{Error, Result};

/// At the end of the help.
const EXAMPLES: &str = "First steps:
  relrv run data-samples/plate-small --out plate
      from spectra to a catalogue and its report
  relrv show plate J044117
      one star of it: velocities, what their flags say, what to do
  relrv calibrate velocities.csv --out calibrated
      zero points for a table of your own
`relrv COMMAND -h` lists common options, `relrv COMMAND --help` all of them.";

/// Relative radial velocities from repeated stellar spectra.
#[derive(Debug, Parser)]
#[command(name = "relrv", version, about, propagate_version = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Plan(plan::PlanArgs),
    Unit(unit::UnitArgs),
    Merge(merge::MergeArgs),
    Status(status::StatusArgs),
    Slurm(slurm::SlurmArgs),
    Measure(measure::MeasureArgs),
    Calibrate(calibrate::CalibrateArgs),
    #[cfg(feature = "lab")]
    Simulate(simulate::SimulateArgs),
    Devices(devices::DevicesArgs),
    #[cfg(feature = "lab")]
    Bench(bench::BenchArgs),
    /// Repeat the paper's own tests.
    #[cfg(feature = "lab")]
    #[command(subcommand)]
    Validate(validate::Validate),
    #[cfg(feature = "report")]
    Report(report::ReportArgs),
    #[cfg(feature = "report")]
    Show(show::ShowArgs),
    #[cfg(feature = "report")]
    Export(export::ExportArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

impl Command {
    /// Checks values that have to do with each other.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option, what it takes and what was given.
    fn check(&self) -> Result<()> {
        match self {
            Command::Run(args) => args.check(),
            Command::Plan(args) => args.check(),
            Command::Unit(args) => args.check(),
            Command::Measure(args) => args.check(),
            Command::Calibrate(args) => args.check(),
            #[cfg(feature = "lab")]
            Command::Simulate(args) => args.check(),
            #[cfg(feature = "lab")]
            Command::Bench(args) => args.check(),
            _ => Ok(()),
        }
    }
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

/// Commands that take options from a file.
const WITH_FILE: [&str; 2] = ["run", "plan"];

/// Exit status of an error.
const EXIT_FAILURE: u8 = 1;

/// Runs the command line of this process; errors are told on stderr.
pub fn run() -> ExitCode {
    ExitCode::from(run_from(std::env::args_os().collect()))
}

/// Runs a command line, the first word of which is the program's name; errors are told on stderr.
///
/// Exit status: 0 all done; 2 done, but some inputs were rejected; 1 nothing usable or an error; 64 wrong usage; 130
/// stopped by the user.
pub fn run_from(words: Vec<OsString>) -> u8 {
    let cli = match parse(&words) {
        Ok(Ok(cli)) => cli,
        Ok(Err(usage)) => {
            return tell_usage(&usage, &words);
        }
        Err(error) => {
            tell::alert!("error: {error}");
            return EXIT_FAILURE;
        }
    };
    let result = match cli.command {
        Command::Run(args) => args.run(),
        Command::Plan(args) => args.run(),
        Command::Unit(args) => args.run(),
        Command::Merge(args) => args.run(),
        Command::Status(args) => args.run(),
        Command::Slurm(args) => args.run(),
        #[cfg(feature = "report")]
        Command::Report(args) => args.run(),
        #[cfg(feature = "report")]
        Command::Show(args) => args.run(),
        #[cfg(feature = "report")]
        Command::Export(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
        Command::Measure(args) => args.run(),
        Command::Calibrate(args) => args.run(),
        #[cfg(feature = "lab")]
        Command::Simulate(args) => args.run(),
        Command::Devices(args) => args.run(),
        #[cfg(feature = "lab")]
        Command::Bench(args) => args.run(),
        #[cfg(feature = "lab")]
        Command::Validate(which) => which.run(),
    };
    match result {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::SomeRejected) => 2,
        Err(Error::Interrupted(text)) => {
            tell::alert!("{text}");
            interrupt::EXIT_INTERRUPTED
        }
        Err(error) => {
            tell::alert!("error: {error}");
            EXIT_FAILURE
        }
    }
}

/// Tells what is wrong with the command line, or what `--help` and `--version` ask for.
fn tell_usage(usage: &clap::Error, words: &[OsString]) -> u8 {
    if !usage.use_stderr() {
        // clap prints it with colours where the terminal has them.
        let told = usage.print().and_then(|()| std::io::stdout().flush());
        return match told {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => EXIT_FAILURE,
            _ => 0,
        };
    }
    if let Some(answer) = missing::answer(usage) {
        tell::alert!("error: {answer}");
        return EXIT_USAGE;
    }
    let is_plain = |word: &OsString| plain::is_plain(&word.to_string_lossy());
    if words.iter().all(is_plain) {
        let _ = usage.print();
    } else {
        // The message repeats what the user typed, so it goes through `tell`, which escapes what a terminal would act on.
        tell::alert!("{}", usage.render().to_string().trim_end());
    }
    EXIT_USAGE
}

/// Reads the command line, and the file that `run --config` names.
fn parse(args: &[OsString]) -> Result<std::result::Result<Cli, clap::Error>> {
    // `--out` may be in the file that `--config` names, so at first it need not be on the command line.
    let mut lenient = command();
    for name in WITH_FILE {
        lenient = lenient.mut_subcommand(name, |run| run.mut_arg("out", |out| out.required(false)));
    }
    let with_file = match lenient.clone().try_get_matches_from(args) {
        Ok(matches) => match matches.subcommand() {
            Some((name, given)) if WITH_FILE.contains(&name) => {
                match given.get_one::<std::path::PathBuf>("config") {
                    Some(path) => {
                        let command = lenient.find_subcommand(name);
                        let more = command.map(|c| config_file::arguments(path, c, given));
                        let more = more.transpose()?.unwrap_or_default();
                        // The options of the file are put right behind the command, because after a `--` they would be taken for
                        // inputs.
                        let place = args
                            .iter()
                            .position(|a| a == name)
                            .map_or(args.len(), |i| i + 1);
                        let (before, after) = args.split_at(place);
                        [before, &more, after].concat()
                    }
                    None => args.to_vec(),
                }
            }
            _ => args.to_vec(),
        },
        Err(_) => args.to_vec(),
    };
    let matches = command().try_get_matches_from(with_file);
    let cli = matches.and_then(|matches| {
        let name = matches.subcommand_name().map(str::to_owned);
        Ok((Cli::from_arg_matches(&matches)?, name))
    });
    let (cli, name) = match cli {
        Ok(both) => both,
        Err(usage) => return Ok(Err(usage)),
    };
    match cli.command.check() {
        Err(Error::Config(what)) => Ok(Err(wrong_value(name.as_deref(), what))),
        Err(other) => Err(other),
        Ok(()) => Ok(Ok(cli)),
    }
}

/// The command line. Values may be negative numbers: an option that takes none says what it takes.
fn command() -> clap::Command {
    fn with_negative_numbers(command: clap::Command) -> clap::Command {
        let is_option =
            |arg: &clap::Arg| arg.get_long().is_some() && arg.get_action().takes_values();
        command
            .mut_args(|arg| match is_option(&arg) {
                true => arg.allow_negative_numbers(true),
                false => arg,
            })
            .mut_subcommands(with_negative_numbers)
    }
    with_negative_numbers(Cli::command())
}

/// Values that make no sense together, as the command line tells what is wrong with it.
fn wrong_value(name: Option<&str>, what: String) -> clap::Error {
    let mut all = command();
    all.build();
    let kind = clap::error::ErrorKind::ValueValidation;
    match name.and_then(|name| all.find_subcommand_mut(name)) {
        Some(command) => command.error(kind, what),
        None => all.error(kind, what),
    }
}
