mod damage;
mod others;
mod others_fits;
mod others_parquet;
mod others_votable;
mod round_trip;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::Result;

fn sample() -> Table {
    let mut t = Table::new();
    t.push_text(
        "star",
        "",
        "name of the star",
        vec!["007".into(), "a,\"b\"".into(), "c'd".into()],
    )
    .push_i64("obsid", "", "unique number", vec![1, i64::MAX, i64::MIN])
    .push_i32("spid", "", "spectrograph", vec![1, -2, i32::MAX])
    .push_f64(
        "rv",
        "km/s",
        "radial velocity of the exposure against the star's reference exposure, positive when the exposure is redshifted; NaN where there is none",
        vec![1.0 / 3.0, f64::NAN, -1e-300],
    )
    .push_f32("snr", "", "signal to noise", vec![0.1, f32::NAN, 12.5])
    .push_bool("constant", "", "is a constant star", vec![true, false, true]);
    t
}

/// As `==`, with NaN equal to NaN.
fn same(a: &Table, b: &Table) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

fn round_trip(table: &Table, name: &str) -> Table {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("made/here").join(name);
    table.write(&path).unwrap();
    let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing but the product is left");
    Table::read(&path).unwrap()
}

fn write_text(dir: &Path, name: &str, text: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn fits_and_parquet_give_back_the_table() {
    for name in ["t.fits", "t.parquet"] {
        let back = round_trip(&sample(), name);
        assert!(same(&sample(), &back), "{name}: {back:#?}");
    }
}

#[test]
fn csv_gives_back_names_and_values() {
    let back = round_trip(&sample(), "t.csv");
    for (a, b) in sample().columns.iter().zip(&back.columns) {
        assert_eq!(a.name, b.name);
        for row in 0..3 {
            assert_eq!(a.data.text_at(row), b.data.text_at(row), "{}", a.name);
        }
    }
    assert_eq!(back.column("star").unwrap().data.type_name(), "text");
    assert_eq!(
        back.column("OBSID").unwrap().data.type_name(),
        "64-bit integers"
    );
    assert_eq!(back.column("rv").unwrap().data.type_name(), "64-bit floats");
    assert_eq!(
        back.column("constant").unwrap().data.type_name(),
        "truth values"
    );
}

#[test]
fn csv_text_is_no_formula_in_a_spreadsheet_and_comes_back() {
    let names = [
        "=1+1", "+7", "-12", "@SUM(1)", "\tx", "'=1", "J0123+45", "", "plain",
    ];
    let mut table = Table::new();
    let column = names.map(str::to_owned).to_vec();
    let n = names.len();
    table
        .push_text("=star", "", "", column)
        .push_f64("rv", "", "", vec![-1.5; n])
        .push_i64("n", "", "", vec![-1; n]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    table.write(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let expected = "'=star,rv,n\n'=1+1,-1.5,-1\n'+7,-1.5,-1\n'-12,-1.5,-1\n'@SUM(1),-1.5,-1\n'\tx,-1.5,-1\n\
        ''=1,-1.5,-1\nJ0123+45,-1.5,-1\n,-1.5,-1\nplain,-1.5,-1\n";
    assert_eq!(text, expected);
    let back = Table::read(&path).unwrap();
    for (a, b) in table.columns.iter().zip(&back.columns) {
        assert_eq!((&a.name, &a.data), (&b.name, &b.data));
    }
}

#[test]
fn tables_without_rows_or_columns_survive() {
    let mut empty = Table::new();
    empty.push_f64("rv", "km/s", "", vec![]);
    empty.push_text("star", "", "", vec![]);
    for name in ["t.fits", "t.parquet", "t.csv"] {
        let back = round_trip(&empty, name);
        assert_eq!((back.columns.len(), back.n_rows()), (2, 0), "{name}");
    }
    assert_eq!(round_trip(&Table::new(), "t.fits").columns.len(), 0);
}

#[test]
fn the_same_table_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for ending in ["fits", "csv", "parquet"] {
        let path = dir.path().join("t").with_extension(ending);
        sample().write(&path).unwrap();
        let first = std::fs::read(&path).unwrap();
        sample().write(&path).unwrap();
        assert_eq!(first, std::fs::read(&path).unwrap(), "{ending}");
    }
}

#[test]
fn cfitsio_reads_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalogue.fits");
    sample().write(&path).unwrap();
    let mut file = fitsio::FitsFile::open(&path).unwrap();
    let hdu = file.hdu("catalogue").unwrap();
    let rv: Vec<f64> = hdu.read_col(&mut file, "rv").unwrap();
    assert_eq!(rv[0], 1.0 / 3.0);
    let obsid: Vec<i64> = hdu.read_col(&mut file, "obsid").unwrap();
    assert_eq!(obsid, [1, i64::MAX, i64::MIN]);
    let spid: Vec<i32> = hdu.read_col(&mut file, "spid").unwrap();
    assert_eq!(spid, [1, -2, i32::MAX]);
    let constant: Vec<bool> = hdu.read_col(&mut file, "constant").unwrap();
    assert_eq!(constant, [true, false, true]);
    let star: Vec<String> = hdu.read_col(&mut file, "star").unwrap();
    assert_eq!(star, ["007", "a,\"b\"", "c'd"]);
    let unit: String = hdu.read_key(&mut file, "TUNIT4").unwrap();
    assert_eq!(unit, "km/s");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let message = sample()
        .write(&dir.path().join("t.txt"))
        .unwrap_err()
        .to_string();
    assert!(message.contains(".fits, .csv or .parquet"), "{message}");
    let mut uneven = sample();
    uneven.push_f64("short", "", "", vec![1.0]);
    let message = uneven
        .write(&dir.path().join("t.fits"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("short") && message.contains("expected 3"),
        "{message}"
    );
    let mut twice = sample();
    twice.push_f64("RV", "", "", vec![1.0; 3]);
    assert!(twice.write(&dir.path().join("t.csv")).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn csv_of_others_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = write_text(
        dir.path(),
        "t.csv",
        b"\xef\xbb\xbfstar, exposure ,rv,ok\r\nHD 1,84420148,-1.5,True\r\n\"a,b\",84420149,,False\r\n\r\n",
    );
    let t = Table::read(&path).unwrap();
    assert_eq!(
        t.columns[0].data,
        ColumnData::Text(vec!["HD 1".into(), "a,b".into()])
    );
    assert_eq!(t.columns[1].name, "exposure");
    assert_eq!(t.columns[1].data, ColumnData::I64(vec![84420148, 84420149]));
    assert!(matches!(&t.columns[2].data, ColumnData::F64(v) if v[0] == -1.5 && v[1].is_nan()));
    assert_eq!(t.columns[3].data, ColumnData::Bool(vec![true, false]));
}

#[test]
fn broken_files_are_named_with_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &str); 6] = [
        ("a.csv", b"star,rv\nx,1\ny\n", "line 3: expected 2 cells"),
        ("b.csv", b"", "header line"),
        ("c.csv", b"star,rv\n\xff,1\n", "UTF-8"),
        ("d.fits", b"star,rv\n", "HDU 0"),
        ("e.fits", b"", "HDU 0"),
        ("f.parquet", b"PAR1nothing here", "Parquet"),
    ];
    for (name, bytes, want) in cases {
        let message = Table::read(&write_text(dir.path(), name, bytes))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(want) && message.contains(name),
            "{message}"
        );
    }
}

#[test]
fn a_truncated_fits_table_names_the_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.fits");
    let mut t = Table::new();
    t.push_f64("rv", "km/s", "", vec![1.0; 1000]);
    t.write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let cut = write_text(dir.path(), "cut.fits", &bytes[..2 * 2880 + 801]);
    let message = Table::read(&cut).unwrap_err().to_string();
    assert!(message.contains("row 101"), "{message}");
}

#[test]
fn a_fits_table_that_promises_too_much_is_refused_without_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.fits");
    sample().write(&path).unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    let row = format!("NAXIS2  = {:>20}", 3);
    let huge = format!("NAXIS2  = {:>20}", i64::MAX);
    let bytes = std::fs::read(&path).unwrap();
    let at = text.find(&row).unwrap();
    let mut broken = bytes.clone();
    broken[at..at + huge.len()].copy_from_slice(huge.as_bytes());
    let message = Table::read(&write_text(dir.path(), "b.fits", &broken))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("expected 9223372036854775807 rows"),
        "{message}"
    );
}

#[test]
fn text_that_fits_forbids_is_escaped_and_comes_back() {
    let mut t = Table::new();
    t.push_text(
        "star",
        "",
        "caf\u{e9}",
        vec!["\u{3b1} Ori".into(), "\u{3b2} Ori".into()],
    );
    t.push_text(
        "\u{b5}",
        "\u{b5}m",
        "",
        vec!["\\u{3b1}".into(), "plain".into()],
    );
    assert!(same(&t, &round_trip(&t, "t.fits")));
    // For readers that know nothing of it, the text is ASCII.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.fits");
    t.write(&path).unwrap();
    let mut file = fitsio::FitsFile::open(&path).unwrap();
    let hdu = file.hdu(1).unwrap();
    let star: Vec<String> = hdu.read_col(&mut file, "star").unwrap();
    assert_eq!(star, ["\\u{3b1} Ori", "\\u{3b2} Ori"]);
    assert!(same(&t, &round_trip(&t, "t.parquet")));
}

fn any_table() -> impl Strategy<Value = Table> {
    (0usize..40).prop_flat_map(|n| {
        (
            prop::collection::vec("[ -~]{0,12}[!-~]", n),
            prop::collection::vec(any::<i64>(), n),
            prop::collection::vec(any::<i32>(), n),
            prop::collection::vec(any::<f64>(), n),
            prop::collection::vec(any::<f32>(), n),
            prop::collection::vec(any::<bool>(), n),
            "[ -~]{0,200}",
        )
            .prop_map(|(text, i64s, i32s, f64s, f32s, bools, meaning)| {
                let mut t = Table::new();
                t.push_text("text", "", meaning.trim_end(), text)
                    .push_i64("i64", "m", "", i64s)
                    .push_i32("i32", "", "", i32s)
                    .push_f64("f64", "km/s", "", f64s)
                    .push_f32("f32", "", "", f32s)
                    .push_bool("bool", "", "", bools);
                t
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_table_comes_back(t in any_table()) {
        for name in ["t.fits", "t.parquet"] {
            let back = round_trip(&t, name);
            prop_assert!(same(&t, &back), "{}\n{:?}\n{:?}", name, t, back);
        }
    }

    #[test]
    fn any_float_comes_back_from_csv(v in prop::collection::vec(any::<f64>(), 1..50)) {
        let mut t = Table::new();
        let n = v.len();
        t.push_f64("f64", "", "", v).push_text("s", "", "", vec!["x".into(); n]);
        let back = round_trip(&t, "t.csv");
        prop_assert_eq!(back.columns[0].data.to_f64().map(|v| v.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>()),
            t.columns[0].data.to_f64().map(|v| v.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>()));
    }

    /// Damage anywhere gives a table or an error, never a panic.
    #[test]
    fn damaged_files_never_panic(at in 0usize..20_000, byte in any::<u8>(), cut in 0usize..40_000) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["t.fits", "t.csv", "t.parquet"] {
            let path = dir.path().join(name);
            sample().write(&path).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            let n = bytes.len();
            bytes[at % n] = byte;
            bytes.truncate(cut.max(1));
            std::fs::write(&path, &bytes).unwrap();
            let _ = Table::read(&path);
        }
    }
}

#[test]
fn dates_say_their_clock_and_place_in_fits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.fits");
    let mut table = Table::new();
    table
        .push_i64("n", "", "", vec![1])
        .push_f64("hjd", "d", "", vec![2_458_625.25])
        .push_f64("bjd_tdb", "d", "", vec![2_458_625.26]);
    let time = |column, scale, position| TimeColumn {
        column,
        scale,
        position,
    };
    table.times = vec![
        time("hjd", "UTC", "HELIOCENTER"),
        time("bjd_tdb", "TDB", "BARYCENTER"),
        time("not_there", "TAI", "GEOCENTER"),
    ];
    table.write(&path).unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    for card in [
        "TIMESYS = 'TDB     '",
        "TREFPOS = 'BARYCENTER'",
        "TCTYP2  = 'UTC     '",
        "TRPOS2  = 'HELIOCENTER'",
        "TCTYP3  = 'TDB     '",
        "TRPOS3  = 'BARYCENTER'",
        "JDREF   =                  0.0",
    ] {
        assert!(text.contains(card), "{card}");
    }
    assert!(!text.contains("TAI"));
    // A table without dates says nothing of clocks.
    table.times.clear();
    table.write(&path).unwrap();
    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    assert!(!text.contains("TIMESYS") && !text.contains("TCTYP"));
}
