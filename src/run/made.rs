//! A plan whose units are made up, with their rows: what `merge` has to do at the size of a survey, without a survey.

use std::path::{Path, PathBuf};

use super::config::RunConfig;
use super::cost::Cost;
use super::directory::RunDir;
use super::unit_file::UnitFile;
use super::{fingerprint, kept_plan};
use crate::Result;
use crate::calibrate::arms::CalibrateOptions;
use crate::lamost::content::Content;
use crate::measure::{MeasureConfig, MeasuredUnit, Plan, RvRow, Unit};

/// One unit that is made up. The [`members`](crate::lamost::stars::Star::members) of its stars are indices of `files`.
pub struct MadeUnit {
    /// Its stars.
    pub unit: Unit,
    /// Their files, which need not exist.
    pub files: Vec<PathBuf>,
    /// Its rows.
    pub rows: Vec<RvRow>,
}

/// Keeps `n` units in a directory as if they had been measured. Rows are asked for one unit at a time, and once more than once.
///
/// # Errors
/// As [`super::plan`].
pub fn keep_made(out: &Path, n: usize, unit: impl Fn(usize) -> MadeUnit) -> Result<()> {
    let config = RunConfig {
        inputs: vec!["made".into()],
        out: out.to_owned(),
        measure: MeasureConfig::default(),
        calibrate: CalibrateOptions::default(),
        formats: vec![super::ProductFormat::Parquet],
        flags_text: false,
        overwrite: false,
        backend: "CPU".to_owned(),
    };
    let settings = config.identity()?;
    let dir = RunDir::open(&config, &settings)?;
    let mut plan = Plan::default();
    for made in (0..n).map(&unit) {
        let first = plan.paths.len();
        let mut own = made.unit;
        let members = own.stars.iter_mut().flat_map(|(_, star)| &mut star.members);
        members.for_each(|member| *member += first);
        let names = made.files.iter().map(|path| path.display().to_string());
        plan.contents
            .extend(names.map(|name| Content::of(name.as_bytes())));
        plan.paths.extend(made.files);
        plan.units.push(own);
    }
    plan.n_files = plan.paths.len();
    dir.begin(&[])?;
    kept_plan::write(out, &plan, &settings, dir.attempt())?;
    for (i, of_plan) in plan.units.iter().enumerate() {
        let rows = unit(i).rows;
        let print = fingerprint::of_unit(&plan, of_plan);
        let file = UnitFile::new(&dir.units(), of_plan, &dir.settings_hash(), &print);
        let measured = MeasuredUnit {
            n_spectra: rows.len(),
            rows,
            ..MeasuredUnit::default()
        };
        file.write(&plan, of_plan, &measured, Cost::default())?;
    }
    Ok(())
}
