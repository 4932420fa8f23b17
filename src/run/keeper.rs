//! Keeps what is measured: whole units, and the measured stars of those that a run is stopped in.

use std::path::PathBuf;

use super::begun_file::BegunFile;
use super::unit_file::UnitFile;
use crate::Result;
use crate::measure::keeper::Placed;
use crate::measure::{Keeper, MeasuredUnit, Plan};

/// Keeps the units of a plan in a directory.
pub struct UnitKeeper<'a, F> {
    plan: &'a Plan,
    /// Where the stars of units are kept that are not whole.
    begun: PathBuf,
    /// The files of the plan's units, and the number of the first of them.
    files: (&'a [UnitFile], usize),
    /// Writes a whole unit.
    write: F,
    /// Units that are not whole and of which stars are kept, and these stars.
    pub kept: (usize, usize),
}

impl<'a, F: FnMut(usize, &UnitFile, MeasuredUnit) -> Result<()>> UnitKeeper<'a, F> {
    /// For the units of a plan whose files, from that of number `first` on, are these; `begun` is the folder for stars of those that are
    /// not whole.
    pub fn new(
        plan: &'a Plan,
        begun: PathBuf,
        (files, first): (&'a [UnitFile], usize),
        write: F,
    ) -> Self {
        UnitKeeper {
            plan,
            begun,
            files: (files, first),
            write,
            kept: (0, 0),
        }
    }

    /// What is kept of units that are not whole, to be told.
    pub fn told(&self) -> String {
        match self.kept {
            (0, _) => String::new(),
            (1, 1) => " and 1 star of a begun unit".to_owned(),
            (1, stars) => format!(" and {stars} stars of a begun unit"),
            (units, stars) => format!(" and {stars} stars of {units} begun units"),
        }
    }

    fn file(&self, unit: usize) -> &'a UnitFile {
        let (files, first) = self.files;
        &files[unit - first]
    }

    fn begun_file(&self, unit: usize) -> BegunFile {
        BegunFile::of(&self.begun, self.file(unit))
    }
}

impl<F: FnMut(usize, &UnitFile, MeasuredUnit) -> Result<()> + Send> Keeper for UnitKeeper<'_, F> {
    fn stars_of(&mut self, unit: usize) -> Vec<Placed> {
        self.begun_file(unit)
            .read(self.plan, &self.plan.units[unit])
    }

    fn whole(&mut self, unit: usize, measured: MeasuredUnit) -> Result<()> {
        let file = self.file(unit);
        (self.write)(unit, file, measured)?;
        self.begun_file(unit).remove()
    }

    fn part(&mut self, unit: usize, stars: Vec<Placed>) -> Result<()> {
        let n = self
            .begun_file(unit)
            .write(self.plan, &self.plan.units[unit], &stars)?;
        if n > 0 {
            self.kept.0 += 1;
            self.kept.1 += n;
        }
        Ok(())
    }
}
