//! From a table to [`Observations`]: which columns hold what.

use super::calibrate::is_red;
use super::observations::{ArmObservations, Names, Observations};
use crate::table::{Column, ColumnData, Table};
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
    /// The observations.
    pub observations: Observations,
    /// How the table holds them.
    pub layout: Layout,
    /// Column that names the star.
    pub star_column: &'static str,
    /// Unit of the RVs.
    pub unit: String,
    /// The weights go by `rv_err_own`.
    pub has_own_errors: bool,
    /// The table has groups.
    pub has_groups: bool,
    /// The table has arms.
    pub has_arms: bool,
}

/// Reads the observations out of a table.
///
/// # Errors
/// [`Error::Config`] naming the missing column, or the row in which a number was expected.
pub fn observations(table: &Table) -> Result<Input> {
    let layout = if table.column("rv").is_none() && has_wide_rv(table) {
        Layout::Wide
    } else {
        Layout::Long
    };
    let n_rows = table.n_rows();
    if u32::try_from(n_rows).is_err() {
        return Err(Error::Config(format!(
            "the table has {n_rows} rows; more than {} cannot be numbered",
            u32::MAX
        )));
    }
    let (star_name, exposure_name) = match layout {
        Layout::Long if table.column("exposure").is_none() && table.column("lmjm").is_some() => {
            ("star", "lmjm")
        }
        Layout::Long => ("star", "exposure"),
        Layout::Wide => (wide_star_name(table), "lmjm"),
    };
    let (stars, star) = names(need(table, star_name)?);
    let (exposures, exposure) = names(need(table, exposure_name)?);
    let (has_groups, (groups, group)) = groups(table, &layout)?;
    let (has_arms, sources) = match layout {
        Layout::Long => (
            table.column("arm").is_some(),
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
                .filter(|(x, _)| table.column(&format!("drv_{x}")).is_some())
                .map(|(x, arm)| Source {
                    arm: (*arm).into(),
                    rv: format!("drv_{x}"),
                    err: format!("drv_{x}_err"),
                    own: format!("drv_{x}_err_own"),
                })
                .collect(),
        ),
    };
    let mut unit = String::new();
    let mut has_own_errors = false;
    let mut arms = Vec::new();
    for source in sources {
        let rv = need(table, &source.rv)?;
        let err = need(table, &source.err)?;
        let own = table.column(&source.own);
        has_own_errors |= own.is_some();
        for other in [Some(err), own].into_iter().flatten() {
            if !other.unit.is_empty() && !rv.unit.is_empty() && other.unit != rv.unit {
                return Err(Error::Config(format!(
                    "column {}: expected the unit of {}, {}, found {}",
                    other.name, rv.name, rv.unit, other.unit
                )));
            }
        }
        if unit.is_empty() {
            unit.clone_from(&rv.unit);
        }
        arms.push(ArmObservations {
            arm: source.arm,
            row: (0..n_rows as u32).collect(),
            rv: numbers(rv)?,
            err: numbers(own.unwrap_or(err))?,
            flags: vec![0; n_rows],
        });
    }
    if let (Layout::Long, Some(arm)) = (&layout, table.column("arm")) {
        arms = split_arms(arms.remove(0), arm);
    }
    if unit.is_empty() {
        "km/s".clone_into(&mut unit);
    }
    Ok(Input {
        observations: Observations {
            stars,
            star,
            exposures,
            exposure,
            groups,
            group,
            arms,
            n_rows,
        },
        layout,
        star_column: star_name,
        unit,
        has_own_errors,
        has_groups,
        has_arms,
    })
}

/// Catalogues of earlier versions say `source_id`.
fn wide_star_name(table: &Table) -> &'static str {
    let is_old = table.column("designation").is_none() && table.column("source_id").is_some();
    if is_old { "source_id" } else { "designation" }
}

fn has_wide_rv(table: &Table) -> bool {
    table.column("drv_r").is_some() || table.column("drv_b").is_some()
}

fn need<'a>(table: &'a Table, name: &str) -> Result<&'a Column> {
    table.column(name).ok_or_else(|| {
        let found: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
        Error::Config(format!(
            "expected a column {name}, found {}; needed are star, exposure, rv, rv_err (optional rv_err_own, group, \
             arm), or the table that relrv measure writes",
            if found.is_empty() {
                "no columns".to_owned()
            } else {
                found.join(", ")
            }
        ))
    })
}

fn names(column: &Column) -> (Names, Vec<u32>) {
    match &column.data {
        ColumnData::Text(values) => {
            if values.iter().all(|v| v.trim() == v) {
                Names::new(values)
            } else {
                Names::new(
                    &values
                        .iter()
                        .map(|v| v.trim().to_owned())
                        .collect::<Vec<_>>(),
                )
            }
        }
        data => Names::new(&(0..data.len()).map(|i| data.text_at(i)).collect::<Vec<_>>()),
    }
}

/// Group of each row: plate and spectrograph where the table has no groups but these.
fn groups(table: &Table, layout: &Layout) -> Result<(bool, (Names, Vec<u32>))> {
    if let (Layout::Long, Some(group)) = (layout, table.column("group")) {
        return Ok((true, names(group)));
    }
    let has_plates = table.column("planid").is_some() && table.column("spid").is_some();
    if *layout == Layout::Long && !has_plates {
        return Ok((false, Names::new(&vec![String::new(); table.n_rows()])));
    }
    let (plate, spid) = (need(table, "planid")?, need(table, "spid")?);
    let both: Vec<String> = (0..table.n_rows())
        .map(|i| {
            format!(
                "{}_sp{:0>2}",
                plate.data.text_at(i).trim(),
                spid.data.text_at(i)
            )
        })
        .collect();
    Ok((true, Names::new(&both)))
}

/// The values as floats; text is parsed, and the first cell that is no number is an error. Empty text is NaN.
fn numbers(column: &Column) -> Result<Vec<f64>> {
    let wrong = |row: usize, found: &str| {
        Error::Config(format!(
            "column {}, row {}: expected a number, found {found:?}",
            column.name,
            row + 1
        ))
    };
    if let Some(values) = column.data.to_f64() {
        return Ok(values);
    }
    (0..column.data.len())
        .map(|row| {
            let text = column.data.text_at(row);
            match text.trim() {
                "" => Ok(f64::NAN),
                text => text.parse().map_err(|_| wrong(row, text)),
            }
        })
        .collect()
}

/// One set of observations per value of the arm column: red first, the others by name.
fn split_arms(all: ArmObservations, column: &Column) -> Vec<ArmObservations> {
    let (arm_names, of) = names(column);
    let mut arms: Vec<ArmObservations> = arm_names
        .names
        .iter()
        .map(|arm| ArmObservations {
            arm: arm.clone(),
            ..ArmObservations::default()
        })
        .collect();
    for (i, &a) in of.iter().enumerate() {
        let arm = &mut arms[a as usize];
        arm.row.push(all.row[i]);
        arm.rv.push(all.rv[i]);
        arm.err.push(all.err[i]);
        arm.flags.push(0);
    }
    arms.sort_by_key(|a| !is_red(&a.arm));
    arms
}
