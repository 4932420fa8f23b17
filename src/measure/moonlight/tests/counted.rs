//! Sunlight that has made an exposure's errors larger before its sky was known.

use super::*;

/// A unit, and its rows when moonlight has been taken off; `counted_km_s` of each row was added to its errors, in squares, before.
fn corrected(counted_km_s: f64, more_in_17: f64) -> Vec<RvRow> {
    let (mut rows, mut lit, _) = moved_rows(61, ASKED);
    for (row, lit) in rows.iter_mut().zip(&mut lit) {
        lit.err_km_s = counted_km_s;
        let m = &mut row.measurement;
        let of_zero = if row.is_reference { 0.0 } else { counted_km_s };
        m.rv_err_own_km_s = m.rv_err_own_km_s.hypot(counted_km_s);
        m.rv_err_km_s = m.rv_err_km_s.hypot(counted_km_s).hypot(of_zero);
    }
    let here = lit[17].sunlit.unwrap().moved(0.0);
    lit[17].sunlit = SunlitWhere::found(&mut |by| {
        let there = lit[17].sunlit.unwrap().moved(by);
        Some(Sunlit {
            share: here.share + more_in_17,
            ..there
        })
    });
    correct(&mut rows, &lit);
    rows
}

#[test]
fn what_the_sky_explains_is_no_error_any_more() {
    let errors = |rows: &[RvRow]| -> Vec<[f64; 2]> {
        let of = |r: &RvRow| [r.measurement.rv_err_own_km_s, r.measurement.rv_err_km_s];
        rows.iter().map(of).collect()
    };
    let (without, with) = (errors(&corrected(0.0, 0.0)), errors(&corrected(0.4, 0.0)));
    // Errors decide a little of what the sky is found to be.
    for (without, with) in without.iter().flatten().zip(with.iter().flatten()) {
        assert!((with / without - 1.0).abs() < 0.2, "{with} {without}");
    }
    let more = errors(&corrected(0.4, 0.15));
    assert!(
        more[17][0] > 3.0 * with[17][0],
        "{:?} {:?}",
        more[17],
        with[17]
    );
    assert!(
        more[17][1] > 2.0 * with[17][1],
        "{:?} {:?}",
        more[17],
        with[17]
    );
}

#[test]
fn a_star_that_is_not_corrected_has_moonlight_in_its_errors() {
    let (mut rows, mut lit, truth) = moved_rows(62, ASKED);
    // Two stars without a coadd, of which one is ten times as bright.
    let stars = [rows[24].star, rows[36].star];
    for (row, lit) in rows.iter().zip(&mut lit) {
        if stars.contains(&row.star) {
            lit.sunlit = None;
            lit.light = if row.star == stars[0] {
                3000.0
            } else {
                30_000.0
            };
        }
    }
    correct(&mut rows, &lit);
    let err = |i: usize| rows[i].measurement.rv_err_own_km_s;
    let off = |of: std::ops::Range<usize>| {
        let off: Vec<f64> = of.map(|i| rows[i].measurement.rv_km_s - truth[i]).collect();
        let mean = off.iter().sum::<f64>() / off.len() as f64;
        rms(off.iter().map(|o| o - mean))
    };
    // By far more than the 0.07 km/s of noise, and by about what it is.
    assert!(
        (0.3..3.0).contains(&(off(24..36) / err(24))),
        "{} {}",
        off(24..36),
        err(24)
    );
    assert!(
        err(24) > 3.0 * ERR_KM_S && err(24) > 2.0 * err(36),
        "{} {}",
        err(24),
        err(36)
    );
    // The bright one is not believed to be brighter than by a factor of 3.
    let more = |i: usize| (err(i).powi(2) - ERR_KM_S * ERR_KM_S).sqrt();
    let part = more(36) / more(24);
    assert!((0.2..0.6).contains(&part), "{part}");
    // Without moonlight nothing is added.
    let (mut dark, mut lit, _) = moved_rows(63, Asked { moon: 0.0, ..ASKED });
    lit[24..36].iter_mut().for_each(|l| l.sunlit = None);
    correct(&mut dark, &lit);
    assert_eq!(dark[24].measurement.rv_err_own_km_s, ERR_KM_S);
}
