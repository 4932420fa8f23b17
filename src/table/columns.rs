//! Columns of values, and the table that they make.

use super::width::Width;
use super::words::float_text;
use crate::{Error, Result};

/// A column's values, one for each row. Text is UTF-8. A missing float is NaN; which other values are missing is told by
/// [`Column::nulls`], and in their place stands the empty text, 0 or false.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Text.
    Text(Vec<String>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 32-bit floats.
    F32(Vec<f32>),
    /// Truth values.
    Bool(Vec<bool>),
}

impl ColumnData {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            ColumnData::Text(v) => v.len(),
            ColumnData::I64(v) => v.len(),
            ColumnData::I32(v) => v.len(),
            ColumnData::F64(v) => v.len(),
            ColumnData::F32(v) => v.len(),
            ColumnData::Bool(v) => v.len(),
        }
    }

    /// True without values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Word for the type, for error texts.
    pub fn type_name(&self) -> &'static str {
        match self {
            ColumnData::Text(_) => "text",
            ColumnData::I64(_) => "64-bit integers",
            ColumnData::I32(_) => "32-bit integers",
            ColumnData::F64(_) => "64-bit floats",
            ColumnData::F32(_) => "32-bit floats",
            ColumnData::Bool(_) => "truth values",
        }
    }

    /// The values as 64-bit floats, missing or not; None for text and truth values. Integers beyond 2^53 are rounded.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        match self {
            ColumnData::F64(v) => Some(v.clone()),
            ColumnData::F32(v) => Some(v.iter().map(|&x| f64::from(x)).collect()),
            ColumnData::I64(v) => Some(v.iter().map(|&x| x as f64).collect()),
            ColumnData::I32(v) => Some(v.iter().map(|&x| f64::from(x)).collect()),
            ColumnData::Text(_) | ColumnData::Bool(_) => None,
        }
    }

    /// One value as text, missing or not: as it is written to CSV, with the empty text for NaN.
    pub fn text_at(&self, row: usize) -> String {
        match self {
            ColumnData::Text(v) => v[row].clone(),
            ColumnData::I64(v) => v[row].to_string(),
            ColumnData::I32(v) => v[row].to_string(),
            ColumnData::F64(v) => float_text(v[row]),
            ColumnData::F32(v) => float_text(v[row]),
            ColumnData::Bool(v) => v[row].to_string(),
        }
    }
}

/// A named column with its unit (FITS standard, empty for none) and meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Unit in the FITS standard's spelling (`km/s`, `deg`, `d`), empty for none.
    pub unit: String,
    /// One line on what it is.
    pub meaning: String,
    /// What kind of quantity it is, in the words of the Virtual Observatory (UCD1+), empty where it has none. FITS and Parquet tell it.
    pub ucd: String,
    /// Values.
    pub data: ColumnData,
    /// True for rows without a value, one mark for each row; None where every row has a value. Columns of floats have no marks: there NaN
    /// means that there is no value.
    pub nulls: Option<Vec<bool>>,
    /// Width in which integers are written, where it is not that of `data`: that which they had in the file they were read from. Truth
    /// values that have one are written to FITS as integers of it, 1 and 0; see [`Column::of_verdicts`]. None for other columns.
    pub width: Option<Width>,
}

impl Column {
    /// A column with a value in every row (or NaN).
    pub fn new(name: &str, unit: &str, meaning: &str, data: ColumnData) -> Self {
        Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
            meaning: meaning.to_owned(),
            ucd: String::new(),
            data,
            nulls: None,
            width: None,
        }
    }

    /// Truth values that may be missing. FITS has a null for truth values, but readers such as astropy take it for false; so these
    /// are integers there, whose null every reader knows.
    pub fn of_verdicts(
        name: &str,
        meaning: &str,
        verdicts: impl Iterator<Item = Option<bool>>,
    ) -> Self {
        let verdicts: Vec<Option<bool>> = verdicts.collect();
        let values = verdicts.iter().map(|v| v.unwrap_or(false)).collect();
        let has_null = verdicts.contains(&None);
        Column {
            nulls: has_null.then(|| verdicts.iter().map(Option::is_none).collect()),
            width: Some(Width::I16),
            ..Column::new(name, "", meaning, ColumnData::Bool(values))
        }
    }

    /// Whole numbers that may be missing.
    pub fn of_counts(
        name: &str,
        unit: &str,
        meaning: &str,
        counts: impl Iterator<Item = Option<i32>>,
    ) -> Self {
        let counts: Vec<Option<i32>> = counts.collect();
        let values = counts.iter().map(|n| n.unwrap_or(0)).collect();
        let has_null = counts.contains(&None);
        Column {
            nulls: has_null.then(|| counts.iter().map(Option::is_none).collect()),
            ..Column::new(name, unit, meaning, ColumnData::I32(values))
        }
    }

    /// The same with the width, if these are integers.
    pub(super) fn with_width(mut self, width: Option<Width>) -> Self {
        let is_integer = matches!(self.data, ColumnData::I32(_) | ColumnData::I64(_));
        self.width = width.filter(|_| is_integer);
        self
    }

    /// Takes the value from the rows that are marked.
    pub(super) fn mask(&mut self, marks: &[bool]) {
        let marked = || {
            marks
                .iter()
                .enumerate()
                .filter(|(_, is_marked)| **is_marked)
        };
        match &mut self.data {
            ColumnData::F64(v) => return marked().for_each(|(row, _)| v[row] = f64::NAN),
            ColumnData::F32(v) => return marked().for_each(|(row, _)| v[row] = f32::NAN),
            ColumnData::Text(v) => marked().for_each(|(row, _)| v[row].clear()),
            ColumnData::I64(v) => marked().for_each(|(row, _)| v[row] = 0),
            ColumnData::I32(v) => marked().for_each(|(row, _)| v[row] = 0),
            ColumnData::Bool(v) => marked().for_each(|(row, _)| v[row] = false),
        }
        if marks.contains(&true) {
            let nulls = self.nulls.get_or_insert_with(|| vec![false; marks.len()]);
            marked().for_each(|(row, _)| nulls[row] = true);
        }
    }

    /// The width in which integers are to be written, if it holds all of them.
    pub(super) fn kept_width(&self) -> Option<Width> {
        let width = self.width?;
        let holds = |row: usize, x: i64| self.is_null(row) || width.holds(x);
        let all = match &self.data {
            ColumnData::I32(v) => (v.iter().enumerate()).all(|(row, &x)| holds(row, x.into())),
            ColumnData::I64(v) => v.iter().enumerate().all(|(row, &x)| holds(row, x)),
            _ => false,
        };
        all.then_some(width)
    }

    /// True where the row has no value; a NaN is one.
    pub fn is_null(&self, row: usize) -> bool {
        match &self.data {
            ColumnData::F64(v) => v[row].is_nan(),
            ColumnData::F32(v) => v[row].is_nan(),
            _ => self.nulls.as_ref().is_some_and(|nulls| nulls[row]),
        }
    }

    /// One value as text: as it is written to CSV, with the empty text where there is none.
    pub fn text_at(&self, row: usize) -> String {
        if self.is_null(row) {
            String::new()
        } else {
            self.data.text_at(row)
        }
    }

    /// The values as 64-bit floats, NaN where there is none; None for text and truth values. Integers beyond 2^53 are
    /// rounded.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        let mut values = self.data.to_f64()?;
        if let Some(nulls) = &self.nulls {
            for (value, is_null) in values.iter_mut().zip(nulls) {
                if *is_null {
                    *value = f64::NAN;
                }
            }
        }
        Some(values)
    }
}

/// `name`, with `_2`, `_3`, ... if it is taken.
pub(crate) fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(name) {
        return name.to_owned();
    }
    // The search ends, because the table has only so many names.
    (2_u64..)
        .map(|n| format!("{name}_{n}"))
        .find(|name| !is_taken(name))
        .unwrap_or_default()
}

/// A column of dates (Julian, days): by which clock, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeColumn {
    /// Name of the column.
    pub column: &'static str,
    /// Time scale as FITS writes it: `UTC`, `TDB`.
    pub scale: &'static str,
    /// Reference position as FITS writes it: `HELIOCENTER`, `BARYCENTER`.
    pub position: &'static str,
}

/// A table: columns of equal length, each with a name, a unit and a meaning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Columns in order.
    pub columns: Vec<Column>,
    /// What is known of those that are dates; written to FITS headers, and not read back.
    pub times: Vec<TimeColumn>,
}

macro_rules! pushers {
    ($($(#[$doc:meta])* $name:ident: $variant:ident($t:ty);)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self, name: &str, unit: &str, meaning: &str, values: Vec<$t>) -> &mut Self {
            self.push(name, unit, meaning, ColumnData::$variant(values))
        }
    )*};
}

impl Table {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of rows: the length of the first column, 0 without columns.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.data.len())
    }

    /// The column of that name, letter case ignored when no name matches exactly.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name).or_else(|| {
            self.columns
                .iter()
                .find(|c| c.name.eq_ignore_ascii_case(name))
        })
    }

    /// Adds a column at the end. Lengths and names are checked by [`Table::check`], which writing calls.
    pub fn push(&mut self, name: &str, unit: &str, meaning: &str, data: ColumnData) -> &mut Self {
        self.columns.push(Column::new(name, unit, meaning, data));
        self
    }

    pushers! {
        /// Adds a column of text.
        push_text: Text(String);
        /// Adds a column of 64-bit integers.
        push_i64: I64(i64);
        /// Adds a column of 32-bit integers.
        push_i32: I32(i32);
        /// Adds a column of 64-bit floats, NaN where there is no value.
        push_f64: F64(f64);
        /// Adds a column of 32-bit floats, NaN where there is no value.
        push_f32: F32(f32);
        /// Adds a column of truth values.
        push_bool: Bool(bool);
    }

    /// Adds a column behind the one of this name, at the end if there is none.
    pub fn insert_after(&mut self, name: &str, column: Column) {
        let place = self.columns.iter().position(|c| c.name == name);
        let place = place.map_or(self.columns.len(), |i| i + 1);
        self.columns.insert(place, column);
    }

    /// Checks that all columns have the same length and that no name is empty or comes twice
    /// (FITS ignores letter case, so two names that differ in case only are the same).
    ///
    /// # Errors
    /// [`Error::Table`](crate::Error::Table) naming the column.
    pub fn check(&self) -> Result<()> {
        let n_rows = self.n_rows();
        let mut seen = std::collections::HashSet::new();
        for column in &self.columns {
            if column.data.len() != n_rows {
                return Err(Error::Table(format!(
                    "column {}: expected {n_rows} rows like the first column, found {}",
                    column.name,
                    column.data.len()
                )));
            }
            if column.nulls.as_ref().is_some_and(|n| n.len() != n_rows) {
                return Err(Error::Table(format!(
                    "column {}: expected a null mark for each of {n_rows} rows",
                    column.name
                )));
            }
            if column.name.trim().is_empty() {
                return Err(Error::Table("a column has no name".to_owned()));
            }
            if !seen.insert(column.name.to_ascii_lowercase()) {
                return Err(Error::Table(format!(
                    "column {} comes twice (letter case does not count)",
                    column.name
                )));
            }
        }
        Ok(())
    }
}
