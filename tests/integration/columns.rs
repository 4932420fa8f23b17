//! `docs/columns.md` describes every product: columns, flags and reasons.

use relrv::catalogue;
use relrv::io::raw::RejectReason;
use relrv::likelihood::flags;
use relrv::pipeline::rv_table;
use relrv::selfcal::calibrate::CalibrateConfig;
use relrv::table::Table;

use crate::support::*;

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

/// Holds a section against a table: names in their order, types and units. A row `a_x` stands for `a_r`, and after all of
/// these for `a_b`.
fn assert_described(heading: &str, table: &Table) {
    let rows = rows(heading);
    let described = names(&rows, 4);
    let (arms, common): (Vec<&str>, Vec<&str>) =
        described.iter().partition(|name| name.contains("_x"));
    let mut expected: Vec<(String, &str)> = common.iter().map(|n| (n.to_string(), *n)).collect();
    for x in ["_r", "_b"] {
        expected.extend(arms.iter().map(|n| (n.replace("_x", x), *n)));
    }
    let written: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let names: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names, written,
        "the page's columns and the table's: {heading}"
    );
    for (column, (_, name)) in table.columns.iter().zip(&expected) {
        let row = row_of(&rows, name);
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
        assert!(
            column.meaning.len() > 3,
            "column {} tells no meaning",
            column.name
        );
    }
}

#[test]
fn columns_of_measure_are_described_with_their_types_and_units() {
    assert_described("The table of `relrv measure`", &rv_table::to_table(&[]));
}

#[test]
fn columns_of_run_are_described_with_their_types_and_units() {
    // Of a run, and of no row at all: the columns do not depend on what is in them.
    let measured = measure_paths(&[small_plate()]);
    for rows in [&measured.rows[..], &[]] {
        let made = catalogue::products(rows, &CalibrateConfig::default()).unwrap();
        assert_eq!(made.stars.n_rows() > 0, !rows.is_empty());
        assert_described("`catalogue`", &made.catalogue);
        assert_described("`stars` and `constants`", &made.stars);
        assert_described("`zeropoints`", &made.zero_points);
        let names = |table: &Table| -> Vec<String> {
            table.columns.iter().map(|c| c.name.clone()).collect()
        };
        let mut expected = names(&made.stars);
        expected.retain(|name| name != "constant" && name != "variable");
        assert_eq!(names(&made.constants), expected);
    }
}

#[test]
fn flags_of_the_catalogue_are_described_bit_by_bit() {
    let rows = rows("Catalogue flags");
    let described: Vec<_> = rows
        .iter()
        .filter(|row| row[0].parse::<u32>().is_ok())
        .map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned()))
        .collect();
    assert_eq!(described, bits(&catalogue::flags::ADDED));
}

/// Bit, value and name of flags as the page tells them.
fn bits(flags: &[(u32, &str, &str)]) -> Vec<(String, String, String)> {
    flags
        .iter()
        .map(|(bit, name, _)| {
            let number = bit.trailing_zeros().to_string();
            (number, bit.to_string(), format!("`{name}`"))
        })
        .collect()
}

#[test]
fn flags_are_described_bit_by_bit() {
    let rows = rows("Flags");
    let described: Vec<_> = rows
        .iter()
        .filter(|row| row[0].parse::<u32>().is_ok())
        .map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned()))
        .collect();
    assert_eq!(described, bits(&flags::ALL));
}

#[test]
fn reasons_of_rejection_are_described() {
    let rows = rows("`rejected.csv`");
    let expected = RejectReason::ALL.map(RejectReason::name);
    assert_eq!(names(&rows, 2), expected);
}

#[test]
fn columns_of_truth_are_described() {
    let rows = rows("`truth.csv`");
    let header = TRUTH.lines().next().unwrap_or_default();
    assert_eq!(names(&rows, 4), header.split(',').collect::<Vec<_>>());
}
