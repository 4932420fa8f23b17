//! The main job: measure, calibrate, write the products; and go on where a run that was ended left off.
//!
//! A run works through its [units](crate::measure::Unit) (the stars of a plate and spectrograph), and keeps each unit's rows in
//! `DIR/.relrv/units` as soon as they are whole. The products are made from these files alone, so that they do not depend on how
//! often the run was ended. They take the place of older ones when all of them are whole, and `run.json` comes last: where it is,
//! everything else is there too.

pub(crate) mod about;
#[cfg(feature = "report")]
mod again;
mod append;
mod begun_file;
mod claim;
mod config;
mod cost;
mod directory;
pub mod face;
mod fingerprint;
mod gathered;
mod job;
mod keeper;
mod kept_plan;
#[cfg(feature = "lab")]
mod made;
mod names;
mod outlook;
mod peak_memory;
mod place;
mod planned;
mod record;
mod rejected;
mod scatter;
mod sealed;
mod some;
mod start;
mod tasks;
mod unit_file;
mod units;
mod verdicts;

pub use crate::files::workplace::STATE_DIR;
#[cfg(feature = "report")]
pub use again::{Which, see};
pub use config::{ProductFormat, RunConfig, differences, without_threads};
pub use cost::Cost;
pub use directory::outputs;
#[cfg(feature = "lab")]
pub use job::run;
pub use job::{Done, holds_units, merge, recalibrate, run_with_report};
pub use kept_plan::UnitLine;
#[cfg(feature = "lab")]
pub use made::{MadeUnit, keep_made};
pub use outlook::{Outlook, outlook};
pub use peak_memory::peak_memory_bytes;
pub use planned::plan;
pub use record::{Counts, Record};
pub use some::{UnitOutcome, UnitState, Units, measure_some};
pub use tasks::Tasks;
