//! Tables that say too little, or nonsense.

use super::*;
use crate::velocity_table::input::observations;

#[test]
fn an_exposure_with_too_few_stars_gets_nan_and_a_flag() {
    let m = mock(5, 0.0);
    let (_, arms) = run(&table(&m), &CalibrateOptions::default());
    // Exposure 7 keeps two constants.
    let mut kept = 0;
    let mut few = m.clone();
    few.rows.retain(|r| {
        let constant = m.is_constant(r.star as usize);
        if r.exposure != 7 || !constant {
            return r.exposure != 7;
        }
        let chosen = arms[0]
            .graph
            .star
            .iter()
            .position(|&s| s as usize == star_number(&m, r.star))
            .is_some_and(|s| arms[0].solution.stars[s].constant);
        kept += usize::from(chosen);
        chosen && kept <= 2
    });
    let t = table(&few);
    for method in [Method::Joint, Method::Paper] {
        let config = CalibrateOptions {
            method,
            ..CalibrateOptions::default()
        };
        let (input, arms) = run(&t, &config);
        let zp = products::zero_points(&input, &arms);
        let (values, flags) = (f64s(&zp, "zp"), f64s(&zp, "flags"));
        if method == Method::Joint {
            assert!(values[7].is_nan() && f64s(&zp, "zp_err")[7].is_nan());
            assert_eq!(flags[7], f64::from(CalFlags::NO_ZERO_POINT.bits()));
            assert_eq!(f64s(&zp, "component")[7], -1.0);
            assert_eq!(values.iter().filter(|z| z.is_finite()).count(), 29);
            let out = products::calibrated(t.clone(), &input, &arms).0;
            for (i, row) in few.rows.iter().enumerate() {
                assert_eq!(f64s(&out, "rv_corr")[i].is_nan(), row.exposure == 7);
            }
        }
    }
}

/// Number that a mock's star gets among the sorted names `s0`, `s1`, `s10`, ...
fn star_number(mock: &Mock, star: u32) -> usize {
    let mut names: Vec<String> = (0..mock.kinds.len()).map(|s| format!("s{s}")).collect();
    names.sort();
    names.binary_search(&format!("s{star}")).unwrap()
}

#[test]
fn bad_rows_are_flagged_and_kept() {
    let mut t = table(&mock(4, 0.3));
    let n = t.n_rows();
    let extra: [(&str, i64, f64, f64, CalFlags); 7] = [
        ("s1", 3, f64::NAN, 1.0, CalFlags::BAD_RV),
        ("s1", 4, 1.0, f64::NAN, CalFlags::BAD_ERR),
        ("s1", 5, 1.0, 0.0, CalFlags::BAD_ERR),
        ("s1", 6, 1.0, -1.0, CalFlags::BAD_ERR),
        (
            "s1",
            6,
            f64::INFINITY,
            f64::INFINITY,
            CalFlags::BAD_RV | CalFlags::BAD_ERR,
        ),
        ("", 6, 1.0, 1.0, CalFlags::NO_NAME | CalFlags::NO_ZERO_POINT),
        ("lonely", 6, 1.0, 1.0, CalFlags::SINGLE),
    ];
    let first = t.columns[0].data.text_at(0);
    let first_exposure = f64s(&t, "exposure")[0] as i64;
    for (star, exposure, rv, err, _) in
        extra
            .iter()
            .copied()
            .chain([(first.as_str(), first_exposure, 9.0, 1.0, CalFlags::empty())])
    {
        for c in &mut t.columns {
            match (&mut c.data, c.name.as_str()) {
                (ColumnData::Text(v), _) => v.push(star.to_owned()),
                (ColumnData::I64(v), _) => v.push(exposure),
                (ColumnData::F64(v), "rv") => v.push(rv),
                (ColumnData::F64(v), _) => v.push(err),
                _ => unreachable!(),
            }
        }
    }
    t.push_text(
        "note",
        "",
        "kept",
        (0..t.n_rows()).map(|i| format!("n{i}")).collect(),
    );
    let clean = zps(&table(&mock(4, 0.3)));
    let (input, arms) = run(&t, &CalibrateOptions::default());
    let out = products::calibrated(t.clone(), &input, &arms).0;
    out.check().unwrap();
    assert_eq!(out.n_rows(), n + 8);
    assert_eq!(out.column("note").unwrap().data.text_at(n), format!("n{n}"));
    let flags = f64s(&out, "cal_flags");
    for (i, row) in extra.iter().enumerate() {
        assert_eq!(flags[n + i] as i32, row.4.bits(), "row {i}");
    }
    assert_eq!(flags[n + 7] as i32 & 8, 8);
    assert_eq!(flags[0] as i32 & 8, 0);
    assert!(f64s(&out, "rv_corr")[n + 7].is_finite() && f64s(&out, "rv_corr_err")[n + 2].is_nan());
    // What is flagged has no part in the zero points.
    let zp = f64s(&products::zero_points(&input, &arms), "zp");
    for (found, (want, _)) in zp.iter().zip(&clean) {
        assert!((found - want).abs() < 1e-9);
    }
}

#[test]
fn tiny_tables_give_flags_or_an_error_and_never_a_number_from_one_star() {
    let make = |rows: &[(&str, i64)]| {
        let mut t = Table::new();
        t.push_text(
            "star",
            "",
            "",
            rows.iter().map(|r| r.0.to_owned()).collect(),
        );
        t.push_i64("exposure", "", "", rows.iter().map(|r| r.1).collect());
        t.push_f64("rv", "", "", (0..rows.len()).map(|i| i as f64).collect());
        t.push_f64("rv_err", "", "", vec![1.0; rows.len()]);
        t
    };
    let one_star = make(&[("a", 1), ("a", 2), ("a", 3)]);
    let one_exposure = make(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
    for t in [one_star, one_exposure] {
        for method in [Method::Joint, Method::Paper] {
            let config = CalibrateOptions {
                method,
                ..CalibrateOptions::default()
            };
            let (input, arms) = run(&t, &config);
            let out = products::calibrated(t.clone(), &input, &arms).0;
            assert_eq!(out.n_rows(), t.n_rows());
            assert!(f64s(&out, "rv_corr").iter().all(|v| v.is_nan()));
            let flags = f64s(&out, "cal_flags");
            assert!(
                flags.iter().all(
                    |&f| CalFlags::from_bits_retain(f as i32).contains(CalFlags::NO_ZERO_POINT)
                )
            );
        }
    }
    let mut input = input::observations(&make(&[])).unwrap();
    let message = calibrate(&mut input.observations, &CalibrateOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("none of 0 rows"), "{message}");
}

#[test]
fn missing_columns_and_text_in_numbers_are_named() {
    let mut t = table(&mock(1, 0.9));
    t.columns.remove(3);
    let message = input::observations(&t).unwrap_err().to_string();
    assert!(
        message.contains("column rv_err") && message.contains("star, exposure, rv"),
        "{message}"
    );
    let n = t.n_rows();
    let mut cells = vec!["1.0".to_owned(); n];
    cells[4] = "n/a?".to_owned();
    t.push_text("rv_err", "", "", cells);
    let message = input::observations(&t).unwrap_err().to_string();
    assert!(
        message.contains("rv_err, row 5") && message.contains("n/a?"),
        "{message}"
    );
    t.columns[3].data = ColumnData::F64(vec![1.0; n]);
    t.columns[3].unit = "mag".into();
    let message = input::observations(&t).unwrap_err().to_string();
    assert!(
        message.contains("km/s") && message.contains("found mag"),
        "{message}"
    );
}

#[test]
fn a_mistyped_column_is_asked_about() {
    let table = |head: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, format!("{head}\n1,1,0.5,0.1,0\n1,2,0.6,0.1,0\n")).unwrap();
        Table::read(&path).unwrap()
    };
    for (head, wanted, near) in [
        ("star,expsure,rv,rv_err,x", "exposure", "expsure"),
        ("Stars,exposure,rv,rv_err,x", "star", "Stars"),
        ("star,exposure,rv,rv_eror,x", "rv_err", "rv_eror"),
    ] {
        let told = observations(&table(head)).unwrap_err().to_string();
        let says = format!("(if {near} is meant, it must be named {wanted})");
        assert!(
            told.contains(&format!("expected a column {wanted}")) && told.contains(&says),
            "{told}"
        );
    }
    let told = observations(&table("star,exposure,rv,sigma,x"))
        .unwrap_err()
        .to_string();
    assert!(!told.contains("is meant"), "{told}");
    // What a table need not have is passed over with a word.
    let notes = observations(&table("star,exposure,rv,rv_err,grop"))
        .unwrap()
        .notes;
    assert_eq!(
        notes,
        ["column grop: not used; if it is meant for group, it must be named so"]
    );
    let notes = observations(&table("star,exposure,rv,rv_err,colour"))
        .unwrap()
        .notes;
    assert!(notes.is_empty(), "{notes:?}");
}
