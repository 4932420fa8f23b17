//! The frequencies that are looked at.

/// Frequencies done side by side.
pub const LANES: usize = 4;

/// Steps in the width of a peak, 1 / span.
pub const OVERSAMPLING: f64 = 5.0;

/// Most frequencies: beyond this the highest one is lowered, so that no span of times makes the work endless.
const MOST: f64 = 1e6;

/// Frequencies at equal steps, cycles a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The lowest.
    pub lowest: f64,
    /// From one to the next.
    pub step: f64,
    /// How many, a multiple of [`LANES`]: the highest may be exceeded by a few steps.
    pub n: usize,
}

impl Grid {
    /// From a period of twice the span to the highest frequency. None where there is no span, or the highest frequency is below the
    /// lowest.
    pub fn new(span_d: f64, highest: f64) -> Option<Self> {
        let (lowest, step) = (0.5 / span_d, 1.0 / (OVERSAMPLING * span_d));
        let n = ((highest - lowest) / step).floor() + 1.0;
        let is_sound = step.is_normal() && n.is_finite() && n >= 1.0;
        is_sound.then_some(Grid {
            lowest,
            step,
            n: (n.min(MOST) as usize).next_multiple_of(LANES),
        })
    }

    /// One of them.
    pub fn at(&self, i: f64) -> f64 {
        self.lowest + i * self.step
    }

    /// From the lowest to the highest.
    pub fn width(&self) -> f64 {
        (self.n - 1) as f64 * self.step
    }
}
