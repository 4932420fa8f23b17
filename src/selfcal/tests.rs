use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::calibrate::{
    CalibrateConfig, CalibratedArm, Method, Scope, calibrate, calibrate_except,
};
use super::input::{self, Input};
use super::observations::flag;
use super::products;
use crate::table::{ColumnData, Table};
use crate::validate::mock::{Mock, MockConfig};

/// A mock as a table; row i is the mock's row i.
fn table(mock: &Mock) -> Table {
    let rows = &mock.rows;
    let mut t = Table::new();
    t.push_text(
        "star",
        "",
        "",
        rows.iter().map(|r| format!("s{}", r.star)).collect(),
    );
    t.push_i64(
        "exposure",
        "",
        "",
        rows.iter().map(|r| i64::from(r.exposure)).collect(),
    );
    t.push_f64("rv", "km/s", "", rows.iter().map(|r| r.rv_km_s).collect());
    t.push_f64(
        "rv_err",
        "km/s",
        "",
        rows.iter().map(|r| r.err_km_s).collect(),
    );
    t
}

fn mock(seed: u64, missing: f64) -> Mock {
    Mock::new(&MockConfig {
        seed,
        missing,
        ..MockConfig::default()
    })
}

fn run(table: &Table, config: &CalibrateConfig) -> (Input, Vec<CalibratedArm>) {
    let mut input = input::observations(table).unwrap();
    let arms = calibrate(&mut input.observations, config).unwrap();
    (input, arms)
}

fn f64s(table: &Table, name: &str) -> Vec<f64> {
    table.column(name).unwrap().data.to_f64().unwrap()
}

fn bools(table: &Table, name: &str) -> Vec<bool> {
    match &table.column(name).unwrap().data {
        ColumnData::Bool(v) => v.clone(),
        other => panic!("{}", other.type_name()),
    }
}

/// Zero points and errors by exposure name.
fn zps(table: &Table) -> Vec<(f64, f64)> {
    let (input, arms) = run(table, &CalibrateConfig::default());
    let zp = products::zero_points(&input, &arms);
    f64s(&zp, "zp")
        .into_iter()
        .zip(f64s(&zp, "zp_err"))
        .collect()
}

fn assert_same(a: &[(f64, f64)], b: &[(f64, f64)], scale: f64) {
    assert_eq!(a.len(), b.len());
    let largest = a.iter().map(|v| v.0.abs()).fold(0.0, f64::max);
    let mut worst = 0.0_f64;
    for (a, b) in a.iter().zip(b) {
        worst = worst.max((a.0 * scale - b.0).abs() / (largest * scale));
        worst = worst.max((a.1 * scale / b.1 - 1.0).abs());
    }
    println!("largest relative difference {worst:.1e}");
    assert!(worst < 1e-9, "{worst}");
}

fn scaled(table: &Table, factor: f64) -> Table {
    let mut t = table.clone();
    for c in &mut t.columns {
        if let ColumnData::F64(v) = &mut c.data {
            v.iter_mut().for_each(|x| *x *= factor);
        }
    }
    t
}

fn shuffled(table: &Table, seed: u64) -> Table {
    let mut order: Vec<usize> = (0..table.n_rows()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut t = table.clone();
    for c in &mut t.columns {
        c.data = match &c.data {
            ColumnData::Text(v) => ColumnData::Text(order.iter().map(|&i| v[i].clone()).collect()),
            ColumnData::I64(v) => ColumnData::I64(order.iter().map(|&i| v[i]).collect()),
            ColumnData::F64(v) => ColumnData::F64(order.iter().map(|&i| v[i]).collect()),
            other => other.clone(),
        };
    }
    t
}

#[test]
fn the_unit_the_order_of_rows_and_the_stars_velocities_do_not_matter() {
    for (seed, missing) in [(1, 0.0), (2, 0.3), (3, 0.6)] {
        let t = table(&mock(seed, missing));
        let want = zps(&t);
        for factor in [1e-3, 1e3] {
            assert_same(&want, &zps(&scaled(&t, factor)), factor);
        }
        assert_same(&want, &zps(&shuffled(&t, seed)), 1.0);
        let mut moved = t.clone();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shifts: Vec<f64> = (0..300).map(|_| rng.random_range(-300.0..300.0)).collect();
        let star: Vec<usize> = (0..t.n_rows())
            .map(|i| t.columns[0].data.text_at(i)[1..].parse().unwrap())
            .collect();
        if let ColumnData::F64(v) = &mut moved.columns[2].data {
            for (v, s) in v.iter_mut().zip(star) {
                *v += shifts[s];
            }
        }
        assert_same(&want, &zps(&moved), 1.0);
    }
}

#[test]
fn blocks_without_a_common_star_are_two_components_with_a_gauge_each() {
    let mut t = table(&mock(1, 0.3));
    let other = table(&mock(2, 0.3));
    for (a, b) in t.columns.iter_mut().zip(other.columns) {
        match (&mut a.data, b.data) {
            (ColumnData::Text(a), ColumnData::Text(b)) => {
                a.extend(b.iter().map(|n| format!("other {n}")));
            }
            (ColumnData::I64(a), ColumnData::I64(b)) => a.extend(b.iter().map(|e| e + 100)),
            (ColumnData::F64(a), ColumnData::F64(b)) => a.extend(b),
            _ => unreachable!(),
        }
    }
    let (input, arms) = run(&t, &CalibrateConfig::default());
    let zp = products::zero_points(&input, &arms);
    assert_eq!(arms[0].solution.n_components, 2);
    let component = f64s(&zp, "component");
    for c in [0.0, 1.0] {
        let of: Vec<f64> = (0..60)
            .filter(|&z| component[z] == c)
            .map(|z| f64s(&zp, "zp")[z])
            .collect();
        assert_eq!(of.len(), 30);
        assert!(of.iter().sum::<f64>().abs() < 1e-9);
    }
    // Each block is solved as if it were alone, but for the common jitter.
    let alone = zps(&table(&mock(1, 0.3)));
    for (z, (want, err)) in alone.iter().enumerate() {
        assert!((f64s(&zp, "zp")[z] - want).abs() < 0.5 * err);
    }
}

#[test]
fn an_exposure_with_too_few_constants_gets_nan_and_a_flag() {
    let m = mock(5, 0.0);
    let (_, arms) = run(&table(&m), &CalibrateConfig::default());
    // Exposure 7 keeps two constants and all the binaries.
    let mut kept = 0;
    let mut few = m.clone();
    few.rows.retain(|r| {
        let constant = m.is_constant(r.star as usize);
        if r.exposure != 7 || !constant {
            return true;
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
        let config = CalibrateConfig {
            method,
            ..CalibrateConfig::default()
        };
        let (input, arms) = run(&t, &config);
        let zp = products::zero_points(&input, &arms);
        let (values, flags) = (f64s(&zp, "zp"), f64s(&zp, "flags"));
        if method == Method::Joint {
            assert!(values[7].is_nan() && f64s(&zp, "zp_err")[7].is_nan());
            assert_eq!(flags[7], f64::from(flag::NO_ZERO_POINT));
            assert_eq!(f64s(&zp, "component")[7], -1.0);
            assert_eq!(values.iter().filter(|z| z.is_finite()).count(), 29);
            let out = products::calibrated(t.clone(), &input, &arms);
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
    let extra: [(&str, i64, f64, f64, i32); 7] = [
        ("s1", 3, f64::NAN, 1.0, flag::BAD_RV),
        ("s1", 4, 1.0, f64::NAN, flag::BAD_ERR),
        ("s1", 5, 1.0, 0.0, flag::BAD_ERR),
        ("s1", 6, 1.0, -1.0, flag::BAD_ERR),
        (
            "s1",
            6,
            f64::INFINITY,
            f64::INFINITY,
            flag::BAD_RV | flag::BAD_ERR,
        ),
        ("", 6, 1.0, 1.0, flag::NO_NAME),
        ("lonely", 6, 1.0, 1.0, flag::SINGLE),
    ];
    let first = t.columns[0].data.text_at(0);
    let first_exposure = f64s(&t, "exposure")[0] as i64;
    for (star, exposure, rv, err, _) in
        extra
            .iter()
            .copied()
            .chain([(first.as_str(), first_exposure, 9.0, 1.0, 0)])
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
    let (input, arms) = run(&t, &CalibrateConfig::default());
    let out = products::calibrated(t.clone(), &input, &arms);
    out.check().unwrap();
    assert_eq!(out.n_rows(), n + 8);
    assert_eq!(out.column("note").unwrap().data.text_at(n), format!("n{n}"));
    let flags = f64s(&out, "cal_flags");
    for (i, row) in extra.iter().enumerate() {
        assert_eq!(flags[n + i] as i32, row.4, "row {i}");
    }
    assert_eq!(flags[n + 7] as i32 & flag::DUPLICATE, flag::DUPLICATE);
    assert_eq!(flags[0] as i32 & flag::DUPLICATE, 0);
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
            let config = CalibrateConfig {
                method,
                ..CalibrateConfig::default()
            };
            let (input, arms) = run(&t, &config);
            let out = products::calibrated(t.clone(), &input, &arms);
            assert_eq!(out.n_rows(), t.n_rows());
            assert!(f64s(&out, "rv_corr").iter().all(|v| v.is_nan()));
            let flags = f64s(&out, "cal_flags");
            assert!(flags.iter().all(|&f| f as i32 & flag::NO_ZERO_POINT != 0));
        }
    }
    let mut input = input::observations(&make(&[])).unwrap();
    let message = calibrate(&mut input.observations, &CalibrateConfig::default())
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
    t.columns[3].unit = "m/s".into();
    let message = input::observations(&t).unwrap_err().to_string();
    assert!(
        message.contains("km/s") && message.contains("found m/s"),
        "{message}"
    );
}

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
        let config = CalibrateConfig {
            method,
            ..CalibrateConfig::default()
        };
        let (input, arms) = run(&t, &config);
        assert_eq!(arms[0].arm, "red");
        assert_eq!(arms[1].constants_from.as_deref(), Some("red"));
        assert_eq!(arms[1].n_without_red, 1);
        let stars = products::stars(&input, &arms);
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

#[test]
fn own_errors_make_the_weights_where_there_are_any() {
    let m = mock(6, 0.3);
    let t = table(&m);
    let mut with = t.clone();
    let own = f64s(&t, "rv_err");
    with.columns[3].data = ColumnData::F64(vec![50.0; own.len()]);
    with.push_f64("rv_err_own", "km/s", "", own);
    assert_same(&zps(&t), &zps(&with), 1.0);
}

/// The table of `measure`: one row per star and exposure, both arms side by side.
fn measured() -> Table {
    let m = mock(1, 0.3);
    let mut t = Table::new();
    let rows = &m.rows;
    t.push_i64(
        "source_id",
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
        let some = |r: &crate::validate::mock::MockRow, v| {
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
        let config = CalibrateConfig {
            scope,
            ..CalibrateConfig::default()
        };
        let (input, arms) = run(&t, &config);
        assert_eq!(
            arms.iter().map(|a| a.arm.as_str()).collect::<Vec<_>>(),
            ["red", "blue"]
        );
        let zp = products::zero_points(&input, &arms);
        let names: Vec<&str> = zp.columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names[..8],
            [
                "planid",
                "spid",
                "lmjm",
                "arm",
                "zp",
                "zp_err",
                "n_constants",
                "component"
            ]
        );
        // 30 exposures, 2 spectrographs, 2 arms.
        assert_eq!(zp.n_rows(), 120);
        let out = products::calibrated(t.clone(), &input, &arms);
        out.check().unwrap();
        assert_eq!(out.n_rows(), t.n_rows());
        let (red, blue) = (f64s(&out, "drv_r_corr"), f64s(&out, "drv_b_corr"));
        let star = f64s(&out, "source_id");
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
                .columns
                .len(),
            out.columns.len()
        );
    }
}

#[test]
fn scope_spectrograph_solves_each_group_by_itself() {
    let m = mock(1, 0.0);
    let mut t = table(&m);
    t.push_text(
        "group",
        "",
        "",
        m.rows
            .iter()
            .map(|r| format!("g{}", r.exposure % 2))
            .collect(),
    );
    let survey = run(&t, &CalibrateConfig::default()).1;
    assert_eq!(survey[0].solution.n_components, 1);
    let config = CalibrateConfig {
        scope: Scope::Spectrograph,
        ..CalibrateConfig::default()
    };
    let (input, alone) = run(&t, &config);
    assert_eq!(alone[0].solution.n_components, 2);
    assert_eq!(products::stars(&input, &alone).n_rows(), 2 * m.kinds.len());
}

#[test]
fn a_star_with_a_wrong_tiny_error_does_not_take_over() {
    let mut m = mock(3, 0.3);
    // A binary with errors of a millionth of the others'.
    for row in m.rows.iter_mut().filter(|r| r.star == 5) {
        row.err_km_s = 1e-6;
    }
    let found = zps(&table(&m));
    let mean = found
        .iter()
        .zip(&m.zp_km_s)
        .map(|(f, z)| f.0 - z)
        .sum::<f64>()
        / 30.0;
    let worst = found
        .iter()
        .zip(&m.zp_km_s)
        .map(|(f, z)| (f.0 - z - mean).abs())
        .fold(0.0, f64::max);
    assert!(worst < 0.2, "{worst}");
}

#[test]
fn single_outliers_lose_weight_and_the_star_stays_constant() {
    let mut m = mock(8, 0.0);
    let mut hit = Vec::new();
    for (i, row) in m.rows.iter_mut().enumerate() {
        if i % 97 == 0 && row.star >= 50 {
            row.rv_km_s += 60.0;
            hit.push(i);
        }
    }
    let t = table(&m);
    let (input, arms) = run(&t, &CalibrateConfig::default());
    let out = products::calibrated(t, &input, &arms);
    let flags = f64s(&out, "cal_flags");
    let is_constant = bools(&out, "constant");
    let flagged = |i: &usize| flags[*i] as i32 & flag::OUTLIER != 0;
    assert!(hit.iter().all(|i| flagged(i) == is_constant[*i]));
    assert!(hit.iter().filter(|i| flagged(i)).count() * 10 > hit.len() * 8);
    let constant = arms[0].solution.stars.iter().filter(|s| s.constant).count();
    assert!(constant > 185, "{constant}");
    let zp = f64s(&products::zero_points(&input, &arms), "zp");
    let mean = zp.iter().zip(&m.zp_km_s).map(|(f, z)| f - z).sum::<f64>() / 30.0;
    let rms = (zp
        .iter()
        .zip(&m.zp_km_s)
        .map(|(f, z)| (f - z - mean).powi(2))
        .sum::<f64>()
        / 30.0)
        .sqrt();
    assert!(rms < 0.045, "{rms}");
}

/// The zero points take a part of the residuals; the degrees of freedom must know, or no star looks variable.
#[test]
fn chi2_of_constants_matches_its_degrees_of_freedom() {
    let (mut chi2, mut dof) = (0.0, 0.0);
    for seed in 1..=20 {
        let m = Mock::new(&MockConfig {
            seed,
            n_constants: 15,
            n_variables: 0,
            n_binaries: 0,
            err_km_s: (0.8, 1.2),
            ..MockConfig::default()
        });
        let (_, arms) = run(&table(&m), &CalibrateConfig::default());
        for star in arms[0].solution.stars.iter().filter(|s| s.constant) {
            chi2 += star.chi2;
            dof += star.dof;
        }
    }
    println!("chi2 {chi2:.0}, degrees of freedom {dof:.0}");
    // 300 stars of 27 degrees of freedom: 1.6 % of statistical error.
    assert!((chi2 / dof - 1.0).abs() < 0.035, "{}", chi2 / dof);
}

#[test]
fn stars_that_may_not_are_no_constants_and_are_corrected() {
    let table = table(&mock(12, 0.2));
    for method in [Method::Joint, Method::Paper] {
        let config = CalibrateConfig {
            method,
            ..CalibrateConfig::default()
        };
        let constants = |arms: &[CalibratedArm]| -> Vec<u32> {
            let stars = arms[0].graph.star.iter().zip(&arms[0].solution.stars);
            let constant = stars.filter(|(_, fit)| fit.constant);
            constant.map(|(star, _)| *star).collect()
        };
        let (_, free) = run(&table, &config);
        let before = constants(&free);
        assert!(before.len() > 30, "{}", before.len());
        // Every third of those that would have been.
        let mut input = input::observations(&table).unwrap();
        let mut never = vec![false; input.observations.stars.len()];
        before
            .iter()
            .step_by(3)
            .for_each(|s| never[*s as usize] = true);
        let arms = calibrate_except(&mut input.observations, &never, &config).unwrap();
        let after = constants(&arms);
        assert!(!after.is_empty() && after.iter().all(|s| !never[*s as usize]));
        let calibrated = products::calibrated(table.clone(), &input, &arms);
        let corrected = f64s(&calibrated, "rv_corr");
        assert!(corrected.iter().all(|rv| rv.is_finite()), "{method:?}");
        // A list that ends early, and none, forbid nothing.
        let mut input = input::observations(&table).unwrap();
        let arms = calibrate_except(&mut input.observations, &[false; 3], &config).unwrap();
        assert_eq!(constants(&arms), before);
    }
}
