//! What the tables of `relrv measure` and `relrv calibrate` say of how they were made, as those of a run do.

use std::path::PathBuf;

use crate::Result;
use crate::calibrate::arms::CalibrateOptions;
use crate::catalogue::settings::{OF_CALIBRATING, OF_MEASURING};
use crate::measure::{MeasureConfig, RvRow};
use crate::run::RunConfig;
use crate::run::about::{dates, history};
use crate::table::About;

/// What a table of velocities says of their measurement.
///
/// # Errors
/// [`crate::Error::Config`] for settings that JSON cannot hold.
pub fn of_measurement(config: &MeasureConfig, rows: &[RvRow]) -> Result<About> {
    let config = of_parts(config.clone(), CalibrateOptions::default());
    Ok(About {
        dates: dates(rows.iter().map(|row| row.bjd_tdb)),
        history: history("relrv measure", &config, &[&OF_MEASURING])?,
    })
}

/// What the products of a table that was calibrated say of that.
///
/// # Errors
/// As [`of_measurement`].
pub fn of_calibration(config: &CalibrateOptions) -> Result<About> {
    let config = of_parts(MeasureConfig::default(), config.clone());
    Ok(About {
        dates: None,
        history: history("relrv calibrate", &config, &[&OF_CALIBRATING])?,
    })
}

/// Settings of what is no run.
fn of_parts(measure: MeasureConfig, calibrate: CalibrateOptions) -> RunConfig {
    RunConfig {
        inputs: Vec::new(),
        out: PathBuf::new(),
        measure,
        calibrate,
        formats: Vec::new(),
        flags_text: false,
        overwrite: false,
        backend: String::new(),
    }
}
