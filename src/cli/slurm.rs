//! `relrv slurm`: a plan's units as a job array of Slurm, and the merge after it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Outcome;
use super::numbers;
use super::progress::duration;
use crate::files::whole;
use crate::run::{Tasks, Units};
use crate::text::count::count;
use crate::text::plain;
use crate::{Error, Result, tell};

/// Folder of the scripts in the directory of a plan.
const FOLDER: &str = "slurm";

/// Tasks of ten minutes are long enough that starting them costs nothing, and short enough that a killed one costs little.
const TASK_MINUTES: f64 = 10.0;

/// The usual limit of Slurm for the numbers of tasks is 1000 (MaxArraySize = 1001).
const MOST_TASKS: usize = 1000;

/// A task may take this many times what is expected, as other nodes may be slower, and so much more for its start.
const TIME_FACTOR: f64 = 3.0;
const TIME_MORE_S: f64 = 600.0;

/// Memory that is asked for, over the most that a unit has taken.
const MEMORY_FACTOR: f64 = 1.3;

/// Memory of the merge: of the program, and for each file of the plan, bytes. A row takes 0.4 kB (benches/RUNS.md, "A survey merged"),
/// and a file seldom has more than 20.
const MERGE_BYTES: u64 = 1 << 30;
const MERGE_BYTES_PER_FILE: u64 = 12_000;

/// Time of the merge: at least, and for each file of the plan, seconds; ten times what it takes.
const MERGE_S: f64 = 3600.0;
const MERGE_S_PER_FILE: f64 = 1e-3;

/// Write (and submit) a job array of Slurm that measures the units of the plan in DIR that are not measured yet, and a job that merges them
/// when the array has ended, whether all of its tasks succeeded or not.
///
/// Small units are put together into tasks. Submitting again submits only what is missing.
#[derive(Debug, clap::Args)]
pub struct SlurmArgs {
    /// Directory of the plan.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Submit both jobs with sbatch, and print their numbers.
    #[arg(long)]
    submit: bool,
    /// Most tasks of the array.
    #[arg(long, value_name = "N", default_value_t = MOST_TASKS, value_parser = numbers::whole::<usize>(1..=u64::MAX))]
    array_size: usize,
    /// Units are put together until a task is expected to take this time; 0 for a task each.
    #[arg(long, value_name = "MINUTES", default_value_t = TASK_MINUTES, value_parser = numbers::real(0.0..=f64::INFINITY))]
    task_minutes: f64,
    /// Cores of a task.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = numbers::whole::<u16>(1..=1024))]
    cpus: u16,
    /// Time limit of a task, as sbatch takes it; by default three times what its units are expected to take, and ten minutes.
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Memory for each core of a task, as sbatch takes it; by default 1.3 times the most that a unit has taken.
    #[arg(long, value_name = "SIZE")]
    mem_per_cpu: Option<String>,
    /// Options for sbatch, for both jobs: `-- --partition=short --account=me`.
    #[arg(last = true, value_name = "SBATCH OPTION")]
    sbatch: Vec<String>,
}

impl SlurmArgs {
    /// Writes the scripts, and submits them where that is asked for.
    pub fn run(self) -> Result<Outcome> {
        let dir = std::path::absolute(&self.dir).map_err(|e| Error::io(&self.dir, e))?;
        let units = Units::of(&dir)?;
        let folder = dir.join(FOLDER);
        if self.submit {
            refuse_if_at_work(&folder)?;
        }
        let task_s = 60.0 * self.task_minutes * f64::from(self.cpus);
        let tasks = units.tasks(task_s, self.array_size);
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs).map_err(|e| Error::io(&logs, e))?;
        let program = std::env::current_exe().map_err(|e| Error::io(Path::new("relrv"), e))?;
        let script = Script {
            program: quoted(&program)?,
            dir: quoted(&dir)?,
            logs: pattern(&logs)?,
            plan: units.head.hash().to_owned(),
        };
        let lines: Vec<String> = tasks.tasks.iter().map(words).collect();
        let n_files: usize = units.head.units.iter().map(|unit| unit.n_files).sum();
        let (array, merge) = (folder.join("array.sh"), folder.join("merge.sh"));
        let write = |path: &Path, text: String| whole::write_bytes(path, text.as_bytes());
        write(
            &folder.join("tasks.txt"),
            lines.iter().map(|l| format!("{l}\n")).collect(),
        )?;
        write(&array, self.array(&script, &tasks, &lines))?;
        write(&merge, script.merge(n_files))?;
        self.tell(&tasks, &folder);
        if self.submit {
            self.submit(&folder, &array, &merge, tasks.tasks.is_empty())?;
        }
        Ok(Outcome::Done)
    }

    /// The script of the array. It holds its tasks, as Slurm keeps a copy of it: a later submission cannot change what they are.
    fn array(&self, script: &Script, tasks: &Tasks, lines: &[String]) -> String {
        let cpus = f64::from(self.cpus);
        let limit_s = TIME_FACTOR * tasks.longest_s / cpus + TIME_MORE_S;
        let time = self.time.clone().unwrap_or_else(|| clock(limit_s));
        let memory = MEMORY_FACTOR * tasks.memory_bytes as f64 / cpus;
        let memory = self
            .mem_per_cpu
            .clone()
            .unwrap_or_else(|| mebibytes(memory));
        format!(
            "#!/bin/bash
#SBATCH --job-name=relrv
#SBATCH --array=0-{last}
#SBATCH --cpus-per-task={cpus}
#SBATCH --time={time}
#SBATCH --mem-per-cpu={memory}
#SBATCH --output=\"{logs}/%A_%a.log\"
#SBATCH --open-mode=append
# What a unit has measured is kept when it is whole, so a task that is begun again goes on.
#SBATCH --requeue
set -euo pipefail
tasks=({tasks})
exec {program} unit {dir} \"${{tasks[SLURM_ARRAY_TASK_ID]}}\" --plan {plan} --threads {cpus}
",
            last = lines.len().saturating_sub(1),
            cpus = self.cpus,
            logs = script.logs,
            tasks = lines.join(" "),
            program = script.program,
            dir = script.dir,
            plan = script.plan,
        )
    }

    /// Tells what was written, on standard error: standard output has the numbers of the jobs.
    fn tell(&self, tasks: &Tasks, folder: &Path) {
        let n_units: usize = tasks
            .tasks
            .iter()
            .map(|(first, last)| last + 1 - first)
            .sum();
        let from = match tasks.is_measured {
            true => "by the units that are measured",
            false => "no unit of this plan has told yet how long it takes",
        };
        tell::alert!(
            "{} in {}: {} of one core, {} the longest task ({from})",
            count(n_units, "unit"),
            count(tasks.tasks.len(), "task"),
            duration(tasks.all_s),
            duration(tasks.longest_s)
        );
        if tasks.n_running > 0 {
            tell::alert!(
                "{} being measured, and in no task",
                match tasks.n_running {
                    1 => "1 unit is".to_owned(),
                    n => format!("{n} units are"),
                }
            );
        }
        tell::alert!("scripts in {}", plain::path(folder));
    }

    fn submit(&self, folder: &Path, array: &Path, merge: &Path, is_done: bool) -> Result<()> {
        let mut after = Vec::new();
        if !is_done {
            let job = self.sbatch(&[], array)?;
            tell::say!("array {job}");
            whole::write_bytes(&jobs(folder), format!("{job}\n").as_bytes())?;
            // After any end of the array: with `afterok` one failed task would leave the merge waiting for ever.
            after.push(format!("--dependency=afterany:{job}"));
        }
        let job = self.sbatch(&after, merge)?;
        tell::say!("merge {job}");
        Ok(())
    }

    /// Submits a script; the number of its job.
    fn sbatch(&self, more: &[String], script: &Path) -> Result<String> {
        let mut command = Command::new("sbatch");
        command
            .arg("--parsable")
            .args(more)
            .args(&self.sbatch)
            .arg(script);
        let output = command
            .output()
            .map_err(|e| Error::io(Path::new("sbatch"), e))?;
        let text = String::from_utf8_lossy(&output.stdout);
        // The number, or the number and the cluster: `1234;cluster`.
        let job = text.trim().split(';').next().unwrap_or_default();
        let is_number = !job.is_empty() && job.bytes().all(|b| b.is_ascii_digit());
        if output.status.success() && is_number {
            return Ok(job.to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Error::Config(format!(
            "sbatch {}: {} {}",
            plain::path(script),
            output.status,
            said.trim()
        )))
    }
}

/// Where the number of the last array is noted.
fn jobs(folder: &Path) -> PathBuf {
    folder.join("array.job")
}

/// Refuses to submit while an array of an earlier submission is not finished: its tasks would be there twice.
fn refuse_if_at_work(folder: &Path) -> Result<()> {
    let Ok(job) = std::fs::read_to_string(jobs(folder)) else {
        return Ok(());
    };
    let job = job.trim();
    let asked = Command::new("squeue")
        .args(["--noheader", "--format=%T", "--jobs", job])
        .output()
        .map_err(|e| Error::io(Path::new("squeue"), e))?;
    let states = String::from_utf8_lossy(&asked.stdout);
    // Of a job that it no longer knows squeue tells nothing, or an error.
    match states.split_whitespace().next() {
        Some(state) if asked.status.success() => Err(Error::Occupied(format!(
            "job {job} of an earlier submission is not finished ({}): wait for it, or end it with scancel {job}",
            state.to_lowercase()
        ))),
        _ => Ok(()),
    }
}

/// What the scripts have in common.
struct Script {
    program: String,
    dir: String,
    logs: String,
    plan: String,
}

impl Script {
    /// The script of the merge.
    fn merge(&self, n_files: usize) -> String {
        let memory = MERGE_BYTES + MERGE_BYTES_PER_FILE * n_files as u64;
        format!(
            "#!/bin/bash
#SBATCH --job-name=relrv-merge
#SBATCH --cpus-per-task=1
#SBATCH --time={time}
#SBATCH --mem={memory}
#SBATCH --output=\"{logs}/merge_%j.log\"
set -euo pipefail
exec {program} merge {dir} --threads 1
",
            time = clock(MERGE_S + MERGE_S_PER_FILE * n_files as f64),
            memory = mebibytes(memory as f64),
            logs = self.logs,
            program = self.program,
            dir = self.dir,
        )
    }
}

/// `3-7`, or `3`.
fn words((first, last): &(usize, usize)) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}

/// `HH:MM:SS`, whole minutes.
fn clock(seconds: f64) -> String {
    let minutes = (seconds / 60.0).ceil().max(1.0) as u64;
    format!("{:02}:{:02}:00", minutes / 60, minutes % 60)
}

fn mebibytes(bytes: f64) -> String {
    let mib = (bytes / f64::from(1 << 20)).ceil() as u64;
    format!("{}M", mib.next_multiple_of(64))
}

/// A path as one word of the shell.
fn quoted(path: &Path) -> Result<String> {
    Ok(format!("'{}'", text(path)?.replace('\'', "'\\''")))
}

/// A path in the value of `--output`, where Slurm replaces what begins with %.
fn pattern(path: &Path) -> Result<String> {
    let text = text(path)?;
    match text.contains(['"', '\\']) {
        true => Err(unusable(path)),
        false => Ok(text.replace('%', "%%")),
    }
}

fn text(path: &Path) -> Result<&str> {
    let text = path
        .to_str()
        .filter(|text| !text.chars().any(char::is_control));
    text.ok_or_else(|| unusable(path))
}

fn unusable(path: &Path) -> Error {
    Error::Config(format!(
        "{}: a path with quotes, backslashes or controls cannot be put into a script of Slurm",
        plain::path(path)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sizes_and_paths_are_what_slurm_and_the_shell_read() {
        assert_eq!(clock(0.0), "00:01:00");
        assert_eq!(clock(3601.0), "01:01:00");
        assert_eq!(clock(90_000.0), "25:00:00");
        assert_eq!(mebibytes(1.0), "64M");
        assert_eq!(mebibytes(2e9), "1920M");
        assert_eq!(words(&(3, 3)), "3");
        assert_eq!(words(&(3, 7)), "3-7");
        assert_eq!(quoted(Path::new("/a b/it's")).unwrap(), r"'/a b/it'\''s'");
        assert_eq!(pattern(Path::new("/a%b")).unwrap(), "/a%%b");
        assert!(pattern(Path::new("/a\"b")).is_err());
        assert!(quoted(Path::new("/a\nb")).is_err());
    }
}
