//! When an exposure was, as seen from the Sun and from the centre of mass of the solar system, and how fast the telescope
//! moved then.

use std::collections::HashMap;

use sofars::eph::epv00;
use sofars::erst::era00;
use sofars::ts::utctai;

use crate::C_KM_S;

/// Kilometres of an astronomical unit (IAU 2012 resolution B2).
const AU_KM: f64 = 149_597_870.7;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// Speed of light in vacuum, au per day.
const C_AU_PER_DAY: f64 = C_KM_S * SECONDS_PER_DAY / AU_KM;

/// Julian date of Modified Julian Date 0.
const JD_OF_MJD_0: f64 = 2_400_000.5;

/// Modified Julian Date of the epoch J2000.0.
const MJD_OF_J2000: f64 = 51_544.5;

/// TT - TAI, seconds (IAU 1991).
const TT_MINUS_TAI_S: f64 = 32.184;

/// TAI - UTC, seconds, since 2017 and until another leap second is announced.
const TAI_MINUS_UTC_S: f64 = 37.0;

/// Local time of the observatory's clock (UTC+8), days ahead of UTC.
const LOCAL_MINUS_UTC: f64 = 8.0 / 24.0;

/// Where the telescope is (keys LONGITUD and LATITUDE): longitude east and latitude, degrees, and height, km.
const SITE_LONGITUDE_DEG: f64 = 117.58;
const SITE_LATITUDE_DEG: f64 = 40.39;
const SITE_HEIGHT_KM: f64 = 0.9;

/// The Earth's equatorial radius, km, and squared eccentricity (WGS 84).
const EARTH_RADIUS_KM: f64 = 6378.137;
const EARTH_ECCENTRICITY_2: f64 = 6.694_379_990_14e-3;

/// Angle by which the Earth turns in a second, radians.
const EARTH_ROTATION_RAD_S: f64 = 7.292_115e-5;

/// Middle of an exposure, as two dates of one event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MidTimes {
    /// Heliocentric Julian date, UTC: when its light would have passed the Sun (as in the paper's Table 2). The Earth's centre
    /// stands for the observatory (21 ms).
    pub hjd: f64,
    /// Barycentric Julian date, TDB: when its light would have passed the centre of mass of the solar system.
    pub bjd_tdb: f64,
}

/// Where the Earth is, and how it moves, at one moment: what all stars of an exposure share.
#[derive(Clone, Copy, Debug)]
pub struct Earth {
    /// Modified Julian Date, UTC.
    mjd_utc: f64,
    /// TDB - UTC, days.
    tdb_minus_utc: f64,
    /// From the Sun to the Earth's centre, au, equatorial axes (BCRS).
    from_sun_au: [f64; 3],
    /// From the centre of mass of the solar system to the telescope, au.
    from_barycentre_au: [f64; 3],
    /// Velocity of the telescope against the Sun, km/s.
    velocity_km_s: [f64; 3],
}

impl Earth {
    /// Earth in the middle of an exposure: `mid_s` seconds after the beginning of `lmjm`, the local (UTC+8) Modified Julian
    /// Minute in which it started. Where `mid_s` is not a number the minute's beginning is taken.
    ///
    /// The Earth's place is that of SOFA's EPV00, which is good to 15 km from 1900 to 2100. For other dates it warns; then no light time
    /// is added, and the velocity is 0.
    pub fn at(lmjm: i64, mid_s: f64) -> Self {
        let mjd_utc = mjd_mid_utc(lmjm, mid_s);
        let tdb_minus_utc = tdb_minus_utc_days(mjd_utc);
        let (site_au, site_km_s) = site(mjd_utc);
        let found = epv00(JD_OF_MJD_0, mjd_utc + tdb_minus_utc);
        let (from_sun_au, from_barycentre_au, velocity_km_s) = match found {
            Some((heliocentric, barycentric)) => (
                heliocentric[0],
                std::array::from_fn(|k| barycentric[0][k] + site_au[k]),
                std::array::from_fn(|k| {
                    heliocentric[1][k] * AU_KM / SECONDS_PER_DAY + site_km_s[k]
                }),
            ),
            None => Default::default(),
        };
        Earth {
            mjd_utc,
            tdb_minus_utc,
            from_sun_au,
            from_barycentre_au,
            velocity_km_s,
        }
    }

    /// Both dates towards a star (J2000, degrees).
    ///
    /// Against astropy (`light_travel_time`, built-in ephemeris) `hjd` differs by 0.021 s at most and `bjd_tdb` by 0.002 s over ten
    /// positions and dates of 2016 to 2023, see the tests.
    pub fn dates(&self, ra_deg: f64, dec_deg: f64) -> MidTimes {
        let star = direction(ra_deg, dec_deg);
        let light_days = |from: &[f64; 3]| dot(from, &star) / C_AU_PER_DAY;
        MidTimes {
            hjd: JD_OF_MJD_0 + (self.mjd_utc + light_days(&self.from_sun_au)),
            bjd_tdb: JD_OF_MJD_0
                + (self.mjd_utc + self.tdb_minus_utc + light_days(&self.from_barycentre_au)),
        }
    }

    /// Velocity of the telescope away from a star (J2000, degrees) against the Sun, km/s: what the key HELIO_RV holds.
    ///
    /// Good to 1 m/s; in five public files HELIO_RV differs from it by 0.01 to 0.20, as one value stands for a night.
    pub fn helio_rv_km_s(&self, ra_deg: f64, dec_deg: f64) -> f64 {
        -dot(&self.velocity_km_s, &direction(ra_deg, dec_deg))
    }
}

/// [`Earth::at`] for many stars: the Earth's place takes 0.03 ms to compute, and the stars of a plate share it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// By LMJM and the bits of the seconds to the middle.
    known: HashMap<(i64, u64), Earth>,
}

impl Clock {
    /// Same value as [`Earth::dates`], to the last bit.
    pub fn dates(&mut self, lmjm: i64, mid_s: f64, ra_deg: f64, dec_deg: f64) -> MidTimes {
        // A survey has 60,000 exposures. With more entries than that the memory is freed, and they are computed again.
        if self.known.len() > 100_000 {
            self.known.clear();
        }
        self.known
            .entry((lmjm, mid_s.to_bits()))
            .or_insert_with(|| Earth::at(lmjm, mid_s))
            .dates(ra_deg, dec_deg)
    }
}

/// Modified Julian Date (UTC) as the observatory's clock has it.
fn mjd_mid_utc(lmjm: i64, mid_s: f64) -> f64 {
    let after_days = if mid_s.is_finite() {
        mid_s / SECONDS_PER_DAY
    } else {
        0.0
    };
    lmjm as f64 / 1440.0 - LOCAL_MINUS_UTC + after_days
}

/// TDB - UTC. TDB runs 1.7 ms ahead of TT and behind it in the course of a year (Explanatory Supplement to the Astronomical
/// Almanac, 2.222); the rest are leap seconds.
fn tdb_minus_utc_days(mjd_utc: f64) -> f64 {
    let anomaly = (357.53 + 0.985_600_28 * (mjd_utc - MJD_OF_J2000)).to_radians();
    let tdb_minus_tt_s = 0.001_658 * anomaly.sin() + 0.000_014 * (2.0 * anomaly).sin();
    // On the day before a leap second the table's own days are longer: its noon is not used, only the date.
    let day = mjd_utc.floor();
    let table_s = match utctai(JD_OF_MJD_0, day) {
        Ok((high, low)) => ((high - JD_OF_MJD_0) + (low - day)) * SECONDS_PER_DAY,
        Err(_) => f64::NAN,
    };
    // Before 1972 the difference was no whole number of seconds, and for dates beyond the calendar there is no table: the present
    // difference is used.
    let tai_minus_utc_s = if (10.0..100.0).contains(&table_s) {
        table_s
    } else {
        TAI_MINUS_UTC_S
    };
    (tai_minus_utc_s + TT_MINUS_TAI_S + tdb_minus_tt_s) / SECONDS_PER_DAY
}

/// The telescope's place and velocity against the Earth's centre, au and km/s. The axis has moved by 0.1 degrees since 2000, which
/// is 1 m/s here.
fn site(mjd_utc: f64) -> ([f64; 3], [f64; 3]) {
    let latitude = SITE_LATITUDE_DEG.to_radians();
    let normal_km = EARTH_RADIUS_KM / (1.0 - EARTH_ECCENTRICITY_2 * latitude.sin().powi(2)).sqrt();
    let from_axis_km = (normal_km + SITE_HEIGHT_KM) * latitude.cos();
    let above_equator_km =
        (normal_km * (1.0 - EARTH_ECCENTRICITY_2) + SITE_HEIGHT_KM) * latitude.sin();
    let (sin, cos) = (era00(JD_OF_MJD_0, mjd_utc) + SITE_LONGITUDE_DEG.to_radians()).sin_cos();
    let speed_km_s = EARTH_ROTATION_RAD_S * from_axis_km;
    (
        [from_axis_km * cos, from_axis_km * sin, above_equator_km].map(|km| km / AU_KM),
        [-speed_km_s * sin, speed_km_s * cos, 0.0],
    )
}

/// Unit vector towards a star.
fn direction(ra_deg: f64, dec_deg: f64) -> [f64; 3] {
    let (sin_ra, cos_ra) = ra_deg.to_radians().sin_cos();
    let (sin_dec, cos_dec) = dec_deg.to_radians().sin_cos();
    [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec]
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
#[path = "times_tests.rs"]
mod tests;
