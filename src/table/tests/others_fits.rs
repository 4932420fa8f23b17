//! FITS tables as astropy, cfitsio and numpy write them.

use super::others::{GAIA, message, nulls, read};
use super::*;
use crate::fits::header_text::HeaderText;

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

/// Name, TFORM and further keys of a column.
type FitsColumn<'a> = (&'a str, &'a str, &'a [(&'a str, i128)]);

/// A binary table, its rows as bytes.
fn fits(columns: &[FitsColumn<'_>], shapes: &[&str], rows: &[&[u8]]) -> Vec<u8> {
    let mut primary = HeaderText::default();
    primary.logical("SIMPLE", true, "");
    primary.integer("BITPIX", 8, "");
    primary.integer("NAXIS", 0, "");
    let mut bytes = primary.finish();
    let mut header = HeaderText::default();
    header.text("XTENSION", "BINTABLE", "");
    header.integer("BITPIX", 8, "");
    header.integer("NAXIS", 2, "");
    header.integer("NAXIS1", rows[0].len() as i128, "");
    header.integer("NAXIS2", rows.len() as i128, "");
    header.integer("PCOUNT", 0, "");
    header.integer("GCOUNT", 1, "");
    header.integer("TFIELDS", columns.len() as i128, "");
    for (i, (name, form, keys)) in columns.iter().enumerate() {
        header.text(&format!("TTYPE{}", i + 1), name, "");
        header.text(&format!("TFORM{}", i + 1), form, "");
        for (key, value) in *keys {
            header.integer(&format!("{key}{}", i + 1), *value, "");
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
    let columns: [FitsColumn<'_>; 8] = [
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
    let columns: [FitsColumn<'_>; 5] = [
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
