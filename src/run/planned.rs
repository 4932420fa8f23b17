//! Inputs, stars and units are found, and the plan is kept.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::append::refuse_other_inputs;
use super::config::RunConfig;
use super::directory::{self, RunDir};
use super::kept_plan::{self, PlanHead};
use super::names;
use super::units::{paths, unit_files};
use crate::files::same_file;
use crate::lamost::inputs;
use crate::measure::Plan;
use crate::measure::stages::StageClocks;
use crate::{Error, Result};

/// Finds inputs, stars and units, and keeps the plan.
pub fn planned(
    config: &RunConfig,
    dir: &RunDir,
    settings: &Map<String, Value>,
    clocks: &StageClocks,
) -> Result<Plan> {
    let known = names::read(&config.out, config.overwrite)?;
    let plan = Plan::new(&config.inputs, &known, clocks)?;
    same_file::refuse_inputs(directory::outputs(&config.out), all_inputs(config, &plan))?;
    let files = unit_files(&plan, dir)?;
    if !config.overwrite {
        dir.refuse_vanished(&plan.missing, &paths(&files))?;
        refuse_other_inputs(dir, settings, &plan)?;
    }
    dir.begin(&plan.missing)?;
    names::write(&config.out, &known, plan.stars())?;
    kept_plan::write(&config.out, &plan, settings, dir.attempt())?;
    Ok(plan)
}

/// Finds inputs, stars and units, and keeps the plan in the directory, for [`measure_some`](super::some::measure_some) and [`merge`].
///
/// # Errors
/// As [`run_with_report`], but for those of the measurement.
pub fn plan(config: &RunConfig) -> Result<PlanHead> {
    let settings = config.identity()?;
    let dir = RunDir::open(config, &settings)?;
    let plan = planned(config, &dir, &settings, &StageClocks::default())?;
    match plan.units.is_empty() {
        true => Err(Error::NothingUsable(match plan.rejected.first() {
            Some(first) => format!("no file that could be measured; {first}"),
            None => "no file that could be measured".to_owned(),
        })),
        false => kept_plan::expect(&config.out),
    }
}

/// Everything that the run reads: files, used or not, and lists.
fn all_inputs(config: &RunConfig, plan: &Plan) -> Vec<PathBuf> {
    let lists = config.inputs.iter().filter_map(|p| inputs::list_name(p));
    let rejected = plan.rejected.iter().map(|r| r.path.clone());
    lists
        .chain(plan.paths.iter().cloned())
        .chain(rejected)
        .collect()
}
