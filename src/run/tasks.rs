//! Units in groups that take about as long as a scheduler likes its tasks to be.

use super::some::{UnitState, Units};

/// Seconds of one core that a byte of a unit's files takes, where no unit of the plan has told it yet: 0.7 ms a spectrum of 11 kB, on
/// x86-64 of 2020, and twice that, because a cluster's cores are slower when all of them work.
const SECONDS_PER_BYTE: f64 = 2.0 * 0.7e-3 / 11e3;

/// Memory of a program that measures a unit, bytes, where no unit of the plan has told it yet.
const MEMORY_BYTES: u64 = 2 << 30;

/// What is left to do of a plan, cut into tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Tasks {
    /// Numbers of the units of each task, from 1: the first and the last.
    pub tasks: Vec<(usize, usize)>,
    /// Seconds of one core that the longest task is expected to take.
    pub longest_s: f64,
    /// Seconds of one core that all of them are expected to take.
    pub all_s: f64,
    /// Most memory that a unit took so far, or is expected to take, bytes.
    pub memory_bytes: u64,
    /// Units that somebody works on, and that are in no task.
    pub n_running: usize,
    /// Whether units that were measured told the time and the memory.
    pub is_measured: bool,
}

impl Units {
    /// Groups the units that are missing or failed: neighbours together until they take `task_s` seconds of one core, and at most
    /// `most` tasks.
    pub fn tasks(&self, task_s: f64, most: usize) -> Tasks {
        let states: Vec<UnitState> = (0..self.head.units.len()).map(|i| self.state(i)).collect();
        let bytes: Vec<u64> = self.head.units.iter().map(|unit| unit.bytes).collect();
        group(&states, &bytes, task_s, most)
    }
}

fn group(states: &[UnitState], bytes: &[u64], task_s: f64, most: usize) -> Tasks {
    let (mut core_s, mut done_bytes, mut memory_bytes) = (0.0, 0, 0);
    for (state, bytes) in states.iter().zip(bytes) {
        if let UnitState::Done(cost) = state {
            core_s += cost.seconds * cost.threads as f64;
            done_bytes += bytes;
            memory_bytes = memory_bytes.max(cost.peak_memory_bytes.unwrap_or(0));
        }
    }
    let is_measured = core_s > 0.0 && done_bytes > 0;
    let per_byte = match is_measured {
        true => core_s / done_bytes as f64,
        false => SECONDS_PER_BYTE,
    };
    let is_todo = |i: &usize| matches!(states[*i], UnitState::Missing | UnitState::Failed(_));
    let todo: Vec<usize> = (0..states.len()).filter(is_todo).collect();
    let seconds = |i: usize| per_byte * bytes[i] as f64;
    let all_s: f64 = todo.iter().map(|i| seconds(*i)).sum();
    let mut limit_s = task_s;
    let tasks = loop {
        // Where there are too many gaps between units that are left to do, tasks reach over units that are done, which cost a look.
        let n_runs = todo.chunk_by(|a, b| a + 1 == *b).count();
        let tasks = cut(&todo, limit_s, n_runs > most, seconds);
        if tasks.len() <= most || limit_s > all_s {
            break tasks;
        }
        limit_s = (2.0 * limit_s).max(all_s / most as f64).max(1e-3);
    };
    let of_task = |(first, last): &(usize, usize)| {
        let own = (first - 1..*last).filter(|i| is_todo(i));
        own.map(seconds).sum::<f64>()
    };
    Tasks {
        longest_s: tasks.iter().map(of_task).fold(0.0, f64::max),
        all_s,
        tasks,
        memory_bytes: match memory_bytes {
            0 => MEMORY_BYTES,
            known => known,
        },
        n_running: states
            .iter()
            .filter(|s| matches!(s, UnitState::Running(_)))
            .count(),
        is_measured,
    }
}

/// Neighbours together until they take this time, also `over_gaps`; first and last numbers from 1.
fn cut(
    todo: &[usize],
    limit_s: f64,
    over_gaps: bool,
    seconds: impl Fn(usize) -> f64,
) -> Vec<(usize, usize)> {
    let mut tasks: Vec<(usize, usize)> = Vec::new();
    let mut sum_s = 0.0;
    for &i in todo {
        sum_s += seconds(i);
        match tasks.last_mut() {
            Some((_, last)) if (over_gaps || *last == i) && sum_s <= limit_s => *last = i + 1,
            _ => {
                tasks.push((i + 1, i + 1));
                sum_s = seconds(i);
            }
        }
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Cost;

    fn done(seconds: f64) -> UnitState {
        UnitState::Done(Cost {
            seconds,
            threads: 2,
            peak_memory_bytes: Some(5),
            host: String::new(),
        })
    }

    #[test]
    fn neighbours_that_are_left_to_do_are_grouped_by_their_time() {
        use UnitState::{Failed, Missing, Running};
        let states = [
            Missing,
            Failed("x".into()),
            done(3.0),
            Missing,
            Missing,
            Missing,
            Running("y".into()),
            Missing,
        ];
        let bytes = [10, 10, 20, 10, 10, 10, 10, 40];
        // Six seconds of one core for 20 bytes: 3 s, 3 s, -, 3 s, 3 s, 3 s, -, 12 s.
        let of = |task_s, most| group(&states, &bytes, task_s, most);
        let six = of(6.0, 100);
        assert_eq!(six.tasks, [(1, 2), (4, 5), (6, 6), (8, 8)]);
        assert_eq!((six.longest_s, six.all_s, six.n_running), (12.0, 27.0, 1));
        assert_eq!((six.memory_bytes, six.is_measured), (5, true));
        let one = of(0.0, 100);
        assert_eq!(one.tasks, [(1, 1), (2, 2), (4, 4), (5, 5), (6, 6), (8, 8)]);
        // Not more than asked for, as far as gaps allow.
        assert_eq!(of(0.0, 4).tasks, [(1, 2), (4, 5), (6, 6), (8, 8)]);
        assert_eq!(of(0.0, 3).tasks, [(1, 2), (4, 6), (8, 8)]);
        for most in [1, 2] {
            assert_eq!(of(0.0, most).tasks, [(1, 8)]);
        }
        let none = group(&[done(1.0)], &[1], 6.0, 10);
        assert!(none.tasks.is_empty() && none.longest_s == 0.0);
        let new = group(&[Missing], &[1_000_000], 600.0, 10);
        assert!(!new.is_measured && (0.05..0.5).contains(&new.longest_s));
    }
}
