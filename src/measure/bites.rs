//! Which stars are measured together.
//!
//! On the CPU each star is a bite of its own: one thread reads it, measures it while its spectra are still in the caches, and takes
//! the next, so that no thread waits for another's star. A device likes whole plates, because each call costs time: for it the
//! stars of a plate are put together, as far as the memory allows.

use std::ops::Range;

use super::job::Job;
use super::memory::{self, Budget};
use crate::lamost::stars::Star;

/// A star that is to be measured.
pub(super) struct ToDo<'a> {
    /// Place of its unit among those that are to be measured.
    pub unit: usize,
    /// Its place among the stars of the unit.
    pub place: usize,
    /// Number of the star in the whole.
    pub number: i64,
    pub star: &'a Star,
    /// Memory that it takes while it is worked on.
    pub bytes: f64,
    /// Its bite.
    pub bite: usize,
}

/// All that is to be measured, in its order.
pub(super) struct Bites<'a> {
    pub stars: Vec<ToDo<'a>>,
    /// Which of the stars are measured together.
    pub bites: Vec<Range<usize>>,
}

/// Stars that are worked on at one time, at most, whatever the memory. A device takes as many as the memory holds.
pub(super) fn most_at_once(takes_plates: bool) -> usize {
    match takes_plates {
        true => usize::MAX,
        false => rayon::current_num_threads(),
    }
}

/// Files in memory at once, at most, if stars have this many files and the CPU measures.
pub fn files_in_flight(files_per_star: f64) -> f64 {
    most_at_once(false) as f64 * files_per_star.max(1.0)
}

impl<'a> Bites<'a> {
    /// Cuts the units whose numbers are in `todo`, without the stars that are measured: a unit's place in `todo`, and a star's place in
    /// the unit.
    pub fn of(
        job: &Job<'a>,
        budget: Budget,
        todo: &[usize],
        is_measured: impl Fn(usize, usize) -> bool,
    ) -> Self {
        let Job { config, plan, .. } = *job;
        let mut stars: Vec<ToDo<'a>> = Vec::new();
        let mut bites: Vec<Range<usize>> = Vec::new();
        let (mut planid, mut bytes_of_bite) = (None, 0.0);
        for (unit, &of) in todo.iter().enumerate() {
            let of = &plan.units[of];
            for (place, (number, star)) in of.stars.iter().enumerate() {
                if is_measured(unit, place) {
                    continue;
                }
                let bytes = memory::of_star(config, plan, star);
                let is_with_last = job.backend.takes_plates()
                    && planid == Some(&of.planid)
                    && budget.holds_bite(bytes_of_bite + bytes);
                match bites.last_mut() {
                    Some(bite) if is_with_last => bite.end += 1,
                    _ => {
                        bites.push(stars.len()..stars.len() + 1);
                        bytes_of_bite = 0.0;
                    }
                }
                bytes_of_bite += bytes;
                planid = Some(&of.planid);
                stars.push(ToDo {
                    unit,
                    place,
                    number: *number,
                    star,
                    bytes,
                    bite: bites.len() - 1,
                });
            }
        }
        Bites { stars, bites }
    }

    /// The stars of a bite.
    pub fn stars_of(&self, bite: usize) -> &[ToDo<'a>] {
        &self.stars[self.bites[bite].clone()]
    }
}
