//! What `relrv calibrate` did.

use crate::calibrate::arms::CalibrateOptions;
use crate::calibrate::summary::ArmSummary;

/// What a calibration did, also written as `calibration.json`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Summary {
    /// Rows read, and written.
    pub n_rows: usize,
    /// Rows without a single usable RV.
    pub n_rows_unusable: usize,
    /// Stars that the table bars from being constants.
    pub n_stars_never_constant: usize,
    /// Stars on which zero points rest because a list names them; None without a list.
    pub n_known_constants: Option<usize>,
    /// Columns of the input that no table can hold, with the reason.
    pub skipped_columns: Vec<String>,
    /// What was done to columns of the input: units converted, names changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The weights go by rv_err_own.
    pub own_errors: bool,
    /// Unit of all RVs here; empty where nothing tells it.
    pub unit: String,
    /// Settings.
    pub config: CalibrateOptions,
    /// Arms in order.
    pub arms: Vec<ArmSummary>,
    /// Files written, beside `calibration.json`.
    #[serde(skip)]
    pub products: Vec<String>,
    /// Products of an earlier start of the same calibration were there.
    #[serde(skip)]
    pub replaced: bool,
    /// Seconds that reading, solving and writing took.
    #[serde(skip)]
    pub seconds: [f64; 3],
}
