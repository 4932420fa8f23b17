//! Dates as text.

/// Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar.
const TO_1970: i64 = 719_468;

#[cfg(feature = "lab")]
/// Days from the Modified Julian Date's 0, 1858-11-17, to 1970-01-01.
const MJD_TO_1970: i64 = 40_587;

/// Seconds after 1970-01-01 as `2019-06-15T01:30:20`.
pub fn iso(unix_seconds: i64) -> String {
    let (year, month, day) = civil(unix_seconds.div_euclid(86_400));
    let second = unix_seconds.rem_euclid(86_400);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}")
}

/// The same for a Modified Julian Date in seconds.
#[cfg(feature = "lab")]
pub fn iso_of_mjd(mjd_seconds: i64) -> String {
    iso(mjd_seconds - 86_400 * MJD_TO_1970)
}

/// Date (year, month, day) of a number of days after 1970-01-01, in the Gregorian calendar (Hinnant,
/// "chrono-compatible low-level date algorithms": years that begin in March, eras of 400 years).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + TO_1970;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_795_363_245, "2026-11-22T16:00:45"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            assert_eq!(iso(seconds), text);
        }
    }

    #[test]
    fn dates_of_the_real_files() {
        // LMJM 84454650 of the file of LMJD 58649, DATE-BEG 2019-06-15T01:30:20.
        assert_eq!(iso_of_mjd(84_454_650 * 60 + 20), "2019-06-15T01:30:20");
        assert_eq!(iso_of_mjd(0), "1858-11-17T00:00:00");
        assert_eq!(iso_of_mjd(51_603 * 86_400), "2000-02-29T00:00:00");
    }
}
