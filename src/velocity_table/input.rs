//! From a table to [`Observations`]: which columns hold what.

use super::cells::{Found, name_texts, names, numbers};
use super::lines;
use super::names::{Groups, Names};
use super::own_flags::own_flags;
use super::position;
use super::roles::Roles;
use crate::calibrate::CalFlags;
use crate::calibrate::observations::{ArmObservations, Observations, UNNAMED};
use crate::calibrate::terms::LineKind;
use crate::table::{Column, Skipped, Table, units};
use crate::{Error, Result};

/// How a table holds its RVs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One RV per row: columns `star`, `exposure`, `rv`, `rv_err`, optional `rv_err_own`, `group`, `arm`, `position`. In the table of
    /// `relrv measure`, `lmjm` stands for the exposure, `planid` and `spid` for the group.
    Long,
    /// A catalogue (paper, Table 2): one row per star and exposure, columns `designation` (once `source_id`), `lmjm`, `planid`, `spid`, and
    /// `drv_r`, `drv_r_err`, `drv_r_err_own` with the same for `b`.
    Wide,
}

/// Where the RVs of one arm come from.
struct Source {
    arm: String,
    rv: String,
    err: String,
    own: String,
}

/// A table's observations, and what is needed to write products in its words.
#[derive(Clone, Debug)]
pub struct Input {
    /// The observations, by numbers.
    pub observations: Observations,
    /// Star of each number.
    pub stars: Names,
    /// Exposure of each number.
    pub exposures: Names,
    /// Group of each number.
    pub groups: Groups,
    /// Arms as the table calls them; one empty name where it tells no arm.
    pub arms: Vec<String>,
    /// How the table holds them.
    pub shape: Shape,
    /// Column that names the star.
    pub star_column: &'static str,
    /// Unit of the RVs; empty where nothing tells it.
    pub unit: String,
    /// The weights go by `rv_err_own`.
    pub has_own_errors: bool,
    /// The table has arms.
    pub has_arms: bool,
    /// What was done to columns so that they fit each other, in sentences for the user.
    pub notes: Vec<String>,
}

/// Reads the observations out of a table.
///
/// # Errors
/// [`Error::Table`] naming the missing column, or the row in which a number was expected.
#[cfg(test)]
pub fn observations(table: &Table) -> Result<Input> {
    observations_noting(table, &[], &Roles::default())
}

/// The same for a table that could not hold all columns of its file: a needed one among them is named with its type. `roles` tells which
/// columns the user names.
///
/// # Errors
/// As [`observations`].
pub fn observations_noting(table: &Table, skipped: &[Skipped], roles: &Roles) -> Result<Input> {
    let table = Found {
        table,
        skipped,
        roles,
    };
    let is_named = !roles.named.is_empty();
    let shape = match !is_named && table.get("rv")?.is_none() && has_wide_rv(&table) {
        true => Shape::Wide,
        false => Shape::Long,
    };
    let n_rows = table.table.n_rows();
    if u32::try_from(n_rows).is_err() {
        return Err(Error::Table(format!(
            "the table has {n_rows} rows; more than {} cannot be numbered",
            u32::MAX
        )));
    }
    let (star_name, exposure_name) = match shape {
        Shape::Long => ("star", "exposure"),
        Shape::Wide => (wide_star_name(&table), "lmjm"),
    };
    let (stars, star) = named(table.needed(star_name)?)?;
    let (exposures, exposure) = named(table.needed(exposure_name)?)?;
    let (groups, group) = groups(&table, &shape)?;
    let mut columns = Vec::new();
    for source in sources(&table, &shape) {
        columns.push(VelocityColumns::of(&table, source)?);
    }
    let unit = unit_of(&table, &columns);
    let mut notes = match shape {
        Shape::Long => [table.told_parts(&PARTS)?, table.passed_over()].concat(),
        Shape::Wide => Vec::new(),
    };
    let (mut arms, mut observed) = (Vec::new(), Vec::new());
    for columns in &columns {
        arms.push(columns.arm.clone());
        observed.push(columns.observations(&unit, &mut notes)?);
    }
    let place = position::of_rows(&table, &mut notes)?;
    let arm = table.part("arm")?;
    if let (Shape::Long, Some(arm)) = (&shape, arm) {
        (arms, observed) = split_arms(observed.remove(0), arm)?;
    }
    set_lines(&table, &shape, (&arms, &mut observed), &mut notes)?;
    Ok(Input {
        observations: Observations {
            star,
            exposure,
            group,
            place,
            arms: observed,
        },
        stars,
        exposures,
        groups,
        arms,
        star_column: star_name,
        has_own_errors: columns.iter().any(|c| c.own.is_some()),
        has_arms: shape == Shape::Wide || arm.is_some(),
        shape,
        unit,
        notes,
    })
}

/// Puts the lines of each row's star in, where the table has them.
fn set_lines(
    table: &Found<'_>,
    shape: &Shape,
    (names, arms): (&[String], &mut [ArmObservations]),
    notes: &mut Vec<String>,
) -> Result<()> {
    let put = |arm: &mut ArmObservations, lines: &[Option<LineKind>]| {
        let of_rows: Vec<Option<LineKind>> =
            arm.row.iter().map(|row| lines[*row as usize]).collect();
        arm.set_lines(of_rows.into_iter());
    };
    match shape {
        Shape::Long => {
            if let Some(lines) = lines::of_rows(table, "", notes)? {
                arms.iter_mut().for_each(|arm| put(arm, &lines));
            }
        }
        Shape::Wide => {
            for (name, arm) in names.iter().zip(arms) {
                let ending = if is_red(name) { "_r" } else { "_b" };
                if let Some(lines) = lines::of_rows(table, ending, notes)? {
                    put(arm, &lines);
                }
            }
        }
    }
    Ok(())
}

/// The columns that hold velocities, by arm.
fn sources(table: &Found<'_>, shape: &Shape) -> Vec<Source> {
    let of = |arm: &str, rv: String| Source {
        arm: arm.to_owned(),
        err: format!("{rv}_err"),
        own: format!("{rv}_err_own"),
        rv,
    };
    match shape {
        Shape::Long => vec![of("", "rv".to_owned())],
        Shape::Wide => [("red", "drv_r"), ("blue", "drv_b")]
            .iter()
            .filter(|(_, rv)| table.has(rv))
            .map(|(arm, rv)| of(arm, (*rv).to_owned()))
            .collect(),
    }
}

/// Velocities of one arm with their errors.
struct VelocityColumns<'a> {
    arm: String,
    rv: &'a Column,
    err: &'a Column,
    own: Option<&'a Column>,
}

impl<'a> VelocityColumns<'a> {
    fn of(table: &Found<'a>, source: Source) -> Result<Self> {
        Ok(VelocityColumns {
            rv: table.needed(&source.rv)?,
            err: table.needed(&source.err)?,
            own: table.part(&source.own)?,
            arm: source.arm,
        })
    }

    /// The velocities in this unit; what was changed for it is noted.
    fn observations(&self, unit: &str, notes: &mut Vec<String>) -> Result<ArmObservations> {
        // If there are own errors these are not used, but their unit is checked all the same.
        factor(self.err, unit)?;
        let n_rows = self.rv.data.len();
        Ok(ArmObservations {
            leads: is_red(&self.arm),
            row: (0..n_rows as u32).collect(),
            rv: scaled(self.rv, unit, notes)?,
            err: scaled(self.own.unwrap_or(self.err), unit, notes)?,
            lines: Vec::new(),
            flags: vec![CalFlags::empty(); n_rows],
        })
    }
}

/// The values in this unit.
fn scaled(column: &Column, unit: &str, notes: &mut Vec<String>) -> Result<Vec<f64>> {
    let mut values = numbers(column)?;
    let factor = factor(column, unit)?;
    if factor != 1.0 {
        notes.push(format!(
            "column {}: its values in {} were taken in {unit}",
            column.name, column.unit
        ));
        values.iter_mut().for_each(|x| *x *= factor);
    }
    Ok(values)
}

/// Columns that may have other names than those of their parts.
const PARTS: [&str; 7] = [
    "star",
    "exposure",
    "rv",
    "rv_err",
    "rv_err_own",
    "group",
    "arm",
];

/// Unit of all RVs: the one that the user asks for, or that of the first column of RVs or errors that has one. Tables of relrv's own that
/// were written without units are in km/s; of others nothing is taken for granted.
fn unit_of(table: &Found<'_>, columns: &[VelocityColumns<'_>]) -> String {
    if let Some(unit) = &table.roles.unit {
        return unit.trim().to_owned();
    }
    let is_own = |name: &&str| own_flags(table.table, name).is_some();
    let usual = match ["flags", "flags_r", "flags_b"].iter().any(is_own) {
        true => "km/s",
        false => "",
    };
    let rvs = columns.iter().map(|c| c.rv);
    let errors = columns.iter().flat_map(|c| [Some(c.err), c.own]).flatten();
    rvs.chain(errors)
        .map(|column| column.unit.trim())
        .find(|unit| !unit.is_empty())
        .unwrap_or(usual)
        .to_owned()
}

/// What a column's values must be multiplied by to be in `unit`. A column without a unit is in it.
fn factor(column: &Column, unit: &str) -> Result<f64> {
    if column.unit.trim().is_empty() {
        return Ok(1.0);
    }
    units::factor(&column.unit, unit).ok_or_else(|| {
        Error::Table(format!(
            "column {}: expected the unit of the RVs, {unit}, or one like it, found {}",
            column.name, column.unit
        ))
    })
}

/// Catalogues of earlier versions say `source_id`.
fn wide_star_name(table: &Found<'_>) -> &'static str {
    let is_old = !table.has("designation") && table.has("source_id");
    if is_old { "source_id" } else { "designation" }
}

fn has_wide_rv(table: &Found<'_>) -> bool {
    table.has("drv_r") || table.has("drv_b")
}

/// Names and the number of each row's, [`UNNAMED`] where the row has none.
fn named(column: &Column) -> Result<(Names, Vec<u32>)> {
    let (names, mut numbers) = names(column)?;
    if let Some(nameless) = names.names.iter().position(String::is_empty) {
        let nameless = nameless as u32;
        let of_row = numbers.iter_mut().filter(|n| **n == nameless);
        of_row.for_each(|n| *n = UNNAMED);
    }
    Ok((names, numbers))
}

/// Group of each row: plate and spectrograph where the table has no groups but these.
fn groups(table: &Found<'_>, shape: &Shape) -> Result<(Groups, Vec<u32>)> {
    if *shape == Shape::Long
        && let Some(group) = table.part("group")?
    {
        let (names, numbers) = names(group)?;
        return Ok((Groups::Named(names), numbers));
    }
    let has_plates = table.get("planid")?.is_some() && table.get("spid")?.is_some();
    if *shape == Shape::Long && !has_plates {
        return Ok((Groups::None, vec![0; table.table.n_rows()]));
    }
    let plates = name_texts(table.need("planid")?)?;
    let spids = name_texts(table.need("spid")?)?;
    Ok(Groups::of_plates(&plates, &spids))
}

/// Whether the name of an arm says red: the stars that are constant in that arm are those of the other arms too.
pub fn is_red(arm: &str) -> bool {
    arm.eq_ignore_ascii_case("red") || arm.eq_ignore_ascii_case("r")
}

/// One set of observations per value of the arm column, with their names: red first, the others by name.
fn split_arms(
    all: ArmObservations,
    column: &Column,
) -> Result<(Vec<String>, Vec<ArmObservations>)> {
    let (names, of) = names(column)?;
    let empty = |arm: &String| ArmObservations {
        leads: is_red(arm),
        ..ArmObservations::default()
    };
    let mut arms: Vec<ArmObservations> = names.names.iter().map(empty).collect();
    for (i, &a) in of.iter().enumerate() {
        let arm = &mut arms[a as usize];
        arm.row.push(all.row[i]);
        arm.rv.push(all.rv[i]);
        arm.err.push(all.err[i]);
        arm.flags.push(CalFlags::empty());
    }
    let mut named: Vec<(String, ArmObservations)> = names.names.into_iter().zip(arms).collect();
    named.sort_by_key(|(_, arm)| !arm.leads);
    Ok(named.into_iter().unzip())
}
