//! A thousand tables with everything that a cell can hold, through every format and back.

use super::*;
use crate::fits::escape::restore;

/// How a format is written.
type Writer = fn(&dyn Pieces, &Path, &mut (dyn std::io::Write + Send)) -> Result<()>;

/// Values and null marks; without a null there are no marks.
fn with_nulls<T: Clone + Default>(
    values: Vec<Option<T>>,
    data: fn(Vec<T>) -> ColumnData,
) -> (ColumnData, Option<Vec<bool>>) {
    let nulls: Vec<bool> = values.iter().map(Option::is_none).collect();
    let any = nulls.contains(&true);
    let values = values.into_iter().map(Option::unwrap_or_default).collect();
    (data(values), any.then_some(nulls))
}

/// Some in three of four cases; the ends of the range are as likely as all between them.
fn maybe<T: std::fmt::Debug + Clone + 'static>(
    any: impl Strategy<Value = T> + 'static,
    ends: Vec<T>,
) -> impl Strategy<Value = Option<T>> {
    let value = prop_oneof![3 => any, 1 => prop::sample::select(ends)];
    prop::option::of(value)
}

/// Integers of other widths, within their range, with nulls.
fn narrow(width: Width, values: &[Option<i64>]) -> Column {
    let (bits, is_signed) = width.bits();
    // Down to the bits that it has; of the widest the half that a table holds.
    let fit = |x: i64| match (bits, is_signed) {
        (64, _) => x & i64::MAX,
        (bits, true) => x << (64 - bits) >> (64 - bits),
        (bits, false) => x & ((1 << bits) - 1),
    };
    let values = values.iter().map(|x| x.map(fit));
    let (data, nulls) = if bits < 32 {
        with_nulls(
            values.map(|x| x.map(|x| x as i32)).collect(),
            ColumnData::I32,
        )
    } else {
        with_nulls(values.collect(), ColumnData::I64)
    };
    let mut column = Column::new(&format!("{width:?}"), "", "", data);
    column.nulls = nulls;
    column.with_width(Some(width))
}

/// Not every width can be one in FITS: see `Width::in_fits` and `Stored::of`.
fn width_in_fits(column: &Column) -> Option<Width> {
    match column.width? {
        Width::I8 => Some(Width::I16),
        Width::U16 | Width::U32 | Width::U64 if column.nulls.is_some() => None,
        width => Some(width),
    }
}

fn any_table() -> impl Strategy<Value = Table> {
    (0_usize..25).prop_flat_map(|n| {
        // Trailing blanks are not significant in FITS. The letter keeps CSV from taking a number for one.
        let text = "t\\PC{0,9}".prop_map(|t| t.trim_end().to_owned());
        let i64s = maybe(any::<i64>(), vec![i64::MIN, i64::MIN + 1, -1, i64::MAX]);
        let i32s = maybe(any::<i32>(), vec![i32::MIN, i32::MIN + 1, 0, i32::MAX]);
        (
            prop::collection::vec(prop::option::of(text), n),
            prop::collection::vec(i64s, n),
            prop::collection::vec(i32s, n),
            prop::collection::vec(any::<Option<bool>>(), n),
            prop::collection::vec(prop_oneof![3 => -1e6_f32..1e6, 1 => Just(f32::NAN)], n),
            prop::collection::vec(prop_oneof![3 => -1e6_f64..1e6, 1 => Just(f64::NAN)], n),
            "\\PC{0,90}",
        )
            .prop_map(|(text, i64s, i32s, bools, f32s, f64s, meaning)| {
                let mut t = Table::new();
                use Width::{I8, I16, U8, U16, U32, U64};
                t.columns
                    .extend([I8, U8, I16, U16, U32, U64].map(|width| narrow(width, &i64s)));
                for (name, (data, nulls)) in [
                    ("te\u{df}t", with_nulls(text, ColumnData::Text)),
                    ("i64", with_nulls(i64s, ColumnData::I64)),
                    ("i32", with_nulls(i32s, ColumnData::I32)),
                    ("bool", with_nulls(bools, ColumnData::Bool)),
                    ("f32", (ColumnData::F32(f32s), None)),
                    ("f64", (ColumnData::F64(f64s), None)),
                ] {
                    t.push(name, "\u{b5}m", meaning.trim_end(), data);
                    t.columns.last_mut().unwrap().nulls = nulls;
                }
                t
            })
    })
}

/// CSV tells no types: integers come back as 64-bit ones, floats as such, missing text as empty text, units and meanings
/// not at all; a column without any value is one of missing floats.
fn assert_same_in_csv(table: &Table, back: &Table) {
    assert_eq!(table.n_rows(), back.n_rows());
    for (a, b) in table.columns.iter().zip(&back.columns) {
        let n = a.data.len();
        assert_eq!(a.name, b.name);
        let is_text = matches!(a.data, ColumnData::Text(_));
        let has_value = (0..n).any(|row| !a.is_null(row));
        let same_type = match (&a.data, &b.data) {
            (ColumnData::I32(_) | ColumnData::I64(_), ColumnData::I64(_)) => true,
            (ColumnData::F32(_) | ColumnData::F64(_), ColumnData::F64(_)) => true,
            // 1.0 and the like are written as they are, so that no float is taken for an integer.
            (ColumnData::Text(_), ColumnData::Text(_)) => true,
            (ColumnData::Bool(_), ColumnData::Bool(_)) => true,
            (_, ColumnData::F64(_)) => !has_value,
            _ => false,
        };
        assert!(
            same_type,
            "{}: {} {}",
            a.name,
            a.data.type_name(),
            b.data.type_name()
        );
        for row in 0..n {
            if !is_text {
                assert_eq!(a.is_null(row), b.is_null(row), "{} {row}", a.name);
            }
            if let (ColumnData::F32(x), ColumnData::F64(y)) = (&a.data, &b.data) {
                assert!(x[row].is_nan() || x[row] == y[row] as f32);
            } else {
                assert_eq!(a.text_at(row), b.text_at(row), "{} {row}", a.name);
            }
        }
    }
}

/// The cells of a machine-readable table, cut where its description says, with the letters of their formats.
fn cells_of_mrt(text: &str) -> (Vec<char>, Vec<Vec<String>>) {
    let (about, rows) = text.rsplit_once(&format!("{}\n", "-".repeat(80))).unwrap();
    let mut places = Vec::new();
    for line in about.lines() {
        let bytes = line.get(..9).unwrap_or("").replace(' ', "");
        let (first, last) = bytes.split_once('-').unwrap_or((&bytes, &bytes));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            let letter = line[10..].chars().next().unwrap();
            places.push((first - 1, last, letter));
        }
    }
    let cut = |row: &str| {
        let cell = |&(start, end, _): &(usize, usize, char)| {
            row.get(start..end.min(row.len()))
                .unwrap_or("")
                .trim()
                .to_owned()
        };
        places.iter().map(cell).collect()
    };
    (
        places.iter().map(|p| p.2).collect(),
        rows.lines().map(cut).collect(),
    )
}

fn assert_same_in_mrt(table: &Table, text: &str) {
    let (letters, rows) = cells_of_mrt(text);
    assert_eq!(
        (letters.len(), rows.len()),
        (table.columns.len(), table.n_rows())
    );
    for (i, column) in table.columns.iter().enumerate() {
        for (row, cells) in rows.iter().enumerate() {
            let cell = cells[i].as_str();
            assert_eq!(
                cell.is_empty(),
                column.is_null(row),
                "{} {row}: {cell}",
                column.name
            );
            if cell.is_empty() {
                continue;
            }
            match &column.data {
                ColumnData::Text(v) => {
                    assert_eq!((letters[i], restore(cell)), ('A', v[row].clone()))
                }
                ColumnData::Bool(v) => assert_eq!((letters[i], cell == "1"), ('I', v[row])),
                ColumnData::I64(_) | ColumnData::I32(_) => {
                    assert_eq!((letters[i], cell), ('I', &*column.text_at(row)));
                }
                // Rounded to four decimals.
                ColumnData::F64(_) | ColumnData::F32(_) => {
                    let value = column.to_f64().unwrap()[row];
                    let written: f64 = cell.parse().unwrap();
                    assert_eq!(letters[i], 'F');
                    assert!((value - written).abs() < 5.1e-5, "{value} {cell}");
                }
            }
        }
    }
}

fn fits_plain(t: &dyn Pieces, path: &Path, out: &mut (dyn std::io::Write + Send)) -> Result<()> {
    fits::write::write(t, path, out, &About::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_table_with_nulls_comes_back_from_every_format(t in any_table()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t");
        // Not by `Table::write`, which waits for the disk four thousand times.
        let write = |ending: &str, writer: Writer| {
            let mut bytes = Vec::new();
            let path = path.with_extension(ending);
            writer(&t, &path, &mut bytes).unwrap();
            std::fs::write(&path, &bytes).unwrap();
            path
        };
        for (ending, writer) in [("fits", fits_plain as Writer), ("parquet", parquet::write::write)] {
            let back = Table::read(&write(ending, writer)).unwrap();
            let mut t = t.clone();
            if ending == "fits" {
                t.columns.iter_mut().for_each(|c| c.width = width_in_fits(c));
            }
            prop_assert!(same(&t, &back), "{}\n{:?}\n{:?}", ending, t, back);
        }
        assert_same_in_csv(&t, &Table::read(&write("csv", csv::write::write)).unwrap());
        assert_same_in_mrt(&t, &std::fs::read_to_string(write("mrt", mrt::write)).unwrap());
    }
}
