//! An axis of fibres, one spectrograph beside the other, without those that have none.

use std::ops::Range;

use super::plot::count_tick;
use crate::catalogue::FIBRES;

/// Most spectrographs whose ticks all have a name.
const MOST_NAMED: usize = 40;

/// The spectrographs on an axis. Of several, each has a length of 1 with its name in the middle; one alone has an axis of fibre numbers.
pub struct Slits {
    spids: Vec<i32>,
}

impl Slits {
    /// Those named; in any order, any number of times.
    pub fn of(spids: impl Iterator<Item = i32>) -> Slits {
        let mut spids: Vec<i32> = spids.collect();
        spids.sort_unstable();
        spids.dedup();
        Slits { spids }
    }

    fn is_alone(&self) -> bool {
        self.spids.len() == 1
    }

    /// Where a fibre (spectrograph, number) is.
    pub fn place(&self, (spid, fiberid): (i32, i32)) -> f64 {
        let slit = self.spids.partition_point(|s| *s < spid) as f64;
        match self.is_alone() {
            true => f64::from(fiberid),
            false => slit + f64::from(fiberid) / f64::from(FIBRES + 1) - 0.5,
        }
    }

    pub fn range(&self) -> Range<f64> {
        match self.is_alone() {
            true => 0.0..f64::from(FIBRES + 1),
            false => -0.5..self.spids.len() as f64 - 0.5,
        }
    }

    /// Where spectrographs meet.
    pub fn ends(&self) -> impl Iterator<Item = f64> {
        (1..self.spids.len()).map(|i| i as f64 - 0.5)
    }

    /// About how many ticks the axis has.
    pub fn n_ticks(&self) -> usize {
        match self.is_alone() {
            true => 11,
            false => (2 * self.spids.len() + 1).min(MOST_NAMED),
        }
    }

    /// Name of a tick; empty where it is no spectrograph's middle.
    pub fn tick(&self, x: f64) -> String {
        let name = |i: &f64| self.spids.get(*i as usize).map(i32::to_string);
        match self.is_alone() {
            true => count_tick(&x),
            false => {
                let is_middle = (x - x.round()).abs() < 0.01 && x > -0.01;
                let middle = is_middle.then(|| x.round());
                middle.as_ref().and_then(name).unwrap_or_default()
            }
        }
    }

    pub fn description(&self) -> String {
        match self.spids.as_slice() {
            [spid] => format!("fibre of spectrograph {spid}"),
            _ => format!("spectrograph (spid), its fibres 1 to {FIBRES} from left to right"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectrographs_without_fibres_take_no_place() {
        let slits = Slits::of([15, 3, 15, 4].into_iter());
        assert_eq!(slits.range(), -0.5..2.5);
        assert!((slits.place((4, 125)) - 1.0).abs() < 0.01);
        assert!(slits.place((3, 250)) < 0.5 && slits.place((4, 1)) > 0.5);
        assert_eq!(slits.ends().collect::<Vec<_>>(), [0.5, 1.5]);
        let named = [-0.5, 0.0, 0.5, 1.0, 2.0, 3.0].map(|x| slits.tick(x));
        assert_eq!(named, ["", "3", "", "4", "15", ""]);
    }

    #[test]
    fn one_alone_has_an_axis_of_fibres() {
        let slits = Slits::of([12, 12].into_iter());
        assert_eq!(slits.place((12, 77)), 77.0);
        assert_eq!(slits.range(), 0.0..251.0);
        assert_eq!(slits.description(), "fibre of spectrograph 12");
        assert_eq!(
            (slits.tick(50.0), slits.tick(0.5)),
            ("50".into(), String::new())
        );
        assert_eq!(slits.ends().count(), 0);
    }
}
