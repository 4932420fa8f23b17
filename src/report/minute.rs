//! The minutes by which the survey calls its exposures (LMJM), as dates.

use crate::text::date;

/// Minutes that the survey's clock is ahead of UTC.
const AHEAD_MIN: i64 = 8 * 60;
/// Modified Julian Date of 1970-01-01.
const MJD_1970: i64 = 40_587;

/// When an exposure began, `2019-05-28 14:28`.
pub fn utc(lmjm: i64) -> String {
    let minutes = lmjm.saturating_sub(AHEAD_MIN + MJD_1970 * 1440);
    let iso = date::iso(minutes.saturating_mul(60));
    // `T` and the seconds, which a truncated minute does not tell.
    iso[..iso.len() - 3].replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_those_of_utc() {
        // LMJM / 1440 - 8 / 24 is the Modified Julian Date: 58624.7695, of 2019-05-21.
        assert_eq!(utc(84_420_148), "2019-05-21 18:28");
        assert!(utc(i64::MIN).contains(':') && utc(i64::MAX).contains(':'));
    }
}
