//! Which stars are read and measured together.
//!
//! The CPU likes bites that are few files large, because their spectra are still in its caches when they are measured. A device likes
//! whole plates, because each call costs time: for it the bites of a plate are put together, as far as the memory allows.

use std::sync::OnceLock;

use super::job::Job;
use super::memory::{self, Budget};
use super::telluric::Air;
use crate::lamost::stars::Star;

/// Files of one bite, at least: enough spectra for a call of the back end, and few enough that they are still in the processor's
/// caches when they are measured.
const FILES_PER_BITE: usize = 32;
/// A bite has more files than that until it has so many stars for each thread (a star is read by one thread), or so many files.
const STARS_PER_THREAD: usize = 4;
const MOST_FILES_PER_BITE: usize = 1024;

/// Stars that are read and measured together.
#[derive(Default)]
pub(super) struct Bite<'a> {
    /// By unit.
    pub parts: Vec<Part<'a>>,
    /// Memory that it takes.
    pub bytes: f64,
}

/// Stars of one unit in a bite.
pub(super) struct Part<'a> {
    pub unit: usize,
    pub stars: &'a [(i64, Star)],
    /// The unit's last.
    pub is_last: bool,
    /// The unit's water lines, known once its first bite is prepared.
    pub air: &'a OnceLock<Air>,
}

impl Bite<'_> {
    /// Files of its stars.
    pub fn n_files(&self) -> usize {
        let stars = self.parts.iter().flat_map(|part| part.stars);
        stars.map(|(_, star)| star.members.len()).sum()
    }
}

/// Files in memory at once, at most, if stars have this many files.
pub fn files_in_flight(files_per_star: f64) -> f64 {
    let for_threads = (STARS_PER_THREAD * rayon::current_num_threads()) as f64 * files_per_star;
    2.0 * for_threads.clamp(FILES_PER_BITE as f64, MOST_FILES_PER_BITE as f64)
}

/// Cuts the units whose numbers are in `todo`. `air` has an entry for each of them.
pub(super) fn bites<'a>(
    job: &Job<'a>,
    budget: Budget,
    todo: &[usize],
    air: &'a [OnceLock<Air>],
) -> Vec<Bite<'a>> {
    let units = todo.iter().zip(air);
    let small = units.flat_map(|(&unit, air)| of_unit(job, budget, unit, air));
    if !job.backend.takes_plates() {
        return small.collect();
    }
    let planid = |bite: &Bite<'_>| {
        let first = bite.parts.first();
        first.map(|part| &job.plan.units[part.unit].planid)
    };
    let mut plates: Vec<Bite<'a>> = Vec::new();
    for bite in small {
        match plates.last_mut() {
            Some(plate)
                if planid(plate) == planid(&bite)
                    && budget.holds_bite(plate.bytes + bite.bytes) =>
            {
                plate.bytes += bite.bytes;
                plate.parts.extend(bite.parts);
            }
            _ => plates.push(bite),
        }
    }
    plates
}

/// Cuts a unit's stars into bites.
fn of_unit<'a>(
    job: &Job<'a>,
    budget: Budget,
    unit: usize,
    air: &'a OnceLock<Air>,
) -> impl Iterator<Item = Bite<'a>> {
    let job = *job;
    let mut rest = &job.plan.units[unit].stars[..];
    let n_stars = STARS_PER_THREAD * rayon::current_num_threads();
    std::iter::from_fn(move || {
        let (mut files, mut bytes) = (0, 0.0);
        let mut end = 0;
        let few = |stars, files| {
            files < FILES_PER_BITE || (stars < n_stars && files < MOST_FILES_PER_BITE)
        };
        while end < rest.len() && (end == 0 || few(end, files)) {
            let more = memory::of_star(job.config, job.plan, &rest[end].1);
            if end > 0 && !budget.holds_bite(bytes + more) {
                break;
            }
            files += rest[end].1.members.len();
            bytes += more;
            end += 1;
        }
        let (stars, after) = rest.split_at(end);
        rest = after;
        (!stars.is_empty()).then(|| Bite {
            bytes,
            parts: vec![Part {
                unit,
                stars,
                is_last: after.is_empty(),
                air,
            }],
        })
    })
}
