//! Two arms, and the table of `measure`.

use super::*;

/// Two arms: the blue has other zero points and errors, and stars of its own.
fn two_arms() -> (Table, Vec<f64>) {
    let (red, blue) = (mock(1, 0.3), mock(1, 0.3));
    let mut t = table(&red);
    let n = t.n_rows();
    let other = table(&blue);
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let shift: Vec<f64> = (0..30).map(|_| rng.random_range(-5.0..5.0)).collect();
    for (a, b) in t.columns.iter_mut().zip(other.columns) {
        let name = a.name.clone();
        match (&mut a.data, b.data) {
            (ColumnData::Text(a), ColumnData::Text(b)) => a.extend(b),
            (ColumnData::I64(a), ColumnData::I64(b)) => a.extend(b),
            (ColumnData::F64(a), ColumnData::F64(b)) if name == "rv" => a.extend(
                b.iter()
                    .zip(&blue.rows)
                    .map(|(v, r)| v + shift[r.exposure as usize]),
            ),
            (ColumnData::F64(a), ColumnData::F64(b)) => a.extend(b),
            _ => unreachable!(),
        }
    }
    // Star s200 has no red data; it is constant.
    let star: Vec<String> = (0..2 * n).map(|i| t.columns[0].data.text_at(i)).collect();
    if let ColumnData::F64(v) = &mut t.columns[2].data {
        for i in (0..n).filter(|&i| star[i] == "s200") {
            v[i] = f64::NAN;
        }
    }
    let arm = (0..2 * n).map(|i| if i < n { "red" } else { "blue" }.to_owned());
    t.push_text("arm", "", "", arm.collect());
    let truth: Vec<f64> = blue
        .zp_km_s
        .iter()
        .zip(&shift)
        .map(|(z, s)| z + s)
        .collect();
    (t, truth)
}

#[test]
fn red_constants_calibrate_the_blue() {
    let (t, truth) = two_arms();
    for method in [Method::Joint, Method::Paper] {
        let config = CalibrateOptions {
            method,
            ..CalibrateOptions::default()
        };
        let (input, arms) = run(&t, &config);
        assert_eq!(input.arms, ["red", "blue"]);
        assert_eq!(arms[1].constants_from, Some(0));
        assert_eq!(arms[1].n_without_leader, 1);
        let stars = products::stars(&input, &arms, false);
        let constant = bools(&stars, "constant");
        let name = |i: usize| {
            (
                stars.columns[0].data.text_at(i),
                stars.column("arm").unwrap().data.text_at(i),
            )
        };
        let red: Vec<String> = (0..constant.len())
            .filter(|&i| constant[i] && name(i).1 == "red")
            .map(|i| name(i).0)
            .collect();
        let mut n_blue = 0;
        for i in (0..constant.len()).filter(|&i| name(i).1 == "blue") {
            n_blue += usize::from(constant[i]);
            assert!(!constant[i] || red.contains(&name(i).0));
            assert!(name(i).0 != "s200" || !constant[i]);
        }
        assert!(n_blue > 180, "{n_blue}");
        if method == Method::Joint {
            let zp = products::zero_points(&input, &arms);
            let found = &f64s(&zp, "zp")[30..];
            let mean = found.iter().zip(&truth).map(|(a, b)| a - b).sum::<f64>() / 30.0;
            let rms = (found
                .iter()
                .zip(&truth)
                .map(|(a, b)| (a - b - mean).powi(2))
                .sum::<f64>()
                / 30.0)
                .sqrt();
            assert!(rms < 0.06, "{rms}");
        }
    }
}

/// The table of `measure`: one row per star and exposure, both arms side by side.
fn measured() -> Table {
    let m = mock(1, 0.3);
    let mut t = Table::new();
    let rows = &m.rows;
    t.push_i64(
        "designation",
        "",
        "",
        rows.iter().map(|r| i64::from(r.star)).collect(),
    );
    t.push_text("planid", "", "", vec!["HD01".into(); rows.len()]);
    t.push_i32(
        "spid",
        "",
        "",
        rows.iter().map(|r| 1 + (r.star % 2) as i32).collect(),
    );
    t.push_i32(
        "fiberid",
        "",
        "",
        rows.iter().map(|r| 1 + r.star as i32).collect(),
    );
    t.push_i64(
        "lmjm",
        "",
        "",
        rows.iter()
            .map(|r| 84_000_000 + i64::from(r.exposure))
            .collect(),
    );
    for x in ["r", "b"] {
        let some = |r: &crate::lab::validate::mock::MockRow, v| {
            if x == "b" && r.star == 77 {
                f64::NAN
            } else {
                v
            }
        };
        t.push_f64(
            &format!("drv_{x}"),
            "km/s",
            "",
            rows.iter().map(|r| some(r, r.rv_km_s)).collect(),
        );
        t.push_f64(
            &format!("drv_{x}_err"),
            "km/s",
            "",
            rows.iter().map(|r| some(r, 2.0 * r.err_km_s)).collect(),
        );
        t.push_f64(
            &format!("drv_{x}_err_own"),
            "km/s",
            "",
            rows.iter().map(|r| some(r, r.err_km_s)).collect(),
        );
    }
    t
}

#[test]
fn the_table_of_measure_is_taken_as_it_is() {
    let t = measured();
    for scope in [Scope::Survey, Scope::Spectrograph] {
        let config = CalibrateOptions {
            scope,
            ..CalibrateOptions::default()
        };
        let (input, arms) = run(&t, &config);
        assert_eq!(input.arms, ["red", "blue"]);
        let zp = products::zero_points(&input, &arms);
        let names: Vec<&str> = zp.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names[..16],
            [
                "planid",
                "spid",
                "lmjm",
                "arm",
                "zp",
                "zp_err",
                "zp_slope",
                "zp_slope_err",
                "zp_curve",
                "zp_curve_err",
                "zp_stretch",
                "zp_stretch_err",
                "zp_skew",
                "zp_skew_err",
                "n_constants",
                "component"
            ]
        );
        // 30 exposures, 2 spectrographs, 2 arms.
        assert_eq!(zp.n_rows(), 120);
        let out = products::calibrated(t.clone(), &input, &arms).0;
        out.check().unwrap();
        assert_eq!(out.n_rows(), t.n_rows());
        let (red, blue) = (f64s(&out, "drv_r_corr"), f64s(&out, "drv_b_corr"));
        let star = f64s(&out, "designation");
        for i in 0..red.len() {
            assert!(red[i].is_finite());
            assert_eq!(blue[i].is_nan(), star[i] == 77.0);
        }
        let fibres = products::fibres(&t, &input, &arms).unwrap();
        assert!(fibres.n_rows() > 2 * 190);
        // Done twice, the columns are replaced, not doubled.
        let (input, arms) = run(&out, &config);
        assert_eq!(
            products::calibrated(out.clone(), &input, &arms)
                .0
                .columns
                .len(),
            out.columns.len()
        );
    }
}

#[test]
fn a_catalogue_that_is_calibrated_again_has_the_flags_of_the_last_time_alone() {
    let mut t = measured();
    let n = t.n_rows();
    // An earlier calibration left no zero point and an outlier everywhere; chi2_high (16) is the measurement's.
    t.push_i32("flags_r", "", "", vec![256 | 512 | 16; n]);
    t.push_i64("flags_b", "", "", vec![256 | 512 | 16; n]);
    let (input, arms) = run(&t, &CalibrateOptions::default());
    let (out, notes) = products::calibrated(t, &input, &arms);
    assert!(notes.iter().any(|n| n.starts_with("column flags_r")));
    for x in ["r", "b"] {
        let (flags, now) = (
            f64s(&out, &format!("flags_{x}")),
            f64s(&out, &format!("cal_flags_{x}")),
        );
        for (flags, now) in flags.into_iter().zip(now) {
            let now = CalFlags::from_bits_retain(now as i32);
            let expected = 16
                + 256 * i32::from(now.contains(CalFlags::NO_ZERO_POINT))
                + 512 * i32::from(now.contains(CalFlags::OUTLIER));
            assert_eq!(flags as i32, expected);
        }
    }
}
