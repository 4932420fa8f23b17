//! Heliocentric Julian date of the middle of an exposure, in UTC (as in the paper's Table 2).

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
/// (`light_travel_time(kind='heliocentric')`, UTC) the largest difference is below 0.05 s, see the tests.
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

fn mjd_mid_utc(lmjm: i64, exptime_s: f64) -> f64 {
    let half_days = if exptime_s.is_finite() {
        exptime_s / 2.0 / 86_400.0
    } else {
        0.0
    };
    lmjm as f64 / 1440.0 - LOCAL_MINUS_UTC + half_days
}
