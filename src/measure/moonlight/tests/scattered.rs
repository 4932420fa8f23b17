use super::*;

/// Rows that are flagged as unlike the star's others.
fn flagged(rows: &[RvRow]) -> Vec<usize> {
    let is_flagged = |i: &usize| rows[*i].measurement.flags.contains(RvFlags::NOT_AS_OTHERS);
    (0..rows.len()).filter(is_flagged).collect()
}

/// The same sunlight with another share, error and [`Sunlit::distinct`].
fn with_share(lit: &Lit, share: f64, sigma: f64, distinct: f64) -> Option<SunlitWhere> {
    let here = lit.sunlit?.moved(0.0);
    let sunlit = Sunlit {
        share,
        sigma,
        distinct,
        ..here
    };
    drifting(sunlit, 0.0)
}

#[test]
fn far_more_sunlight_than_the_sky_has_is_flagged() {
    for moon in [0.0, 1.0] {
        let (clean, lit, _) = moved_rows(58, Asked { moon, ..ASKED });
        let now = |lit: &[Lit]| {
            let mut rows = clean.clone();
            correct(&mut rows, lit);
            flagged(&rows)
        };
        assert_eq!(now(&lit), [] as [usize; 0], "moon {moon}");
        let mut scattered = lit.clone();
        let here = lit[17].sunlit.unwrap().moved(0.0);
        scattered[17].sunlit = with_share(&lit[17], here.share + 0.4, here.sigma, here.distinct);
        assert_eq!(now(&scattered), [17], "moon {moon}");
        // Not where the error is as large.
        scattered[17].sunlit = with_share(&lit[17], here.share + 0.4, 0.2, here.distinct);
        assert_eq!(now(&scattered), [] as [usize; 0], "moon {moon}");
    }
}

#[test]
fn scattered_light_of_one_arm_is_flagged_in_the_other_where_that_would_not_show_it() {
    let (mut rows, mut lit, _) = moved_rows(58, Asked { moon: 0.0, ..ASKED });
    let n = rows.len();
    for i in 0..n {
        let mut row = rows[i].clone();
        row.arm = match row.arm {
            Arm::Blue => Arm::Red,
            Arm::Red => Arm::Blue,
        };
        rows.push(row);
        lit.push(Lit {
            row: n + i,
            ..lit[i]
        });
    }
    let now = |lit: &[Lit]| {
        let mut rows = rows.clone();
        correct(&mut rows, lit);
        flagged(&rows)
    };
    let distinct = |lit: &Lit| lit.sunlit.unwrap().moved(0.0).distinct;
    assert!(distinct(&lit[n + 17]) > UNSEEN);
    lit[17].is_odd = true;
    lit[17].sunlit = with_share(&lit[17], 0.1, 0.02, 5e-3);
    assert_eq!(now(&lit), [17]);
    lit[n + 17].sunlit = with_share(&lit[n + 17], 0.01, 0.02, 0.5 * UNSEEN);
    assert_eq!(now(&lit), [17, n + 17]);
    // Another reason than sunlight says nothing of the other arm, and neither does the same exposure of another star.
    lit[17].sunlit = with_share(&lit[17], 0.05, 0.02, 5e-3);
    assert!(!now(&lit).contains(&(n + 17)));
}
