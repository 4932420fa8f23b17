//! From a table back to the rows of a type, by the declarations of their columns.

use std::collections::HashSet;
use std::sync::Arc;

use super::field::{Cell, Field};
use super::{Column, ColumnData, Table};
use crate::{Error, Result};

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
        let parts = rows.iter_mut().map(part);
        let Some(column) = table.column(&field.name) else {
            if field.is_late {
                absent(field, parts);
                return Ok(());
            }
            let told = format!("expected a column {}, found none", field.name);
            return Err(Error::Table(told));
        };
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
            Cell::Count(_) => {}
            Cell::Verdict(_, set) => {
                let verdicts =
                    verdicts(column).ok_or_else(|| wrong_type(field, column, "truth values"))?;
                parts.zip(verdicts).for_each(|(part, x)| set(part, x));
            }
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

/// Puts no value into the rows of a table without this column, where the column's type has a way to say so.
fn absent<'r, R: 'static>(field: &Field<R>, parts: impl Iterator<Item = &'r mut R>) {
    match field.cell {
        Cell::F64(_, set) => parts.for_each(|part| set(part, f64::NAN)),
        Cell::Verdict(_, set) => parts.for_each(|part| set(part, None)),
        // The rows are as they were made.
        Cell::Text(..) | Cell::I64(..) | Cell::I32(..) | Cell::Count(_) | Cell::Bool(..) => {}
    }
}

/// Truth values that may be missing: as such, or as the integers 1 and 0 that FITS has in their place. None for another type.
fn verdicts(column: &Column) -> Option<Vec<Option<bool>>> {
    let n = column.data.len();
    let of = |is_true: &dyn Fn(usize) -> bool| {
        let value = |row: usize| (!column.is_null(row)).then(|| is_true(row));
        Some((0..n).map(value).collect())
    };
    match &column.data {
        ColumnData::Bool(v) => of(&|row| v[row]),
        ColumnData::I32(v) => of(&|row| v[row] != 0),
        ColumnData::I64(v) => of(&|row| v[row] != 0),
        // As CSV gives a column without any value.
        _ if (0..n).all(|row| column.text_at(row).is_empty()) => Some(vec![None; n]),
        _ => None,
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
    use std::borrow::Cow;

    use super::*;

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Row {
        name: String,
        number: i64,
        speed: f64,
        is_fast: bool,
        is_good: Option<bool>,
    }

    const FIELDS: [Field<Row>; 5] = [
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
        Field::new(
            "good",
            "",
            "it is good",
            Cell::Verdict(|r: &Row| r.is_good, |r, x| r.is_good = x),
        )
        .late(),
    ];

    fn row(name: &str, number: i64, speed: f64) -> Row {
        Row {
            name: name.to_owned(),
            number,
            speed,
            is_fast: speed > 1.0,
            is_good: None,
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
    fn verdicts_may_be_missing_in_every_format() {
        let verdicts = [Some(true), None, Some(false)];
        for shown in [&verdicts[..], &verdicts[1..2], &[Some(true), Some(false)]] {
            let of = |good: &Option<bool>| Row {
                is_good: *good,
                ..row("a", 1, 0.5)
            };
            let rows: Vec<Row> = shown.iter().map(of).collect();
            let mut table = Table::new();
            table.push_fields(&FIELDS, rows.iter());
            let dir = tempfile::tempdir().unwrap();
            for ending in ["csv", "parquet", "fits"] {
                let path = dir.path().join(format!("rows.{ending}"));
                table.write(&path).unwrap();
                let read = Table::read(&path).unwrap();
                assert_eq!(back(&read).unwrap().0, rows, "{ending} {shown:?}");
            }
            // Of a table that was written before the column was.
            table.columns.pop();
            assert!(back(&table).unwrap().0.iter().all(|r| r.is_good.is_none()));
        }
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
        let verdict = error(|t| {
            t.columns[4].data = ColumnData::Text(vec!["yes".to_owned()]);
            t.columns[4].nulls = None;
        });
        assert!(verdict.contains("good: expected truth values"), "{verdict}");
        let kind = error(|t| t.columns[3].data = ColumnData::I64(vec![1]));
        assert!(kind.contains("fast: expected truth values"), "{kind}");
        let word = error(|t| t.columns[0].data = ColumnData::Text(vec![String::new()]));
        assert!(word.contains("row 1: expected a name"), "{word}");
    }
}
