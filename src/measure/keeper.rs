//! Where measured units go, and the measured stars of units that are not whole.

use super::unit::{MeasuredStar, MeasuredUnit};
use crate::Result;

/// A star, by its place among those of its unit, counted from 0.
pub type Placed = (usize, MeasuredStar);

/// Takes what [`measure_units`](super::measure_units) measures, and gives back what an earlier start left.
///
/// Units are numbered as in the plan. A closure that takes whole units is one that keeps no stars.
pub trait Keeper: Send {
    /// Stars of a unit that need not be measured again. Asked once for each unit, before anything is measured.
    fn stars_of(&mut self, _unit: usize) -> Vec<Placed> {
        Vec::new()
    }

    /// Takes a unit, all of whose stars have been measured.
    ///
    /// # Errors
    /// Whatever ends the measurement.
    fn whole(&mut self, unit: usize, measured: MeasuredUnit) -> Result<()>;

    /// Takes the stars of a unit that have been measured when the work has ended before the others were, those of
    /// [`Keeper::stars_of`] among them.
    ///
    /// # Errors
    /// What hinders keeping them.
    fn part(&mut self, _unit: usize, _stars: Vec<Placed>) -> Result<()> {
        Ok(())
    }
}

impl<F: FnMut(usize, MeasuredUnit) -> Result<()> + Send> Keeper for F {
    fn whole(&mut self, unit: usize, measured: MeasuredUnit) -> Result<()> {
        self(unit, measured)
    }
}
