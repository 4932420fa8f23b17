//! Options about zero points, which `run`, `plan` and `calibrate` share.

use super::headings::ZERO_POINTS;
use super::numbers::{above_zero, whole};
use crate::calibrate::arms::{CalibrateOptions, Method, Scope};
use crate::calibrate::joint::JointOptions;
use crate::calibrate::paper::PaperOptions;
use crate::calibrate::terms::{ByLines, FibreOrder};
use crate::{Error, Result};

/// How zero points are found.
#[derive(Clone, Debug, clap::Args)]
pub struct CalibratingArgs {
    /// joint: robust weighted least squares; paper: the iteration of Xiong et al. 2021, 3.2
    #[arg(long, value_enum, default_value_t, help_heading = ZERO_POINTS)]
    pub method: Method,
    /// survey: everything linked by common stars at once; spectrograph: each group alone
    #[arg(long, value_enum, default_value_t, help_heading = ZERO_POINTS, hide_short_help = true)]
    pub scope: Scope,
    /// Stars that an exposure needs for a zero point (paper: constant ones)
    #[arg(long, value_name = "N", default_value_t = JointOptions::default().min_constants, value_parser = whole::<usize>(2..=u64::MAX), help_heading = ZERO_POINTS, hide_short_help = true)]
    pub min_constants: usize,
    /// Stars whose chi^2 is less probable than this are not constant
    #[arg(long, value_name = "P", default_value_t = JointOptions::default().p_min, value_parser = above_zero(0.5), help_heading = ZERO_POINTS, hide_short_help = true)]
    pub p_min: f64,
    /// Highest power of the fibre's place along the slit in a zero point; auto: the one that the velocities of the run speak for
    #[arg(long, value_enum, value_name = "ORDER", default_value_t, help_heading = ZERO_POINTS, hide_short_help = true)]
    pub fibre_order: FibreOrder,
    /// Whether a zero point may depend on where the lines of a star lie and how wide they are; auto: where the velocities of the run speak for it
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = ZERO_POINTS, hide_short_help = true)]
    pub by_lines: ByLines,
    /// Method paper: largest mean of an exposure's constants at the end, in the unit of the RVs
    #[arg(long, value_name = "RV", default_value_t = PaperOptions::default().tolerance, value_parser = above_zero(f64::INFINITY), help_heading = ZERO_POINTS, hide_short_help = true)]
    pub tolerance: f64,
}

impl CalibratingArgs {
    /// The checked settings.
    ///
    /// # Errors
    /// [`Error::Config`] for values that make no sense.
    pub fn config(&self) -> Result<CalibrateOptions> {
        if !(self.p_min > 0.0 && self.p_min < 0.5) {
            return Err(Error::Config(format!(
                "--p-min: expected a probability between 0 and 0.5, found {}",
                self.p_min
            )));
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return Err(Error::Config(format!(
                "--tolerance: expected a positive number, found {}",
                self.tolerance
            )));
        }
        if self.min_constants < 2 {
            return Err(Error::Config(
                "--min-constants: expected 2 at least: one star is no zero point".to_owned(),
            ));
        }
        let is_of_all = matches!(self.fibre_order, FibreOrder::Auto | FibreOrder::Constant);
        if self.method == Method::Paper && !is_of_all {
            return Err(Error::Config(
                "--fibre-order: expected auto or 0 with --method paper, which has one zero point for all fibres of an exposure"
                    .to_owned(),
            ));
        }
        let mut config = CalibrateOptions {
            method: self.method,
            scope: self.scope,
            ..CalibrateOptions::default()
        };
        config.joint.p_min = self.p_min;
        config.joint.fibre_order = self.fibre_order;
        config.joint.by_lines = self.by_lines;
        config.joint.min_constants = self.min_constants;
        config.paper.min_constants = self.min_constants;
        config.paper.tolerance = self.tolerance;
        Ok(config)
    }
}
