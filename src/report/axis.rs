//! A linear axis that can be drawn whatever numbers a table holds.
//!
//! The ticks of plotters do not end where an axis is infinitely long, or so short that a step is lost in rounding, and places far outside
//! overflow the pixels.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

/// Largest number on an axis.
const LARGEST: f64 = 1e9;
/// Shortest axis, as a share of the numbers at its ends.
const SHORTEST: f64 = 1e-9;
/// A point that lies farther outside than this many lengths of the axis is drawn at that distance: pixel numbers must not overflow.
const FAR: f64 = 100.0;

/// A linear axis.
#[derive(Clone)]
pub struct Axis {
    range: Range<f64>,
    inner: RangedCoordf64,
}

impl Axis {
    /// An axis over `range`, which is changed where it is not finite, does not rise, or exceeds -10^9 to 10^9.
    pub fn new(range: Range<f64>) -> Self {
        let end = |x: f64, or: f64| {
            if x.is_nan() {
                or
            } else {
                x.clamp(-LARGEST, LARGEST)
            }
        };
        let (low, high) = (end(range.start, -1.0), end(range.end, 1.0));
        let least = SHORTEST * low.abs().max(high.abs()).max(1e-3);
        let range = match high - low < least {
            false => low..high,
            true => (low - least).max(-LARGEST - least)..low + least,
        };
        Axis {
            inner: range.clone().into(),
            range,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let length = self.range.end - self.range.start;
        let (low, high) = (
            self.range.start - FAR * length,
            self.range.end + FAR * length,
        );
        let value = if value.is_nan() {
            low
        } else {
            value.clamp(low, high)
        };
        self.inner.map(&value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.inner.key_points(hint)
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::coord::ranged1d::BoldPoints;

    #[test]
    fn any_range_has_a_few_ticks_and_any_value_a_place() {
        let ends = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1e-300,
            1e9,
            1e9 + 1.0,
            1e17,
            -1e308,
            1e308,
            f64::MAX,
            f64::MIN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for low in ends {
            for high in ends {
                let axis = Axis::new(low..high);
                let Range { start, end } = axis.range();
                assert!(
                    start.is_finite() && end.is_finite() && start < end,
                    "{low}..{high}"
                );
                let ticks = axis.key_points(BoldPoints(11));
                assert!(ticks.len() <= 30, "{low}..{high}: {ticks:?}");
                for value in ends {
                    let place = axis.map(&value, (70, 1070));
                    assert!((-200_000..200_000).contains(&place), "{value}: {place}");
                }
            }
        }
    }

    #[test]
    fn usual_axes_are_those_of_plotters() {
        for range in [0.0..1.0, -3.7..12.9, 58_000.0..58_001.0, -1e-4..1e-4] {
            let (ours, theirs) = (
                Axis::new(range.clone()),
                RangedCoordf64::from(range.clone()),
            );
            assert_eq!(ours.range(), theirs.range());
            let points = |n| {
                (
                    ours.key_points(BoldPoints(n)),
                    theirs.key_points(BoldPoints(n)),
                )
            };
            let (a, b) = points(10);
            assert_eq!(a, b);
            for value in [
                range.start,
                range.end,
                0.5 * range.start + 0.5 * range.end,
                0.3,
            ] {
                if (range.start - 10.0..range.end + 10.0).contains(&value) && range.end > 0.5 {
                    assert_eq!(ours.map(&value, (0, 500)), theirs.map(&value, (0, 500)));
                }
            }
        }
    }
}
