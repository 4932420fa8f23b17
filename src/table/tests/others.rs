//! CSV and compressed tables as others write them: pandas, astropy, numpy, spreadsheets.

use std::io::Write;

use super::*;
use crate::table::outcome::ReadTable;

pub(super) const GAIA: i64 = 4_315_949_800_534_220_001;

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<ReadTable> {
    let dir = tempfile::tempdir().unwrap();
    Table::read_noting(&write_text(dir.path(), name, bytes))
}

fn csv(text: &str) -> Table {
    read("t.csv", text.as_bytes()).unwrap().table
}

pub(super) fn message(name: &str, bytes: &[u8]) -> String {
    let message = read(name, bytes).unwrap_err().to_string();
    assert!(message.contains(name), "{message}");
    for rust in ["Other(", "Utf8", "Some(", "None", "::", "Err("] {
        assert!(!message.contains(rust), "{message}");
    }
    message
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

pub(super) fn nulls(column: &Column) -> Vec<bool> {
    (0..column.data.len())
        .map(|row| column.is_null(row))
        .collect()
}

pub(super) fn texts(column: &Column) -> Vec<String> {
    (0..column.data.len())
        .map(|row| column.text_at(row))
        .collect()
}

#[test]
fn integers_with_blanks_stay_integers_and_words_for_nothing_are_one() {
    for word in ["", "NA", "null", "NaN", "N/A", "-", "None", " "] {
        let t = csv(&format!(
            "id,ok,rv,zeros,plus,huge\n{GAIA},True,1.5,00012,+7,18446744073709551615\n{word},{word},{word},{word},{word},{word}\n"
        ));
        let ids = &t.columns[0];
        assert_eq!(ids.data, ColumnData::I64(vec![GAIA, 0]), "{word:?}");
        assert_eq!(ids.nulls, Some(vec![false, true]), "{word:?}");
        assert_eq!(
            t.columns[1].data,
            ColumnData::Bool(vec![true, false]),
            "{word:?}"
        );
        assert_eq!(nulls(&t.columns[1]), [false, true]);
        assert!(matches!(&t.columns[2].data, ColumnData::F64(v) if v[0] == 1.5 && v[1].is_nan()));
        for name in [3, 4, 5] {
            assert_eq!(
                t.columns[name].data.type_name(),
                "text",
                "{}",
                t.columns[name].name
            );
            assert_eq!(t.columns[name].text_at(1), word);
        }
    }
    // A float would round the first and make it equal to another star's.
    let t = csv(&format!("id\n{GAIA}\n0.5\n"));
    assert_eq!(texts(&t.columns[0]), [GAIA.to_string(), "0.5".to_owned()]);
    assert_eq!(
        csv("rv\n00.5\n1.5\n").columns[0].data,
        ColumnData::F64(vec![0.5, 1.5])
    );
}

#[test]
fn columns_without_a_name_get_one() {
    let t = csv(",star,,col1\n0,a,x,1\n1,b,y,2\n");
    let names: Vec<_> = t.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["col1_2", "star", "col3", "col1"]);
}

#[test]
fn utf_16_marks_and_gzip_are_known_by_their_bytes() {
    let text = "star,rv\n\u{e9}t\u{e9},1.5\n";
    let wide: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let plain = csv(text);
    assert_eq!(texts(&plain.columns[0]), ["\u{e9}t\u{e9}"]);
    for (name, bytes) in [
        ("t.csv", format!("\u{feff}{text}").into_bytes()),
        ("t.csv", wide.clone()),
        ("t.csv", gzip(text.as_bytes())),
        ("t.csv.gz", gzip(text.as_bytes())),
        ("t.csv.gz", text.as_bytes().to_vec()),
        ("t.csv.gz", gzip(&wide)),
    ] {
        assert_eq!(read(name, &bytes).unwrap().table, plain, "{name}");
    }
    let dir = tempfile::tempdir().unwrap();
    for ending in ["fits", "parquet"] {
        let path = dir.path().join("t").with_extension(ending);
        sample().write(&path).unwrap();
        let packed = gzip(&std::fs::read(&path).unwrap());
        for name in [format!("t.{ending}"), format!("t.{ending}.gz")] {
            assert!(
                same(&read(&name, &packed).unwrap().table, &sample()),
                "{name}"
            );
        }
    }
    assert!(message("t.csv", b"star\ncaf\xe9\n").contains("line 2: expected UTF-8"));
    message("t.csv", b"\xff\xfes\0t\0x");
    message("t.csv.gz", &gzip(text.as_bytes())[..20]);
}

#[test]
fn an_ecsv_header_tells_types_units_and_the_delimiter() {
    let head = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: star, datatype: string}\n\
                # - {name: id, datatype: int64}\n# - {name: rv, unit: km / s, datatype: float32, description: velocity}\n\
                # - {name: n, datatype: int16}\n# - {name: ok, datatype: bool}\n\
                # - {name: v, datatype: string, subtype: 'float64[2]'}\n# schema: astropy-2.0\n";
    let t = read(
        "t.ecsv",
        format!("{head}star id rv n ok v\n007 {GAIA} 0.1 3 True \"[1,2]\"\n\"a b\" \"\" nan \"\" False \"[1,2]\"\n").as_bytes(),
    )
    .unwrap();
    assert_eq!(
        t.table.columns[0].data,
        ColumnData::Text(vec!["007".into(), "a b".into()])
    );
    assert_eq!(t.table.columns[1].data, ColumnData::I64(vec![GAIA, 0]));
    assert_eq!(t.table.columns[1].nulls, Some(vec![false, true]));
    assert!(matches!(&t.table.columns[2].data, ColumnData::F32(v) if v[0] == 0.1 && v[1].is_nan()));
    assert_eq!(
        (&*t.table.columns[2].unit, &*t.table.columns[2].meaning),
        ("km / s", "velocity")
    );
    assert_eq!(t.table.columns[3].data, ColumnData::I32(vec![3, 0]));
    assert_eq!(t.table.columns[4].data, ColumnData::Bool(vec![true, false]));
    assert_eq!((t.skipped.len(), &*t.skipped[0].column), (1, "v"));
    assert!(
        t.skipped[0].reason.contains("float64[2]"),
        "{:?}",
        t.skipped
    );
    // Commas, and types of one column alone.
    let t =
        csv("# %ECSV 1.0\n# ---\n# datatype:\n# - {name: star, datatype: string}\nstar,n\n1,2\n");
    assert_eq!(t.columns[0].data, ColumnData::Text(vec!["1".into()]));
    assert_eq!(t.columns[1].data, ColumnData::I64(vec![2]));
    let wrong = message(
        "t.csv",
        format!("{head}star id rv n ok v\na x 0.1 3 True \"\"\n").as_bytes(),
    );
    assert!(
        wrong.contains("line 12, column id: expected int64"),
        "{wrong}"
    );
    assert!(message("t.csv", b"# %ECSV 1.0\n# {a: [\nstar\n").contains("YAML"));
}

#[test]
fn names_of_columns_may_stand_in_a_comment() {
    let t = csv("# made by numpy\n# star, rv\n1,2.5\n3,4.5\n");
    let names: Vec<_> = t.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!((names, t.n_rows()), (vec!["star", "rv"], 2));
    let t = csv("# a comment, of two parts\nstar,rv\n1,2.5\n");
    assert_eq!((t.columns[0].name.as_str(), t.n_rows()), ("star", 1));
    assert!(message("t.csv", b"# one\n# two\na,b\n1\n").contains("line 4"));
}

#[test]
fn semicolons_and_tabs_are_delimiters_where_no_comma_is() {
    let expected = csv("star,rv\na,1.5\n");
    for text in [
        "star;rv\na;1.5\n",
        "star\trv\na\t1.5\n",
        "# x\n# star;rv\na;1.5\n",
    ] {
        assert_eq!(csv(text), expected, "{text:?}");
    }
    // The header decides.
    let t = csv("star;rv\na,b;1.5\n");
    assert_eq!(texts(&t.columns[0]), ["a,b"]);
}

#[test]
fn names_that_differ_in_letter_case_are_parted_and_equal_ones_refused() {
    let t = read("t.csv", b"B,b,b_2,star\n1,2,3,x\n").unwrap();
    let names: Vec<_> = t.table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["B", "b_2_2", "b_2", "star"]);
    assert!(
        t.notes[0].contains("column b: kept as b_2_2"),
        "{:?}",
        t.notes
    );
    assert!(message("t.csv", b"rv,rv\n1,2\n").contains("column rv comes twice"));
}

#[test]
fn a_quote_without_its_other_half_loses_no_rows() {
    let lost = message("t.csv", b"star,note\na,\"x\nb,y\nc,z\n");
    assert!(
        lost.contains("line 2: a quote opens a cell that never ends"),
        "{lost}"
    );
    let lost = message("t.csv", b"star,note\na,\"x\nb,y\nc,\"z\"\n");
    assert!(
        lost.contains("line 4") && lost.contains("opened in line 2"),
        "{lost}"
    );
    assert!(message("t.csv", b"a,b\n1,\0\n").contains("line 2: expected text"));
    // These are as they should be.
    let t = csv("star,note\na,\"two\nlines\"\nb,5\" wide\nc,\"say \"\"x\"\"\"\n");
    assert_eq!(
        texts(&t.columns[1]),
        ["two\nlines", "5\" wide", "say \"x\""]
    );
}
