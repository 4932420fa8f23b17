//! One star of a finished run, measured once more from its files: the products keep no spectrum.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::config::RunConfig;
use super::kept_plan::{self, PlanHead};
use crate::lamost::stars::Star;
use crate::measure::seen::{self, SeenStar};
use crate::measure::{Plan, Unit};
use crate::{Error, Result};

/// Units of the plan that are read at one time.
const UNITS_AT_ONCE: usize = 64;

/// Which star of a run.
#[derive(Clone, Debug)]
pub struct Which<'a> {
    /// Its designation.
    pub designation: &'a str,
    /// Plates and spectrographs that it was seen with: its unit is one of them, as a rule.
    pub units: BTreeSet<(&'a str, i32)>,
}

/// What stands behind the velocities of a star of the run in `dir`, for the exposures (LMJM) that are `wanted`.
///
/// # Errors
/// [`Error::NothingUsable`] where the directory keeps no plan, or none with this star; [`Error::Config`] for a run of another version;
/// [`Error::Format`] and [`Error::Io`] for a damaged plan and for files that change meanwhile. A file that is gone is no error: it is
/// among those that were not measured.
pub fn see(dir: &Path, which: &Which<'_>, wanted: impl Fn(i64) -> bool) -> Result<SeenStar> {
    let head = kept_plan::read(dir)?.ok_or_else(|| {
        Error::NothingUsable(format!(
            "{} keeps no plan of its run, which would name the star's files",
            dir.display()
        ))
    })?;
    let config = RunConfig::of_settings(&head.settings, dir)?;
    let is_likely = |i: usize| {
        let line = &head.units[i];
        which.units.contains(&(line.planid.as_str(), line.spid))
    };
    let found = match find(&head, dir, which.designation, is_likely)? {
        None => find(&head, dir, which.designation, |i| !is_likely(i))?,
        found => found,
    };
    let Some((plan, unit, star)) = found else {
        return Err(Error::NothingUsable(format!(
            "the plan that {} keeps has no star of this name",
            dir.display()
        )));
    };
    seen::see(&config.measure, &plan, &unit, &star, wanted)
}

/// Looks for a star among the units that are `wanted`.
fn find(
    head: &PlanHead,
    dir: &Path,
    designation: &str,
    wanted: impl Fn(usize) -> bool,
) -> Result<Option<(Plan, Unit, Star)>> {
    // Some units at a time: all stars of a survey are too many.
    let likely: Vec<usize> = (0..head.units.len()).filter(|i| wanted(*i)).collect();
    for some in likely.chunks(UNITS_AT_ONCE) {
        let mut plan = head.plan(dir, |k| some.contains(&k))?;
        let is_it = |(_, star): &(i64, Star)| star.designation == designation;
        let has_it = |unit: &Unit| unit.stars.iter().any(is_it);
        if let Some(i) = plan.units.iter().position(has_it) {
            let unit = plan.units.swap_remove(i);
            let star = unit.stars.iter().find(|star| is_it(star));
            let star = star.map(|(_, star)| star.clone());
            from(head, &mut plan.paths);
            return Ok(star.map(|star| (plan, unit, star)));
        }
    }
    Ok(None)
}

/// Makes relative paths those from where the run was started.
fn from(head: &PlanHead, paths: &mut [PathBuf]) {
    if let Some(place) = &head.from {
        for path in paths.iter_mut().filter(|path| path.is_relative()) {
            *path = place.0.join(&*path);
        }
    }
}
