//! What quoted errors do: weights, chi^2, who may be a constant.

use super::*;

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
        let (_, arms) = run(&table(&m), &CalibrateOptions::default());
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
        let config = CalibrateOptions {
            method,
            ..CalibrateOptions::default()
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
        let mut never = vec![false; input.stars.names.len()];
        before
            .iter()
            .step_by(3)
            .for_each(|s| never[*s as usize] = true);
        let arms = calibrate_except(&mut input.observations, &never, &config).unwrap();
        let after = constants(&arms);
        assert!(!after.is_empty() && after.iter().all(|s| !never[*s as usize]));
        let calibrated = products::calibrated(table.clone(), &input, &arms).0;
        let corrected = f64s(&calibrated, "rv_corr");
        assert!(corrected.iter().all(|rv| rv.is_finite()), "{method:?}");
        // A list that ends early, and none, forbid nothing.
        let mut input = input::observations(&table).unwrap();
        let arms = calibrate_except(&mut input.observations, &[false; 3], &config).unwrap();
        assert_eq!(constants(&arms), before);
    }
}
