//! `relrv calibrate`: zero points for any table of RVs.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use crate::selfcal::calibrate::{CalibrateConfig, CalibratedArm, Method, Scope, calibrate};
use crate::selfcal::input::{self, Input, Layout};
use crate::selfcal::observations::flag;
use crate::selfcal::products;
use crate::table::Table;
use crate::{Error, Result};

/// Options of `relrv calibrate`.
#[derive(Clone, Debug, clap::Args)]
pub struct CalibrateArgs {
    /// Table of RVs (.fits, .csv, .parquet) with columns star, exposure, rv, rv_err, optional rv_err_own, group, arm; or
    /// the table that `relrv measure` writes
    pub table: PathBuf,
    /// Directory for the products
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// joint: robust weighted least squares; paper: the iteration of Xiong et al. 2021, 3.2
    #[arg(long, value_enum, default_value_t)]
    pub method: Method,
    /// survey: everything linked by common stars at once; spectrograph: each group alone
    #[arg(long, value_enum, default_value_t)]
    pub scope: Scope,
    /// Formats of the products, separated by commas: fits, csv, parquet
    #[arg(long, value_delimiter = ',', default_value = "fits", value_parser = ["fits", "csv", "parquet"])]
    pub format: Vec<String>,
    /// Constant stars that an exposure needs for a zero point
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub min_constants: usize,
    /// Stars whose chi^2 is less probable than this are not constant
    #[arg(long, value_name = "P", default_value_t = 0.01)]
    pub p_min: f64,
    /// Method paper: largest mean of an exposure's constants at the end, in the unit of the RVs
    #[arg(long, value_name = "RV", default_value_t = 0.01)]
    pub tolerance: f64,
}

impl CalibrateArgs {
    /// The checked settings.
    ///
    /// # Errors
    /// [`Error::Config`] for values that make no sense.
    pub fn config(&self) -> Result<CalibrateConfig> {
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
        let mut config = CalibrateConfig {
            method: self.method,
            scope: self.scope,
            ..CalibrateConfig::default()
        };
        config.joint.p_min = self.p_min;
        config.joint.min_constants = self.min_constants;
        config.paper.min_constants = self.min_constants;
        config.paper.tolerance = self.tolerance;
        Ok(config)
    }
}

/// What a calibration did, also written as `calibration.json`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Summary {
    /// Rows read, and written.
    pub n_rows: usize,
    /// Rows without a single usable RV.
    pub n_rows_unusable: usize,
    /// Columns of the input that no table can hold, with the reason.
    pub skipped_columns: Vec<String>,
    /// The weights go by rv_err_own.
    pub own_errors: bool,
    /// Unit of all RVs here.
    pub unit: String,
    /// Settings.
    pub config: CalibrateConfig,
    /// Arms in order.
    pub arms: Vec<ArmSummary>,
}

/// What was done with one arm.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ArmSummary {
    /// Name.
    pub arm: String,
    /// RVs (or rows) of the arm.
    pub n_rv: usize,
    /// Those that entered.
    pub n_usable: usize,
    /// Count of each flag.
    pub flags: Vec<(String, usize)>,
    /// Stars with a usable RV.
    pub n_stars: usize,
    /// Constants.
    pub n_constants: usize,
    /// Arm that the constants come from, if not from this one.
    pub constants_from: Option<String>,
    /// Stars that could not be constants for want of red data.
    pub n_without_red: usize,
    /// Exposures (with group) that have a usable RV.
    pub n_exposures: usize,
    /// Those without a zero point.
    pub n_without_zero_point: usize,
    /// Exposures of each component; each has a gauge of its own.
    pub component_sizes: Vec<usize>,
    /// Jitter common to all stars.
    pub common_jitter: f64,
    /// How the errors were computed.
    pub error_method: crate::selfcal::solve::ErrorMethod,
    /// The iteration ended by itself.
    pub converged: bool,
    /// Steps.
    pub log: Vec<crate::selfcal::Iteration>,
}

/// Calibrates the table, writes the products and tells what was done on `told`.
///
/// # Errors
/// Unreadable tables, missing columns, nothing usable, products that cannot be written.
pub fn run(args: &CalibrateArgs, told: &mut dyn Write) -> Result<Summary> {
    let config = args.config()?;
    let clock = Instant::now();
    let read = Table::read_noting(&args.table)?;
    let at = |e: Error| match e {
        Error::Config(message) => Error::format(&args.table, message),
        other => other,
    };
    let mut input = input::observations(&read.table).map_err(at)?;
    let read_s = clock.elapsed().as_secs_f64();
    let arms = calibrate(&mut input.observations, &config)?;
    let solve_s = clock.elapsed().as_secs_f64() - read_s;

    let mut products = vec![
        ("zeropoints", products::zero_points(&input, &arms)),
        ("stars", products::stars(&input, &arms)),
    ];
    if let Some(fibres) = products::fibres(&read.table, &input, &arms) {
        products.push(("fibres", fibres));
    }
    let skipped_columns = read
        .skipped
        .iter()
        .map(|s| format!("{}: {}", s.column, s.reason))
        .collect();
    products.push((
        "calibrated",
        products::calibrated(read.table, &input, &arms),
    ));
    for (name, table) in &products {
        for format in &args.format {
            table.write(&args.out.join(format!("{name}.{format}")))?;
        }
    }
    let summary = summarise(&input, &arms, &config, skipped_columns);
    let json = serde_json::to_vec_pretty(&summary)
        .map_err(|e| Error::io(&args.out, std::io::Error::other(e)))?;
    let path = args.out.join("calibration.json");
    std::fs::write(&path, json).map_err(|e| Error::io(&path, e))?;
    tell(&summary, told).map_err(|e| Error::io(&args.out, e))?;
    let write_s = clock.elapsed().as_secs_f64() - read_s - solve_s;
    writeln!(
        told,
        "time: read {read_s:.1} s, solve {solve_s:.1} s, write {write_s:.1} s"
    )
    .map_err(|e| Error::io(&args.out, e))?;
    Ok(summary)
}

fn summarise(
    input: &Input,
    arms: &[CalibratedArm],
    config: &CalibrateConfig,
    skipped_columns: Vec<String>,
) -> Summary {
    let obs = &input.observations;
    let mut usable = vec![false; obs.n_rows];
    let summaries = arms
        .iter()
        .zip(&obs.arms)
        .map(|(arm, own)| {
            for (&row, &flags) in own.row.iter().zip(&own.flags) {
                usable[row as usize] |= flags & flag::UNUSABLE == 0;
            }
            let count = |bit: i32| own.flags.iter().filter(|&&f| f & bit != 0).count();
            let s = &arm.solution;
            let mut component_sizes = vec![0; s.n_components];
            for c in s.component.iter().flatten() {
                component_sizes[*c as usize] += 1;
            }
            ArmSummary {
                arm: arm.arm.clone(),
                n_rv: own.row.len(),
                n_usable: arm.graph.graph.n_obs(),
                flags: flag::MEANINGS
                    .iter()
                    // In the table of `measure` an empty arm is no fault.
                    .filter(|(bit, _)| {
                        input.layout == Layout::Long || bit & (flag::BAD_RV | flag::BAD_ERR) == 0
                    })
                    .map(|&(bit, text)| (text.to_owned(), count(bit)))
                    .filter(|(_, n)| *n > 0)
                    .collect(),
                n_stars: s.stars.len(),
                n_constants: s.stars.iter().filter(|s| s.constant).count(),
                constants_from: arm.constants_from.clone(),
                n_without_red: arm.n_without_red,
                n_exposures: s.zp.len(),
                n_without_zero_point: s.zp.iter().filter(|z| z.is_nan()).count(),
                component_sizes,
                common_jitter: s.common_jitter,
                error_method: s.error_method,
                converged: s.converged,
                log: s.log.clone(),
            }
        })
        .collect();
    Summary {
        n_rows: obs.n_rows,
        n_rows_unusable: usable.iter().filter(|&&u| !u).count(),
        skipped_columns,
        own_errors: input.has_own_errors,
        unit: input.unit.clone(),
        config: config.clone(),
        arms: summaries,
    }
}

/// The summary in a few lines.
fn tell(summary: &Summary, told: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        told,
        "{} rows in, {} rows out ({} without a usable RV)",
        summary.n_rows, summary.n_rows, summary.n_rows_unusable
    )?;
    for column in &summary.skipped_columns {
        writeln!(told, "left out: column {column}")?;
    }
    for arm in &summary.arms {
        let name = if arm.arm.is_empty() { "all" } else { &arm.arm };
        let unit = &summary.unit;
        writeln!(
            told,
            "{name}: {} usable RVs of {} stars in {} exposures; {} constants; common jitter {:.4} {unit}; {} steps{}",
            arm.n_usable,
            arm.n_stars,
            arm.n_exposures,
            arm.n_constants,
            arm.common_jitter,
            arm.log.len(),
            if arm.converged { "" } else { ", not settled" },
        )?;
        if let Some(from) = &arm.constants_from {
            writeln!(
                told,
                "{name}: constants from {from}; {} stars have no {from} RV and are corrected only",
                arm.n_without_red
            )?;
        }
        if arm.n_without_zero_point > 0 {
            writeln!(
                told,
                "{name}: {} exposures have too few constants and no zero point",
                arm.n_without_zero_point
            )?;
        }
        if arm.component_sizes.len() > 1 {
            let mut sizes = arm.component_sizes.clone();
            sizes.sort_unstable_by(|a, b| b.cmp(a));
            let shown: Vec<String> = sizes.iter().take(8).map(usize::to_string).collect();
            let more = if sizes.len() > 8 { ", ..." } else { "" };
            writeln!(
                told,
                "{name}: {} components share no constant star: each has its own gauge (exposures: {}{more})",
                sizes.len(),
                shown.join(", ")
            )?;
        }
        for (text, n) in &arm.flags {
            writeln!(told, "{name}: {n} RVs flagged: {text}")?;
        }
    }
    Ok(())
}
