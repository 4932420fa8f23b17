//! Dates, positions and the Earth's motion, to the precision that a simulation needs.

/// Longitude of the observatory, degrees east (key LONGITUD).
pub const SITE_LONGITUDE_DEG: f64 = 117.58;
/// Latitude of the observatory, degrees (key LATITUDE).
pub const SITE_LATITUDE_DEG: f64 = 40.39;

/// Velocity of the telescope towards a star (J2000, degrees) at a UTC Modified Julian Date, km/s: the correction that
/// heliocentric wavelengths have been multiplied by as 1 + v/c. Circular orbit: good to 0.5 km/s, smooth in time.
pub fn velocity_towards_km_s(ra_deg: f64, dec_deg: f64, mjd_utc: f64) -> f64 {
    // Days since J2000.0.
    let d = mjd_utc - 51_544.5;
    let anomaly = (357.529 + 0.985_600_28 * d).to_radians();
    let sun = (280.459 + 0.985_647_36 * d + 1.915 * anomaly.sin()).to_radians();
    let (ra, dec) = (ra_deg.to_radians(), dec_deg.to_radians());
    let obliquity = 23.439f64.to_radians();
    // Ecliptic cosines of the star; the Earth moves towards longitude (sun - 90 degrees) at 29.79 km/s.
    let x = dec.cos() * ra.cos();
    let y = obliquity.cos() * dec.cos() * ra.sin() + obliquity.sin() * dec.sin();
    let orbital = 29.79 * (sun.sin() * x - sun.cos() * y);
    // Rotation: 0.465 km/s at the equator, eastwards.
    let sidereal = (280.460_618 + 360.985_647_37 * d + SITE_LONGITUDE_DEG).to_radians();
    let diurnal = 0.465 * SITE_LATITUDE_DEG.to_radians().cos() * dec.cos() * (ra - sidereal).sin();
    orbital + diurnal
}

/// Galactic longitude and latitude of an equatorial position (J2000), degrees.
pub fn galactic_deg(ra_deg: f64, dec_deg: f64) -> (f64, f64) {
    let (pole_ra, pole_dec, node) = (
        192.859_48f64.to_radians(),
        27.128_25f64.to_radians(),
        122.931_92f64,
    );
    let (ra, dec) = (ra_deg.to_radians(), dec_deg.to_radians());
    let b = (dec.sin() * pole_dec.sin() + dec.cos() * pole_dec.cos() * (ra - pole_ra).cos()).asin();
    let y = dec.cos() * (ra - pole_ra).sin();
    let x = dec.sin() * pole_dec.cos() - dec.cos() * pole_dec.sin() * (ra - pole_ra).cos();
    (
        (node - y.atan2(x).to_degrees()).rem_euclid(360.0),
        b.to_degrees(),
    )
}

/// `(hours or degrees, minutes, seconds)` of an angle in units of the first, truncated to `decimals` of the seconds.
fn sexagesimal(value: f64, decimals: i32) -> (u32, u32, f64) {
    let scale = 10f64.powi(decimals);
    // A millionth is added, because a value like 12.9999999 is 13 but for rounding.
    let units = (value * 3600.0 * scale + 1e-6).floor();
    let seconds = units / scale;
    let whole = (seconds / 3600.0).floor();
    let minutes = ((seconds - 3600.0 * whole) / 60.0).floor();
    (
        whole as u32,
        minutes as u32,
        seconds - 3600.0 * whole - 60.0 * minutes,
    )
}

/// Designation in the survey's style, `J192814.09+435530.7`.
pub fn designation(ra_deg: f64, dec_deg: f64) -> String {
    let (h, m, s) = sexagesimal(ra_deg / 15.0, 2);
    let (d, dm, ds) = sexagesimal(dec_deg.abs(), 1);
    let sign = if dec_deg < 0.0 { '-' } else { '+' };
    format!("J{h:02}{m:02}{s:05.2}{sign}{d:02}{dm:02}{ds:04.1}")
}

/// Name of a time-domain plate centred on a position, `TD193637N444141K01`.
pub fn plate_name(ra_deg: f64, dec_deg: f64) -> String {
    let (h, m, s) = sexagesimal(ra_deg / 15.0, 0);
    let (d, dm, ds) = sexagesimal(dec_deg.abs(), 0);
    let side = if dec_deg < 0.0 { 'S' } else { 'N' };
    format!("TD{h:02}{m:02}{s:02.0}{side}{d:02}{dm:02}{ds:02.0}K01")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_the_real_files() {
        let (ra, dec) = (292.058709, 43.925216);
        assert_eq!(designation(ra, dec), "J192814.09+435530.7");
        assert_eq!(designation(0.0, -0.5), "J000000.00-003000.0");
        assert_eq!(plate_name(294.154_17, 44.694_73), "TD193637N444141K01");
        let (l, b) = galactic_deg(ra, dec);
        assert!(
            (l - 76.228013).abs() < 2e-4 && (b - 12.348081).abs() < 2e-4,
            "{l} {b}"
        );
    }

    #[test]
    fn earth_moves_as_the_real_files_say() {
        // HELIO_RV has the opposite sign: the telescope's velocity away from the star.
        for (mjd, helio_rv) in [(58624.7, -11.94), (58643.7, -9.92), (58648.74, -8.94)] {
            let v = velocity_towards_km_s(292.0587, 43.9253, mjd);
            assert!((v + helio_rv).abs() < 0.6, "{mjd} {v}");
        }
        // Wavelengths of one night shrink by 0.028 km/s from exposure to exposure (23 min).
        let drift = velocity_towards_km_s(292.0587, 43.9253, 58648.74 + 23.0 / 1440.0)
            - velocity_towards_km_s(292.0587, 43.9253, 58648.74);
        assert!((drift + 0.028).abs() < 0.008, "{drift}");
    }
}
