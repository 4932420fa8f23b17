//! A solution that fails, and velocities that are none.

use super::*;
use crate::Error;
use crate::calibrate::graph::Graph;
use crate::calibrate::joint::{self, JointOptions};
use crate::velocity_table::summaries;

/// The mock in two arms, the second with another name of the exposures' arm.
fn two_arms() -> Table {
    let one = table(&mock(1, 0.0));
    let n = one.n_rows();
    let mut t = one.clone();
    for (a, b) in t.columns.iter_mut().zip(one.columns) {
        match (&mut a.data, b.data) {
            (ColumnData::Text(a), ColumnData::Text(b)) => a.extend(b),
            (ColumnData::I64(a), ColumnData::I64(b)) => a.extend(b),
            (ColumnData::F64(a), ColumnData::F64(b)) => a.extend(b),
            _ => unreachable!(),
        }
    }
    let arm = (0..2 * n).map(|i| if i < n { "red" } else { "blue" }.to_owned());
    t.push_text("arm", "", "", arm.collect());
    t
}

#[test]
fn one_arm_that_fails_leaves_the_other() {
    let sound = two_arms();
    let n = sound.n_rows() / 2;
    let (_, expected) = run(&sound, &CalibrateOptions::default());
    // Velocities that no sum of squares holds, in one arm.
    for (failed, spoiled) in [(0, 0..n), (1, n..2 * n)] {
        let mut t = sound.clone();
        let rv = t.columns.iter_mut().find(|c| c.name == "rv").unwrap();
        if let ColumnData::F64(v) = &mut rv.data {
            let huge = spoiled.zip([1e300, -1e300].into_iter().cycle());
            huge.for_each(|(i, x)| v[i] = x);
        }
        let (input, arms) = run(&t, &CalibrateOptions::default());
        let other = 1 - failed;
        let failure = arms[failed].failure.as_ref().unwrap();
        assert!(failure.is_of_solution(), "{failure}");
        assert!(arms[failed].solution.zp.iter().all(|z| z.is_nan()));
        assert!(arms[other].failure.is_none());
        // The blue arm chooses its own constants where the red one gave none.
        assert_eq!(arms[1].constants_from.is_some(), failed == 1);
        let zp = |arms: &[CalibratedArm]| arms[0].solution.zp.clone();
        if failed == 1 {
            assert_eq!(zp(&arms), zp(&expected));
        }
        assert!(arms[other].solution.zp.iter().all(|z| z.is_finite()));
        let told = summaries(&input, &arms, &[]);
        let complaint = told[failed].complaint().unwrap();
        assert!(complaint.contains("not corrected"), "{complaint}");
        assert_eq!(told[other].complaint(), None);
        // Every row is there, those of the failed arm flagged as without a zero point.
        let out = products::calibrated(t, &input, &arms).0;
        let (corrected, flags) = (f64s(&out, "rv_corr"), f64s(&out, "cal_flags"));
        for i in 0..2 * n {
            let is_failed = (i >= n) == (failed == 1);
            assert_eq!(corrected[i].is_nan(), is_failed, "{i}");
            let has_flag = flags[i] as i32 & CalFlags::NO_ZERO_POINT.bits() != 0;
            assert_eq!(has_flag, is_failed, "{i}");
        }
    }
}

#[test]
fn too_few_steps_are_told() {
    let t = table(&mock(1, 0.3));
    for max_iterations in [0, 1, 2] {
        let mut config = CalibrateOptions::default();
        config.joint.max_iterations = max_iterations;
        config.paper.max_iterations = max_iterations;
        for method in [Method::Joint, Method::Paper] {
            config.method = method;
            let (input, arms) = run(&t, &config);
            let told = summaries(&input, &arms, &[]);
            let complaint = told[0].complaint().unwrap();
            assert!(complaint.contains("did not settle"), "{complaint}");
        }
    }
    let (input, arms) = run(&t, &CalibrateOptions::default());
    assert_eq!(summaries(&input, &arms, &[])[0].complaint(), None);
}

#[test]
fn a_velocity_that_is_no_number_is_no_success() {
    let edges: Vec<(u32, u32, f64, f64)> = (0..40)
        .flat_map(|s| (0..5).map(move |z| (s, z, f64::from(s * z % 7), 1.0)))
        .collect();
    let solve = |edges: &[(u32, u32, f64, f64)]| {
        let graph = Graph::new(40, 5, edges).0;
        joint::solve(
            &graph,
            &[0; 5],
            &joint::Known::default(),
            &JointOptions::default(),
        )
    };
    assert!(solve(&edges).is_ok());
    let mut spoiled = edges.clone();
    spoiled.iter_mut().step_by(3).for_each(|e| e.2 *= f64::MAX);
    let error = solve(&spoiled).unwrap_err();
    assert!(matches!(error, Error::NotPositive { .. }), "{error}");
}

#[test]
fn what_is_no_velocity_moves_nothing_and_is_corrected() {
    let m = mock(3, 0.2);
    let t = table(&m);
    let (input, before) = run(&t, &CalibrateOptions::default());
    let stars = products::stars(&input, &before, false);
    let mut spoiled = t.clone();
    // Every twentieth velocity is the edge of a grid.
    let is_limit = |i: usize| i % 20 == 7;
    let rv = spoiled.columns.iter_mut().find(|c| c.name == "rv").unwrap();
    if let ColumnData::F64(v) = &mut rv.data {
        (0..v.len())
            .filter(|i| is_limit(*i))
            .for_each(|i| v[i] = 500.0);
    }
    for method in [Method::Joint, Method::Paper] {
        let config = CalibrateOptions {
            method,
            ..CalibrateOptions::default()
        };
        let mut input = input::observations(&spoiled).unwrap();
        for i in (0..t.n_rows()).filter(|i| is_limit(*i)) {
            input.observations.arms[0].flags[i] |= CalFlags::NO_VELOCITY;
        }
        let arms = calibrate(&mut input.observations, &config).unwrap();
        // As if these rows were not there.
        let kept: Vec<usize> = (0..t.n_rows()).filter(|i| !is_limit(*i)).collect();
        let mut without = t.clone();
        for c in &mut without.columns {
            c.data = match &c.data {
                ColumnData::Text(v) => {
                    ColumnData::Text(kept.iter().map(|&i| v[i].clone()).collect())
                }
                ColumnData::I64(v) => ColumnData::I64(kept.iter().map(|&i| v[i]).collect()),
                ColumnData::F64(v) => ColumnData::F64(kept.iter().map(|&i| v[i]).collect()),
                other => other.clone(),
            };
        }
        let (_, expected) = run(&without, &config);
        let (a, b) = (&arms[0].solution, &expected[0].solution);
        for (x, y) in a.zp.iter().zip(&b.zp) {
            assert!((x - y).abs() < 1e-9, "{method:?}: {x} {y}");
        }
        let p = |s: &crate::calibrate::solution::ArmSolution| -> Vec<f64> {
            s.stars.iter().map(|s| s.p_value).collect()
        };
        for (x, y) in p(a).iter().zip(p(b)) {
            assert!((x - y).abs() < 1e-9 || (x.is_nan() && y.is_nan()));
        }
        let out = products::calibrated(spoiled.clone(), &input, &arms).0;
        let corrected = f64s(&out, "rv_corr");
        assert!(
            (0..t.n_rows())
                .filter(|i| is_limit(*i))
                .all(|i| corrected[i] > 400.0)
        );
        let stars_now = products::stars(&input, &arms, false);
        assert_eq!(stars_now.n_rows(), stars.n_rows());
    }
}
