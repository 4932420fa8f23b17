//! `relrv calibrate`: zero points for any table of RVs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::Outcome;
use super::about::of_calibration;
use super::arms_told::tell_arms;
use super::calibrate_columns::ColumnArgs;
use super::calibrate_dir::{Asked, CalibrateDir, FORMATS, PAGE, SUMMARY};
#[cfg(feature = "report")]
use super::calibrate_page;
use super::calibrate_summary::Summary;
use super::calibrating::CalibratingArgs;
use super::recalibrate;
use crate::calibrate::arms::{CalibrateOptions, CalibratedArm, calibrate_except};
use crate::calibrate::links::{self, Links};
use crate::calibrate::results::n_rows_unusable;
use crate::calibrate::summary::ArmSummary;
use crate::files::whole::Prepared;
use crate::table::{self, About, Table};
use crate::tell::{self, Told};
use crate::text::count::count;
use crate::text::plain;
use crate::velocity_table::input::{self, Input};
use crate::velocity_table::{components, mark_not_used, never_constant, products, summaries};
use crate::{Error, Result};

/// At the end of the help.
const EXAMPLES: &str = "Examples:
  relrv calibrate velocities.csv --out calibrated --unit m/s
      columns of well-known names are found, and told
  relrv calibrate t.fits --out calibrated --star TIC --rv VRAD
      columns by name; the errors are then VRAD_err, e_VRAD or the like
  relrv calibrate t.fits --out calibrated --constants standards.txt
      zero points from known constant stars alone
  relrv calibrate plate --p-min 0.02
      a finished run anew, with nothing measured";

/// Find the velocity zero point of every exposure from the stars that do not vary.
///
/// TABLE is anybody's table of velocities; the columns of well-known names are taken (`source_id`, `mjd`, `RV`, `e_RV`, ...), and what was
/// taken for what is told. Where it is the directory of a run, and `--out` is not given, that run is calibrated anew with these options, in
/// place, and nothing is measured.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CalibrateArgs {
    /// Table of RVs (.fits, .csv, .ecsv, .parquet, .vot, each also inside gzip) with columns star, exposure, rv, rv_err, optional rv_err_own, group, arm,
    /// position (along the slit), never_constant; or the table that `relrv measure` writes; or the directory of a run
    pub table: PathBuf,
    /// Directory for the products; left out where TABLE is the directory of a run, which then gets them
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Formats of the products, separated by commas: fits, csv, parquet [default: fits; of a run those that it has]
    #[arg(long, value_delimiter = ',', value_parser = FORMATS)]
    pub format: Vec<String>,
    /// Replace what DIR holds of another calibration, or files of the products' names; never those of a run
    #[arg(long)]
    pub overwrite: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
    /// Which columns are meant
    #[command(flatten)]
    pub columns: ColumnArgs,
    /// How zero points are found
    #[command(flatten)]
    pub options: CalibratingArgs,
}

impl CalibrateArgs {
    /// Checks values that have to do with each other.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option.
    pub fn check(&self) -> Result<()> {
        self.options.config()?;
        match (&self.out, self.table.is_dir()) {
            (None, true) => recalibrate::check(&self.table, self.columns.is_any(), !self.format.is_empty()),
            (None, false) => Err(Error::Config(
                "--out: expected the directory for the products (it is left out where TABLE is the directory of a run)"
                    .to_owned(),
            )),
            (Some(_), _) => Ok(()),
        }
    }

    /// Calibrates, and tells what was done.
    pub fn run(self) -> Result<Outcome> {
        let Some(out) = &self.out else {
            return recalibrate::run(&self.table, &self.options.config()?, self.quiet);
        };
        let table = match self.table.is_dir() {
            true => recalibrate::catalogue_of(&self.table)?,
            false => self.table.clone(),
        };
        let summary = run(&self, &table, out)?;
        let complaints: Vec<String> = summary
            .arms
            .iter()
            .filter_map(ArmSummary::complaint)
            .collect();
        match self.quiet {
            true => complaints.iter().for_each(|c| tell::alert!("warning: {c}")),
            // The products are written: where nobody reads, that is no error.
            false => drop(tell(&summary, out, &mut Told)),
        }
        Ok(match summary.n_rows_unusable + complaints.len() {
            0 => Outcome::Done,
            _ => Outcome::SomeRejected,
        })
    }
}

/// The rows of a table, as zero points are found from them.
struct Rows {
    table: Table,
    input: Input,
    /// Stars that are no constants, whatever their velocities say.
    never: Vec<bool>,
    n_stars_never_constant: usize,
    n_known_constants: Option<usize>,
    skipped_columns: Vec<String>,
    notes: Vec<String>,
}

/// Calibrates the table and writes the products into `out`.
///
/// # Errors
/// A directory that is not this calibration's, unreadable tables, missing columns, nothing usable, products that cannot be
/// written; then the directory's older products are as they were.
fn run(args: &CalibrateArgs, path: &Path, out: &Path) -> Result<Summary> {
    let config = args.options.config()?;
    let clock = Instant::now();
    let mut rows = read(&args.columns, path)?;
    let formats = match args.format.is_empty() {
        true => vec!["fits".to_owned()],
        false => args.format.clone(),
    };
    let asked = Asked {
        table: path,
        out,
        format: &formats,
        overwrite: args.overwrite,
        columns: &args.columns,
    };
    let dir = CalibrateDir::open(&asked, &config)?;
    let read_s = clock.elapsed().as_secs_f64();
    let arms = calibrate_except(&mut rows.input.observations, &rows.never, &config)
        .map_err(|e| of_table(path, e))?;
    let arms = some_solved(arms)?;
    let solve_s = clock.elapsed().as_secs_f64() - read_s;
    let summary = write(rows, &arms, config, (dir, &formats), path)?;
    let write_s = clock.elapsed().as_secs_f64() - read_s - solve_s;
    Ok(Summary {
        seconds: [read_s, solve_s, write_s],
        ..summary
    })
}

/// Errors about a table, with its name.
fn of_table(path: &Path, e: Error) -> Error {
    match e {
        Error::Table(message) => Error::format(path, message),
        Error::NothingUsable(message) => {
            Error::NothingUsable(format!("{}: {message}", path.display()))
        }
        other => other,
    }
}

/// Reads the table, and says which stars are no constants.
fn read(columns: &ColumnArgs, path: &Path) -> Result<Rows> {
    let read = Table::read_noting(path)?;
    let roles = columns.roles();
    let mut input = input::observations_noting(&read.table, &read.skipped, &roles)
        .map_err(|e| of_table(path, e))?;
    let known = columns.known_constants()?;
    let known = known.map(|known| known.others(&input)).transpose()?;
    let mut never = never_constant(&read.table, &input);
    let n_stars_never_constant = never.iter().filter(|never| **never).count();
    let mut n_known_constants = None;
    if let Some((others, note)) = known {
        input.notes.push(note);
        let all = never.iter_mut().zip(others);
        all.for_each(|(never, is_other)| *never |= is_other);
        n_known_constants = Some(never.iter().filter(|never| !**never).count());
    }
    mark_not_used(&read.table, &mut input);
    let skipped = read.skipped.iter();
    Ok(Rows {
        skipped_columns: skipped
            .map(|s| format!("{}: {}", s.column, s.reason))
            .collect(),
        notes: read.notes,
        table: read.table,
        input,
        never,
        n_stars_never_constant,
        n_known_constants,
    })
}

/// Writes tables, page and summary in these formats; all of them appear at once.
fn write(
    rows: Rows,
    arms: &[CalibratedArm],
    config: CalibrateOptions,
    (dir, formats): (CalibrateDir, &[String]),
    path: &Path,
) -> Result<Summary> {
    let input = rows.input;
    let links: Vec<Links> = arms.iter().map(|arm| links::of(arm, &config)).collect();
    let (tables, renamed) = tables(rows.table, &input, arms, &links, config.is_by_group());
    let prepared = prepared(&tables, &dir, formats, &of_calibration(&config)?)?;
    let mut names: Vec<String> = prepared.iter().map(|(name, _)| name.clone()).collect();
    names.extend(cfg!(feature = "report").then(|| PAGE.to_owned()));
    let summary = Summary {
        n_rows: input.observations.n_rows(),
        n_rows_unusable: n_rows_unusable(&input.observations),
        n_stars_never_constant: rows.n_stars_never_constant,
        n_known_constants: rows.n_known_constants,
        skipped_columns: rows.skipped_columns,
        notes: [rows.notes, input.notes.clone(), renamed].concat(),
        own_errors: input.has_own_errors,
        unit: input.unit.clone(),
        config,
        arms: summaries(&input, arms, &links),
        products: names,
        replaced: dir.path(SUMMARY).exists(),
        seconds: [0.0; 3],
    };
    let page = page(&input, arms, &summary, path);
    let page = page.map(|page| Prepared::of_bytes(&dir.path(PAGE), page.as_bytes()));
    let page = page.transpose()?.map(|page| (PAGE.to_owned(), page));
    let prepared = prepared.into_iter().chain(page).collect();
    let summary_path = dir.path(SUMMARY);
    let json = serde_json::to_vec_pretty(&summary)
        .map_err(|e| Error::io(&summary_path, std::io::Error::other(e)))?;
    dir.replace(prepared, Prepared::of_bytes(&summary_path, &json)?)?;
    Ok(summary)
}

/// The page, of a build that makes pages.
#[cfg(feature = "report")]
fn page(input: &Input, arms: &[CalibratedArm], summary: &Summary, path: &Path) -> Option<String> {
    Some(calibrate_page::of(input, arms, summary, path))
}

#[cfg(not(feature = "report"))]
fn page(_: &Input, _: &[CalibratedArm], _: &Summary, _: &Path) -> Option<String> {
    None
}

/// The tables by name, and what columns of the input are called in `calibrated`.
fn tables(
    table: Table,
    input: &Input,
    arms: &[CalibratedArm],
    links: &[Links],
    is_by_group: bool,
) -> (Vec<(&'static str, Table)>, Vec<String>) {
    let mut tables = vec![
        ("zeropoints", products::zero_points(input, arms)),
        ("components", components(input, links)),
        ("stars", products::stars(input, arms, is_by_group)),
    ];
    tables.extend(products::fibres(&table, input, arms).map(|fibres| ("fibres", fibres)));
    let (calibrated, renamed) = products::calibrated(table, input, arms);
    tables.push(("calibrated", calibrated));
    (tables, renamed)
}

/// The tables' files, whole but not yet under their names.
fn prepared(
    tables: &[(&str, Table)],
    dir: &CalibrateDir,
    formats: &[String],
    about: &About,
) -> Result<Vec<(String, Prepared)>> {
    let mut prepared: Vec<(String, Prepared)> = Vec::new();
    for (name, table) in tables {
        for format in formats {
            let name = format!("{name}.{format}");
            if !prepared.iter().any(|(known, _)| *known == name) {
                let table = table::write::prepare(table, &dir.path(&name), about)?.closed();
                prepared.push((name, table));
            }
        }
    }
    Ok(prepared)
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
fn tell(summary: &Summary, out: &Path, told: &mut dyn Write) -> std::io::Result<()> {
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
    if summary.unit.is_empty() {
        writeln!(
            told,
            "unit: the table tells none, and velocities are in whatever it has (--unit names it)"
        )?;
    }
    tell_arms(&summary.arms, &summary.unit, told)?;
    let [read_s, solve_s, write_s] = summary.seconds;
    writeln!(
        told,
        "time: read {read_s:.1} s, solve {solve_s:.1} s, write {write_s:.1} s"
    )?;
    let instead = match summary.replaced {
        true => "   (in place of those of the calibration before)",
        false => "",
    };
    writeln!(told, "products          {}{instead}", plain::path(out))?;
    writeln!(told, "  {}, {SUMMARY}", summary.products.join(", "))
}
