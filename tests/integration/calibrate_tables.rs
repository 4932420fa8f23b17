//! `relrv calibrate` on tables that people write: nothing of them is lost, and what cannot serve is named.

use std::collections::BTreeSet;
use std::path::Path;

use relrv::table::{Column, ColumnData, Table};

use crate::support::{folder, relrv, root, run_measure, told};

const STARS: usize = 12;
const EXPOSURES: usize = 8;

/// An identity as Gaia's: a float would take it for its neighbour.
fn gaia(star: usize) -> i64 {
    4_315_949_800_534_220_000 + star as i64
}

fn rv(star: usize, exposure: usize) -> f64 {
    0.03 * ((7 * star + 5 * exposure) % 11) as f64 + exposure as f64
}

/// Rows as CSV: what `cells` gives for a star and an exposure.
fn csv(header: &str, cells: impl Fn(usize, usize) -> String) -> String {
    let mut text = format!("{header}\n");
    for star in 0..STARS {
        for exposure in 0..EXPOSURES {
            text += &format!("{}\n", cells(star, exposure));
        }
    }
    text
}

/// The usual columns.
fn plain(star: usize, exposure: usize) -> String {
    format!("s{star:02},{exposure},{},0.1", rv(star, exposure))
}

const PLAIN: &str = "star,exposure,rv,rv_err";

struct Calibrated {
    status: i32,
    told: String,
    error: String,
    /// `calibrated` as FITS, CSV and Parquet, and the JSON; nothing after an error.
    tables: Vec<Table>,
    json: serde_json::Value,
    n_stars: usize,
}

impl Calibrated {
    fn n_usable(&self) -> u64 {
        self.json["arms"][0]["n_usable"].as_u64().unwrap_or(0)
    }
}

fn calibrate(name: &str, bytes: impl AsRef<[u8]>) -> Calibrated {
    let folder = folder();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    calibrate_file(&path)
}

fn calibrate_table(name: &str, table: &Table) -> Calibrated {
    let folder = folder();
    let path = folder.path().join(name);
    table.write(&path).unwrap();
    calibrate_file(&path)
}

fn calibrate_file(path: &Path) -> Calibrated {
    let out = path.with_file_name("out");
    let args = [
        "calibrate",
        path.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    let (status, text, error) = told(&relrv(
        &[&args[..], &["--format", "fits,csv,parquet"]].concat(),
    ));
    let json = std::fs::read(out.join("calibration.json")).unwrap_or_default();
    let json = serde_json::from_slice(&json).unwrap_or_default();
    let mut tables = Vec::new();
    let mut n_stars = 0;
    if status != 1 {
        for ending in ["fits", "csv", "parquet"] {
            let table = Table::read(&out.join(format!("calibrated.{ending}"))).unwrap();
            assert_eq!(table.n_rows(), STARS * EXPOSURES, "rows in are rows out");
            tables.push(table);
        }
        n_stars = Table::read(&out.join("stars.fits")).unwrap().n_rows();
    } else {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(name), "the file is named: {error}");
    }
    for rust in ["Other(", "Utf8", "Some(", "None", "::", "panicked"] {
        assert!(
            !error.contains(rust) && !text.contains(rust),
            "{text}{error}"
        );
    }
    Calibrated {
        status,
        told: text,
        error,
        tables,
        json,
        n_stars,
    }
}

fn nulls(column: &Column) -> Vec<usize> {
    (0..column.data.len())
        .filter(|&row| column.is_null(row))
        .collect()
}

fn integers(column: &Column) -> BTreeSet<i64> {
    let ColumnData::I64(values) = &column.data else {
        panic!("{}: {}", column.name, column.data.type_name());
    };
    (0..values.len())
        .filter(|&row| !column.is_null(row))
        .map(|row| values[row])
        .collect()
}

/// A table of all types: identities, and columns that are kept.
fn complete() -> Table {
    let rows = || (0..STARS).flat_map(|s| (0..EXPOSURES).map(move |e| (s, e)));
    let n = STARS * EXPOSURES;
    let mut t = Table::new();
    t.push_i64("star", "", "", rows().map(|(s, _)| gaia(s)).collect())
        .push_i32("exposure", "", "", rows().map(|(_, e)| e as i32).collect())
        .push_f64("rv", "km/s", "", rows().map(|(s, e)| rv(s, e)).collect())
        .push_f64("rv_err", "km s-1", "", vec![0.1; n])
        .push_i64(
            "source_id",
            "",
            "kept",
            rows().map(|(s, _)| gaia(s) + 100).collect(),
        )
        .push_bool(
            "is_giant",
            "",
            "kept",
            rows().map(|(s, _)| s % 2 == 0).collect(),
        )
        .push_f32("mag", "mag", "kept", vec![12.5; n])
        .push_text(
            "note",
            "",
            "kept",
            rows().map(|(s, _)| format!("\u{e9}{s}")).collect(),
        );
    t
}

/// The same with one value of each missing, in another row.
fn with_nulls() -> Table {
    let mut t = complete();
    for (column, row) in [(0, 5), (1, 20), (4, 40), (5, 50), (7, 60)] {
        let column = &mut t.columns[column];
        column.nulls = Some((0..STARS * EXPOSURES).map(|i| i == row).collect());
        // What readers put in place of a value.
        match &mut column.data {
            ColumnData::I64(v) => v[row] = 0,
            ColumnData::I32(v) => v[row] = 0,
            ColumnData::Bool(v) => v[row] = false,
            ColumnData::Text(v) => v[row].clear(),
            ColumnData::F64(_) | ColumnData::F32(_) => {}
        }
    }
    t
}

#[test]
fn a_missing_identity_concerns_its_row_alone_and_every_column_comes_back_as_it_came() {
    for name in ["t.fits", "t.parquet", "t.csv"] {
        let input = with_nulls();
        let out = calibrate_table(name, &input);
        assert_eq!(
            (out.status, out.n_stars),
            (2, STARS),
            "{name}: {}{}",
            out.told,
            out.error
        );
        assert_eq!(out.n_usable(), (STARS * EXPOSURES - 2) as u64, "{name}");
        assert!(
            out.told
                .contains("2 RVs flagged: star or exposure without a name"),
            "{}",
            out.told
        );
        for table in &out.tables {
            let column = |name: &str| table.column(name).unwrap();
            assert_eq!(
                integers(column("star")),
                (0..STARS).map(gaia).collect(),
                "{name}"
            );
            assert_eq!(integers(column("source_id")).len(), STARS, "{name}");
            for (kept, row) in [
                ("star", 5),
                ("exposure", 20),
                ("source_id", 40),
                ("is_giant", 50),
            ] {
                assert_eq!(nulls(column(kept)), [row], "{name}: {kept}");
            }
            let flags = column("cal_flags").to_f64().unwrap();
            let flagged: Vec<usize> = (0..flags.len())
                .filter(|&i| flags[i] as i32 & 4 != 0)
                .collect();
            assert_eq!(flagged, [5, 20], "{name}");
        }
        if name != "t.csv" {
            // FITS and Parquet: type, null, unit and meaning, to the last bit.
            for table in [&out.tables[0], &out.tables[2]] {
                for column in &input.columns {
                    assert_eq!(Some(column), table.column(&column.name), "{name}");
                }
            }
        }
    }
}

#[test]
fn identities_in_csv_with_a_blank_or_a_word_stay_apart() {
    for word in ["", "NA", "null", "nan"] {
        let text = csv(PLAIN, |s, e| {
            let star = if (s, e) == (0, 5) {
                word.to_owned()
            } else {
                gaia(s).to_string()
            };
            format!("{star},{e},{},0.1", rv(s, e))
        });
        let out = calibrate("ids.csv", text);
        assert_eq!(
            (out.status, out.n_stars, out.n_usable()),
            (2, STARS, 95),
            "{word}: {}",
            out.told
        );
        for table in &out.tables {
            assert_eq!(integers(&table.columns[0]), (0..STARS).map(gaia).collect());
        }
    }
    // What was rounded before we saw it cannot be told apart, and is refused.
    let text = csv(PLAIN, |s, e| {
        format!("{:e},{e},{},0.1", gaia(s) as f64, rv(s, e))
    });
    let out = calibrate("rounded.csv", text);
    assert_eq!(out.status, 1);
    assert!(
        out.error
            .contains("column star, row 1: expected names as integers or text"),
        "{}",
        out.error
    );
    // 32 bits tell fewer apart.
    let mut t = complete();
    let minutes = (0..STARS * EXPOSURES).map(|i| (84_420_148 + i % EXPOSURES) as f32);
    t.columns[1].data = ColumnData::F32(minutes.collect());
    let out = calibrate_table("minutes.fits", &t);
    assert!(
        out.error.contains("column exposure, row 1"),
        "{}",
        out.error
    );
    // Whole numbers as floats, below that.
    let text = csv(PLAIN, |s, e| format!("{s}.0,{e},{},0.1", rv(s, e)));
    assert_eq!(calibrate("floats.csv", text).status, 0);
}

#[test]
fn numbers_are_read_alike_whatever_the_column_was_taken_for() {
    // With one odd cell the whole column is text.
    for (cell, n_usable) in [
        ("NA", 95),
        ("00.5", 96),
        ("0012", 96),
        ("+1.5", 96),
        ("null", 95),
        ("-", 95),
    ] {
        let text = csv(PLAIN, |s, e| match (s, e) {
            (0, 4) => format!("s00,4,{cell},0.1"),
            (0, 5) => "s00,5,+7,0.1".to_owned(),
            _ => plain(s, e),
        });
        let out = calibrate("odd.csv", text);
        assert_eq!(
            out.n_usable(),
            n_usable,
            "{cell}: {}{}",
            out.told,
            out.error
        );
    }
    let out = calibrate("odd.csv", csv(PLAIN, |s, e| format!("s{s},{e},1.5,x")));
    assert!(
        out.error
            .contains("column rv_err, row 1: expected a number, found \"x\""),
        "{}",
        out.error
    );
}

#[test]
fn the_row_numbers_of_pandas_are_a_column_like_any_other() {
    let text = csv(&format!(",{PLAIN}"), |s, e| {
        format!("{},{}", s * EXPOSURES + e, plain(s, e))
    });
    let out = calibrate("pandas.csv", text);
    assert_eq!((out.status, out.n_usable()), (0, 96), "{}", out.error);
    assert_eq!(out.tables[0].columns[0].name, "col1");
    assert_eq!(
        out.tables[0].columns[0].data,
        ColumnData::I64((0..96).collect())
    );
}

#[test]
fn an_ecsv_header_an_utf_16_file_and_gzip_under_any_name_are_read() {
    let text = csv(PLAIN, plain);
    let head = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: rv, unit: m / s, datatype: float64}\n# schema: astropy-2.0\n";
    let out = calibrate("e.csv", format!("{head}{text}"));
    assert_eq!(
        (out.status, &*out.json["unit"].to_string()),
        (0, "\"m / s\""),
        "{}",
        out.error
    );
    let wide: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, text.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    for (name, bytes) in [
        ("wide.csv", &wide),
        ("packed.csv", &gz),
        ("packed.csv.gz", &gz),
    ] {
        let out = calibrate(name, bytes);
        assert_eq!(
            (out.status, out.n_usable()),
            (0, 96),
            "{name}: {}",
            out.error
        );
    }
}

#[test]
fn units_count_by_meaning() {
    let table = |rv_unit: &str, err_unit: &str, err: f64| {
        let mut t = complete();
        t.columns.truncate(4);
        t.columns[2].unit = rv_unit.to_owned();
        t.columns[3].unit = err_unit.to_owned();
        t.columns[3].data = ColumnData::F64(vec![err; STARS * EXPOSURES]);
        t
    };
    let corrected = |out: &Calibrated| {
        out.tables[0]
            .column("rv_corr_err")
            .unwrap()
            .to_f64()
            .unwrap()[0]
    };
    let expected = calibrate_table("t.fits", &table("km/s", "km/s", 0.1));
    for spelling in ["km s-1", "km s**-1", "km.s-1", "km / s", ""] {
        let out = calibrate_table("t.fits", &table("km/s", spelling, 0.1));
        assert_eq!(
            (out.status, corrected(&out)),
            (0, corrected(&expected)),
            "{spelling}"
        );
        assert!(out.json.get("notes").is_none(), "{spelling}");
    }
    let out = calibrate_table("t.fits", &table("km/s", "m/s", 100.0));
    assert!((corrected(&out) / corrected(&expected) - 1.0).abs() < 1e-12);
    assert!(
        out.told
            .contains("column rv_err: its values in m/s were taken in km/s"),
        "{}",
        out.told
    );
    let out = calibrate_table("t.fits", &table("", "m/s", 100.0));
    assert_eq!(out.json["unit"], "m/s");
    let out = calibrate_table("t.fits", &table("km/s", "mag", 0.1));
    assert_eq!(out.status, 1);
    assert!(
        out.error.contains("km/s") && out.error.contains("found mag"),
        "{}",
        out.error
    );
}

#[test]
fn a_column_of_a_products_name_is_kept_under_another_and_said() {
    let text = csv(&format!("{PLAIN},constant,rv_corr,zp"), |s, e| {
        format!("{},{s},keep,{e}", plain(s, e))
    });
    let out = calibrate("mine.csv", text);
    assert_eq!(out.status, 0, "{}", out.error);
    for (old, new) in [("constant", "constant_input"), ("rv_corr", "rv_corr_input")] {
        let said = format!("column {old}: kept as {new}");
        assert!(
            out.told.contains(&said) && out.json["notes"].to_string().contains(&said),
            "{}",
            out.told
        );
    }
    for table in &out.tables {
        let column = |name: &str| table.column(name).unwrap();
        assert_eq!(column("constant_input").to_f64().unwrap()[95], 11.0);
        assert_eq!(column("rv_corr_input").text_at(0), "keep");
        assert_eq!(column("zp").to_f64().unwrap()[7], 7.0);
        // Integers in FITS.
        let verdict = column("constant").text_at(0);
        assert!(["true", "1"].contains(&verdict.as_str()), "{verdict}");
    }
    // What an earlier calibration wrote is no user's column.
    let again = calibrate_table("again.fits", &out.tables[0]);
    let names = |table: &Table| {
        table
            .columns
            .iter()
            .map(|c| c.name.clone())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&again.tables[0]), names(&out.tables[0]));
    assert!(
        again
            .told
            .contains("column constant: of an earlier calibration, replaced"),
        "{}",
        again.told
    );
}

#[test]
fn a_vector_for_a_number_is_named_with_its_type_and_so_is_the_file_in_every_message() {
    // By bytes: the program writes no vectors.
    let mut t = complete();
    t.columns.truncate(4);
    let folder = folder();
    let path = folder.path().join("vector.fits");
    for (column, status) in [("rv      ", 1), ("other   ", 0)] {
        let mut t = t.clone();
        if status == 0 {
            t.push_f64("other", "", "", vec![0.0; STARS * EXPOSURES]);
        }
        t.write(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let name = format!("= '{column}'");
        let at = bytes
            .windows(name.len())
            .position(|w| w == name.as_bytes())
            .unwrap();
        let form = bytes[at..]
            .windows(12)
            .position(|w| w == b"= 'D       '")
            .unwrap()
            + at;
        // Eight bytes as two floats of four.
        bytes[form + 3..form + 5].copy_from_slice(b"2E");
        std::fs::write(&path, &bytes).unwrap();
        let out = calibrate_file(&path);
        assert_eq!(out.status, status, "{}{}", out.told, out.error);
        let words = format!(
            "column {}: found vectors of 2 32-bit floats (TFORM 2E)",
            column.trim()
        );
        assert!(
            format!("{}{}", out.told, out.error).contains(&words),
            "{}{}",
            out.told,
            out.error
        );
    }
    assert!(
        calibrate("header.csv", format!("{PLAIN}\n"))
            .error
            .contains("none of 0 rows")
    );
    assert!(calibrate("none.csv", "").error.contains("header line"));
}

#[test]
fn a_list_in_utf_16_names_its_files() {
    let folder = folder();
    let list = folder.path().join("list.txt");
    let mut text = String::from("\u{feff}");
    for file in std::fs::read_dir(root().join("data-samples/plate-small")).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().contains("sp01-1") {
            text += &format!("{}\r\n", path.display());
        }
    }
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&list, bytes).unwrap();
    let input = format!("@{}", list.display());
    let (status, _, error) = run_measure(
        &[Path::new(&input)],
        &folder.path().join("rv.csv"),
        &["--quiet"],
    );
    assert_eq!(status, 0, "{error}");
}
