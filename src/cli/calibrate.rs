//! `relrv calibrate`: zero points for any table of RVs.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::calibrate_dir::{Asked, CalibrateDir, FORMATS, SUMMARY};
use super::numbers::{above_zero, whole};
use crate::calibrate::along::FibreOrder;
use crate::calibrate::arms::{CalibrateOptions, CalibratedArm, Method, Scope, calibrate_except};
use crate::calibrate::joint::JointOptions;
use crate::calibrate::links::{self, Links};
use crate::calibrate::paper::PaperOptions;
use crate::calibrate::results::n_rows_unusable;
use crate::calibrate::summary::ArmSummary;
use crate::files::whole::Prepared;
use crate::table::Table;
use crate::text::count::count;
use crate::text::plain;
use crate::velocity_table::{
    components, input, mark_not_used, never_constant, products, summaries,
};
use crate::{Error, Result};

/// Options of `relrv calibrate`.
#[derive(Clone, Debug, clap::Args)]
pub struct CalibrateArgs {
    /// Table of RVs (.fits, .csv, .ecsv, .parquet, each also inside gzip) with columns star, exposure, rv, rv_err, optional rv_err_own, group, arm,
    /// position (along the slit), never_constant; or the table that `relrv measure` writes
    pub table: PathBuf,
    /// Directory for the products
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Formats of the products, separated by commas: fits, csv, parquet
    #[arg(long, value_delimiter = ',', default_value = "fits", value_parser = FORMATS)]
    pub format: Vec<String>,
    /// Replace what DIR holds of another calibration, or files of the products' names; never those of a run
    #[arg(long)]
    pub overwrite: bool,
    /// How zero points are found
    #[command(flatten)]
    pub options: CalibratingArgs,
}

/// How zero points are found.
#[derive(Clone, Debug, clap::Args)]
pub struct CalibratingArgs {
    /// joint: robust weighted least squares; paper: the iteration of Xiong et al. 2021, 3.2
    #[arg(long, value_enum, default_value_t)]
    pub method: Method,
    /// survey: everything linked by common stars at once; spectrograph: each group alone
    #[arg(long, value_enum, default_value_t)]
    pub scope: Scope,
    /// Stars that an exposure needs for a zero point (paper: constant ones)
    #[arg(long, value_name = "N", default_value_t = JointOptions::default().min_constants, value_parser = whole::<usize>(2..=u64::MAX))]
    pub min_constants: usize,
    /// Stars whose chi^2 is less probable than this are not constant
    #[arg(long, value_name = "P", default_value_t = JointOptions::default().p_min, value_parser = above_zero(0.5))]
    pub p_min: f64,
    /// Highest power of the fibre's place along the slit in a zero point; auto: the one that the velocities of the run speak for
    #[arg(long, value_enum, value_name = "ORDER", default_value_t)]
    pub fibre_order: FibreOrder,
    /// Method paper: largest mean of an exposure's constants at the end, in the unit of the RVs
    #[arg(long, value_name = "RV", default_value_t = PaperOptions::default().tolerance, value_parser = above_zero(f64::INFINITY))]
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
    /// Stars that the table bars from being constants.
    pub n_stars_never_constant: usize,
    /// Columns of the input that no table can hold, with the reason.
    pub skipped_columns: Vec<String>,
    /// What was done to columns of the input: units converted, names changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The weights go by rv_err_own.
    pub own_errors: bool,
    /// Unit of all RVs here.
    pub unit: String,
    /// Settings.
    pub config: CalibrateOptions,
    /// Arms in order.
    pub arms: Vec<ArmSummary>,
}

/// Calibrates the table, writes the products and tells what was done on `told`.
///
/// # Errors
/// A directory that is not this calibration's, unreadable tables, missing columns, nothing usable, products that cannot be
/// written; then the directory's older products are as they were.
pub fn run(args: &CalibrateArgs, told: &mut dyn Write) -> Result<Summary> {
    let config = args.options.config()?;
    let clock = Instant::now();
    let read = Table::read_noting(&args.table)?;
    let at = |e: Error| match e {
        Error::Table(message) => Error::format(&args.table, message),
        Error::NothingUsable(message) => {
            Error::NothingUsable(format!("{}: {message}", args.table.display()))
        }
        other => other,
    };
    let mut input = input::observations_noting(&read.table, &read.skipped).map_err(at)?;
    let asked = Asked {
        table: &args.table,
        out: &args.out,
        format: &args.format,
        overwrite: args.overwrite,
    };
    let dir = CalibrateDir::open(&asked, &config)?;
    let read_s = clock.elapsed().as_secs_f64();
    let never = never_constant(&read.table, &input);
    mark_not_used(&read.table, &mut input);
    let arms = calibrate_except(&mut input.observations, &never, &config).map_err(at)?;
    let arms = some_solved(arms)?;
    let solve_s = clock.elapsed().as_secs_f64() - read_s;

    let links: Vec<Links> = arms.iter().map(|arm| links::of(arm, &config)).collect();
    let mut products = vec![
        ("zeropoints", products::zero_points(&input, &arms)),
        ("components", components(&input, &links)),
        (
            "stars",
            products::stars(&input, &arms, config.is_by_group()),
        ),
    ];
    if let Some(fibres) = products::fibres(&read.table, &input, &arms) {
        products.push(("fibres", fibres));
    }
    let skipped_columns = read
        .skipped
        .iter()
        .map(|s| format!("{}: {}", s.column, s.reason))
        .collect();
    let (calibrated, renamed) = products::calibrated(read.table, &input, &arms);
    products.push(("calibrated", calibrated));
    let mut prepared: Vec<(String, Prepared)> = Vec::new();
    for (name, table) in &products {
        for format in &args.format {
            let name = format!("{name}.{format}");
            if !prepared.iter().any(|(known, _)| *known == name) {
                let table = table.prepare(&dir.path(&name))?.closed();
                prepared.push((name, table));
            }
        }
    }
    let summary = Summary {
        n_rows: input.observations.n_rows(),
        n_rows_unusable: n_rows_unusable(&input.observations),
        n_stars_never_constant: never.iter().filter(|never| **never).count(),
        skipped_columns,
        notes: [read.notes, input.notes.clone(), renamed].concat(),
        own_errors: input.has_own_errors,
        unit: input.unit.clone(),
        config,
        arms: summaries(&input, &arms, &links),
    };
    let json = serde_json::to_vec_pretty(&summary)
        .map_err(|e| Error::io(&args.out, std::io::Error::other(e)))?;
    let summary_file = Prepared::of_bytes(&dir.path(SUMMARY), &json)?;
    dir.replace(prepared, summary_file)?;
    // The products are written: where nobody reads, that is no error.
    let _ = tell(&summary, told);
    let write_s = clock.elapsed().as_secs_f64() - read_s - solve_s;
    let _ = writeln!(
        told,
        "time: read {read_s:.1} s, solve {solve_s:.1} s, write {write_s:.1} s"
    );
    Ok(summary)
}

/// The arms, unless none of them was solved: then there is nothing to write.
fn some_solved(arms: Vec<CalibratedArm>) -> Result<Vec<CalibratedArm>> {
    let is_solved = |a: &CalibratedArm| a.failure.is_none() && a.graph.graph.n_obs() > 0;
    if arms.iter().any(is_solved) {
        return Ok(arms);
    }
    match arms.into_iter().find_map(|a| a.failure) {
        Some(failure) => Err(Arc::try_unwrap(failure)
            .unwrap_or_else(|shared| Error::NothingUsable(shared.to_string()))),
        None => Ok(Vec::new()),
    }
}

/// The summary in a few lines.
fn tell(summary: &Summary, told: &mut dyn Write) -> std::io::Result<()> {
    let rows = count(summary.n_rows, "row");
    writeln!(
        told,
        "{rows} in, {rows} out ({} without a usable RV)",
        summary.n_rows_unusable
    )?;
    if summary.n_stars_never_constant > 0 {
        writeln!(
            told,
            "{} barred from the constants: double-lined, or said so by the table",
            count(summary.n_stars_never_constant, "star")
        )?;
    }
    for column in &summary.skipped_columns {
        writeln!(told, "left out: column {}", plain::line(column))?;
    }
    for note in &summary.notes {
        writeln!(told, "{note}")?;
    }
    tell_arms(&summary.arms, &summary.unit, told)
}

/// What was done with each arm.
pub fn tell_arms(arms: &[ArmSummary], unit: &str, told: &mut dyn Write) -> std::io::Result<()> {
    for arm in arms {
        let name = if arm.arm.is_empty() { "all" } else { &arm.arm };
        let (name, unit) = (plain::line(name), plain::line(unit));
        writeln!(
            told,
            "{name}: {} of {} in {}; {}; common jitter {:.4} {unit}; {}",
            count(arm.n_usable, "usable RV"),
            count(arm.n_stars, "star"),
            count(arm.n_exposures, "exposure"),
            count(arm.n_constants, "constant"),
            arm.common_jitter,
            count(arm.log.len(), "step"),
        )?;
        for line in [arm.told_along_slit(), arm.told_population(&unit)]
            .into_iter()
            .flatten()
        {
            writeln!(told, "{name}: {line}")?;
        }
        if let Some(from) = &arm.constants_from {
            writeln!(
                told,
                "{name}: constants from {from}; {} without {from} RVs, corrected only",
                count(arm.n_without_red, "star")
            )?;
        }
        if arm.n_without_zero_point > 0 {
            writeln!(
                told,
                "{name}: {} without a zero point, for want of stars",
                count(arm.n_without_zero_point, "exposure")
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
        for line in &arm.links {
            writeln!(told, "{name}: {}", plain::line(line))?;
        }
        if let Some(complaint) = arm.complaint() {
            writeln!(told, "{complaint}")?;
        }
        for (text, n) in &arm.flags {
            writeln!(told, "{name}: {} flagged: {text}", count(*n, "RV"))?;
        }
    }
    Ok(())
}
