//! `docs/columns.md` describes every product: columns, flags and reasons.

use relrv::io::raw::RejectReason;
use relrv::likelihood::flags;
use relrv::pipeline::rv_table;

const PAGE: &str = include_str!("../../docs/columns.md");
const TRUTH: &str = include_str!("../../data-samples/plate-small/truth.csv");

/// Rows of the page's tables between a heading of level 2 that starts with `heading` and the next one, as trimmed cells.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let mut section = PAGE
        .split("\n## ")
        .skip(1)
        .filter(|s| s.starts_with(heading));
    let (Some(text), None) = (section.next(), section.next()) else {
        panic!("docs/columns.md has not exactly one section '{heading}'");
    };
    text.lines()
        .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect()
}

/// The one row of a section whose first cell is `name` in code quotes.
fn row_of(rows: &[Vec<&'static str>], name: &str) -> Vec<&'static str> {
    let quoted = format!("`{name}`");
    let mut found = rows.iter().filter(|row| row[0] == quoted);
    let (Some(row), None) = (found.next(), found.next()) else {
        panic!("docs/columns.md has not exactly one row {quoted} where it is expected");
    };
    row.clone()
}

/// Names in code quotes at the start of the rows that have `n_cells` cells.
fn names(rows: &[Vec<&'static str>], n_cells: usize) -> Vec<&'static str> {
    rows.iter()
        .filter(|row| row.len() == n_cells)
        .filter_map(|row| row[0].strip_prefix('`')?.strip_suffix('`'))
        .collect()
}

#[test]
fn columns_of_measure_are_described_with_their_types_and_units() {
    let rows = rows("The table of `relrv measure`");
    let table = rv_table::to_table(&[]);
    for column in &table.columns {
        let row = row_of(&rows, &column.name);
        let kind = match column.data.type_name() {
            "text" => "text",
            "64-bit integers" => "int64",
            "32-bit integers" => "int32",
            "64-bit floats" => "float64",
            "32-bit floats" => "float32",
            "truth values" => "bool",
            other => panic!("column {} is {other}", column.name),
        };
        assert_eq!(row[1..3], [kind, column.unit.as_str()], "{}", column.name);
        assert!(row[3].len() > 3, "column {} has no meaning", column.name);
    }
    let written: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names(&rows, 4),
        written,
        "the page's columns and the table's"
    );
}

#[test]
fn flags_are_described_bit_by_bit() {
    let rows = rows("Flags");
    let described: Vec<_> = rows
        .iter()
        .filter(|row| row[0].parse::<u32>().is_ok())
        .map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned()))
        .collect();
    let expected: Vec<_> = flags::ALL
        .iter()
        .map(|(bit, name, _)| {
            let number = bit.trailing_zeros().to_string();
            (number, bit.to_string(), format!("`{name}`"))
        })
        .collect();
    assert_eq!(described, expected);
}

#[test]
fn reasons_of_rejection_are_described() {
    let rows = rows("`*.rejected.csv`");
    let expected = RejectReason::ALL.map(RejectReason::name);
    assert_eq!(names(&rows, 2), expected);
}

#[test]
fn columns_of_truth_are_described() {
    let rows = rows("`truth.csv`");
    let header = TRUTH.lines().next().unwrap_or_default();
    assert_eq!(names(&rows, 4), header.split(',').collect::<Vec<_>>());
}
