//! `relrv status`: how the units of a plan stand.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Outcome;
use super::progress::duration;
use crate::run::{Cost, UnitState, Units};
use crate::text::count::count;
use crate::text::plain;
use crate::{Error, Result, tell};

/// Tell which units of the plan in DIR are measured, which failed and why, which are worked on, and what they took.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Directory of the plan.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl StatusArgs {
    /// Tells it.
    pub fn run(self) -> Result<Outcome> {
        let units = Units::of(&self.dir)?;
        let states: Vec<UnitState> = (0..units.head.units.len())
            .map(|i| units.state(i))
            .collect();
        let text = match self.json {
            true => as_json(&units, &states)?,
            false => as_text(&units, &states),
        };
        tell::product(text.as_bytes())?;
        Ok(Outcome::Done)
    }
}

/// What is told of a state: its word, its reason, and what it took.
fn parts(state: &UnitState) -> (&'static str, Option<&str>, Option<&Cost>) {
    match state {
        UnitState::Done(cost) => ("done", None, Some(cost)),
        UnitState::Running(who) => ("running", Some(who), None),
        UnitState::Failed(why) => ("failed", Some(why), None),
        UnitState::Missing => ("missing", None, None),
    }
}

const WORDS: [&str; 4] = ["done", "failed", "missing", "running"];

fn as_text(units: &Units, states: &[UnitState]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{:>6}  {:<24} {:>4}  {:<8} {:>6} {:>11} {:>8}  what",
        "unit", "plate", "spid", "state", "files", "time", "memory"
    );
    for (i, (line, state)) in units.head.units.iter().zip(states).enumerate() {
        let (word, what, cost) = parts(state);
        let time = cost.map_or(String::new(), |c| match c.seconds < 10.0 {
            true => format!("{:.1} s", c.seconds),
            false => duration(c.seconds),
        });
        let memory = cost.and_then(|c| c.peak_memory_bytes);
        let memory = memory.map_or(String::new(), |b| format!("{} MiB", b >> 20));
        let what = what.or(cost.map(|c| c.host.as_str())).unwrap_or_default();
        let row = format!(
            "{:>6}  {:<24} {:>4}  {word:<8} {:>6} {time:>11} {memory:>8}  {what}",
            i + 1,
            line.planid,
            line.spid,
            line.n_files,
        );
        let _ = writeln!(out, "{}", plain::line(row.trim_end()));
    }
    let counts = WORDS.map(|word| {
        let n = states.iter().filter(|state| parts(state).0 == word).count();
        format!("{n} {word}")
    });
    let all = count(states.len(), "unit");
    let _ = writeln!(out, "{all}: {}", counts.join(", "));
    out
}

fn as_json(units: &Units, states: &[UnitState]) -> Result<String> {
    let one = |(i, (line, state)): (usize, (&crate::run::UnitLine, &UnitState))| -> Value {
        let (word, what, cost) = parts(state);
        json!({
            "number": i + 1,
            "planid": line.planid,
            "spid": line.spid,
            "files": line.n_files,
            "bytes": line.bytes,
            "state": word,
            "reason": what,
            "seconds": cost.map(|c| c.seconds),
            "threads": cost.map(|c| c.threads),
            "peak_memory_bytes": cost.and_then(|c| c.peak_memory_bytes),
            "host": cost.map(|c| &c.host),
        })
    };
    let list: Vec<Value> = units
        .head
        .units
        .iter()
        .zip(states)
        .enumerate()
        .map(one)
        .collect();
    let text = serde_json::to_string_pretty(&json!({ "units": list }))
        .map_err(|e| Error::Config(format!("status: {e}")))?;
    Ok(text + "\n")
}
