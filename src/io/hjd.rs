//! Heliocentric Julian date of the middle of an exposure, in UTC (as in the paper's Table 2).

use std::collections::HashMap;

use sofars::eph::epv00;

/// Speed of light in vacuum, au per day: 299792.458 km/s * 86400 s / 149597870.7 km (SI; IAU 2012 resolution B2).
const C_AU_PER_DAY: f64 = crate::C_KM_S * 86_400.0 / 149_597_870.7;

/// Julian date of Modified Julian Date 0.
const JD_OF_MJD_0: f64 = 2_400_000.5;

/// TDB - UTC, days: 32.184 s + 37 s (2017 to today). The Earth moves 30 km/s, so a second here is 0.1 ms in the result.
const TDB_MINUS_UTC: f64 = 69.184 / 86_400.0;

/// Local time of the observatory's clock (UTC+8), days ahead of UTC.
const LOCAL_MINUS_UTC: f64 = 8.0 / 24.0;

/// Julian date (UTC) of the middle of an exposure, as seen at the observatory.
///
/// `lmjm`: local Modified Julian Minute of its start, truncated to the minute in the file, which leaves up to 60 s.
/// `exptime_s`: seconds; where it is not a number the start is taken for the middle.
pub fn jd_mid_utc(lmjm: i64, exptime_s: f64) -> f64 {
    JD_OF_MJD_0 + mjd_mid_utc(lmjm, exptime_s)
}

/// Heliocentric Julian date (UTC) of the middle of an exposure towards a star (J2000 degrees): the date at which its light
/// would have passed the Sun.
///
/// `lmjm` and `exptime_s` as in [`jd_mid_utc`]. The Earth's centre stands for the observatory (21 ms). Against astropy
/// (`light_travel_time(kind='heliocentric')`, UTC) the largest difference is 0.021 s over ten sky positions and
/// dates (2016-2023), see the tests.
pub fn hjd_mid(lmjm: i64, exptime_s: f64, ra_deg: f64, dec_deg: f64) -> f64 {
    SunToEarth::at_mid(lmjm, exptime_s).hjd(ra_deg, dec_deg)
}

/// Where the Earth is at the middle of an exposure: the part of [`hjd_mid`] that all stars of the exposure share.
#[derive(Clone, Copy, Debug)]
pub struct SunToEarth {
    /// Modified Julian Date, UTC.
    mjd_utc: f64,
    /// From the Sun to the Earth, au, equatorial axes (BCRS).
    position_au: [f64; 3],
}

impl SunToEarth {
    /// Earth at the middle of an exposure, arguments as in [`jd_mid_utc`].
    pub fn at_mid(lmjm: i64, exptime_s: f64) -> Self {
        let mjd_utc = mjd_mid_utc(lmjm, exptime_s);
        // SOFA's EPV00 is good to 15 km in 1900-2100. Outside it warns; there no light time is added.
        let position_au = epv00(JD_OF_MJD_0, mjd_utc + TDB_MINUS_UTC)
            .map_or([0.0; 3], |(heliocentric, _)| heliocentric[0]);
        SunToEarth {
            mjd_utc,
            position_au,
        }
    }

    /// Heliocentric Julian date (UTC) towards a star (J2000 degrees).
    pub fn hjd(&self, ra_deg: f64, dec_deg: f64) -> f64 {
        let (sin_ra, cos_ra) = ra_deg.to_radians().sin_cos();
        let (sin_dec, cos_dec) = dec_deg.to_radians().sin_cos();
        let [x, y, z] = self.position_au;
        let towards_star_au = x * cos_dec * cos_ra + y * cos_dec * sin_ra + z * sin_dec;
        JD_OF_MJD_0 + (self.mjd_utc + towards_star_au / C_AU_PER_DAY)
    }
}

/// [`hjd_mid`] for many stars: the Earth's place takes 0.03 ms to compute, and the stars of a plate share it.
#[derive(Clone, Debug, Default)]
pub struct HjdClock {
    /// By LMJM and the bits of the exposure time.
    known: HashMap<(i64, u64), SunToEarth>,
}

impl HjdClock {
    /// Same value as [`hjd_mid`], to the last bit.
    pub fn hjd_mid(&mut self, lmjm: i64, exptime_s: f64, ra_deg: f64, dec_deg: f64) -> f64 {
        // A survey has 60,000 exposures; beyond that memory matters more.
        if self.known.len() > 100_000 {
            self.known.clear();
        }
        self.known
            .entry((lmjm, exptime_s.to_bits()))
            .or_insert_with(|| SunToEarth::at_mid(lmjm, exptime_s))
            .hjd(ra_deg, dec_deg)
    }
}

fn mjd_mid_utc(lmjm: i64, exptime_s: f64) -> f64 {
    let half_days = if exptime_s.is_finite() {
        exptime_s / 2.0 / 86_400.0
    } else {
        0.0
    };
    lmjm as f64 / 1440.0 - LOCAL_MINUS_UTC + half_days
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LMJM, EXPTIME (s), RA, DEC (degrees), HJD - 2450000 by astropy 7: `Time(scale='utc')` plus
    /// `light_travel_time(kind='heliocentric')` at 117.58 E, 40.39 N, 900 m, built-in ephemeris.
    const ASTROPY: [(i64, f64, f64, f64, f64); 10] = [
        (84420148, 1200.0, 292.058716, 43.925304, 8625.277309025),
        (84454742, 1200.0, 292.058709, 43.925216, 8649.301772251),
        (83000000, 600.0, 0.0, 0.0, 7639.064652043),
        (83500123, 900.0, 359.99, -9.5, 7986.373483245),
        (84000001, 1800.0, 123.4, 66.56, 8333.507290677),
        (84600000, 300.0, 266.5, -5.0, 8750.168043620),
        (85000000, 1200.0, 86.5, 23.4, 9027.945592719),
        (85262831, 1200.0, 90.0, 89.9, 9210.475174929),
        (84123456, 0.0, 180.0, 10.0, 8419.228868526),
        (86400000, 1200.0, 12.0, 41.27, 10000.170751507),
    ];

    #[test]
    fn astropy_agrees() {
        let mut largest_s = 0.0f64;
        for (lmjm, exptime_s, ra_deg, dec_deg, expected) in ASTROPY {
            let hjd = hjd_mid(lmjm, exptime_s, ra_deg, dec_deg) - 2_450_000.0;
            largest_s = largest_s.max((hjd - expected).abs() * 86_400.0);
        }
        eprintln!("largest difference from astropy: {largest_s:.4} s");
        // The observatory is 6371 km from the Earth's centre: 0.021 s.
        assert!(largest_s < 0.025, "{largest_s} s");
    }

    #[test]
    fn the_shared_clock_changes_nothing() {
        let mut clock = HjdClock::default();
        for _ in 0..2 {
            for (lmjm, exptime_s, ra_deg, dec_deg, _) in ASTROPY {
                let alone = hjd_mid(lmjm, exptime_s, ra_deg, dec_deg);
                assert_eq!(clock.hjd_mid(lmjm, exptime_s, ra_deg, dec_deg), alone);
            }
        }
        assert_eq!(clock.known.len(), ASTROPY.len());
        let (early, late) = (
            clock.hjd_mid(1, 0.0, 0.0, 0.0),
            clock.hjd_mid(1, 60.0, 0.0, 0.0),
        );
        assert!(late > early);
    }

    #[test]
    fn the_clock_is_utc_and_counts_from_the_start() {
        // The header's DATE-OBS of this exposure (its middle): 2019-05-21T18:38:00 UTC, JD 2458625.27638889.
        let jd = jd_mid_utc(84_420_148, 1200.0);
        assert!((jd - 2_458_625.276_388_89).abs() < 1e-7, "{jd}");
        // An unknown exposure time counts as none.
        let start = jd_mid_utc(84_420_148, f64::NAN);
        assert!(((jd - start) * 86_400.0 - 600.0).abs() < 1e-3);
        assert_eq!(start, jd_mid_utc(84_420_148, 0.0));
    }

    #[test]
    fn light_time_is_bounded_and_odd() {
        // Towards a point and away from it the light time is opposite, and never above 1.0168 au / c = 507.4 s.
        for i in 0..500 {
            let lmjm = 84_000_000 + 7919 * i;
            let (ra_deg, dec_deg) = (f64::from(i as i32) * 7.3 % 360.0, -90.0 + 0.36 * i as f64);
            let jd = jd_mid_utc(lmjm, 0.0);
            let there = (hjd_mid(lmjm, 0.0, ra_deg, dec_deg) - jd) * 86_400.0;
            let back = (hjd_mid(lmjm, 0.0, ra_deg + 180.0, -dec_deg) - jd) * 86_400.0;
            assert!(there.abs() < 507.5);
            assert!((there + back).abs() < 1e-3);
        }
        // A date that no ephemeris covers gives a number all the same.
        assert!(hjd_mid(200_000_000, 1.0, 1.0, 1.0).is_finite());
        assert!(hjd_mid(i64::MAX, f64::INFINITY, 1.0, 1.0).is_finite());
    }
}
