//! Numbers as options take them. What is refused is wrong usage: the message names the option, what it takes and what was given.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// Reads a whole number within `range`.
pub fn whole<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.trim().parse().ok().filter(|n| range.contains(n));
        let number = number.and_then(|n: u64| T::try_from(n).ok());
        number.ok_or_else(|| {
            let most = (*range.end() < u64::MAX).then_some(range.end());
            format!("expected a whole number {}", bounds(range.start(), most))
        })
    }
}

/// Reads a number within `range`, the upper end of which may be infinite: infinity itself and NaN are never taken.
pub fn real(
    range: RangeInclusive<f64>,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number: Option<f64> = text.trim().parse().ok();
        let fits = |x: &f64| x.is_finite() && range.contains(x);
        number.filter(fits).ok_or_else(|| {
            let most = range.end().is_finite().then_some(range.end());
            format!("expected a number {}", bounds(range.start(), most))
        })
    }
}

/// Reads a number above 0 and below `most`, which may be infinite.
pub fn above_zero(
    most: f64,
) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number: Option<f64> = text.trim().parse().ok();
        number
            .filter(|x| *x > 0.0 && *x < most)
            .ok_or_else(|| match most.is_finite() {
                true => format!("expected a number above 0 and below {most}"),
                false => "expected a number above 0".to_owned(),
            })
    }
}

fn bounds<T: Display>(least: &T, most: Option<&T>) -> String {
    match most {
        Some(most) => format!("from {least} to {most}"),
        None => format!("from {least} on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_bounds_is_told_with_them() {
        let stars = whole::<u16>(1..=250);
        assert_eq!((stars("1"), stars("250")), (Ok(1), Ok(250)));
        for wrong in ["0", "251", "-1", "1.5", "", "many", "1e99"] {
            let told = stars(wrong).unwrap_err();
            assert_eq!(told, "expected a whole number from 1 to 250");
        }
        let seed = whole::<u64>(0..=u64::MAX);
        assert_eq!(seed("-1").unwrap_err(), "expected a whole number from 0 on");
        // A number that its type does not hold is refused like one beyond the bounds.
        assert!(whole::<u8>(0..=u64::MAX)("256").is_err());
        let snr = real(0.0..=f64::INFINITY);
        assert_eq!((snr("0"), snr("1e9")), (Ok(0.0), Ok(1e9)));
        for wrong in ["-5", "nan", "inf", "-inf", "1e400", "high"] {
            assert_eq!(snr(wrong).unwrap_err(), "expected a number from 0 on");
        }
        let told = real(0.1..=5.0)("9").unwrap_err();
        assert_eq!(told, "expected a number from 0.1 to 5");
        let p = above_zero(0.5);
        assert_eq!(p("0.1"), Ok(0.1));
        for wrong in ["0", "0.5", "2", "nan", "-1"] {
            let told = p(wrong).unwrap_err();
            assert_eq!(told, "expected a number above 0 and below 0.5");
        }
        let told = above_zero(f64::INFINITY)("inf").unwrap_err();
        assert_eq!(told, "expected a number above 0");
    }
}
