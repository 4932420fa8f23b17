//! Tables as others write them: pandas, polars, astropy, spreadsheets, Spark.

use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::{ByteArray, Int96};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::*;
use crate::table::ReadTable;
use crate::table::header::HeaderText;

const GAIA: i64 = 4_315_949_800_534_220_001;

fn read(name: &str, bytes: &[u8]) -> Result<ReadTable> {
    let dir = tempfile::tempdir().unwrap();
    Table::read_noting(&write_text(dir.path(), name, bytes))
}

fn csv(text: &str) -> Table {
    read("t.csv", text.as_bytes()).unwrap().table
}

fn message(name: &str, bytes: &[u8]) -> String {
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

fn nulls(column: &Column) -> Vec<bool> {
    (0..column.data.len())
        .map(|row| column.is_null(row))
        .collect()
}

fn texts(column: &Column) -> Vec<String> {
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

/// Values of a column as the parquet crate takes them.
enum Values {
    I32(Vec<Option<i32>>),
    I64(Vec<Option<i64>>),
    I96(Vec<[u32; 3]>),
    Bool(Vec<Option<bool>>),
    Bytes(Vec<Option<Vec<u8>>>),
    /// Lists of equal length, one to a row.
    Lists(Vec<f64>, usize),
}

fn parquet(fields: &str, columns: &[Values], compression: Compression, meta: &str) -> Vec<u8> {
    let schema = parse_message_type(&format!("message m {{ {fields} }}")).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            "table_meta_yaml".to_owned(),
            meta.to_owned(),
        )]))
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    fn some<T: Clone>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
        let levels = values.iter().map(|v| i16::from(v.is_some())).collect();
        (values.iter().flatten().cloned().collect(), levels)
    }
    for values in columns {
        let mut column = group.next_column().unwrap().unwrap();
        match (column.untyped(), values) {
            (ColumnWriter::Int32ColumnWriter(w), Values::I32(v)) => {
                let (values, levels) = some(v);
                w.write_batch(&values, Some(&levels), None).unwrap();
            }
            (ColumnWriter::Int64ColumnWriter(w), Values::I64(v)) => {
                let (values, levels) = some(v);
                w.write_batch(&values, Some(&levels), None).unwrap();
            }
            (ColumnWriter::BoolColumnWriter(w), Values::Bool(v)) => {
                let (values, levels) = some(v);
                w.write_batch(&values, Some(&levels), None).unwrap();
            }
            (ColumnWriter::ByteArrayColumnWriter(w), Values::Bytes(v)) => {
                let (values, levels) = some(v);
                let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
                w.write_batch(&values, Some(&levels), None).unwrap();
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(w), Values::Bytes(v)) => {
                let (values, levels) = some(v);
                let values: Vec<_> = values
                    .into_iter()
                    .map(|v| ByteArray::from(v).into())
                    .collect();
                w.write_batch(&values, Some(&levels), None).unwrap();
            }
            (ColumnWriter::Int96ColumnWriter(w), Values::I96(v)) => {
                let values: Vec<Int96> = v.iter().map(|v| Int96::from(v.to_vec())).collect();
                w.write_batch(&values, Some(&vec![1; v.len()]), None)
                    .unwrap();
            }
            (ColumnWriter::DoubleColumnWriter(w), Values::Lists(v, length)) => {
                let first: Vec<i16> = (0..v.len()).map(|i| i16::from(i % length > 0)).collect();
                w.write_batch(v, Some(&vec![2; v.len()]), Some(&first))
                    .unwrap();
            }
            _ => panic!("the column's type"),
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_of_every_compression_is_read_with_nulls_and_astropys_units() {
    let meta = "datatype:\n- {name: id, datatype: int64}\n- {name: ok, unit: km / s, datatype: bool, description: yes or no}\n";
    let columns = [
        Values::I64(vec![Some(GAIA), None, Some(-1)]),
        Values::Bool(vec![Some(true), Some(false), None]),
        Values::Bytes(vec![Some(b"a".to_vec()), None, Some("\u{e9}".into())]),
    ];
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ] {
        let fields = "optional int64 id; optional boolean ok; optional binary s (UTF8);";
        let t = read("t.parquet", &parquet(fields, &columns, compression, meta))
            .unwrap()
            .table;
        assert_eq!(
            t.columns[0].data,
            ColumnData::I64(vec![GAIA, 0, -1]),
            "{compression}"
        );
        assert_eq!(nulls(&t.columns[0]), [false, true, false]);
        assert_eq!(
            t.columns[1].data,
            ColumnData::Bool(vec![true, false, false])
        );
        assert_eq!(nulls(&t.columns[1]), [false, false, true]);
        assert_eq!(texts(&t.columns[2]), ["a", "", "\u{e9}"]);
        assert_eq!(nulls(&t.columns[2]), [false, true, false]);
        assert_eq!(
            (&*t.columns[1].unit, &*t.columns[1].meaning),
            ("km / s", "yes or no")
        );
        for name in ["t.parquet", "t.fits"] {
            assert!(same(&round_trip(&t, name), &t), "{name}");
        }
    }
}

#[test]
fn parquet_types_become_what_holds_them_or_are_named() {
    let fields = "optional fixed_len_byte_array(3) err (DECIMAL(5,2)); optional int32 small (DECIMAL(5,1));
        optional fixed_len_byte_array(2) half (FLOAT16); optional int64 time (TIMESTAMP(MICROS,false));
        optional int32 day (DATE); optional int64 u (INTEGER(64,false)); optional int32 i (INTEGER(8,true));
        optional int96 old; optional binary raw; optional binary bad;
        optional group v (LIST) { repeated group list { required double element; } }
        optional int32 clock (TIME(MILLIS,true));";
    let bytes = |v: &[&[u8]]| Values::Bytes(v.iter().map(|v| Some(v.to_vec())).collect());
    let columns = [
        bytes(&[&[0, 0, 10], &[0xff, 0xff, 0xff]]),
        Values::I32(vec![Some(-15), None]),
        bytes(&[&[0x00, 0x3c], &[0x00, 0x7e]]),
        Values::I64(vec![Some(1_500_000), None]),
        Values::I32(vec![Some(0), Some(-1)]),
        Values::I64(vec![Some(-1), Some(3)]),
        Values::I32(vec![Some(-3), None]),
        Values::I96(vec![[0, 0, 2_440_588]; 2]),
        bytes(&[b"ab", b"c"]),
        bytes(&[b"ab", b"\xff"]),
        Values::Lists(vec![1.0, 2.0, 3.0, 4.0], 2),
        Values::I32(vec![Some(1), Some(2)]),
    ];
    let t = read(
        "t.parquet",
        &parquet(fields, &columns, Compression::SNAPPY, ""),
    )
    .unwrap();
    let column = |name: &str| t.table.column(name).unwrap();
    assert_eq!(column("err").data, ColumnData::F64(vec![0.1, -0.01]));
    assert!(matches!(&column("small").data, ColumnData::F64(v) if v[0] == -1.5 && v[1].is_nan()));
    assert!(matches!(&column("half").data, ColumnData::F32(v) if v[0] == 1.0 && v[1].is_nan()));
    assert_eq!(texts(column("time")), ["1970-01-01T00:00:01.5", ""]);
    assert_eq!(nulls(column("time")), [false, true]);
    assert_eq!(texts(column("day")), ["1970-01-01", "1969-12-31"]);
    assert_eq!(
        column("u").data,
        ColumnData::Text(vec!["18446744073709551615".into(), "3".into()])
    );
    assert_eq!(column("i").data, ColumnData::I32(vec![-3, 0]));
    assert_eq!(column("i").width, Some(Width::I8));
    assert_eq!(texts(column("old"))[0], "1970-01-01T00:00:00");
    assert_eq!(texts(column("raw")), ["ab", "c"]);
    let skipped: Vec<_> = t.skipped.iter().map(|s| s.column.as_str()).collect();
    assert_eq!(skipped, ["bad", "v", "clock"]);
    for (i, what) in [
        (0, "no text"),
        (1, "vectors) of 64-bit floats"),
        (2, "times of day"),
    ] {
        let reason = &t.skipped[i].reason;
        assert!(
            reason.contains(what) && reason.contains("would serve"),
            "{reason}"
        );
    }
    assert!(message("t.parquet", b"PAR1 and no more PAR1").contains("Parquet"));
}

#[test]
fn masks_that_astropy_writes_as_columns_are_taken_for_what_they_are() {
    let fields = "optional int64 id; optional boolean id.mask; optional boolean b.mask;";
    let columns = [
        Values::I64(vec![Some(GAIA), Some(5)]),
        Values::Bool(vec![Some(false), Some(true)]),
        Values::Bool(vec![Some(false), Some(true)]),
    ];
    let meta = "datatype:\n- {name: id, datatype: int64}\n- {name: id.mask, datatype: bool}\n- {name: b.mask, datatype: bool}\n";
    let t = read(
        "t.parquet",
        &parquet(fields, &columns, Compression::SNAPPY, meta),
    )
    .unwrap()
    .table;
    let names: Vec<_> = t.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "b.mask"]);
    assert_eq!(
        (&t.columns[0].data, nulls(&t.columns[0])),
        (&ColumnData::I64(vec![GAIA, 0]), vec![false, true])
    );
    // Without astropy's word they are columns like others.
    let t = read(
        "t.parquet",
        &parquet(fields, &columns, Compression::SNAPPY, ""),
    )
    .unwrap()
    .table;
    assert_eq!(t.columns.len(), 3);
}

#[test]
fn a_byte_whose_every_value_is_in_use_finds_room_for_its_null() {
    let mut t = Table::new();
    t.push_i32("b", "", "", (0..257).map(|i| i % 256).collect());
    t.columns[0].width = Some(Width::U8);
    t.columns[0].nulls = Some((0..257).map(|i| i == 256).collect());
    let back = round_trip(&t, "t.fits");
    assert_eq!(
        (&back.columns[0].data, &back.columns[0].nulls),
        (&t.columns[0].data, &t.columns[0].nulls)
    );
    assert_eq!(back.columns[0].width, None);
    assert!(same(&round_trip(&t, "t.parquet"), &t));
}

/// A binary table: name, TFORM and further keys of each column, rows as bytes.
fn fits(columns: &[(&str, &str, &[(&str, i128)])], shapes: &[&str], rows: &[&[u8]]) -> Vec<u8> {
    let mut primary = HeaderText::default();
    primary.logical("SIMPLE", true, "");
    primary.int("BITPIX", 8, "");
    primary.int("NAXIS", 0, "");
    let mut bytes = primary.finish();
    let mut header = HeaderText::default();
    header.text("XTENSION", "BINTABLE", "");
    header.int("BITPIX", 8, "");
    header.int("NAXIS", 2, "");
    header.int("NAXIS1", rows[0].len() as i128, "");
    header.int("NAXIS2", rows.len() as i128, "");
    header.int("PCOUNT", 0, "");
    header.int("GCOUNT", 1, "");
    header.int("TFIELDS", columns.len() as i128, "");
    for (i, (name, form, keys)) in columns.iter().enumerate() {
        header.text(&format!("TTYPE{}", i + 1), name, "");
        header.text(&format!("TFORM{}", i + 1), form, "");
        for (key, value) in *keys {
            header.int(&format!("{key}{}", i + 1), *value, "");
        }
        if let Some(shape) = shapes.get(i).filter(|shape| !shape.is_empty()) {
            header.text(&format!("TDIM{}", i + 1), shape, "");
        }
    }
    bytes.extend(header.finish());
    bytes.extend(rows.concat());
    bytes.resize(bytes.len().next_multiple_of(2880), 0);
    bytes
}

#[test]
fn fits_nulls_are_nulls_and_integers_stay_integers() {
    let gaia = GAIA.to_be_bytes();
    let row = |id: i64, j: i32, i: i16, b: u8, l: u8, u: u64, text: &[u8; 2]| {
        let stored = (u ^ 1 << 63).to_be_bytes();
        [
            &id.to_be_bytes()[..],
            &j.to_be_bytes(),
            &i.to_be_bytes(),
            &[b, l],
            &stored,
            text,
            &gaia,
        ]
        .concat()
    };
    let rows = [
        row(GAIA, 1, 2, 3, b'T', 5, b"ab"),
        row(-1, -1, -1, 255, 0, u64::MAX, b"\0x"),
    ];
    let columns: [(&str, &str, &[(&str, i128)]); 8] = [
        ("id", "K", &[("TNULL", -1)]),
        ("j", "1J", &[("TNULL", -1)]),
        ("i", "I", &[("TNULL", -1)]),
        ("b", "B", &[("TNULL", 255)]),
        ("l", "L", &[]),
        ("u", "K", &[("TZERO", 1 << 63)]),
        ("text", "2A", &[]),
        // A mark that no row has.
        ("all", "K", &[("TNULL", i64::MIN as i128)]),
    ];
    let t = read("t.fits", &fits(&columns, &[], &[&rows[0], &rows[1]]))
        .unwrap()
        .table;
    let expected = [
        ColumnData::I64(vec![GAIA, 0]),
        ColumnData::I32(vec![1, 0]),
        ColumnData::I32(vec![2, 0]),
        ColumnData::I32(vec![3, 0]),
        ColumnData::Bool(vec![true, false]),
        ColumnData::Text(vec!["5".into(), u64::MAX.to_string()]),
        ColumnData::Text(vec!["ab".into(), String::new()]),
        ColumnData::I64(vec![GAIA, GAIA]),
    ];
    for (column, expected) in t.columns.iter().zip(expected) {
        let has_null = !matches!(column.name.as_str(), "u" | "all");
        assert_eq!(column.data, expected, "{}", column.name);
        assert_eq!(nulls(column), [false, has_null], "{}", column.name);
    }
    for name in ["t.fits", "t.parquet"] {
        assert!(same(&round_trip(&t, name), &t), "{name}");
    }
    // Truth values as bytes of 0 and 1: not the standard, but clear.
    let bytes = fits(&[("l", "L", &[])], &[], &[&[1], &[0], &[1]]);
    let t = read("t.fits", &bytes).unwrap().table;
    assert_eq!(
        t.columns[0],
        Column::new("l", "", "", ColumnData::Bool(vec![true, false, true]))
    );
}

#[test]
fn fits_vectors_are_named_with_their_type() {
    let columns: [(&str, &str, &[(&str, i128)]); 5] = [
        ("star", "1A", &[]),
        ("v", "2E", &[]),
        ("list", "1PD(3)", &[]),
        ("words", "4A", &[]),
        ("", "1B", &[]),
    ];
    let row = [b'a'; 1 + 8 + 8 + 4 + 1];
    let t = read("t.fits", &fits(&columns, &["", "", "", "(2,2)"], &[&row])).unwrap();
    let names: Vec<_> = t.table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["star", "col5"]);
    for (skipped, what) in t.skipped.iter().zip([
        "vectors of 2 32-bit floats (TFORM 2E)",
        "lists of any length",
        "texts",
    ]) {
        assert!(
            skipped.reason.contains(what) && skipped.reason.contains("would serve"),
            "{skipped:?}"
        );
    }
    assert_eq!(t.skipped.len(), 3);
}

#[test]
fn rows_that_a_fits_header_leaves_out_are_an_error() {
    let rows: Vec<&[u8]> = vec![&[b'a'; 100]; 40];
    let mut bytes = fits(&[("star", "100A", &[])], &[], &rows);
    assert_eq!(read("t.fits", &bytes).unwrap().table.n_rows(), 40);
    let at = bytes
        .windows(30)
        .position(|w| w.starts_with(b"NAXIS2  =") && w.ends_with(b"40"))
        .unwrap();
    for fewer in [b"39", b" 9"] {
        bytes[at + 28..at + 30].copy_from_slice(fewer);
        assert!(message("t.fits", &bytes).contains("more data"));
    }
}

#[test]
fn strings_of_any_length_in_fits_headers_come_back_and_cfitsio_agrees() {
    let mut t = Table::new();
    let name = "n".repeat(90);
    let unit = format!("{} & 'quoted' {}", "u".repeat(70), "v".repeat(70));
    let meaning = "it's long ".repeat(40);
    t.push_i32(&name, &unit, meaning.trim_end(), vec![1]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("{}.fits", "f".repeat(80)));
    t.write(&path).unwrap();
    assert!(same(&Table::read(&path).unwrap(), &t));
    let mut file = fitsio::FitsFile::open(&path).unwrap();
    let hdu = file.hdu(1).unwrap();
    let told: String = hdu.read_key(&mut file, "TUNIT1").unwrap();
    // The binding takes a string of one card; this one goes on behind it.
    assert!(unit.starts_with(told.trim_end_matches('&')), "{told}");
}
