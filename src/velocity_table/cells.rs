//! Columns of somebody's table, and their cells as names and numbers.

use super::names::Names;
use super::roles::Roles;
use crate::table::{Column, ColumnData, Skipped, Table, is_missing, number};
use crate::text::nearest::nearest;
use crate::{Error, Result};

/// Columns that have a meaning in a table with one velocity a row.
const KNOWN: [&str; 9] = [
    "star",
    "exposure",
    "rv",
    "rv_err",
    "rv_err_own",
    "group",
    "arm",
    "position",
    "never_constant",
];

/// Those of them that a table need not have, and that are long enough to be mistyped.
const OPTIONAL: [&str; 4] = ["rv_err_own", "group", "position", "never_constant"];

/// The columns that were read, and those that could not be.
pub(super) struct Found<'a> {
    pub table: &'a Table,
    pub skipped: &'a [Skipped],
    pub roles: &'a Roles,
}

impl<'a> Found<'a> {
    /// The column, if there is one. One that is there and could not be read is an error: going on without it would
    /// give other numbers.
    pub fn get(&self, name: &str) -> Result<Option<&'a Column>> {
        if let Some(column) = self.table.column(name) {
            return Ok(Some(column));
        }
        match self
            .skipped
            .iter()
            .find(|s| s.column.eq_ignore_ascii_case(name))
        {
            Some(skipped) => Err(Error::Table(format!(
                "column {}: {}",
                skipped.column, skipped.reason
            ))),
            None => Ok(None),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        // A column that is there and could not be read counts as there: whoever takes it will report the error.
        !matches!(self.get(name), Ok(None))
    }

    /// Columns whose names are nearly those of columns that a table need not have: somebody may have mistyped them, and without a word
    /// they would be passed over.
    pub fn passed_over(&self) -> Vec<String> {
        let names = self.table.columns.iter().map(|c| c.name.as_str());
        let is_taken = |name: &str| {
            let taken = KNOWN.iter().filter_map(|part| self.part(part).ok()?);
            taken.into_iter().any(|column| column.name == name)
        };
        let others: Vec<&str> = names.filter(|name| !is_taken(name)).collect();
        OPTIONAL
            .into_iter()
            .filter(|name| matches!(self.part(name), Ok(None)))
            .filter_map(|name| Some((name, nearest(name, others.iter().copied())?)))
            .map(|(name, near)| {
                format!("column {near}: not used; if it is meant for {name}, it must be named so")
            })
            .collect()
    }

    pub fn need(&self, name: &str) -> Result<&'a Column> {
        self.get(name)?.ok_or_else(|| {
            let found: Vec<&str> = self.table.columns.iter().map(|c| c.name.as_str()).collect();
            // Not a column that is wanted for itself.
            let others = found.iter().filter(|name| !KNOWN.contains(name));
            let meant = nearest(name, others.copied()).map_or(String::new(), |near| {
                format!(" (if {near} is meant, it must be named {name})")
            });
            Error::Table(format!(
                "expected a column {name}, found {}{meant}; needed are star, exposure, rv, rv_err (optional rv_err_own, \
                 group, arm, position), or the table that relrv measure writes; columns of other names are told with --star, \
                 --exposure, --rv and --rv-err",
                self.all_names()
            ))
        })
    }

    /// The names of all columns.
    pub fn all_names(&self) -> String {
        let found: Vec<&str> = self.table.columns.iter().map(|c| c.name.as_str()).collect();
        match found.is_empty() {
            true => "no columns".to_owned(),
            false => found.join(", "),
        }
    }
}

/// Names and the number of each row's; the empty name where the row has none.
pub(super) fn names(column: &Column) -> Result<(Names, Vec<u32>)> {
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
pub(super) fn name_texts(column: &Column) -> Result<Vec<String>> {
    // Beyond 2^53, or 2^24 with 32 bits, neighbouring integers are one float.
    let exact = match &column.data {
        ColumnData::F32(_) => 16_777_216.0,
        _ => 9_007_199_254_740_992.0,
    };
    let of_float = |row: usize, x: f64| {
        if x.abs() >= exact && x.is_finite() {
            return Err(Error::Table(format!(
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

/// The values as floats, NaN where there is none; the first cell of text that is no number is an error.
pub(super) fn numbers(column: &Column) -> Result<Vec<f64>> {
    if let Some(values) = column.to_f64() {
        return Ok(values);
    }
    (0..column.data.len())
        .map(|row| {
            let text = column.text_at(row);
            number(&text).ok_or_else(|| {
                Error::Table(format!(
                    "column {}, row {}: expected a number, found {text:?} in a column of {}; numbers would serve",
                    column.name,
                    row + 1,
                    column.data.type_name()
                ))
            })
        })
        .collect()
}
