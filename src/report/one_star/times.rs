//! Times on an axis: nights beside each other with the days between cut out, where they are few; else days.

use std::ops::Range;

use crate::text::date;

/// A night ends where nothing was exposed for so long, days.
const NIGHT_GAP_D: f64 = 0.25;
/// More nights are drawn on a plain axis.
const MOST_NIGHTS: usize = 10;
/// What a night takes on the axis beyond its own hours, days.
const MARGIN_D: f64 = 0.012;
/// Julian date of 1970-01-01.
const JD_1970: f64 = 2_440_587.5;
/// What is taken off Julian dates on a plain axis.
const ZERO_D: f64 = 2_400_000.5;

/// The axis.
pub struct Times {
    /// Beginning and end of each night, days; one of all where there are too many.
    nights: Vec<Range<f64>>,
    is_cut: bool,
}

impl Times {
    /// An axis for these barycentric Julian dates; none where there is none.
    pub fn of(dates: impl Iterator<Item = f64>) -> Option<Self> {
        let mut all: Vec<f64> = dates.filter(|d| d.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        let (first, last) = (*all.first()?, *all.last()?);
        let mut nights: Vec<Range<f64>> = Vec::new();
        for d in all {
            match nights.last_mut() {
                Some(night) if d - night.end < NIGHT_GAP_D => night.end = d,
                _ => nights.push(d..d),
            }
        }
        let is_cut = nights.len() <= MOST_NIGHTS;
        if !is_cut {
            nights = vec![first..last];
        }
        Some(Times { nights, is_cut })
    }

    fn margin(&self) -> f64 {
        match self.is_cut {
            true => MARGIN_D,
            false => 0.02 * (self.nights[0].end - self.nights[0].start).max(1.0),
        }
    }

    /// Where each night begins on the axis.
    fn starts(&self) -> Vec<f64> {
        let mut at = 0.0;
        let length = |night: &Range<f64>| night.end - night.start + 2.0 * self.margin();
        let starts = self.nights.iter().map(|night| {
            let start = at;
            at += length(night);
            start
        });
        starts.chain([0.0]).take(self.nights.len()).collect()
    }

    /// The whole axis.
    pub fn range(&self) -> Range<f64> {
        let length = |night: &Range<f64>| night.end - night.start + 2.0 * self.margin();
        0.0..self.nights.iter().map(length).sum()
    }

    /// Where a date is on the axis.
    pub fn place(&self, date: f64) -> f64 {
        let starts = self.starts();
        let i = self.nights.partition_point(|night| night.end < date - 1e-9);
        match (self.nights.get(i), starts.get(i)) {
            (Some(night), Some(start)) => start + self.margin() + (date - night.start),
            _ => f64::NAN,
        }
    }

    /// Where days are cut out.
    pub fn breaks(&self) -> Vec<f64> {
        self.starts().into_iter().skip(1).collect()
    }

    /// Ticks with their names.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        if !self.is_cut {
            let first = self.nights[0].start - self.margin() - ZERO_D;
            let range = first..first + self.range().end;
            let ticks = super::svg::ticks(&range, 7.0);
            return ticks.map(|d| (d - first, format!("{d:.0}"))).collect();
        }
        let day = |night: &Range<f64>| {
            let seconds = (night.start - JD_1970) * 86_400.0;
            date::iso(seconds as i64)[..10].to_owned()
        };
        // Neighbours that would touch have every second name.
        let every = self.nights.len().div_ceil(7);
        let named = self.nights.iter().zip(self.starts()).enumerate();
        named
            .map(|(i, (night, start))| {
                let middle = start + self.margin() + 0.5 * (night.end - night.start);
                let name = if i % every == 0 {
                    day(night)
                } else {
                    String::new()
                };
                (middle, name)
            })
            .collect()
    }

    /// The axis in words.
    pub fn name(&self) -> &'static str {
        match self.is_cut {
            true => "nights (UTC date of the first exposure)",
            false => "BJD (TDB) - 2,400,000.5, days",
        }
    }

    /// What the caption says of it.
    pub fn caption(&self) -> &'static str {
        match self.is_cut && self.nights.len() > 1 {
            true => " Days between nights are cut out; within a night distances are times.",
            false => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_lie_beside_each_other_and_keep_their_hours() {
        let dates = [2_458_631.1, 2_458_631.2, 2_458_640.15, 2_458_640.2];
        let times = Times::of(dates.into_iter()).unwrap();
        let at = dates.map(|d| times.place(d));
        assert!((at[1] - at[0] - 0.1).abs() < 1e-9 && (at[3] - at[2] - 0.05).abs() < 1e-9);
        assert!((at[2] - at[1] - 2.0 * MARGIN_D).abs() < 1e-9, "{at:?}");
        assert!(at.iter().all(|x| times.range().contains(x)));
        assert_eq!(times.breaks().len(), 1);
        let names: Vec<String> = times.ticks().into_iter().map(|t| t.1).collect();
        assert_eq!(names, ["2019-05-27", "2019-06-05"]);
        assert!(Times::of([f64::NAN].into_iter()).is_none());
    }

    #[test]
    fn many_nights_have_a_plain_axis() {
        let times = Times::of((0..40).map(|i| 2_458_000.6 + 3.0 * f64::from(i))).unwrap();
        assert!(times.breaks().is_empty() && times.name().contains("BJD"));
        let distance = times.place(2_458_006.6) - times.place(2_458_000.6);
        assert!((distance - 6.0).abs() < 1e-9);
        let ticks = times.ticks();
        assert!(ticks.len() > 3 && ticks.iter().all(|(x, _)| times.range().contains(x)));
        assert_eq!(ticks[0].1, "58000");
    }
}
