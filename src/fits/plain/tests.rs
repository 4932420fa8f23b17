use super::*;
use crate::fits::reader::{Part, split};
use crate::fits::vectors::BinTable;

/// Header of an ASCII table with columns of these formats behind each other, one blank between them.
fn ascii_header(
    forms: &[&str],
    rows: usize,
    more: impl FnOnce(&mut HeaderText),
) -> (Vec<u8>, usize) {
    let mut text = HeaderText::default();
    let mut starts = Vec::new();
    let mut row_len = 0;
    for form in forms {
        starts.push(row_len + 1);
        row_len += ascii_form(form).unwrap().1 + 1;
    }
    text.text("XTENSION", "TABLE", "")
        .integer("BITPIX", 8, "")
        .integer("NAXIS", 2, "")
        .integer("NAXIS1", row_len as u64, "")
        .integer("NAXIS2", rows as u64, "")
        .integer("TFIELDS", forms.len() as u64, "");
    for (i, form) in forms.iter().enumerate() {
        text.text(&format!("TFORM{}", i + 1), form, "")
            .text(&format!("TTYPE{}", i + 1), &format!("c{}", i + 1), "")
            .integer(&format!("TBCOL{}", i + 1), starts[i] as u64, "");
    }
    more(&mut text);
    (text.finish(), row_len)
}

/// Reads a table of these rows, cells behind each other with a blank between them.
fn of_rows(
    forms: &[&str],
    rows: &[&str],
    more: impl FnOnce(&mut HeaderText),
) -> Result<Vec<u8>, String> {
    let (bytes, row_len) = ascii_header(forms, rows.len(), more);
    let (header, _) = Header::parse(&bytes).unwrap();
    let data: String = rows.iter().map(|row| format!("{row:<row_len$}")).collect();
    of_ascii(&header, data.as_bytes())
}

/// The columns of the table that was made, as floats.
fn floats(bytes: &[u8], n: usize) -> Vec<Vec<f64>> {
    let mut primary = HeaderText::default();
    primary
        .logical("SIMPLE", true, "")
        .integer("BITPIX", 8, "")
        .integer("NAXIS", 0, "");
    let file = [primary.finish(), bytes.to_vec()].concat();
    let parts = split(&file).unwrap();
    let Part::Hdu(hdu) = &parts[1] else {
        panic!("{parts:?}")
    };
    let table = BinTable::parse(hdu).unwrap();
    let column = |i: usize| {
        table
            .column(&format!("c{}", i + 1))
            .unwrap()
            .to_f64()
            .unwrap()
    };
    (0..n).map(column).collect()
}

#[test]
fn numbers_of_every_spelling() {
    let rows = [
        "   12 1.5      2.5E+03   -0.25D1",
        "-0007 125      -1e2      3",
    ];
    let made = of_rows(&["I5", "F8.2", "E9.2", "D10.3"], &rows, |_| {}).unwrap();
    let expected = [
        vec![12.0, -7.0],
        // Without a point, the last two digits are behind it.
        vec![1.5, 1.25],
        vec![2500.0, -1.0],
        vec![-2.5, 0.003],
    ];
    assert_eq!(floats(&made, 4), expected);
}

#[test]
fn what_has_no_value_is_no_zero() {
    let rows = ["   12 1.5", "          ", "  -99 ---"];
    let made = of_rows(&["I5", "F4.1"], &rows, |h| {
        h.text("TNULL1", "-99", "").text("TNULL2", "---", "");
    })
    .unwrap();
    let columns = floats(&made, 2);
    for column in &columns {
        assert!(
            !column[0].is_nan() && column[1].is_nan() && column[2].is_nan(),
            "{columns:?}"
        );
    }
}

#[test]
fn scales_are_kept() {
    let made = of_rows(&["I5"], &["   12"], |h| {
        h.number("TSCAL1", "0.5", "").number("TZERO1", "100", "");
    });
    assert_eq!(floats(&made.unwrap(), 1), [[106.0]]);
}

#[test]
fn what_is_no_number_is_named() {
    for (form, cell, expected) in [
        (
            "I5",
            "1.5",
            "column c1, row 2: expected an integer, found '1.5  '",
        ),
        ("I19", "9223372036854775808", "expected an integer"),
        ("F5.1", "1..5", "expected a number"),
        ("E5.1", "1E", "expected a number"),
        ("D5.1", "x", "expected a number"),
    ] {
        let problem = of_rows(&[form], &["1", cell], |_| {}).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn headers_that_lie_are_refused() {
    let (bytes, row_len) = ascii_header(&["I5", "A3"], 10, |_| {});
    let data = vec![b' '; 10 * row_len];
    let text = String::from_utf8(bytes).unwrap();
    let read = |text: &str, data: &[u8]| {
        let (header, _) = Header::parse(text.as_bytes()).unwrap();
        of_ascii(&header, data).map(drop)
    };
    assert_eq!(read(&text, &data), Ok(()));
    let cut = read(&text, &data[..35]).unwrap_err();
    assert!(cut.contains("end of the file in row 4"), "{cut}");
    let card = |key: &str, value: &str| format!("{key:<8}= {value:>20}");
    for (key, old, new) in [
        ("NAXIS1", "10", "0"),
        ("NAXIS1", "10", "9223372036854775807"),
        ("NAXIS2", "10", "9223372036854775807"),
        ("NAXIS2", "10", "-1"),
        ("TFIELDS", "2", "3"),
        ("TFIELDS", "2", "1099511627776"),
        ("TBCOL2", "7", "0"),
        ("TBCOL2", "7", "9"),
        ("TBCOL2", "7", "9223372036854775807"),
    ] {
        let (old, new) = (card(key, old), card(key, new));
        assert!(text.contains(&old), "{old}");
        assert!(read(&text.replace(&old, &new), &data).is_err(), "{new}");
    }
    // Columns upon each other would make a small table large.
    let wide = text
        .replace("'A3      '", "'A9      '")
        .replace(&card("TBCOL2", "7"), &card("TBCOL2", "1"));
    assert!(
        read(&wide, &data)
            .unwrap_err()
            .contains("the columns take more")
    );
}

/// A table of one row with two lists, of floats and of 16-bit integers.
fn lists_hdu(first: [u32; 2], second: [u32; 2]) -> Vec<u8> {
    let mut text = HeaderText::default();
    text.text("XTENSION", "BINTABLE", "")
        .integer("BITPIX", 8, "")
        .integer("NAXIS", 2, "")
        .integer("NAXIS1", 16, "")
        .integer("NAXIS2", 1, "")
        .integer("PCOUNT", 16, "")
        .integer("GCOUNT", 1, "")
        .integer("TFIELDS", 2, "")
        .text("TFORM1", "1PE(2)", "")
        .text("TTYPE1", "c1", "")
        .text("TFORM2", "PI", "")
        .text("TTYPE2", "c2", "")
        .integer("TNULL2", -1, "");
    let mut primary = HeaderText::default();
    primary
        .logical("SIMPLE", true, "")
        .integer("BITPIX", 8, "")
        .integer("NAXIS", 0, "");
    let mut bytes = [primary.finish(), text.finish()].concat();
    bytes.extend(
        [first, second]
            .concat()
            .iter()
            .flat_map(|x| x.to_be_bytes()),
    );
    bytes.extend([1.5f32, -2.5].iter().flat_map(|x| x.to_be_bytes()));
    bytes.extend([7i16, -1, 3, 4].iter().flat_map(|x| x.to_be_bytes()));
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn of_first_table(bytes: &[u8]) -> Option<Result<Vec<u8>, String>> {
    match &split(bytes).unwrap()[1] {
        Part::Hdu(hdu) => of_lists(hdu),
        gap => panic!("{gap:?}"),
    }
}

#[test]
fn lists_become_vectors() {
    let made = of_first_table(&lists_hdu([2, 0], [3, 8])).unwrap().unwrap();
    let columns = floats(&made, 2);
    assert_eq!(columns[0], [1.5, -2.5]);
    assert_eq!(columns[1][0], 7.0);
    assert!(columns[1][1].is_nan(), "{columns:?}");
    assert_eq!(columns[1][2], 3.0);
}

#[test]
fn lists_outside_of_the_data_are_refused() {
    for (first, second) in [
        ([5, 0], [1, 8]),
        ([2, 12], [1, 8]),
        ([u32::MAX, 0], [1, 8]),
        ([2, u32::MAX], [1, 8]),
        ([0x7fff_ffff, 0], [0x7fff_ffff, 0]),
        // Each of them fits, but not both.
        ([4, 0], [4, 0]),
    ] {
        let made = of_first_table(&lists_hdu(first, second)).unwrap();
        assert!(made.is_err(), "{first:?} {second:?}");
    }
}
