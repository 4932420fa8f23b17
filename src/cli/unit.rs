//! `relrv unit`: some units of a plan.

use std::ops::Range;
use std::path::PathBuf;

use super::Outcome;
use super::backend::BackendArgs;
use super::interrupt;
use super::numbers::whole;
use super::progress::Bar;
use super::threads::Threads;
use crate::likelihood::backend::Choice;
use crate::measure::memory;
use crate::run::{self, RunConfig, UnitOutcome, Units};
use crate::text::count::count;
use crate::text::plain;
use crate::{Error, Result, tell};

/// The number of the task in a job array of Slurm.
const TASK: &str = "SLURM_ARRAY_TASK_ID";

/// Measure units of the plan in DIR (relrv plan). Several programs, also on several machines, may work in one DIR: a unit that one of them
/// works on is left to it, and waited for in the end.
#[derive(Debug, clap::Args)]
pub struct UnitArgs {
    /// Directory of the plan.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Numbers of the units, from 1; without it the number of the task in a job array of Slurm.
    #[arg(value_name = "N[-M]")]
    units: Option<String>,
    /// Memory for the spectra that are worked on at one time, MiB; changes no number.
    #[arg(long, value_name = "MIB", default_value_t = memory::USUAL_MIB, value_parser = whole::<u64>(memory::LEAST_MIB..=memory::MOST_MIB))]
    memory: u64,
    /// Do nothing if DIR holds another plan than this one: a new plan may number its units otherwise.
    #[arg(long, value_name = "HASH")]
    plan: Option<String>,
    #[command(flatten)]
    backend: BackendArgs,
    #[command(flatten)]
    threads: Threads,
    /// Print nothing but errors.
    #[arg(long)]
    quiet: bool,
}

impl UnitArgs {
    /// Checks the numbers of units.
    ///
    /// # Errors
    /// [`Error::Config`] saying what is expected.
    pub fn check(&self) -> Result<()> {
        self.range().map(drop)
    }

    /// Measures the units.
    pub fn run(self) -> Result<Outcome> {
        let range = self.range()?;
        let dir = std::path::absolute(&self.dir).map_err(|e| Error::io(&self.dir, e))?;
        let units = Units::of(&dir)?;
        let mut config = RunConfig::of_settings(&units.head.settings, &dir)?;
        config.measure.memory_bytes = self.memory << 20;
        let mut asked = self.backend.clone();
        // A GPU that this machine has and the plan's did not is no reason to refuse.
        if asked.backend == Choice::Auto && config.is_of_cpu() {
            asked.backend = Choice::Cpu;
        }
        let backend = asked.open()?;
        config.refuse_other_backend(&backend)?;
        if let Some(plan) = self.plan.as_ref().filter(|plan| *plan != units.head.hash()) {
            return Err(Error::Config(format!(
                "{} holds another plan by now, in which these numbers may be of other units ({plan} was expected)",
                plain::path(&self.dir)
            )));
        }
        // Relative paths of inputs begin where the plan was made.
        if let Some(from) = &units.head.from {
            std::env::set_current_dir(&from.0).map_err(|e| Error::io(&from.0, e))?;
        }
        interrupt::watch()?;
        let pool = self.threads.pool()?;
        let progress = Bar::of_files(self.quiet);
        let quiet = self.quiet;
        let called = |i: usize| units.head.units[i].called(i);
        let tell = |i: usize, outcome: &UnitOutcome| match outcome {
            UnitOutcome::Failed(error) => tell::alert!("error: {}: {error}", called(i)),
            _ if quiet => {}
            UnitOutcome::Measured { rows, defects: 0 } => {
                tell::say!("{}: {}", called(i), count(*rows, "velocity"));
            }
            UnitOutcome::Measured { rows, defects } => {
                tell::say!(
                    "{}: {}, {} with a defect",
                    called(i),
                    count(*rows, "velocity"),
                    count(*defects, "input")
                );
            }
            UnitOutcome::Before => tell::say!("{}: measured before", called(i)),
            UnitOutcome::Elsewhere(who) => tell::say!("{}: {who} works on it; waiting", called(i)),
        };
        let done =
            pool.install(|| run::measure_some(&units, range, &config, &backend, &progress, tell));
        progress.finish();
        let done = done?;
        let is_failed =
            |(_, outcome): &&(usize, UnitOutcome)| matches!(outcome, UnitOutcome::Failed(_));
        match done.iter().filter(is_failed).count() {
            0 => Ok(Outcome::Done),
            n => Err(Error::NothingUsable(format!(
                "{n} of {} failed; relrv status {} lists {}",
                count(done.len(), "unit"),
                plain::path(&self.dir),
                if n == 1 { "it" } else { "them" }
            ))),
        }
    }

    /// The units that were asked for, counted from 0.
    fn range(&self) -> Result<Range<usize>> {
        let (text, of) = match &self.units {
            Some(text) => (text.clone(), "N[-M]"),
            None => (
                std::env::var(TASK).map_err(|_| {
                    Error::Config(format!(
                        "expected N[-M], the numbers of units, or {TASK} in the environment"
                    ))
                })?,
                TASK,
            ),
        };
        let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n > 0);
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Ok(first - 1..last),
            _ => Err(Error::Config(format!(
                "{of}: expected the number of a unit from 1, or two of them as in 3-7, found {text:?}"
            ))),
        }
    }
}
