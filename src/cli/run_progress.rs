//! How far a run is: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use crate::measure::Progress;
use crate::tell;

/// Time between lines where there is no terminal: a log must not fill with them.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Tells how far a run is, and whether it was asked to stop.
pub struct RunProgress {
    bar: ProgressBar,
    lines: Option<Mutex<Lines>>,
}

struct Lines {
    start: Instant,
    last: Instant,
    /// Files that were done when the start was noted.
    first: Option<usize>,
}

impl RunProgress {
    /// Nothing is told if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let now = Instant::now();
        let lines = (!quiet && !is_terminal).then(|| {
            Mutex::new(Lines {
                start: now,
                last: now,
                first: None,
            })
        });
        if quiet || !is_terminal {
            return RunProgress {
                bar: ProgressBar::hidden(),
                lines,
            };
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        let style = "{bar:30} {pos}/{len} files, {per_sec}, {eta} left";
        bar.set_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(500));
        RunProgress { bar, lines }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for RunProgress {
    fn files(&self, done: usize, total: usize) {
        if self.bar.length() != Some(total as u64) {
            // What was done before counts for no rate.
            self.bar.set_length(total as u64);
            self.bar.set_position(done as u64);
            self.bar.reset_eta();
        }
        self.bar.set_position(done as u64);
        let Some(Ok(mut lines)) = self.lines.as_ref().map(Mutex::lock) else {
            return;
        };
        let now = Instant::now();
        let Some(first) = lines.first else {
            lines.first = Some(done);
            (lines.start, lines.last) = (now, now);
            return;
        };
        if now - lines.last >= BETWEEN_LINES && done > first && done < total {
            lines.last = now;
            tell::alert!("{}", line(done, total, first, now - lines.start));
        }
    }

    fn cancelled(&self) -> bool {
        interrupt::asked()
    }
}

/// `1200/5000 files, 30.0 files/s, 2 min 7 s left`.
fn line(done: usize, total: usize, first: usize, time: Duration) -> String {
    let rate = (done - first) as f64 / time.as_secs_f64().max(1e-3);
    let left = (total.saturating_sub(done)) as f64 / rate;
    format!(
        "{done}/{total} files, {rate:.1} files/s, {} left",
        duration(left)
    )
}

/// Seconds in the units that people think in.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round().max(0.0) as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_and_time_left() {
        // 600 of 1200 were there at the start.
        let text = line(1200, 5000, 600, Duration::from_secs(20));
        assert_eq!(text, "1200/5000 files, 30.0 files/s, 2 min 7 s left");
        assert_eq!(duration(12.4), "12 s");
        assert_eq!(duration(7322.0), "2 h 2 min");
    }
}
