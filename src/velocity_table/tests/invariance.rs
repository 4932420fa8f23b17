//! What the zero points may not depend on: the unit, the order of rows, the stars' velocities, single stars and outliers.

use super::*;

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
    let (input, arms) = run(&t, &CalibrateOptions::default());
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
    let survey = run(&t, &CalibrateOptions::default()).1;
    assert_eq!(survey[0].solution.n_components, 1);
    let config = CalibrateOptions {
        scope: Scope::Spectrograph,
        ..CalibrateOptions::default()
    };
    let (input, alone) = run(&t, &config);
    assert_eq!(alone[0].solution.n_components, 2);
    assert_eq!(
        products::stars(&input, &alone, true).n_rows(),
        2 * m.kinds.len()
    );
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
    let (input, arms) = run(&t, &CalibrateOptions::default());
    let out = products::calibrated(t, &input, &arms).0;
    let flags = f64s(&out, "cal_flags");
    let is_constant = bools(&out, "constant");
    let flagged =
        |i: &usize| CalFlags::from_bits_retain(flags[*i] as i32).contains(CalFlags::OUTLIER);
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
