//! `run.json`: what a run was asked for, what went in and came out, and how long it took.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::scatter::ArmScatter;
use super::verdicts::Verdicts;
use crate::calibrate::summary::ArmSummary;
use crate::lamost::raw::Rejection;
use crate::likelihood::DeviceUse;
use crate::text::date;

/// Content of `run.json`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Record {
    /// Version of the program.
    pub relrv: &'static str,
    /// When the program was started that finished the run, UTC.
    pub started: String,
    /// When it finished, UTC.
    pub finished: String,
    /// Seconds between them.
    pub seconds: f64,
    /// Every setting, by the names of the options.
    pub config: Map<String, Value>,
    /// Threads.
    pub threads: usize,
    /// What the likelihood ran on.
    pub backend: String,
    /// What a GPU did in this; null where there was none.
    pub device: Option<DeviceUse>,
    /// Most memory that the program had at a time, bytes; null where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
    /// Counts in and out.
    pub counts: Counts,
    /// Plates and spectrographs.
    pub units: Vec<UnitRecord>,
    /// The calibration, red arm first; empty where there was nothing to calibrate.
    pub calibration: Vec<ArmSummary>,
    /// Stars that vary, and those that do not; null where there was nothing to calibrate.
    pub verdicts: Option<Verdicts>,
    /// Scatter of the constants.
    pub scatter: Vec<ArmScatter>,
    /// Seconds of each stage, in their order: those of the measurement summed over threads, the others as they passed.
    pub stages: Vec<(String, f64)>,
    /// Files written, beside this one.
    pub products: Vec<String>,
}

/// What went in and what came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Files found, and inputs that gave none.
    pub files: usize,
    /// Those not used, by reason.
    pub files_rejected: BTreeMap<&'static str, usize>,
    /// Exposures of single arms found in the files.
    pub spectra: usize,
    /// Those with a velocity.
    pub measured: usize,
    /// Those without, by reason.
    pub spectra_rejected: BTreeMap<&'static str, usize>,
    /// Files in which water lines, moonlight and lines of the night sky stay, as they have no HELIO_RV.
    pub files_without_helio_rv: usize,
    /// Velocities with each flag, by its name; a velocity may have several.
    pub flags: BTreeMap<&'static str, usize>,
    /// Files whose wavelengths were moved into the Sun's frame or into vacuum, as their headers say that they are in neither.
    pub files_moved: usize,
    /// Stars with a velocity.
    pub stars: usize,
    /// Rows of the catalogue: a star's exposures with a velocity in one arm at least.
    pub exposures: usize,
}

impl Counts {
    /// Counts rejections by reason: those of whole files, and those of their spectra.
    pub fn reject<'a>(&mut self, rejected: impl IntoIterator<Item = &'a Rejection>) {
        for rejection in rejected {
            let by_reason = match rejection.hdu.is_empty() {
                true => &mut self.files_rejected,
                false => &mut self.spectra_rejected,
            };
            *by_reason.entry(rejection.reason.name()).or_default() += 1;
        }
    }

    /// Files that were read.
    pub fn files_read(&self) -> usize {
        let rejected: usize = self.files_rejected.values().sum();
        self.files.saturating_sub(rejected)
    }
}

/// One unit.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UnitRecord {
    /// Plate.
    pub planid: String,
    /// Spectrograph.
    pub spid: i32,
    /// Files of its stars.
    pub files: usize,
    /// Stars.
    pub stars: usize,
    /// Exposures of single arms found in the files.
    pub spectra: usize,
    /// Those with a velocity.
    pub measured: usize,
    /// Its rows are those that an earlier start of the program measured.
    pub reused: bool,
    /// An earlier start had measured it, but from other files, or what it kept is damaged: it was measured again.
    pub again: bool,
}

/// `2026-11-22T16:00:45Z`.
pub fn utc(time: SystemTime) -> String {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    format!("{}Z", date::iso(since_1970.as_secs() as i64))
}
