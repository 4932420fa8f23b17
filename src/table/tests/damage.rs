//! Three thousand damaged files of each format: an error, or a table with all rows.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::fits::BLOCK;
use crate::fits::header_text::HeaderText;

const FILES: usize = 3000;

/// An identity of 19 digits, which a float does not hold.
const GAIA_LIKE: i64 = 4_315_949_800_534_220_000;

/// A table whose cells make every kind of trouble: quotes, commas, nulls.
fn table() -> Table {
    let n = 60;
    let mut t = Table::new();
    let texts = ["plain", "a,b", "say \"x\"", "", "\u{e9}t\u{e9}"];
    t.push_i64(
        "star",
        "",
        "identity",
        (0..n).map(|i| GAIA_LIKE + i).collect(),
    )
    .push_f64(
        "rv",
        "km/s",
        "velocity",
        (0..n).map(|i| i as f64 / 7.0).collect(),
    )
    .push_bool("ok", "", "", (0..n).map(|i| i % 3 == 0).collect())
    .push_text(
        "note",
        "",
        "",
        (0..n as usize).map(|i| texts[i % 5].to_owned()).collect(),
    );
    for column in [0, 2] {
        t.columns[column].nulls = Some((0..n).map(|i| i % 11 == 5).collect());
    }
    t
}

/// One accident: other bytes, too few, too many, the end cut off, a block of zeros.
fn damage(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let at = rng.random_range(0..bytes.len());
    // Bytes that mean something to one format or another come more often.
    const TELLING: &[u8] = b"\"\"\n\r,#\0 '-0123456789eE.&/TFxXABDKP\xff\xfe";
    let byte = if rng.random_bool(0.5) {
        TELLING[rng.random_range(0..TELLING.len())]
    } else {
        rng.random()
    };
    match rng.random_range(0..10) {
        0..=4 => bytes[at] = byte,
        5 => bytes.insert(at, byte),
        6 => {
            bytes.remove(at);
        }
        7 => bytes.truncate(at),
        8 => {
            let end = (at + rng.random_range(1..200)).min(bytes.len());
            bytes[at..end].fill(0);
        }
        _ => {
            let end = (at + rng.random_range(1..60)).min(bytes.len());
            bytes.drain(at..end);
        }
    }
}

/// Reads damaged files; gives how many of them could be read. `rows` tells how many rows damaged bytes hold.
fn read_damaged(name: &str, n_files: usize, rows: impl Fn(&[u8], &Table) -> usize) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let whole = match name.strip_suffix(".gz") {
        Some(inner) => {
            let inner = dir.path().join(inner);
            table().write(&inner).unwrap();
            let bytes = std::fs::read(&inner).unwrap();
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gz, &bytes).unwrap();
            gz.finish().unwrap()
        }
        None => {
            table().write(&path).unwrap();
            std::fs::read(&path).unwrap()
        }
    };
    read_copies(name, &whole, n_files, rows)
}

/// The same of copies of these bytes.
fn read_copies(
    name: &str,
    whole: &[u8],
    n_files: usize,
    rows: impl Fn(&[u8], &Table) -> usize,
) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut n_read = 0;
    for i in 0..n_files {
        let mut bytes = whole.to_vec();
        damage(&mut bytes, &mut rng);
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(read) = Table::read(&path) {
            assert_eq!(read.n_rows(), rows(&bytes, &read), "{name}, file {i}");
            read.check().unwrap();
            n_read += 1;
        }
    }
    n_read
}

#[test]
fn damaged_fits_gives_all_rows_or_an_error() {
    let n_read = read_damaged("t.fits", FILES, |_, _| 60);
    assert!(n_read > FILES / 20, "{n_read}");
}

#[test]
fn damaged_ascii_fits_gives_all_rows_or_an_error() {
    let n = 60;
    let row = |i: usize| {
        format!(
            "{:>19} {:>8.3} {:<6}",
            4_315_949_800_534_220_000 + i,
            i as f64,
            "a b"
        )
    };
    let mut primary = HeaderText::default();
    primary
        .logical("SIMPLE", true, "")
        .integer("BITPIX", 8, "")
        .integer("NAXIS", 0, "");
    let mut header = HeaderText::default();
    header
        .text("XTENSION", "TABLE", "")
        .integer("BITPIX", 8, "")
        .integer("NAXIS", 2, "")
        .integer("NAXIS1", row(0).len() as u64, "")
        .integer("NAXIS2", n as u64, "")
        .integer("PCOUNT", 0, "")
        .integer("GCOUNT", 1, "")
        .integer("TFIELDS", 3, "");
    for (i, (form, start)) in [("I19", 1), ("F8.3", 21), ("A6", 30)]
        .into_iter()
        .enumerate()
    {
        header
            .text(&format!("TFORM{}", i + 1), form, "")
            .text(&format!("TTYPE{}", i + 1), &format!("c{i}"), "")
            .integer(&format!("TBCOL{}", i + 1), start, "");
    }
    let mut whole = [primary.finish(), header.finish()].concat();
    (0..n).for_each(|i| whole.extend(row(i).bytes()));
    whole.resize(whole.len().next_multiple_of(BLOCK), b' ');
    let n_read = read_copies("t.fits", &whole, FILES, |_, _| n);
    assert!(n_read > FILES / 20, "{n_read}");
}

#[test]
fn damaged_parquet_gives_all_rows_or_an_error() {
    let n_read = read_damaged("t.parquet", FILES, |_, _| 60);
    assert!(n_read > FILES / 20, "{n_read}");
}

#[test]
fn damaged_csv_gives_a_row_for_every_line_or_an_error() {
    let lines = |bytes: &[u8], read: &Table| {
        let lines = bytes.split(|&b| b == b'\n' || b == b'\r');
        let is_blank = |line: &&[u8]| line.trim_ascii().is_empty();
        let n_lines = lines.filter(|line| !is_blank(line)).count() - 1;
        // A line break may have come into a cell with quotes. A cell that holds a row is longer than that.
        let mut n_broken = 0;
        for column in &read.columns {
            for row in 0..read.n_rows() {
                let cell = column.text_at(row);
                if cell.contains(['\n', '\r']) {
                    assert!(cell.len() < 30, "{cell:?}");
                    n_broken += 1;
                }
            }
        }
        n_lines - n_broken
    };
    let n_read = read_damaged("t.csv", FILES, lines);
    assert!(n_read > FILES / 20, "{n_read}");
}

/// The same table as a VOTable, which says how many rows it has.
fn votable(data: &str) -> String {
    format!(
        "<VOTABLE><RESOURCE><TABLE nrows=\"60\"><FIELD name=\"star\" datatype=\"long\"/><FIELD name=\"rv\" datatype=\"double\" unit=\"km/s\"/>\
         <FIELD name=\"ok\" datatype=\"boolean\"/><FIELD name=\"note\" datatype=\"char\" arraysize=\"*\"/><DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>"
    )
}

#[test]
fn damaged_votables_give_all_rows_or_an_error() {
    let t = table();
    let cell = |column: &Column, row: usize| {
        let text = column
            .text_at(row)
            .replace('&', "&amp;")
            .replace('<', "&lt;");
        format!("<TD>{text}</TD>")
    };
    let row = |row: usize| -> String {
        let cells: String = t.columns.iter().map(|c| cell(c, row)).collect();
        format!("<TR>{cells}</TR>\n")
    };
    let rows: String = (0..t.n_rows()).map(row).collect();
    let text = votable(&format!("<TABLEDATA>{rows}</TABLEDATA>"));
    let n_read = read_copies("t.vot", text.as_bytes(), FILES, |_, _| 60);
    assert!(n_read > FILES / 20, "{n_read}");

    let mut bytes = Vec::new();
    for row in 0..t.n_rows() {
        bytes.push(if row % 11 == 5 { 0b1010_0000 } else { 0 });
        bytes.extend((GAIA_LIKE + row as i64).to_be_bytes());
        bytes.extend((row as f64 / 7.0).to_be_bytes());
        bytes.push(b"TF"[row % 2]);
        let note = &t.columns[3].text_at(row);
        bytes.extend((note.len() as u32).to_be_bytes());
        bytes.extend(note.as_bytes());
    }
    let base64 = others_votable::base64(&bytes);
    let text = votable(&format!(
        "<BINARY2><STREAM encoding=\"base64\">{base64}</STREAM></BINARY2>"
    ));
    let n_read = read_copies("t.vot", text.as_bytes(), FILES, |_, _| 60);
    assert!(n_read > FILES / 20, "{n_read}");
}

#[test]
fn damaged_gzip_gives_all_rows_or_an_error() {
    // What was lost cannot be seen from here; the check sum can.
    read_damaged("t.fits.gz", FILES / 10, |_, _| 60);
    read_damaged("t.csv.gz", FILES / 10, |_, _| 60);
}
