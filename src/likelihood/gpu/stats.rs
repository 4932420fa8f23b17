//! What a GPU has done, for those who ask how well it is used.

use std::time::{Duration, Instant};

/// What the GPU has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct GpuStats {
    /// Dispatches.
    pub dispatches: u32,
    /// Spectra in them.
    pub spectra: u64,
    /// Spectra of the largest.
    pub largest_dispatch: u64,
    /// Bytes to the device.
    pub bytes_up: u64,
    /// Bytes back.
    pub bytes_down: u64,
    /// Time of packing and of handing over to the driver.
    pub pack: Duration,
    /// Time in which the host waited for the device.
    pub wait: Duration,
    /// Time of turning what came back into measurements.
    pub finish: Duration,
    /// Time in which the device had nothing to do, between its first and its last dispatch.
    pub idle: Duration,
    /// Time of making tables of references, by the device's own clock; None if it has none.
    pub tables: Option<Duration>,
    /// Time of the likelihood and what follows on the device, by its own clock; None if it has none.
    pub kernel: Option<Duration>,
}

impl GpuStats {
    /// Adds the times of the passes: those that make tables, then the one that measures.
    pub fn add_passes(&mut self, times: &[Duration]) {
        if let Some((kernel, tables)) = times.split_last() {
            *self.kernel.get_or_insert_default() += *kernel;
            *self.tables.get_or_insert_default() += tables.iter().sum::<Duration>();
        }
    }
}

/// Tells when the device has nothing to do.
#[derive(Debug, Default)]
pub struct Occupation {
    in_flight: usize,
    /// When its last dispatch ended, if nothing is in flight.
    free_since: Option<Instant>,
    /// When the dispatch that runs began.
    running_since: Option<Instant>,
}

impl Occupation {
    /// A dispatch was handed over; for how long the device had waited for it.
    pub fn started(&mut self) -> Duration {
        self.in_flight += 1;
        if self.in_flight == 1 {
            self.running_since = Some(Instant::now());
        }
        self.free_since
            .take()
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The oldest dispatch has ended; how long it ran, by the host's clock.
    pub fn ended(&mut self) -> Duration {
        let now = Instant::now();
        self.in_flight = self.in_flight.saturating_sub(1);
        let since = match self.in_flight {
            0 => {
                self.free_since = Some(now);
                self.running_since.take()
            }
            // The next one has begun with its end.
            _ => self.running_since.replace(now),
        };
        since.map_or(Duration::ZERO, |since| now - since)
    }

    /// The device failed: nothing is in flight.
    pub fn lost(&mut self) {
        *self = Occupation::default();
    }
}
