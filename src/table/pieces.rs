//! Tables that are made some rows at a time, because the whole would take more memory than what it is made of.

use super::{ColumnData, Table};
use crate::{Error, Result};

/// Rows of a piece: bounds what a writer holds, and in Parquet what a reader must hold, at once.
pub const PIECE_ROWS: usize = 1 << 19;

/// A table in pieces. All pieces have the same columns; all but the last have [`PIECE_ROWS`] rows, and there is at least one.
pub trait Pieces {
    /// Rows of all pieces.
    fn n_rows(&self) -> usize;

    /// Calls `take` with one piece after the other, until it fails. The same pieces each time: a writer may go through them more than
    /// once.
    ///
    /// # Errors
    /// Those of `take`.
    fn each(&self, take: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()>;
}

/// A table that is there as a whole is one piece, whatever its length.
impl Pieces for Table {
    fn n_rows(&self) -> usize {
        Table::n_rows(self)
    }

    fn each(&self, take: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()> {
        take(self)
    }
}

/// Rows of which `make` makes a table.
pub struct Rows<'a, R, F> {
    rows: &'a [R],
    make: F,
}

impl<'a, R, F: Fn(&[R]) -> Table> Rows<'a, R, F> {
    /// The rows in pieces.
    pub fn new(rows: &'a [R], make: F) -> Self {
        Rows { rows, make }
    }
}

impl<R, F: Fn(&[R]) -> Table> Pieces for Rows<'_, R, F> {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn each(&self, take: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()> {
        if self.rows.is_empty() {
            return take(&(self.make)(&[]));
        }
        let mut pieces = self.rows.chunks(PIECE_ROWS);
        pieces.try_for_each(|rows| take(&(self.make)(rows)))
    }
}

/// Of each column of all pieces what `of` finds, put together by `join`.
pub(super) fn of_columns<T>(
    pieces: &dyn Pieces,
    of: impl Fn(&super::Column) -> Result<T>,
    join: impl Fn(T, T) -> Result<T>,
) -> Result<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    pieces.each(&mut |table| {
        table.check()?;
        let now = table.columns.iter().map(&of).collect::<Result<Vec<T>>>()?;
        let before = std::mem::take(&mut found);
        found = match before.len() {
            0 => now,
            n if n == now.len() => {
                let both = before.into_iter().zip(now);
                both.map(|(a, b)| join(a, b)).collect::<Result<_>>()?
            }
            n => {
                let what = format!("a piece of a table has {} columns, not {n}", now.len());
                return Err(Error::Table(what));
            }
        };
        Ok(())
    })?;
    Ok(found)
}

/// The whole table.
pub fn whole(pieces: &dyn Pieces) -> Result<Table> {
    let mut whole: Option<Table> = None;
    pieces.each(&mut |table| {
        match &mut whole {
            None => whole = Some(table.clone()),
            Some(whole) => append(whole, table)?,
        }
        Ok(())
    })?;
    let whole = whole.unwrap_or_default();
    whole.check().map(|()| whole)
}

/// Adds a piece's rows.
fn append(whole: &mut Table, piece: &Table) -> Result<()> {
    let n_rows = whole.n_rows();
    for (column, more) in whole.columns.iter_mut().zip(&piece.columns) {
        match (&mut column.data, &more.data) {
            (ColumnData::Text(a), ColumnData::Text(b)) => a.extend_from_slice(b),
            (ColumnData::I64(a), ColumnData::I64(b)) => a.extend_from_slice(b),
            (ColumnData::I32(a), ColumnData::I32(b)) => a.extend_from_slice(b),
            (ColumnData::F64(a), ColumnData::F64(b)) => a.extend_from_slice(b),
            (ColumnData::F32(a), ColumnData::F32(b)) => a.extend_from_slice(b),
            (ColumnData::Bool(a), ColumnData::Bool(b)) => a.extend_from_slice(b),
            _ => {
                let what = format!("column {} is of two types", column.name);
                return Err(Error::Table(what));
            }
        }
        if column.nulls.is_some() || more.nulls.is_some() {
            let nulls = column.nulls.get_or_insert_with(|| vec![false; n_rows]);
            match &more.nulls {
                Some(more) => nulls.extend_from_slice(more),
                None => nulls.resize(n_rows + piece.n_rows(), false),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::whole::Prepared;
    use crate::table::About;
    use std::path::Path;

    fn prepare(pieces: &dyn Pieces, path: &Path) -> Result<Prepared> {
        crate::table::write::prepare(pieces, path, &About::default())
    }

    /// The same rows in pieces of two.
    struct ByTwo(Table);

    impl Pieces for ByTwo {
        fn n_rows(&self) -> usize {
            self.0.n_rows()
        }

        fn each(&self, take: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()> {
            for start in (0..self.n_rows()).step_by(2) {
                let rows = start..(start + 2).min(self.n_rows());
                let mut piece = self.0.clone();
                for column in &mut piece.columns {
                    let rows = rows.clone();
                    column.nulls = column.nulls.as_ref().map(|n| n[rows.clone()].to_vec());
                    column.data = match &column.data {
                        ColumnData::Text(v) => ColumnData::Text(v[rows].to_vec()),
                        ColumnData::I64(v) => ColumnData::I64(v[rows].to_vec()),
                        ColumnData::I32(v) => ColumnData::I32(v[rows].to_vec()),
                        ColumnData::F64(v) => ColumnData::F64(v[rows].to_vec()),
                        ColumnData::F32(v) => ColumnData::F32(v[rows].to_vec()),
                        ColumnData::Bool(v) => ColumnData::Bool(v[rows].to_vec()),
                    };
                }
                take(&piece)?;
            }
            Ok(())
        }
    }

    fn table() -> Table {
        let mut table = Table::new();
        let texts = ["a", "longer", "\u{e9}t\u{e9}", "", "b"];
        table
            .push_text("name", "", "text", texts.map(str::to_owned).to_vec())
            .push_i64("number", "", "64 bits", vec![1, -2, 3, i64::MAX, 0])
            .push_i32("small", "", "32 bits", vec![5, 4, 3, 2, 1])
            .push_f64(
                "value",
                "km/s",
                "floats",
                vec![0.5, f64::NAN, 1e-9, 2.0, -0.0],
            )
            .push_bool("truth", "", "truth", vec![true, false, true, true, false]);
        table
    }

    #[test]
    fn pieces_give_the_bytes_of_the_whole() {
        let dir = tempfile::tempdir().unwrap();
        for ending in ["fits", "csv", "mrt"] {
            let [whole, pieces] = ["whole", "pieces"].map(|name| {
                let dir = dir.path().join(name);
                dir.join(format!("rows.{ending}"))
            });
            table().write(&whole).unwrap();
            prepare(&ByTwo(table()), &pieces)
                .unwrap()
                .persist()
                .unwrap();
            let [whole, pieces] = [whole, pieces].map(|path| std::fs::read(path).unwrap());
            assert!(whole == pieces, "{ending}");
        }
        // Parquet keeps the pieces apart, as row groups.
        let path = dir.path().join("rows.parquet");
        prepare(&ByTwo(table()), &path).unwrap().persist().unwrap();
        assert_eq!(
            format!("{:?}", Table::read(&path).unwrap()),
            format!("{:?}", {
                let whole = dir.path().join("whole.parquet");
                table().write(&whole).unwrap();
                Table::read(&whole).unwrap()
            })
        );
    }

    #[test]
    fn what_does_not_fit_together_is_an_error() {
        struct Odd;
        impl Pieces for Odd {
            fn n_rows(&self) -> usize {
                10
            }

            fn each(&self, take: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()> {
                take(&table())?;
                let mut other = table();
                other.columns.pop();
                take(&other)
            }
        }
        struct Nulls;
        impl Pieces for Nulls {
            fn n_rows(&self) -> usize {
                10
            }

            fn each(&self, take: &mut dyn FnMut(&Table) -> Result<()>) -> Result<()> {
                let mut table = table();
                table.columns[1].nulls = Some(vec![true, false, false, false, false]);
                take(&table)?;
                take(&table)
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let odd = prepare(&Odd, &dir.path().join("a.fits")).unwrap_err();
        assert!(odd.to_string().contains("columns"), "{odd}");
        let nulls = prepare(&Nulls, &dir.path().join("b.fits")).unwrap_err();
        assert!(nulls.to_string().contains("as a whole"), "{nulls}");
    }
}
