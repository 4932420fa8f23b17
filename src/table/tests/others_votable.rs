//! VOTables as others write them.

use proptest::prelude::*;

use super::others::{GAIA, message, nulls, read, texts};
use super::*;

/// A VOTable with these fields and this content of DATA.
fn votable(fields: &str, data: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <TABLE> -->\n<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n\
         <RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE/><TABLE name=\"vels\">\n\
         <DESCRIPTION>of the table</DESCRIPTION><PARAM name=\"p\" datatype=\"int\" value=\"1\"/>\n{fields}\n<DATA>{data}</DATA></TABLE>\n\
         <TABLE name=\"another\"><FIELD name=\"x\" datatype=\"int\"/></TABLE></RESOURCE></VOTABLE>\n"
    )
}

/// Fields of every type.
const FIELDS: &str = "<FIELD name=\"source_id\" datatype=\"long\" ucd=\"meta.id;meta.main\"><VALUES null=\"-1\"/></FIELD>
<FIELD name=\"visit\" datatype=\"int\"/>
<FIELD ID=\"RV\" datatype=\"double\" unit=\"m/s\"><DESCRIPTION>radial
  velocity</DESCRIPTION></FIELD>
<FIELD name=\"e_RV\" datatype=\"float\" unit=\"m/s\"/>
<FIELD name=\"ok\" datatype=\"boolean\"/>
<FIELD name=\"note\" datatype=\"char\" arraysize=\"*\"/>
<FIELD name=\"code\" datatype=\"unicodeChar\" arraysize=\"3\"/>
<FIELD name=\"small\" datatype=\"unsignedByte\"/>
<FIELD name=\"pair\" datatype=\"short\" arraysize=\"2\"/>";

/// Two rows of these, the second without most of its values.
fn rows() -> String {
    format!(
        "<TABLEDATA><TR><TD>{GAIA}</TD><TD>0x10</TD><TD> -1.5e3 </TD><TD>2</TD><TD>T</TD><TD>a &lt; b &amp; &#233;<![CDATA[<]]></TD><TD>\u{e9}t</TD>\
         <TD>255</TD><TD>1 2</TD></TR>\n<TR><TD>-1</TD><TD/><TD></TD><TD>NaN</TD><TD>?</TD><TD/><TD> </TD><TD/><TD/></TR></TABLEDATA>"
    )
}

fn check(name: &str, bytes: &[u8]) {
    let found = read(name, bytes).unwrap();
    let t = &found.table;
    let names: Vec<&str> = t.columns.iter().map(|c| &*c.name).collect();
    assert_eq!(
        names,
        [
            "source_id",
            "visit",
            "RV",
            "e_RV",
            "ok",
            "note",
            "code",
            "small"
        ]
    );
    let of = |name: &str| t.column(name).unwrap();
    assert_eq!(of("source_id").data, ColumnData::I64(vec![GAIA, 0]));
    assert_eq!(of("source_id").ucd, "meta.id;meta.main");
    assert_eq!(of("visit").data, ColumnData::I32(vec![16, 0]));
    for name in ["source_id", "visit", "RV", "e_RV", "ok", "small"] {
        assert_eq!(nulls(of(name)), [false, true], "{name}");
    }
    let rv = of("RV");
    assert_eq!((texts(rv)[0].as_str(), &*rv.unit), ("-1500.0", "m/s"));
    assert_eq!(rv.meaning, "radial velocity");
    assert_eq!(of("ok").text_at(0), "true");
    assert_eq!(texts(of("note")), ["a < b & \u{e9}<", ""]);
    assert_eq!(of("code").text_at(0), "\u{e9}t");
    assert_eq!(of("small").text_at(0), "255");
    let skipped = &found.skipped[0];
    assert_eq!((found.skipped.len(), &*skipped.column), (1, "pair"));
    assert!(skipped.reason.contains("several of short"), "{skipped:?}");
}

#[test]
fn types_units_and_nulls_are_those_of_the_fields() {
    let text = votable(FIELDS, &rows());
    for name in ["t.vot", "t.votable", "t.xml"] {
        check(name, text.as_bytes());
    }
    let prefixed = text
        .replace("<TD", "<v:TD")
        .replace("</TD", "</v:TD")
        .replace("xmlns=", "xmlns:v=");
    check("t.vot", prefixed.as_bytes());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, text.as_bytes()).unwrap();
    check("t.vot.gz", &gz.finish().unwrap());
    let more = text.replace("value=\"OK\"", "value=\"OVERFLOW\"");
    let notes = read("t.vot", more.as_bytes()).unwrap().notes;
    assert!(notes[0].contains("not the whole answer"), "{notes:?}");
}

/// Bytes in base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let of = |three: &[u8]| {
        let bits = (0..3).fold(0_u32, |bits, i| {
            bits << 8 | u32::from(three.get(i).copied().unwrap_or(0))
        });
        let letter = |i: usize| match i <= three.len() {
            true => char::from(LETTERS[(bits >> (18 - 6 * i)) as usize & 63]),
            false => '=',
        };
        [letter(0), letter(1), letter(2), letter(3)]
    };
    bytes.chunks(3).flat_map(of).collect()
}

/// The same two rows in bytes.
fn bytes(has_marks: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut row = |marks: [u8; 2],
                   id: i64,
                   visit: i32,
                   rv: f64,
                   err: f32,
                   ok: u8,
                   note: &str,
                   code: [u16; 3]| {
        if has_marks {
            out.extend(marks);
        }
        out.extend(id.to_be_bytes());
        out.extend(visit.to_be_bytes());
        out.extend(rv.to_be_bytes());
        out.extend(err.to_be_bytes());
        out.push(ok);
        out.extend((note.len() as u32).to_be_bytes());
        out.extend(note.as_bytes());
        out.extend(code.iter().flat_map(|c| c.to_be_bytes()));
        out.extend([255, 0, 1, 0, 2]);
    };
    let code = [0xe9, u16::from(b't'), 0];
    row(
        [0, 0],
        GAIA,
        16,
        -1500.0,
        2.0,
        b'T',
        "a < b & \u{e9}<",
        code,
    );
    row(
        [0b0100_0001, 0x80],
        -1,
        7,
        f64::NAN,
        f32::NAN,
        b'?',
        "",
        [0; 3],
    );
    out
}

#[test]
fn binary_rows_are_those_of_text() {
    let stream = |element: &str, bytes: &[u8]| {
        format!(
            "<{element}><STREAM encoding=\"base64\">\n{}\n</STREAM></{element}>",
            base64(bytes)
        )
    };
    check(
        "t.vot",
        votable(FIELDS, &stream("BINARY2", &bytes(true))).as_bytes(),
    );
    // Without marks the integers need a number that stands for none.
    let fields = FIELDS.replace(
        "\"visit\" datatype=\"int\"/>",
        "\"visit\" datatype=\"int\"><VALUES null=\"7\"/></FIELD>",
    );
    let mut plain = bytes(false);
    let at = plain.len() - 5;
    plain[at] = 9;
    let fields = fields.replace(
        "\"unsignedByte\"/>",
        "\"unsignedByte\"><VALUES null=\"9\"/></FIELD>",
    );
    check(
        "t.vot",
        votable(&fields, &stream("BINARY", &plain)).as_bytes(),
    );
    for n in 1..plain.len() {
        let cut = votable(&fields, &stream("BINARY", &plain[..n]));
        match read("t.vot", cut.as_bytes()) {
            Ok(found) => assert_eq!(found.table.n_rows(), 1, "{n}"),
            Err(e) => assert!(e.to_string().contains("TABLE \"vels\", row "), "{e}"),
        }
    }
}

#[test]
fn errors_name_table_row_and_column() {
    let text = votable(FIELDS, &rows());
    let said = |text: &str| message("t.vot", text.as_bytes());
    for (from, to, says) in [
        (
            "<TD>2</TD>",
            "<TD>two</TD>",
            "TABLE \"vels\", row 1, column e_RV: expected float, found \"two\"",
        ),
        (
            "<TD>1 2</TD>",
            "",
            "TABLE \"vels\", row 1: expected 9 cells, found 8",
        ),
        (
            "<TD>1 2</TD>",
            "<TD>1 2</TD><TD/>",
            "row 1: expected 9 cells, found 10",
        ),
        (
            "<TABLE name=\"vels\">",
            "<TABLE name=\"vels\" nrows=\"3\">",
            "expected 3 rows, as nrows says, found 2",
        ),
        (
            "arraysize=\"2\"",
            "arraysize=\"two\"",
            "FIELD 9: expected an arraysize",
        ),
        ("&amp;", "&lol;", "the entity &lol; is unknown"),
        ("</TABLEDATA>", "", "byte "),
        (
            "<VOTABLE",
            "<html><VOTABLE",
            "expected a VOTABLE element, found html",
        ),
        (
            "value=\"OK\"/>",
            "value=\"ERROR\">too slow</INFO>",
            "failed: too slow",
        ),
        (
            "<TABLEDATA>",
            "<BINARY><STREAM href=\"x\"/></BINARY><TABLEDATA>",
            "found them elsewhere: x",
        ),
        ("<TABLEDATA>", "<FITS/><TABLEDATA>", "found FITS"),
    ] {
        assert!(text.contains(from));
        let told = said(&text.replacen(from, to, 1));
        assert!(told.contains(says), "{told}");
    }
    let told = said(&votable("", "").replace("<FIELD name=\"x\" datatype=\"int\"/>", ""));
    assert!(told.contains("a TABLE with FIELDs"), "{told}");
    let deep = format!("<VOTABLE>{}", "<RESOURCE>".repeat(1000));
    assert!(said(&deep).contains("nested too deeply"));
    // A file that is cut off is no table, wherever that is.
    for n in (0..text.trim_end().len()).filter(|n| text.is_char_boundary(*n)) {
        assert!(read("t.vot", &text.as_bytes()[..n]).is_err(), "{n}");
    }
}

proptest! {
    #[test]
    fn nothing_that_looks_like_a_votable_panics(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<VOTABLE>", "</VOTABLE>", "<TABLE nrows='1'>", "<TABLE>", "</TABLE>", "<FIELD datatype='int' name='a'/>",
            "<FIELD datatype='char' arraysize='0'/>", "<FIELD datatype='bit' arraysize='9x*'/>", "<FIELD datatype='x'/>",
            "<FIELD datatype='double' arraysize='9999999999999999999'/>", "<DATA>", "</DATA>", "<TABLEDATA>", "</TABLEDATA>",
            "<TR>", "</TR>", "<TD>", "</TD>", "<TD/>", "1", "x", "&#0;", "&#xD800;", "&amp;", "]]>", "<![CDATA[", "<BINARY2>", "</BINARY2>",
            "<STREAM encoding='base64'>", "</STREAM>", "AAAA", "////", "=", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<?x?>", "<!--", "-->",
        ]), 0..40)
    ) {
        let text = parts.concat();
        let found = read("t.vot", text.as_bytes());
        if let Ok(found) = found {
            found.table.check().unwrap();
        }
    }
}
