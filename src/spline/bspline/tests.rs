//! Splines against plain sums and solutions.

use super::*;

fn evaluate(fit: &SplineFit, knots: Knots, x: f64) -> f64 {
    let (i, t) = knots.locate(x);
    basis(t)
        .iter()
        .zip(&fit.coefficients[i..])
        .map(|(b, c)| b * c)
        .sum()
}

#[test]
fn basis_sums_to_one_and_slope_is_its_derivative() {
    for t in [0.0, 0.1, 0.37, 0.5, 0.99, 1.0] {
        assert!((basis(t).iter().sum::<f64>() - 1.0).abs() < 1e-15);
        for j in 0..4 {
            let h = 1e-6;
            let numeric = (basis(t + h)[j] - basis(t - h)[j]) / (2.0 * h);
            assert!((basis_slope(t)[j] - numeric).abs() < 1e-8, "t {t} j {j}");
        }
    }
}

#[test]
fn cubics_are_reproduced_on_any_number_of_pixels() {
    for n in [12, 13, 14, 300] {
        let knots = Knots::new(n, 3);
        let cubic = |x: f64| 1.0 + 0.02 * x - 3e-4 * x * x + 1e-6 * x * x * x;
        let flux: Vec<f64> = (0..n).map(|i| cubic(i as f64)).collect();
        let ivar: Vec<f64> = (0..n)
            .map(|i| {
                if i % 7 == 3 {
                    0.0
                } else {
                    2.0 + (i % 5) as f64
                }
            })
            .collect();
        let mut fit = SplineFit::default();
        assert!(fit.fit(knots, &flux, &ivar));
        for x in [0.0, 1.5, 7.3, (n - 1) as f64] {
            assert!(
                (evaluate(&fit, knots, x) - cubic(x)).abs() < 1e-5,
                "n {n} x {x}"
            );
        }
    }
}

#[test]
fn the_fast_fit_and_its_values_are_those_of_the_plain_one() {
    for spacing in 1..8 {
        for n in [12, 29, 30, 31, 300] {
            let knots = Knots::new(n, spacing);
            let flux: Vec<f64> = (0..n).map(|i| 1.0 + (0.7 * i as f64).sin()).collect();
            let ivar: Vec<f64> = (0..n).map(|i| (i % 7) as f64).collect();
            let (mut plain, mut fast) = (SplineFit::default(), SplineFit::default());
            let mut sums = NormalEquations::new(knots);
            let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
            sums.add_pixels(knots, &x, &flux, &ivar);
            assert!(plain.fit_sums(&sums) && fast.fit_coefficients(knots, &flux, &ivar));
            let mut values = Vec::new();
            fast.evaluate(knots, &mut values);
            for (i, value) in values.iter().take(n).enumerate() {
                let expected = evaluate(&plain, knots, i as f64);
                assert!(
                    (value - expected).abs() < 1e-8,
                    "{spacing} {n} {i}: {value} {expected}"
                );
            }
            assert!(values.len() >= n);
        }
    }
}

#[test]
fn sums_over_pixels_anywhere_are_those_of_the_pixels() {
    let n = 100;
    let knots = Knots::new(n, 3);
    let flux: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * (i as f64).sin()).collect();
    let ivar: Vec<f64> = (0..n).map(|i| (i % 5) as f64).collect();
    let mut fit = SplineFit::default();
    fit.fit(knots, &flux, &ivar);
    // In two parts, and with what does not count.
    let mut sums = NormalEquations::new(knots);
    let mut rest = NormalEquations::new(knots);
    let mut x: Vec<f64> = (0..n).map(|i| i as f64).collect();
    sums.add_pixels(knots, &x[..37], &flux[..37], &ivar[..37]);
    rest.add_pixels(knots, &x[37..], &flux[37..], &ivar[37..]);
    let first = sums.clone();
    sums.add(&rest);
    x = vec![f64::NAN, -0.1, 1e9];
    sums.add_pixels(knots, &x, &[1e9; 3], &[1.0; 3]);
    let mut of_sums = SplineFit::default();
    assert!(of_sums.fit_sums(&sums));
    for (a, b) in fit.coefficients.iter().zip(&of_sums.coefficients) {
        assert!((a - b).abs() < 1e-10, "{a} {b}");
    }
    let mut difference = NormalEquations::new(knots);
    difference.set_difference(&sums, &rest);
    for (a, b) in difference.right.iter().zip(&first.right) {
        assert!((a - b).abs() < 1e-10);
    }
}

#[test]
fn gaps_are_bridged_and_empty_input_gives_zero() {
    let n = 200;
    let knots = Knots::new(n, 3);
    let mut ivar = vec![1.0; n];
    ivar[80..120].fill(0.0);
    let mut fit = SplineFit::default();
    assert!(fit.fit(knots, &vec![1.0; n], &ivar));
    assert!((evaluate(&fit, knots, 100.0) - 1.0).abs() < 1e-2);
    assert!(!fit.fit(knots, &vec![1.0; n], &vec![0.0; n]));
    assert_eq!(evaluate(&fit, knots, 50.0), 0.0);
}

#[test]
fn covariance_is_the_inverse_of_the_normal_matrix() {
    let n = 60;
    let knots = Knots::new(n, 3);
    let ivar: Vec<f64> = (0..n).map(|i| 1.0 + 0.3 * (i as f64).sin()).collect();
    let mut fit = SplineFit::default();
    fit.fit(knots, &vec![0.0; n], &ivar);
    let covariance = fit.covariance_band();
    // Column j of the inverse by solving with a unit vector.
    for j in 0..knots.n_coefficient() {
        let mut unit = fit.clone();
        unit.coefficients.fill(0.0);
        unit.coefficients[j] = 1.0;
        unit.solve_and_invert();
        for i in j.saturating_sub(3)..=j {
            let expected = unit.coefficients[i];
            assert!(
                (covariance[i][j - i] - expected).abs() < 1e-10 * covariance[j][0],
                "({i}, {j})"
            );
        }
    }
}

#[test]
fn pixels_anywhere_are_summed_as_they_lie() {
    // More than a block of pixels, at irregular places, with a gap of several intervals and pixels that do not count.
    let knots = Knots::new(200, 3);
    let place =
        |i: usize| i as f64 * 1.03 + 0.4 * (1.3 * i as f64).sin() + if i > 90 { 31.0 } else { 0.0 };
    let x: Vec<f64> = (0..150).map(place).collect();
    let flux: Vec<f64> = (0..150).map(|i| 1.0 + 0.1 * (i as f64).sin()).collect();
    let ivar: Vec<f64> = (0..150).map(|i| (i % 5) as f64).collect();
    let mut sums = NormalEquations::new(knots);
    sums.add_pixels(knots, &x, &flux, &ivar);
    let mut plain = NormalEquations::new(knots);
    for ((x, flux), ivar) in x.iter().zip(&flux).zip(&ivar) {
        if *x < 0.0 || *x > 3.0 * knots.n_interval as f64 {
            continue;
        }
        let (first, t) = knots.locate(*x);
        let b = basis(t);
        for j in 0..4 {
            plain.right[first + j] += ivar * b[j] * flux;
            for k in j..4 {
                plain.matrix[first + j][k - j] += ivar * b[j] * b[k];
            }
        }
    }
    for (i, (found, expected)) in sums.matrix.iter().zip(&plain.matrix).enumerate() {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-12, "row {i}: {found:?} {expected:?}");
        }
        assert!((sums.right[i] - plain.right[i]).abs() < 1e-12, "row {i}");
    }
}

#[test]
fn what_is_taken_out_of_sums_is_as_if_it_had_never_been_there() {
    let n = 300;
    let knots = Knots::new(n, 3);
    let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let flux: Vec<f64> = (0..n).map(|i| 1.0 + 0.2 * (0.4 * i as f64).sin()).collect();
    let part = |weight: f64| {
        let mut sums = NormalEquations::new(knots);
        let ivar: Vec<f64> = (0..n).map(|i| weight + (i % 3) as f64).collect();
        sums.add_pixels(knots, &x, &flux, &ivar);
        sums
    };
    let (one, other) = (part(2.0), part(7.0));
    let mut all = one.clone();
    all.add(&other);
    let prior: Vec<f64> = (0..knots.n_coefficient() - 3)
        .map(|r| 1e-3 * (1 + r % 5) as f64)
        .collect();
    let (mut expected, mut found) = (SplineFit::default(), SplineFit::default());
    expected.fit_with_prior(&one, &prior);
    found.coefficients_without(&all.with_prior(&prior), Some(&other));
    for (a, b) in expected.coefficients.iter().zip(&found.coefficients) {
        assert!((a - b).abs() < 1e-11, "{a} {b}");
    }
    found.coefficients_without(&one.with_prior(&prior), None);
    assert_eq!(expected.coefficients, found.coefficients);
}

#[test]
fn the_form_of_a_phase_is_that_of_its_pixel() {
    let n = 61;
    for spacing in 1..6 {
        let knots = Knots::new(n, spacing);
        let mut fit = SplineFit::default();
        fit.fit(knots, &vec![1.0; n], &vec![2.0; n]);
        let phases = knots.phases(basis_slope);
        for i in 0..n {
            let (interval, t) = knots.locate(i as f64);
            let expected = quadratic_form(fit.covariance_band(), interval, &basis_slope(t));
            let (at, phase) = knots.phase_of(i);
            let found = phases[phase].variance.at(fit.covariance_band(), at);
            assert_eq!(at, interval, "{spacing} {i}");
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{spacing} {i}: {found} {expected}"
            );
        }
    }
}
