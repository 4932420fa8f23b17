use super::*;

/// Ten constant stars and one that varies in twelve exposures; the drift is as large as the number of the exposure.
fn calibration(evil: &str) -> Calibration {
    let zero_points = (0..12).map(|e| ZeroPointOfTable {
        exposure: format!("night {e}{evil}"),
        zp: f64::from(e) - 5.5,
        err: 0.1,
        n_constants: 10,
        component: Some(0),
    });
    let residuals = (0..120).map(|i| Residual {
        zero_point: i % 12,
        before: (i % 12) as f64 - 5.5 + 0.01 * (i / 12) as f64,
        after: 0.01 * (i / 12) as f64,
    });
    let stars = (0..11).map(|s| StarOfTable {
        name: format!("HD {s}{evil}"),
        n: 12,
        before: 3.45,
        after: if s == 7 { 20.0 } else { 0.125 },
        p_value: if s == 7 { 1e-9 } else { 0.5 },
        is_constant: Some(s != 7),
        is_variable: Some(s == 7),
        unjudged: "",
    });
    Calibration {
        table: format!("mine.csv{evil}"),
        unit: format!("m/s{evil}"),
        facts: vec![("rows", format!("132{evil}"))],
        arms: vec![ArmOfTable {
            name: format!("nir{evil}"),
            says: vec![format!("one sentence{evil}")],
            zero_points: zero_points.collect(),
            stars: stars.collect(),
            residuals: residuals.collect(),
        }],
        tables: vec![format!("stars{evil}")],
    }
}

#[test]
fn the_page_has_zero_points_residuals_and_stars() {
    let html = page(&calibration(""));
    for says in [
        "<h1>Calibration of mine.csv</h1>",
        "<h2>Arm nir</h2>",
        "zero point, m/s",
        "night 11: 5.5000 +- 0.1000 m/s, 10 constant stars",
        // The middle of ten velocities before and after.
        "night 11: median 5.5450, quartiles",
        "night 11: median 0.0450, quartiles",
        "before: median 3.4500",
        "after: median 0.1250",
        "10 constant stars with two velocities or more",
        "<p>1 variable, 10 constant, 0 undecided, 0 not judged.</p>",
        "All numbers are in the tables stars.",
    ] {
        assert!(html.contains(says), "{says}\n{html}");
    }
    // The star that varies comes first.
    let first = html
        .split("<th class=\"text\">verdict</th></tr></thead><tbody>")
        .nth(1)
        .unwrap();
    assert!(first.starts_with("<tr><th scope=\"row\">HD 7</th><td>12</td><td>3.4500</td><td>20.0000</td><td>1.0e-9</td><td class=\"text\">variable</td>"), "{first}");
    // Twelve zero points, and twice twelve medians.
    assert_eq!(html.matches("<circle class=\"dot\"").count(), 36);
    assert!(!html.contains("NaN"), "{html}");
}

#[test]
fn nothing_hostile_reaches_the_page_of_a_table() {
    let html = page(&calibration(
        "</title><script>alert(1)</script>\"'<img src=x>\u{202e}",
    ));
    assert!(
        !html.contains("<script>alert") && !html.contains("<img") && !html.contains('\u{202e}'),
        "{html}"
    );
    assert!(!html.contains("</title><script>"), "{html}");
    assert_eq!(html.matches("<script").count(), 1, "its own script alone");
    assert!(html.matches("&lt;script&gt;alert").count() > 50);
}

#[test]
fn a_table_of_which_nothing_is_known_has_a_page() {
    let mut of = calibration("");
    for z in &mut of.arms[0].zero_points {
        (z.zp, z.err, z.component) = (f64::NAN, f64::NAN, None);
    }
    for star in &mut of.arms[0].stars {
        (star.is_constant, star.is_variable, star.unjudged) = (None, None, "no zero point");
        (star.after, star.p_value) = (f64::NAN, f64::NAN);
    }
    of.arms[0].residuals.clear();
    let html = page(&of);
    assert!(!html.contains("<figure"), "{html}");
    assert!(html.contains("not judged: no zero point"), "{html}");
    for (low, high) in [(f64::NEG_INFINITY, 0.0), (1e300, -1e300), (0.0, 0.0)] {
        of.arms[0].zero_points[3].zp = low;
        of.arms[0].zero_points[4].zp = high;
        of.arms[0].stars[0].before = high;
        let html = page(&of);
        assert!(
            !html.contains("\"NaN") && !html.contains("\"inf"),
            "{low} {high}"
        );
    }
}
