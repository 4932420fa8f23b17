//! How far the work is, on standard error: a bar on a terminal, now and then a line elsewhere.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::interrupt;
use crate::measure::Progress;
use crate::tell;

/// Time between lines where there is no terminal: a log must not fill with them.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// What stands there until the number of files is known: a bar without it would be full, at 0 of 0.
const BEFORE: &str = "looking through the inputs";
/// All fit into 60 columns, also for millions of files.
const FILES: &str = "{bar:10} {pos}/{len} files{pace}{left}";
#[cfg(feature = "lab")]
const STEPS: &str = "{prefix} {bar:10} {pos}/{len} {msg}{left}";

/// Tells how far the work is, and whether it was asked to stop.
pub struct Bar {
    bar: ProgressBar,
    style: &'static str,
    lines: Option<Mutex<Lines>>,
}

/// When lines were told.
struct Lines {
    start: Instant,
    last: Instant,
    /// What was done when the start was noted.
    first: Option<usize>,
}

impl Bar {
    /// For files that are worked on. Nothing is told if `quiet`.
    pub fn of_files(quiet: bool) -> Self {
        Bar::new(FILES, quiet)
    }

    /// For the steps of tests, one test after the other. Nothing is told if `quiet`.
    #[cfg(feature = "lab")]
    pub fn of_steps(quiet: bool) -> Self {
        Bar::new(STEPS, quiet)
    }

    fn new(style: &'static str, quiet: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let now = Instant::now();
        let lines = Lines {
            start: now,
            last: now,
            first: None,
        };
        let lines = (!quiet && !is_terminal).then(|| Mutex::new(lines));
        if quiet || !is_terminal {
            return Bar {
                bar: ProgressBar::hidden(),
                style,
                lines,
            };
        }
        let bar = Bar::drawn(style, ProgressDrawTarget::stderr_with_hz(5));
        bar.bar.enable_steady_tick(Duration::from_millis(500));
        bar
    }

    /// A bar that is drawn there.
    fn drawn(style: &'static str, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), target);
        bar.set_style(styled(BEFORE));
        let lines = None;
        Bar { bar, style, lines }
    }

    /// The number of things is known: from now on there is a bar.
    fn begin(&self, total: usize, done: usize) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        self.bar.set_style(styled(self.style));
        // What an earlier start has done does not count for the rate.
        self.bar.reset_eta();
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Where a line is due: what was done at the start, and the time since then.
    fn due(&self, done: usize, total: usize) -> Option<(usize, Duration)> {
        let mut lines = self.lines.as_ref()?.lock().ok()?;
        let now = Instant::now();
        let Some(first) = lines.first else {
            lines.first = Some(done);
            (lines.start, lines.last) = (now, now);
            return None;
        };
        let due = now - lines.last >= BETWEEN_LINES && done > first && done < total;
        due.then(|| {
            lines.last = now;
            (first, now - lines.start)
        })
    }
}

impl Progress for Bar {
    fn files(&self, done: usize, total: usize) {
        if self.bar.length() != Some(total as u64) {
            self.begin(total, done);
        }
        self.bar.set_position(done as u64);
        if let Some((first, time)) = self.due(done, total) {
            tell::alert!("{}", files_line(done, total, first, time));
        }
    }

    fn cancelled(&self) -> bool {
        interrupt::asked()
    }
}

#[cfg(feature = "lab")]
impl crate::lab::validate::Progress for Bar {
    fn steps(&self, test: &str, done: usize, total: usize, what: &str) {
        if done == 0 {
            // The bar of the test before this one was taken away.
            self.bar.reset();
            self.begin(total, done);
            self.bar.set_prefix(test.to_owned());
            if let Some(Ok(mut lines)) = self.lines.as_ref().map(Mutex::lock) {
                lines.first = None;
            }
        }
        self.bar.set_message(what.to_owned());
        self.bar.set_position(done as u64);
        if let Some((first, time)) = self.due(done, total) {
            let left = left(seconds_left(done, total, first, time));
            tell::alert!("{test}: {done}/{total} ({what}){left}");
        }
        if done == total {
            self.finish();
        }
    }
}

/// A style with the words for pace and time left.
fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("pace", |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&pace(state.per_sec()));
        })
        .with_key("left", |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&left(state.eta().as_secs_f64()));
        })
}

/// Seconds that the rest takes at the rate so far.
fn seconds_left(done: usize, total: usize, first: usize, time: Duration) -> f64 {
    total.saturating_sub(done) as f64 / rate(done, first, time)
}

/// What is done in a second.
fn rate(done: usize, first: usize, time: Duration) -> f64 {
    (done - first) as f64 / time.as_secs_f64().max(1e-3)
}

/// `1200/5000 files, 30/s, 2 min 7 s left`.
fn files_line(done: usize, total: usize, first: usize, time: Duration) -> String {
    format!(
        "{done}/{total} files{}{}",
        pace(rate(done, first, time)),
        left(seconds_left(done, total, first, time))
    )
}

/// `, 30/s`, or `, 4 s each`; nothing where nothing is known yet.
fn pace(per_second: f64) -> String {
    if !(per_second.is_finite() && per_second > 0.0) {
        return String::new();
    }
    match per_second >= 1.0 {
        true => format!(", {per_second:.0}/s"),
        false => format!(", {} each", duration(1.0 / per_second)),
    }
}

/// `, 2 min 7 s left`; nothing where nothing is known yet, and in the last moment.
fn left(seconds: f64) -> String {
    match seconds.is_finite() && seconds >= 0.5 {
        true => format!(", {} left", duration(seconds)),
        false => String::new(),
    }
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
        let text = files_line(1200, 5000, 600, Duration::from_secs(20));
        assert_eq!(text, "1200/5000 files, 30/s, 2 min 7 s left");
        // A file that takes long, and a start that says nothing yet.
        let text = files_line(5, 9, 0, Duration::from_secs(20));
        assert_eq!(text, "5/9 files, 4 s each, 16 s left");
        let text = files_line(600, 5000, 600, Duration::ZERO);
        assert_eq!(text, "600/5000 files");
        assert_eq!(duration(12.4), "12 s");
        assert_eq!(duration(7322.0), "2 h 2 min");
    }

    #[test]
    fn a_line_fits_into_60_columns() {
        let (pace, left) = (pace(12_345.6), left(100.4 * 3600.0));
        let line = format!("{:10} 3000000/3000000 files{pace}{left}", "");
        assert!(line.len() <= 60, "{}: {line}", line.len());
    }

    #[test]
    fn no_bar_is_drawn_before_the_number_of_files_is_known() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let bar = Bar::drawn(FILES, target);
        bar.bar.force_draw();
        assert_eq!(paper.take().trim(), "looking through the inputs");
        bar.files(0, 24);
        paper.take();
        bar.bar.force_draw();
        let none = format!("{} 0/24 files", "\u{2591}".repeat(10));
        assert_eq!(paper.take().trim(), none);
        bar.files(24, 24);
        paper.take();
        bar.bar.force_draw();
        let whole = paper.take();
        let all = format!("{} 24/24 files", "\u{2588}".repeat(10));
        assert!(whole.starts_with(&all), "{whole}");
    }

    /// A terminal that keeps what is written.
    #[derive(Clone, Debug, Default)]
    struct Paper(std::sync::Arc<Mutex<String>>);

    impl Paper {
        fn take(&self) -> String {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    impl indicatif::TermLike for Paper {
        fn width(&self) -> u16 {
            60
        }

        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> std::io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
