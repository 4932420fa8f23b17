//! How far a test is, on standard error: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::tell;

/// Time between lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Counts steps.
pub struct Progress {
    name: &'static str,
    bar: ProgressBar,
    lines: bool,
    start: Instant,
    last: Instant,
    done: usize,
    total: usize,
}

impl Progress {
    /// `total` steps of the test `name`; nothing is told if `quiet`.
    pub fn new(name: &'static str, total: usize, quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if quiet || !is_terminal {
            ProgressBar::hidden()
        } else {
            let target = ProgressDrawTarget::stderr_with_hz(5);
            let bar = ProgressBar::with_draw_target(Some(total as u64), target);
            let style = "{prefix} {bar:30} {pos}/{len} {msg}, {eta} left";
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(name);
            bar
        };
        let now = Instant::now();
        Progress {
            name,
            bar,
            lines: !quiet && !is_terminal,
            start: now,
            last: now,
            done: 0,
            total,
        }
    }

    /// One more step, `what`, is done.
    pub fn step(&mut self, what: &str) {
        self.done += 1;
        self.bar.set_message(what.to_owned());
        self.bar.inc(1);
        if self.lines && self.last.elapsed() >= BETWEEN_LINES && self.done < self.total {
            self.last = Instant::now();
            let seconds = self.start.elapsed().as_secs_f64();
            let left = seconds * (self.total - self.done) as f64 / self.done as f64;
            tell::alert!(
                "{}: {}/{} ({what}), {left:.0} s left",
                self.name,
                self.done,
                self.total
            );
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
