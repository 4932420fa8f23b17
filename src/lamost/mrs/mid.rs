//! When the middle of an exposure was, by its header.
//!
//! `LMJM` is the local minute in which an exposure started, cut off. Since DR9 `DATE-BEG` and `DATE-END` have the seconds: without
//! them a time is up to a minute early.

use crate::fits::header::Header;

/// Longest exposure that is believed, seconds: a day.
const MAX_EXPTIME_S: f64 = 86_400.0;

/// `DATE-BEG` may differ from the beginning of minute `LMJM` by so much, seconds: what was cut off, and as much for rounding.
const BEGIN_S: std::ops::RangeInclusive<f64> = -60.0..=120.0;

/// Local time of the observatory's clock (UTC+8), ahead of UTC, seconds.
const LOCAL_MINUS_UTC_S: f64 = 8.0 * 3600.0;

/// `DATE-END` - `DATE-BEG` and `EXPTIME` of one exposure agree to this, seconds: the shutter and the readout.
const AGREE_S: f64 = 60.0;

/// Middle of an exposure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mid {
    /// Seconds after the beginning of minute `LMJM`; NaN where the header tells no exposure time.
    pub mid_s: f64,
    /// There is no exposure time, or the header's dates contradict it or `LMJM`.
    pub is_uncertain: bool,
}

/// By `DATE-BEG`, `DATE-END` and `EXPTIME`, as far as they are there and agree with `LMJM` and with each other.
pub(super) fn mid(header: &Header<'_>, lmjm: i64) -> Mid {
    let date = |key| header.text(key).as_deref().and_then(mjd_seconds);
    let (begin, end) = (date("DATE-BEG"), date("DATE-END"));
    let believed = |s: &f64| *s > 0.0 && *s <= MAX_EXPTIME_S;
    let exptime_s = header.float("EXPTIME").filter(believed);
    let span_s = begin.zip(end).map(|(b, e)| e - b).filter(believed);
    // The dates are local time in the releases so far; where that contradicts LMJM and UTC does not, they are UTC.
    let after_minute = begin.and_then(|begin_s| {
        let local = begin_s - 60.0 * lmjm as f64;
        [local, local + LOCAL_MINUS_UTC_S]
            .into_iter()
            .find(|s| BEGIN_S.contains(s))
    });
    let contradicts_minute = begin.is_some() && after_minute.is_none();
    let contradicts_span = match (exptime_s, span_s) {
        (Some(exptime_s), Some(span_s)) => (exptime_s - span_s).abs() > AGREE_S,
        _ => false,
    };
    // With both dates the middle is halfway between them: if they are a little farther apart than the exposure is long, the excess is
    // taken to be half at either end.
    let length_s = match (exptime_s, span_s) {
        (Some(exptime_s), Some(span_s)) if !contradicts_span && !contradicts_minute => {
            Some(span_s.max(exptime_s))
        }
        (Some(exptime_s), _) => Some(exptime_s),
        (None, span_s) => span_s,
    };
    Mid {
        mid_s: length_s.map_or(f64::NAN, |s| after_minute.unwrap_or(0.0) + s / 2.0),
        is_uncertain: length_s.is_none() || contradicts_minute || contradicts_span,
    }
}

/// Days from 0000-03-01 to Modified Julian Date 0, 1858-11-17, in the Gregorian calendar.
const DAYS_TO_MJD_0: f64 = 678_882.0;

/// `YYYY-MM-DDThh:mm:ss[.s]` as seconds after Modified Julian Date 0.
fn mjd_seconds(text: &str) -> Option<f64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut ymd = date.splitn(3, '-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (ymd.next()??, ymd.next()??, ymd.next()??);
    let mut hms = time.splitn(3, ':').map(|part| part.parse::<f64>().ok());
    let (hour, minute, second) = (hms.next()??, hms.next()??, hms.next()??);
    if year > 9999 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days of the Gregorian calendar with the year beginning in March, so that February's end comes last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year.checked_sub(1)?, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day;
    let of_day = 3600.0 * hour + 60.0 * minute + second;
    let seconds = 86_400.0 * (f64::from(days) - DAYS_TO_MJD_0) + of_day;
    seconds.is_finite().then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_the_modified_julian_date() {
        assert_eq!(mjd_seconds("1858-11-17T00:00:00"), Some(0.0));
        assert_eq!(
            mjd_seconds("2000-02-29 00:00:01.5"),
            Some(51_603.0 * 86_400.0 + 1.5)
        );
        assert_eq!(
            mjd_seconds("2018-01-30T13:30:0.000"),
            Some(58_148.0 * 86_400.0 + 48_600.0)
        );
        for text in [
            "",
            "2018-01-30",
            "2018-13-30T1:1:1",
            "x-1-1T1:1:1",
            "2018-01-30T1:1:inf",
        ] {
            assert_eq!(mjd_seconds(text), None, "{text}");
        }
    }

    /// Of an exposure that started in local minute 83734392, 2018-01-30 21:12.
    fn mid_of(cards: &[&str]) -> (f64, bool) {
        let mut bytes: String = cards.iter().map(|card| format!("{card:<80}")).collect();
        bytes.push_str(&format!("{:<80}", "END"));
        bytes.push_str(&" ".repeat(2880));
        let header = Header::parse(bytes.as_bytes()).unwrap().0;
        let mid = mid(&header, 83_734_392);
        (mid.mid_s, mid.is_uncertain)
    }

    const EXPTIME: &str = "EXPTIME =                  600 / [s]";
    const BEGIN: &str = "DATE-BEG= '2018-01-30T21:12:52.0' / local time";
    const END: &str = "DATE-END= '2018-01-30T21:22:52.0' / local time";

    #[test]
    fn dates_have_the_seconds_that_the_minute_lacks() {
        assert_eq!(mid_of(&[EXPTIME]), (300.0, false));
        assert_eq!(mid_of(&[EXPTIME, BEGIN, END]), (352.0, false));
        assert_eq!(mid_of(&[BEGIN, END]), (352.0, false));
        assert_eq!(mid_of(&[EXPTIME, BEGIN]), (352.0, false));
        // The readout is in the dates.
        let later = "DATE-END= '2018-01-30T21:23:12.0'";
        assert_eq!(mid_of(&[EXPTIME, BEGIN, later]), (362.0, false));
        let utc = "DATE-BEG= '2018-01-30T13:12:52.0' / UTC";
        let utc_end = "DATE-END= '2018-01-30T13:22:52.0' / UTC";
        assert_eq!(mid_of(&[EXPTIME, utc, utc_end]), (352.0, false));
    }

    #[test]
    fn what_is_missing_or_contradicted_is_told() {
        let (mid_s, is_uncertain) = mid_of(&[]);
        assert!(mid_s.is_nan() && is_uncertain);
        let (mid_s, is_uncertain) = mid_of(&[BEGIN]);
        assert!(mid_s.is_nan() && is_uncertain);
        // Another day.
        let other = "DATE-BEG= '2018-01-29T21:12:52.0'";
        let other_end = "DATE-END= '2018-01-29T21:22:52.0'";
        assert_eq!(mid_of(&[EXPTIME, other, other_end]), (300.0, true));
        // Dates of the whole night in the header of one exposure.
        let night_end = "DATE-END= '2018-01-30T21:49:37.0'";
        assert_eq!(mid_of(&[EXPTIME, BEGIN, night_end]), (352.0, true));
        for absurd in ["EXPTIME = -1.0", "EXPTIME = 1e9", "EXPTIME = 'x'"] {
            assert!(mid_of(&[absurd]).0.is_nan());
        }
    }
}
