//! The order of the work: which bite is begun when, and when a unit is whole.
//!
//! Nothing waits for a whole bite but a device. As soon as a thread has finished a star it takes the next one, of the same unit or of
//! the next; how many are begun is bounded by the threads and by the memory. A unit's water lines are looked for before its stars are
//! read, while those of the unit before are measured. Where a device measures, it takes a bite when all its stars are read;
//! meanwhile the stars of the bite before are compared with their coadds, and as they are done those of the next are read.
//!
//! No thread of the pool ever waits here for what another one does: whoever ends a piece of work begins what can be begun then. (A
//! thread that waited could be waiting for work that is below it on its own stack.)

mod begin;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::Scope;

use super::bite::{Measured, first_pass_of, prepare, second_pass_of};
use super::bites::{Bites, most_at_once};
use super::job::{Job, Latched};
use super::keeper::Keeper;
use super::memory::Budget;
use super::shelf::Shelf;
use super::stages::Stage;
use super::star::PreparedStar;
use super::telluric::Air;
use super::unit::{MeasuredStar, MeasuredUnit};
use super::workspace::Workspace;
use crate::lamost::times::Clock;
use crate::{Error, Result};
use begin::{Begun, Next, Room};

/// Measures the units whose numbers are in `todo` and hands each to the `keeper` when it is whole, one at a time. Where it ends early, the
/// keeper is handed the measured stars of the units that it had begun.
///
/// # Errors
/// What the back end or the keeper says; [`Error::Interrupted`] when it was cancelled.
pub fn measure_units(job: &Job<'_>, todo: &[usize], keeper: &mut dyn Keeper) -> Result<()> {
    let progress = Latched::new(job.progress);
    let job = &Job {
        progress: &progress,
        ..*job
    };
    let budget = Budget::new(job.config);
    let units = measured_before(job, todo, keeper);
    let is_measured = |unit: usize, place: usize| units[unit].measured.contains_key(&place);
    let bites = Bites::of(job, budget, todo, is_measured);
    let files_todo: usize = bites.stars.iter().map(|s| s.star.members.len()).sum();
    let n_done = job.plan.n_files - files_todo;
    job.progress.files(n_done, job.plan.n_files);
    let flow = Flow {
        job,
        budget,
        todo,
        air: todo.iter().map(|_| OnceLock::new()).collect(),
        state: Mutex::new(State::new(&bites, units)),
        home: Mutex::new(Home { keeper, n_done }),
        bites,
        workspaces: Shelf::default(),
        clocks: Shelf::default(),
    };
    rayon::scope(|scope| flow.begin(scope));
    flow.end()
}

/// The stars of each unit that an earlier start measured.
fn measured_before(job: &Job<'_>, todo: &[usize], keeper: &mut dyn Keeper) -> Vec<Parts> {
    let parts = |&unit: &usize| {
        let n = job.plan.units[unit].stars.len();
        let mut measured: BTreeMap<usize, MeasuredStar> =
            keeper.stars_of(unit).into_iter().collect();
        measured.retain(|place, _| *place < n);
        // With all of its stars it would have been whole, and nothing would be left to begin that hands it over.
        if measured.len() == n {
            measured.clear();
        }
        Parts {
            measured,
            n_lacking: 0,
        }
    };
    todo.iter().map(parts).collect()
}

/// A measurement on its way.
struct Flow<'a> {
    job: &'a Job<'a>,
    budget: Budget,
    todo: &'a [usize],
    bites: Bites<'a>,
    /// Water lines of each unit, once they have been looked for.
    air: Vec<OnceLock<Air>>,
    state: Mutex<State>,
    home: Mutex<Home<'a>>,
    workspaces: Shelf<Workspace>,
    clocks: Shelf<Clock>,
}

/// What has been begun and what waits. It is locked for moments only.
struct State {
    begun: Begun,
    /// Stars that are read and wait for the others of their bite, by their numbers.
    read: BTreeMap<usize, PreparedStar>,
    /// How many stars of each bite are not read.
    n_unread: Vec<usize>,
    /// Bites all of whose stars are read, that wait for the device.
    waiting: VecDeque<usize>,
    is_device_busy: bool,
    units: Vec<Parts>,
    /// The first thing that went wrong; nothing is begun after it.
    error: Option<Error>,
}

/// The measured stars of a unit, by their places in it.
struct Parts {
    measured: BTreeMap<usize, MeasuredStar>,
    n_lacking: usize,
}

/// Where whole units go, one at a time.
struct Home<'a> {
    keeper: &'a mut dyn Keeper,
    /// Files that are done with.
    n_done: usize,
}

impl State {
    fn new(bites: &Bites<'_>, mut units: Vec<Parts>) -> Self {
        for star in &bites.stars {
            units[star.unit].n_lacking += 1;
        }
        State {
            begun: Begun::default(),
            read: BTreeMap::new(),
            n_unread: bites.bites.iter().map(ExactSizeIterator::len).collect(),
            waiting: VecDeque::new(),
            is_device_busy: false,
            units,
            error: None,
        }
    }
}

impl<'a> Flow<'a> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins all that can be begun now.
    fn begin<'s>(&'s self, scope: &Scope<'s>) {
        let takes_plates = self.job.backend.takes_plates();
        let room = Room {
            budget: self.budget,
            most: most_at_once(takes_plates),
        };
        loop {
            let next = {
                let mut state = self.state();
                if state.error.is_some() {
                    return;
                }
                let is_known = |unit: usize| self.air[unit].get().is_some();
                let to_look = |unit: usize| self.bytes_to_look(unit);
                let (stars, n_units) = (&self.bites.stars, self.todo.len());
                state.begun.next(stars, n_units, room, is_known, to_look)
            };
            match next {
                None => return,
                Some(Next::Look(unit)) => scope.spawn(move |scope| self.look(scope, unit)),
                Some(Next::Star(i)) => scope.spawn(move |scope| self.read(scope, i)),
            }
        }
    }

    fn bytes_to_look(&self, unit: usize) -> f64 {
        let Job { config, plan, .. } = *self.job;
        Air::bytes_to_find(config, &plan.units[self.todo[unit]], plan)
    }

    /// Looks for a unit's water lines.
    fn look<'s>(&'s self, scope: &Scope<'s>, unit: usize) {
        let Job {
            config,
            plan,
            clocks,
            ..
        } = *self.job;
        match Air::of_unit(config, &plan.units[self.todo[unit]], plan, clocks) {
            Ok(air) => {
                self.air[unit].get_or_init(|| air);
                self.state().begun.end(self.bytes_to_look(unit));
            }
            Err(error) => self.fail(error),
        }
        self.begin(scope);
    }

    /// Reads and normalises a star, and measures it if that is the last one of its bite and none waits for the device.
    fn read<'s>(&'s self, scope: &Scope<'s>, i: usize) {
        let star = &self.bites.stars[i];
        let none = Air::default();
        let air = self.air[star.unit].get().unwrap_or(&none);
        let read = |workspace: &mut Workspace| prepare(self.job, self.budget, star, air, workspace);
        let prepared = match self.workspaces.with(read) {
            Ok(prepared) => prepared,
            Err(error) => return self.fail(error),
        };
        if !self.job.backend.takes_plates() && self.bites.stars_of(star.bite).len() == 1 {
            return self.measure(scope, star.bite, vec![prepared]);
        }
        {
            let mut state = self.state();
            state.read.insert(i, prepared);
            state.begun.wait();
            state.n_unread[star.bite] -= 1;
            if state.n_unread[star.bite] == 0 {
                state.begun.go_on(self.bites.stars_of(star.bite).len());
                state.waiting.push_back(star.bite);
            }
        }
        self.use_device(scope);
        self.begin(scope);
    }

    /// Gives the device to the first of the bites that wait for it, if it is free.
    fn use_device<'s>(&'s self, scope: &Scope<'s>) {
        let mut state = self.state();
        if state.is_device_busy || state.error.is_some() {
            return;
        }
        let Some(bite) = state.waiting.pop_front() else {
            return;
        };
        state.is_device_busy = true;
        let stars = self.bites.bites[bite].clone();
        let prepared = stars.filter_map(|i| state.read.remove(&i)).collect();
        drop(state);
        scope.spawn(move |scope| {
            self.measure(scope, bite, prepared);
            self.state().is_device_busy = false;
            self.use_device(scope);
        });
    }

    /// Measures a bite's stars against their best exposures. What follows is done for each of them alone.
    fn measure<'s>(&'s self, scope: &Scope<'s>, bite: usize, prepared: Vec<PreparedStar>) {
        let measured = match first_pass_of(self.job, self.bites.stars_of(bite), prepared) {
            Ok(measured) => measured,
            Err(error) => return self.fail(error),
        };
        let stars = self.bites.bites[bite].clone();
        match stars.len() {
            1 => stars
                .zip(measured)
                .for_each(|(i, of)| self.compare(scope, i, of)),
            _ => stars.zip(measured).for_each(|(i, of)| {
                scope.spawn(move |scope| self.compare(scope, i, of));
            }),
        }
    }

    /// Compares a star with its coadds, and is done with it.
    fn compare<'s>(&'s self, scope: &Scope<'s>, i: usize, measured: Measured) {
        let star = &self.bites.stars[i];
        let part = self
            .clocks
            .with(|clock| second_pass_of(self.job, star, measured, clock));
        let ended = match self.job.progress.cancelled() {
            true => Err(Error::Interrupted(String::new())),
            false => self.put_together(i, part),
        };
        match ended {
            Ok(()) => {
                self.state().begun.end(star.bytes);
                self.begin(scope);
            }
            Err(error) => self.fail(error),
        }
    }

    fn fail(&self, error: Error) {
        self.state().error.get_or_insert(error);
    }

    /// Adds a star to its unit, and hands that over if it is whole then.
    fn put_together(&self, i: usize, measured: MeasuredStar) -> Result<()> {
        let star = &self.bites.stars[i];
        let whole = {
            let mut state = self.state();
            let unit = &mut state.units[star.unit];
            unit.measured.insert(star.place, measured);
            unit.n_lacking -= 1;
            (unit.n_lacking == 0).then(|| std::mem::take(&mut unit.measured))
        };
        if let Some(stars) = whole {
            let air = self.air[star.unit].get().cloned().unwrap_or_default();
            // In the order of the stars, whichever was measured first.
            let measured = MeasuredUnit::of(stars.into_values(), air);
            let mut home = self.home();
            let write = || home.keeper.whole(self.todo[star.unit], measured);
            self.job.clocks.time(Stage::Write, write)?;
        }
        let mut home = self.home();
        home.n_done += star.star.members.len();
        self.job.progress.files(home.n_done, self.job.plan.n_files);
        Ok(())
    }

    /// When nothing is at work any more: what went wrong, and the stars that are not lost by it.
    fn end(self) -> Result<()> {
        let mut state = self.state();
        let Some(error) = state.error.take() else {
            let is_done = |unit: &Parts| unit.n_lacking == 0;
            assert!(state.units.iter().all(is_done), "a star was never begun");
            return Ok(());
        };
        let mut home = self.home();
        for (&unit, parts) in self.todo.iter().zip(&mut state.units) {
            let stars = std::mem::take(&mut parts.measured);
            if !stars.is_empty() {
                let keep = || home.keeper.part(unit, stars.into_iter().collect());
                let kept = self.job.clocks.time(Stage::Write, keep);
                // Whoever ended the work is told that not all of it is kept; another fault is the one to tell.
                if matches!(error, Error::Interrupted(_)) {
                    kept?;
                }
            }
        }
        Err(error)
    }

    fn home(&self) -> MutexGuard<'_, Home<'a>> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
