//! Parquet files as pandas, polars, astropy and Spark write them.

use std::sync::Arc;

use ::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::{ByteArray, Int96};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

use super::others::{GAIA, message, nulls, read, texts};
use super::*;

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
