//! `docs/columns.md` describes every product: columns, flags and reasons. `columns_written` has the same for the files that
//! the program writes, `columns_json` for those in JSON.

use relrv::Arm;
use relrv::calibrate::CalFlags;
use relrv::calibrate::arms::CalibrateOptions;
use relrv::catalogue::measured;
use relrv::catalogue::{self, exposure, row, star, zero_point};
use relrv::lamost::raw::RejectReason;
use relrv::likelihood::flags;
use relrv::measure::RvRow;
use relrv::table::{Column, Field, Missing, Table, Width};

use crate::support::*;

pub const PAGE: &str = include_str!("../../docs/columns.md");

/// Rows of the page's tables between the heading of level 2 `heading` and the next one, as trimmed cells.
pub fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let mut section = PAGE
        .split("\n## ")
        .skip(1)
        .filter(|s| s.lines().next() == Some(heading));
    let (Some(text), None) = (section.next(), section.next()) else {
        panic!("docs/columns.md has not exactly one section '{heading}'");
    };
    text.lines()
        .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect()
}

/// The one row of a section whose first cell is `name` in code quotes.
pub fn row_of(rows: &[Vec<&'static str>], name: &str) -> Vec<&'static str> {
    let quoted = format!("`{name}`");
    let mut found = rows.iter().filter(|row| row[0] == quoted);
    let (Some(row), None) = (found.next(), found.next()) else {
        panic!("docs/columns.md has not exactly one row {quoted} where it is expected");
    };
    row.clone()
}

/// Names in code quotes at the start of the rows that have `n_cells` cells.
pub fn names(rows: &[Vec<&'static str>], n_cells: usize) -> Vec<&'static str> {
    rows.iter()
        .filter(|row| row.len() == n_cells)
        .filter_map(|row| row[0].strip_prefix('`')?.strip_suffix('`'))
        .collect()
}

/// Columns of a section as a table has them, each with its name on the page: rows `a_x`, which follow each other, stand for `a_r`, and
/// after all of these for `a_b`.
pub fn expected(heading: &str) -> Vec<(String, &'static str)> {
    expected_of_arms(heading, &["_r", "_b"])
}

/// The same of a run with these arms.
pub fn expected_of_arms(heading: &str, arms: &[&str]) -> Vec<(String, &'static str)> {
    let described = names(&rows(heading), 4);
    let is_of_arm = |name: &&str| name.contains("_x");
    let mut expected = Vec::new();
    for group in described.chunk_by(|a, b| is_of_arm(a) == is_of_arm(b)) {
        let xs = match is_of_arm(&group[0]) {
            true => arms,
            false => &[""],
        };
        for x in xs {
            expected.extend(group.iter().map(|n| (n.replace("_x", x), *n)));
        }
    }
    expected
}

/// Holds a section against a table: names in their order, types, units and meanings.
pub fn assert_described(heading: &str, table: &Table) {
    let expected = expected(heading);
    let written: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    let names: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names, written,
        "the page's columns and the table's: {heading}"
    );
    let rows = rows(heading);
    for (column, (_, name)) in table.columns.iter().zip(&expected) {
        let row = row_of(&rows, name);
        assert_eq!(row[1], type_of(column), "type of {}", column.name);
        assert_eq!(row[2], column.unit, "unit of {}", column.name);
        assert_meaning(&row, column);
    }
}

/// Page and table tell what the column means.
pub fn assert_meaning(row: &[&str], column: &Column) {
    assert!(row[3].len() > 3, "column {} has no meaning", column.name);
    assert!(
        column.meaning.len() > 3,
        "column {} tells no meaning",
        column.name
    );
}

/// Type of a column in the page's words.
pub fn type_of(column: &Column) -> &'static str {
    // Truth values that may be missing are integers in FITS; no other column has this width.
    if column.width == Some(Width::I16) {
        return "bool";
    }
    match column.data.type_name() {
        "text" => "text",
        "64-bit integers" => "int64",
        "32-bit integers" => "int32",
        "64-bit floats" => "float64",
        "32-bit floats" => "float32",
        "truth values" => "bool",
        other => panic!("column {} is {other}", column.name),
    }
}

#[test]
fn columns_of_measure_are_described_with_their_types_and_units() {
    assert_described("The table of `relrv measure`", &measured::to_table(&[]));
}

#[test]
fn columns_of_run_are_described_with_their_types_and_units() {
    // Of a run, and of no row at all: the columns do not depend on what is in them.
    let measured = measure_paths(&[small_plate()]);
    for rows in [&measured.rows[..], &[]] {
        let made =
            catalogue::products(rows, &Default::default(), &CalibrateOptions::default()).unwrap();
        assert_eq!(made.stars.is_empty(), rows.is_empty());
        let [catalogue, stars, constants, zero_points, components] =
            catalogue::TABLES.map(|name| made.table(name, false).unwrap());
        assert_described("`catalogue`", &catalogue);
        assert_described("`stars` and `constants`", &stars);
        assert_described("`zeropoints`", &zero_points);
        assert_described("`components`", &components);
        let names = |table: &Table| -> Vec<String> {
            table.columns.iter().map(|c| c.name.clone()).collect()
        };
        let mut expected = names(&stars);
        let of_stars_alone = [
            "constant",
            "variable",
            "not_judged",
            "period",
            "period_fap",
            "period_amp",
        ];
        expected.retain(|name| !of_stars_alone.contains(&name.as_str()));
        assert_eq!(names(&constants), expected);
    }
}

/// Numbers are missing only where the column's declaration says that they can be, in a run with little that is good.
#[test]
fn only_columns_that_say_so_have_missing_numbers() {
    fn assert_honest<R>(fields: &[Field<R>], table: &Table) -> usize {
        let mut n_missing = 0;
        for field in fields {
            let column = table.column(&field.name).unwrap();
            let missing = (0..table.n_rows()).filter(|row| column.is_null(*row));
            let n = missing.count();
            let may = matches!(field.missing, Missing::Nan | Missing::Null);
            assert!(may || n == 0, "{} is missing in {n} rows", field.name);
            n_missing += n;
        }
        n_missing
    }
    let measured = measure_paths(&[small_plate()]);
    // Two of the stars have no red spectra, so that no exposure has three constants there.
    let kept = |r: &&RvRow| r.arm == Arm::Blue || r.star < 3;
    let rows: Vec<RvRow> = measured.rows.iter().filter(kept).cloned().collect();
    let made =
        catalogue::products(&rows, &Default::default(), &CalibrateOptions::default()).unwrap();
    let table = made.table("catalogue", false).unwrap();
    assert_eq!(assert_honest(&exposure::PLACE, &table), 0);
    assert_eq!(assert_honest(&exposure::TIME, &table), 0);
    let red: Vec<_> = row::ARM.iter().map(|f| f.of_arm('r', "red")).collect();
    assert!(assert_honest(&red, &table) > 0);
    let zero_points = made.table("zeropoints", false).unwrap();
    assert_honest(&zero_point::WHICH, &zero_points);
    assert!(assert_honest(&zero_point::FOUND, &zero_points) > 0);
    let stars = made.table("stars", false).unwrap();
    assert_honest(&star::WHICH, &stars);
    assert_honest(&star::NOT_JUDGED, &stars);
    assert_honest(&star::FOUND, &stars);
}

/// Bits, values and what follows them in the rows of a section that start with a number.
fn described_bits(heading: &str) -> Vec<(String, String, String)> {
    rows(heading)
        .iter()
        .filter(|row| row[0].parse::<u32>().is_ok())
        .map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned()))
        .collect()
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
    let measured = flags::ALL.map(|(flag, name, _)| (flag.bits(), name, ""));
    assert_eq!(described_bits("Flags"), bits(&measured));
    let added = catalogue::flags::ADDED.map(|(flag, name, _)| (flag.bits(), name, ""));
    assert_eq!(described_bits("Catalogue flags"), bits(&added));
    let calibration = CalFlags::ALL.map(|(flag, name, _)| (flag.bits() as u32, name, ""));
    assert_eq!(
        described_bits("Flags of `relrv calibrate`"),
        bits(&calibration)
    );
    let rows = rows("Flags of `relrv calibrate`");
    for (flag, _, meaning) in CalFlags::ALL {
        let value = flag.bits().to_string();
        let row = rows.iter().find(|row| row[1] == value);
        assert_eq!(row.map(|row| row[3]), Some(meaning));
    }
}

/// The limits that the page quotes are those that the program uses.
#[test]
fn limits_of_flags_are_as_described() {
    let rows = rows("Flags");
    let says = |flag: &str, text: &str| {
        let row = rows.iter().find(|row| row.get(2) == Some(&flag)).unwrap();
        assert!(row[3].contains(text), "{flag}: no '{text}' in '{}'", row[3]);
    };
    says(
        "`multiple_peaks`",
        &format!("`second_peak` > {}", flags::MULTIPLE_PEAKS_LIMIT),
    );
    says(
        "`chi2_high`",
        &format!("`chi2_red` > {} (", flags::CHI2_HIGH_LIMIT),
    );
    let percent = 100.0 * flags::LOW_INFORMATION_LIMIT;
    says("`low_information`", &format!("more than {percent:.0} %"));
}

#[test]
fn reasons_of_rejection_are_described() {
    let rows = rows("`rejected.csv`");
    let expected = RejectReason::ALL.map(RejectReason::name);
    assert_eq!(names(&rows, 2), expected);
}
