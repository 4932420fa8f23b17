//! How much one dispatch may do: operating systems take a driver that is silent for too long for dead, and restart it.

use std::time::Duration;

use crate::gpu::DeviceKind;

/// Longest dispatch where a watchdog may look on. Windows restarts a driver after 2 s (TdrDelay), others later, and what is drawn on the
/// same card waits as long.
const LONGEST: Duration = Duration::from_millis(500);

/// Longest dispatch on an adapter that is software: nobody watches it but the host, which gives up after ten minutes (`gpu::slot`).
const LONGEST_SOFTWARE: Duration = Duration::from_secs(240);

/// Pixels times velocities that say enough of a device's speed: with fewer a dispatch's fixed costs count.
const ENOUGH: u64 = 500_000_000;

/// A limit grows by this factor at a time, at most.
const GROWTH: u64 = 8;

/// Pixels times velocities that a dispatch may have, learnt from those before it.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    work: u64,
    longest: Duration,
}

impl Pace {
    /// What a device of a kind may be given before anything is known of it: some 0.01 s on an H200, which does 2e12 a second, and 0.3 s on
    /// a card or an integrated GPU at a thirtieth of that; lavapipe does some 10^8 a second and core.
    pub fn new(kind: DeviceKind) -> Self {
        let (work, longest) = match kind {
            DeviceKind::Discrete | DeviceKind::Virtual => (20_000_000_000, LONGEST),
            DeviceKind::Integrated | DeviceKind::Other => (5_000_000_000, LONGEST),
            DeviceKind::Software => (5_000_000_000, LONGEST_SOFTWARE),
        };
        Pace { work, longest }
    }

    /// Pixels times velocities of one dispatch.
    pub fn work(&self) -> u64 {
        self.work
    }

    /// A dispatch of so much work took so long.
    pub fn learn(&mut self, work: u64, time: Duration) {
        let seconds = time.as_secs_f64();
        if work == 0 || seconds <= 0.0 {
            return;
        }
        // The cast saturates.
        let possible = (work as f64 * self.longest.as_secs_f64() / seconds) as u64;
        if time > self.longest {
            self.work = self.work.min(possible).max(1);
        } else if work >= ENOUGH && possible > self.work {
            self.work = possible.min(self.work.saturating_mul(GROWTH));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dispatch_that_took_too_long_is_cut_next_time() {
        let mut pace = Pace::new(DeviceKind::Discrete);
        let work = pace.work();
        pace.learn(work, Duration::from_secs(5));
        assert_eq!(pace.work(), work / 10);
        // What was cut is done in half a second, and stays.
        pace.learn(work / 10, LONGEST);
        assert_eq!(pace.work(), work / 10);
    }

    #[test]
    fn a_fast_device_is_given_more_step_by_step() {
        let mut pace = Pace::new(DeviceKind::Discrete);
        let first = pace.work();
        // 2e12 a second.
        let time = |work: u64| Duration::from_secs_f64(work as f64 / 2e12);
        pace.learn(first, time(first));
        assert_eq!(pace.work(), 8 * first);
        for _ in 0..3 {
            pace.learn(pace.work(), time(pace.work()));
        }
        let most = pace.work() as f64;
        assert!((most / 1e12 - 1.0).abs() < 1e-3, "{most}");
    }

    #[test]
    fn little_work_says_nothing_of_a_fast_device() {
        let mut pace = Pace::new(DeviceKind::Integrated);
        let first = pace.work();
        pace.learn(ENOUGH - 1, Duration::from_micros(1));
        pace.learn(0, Duration::ZERO);
        pace.learn(ENOUGH, Duration::ZERO);
        assert_eq!(pace.work(), first);
    }

    #[test]
    fn a_plate_is_one_dispatch_on_software() {
        // 1440 spectra of 2500 pixels, 1001 velocities; at 16 ms a spectrum it takes 23 s.
        let plate = 1440 * 2500 * 1001;
        let mut pace = Pace::new(DeviceKind::Software);
        assert!(pace.work() > plate);
        pace.learn(plate, Duration::from_secs(23));
        assert!(pace.work() > plate);
    }
}
