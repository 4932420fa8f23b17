//! A logarithmic axis with ticks wherever it begins: those of plotters begin at the first power of ten.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// An axis with fewer numbers than this has them at all its ticks.
const FEWEST_NUMBERED: usize = 3;

/// On an axis of more powers of ten than this, only these have numbers; on a shorter one 2 and 5 times them do, too.
const MAX_DECADES_NUMBERED: f64 = 3.0;

/// Ends of the longest axis.
const SMALLEST: f64 = 1e-12;
const LARGEST: f64 = 1e12;
/// A point that lies farther outside than this many lengths of the axis is drawn at that distance: pixel numbers must not overflow.
const FAR: f64 = 100.0;

/// A logarithmic axis between two positive numbers.
#[derive(Clone, Debug)]
pub struct LogAxis {
    range: Range<f64>,
}

impl LogAxis {
    /// An axis over `range`, which is changed where it is not positive, does not rise, or exceeds 10^-12 to 10^12.
    pub fn new(range: Range<f64>) -> Self {
        let end = |x: f64, or: f64| match x.is_nan() {
            true => or,
            false => x.clamp(SMALLEST, LARGEST),
        };
        let (low, high) = (end(range.start, 0.1), end(range.end, 10.0));
        LogAxis {
            range: low..high.max(low * 1.000_001),
        }
    }

    /// Name of a tick: 1, 2 and 5 times powers of ten alone have one, unless they are fewer than three.
    pub fn name(&self, x: f64) -> String {
        let few = (self.range.end / self.range.start).log10() <= MAX_DECADES_NUMBERED;
        let named: &[f64] = if few { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let is_named = |x: &f64| {
            let mantissa = x / 10f64.powf((x.log10() + 1e-9).floor());
            named.iter().any(|m| (mantissa / m - 1.0).abs() < 1e-3)
        };
        let all = few && self.ticks().filter(is_named).count() < FEWEST_NUMBERED;
        if all || is_named(&x) {
            super::tick::tick(&x)
        } else {
            String::new()
        }
    }

    /// 1 to 9 times each power of ten.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let first = self.range.start.log10().floor() as i32;
        let last = self.range.end.log10().floor() as i32;
        let all = (first..=last).flat_map(|e| (1..=9).map(move |m| f64::from(m) * 10f64.powi(e)));
        all.filter(|x| self.range.contains(x))
    }
}

impl Ranged for LogAxis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let (low, high) = (self.range.start.ln(), self.range.end.ln());
        let share = (value.ln() - low) / (high - low);
        // Places far outside would overflow the pixels.
        let share = match share.is_nan() {
            true => -FAR,
            false => share.clamp(-FAR, FAR),
        };
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks().collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_has_ticks_and_any_value_a_place() {
        let ends = [
            0.0,
            -1.0,
            1e-308,
            1.0,
            1e308,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ];
        for low in ends {
            for high in ends {
                let axis = LogAxis::new(low..high);
                let Range { start, end } = axis.range();
                assert!(start > 0.0 && end.is_finite() && start < end);
                let points = axis.key_points(plotters::coord::ranged1d::BoldPoints(10));
                assert!(points.len() <= 9 * 25);
                for value in ends {
                    let place = axis.map(&value, (70, 1070));
                    assert!((-200_000..200_000).contains(&place), "{value}: {place}");
                }
            }
        }
    }

    #[test]
    fn ticks_begin_before_the_first_power_of_ten() {
        let axis = LogAxis::new(0.14..6.1);
        let points = axis.key_points(plotters::coord::ranged1d::BoldPoints(10));
        assert!(
            (points[0] - 0.2).abs() < 1e-12 && points.len() == 14,
            "{points:?}"
        );
        let named: Vec<String> = points.iter().map(|x| axis.name(*x)).collect();
        let named: Vec<&str> = named
            .iter()
            .map(String::as_str)
            .filter(|n| !n.is_empty())
            .collect();
        assert_eq!(named, ["0.2", "0.5", "1", "2", "5"]);
        // With 100 alone, no one could read the axis.
        let short = LogAxis::new(58.0..160.0);
        let named: Vec<String> = short.ticks().map(|x| short.name(x)).collect();
        assert_eq!(named, ["60", "70", "80", "90", "100"]);
        assert_eq!(LogAxis::new(0.05..900.0).name(2.0), "");
        assert_eq!(LogAxis::new(0.05..900.0).name(100.0), "100");
        assert_eq!(axis.map(&0.14, (10, 110)), 10);
        assert_eq!(axis.map(&6.1, (10, 110)), 110);
    }
}
