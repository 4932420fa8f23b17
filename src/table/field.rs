//! Columns declared once: from rows of a type to a table, and back.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::{Column, ColumnData, Table};
use crate::{Error, Result};

/// Where a row has no value, what stands in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Every row has a value.
    Never,
    /// NaN; an empty cell in text, a null in Parquet.
    Nan,
    /// The empty text.
    Empty,
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
            Cell::I32(..) => "int32",
            Cell::F64(..) => "float64",
            Cell::Bool(..) => "bool",
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
            cell: self.cell,
        }
    }

    /// The column of these rows.
    pub fn column<'r>(&self, rows: impl Iterator<Item = &'r R>) -> Column {
        let data = match self.cell {
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

/// Declares a column that is a field of a row, or of a part of it: type of the column (`f64`, `i64`, `i32`, `bool`, `name` for shared
/// text, `text` for a text of its own), type of the row, field, name of the column, unit, meaning.
macro_rules! field {
    (f64, $($rest:tt)*) => { $crate::table::field_of!(F64, $($rest)*) };
    (i64, $($rest:tt)*) => { $crate::table::field_of!(I64, $($rest)*) };
    (i32, $($rest:tt)*) => { $crate::table::field_of!(I32, $($rest)*) };
    (bool, $($rest:tt)*) => { $crate::table::field_of!(Bool, $($rest)*) };
    (name, $row:ty, $($place:ident).+, $name:expr, $unit:expr, $meaning:expr) => {
        $crate::table::Field::new(
            $name,
            $unit,
            $meaning,
            $crate::table::Cell::Text(
                |row: &$row| std::borrow::Cow::Borrowed(&row.$($place).+),
                |row, text| {
                    row.$($place).+ = text.clone();
                    Ok(())
                },
            ),
        )
    };
    (text, $row:ty, $($place:ident).+, $name:expr, $unit:expr, $meaning:expr) => {
        $crate::table::Field::new(
            $name,
            $unit,
            $meaning,
            $crate::table::Cell::Text(
                |row: &$row| std::borrow::Cow::Borrowed(&row.$($place).+),
                |row, text| {
                    row.$($place).+ = text.to_string();
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

/// Takes rows out of a table's columns. Equal texts share their memory.
#[derive(Debug)]
pub struct FieldReader<'t> {
    table: &'t Table,
    texts: HashSet<Arc<str>>,
    /// Numbers that were larger than can be, and were taken for missing.
    pub n_absurd: usize,
}

impl<'t> FieldReader<'t> {
    /// A reader of this table.
    pub fn new(table: &'t Table) -> Self {
        FieldReader {
            table,
            texts: HashSet::new(),
            n_absurd: 0,
        }
    }

    /// Puts the values of all `fields` into the rows; `part` gives the part of each row that they belong to.
    ///
    /// # Errors
    /// [`Error::Table`] naming the column that is missing, of another type, or has an unknown word.
    pub fn fill<R: 'static, Row>(
        &mut self,
        fields: &[Field<R>],
        rows: &mut [Row],
        part: impl Fn(&mut Row) -> &mut R,
    ) -> Result<()> {
        for field in fields {
            self.fill_one(field, rows, &part)?;
        }
        Ok(())
    }

    fn fill_one<R: 'static, Row>(
        &mut self,
        field: &Field<R>,
        rows: &mut [Row],
        part: &impl Fn(&mut Row) -> &mut R,
    ) -> Result<()> {
        let table = self.table;
        let column = table
            .column(&field.name)
            .ok_or_else(|| Error::Table(format!("expected a column {}, found none", field.name)))?;
        let parts = rows.iter_mut().map(part);
        match field.cell {
            Cell::Text(_, set) => {
                for (row, part) in parts.enumerate() {
                    let text = self.shared(column.text_at(row));
                    set(part, &text).map_err(|expected| {
                        let (name, row) = (&field.name, row + 1);
                        let told = format!(
                            "column {name}, row {row}: expected {expected}, found {text:?}"
                        );
                        Error::Table(told)
                    })?;
                }
            }
            Cell::I64(_, set) => {
                // Integers do not go by way of floats, which cannot tell identities of 19 digits apart.
                if let ColumnData::I64(values) = &column.data {
                    for (part, &x) in parts.zip(values) {
                        let is_absurd = x.unsigned_abs() as f64 > field.largest;
                        self.n_absurd += usize::from(is_absurd);
                        set(part, if is_absurd { 0 } else { x });
                    }
                } else {
                    let values = self.numbers(field, column)?;
                    parts.zip(values).for_each(|(part, x)| set(part, x as i64));
                }
            }
            Cell::I32(_, set) => {
                let values = self.numbers(field, column)?;
                parts.zip(values).for_each(|(part, x)| set(part, x as i32));
            }
            Cell::F64(_, set) => {
                let values = self.numbers(field, column)?;
                parts.zip(values).for_each(|(part, x)| set(part, x));
            }
            Cell::Bool(_, set) => match &column.data {
                ColumnData::Bool(values) => {
                    parts.zip(values).for_each(|(part, x)| set(part, *x));
                }
                // A column of CSV without any row is of no type.
                data if data.is_empty() => {}
                _ => return Err(wrong_type(field, column, "truth values")),
            },
        }
        Ok(())
    }

    /// Numbers, NaN where there is none or one that cannot be.
    fn numbers<R>(&mut self, field: &Field<R>, column: &Column) -> Result<Vec<f64>> {
        let mut values = match &column.data {
            // A column of text without any text is one that has no value.
            ColumnData::Text(texts) if texts.iter().all(String::is_empty) => {
                vec![f64::NAN; texts.len()]
            }
            _ => column
                .to_f64()
                .ok_or_else(|| wrong_type(field, column, "numbers"))?,
        };
        for value in values.iter_mut().filter(|x| x.abs() > field.largest) {
            self.n_absurd += usize::from(value.is_finite());
            *value = f64::NAN;
        }
        Ok(values)
    }

    fn shared(&mut self, text: String) -> Arc<str> {
        if let Some(known) = self.texts.get(text.as_str()) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(new.clone());
        new
    }
}

fn wrong_type<R>(field: &Field<R>, column: &Column, expected: &str) -> Error {
    Error::Table(format!(
        "column {}: expected {expected}, found {}",
        field.name,
        column.data.type_name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Row {
        name: String,
        number: i64,
        speed: f64,
        is_fast: bool,
    }

    const FIELDS: [Field<Row>; 4] = [
        Field::new(
            "name",
            "",
            "its name",
            Cell::Text(
                |r: &Row| Cow::Borrowed(&r.name),
                |r, text| match text.is_empty() {
                    true => Err("a name"),
                    false => {
                        r.name = text.to_string();
                        Ok(())
                    }
                },
            ),
        ),
        Field::new(
            "number",
            "",
            "its number",
            Cell::I64(|r: &Row| r.number, |r, x| r.number = x),
        ),
        Field::new(
            "speed_x",
            "km/s",
            "speed in the {arm} arm",
            Cell::F64(|r: &Row| r.speed, |r, x| r.speed = x),
        )
        .up_to(300.0),
        Field::new(
            "fast",
            "",
            "it is fast",
            Cell::Bool(|r: &Row| r.is_fast, |r, x| r.is_fast = x),
        ),
    ];

    fn row(name: &str, number: i64, speed: f64) -> Row {
        Row {
            name: name.to_owned(),
            number,
            speed,
            is_fast: speed > 1.0,
        }
    }

    fn back(table: &Table) -> Result<(Vec<Row>, usize)> {
        let mut rows = vec![Row::default(); table.n_rows()];
        let mut reader = FieldReader::new(table);
        reader.fill(&FIELDS, &mut rows, |row| row)?;
        Ok((rows, reader.n_absurd))
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let rows = [row("a", i64::MAX, 0.5), row("b", -1, 299.0)];
        let mut table = Table::new();
        table.push_fields(&FIELDS, rows.iter());
        assert_eq!(back(&table).unwrap(), (rows.to_vec(), 0));
        let of_arm = FIELDS[2].of_arm('r', "red");
        assert_eq!(
            (&*of_arm.name, &*of_arm.meaning),
            ("speed_r", "speed in the red arm")
        );
    }

    #[test]
    fn a_table_without_rows_comes_back_from_text() {
        let none: [Row; 0] = [];
        let mut table = Table::new();
        table.push_fields(&FIELDS, none.iter());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none.csv");
        table.write(&path).unwrap();
        assert_eq!(back(&Table::read(&path).unwrap()).unwrap(), (vec![], 0));
    }

    #[test]
    fn what_cannot_be_is_missing_or_an_error() {
        let mut table = Table::new();
        table.push_fields(&FIELDS, [row("a", 1, 1e9)].iter());
        let (rows, n_absurd) = back(&table).unwrap();
        assert!(rows[0].speed.is_nan() && n_absurd == 1);
        let error = |change: fn(&mut Table)| {
            let mut other = table.clone();
            change(&mut other);
            back(&other).unwrap_err().to_string()
        };
        let missing = error(|t| t.columns.truncate(2));
        assert!(missing.contains("expected a column speed_x"), "{missing}");
        let kind = error(|t| t.columns[3].data = ColumnData::I64(vec![1]));
        assert!(kind.contains("fast: expected truth values"), "{kind}");
        let word = error(|t| t.columns[0].data = ColumnData::Text(vec![String::new()]));
        assert!(word.contains("row 1: expected a name"), "{word}");
    }
}
