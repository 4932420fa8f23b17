use super::*;

/// An exposure, a star, and what astropy 7 says of it.
struct Astropy {
    lmjm: i64,
    exptime_s: f64,
    ra_deg: f64,
    dec_deg: f64,
    hjd: f64,
    bjd_tdb: f64,
    helio_rv_km_s: f64,
}

/// LMJM, EXPTIME (s), RA, DEC (degrees), HJD and BJD - 2450000 and the velocity away from the star, by astropy 7: `Time(scale='utc')`
/// with `light_travel_time` and `radial_velocity_correction` at 117.58 E, 40.39 N, 900 m, built-in ephemeris.
const ASTROPY: [[f64; 7]; 10] = [
    [
        84420148.0,
        1200.0,
        292.058716,
        43.925304,
        8625.277309025,
        8625.278091872,
        -11.9518,
    ],
    [
        84454742.0,
        1200.0,
        292.058709,
        43.925216,
        8649.301772251,
        8649.302554789,
        -9.0206,
    ],
    [
        83000000.0,
        600.0,
        0.0,
        0.0,
        7639.064652043,
        7639.065462181,
        -7.4435,
    ],
    [
        83500123.0,
        900.0,
        359.99,
        -9.5,
        7986.373483245,
        7986.374296325,
        -13.3245,
    ],
    [
        84000001.0,
        1800.0,
        123.4,
        66.56,
        8333.507290677,
        8333.508117779,
        -8.0899,
    ],
    [
        84600000.0,
        300.0,
        266.5,
        -5.0,
        8750.168043620,
        8750.168803909,
        28.4289,
    ],
    [
        85000000.0,
        1200.0,
        86.5,
        23.4,
        9027.945592719,
        9027.946431687,
        -4.3196,
    ],
    [
        85262831.0,
        1200.0,
        90.0,
        89.9,
        9210.475174929,
        9210.475990136,
        1.1630,
    ],
    [
        84123456.0,
        0.0,
        180.0,
        10.0,
        8419.228868526,
        8419.229673523,
        -18.8595,
    ],
    [
        86400000.0,
        1200.0,
        12.0,
        41.27,
        10000.170751507,
        10000.171513863,
        20.6553,
    ],
];

fn astropy() -> impl Iterator<Item = Astropy> {
    ASTROPY.into_iter().map(
        |[lmjm, exptime_s, ra_deg, dec_deg, hjd, bjd_tdb, v]| Astropy {
            lmjm: lmjm as i64,
            exptime_s,
            ra_deg,
            dec_deg,
            hjd: hjd + 2_450_000.0,
            bjd_tdb: bjd_tdb + 2_450_000.0,
            helio_rv_km_s: v,
        },
    )
}

#[test]
fn astropy_agrees() {
    let (mut hjd_s, mut bjd_s, mut rv_km_s) = (0.0f64, 0.0f64, 0.0f64);
    for a in astropy() {
        let earth = Earth::at(a.lmjm, a.exptime_s / 2.0);
        let dates = earth.dates(a.ra_deg, a.dec_deg);
        hjd_s = hjd_s.max((dates.hjd - a.hjd).abs() * 86_400.0);
        bjd_s = bjd_s.max((dates.bjd_tdb - a.bjd_tdb).abs() * 86_400.0);
        rv_km_s = rv_km_s.max((earth.helio_rv_km_s(a.ra_deg, a.dec_deg) - a.helio_rv_km_s).abs());
    }
    eprintln!("largest differences from astropy: {hjd_s:.4} s, {bjd_s:.4} s, {rv_km_s:.4} km/s");
    // The observatory is 6371 km from the Earth's centre: 0.021 s.
    assert!(hjd_s < 0.025, "{hjd_s} s");
    assert!(bjd_s < 0.005, "{bjd_s} s");
    assert!(rv_km_s < 0.002, "{rv_km_s} km/s");
}

#[test]
fn public_files_say_the_same_velocity() {
    // DATE-OBS, position and HELIO_RV of five public files. One value stands for a night.
    for (minute_utc, ra_deg, dec_deg, helio_rv_km_s) in [
        (58148 * 1440 + 13 * 60 + 30, 86.056158, 29.15306, 20.76393),
        (
            58624 * 1440 + 18 * 60 + 38,
            292.058716,
            43.925304,
            -11.94207,
        ),
        (58643 * 1440 + 17 * 60 + 31, 292.058716, 43.925304, -9.91768),
        (58645 * 1440 + 17 * 60 + 59, 292.058716, 43.925304, -9.60036),
        (58648 * 1440 + 17 * 60 + 40, 292.058709, 43.925216, -8.93644),
    ] {
        let found = Earth::at(minute_utc + 480, 0.0).helio_rv_km_s(ra_deg, dec_deg);
        assert!(
            (found - helio_rv_km_s).abs() < 0.25,
            "{found} {helio_rv_km_s}"
        );
    }
}

#[test]
fn the_shared_clock_changes_nothing() {
    let mut clock = Clock::default();
    for _ in 0..2 {
        for a in astropy() {
            let mid_s = a.exptime_s / 2.0;
            let alone = Earth::at(a.lmjm, mid_s).dates(a.ra_deg, a.dec_deg);
            assert_eq!(clock.dates(a.lmjm, mid_s, a.ra_deg, a.dec_deg), alone);
        }
    }
    assert_eq!(clock.known.len(), ASTROPY.len());
    let (early, late) = (
        clock.dates(1, 0.0, 0.0, 0.0),
        clock.dates(1, 30.0, 0.0, 0.0),
    );
    assert!(late.hjd > early.hjd);
}

#[test]
fn the_clock_is_utc_and_counts_from_the_minute() {
    // The header's DATE-OBS of this exposure (its middle): 2019-05-21T18:38:00 UTC, JD 2458625.27638889.
    let jd = JD_OF_MJD_0 + mjd_mid_utc(84_420_148, 600.0);
    assert!((jd - 2_458_625.276_388_89).abs() < 1e-7, "{jd}");
    // Where nothing is known the minute counts.
    let start = JD_OF_MJD_0 + mjd_mid_utc(84_420_148, f64::NAN);
    assert!(((jd - start) * 86_400.0 - 600.0).abs() < 1e-3);
    assert_eq!(start, JD_OF_MJD_0 + mjd_mid_utc(84_420_148, 0.0));
}

#[test]
fn leap_seconds_are_those_of_their_dates() {
    // 2015-07-01, 2017-01-01, and a date that no table knows.
    for (mjd_utc, tai_minus_utc_s) in [
        (57_203.9, 35.0),
        (57_204.1, 36.0),
        (57_753.9, 36.0),
        (57_754.1, 37.0),
        (61_000.5, 37.0),
        (1e9, 37.0),
    ] {
        let found_s = tdb_minus_utc_days(mjd_utc) * 86_400.0;
        let expected_s = tai_minus_utc_s + 32.184;
        assert!((found_s - expected_s).abs() < 0.002, "{mjd_utc}: {found_s}");
    }
}

#[test]
fn light_time_is_bounded_and_odd() {
    // Towards a point and away from it the light time is opposite, and never above 1.0168 au / c = 507.4 s.
    for i in 0..500 {
        let lmjm = 84_000_000 + 7919 * i;
        let (ra_deg, dec_deg) = (f64::from(i as i32) * 7.3 % 360.0, -90.0 + 0.36 * i as f64);
        let (earth, jd) = (Earth::at(lmjm, 0.0), JD_OF_MJD_0 + mjd_mid_utc(lmjm, 0.0));
        let there = (earth.dates(ra_deg, dec_deg).hjd - jd) * 86_400.0;
        let back = (earth.dates(ra_deg + 180.0, -dec_deg).hjd - jd) * 86_400.0;
        assert!(there.abs() < 507.5);
        assert!((there + back).abs() < 1e-3);
    }
    // A date that no ephemeris covers gives a number all the same.
    assert!(Earth::at(200_000_000, 1.0).dates(1.0, 1.0).hjd.is_finite());
    let never = Earth::at(i64::MAX, f64::INFINITY).dates(1.0, 1.0);
    assert!(never.hjd.is_finite() && never.bjd_tdb.is_finite());
}
