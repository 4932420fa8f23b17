//! From a table to [`Observations`]: which columns hold what.

use super::names::{Groups, Names};
use crate::calibrate::CalFlags;
use crate::calibrate::observations::{ArmObservations, Observations, UNNAMED};
use crate::table::{Column, ColumnData, Skipped, Table, is_missing, number, units};
use crate::{Error, Result};

/// How a table holds its RVs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One RV per row: columns `star`, `exposure`, `rv`, `rv_err`, optional `rv_err_own`, `group`, `arm`. In the table of
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
    pub layout: Layout,
    /// Column that names the star.
    pub star_column: &'static str,
    /// Unit of the RVs.
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
/// [`Error::Config`] naming the missing column, or the row in which a number was expected.
pub fn observations(table: &Table) -> Result<Input> {
    observations_noting(table, &[])
}

/// The same for a table that could not hold all columns of its file: a needed one among them is named with its type.
///
/// # Errors
/// As [`observations`].
pub fn observations_noting(table: &Table, skipped: &[Skipped]) -> Result<Input> {
    let table = Found { table, skipped };
    let layout = if table.get("rv")?.is_none() && has_wide_rv(&table) {
        Layout::Wide
    } else {
        Layout::Long
    };
    let n_rows = table.table.n_rows();
    if u32::try_from(n_rows).is_err() {
        return Err(Error::Config(format!(
            "the table has {n_rows} rows; more than {} cannot be numbered",
            u32::MAX
        )));
    }
    let (star_name, exposure_name) = match layout {
        Layout::Long if table.get("exposure")?.is_none() && table.get("lmjm")?.is_some() => {
            ("star", "lmjm")
        }
        Layout::Long => ("star", "exposure"),
        Layout::Wide => (wide_star_name(&table), "lmjm"),
    };
    let (stars, star) = named(table.need(star_name)?)?;
    let (exposures, exposure) = named(table.need(exposure_name)?)?;
    let (groups, group) = groups(&table, &layout)?;
    let (has_arms, sources) = match layout {
        Layout::Long => (
            table.get("arm")?.is_some(),
            vec![Source {
                arm: String::new(),
                rv: "rv".into(),
                err: "rv_err".into(),
                own: "rv_err_own".into(),
            }],
        ),
        Layout::Wide => (
            true,
            [("r", "red"), ("b", "blue")]
                .iter()
                .filter(|(x, _)| table.has(&format!("drv_{x}")))
                .map(|(x, arm)| Source {
                    arm: (*arm).into(),
                    rv: format!("drv_{x}"),
                    err: format!("drv_{x}_err"),
                    own: format!("drv_{x}_err_own"),
                })
                .collect(),
        ),
    };
    let mut columns = Vec::new();
    for source in &sources {
        let (rv, err) = (table.need(&source.rv)?, table.need(&source.err)?);
        columns.push((rv, err, table.get(&source.own)?));
    }
    let unit = unit_of(&columns);
    let has_own_errors = columns.iter().any(|(.., own)| own.is_some());
    let mut notes = Vec::new();
    let (mut arm_names, mut arms) = (Vec::new(), Vec::new());
    for (source, (rv, err, own)) in sources.into_iter().zip(columns) {
        let weights = own.unwrap_or(err);
        // The errors that do not count are checked all the same.
        factor(err, &unit)?;
        let mut scaled = |column: &Column| -> Result<Vec<f64>> {
            let mut values = numbers(column)?;
            let factor = factor(column, &unit)?;
            if factor != 1.0 {
                notes.push(format!(
                    "column {}: its values in {} were taken in {unit}",
                    column.name, column.unit
                ));
                values.iter_mut().for_each(|x| *x *= factor);
            }
            Ok(values)
        };
        arm_names.push(source.arm.clone());
        arms.push(ArmObservations {
            leads: is_red(&source.arm),
            row: (0..n_rows as u32).collect(),
            rv: scaled(rv)?,
            err: scaled(weights)?,
            flags: vec![CalFlags::empty(); n_rows],
        });
    }
    if let (Layout::Long, Some(arm)) = (&layout, table.get("arm")?) {
        (arm_names, arms) = split_arms(arms.remove(0), arm)?;
    }
    Ok(Input {
        observations: Observations {
            star,
            exposure,
            group,
            arms,
        },
        stars,
        exposures,
        groups,
        arms: arm_names,
        layout,
        star_column: star_name,
        unit,
        has_own_errors,
        has_arms,
        notes,
    })
}

/// Unit of all RVs: that of the first column of RVs or errors that has one, km/s if none has.
fn unit_of(columns: &[(&Column, &Column, Option<&Column>)]) -> String {
    let rvs = columns.iter().map(|c| c.0);
    let errors = columns.iter().flat_map(|c| [Some(c.1), c.2]).flatten();
    rvs.chain(errors)
        .map(|column| column.unit.trim())
        .find(|unit| !unit.is_empty())
        .unwrap_or("km/s")
        .to_owned()
}

/// What a column's values must be multiplied by to be in `unit`. A column without a unit is in it.
fn factor(column: &Column, unit: &str) -> Result<f64> {
    if column.unit.trim().is_empty() {
        return Ok(1.0);
    }
    units::factor(&column.unit, unit).ok_or_else(|| {
        Error::Config(format!(
            "column {}: expected the unit of the RVs, {unit}, or one like it, found {}",
            column.name, column.unit
        ))
    })
}

/// The columns that were read, and those that could not be.
struct Found<'a> {
    table: &'a Table,
    skipped: &'a [Skipped],
}

impl<'a> Found<'a> {
    /// The column, if there is one. One that is there and could not be read is an error: going on without it would
    /// give other numbers.
    fn get(&self, name: &str) -> Result<Option<&'a Column>> {
        if let Some(column) = self.table.column(name) {
            return Ok(Some(column));
        }
        match self
            .skipped
            .iter()
            .find(|s| s.column.eq_ignore_ascii_case(name))
        {
            Some(skipped) => Err(Error::Config(format!(
                "column {}: {}",
                skipped.column, skipped.reason
            ))),
            None => Ok(None),
        }
    }

    fn has(&self, name: &str) -> bool {
        // Not readable is there: whoever takes it will tell.
        !matches!(self.get(name), Ok(None))
    }

    fn need(&self, name: &str) -> Result<&'a Column> {
        self.get(name)?.ok_or_else(|| {
            let found: Vec<&str> = self.table.columns.iter().map(|c| c.name.as_str()).collect();
            Error::Config(format!(
                "expected a column {name}, found {}; needed are star, exposure, rv, rv_err (optional rv_err_own, \
                 group, arm), or the table that relrv measure writes",
                if found.is_empty() {
                    "no columns".to_owned()
                } else {
                    found.join(", ")
                }
            ))
        })
    }
}

/// Catalogues of earlier versions say `source_id`.
fn wide_star_name(table: &Found<'_>) -> &'static str {
    let is_old = !table.has("designation") && table.has("source_id");
    if is_old { "source_id" } else { "designation" }
}

fn has_wide_rv(table: &Found<'_>) -> bool {
    table.has("drv_r") || table.has("drv_b")
}

/// Names and the number of each row's; the empty name where the row has none.
fn names(column: &Column) -> Result<(Names, Vec<u32>)> {
    // Millions of names that need no change need no copy.
    let is_clean = |v: &String| v.is_empty() || (v.trim() == v && !is_missing(v));
    if let ColumnData::Text(values) = &column.data
        && values.iter().all(is_clean)
    {
        return Ok(Names::new(values));
    }
    let names = name_texts(column)?;
    Ok(Names::new(&names))
}

/// The names that a column holds, empty where there is none. Floats that are whole numbers (pandas makes such of
/// integers when one is missing) are the integers that they were, as far as a float can tell them apart.
fn name_texts(column: &Column) -> Result<Vec<String>> {
    // Beyond 2^53, or 2^24 with 32 bits, neighbouring integers are one float.
    let exact = match &column.data {
        ColumnData::F32(_) => 16_777_216.0,
        _ => 9_007_199_254_740_992.0,
    };
    let of_float = |row: usize, x: f64| {
        if x.abs() >= exact && x.is_finite() {
            return Err(Error::Config(format!(
                "column {}, row {}: expected names as integers or text, found the float {x:e}, which may stand for \
                 several integers",
                column.name,
                row + 1
            )));
        }
        Ok(if x.fract() == 0.0 {
            (x as i64).to_string()
        } else {
            column.text_at(row)
        })
    };
    (0..column.data.len())
        .map(|row| match &column.data {
            ColumnData::F64(v) => of_float(row, v[row]),
            ColumnData::F32(v) => of_float(row, f64::from(v[row])),
            ColumnData::Text(v) if is_missing(&v[row]) => Ok(String::new()),
            ColumnData::Text(v) => Ok(v[row].trim().to_owned()),
            _ => Ok(column.text_at(row)),
        })
        .collect()
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
fn groups(table: &Found<'_>, layout: &Layout) -> Result<(Groups, Vec<u32>)> {
    if *layout == Layout::Long
        && let Some(group) = table.get("group")?
    {
        let (names, numbers) = names(group)?;
        return Ok((Groups::Named(names), numbers));
    }
    let has_plates = table.get("planid")?.is_some() && table.get("spid")?.is_some();
    if *layout == Layout::Long && !has_plates {
        return Ok((Groups::None, vec![0; table.table.n_rows()]));
    }
    let plates = name_texts(table.need("planid")?)?;
    let spids = name_texts(table.need("spid")?)?;
    Ok(Groups::of_plates(&plates, &spids))
}

/// The values as floats, NaN where there is none; the first cell of text that is no number is an error.
fn numbers(column: &Column) -> Result<Vec<f64>> {
    if let Some(values) = column.to_f64() {
        return Ok(values);
    }
    (0..column.data.len())
        .map(|row| {
            let text = column.text_at(row);
            number(&text).ok_or_else(|| {
                Error::Config(format!(
                    "column {}, row {}: expected a number, found {text:?} in a column of {}; numbers would serve",
                    column.name,
                    row + 1,
                    column.data.type_name()
                ))
            })
        })
        .collect()
}

/// The arm's name says red: its constants serve the other arms.
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
