//! Columns declared once, and the table of rows of a type. [`super::field_reader`] goes the other way.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Column, ColumnData, Table};

/// Where a row has no value, what stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Every row has a value.
    Never,
    /// NaN; an empty cell in text, a null in Parquet.
    Nan,
    /// The empty text.
    Empty,
    /// No value: an empty cell in text, a null in Parquet, `TNULLn` in FITS.
    Null,
}

/// A column of a product: what a user is told of it, and how it is taken from a row and put back.
#[derive(Debug)]
pub struct Field<R: 'static> {
    /// Name of the column. `_x` stands for the arm in columns that each arm has: see [`Field::of_arm`].
    pub name: Cow<'static, str>,
    /// Unit in the FITS standard's spelling, empty for none.
    pub unit: &'static str,
    /// What kind of quantity it is, in the words of the Virtual Observatory (UCD1+ 1.5), empty where they have none.
    pub ucd: &'static str,
    /// One line on what it is: it stands in the files.
    pub meaning: Cow<'static, str>,
    /// What the page of all columns says of it, in Markdown, where that is more than the one line.
    pub page: &'static str,
    /// What stands where a row has no value.
    pub missing: Missing,
    /// Largest size of a number that can be; larger ones in a file are no values.
    pub largest: f64,
    /// Tables of earlier versions do not have it: where it is not there, no row has a value.
    pub is_late: bool,
    /// How the value is taken from a row, and put into one.
    pub cell: Cell<R>,
}

/// Type of a column, with the way out of a row and into one.
pub enum Cell<R: 'static> {
    /// Text. Putting it back fails where the text is none of the expected words, which the error names.
    Text(
        fn(&R) -> Cow<'_, str>,
        fn(&mut R, &Arc<str>) -> std::result::Result<(), &'static str>,
    ),
    /// 64-bit integers.
    I64(fn(&R) -> i64, fn(&mut R, i64)),
    /// 32-bit integers.
    I32(fn(&R) -> i32, fn(&mut R, i32)),
    /// 64-bit floats.
    F64(fn(&R) -> f64, fn(&mut R, f64)),
    /// Truth values.
    Bool(fn(&R) -> bool, fn(&mut R, bool)),
    /// 32-bit integers that may be missing. They are written alone: no row is made from them.
    Count(fn(&R) -> Option<i32>),
    /// Truth values that may be missing.
    Verdict(fn(&R) -> Option<bool>, fn(&mut R, Option<bool>)),
}

// Not derived, because `derive` would demand that the rows `R` can be cloned.
impl<R> Clone for Cell<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Cell<R> {}

impl<R> std::fmt::Debug for Cell<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_name())
    }
}

impl<R> Cell<R> {
    /// Word for the type, as the page of all columns has it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Cell::Text(..) => "text",
            Cell::I64(..) => "int64",
            Cell::I32(..) | Cell::Count(..) => "int32",
            Cell::F64(..) => "float64",
            Cell::Bool(..) | Cell::Verdict(..) => "bool",
        }
    }
}

impl<R> Field<R> {
    /// A column with this name, unit and meaning, of numbers of any size.
    pub const fn new(
        name: &'static str,
        unit: &'static str,
        meaning: &'static str,
        cell: Cell<R>,
    ) -> Self {
        let missing = match cell {
            Cell::F64(..) => Missing::Nan,
            Cell::Verdict(..) | Cell::Count(..) => Missing::Null,
            _ => Missing::Never,
        };
        Field {
            name: Cow::Borrowed(name),
            unit,
            ucd: "",
            meaning: Cow::Borrowed(meaning),
            page: "",
            missing,
            largest: f64::INFINITY,
            is_late: false,
            cell,
        }
    }

    /// The same with its UCD.
    pub const fn ucd(mut self, ucd: &'static str) -> Self {
        self.ucd = ucd;
        self
    }

    /// The same, with what the page of all columns says.
    pub const fn page(mut self, page: &'static str) -> Self {
        self.page = page;
        self
    }

    /// The row of the page of all columns.
    pub fn page_row(&self) -> String {
        let text = match self.page {
            "" => &*self.meaning,
            page => page,
        };
        let unit = match self.unit {
            "" => String::new(),
            unit => format!("{unit} "),
        };
        let (name, kind) = (&self.name, self.cell.type_name());
        format!("| `{name}` | {kind} | {unit}| {text} |")
    }

    /// The same, with no number larger than this.
    pub const fn up_to(mut self, largest: f64) -> Self {
        self.largest = largest;
        self
    }

    /// The same for a column that tables of earlier versions do not have.
    pub const fn late(mut self) -> Self {
        self.is_late = true;
        self
    }

    /// The same with a value in every row.
    pub const fn never_missing(mut self) -> Self {
        self.missing = Missing::Never;
        self
    }

    /// The same for text that is empty where there is none.
    pub const fn may_be_empty(mut self) -> Self {
        self.missing = Missing::Empty;
        self
    }

    /// The column of one arm: `_x` becomes the arm's letter in name and meaning, `{arm}` its name.
    pub fn of_arm(&self, letter: char, arm: &str) -> Self {
        let text = |text: &str| {
            let text = text.replace("_x", &format!("_{letter}"));
            Cow::Owned(text.replace("{arm}", arm))
        };
        Field {
            name: text(&self.name),
            meaning: text(&self.meaning),
            unit: self.unit,
            ucd: self.ucd,
            page: self.page,
            missing: self.missing,
            largest: self.largest,
            is_late: self.is_late,
            cell: self.cell,
        }
    }

    /// The column of these rows.
    pub fn column<'r>(&self, rows: impl Iterator<Item = &'r R>) -> Column {
        let data = match self.cell {
            Cell::Verdict(get, _) => {
                return Column {
                    ucd: self.ucd.to_owned(),
                    ..Column::of_verdicts(&self.name, &self.meaning, rows.map(get))
                };
            }
            Cell::Count(get) => {
                return Column {
                    ucd: self.ucd.to_owned(),
                    ..Column::of_counts(&self.name, self.unit, &self.meaning, rows.map(get))
                };
            }
            Cell::Text(get, _) => ColumnData::Text(rows.map(|r| get(r).into_owned()).collect()),
            Cell::I64(get, _) => ColumnData::I64(rows.map(get).collect()),
            Cell::I32(get, _) => ColumnData::I32(rows.map(get).collect()),
            Cell::F64(get, _) => ColumnData::F64(rows.map(get).collect()),
            Cell::Bool(get, _) => ColumnData::Bool(rows.map(get).collect()),
        };
        Column {
            ucd: self.ucd.to_owned(),
            ..Column::new(&self.name, self.unit, &self.meaning, data)
        }
    }
}

/// Declares a column that is a field of a row, or of a part of it: type of the column (`f64`, `i64`, `i32`, `bool`, `verdict` for truth values that may be missing, `name` for shared
/// text, `text` for a text of its own), type of the row, field, name of the column, unit, meaning.
macro_rules! field {
    (f64, $($rest:tt)*) => { $crate::table::field_of!(F64, $($rest)*) };
    (i64, $($rest:tt)*) => { $crate::table::field_of!(I64, $($rest)*) };
    (i32, $($rest:tt)*) => { $crate::table::field_of!(I32, $($rest)*) };
    (bool, $($rest:tt)*) => { $crate::table::field_of!(Bool, $($rest)*) };
    (verdict, $($rest:tt)*) => { $crate::table::field_of!(Verdict, $($rest)*) };
    (name, $($rest:tt)*) => { $crate::table::field!(@text clone, $($rest)*) };
    (text, $($rest:tt)*) => { $crate::table::field!(@text to_string, $($rest)*) };
    (@text $own:ident, $row:ty, $($place:ident).+, $name:expr, $unit:expr, $meaning:expr) => {
        $crate::table::Field::new(
            $name,
            $unit,
            $meaning,
            $crate::table::Cell::Text(
                |row: &$row| std::borrow::Cow::Borrowed(&row.$($place).+),
                |row, text| {
                    row.$($place).+ = text.$own();
                    Ok(())
                },
            ),
        )
    };
}

/// A column of values that are copied; see `field`.
macro_rules! field_of {
    ($cell:ident, $row:ty, $($place:ident).+, $name:expr, $unit:expr, $meaning:expr) => {
        $crate::table::Field::new(
            $name,
            $unit,
            $meaning,
            $crate::table::Cell::$cell(
                |row: &$row| row.$($place).+,
                |row, x| row.$($place).+ = x,
            ),
        )
    };
}

pub(crate) use {field, field_of};

impl Table {
    /// Adds the columns of these rows.
    pub fn push_fields<'r, R: 'static>(
        &mut self,
        fields: &[Field<R>],
        rows: impl Iterator<Item = &'r R> + Clone,
    ) -> &mut Self {
        let columns = fields.iter().map(|field| field.column(rows.clone()));
        self.columns.extend(columns);
        self
    }
}
