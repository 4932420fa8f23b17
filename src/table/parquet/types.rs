//! What the types of Parquet become in a table, and the key of what is told of its columns.

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use ::parquet::schema::types::{ColumnDescriptor, Type};

use crate::table::{ColumnData, Width};
use crate::text::date;

/// Key under which units and meanings are kept; astropy writes and reads the same key.
pub(super) const META_KEY: &str = "table_meta_yaml";

/// How a column's stored values are to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::table) enum Reading {
    /// As they are stored.
    Plain,
    /// Integers of 32 bits without a sign.
    Unsigned32,
    /// Integers of 64 bits without a sign.
    Unsigned64,
    /// Floats of 16 bits.
    Half,
    /// Integers, to be divided by this power of ten.
    Decimal(u32),
    /// Days after 1970-01-01.
    Date,
    /// Time after 1970-01-01, so many to the second; the second value: the time is UTC.
    Timestamp(i64, bool),
    /// Nanoseconds of a Julian day: how Spark and Impala used to write times.
    OldTimestamp,
    /// Text.
    Text,
    /// Bytes of which the file does not say that they are text. They are read as text if all of them are UTF-8.
    Bytes,
    /// Sixteen bytes that are a UUID.
    Uuid,
}

/// End of the message for a column that a table cannot hold: what it would have to be.
const WOULD_SERVE: &str = "one number, truth value or text in each row would serve";

/// How to read the column, or why there is no place for it.
pub(in crate::table) fn reading(descr: &ColumnDescriptor) -> Result<Reading, String> {
    let logical = descr.logical_type_ref();
    let converted = descr.converted_type();
    let physical = descr.physical_type();
    let left_out = |what: &str| Err(format!("found {what}; {WOULD_SERVE}"));
    if let Some(LogicalType::Decimal(_)) | None = logical
        && (logical.is_some() || converted == ConvertedType::DECIMAL)
    {
        // Decimals have 38 digits at most, so a larger scale is the result of damage.
        return match u32::try_from(descr.type_scale()) {
            Ok(scale) if scale <= 38 => Ok(Reading::Decimal(scale)),
            _ => left_out(&format!("decimals with a scale of {}", descr.type_scale())),
        };
    }
    let is_signed = match logical {
        Some(LogicalType::Integer(int)) => int.is_signed,
        _ => !matches!(
            converted,
            ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64
        ),
    };
    let per_second = match (logical, converted) {
        (Some(LogicalType::Timestamp(time)), _) => {
            let per_second = match time.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            };
            Some((per_second, time.is_adjusted_to_u_t_c))
        }
        (None, ConvertedType::TIMESTAMP_MILLIS) => Some((1_000, true)),
        (None, ConvertedType::TIMESTAMP_MICROS) => Some((1_000_000, true)),
        _ => None,
    };
    let is_date = matches!(logical, Some(LogicalType::Date)) || converted == ConvertedType::DATE;
    let is_time = matches!(logical, Some(LogicalType::Time(_)))
        || matches!(
            converted,
            ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS
        );
    let is_text = matches!(
        logical,
        Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)
    ) || matches!(
        converted,
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON
    );
    match physical {
        Physical::INT32 | Physical::INT64 if is_time => left_out("times of day"),
        Physical::INT32 if is_date => Ok(Reading::Date),
        Physical::INT64 if let Some((per_second, utc)) = per_second => {
            Ok(Reading::Timestamp(per_second, utc))
        }
        Physical::INT32 if width(descr) == Some(Width::U32) => Ok(Reading::Unsigned32),
        Physical::INT64 if !is_signed => Ok(Reading::Unsigned64),
        Physical::BOOLEAN
        | Physical::INT32
        | Physical::INT64
        | Physical::FLOAT
        | Physical::DOUBLE => Ok(Reading::Plain),
        Physical::INT96 => Ok(Reading::OldTimestamp),
        Physical::BYTE_ARRAY if is_text => Ok(Reading::Text),
        Physical::BYTE_ARRAY => Ok(Reading::Bytes),
        Physical::FIXED_LEN_BYTE_ARRAY => match logical {
            Some(LogicalType::Float16) if descr.type_length() == 2 => Ok(Reading::Half),
            Some(LogicalType::Uuid) if descr.type_length() == 16 => Ok(Reading::Uuid),
            _ if converted == ConvertedType::INTERVAL => left_out("intervals of time"),
            _ => left_out(&format!("{} bytes in each row", descr.type_length())),
        },
    }
}

/// Width of the column's integers where it is none of those that a table has in memory.
pub(in crate::table) fn width(descr: &ColumnDescriptor) -> Option<Width> {
    if let Some(LogicalType::Integer(int)) = descr.logical_type_ref() {
        return Width::of(u32::try_from(int.bit_width).ok()?, int.is_signed);
    }
    match descr.converted_type() {
        ConvertedType::INT_8 => Some(Width::I8),
        ConvertedType::INT_16 => Some(Width::I16),
        ConvertedType::UINT_8 => Some(Width::U8),
        ConvertedType::UINT_16 => Some(Width::U16),
        ConvertedType::UINT_32 => Some(Width::U32),
        ConvertedType::UINT_64 => Some(Width::U64),
        _ => None,
    }
}

/// Why a column with more than one value to a row has no place.
pub(in crate::table) fn nested(field: &Type) -> String {
    let is_list = |field: &Type| {
        let info = field.get_basic_info();
        matches!(info.logical_type_ref(), Some(LogicalType::List))
            || info.converted_type() == ConvertedType::LIST
    };
    let what = if field.is_primitive() || is_list(field) {
        let mut of = field;
        while of.is_group() && of.get_fields().len() == 1 {
            of = &of.get_fields()[0];
        }
        if of.is_primitive() {
            format!("lists (vectors) of {}", words(of.get_physical_type()))
        } else {
            "lists of groups of columns".to_owned()
        }
    } else {
        "groups of columns".to_owned()
    };
    format!("found {what}; {WOULD_SERVE}")
}

fn words(physical: Physical) -> &'static str {
    match physical {
        Physical::BOOLEAN => "truth values",
        Physical::INT32 => "32-bit integers",
        Physical::INT64 => "64-bit integers",
        Physical::INT96 => "times",
        Physical::FLOAT => "32-bit floats",
        Physical::DOUBLE => "64-bit floats",
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => "texts or bytes",
    }
}

/// An integer of two's complement, highest byte first; None beyond 128 bits.
pub(in crate::table) fn big_endian(bytes: &[u8]) -> Option<i128> {
    if bytes.len() > 16 {
        return None;
    }
    let sign = if bytes.first().is_some_and(|b| *b >= 0x80) {
        -1
    } else {
        0
    };
    Some(bytes.iter().fold(sign, |n, &b| n << 8 | i128::from(b)))
}

/// Decimals as what holds all of them without a loss: integers where nothing follows the point, floats up to 2^53, else
/// their digits as text.
pub(in crate::table) fn decimals(values: Vec<Option<i128>>, scale: u32) -> ColumnData {
    let all = |fits: &dyn Fn(i128) -> bool| values.iter().flatten().all(|&n| fits(n));
    if scale == 0 && all(&|n| i64::try_from(n).is_ok()) {
        return ColumnData::I64(values.iter().map(|n| n.unwrap_or(0) as i64).collect());
    }
    // Numerator and power of ten are exact in a float, so that their quotient is the float nearest to the decimal.
    if scale <= 22 && all(&|n| n.unsigned_abs() <= 1 << 53) {
        let power = 10_f64.powi(scale as i32);
        let float = |n: &Option<i128>| n.map_or(f64::NAN, |n| n as f64 / power);
        return ColumnData::F64(values.iter().map(float).collect());
    }
    let text = |n: &Option<i128>| n.map_or_else(String::new, |n| decimal_text(n, scale));
    ColumnData::Text(values.iter().map(text).collect())
}

fn decimal_text(value: i128, scale: u32) -> String {
    let scale = scale as usize;
    let digits = format!("{:0>1$}", value.unsigned_abs(), scale + 1);
    let (whole, rest) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{rest}")
}

/// Time as `2019-06-15T01:30:20.5`, with the digits after the point that it has; `Z` at the end means UTC.
pub(in crate::table) fn timestamp_text(value: i64, per_second: i64, utc: bool) -> String {
    let (seconds, rest) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    let mut text = date::iso(seconds);
    if rest > 0 {
        let width = per_second.ilog10() as usize;
        text.push('.');
        text.push_str(format!("{rest:0>width$}").trim_end_matches('0'));
    }
    if utc {
        text.push('Z');
    }
    text
}

/// Day as `2019-06-15`.
pub(in crate::table) fn date_text(days: i32) -> String {
    let text = date::iso(i64::from(days) * 86_400);
    text.split('T').next().unwrap_or("").to_owned()
}

/// Nanoseconds of a Julian day (three words, lowest first) as text.
pub(in crate::table) fn old_timestamp_text(words: &[u32]) -> String {
    /// Julian day of 1970-01-01, noon.
    const TO_1970: i64 = 2_440_588;
    let word = |i: usize| i64::from(words.get(i).copied().unwrap_or(0));
    // Damaged nanoseconds may be any number: seconds first, so that nothing overflows.
    let nanos = i128::from(word(0)) | i128::from(word(1)) << 32;
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let seconds = (word(2) - TO_1970) * 86_400 + seconds as i64;
    let mut text = date::iso(seconds);
    if nanos > 0 {
        text.push('.');
        text.push_str(format!("{nanos:09}").trim_end_matches('0'));
    }
    text
}

/// `123e4567-e89b-12d3-a456-426614174000`.
pub(in crate::table) fn uuid_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_lose_nothing() {
        let floats = decimals(vec![Some(10), None, Some(-5)], 2);
        assert!(
            matches!(&floats, ColumnData::F64(v) if v[0] == 0.1 && v[1].is_nan() && v[2] == -0.05)
        );
        let ids = decimals(vec![Some(4_315_949_800_534_220_001), None], 0);
        assert_eq!(ids, ColumnData::I64(vec![4_315_949_800_534_220_001, 0]));
        let long = decimals(vec![Some(-12_345_678_901_234_567_890), Some(5)], 2);
        let text = ["-123456789012345678.90", "0.05"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(long, ColumnData::Text(text));
        assert_eq!(big_endian(&[0xff, 0x7f]), Some(-129));
        assert_eq!(big_endian(&[0x01, 0x00]), Some(256));
        assert_eq!(big_endian(&[0; 17]), None);
    }

    #[test]
    fn times_are_told_to_the_last_digit() {
        assert_eq!(
            timestamp_text(1_577_836_800_000_000, 1_000_000, false),
            "2020-01-01T00:00:00"
        );
        assert_eq!(timestamp_text(-1, 1_000, true), "1969-12-31T23:59:59.999Z");
        assert_eq!(
            timestamp_text(50_000_000, 1_000_000_000, false),
            "1970-01-01T00:00:00.05"
        );
        assert_eq!(date_text(-1), "1969-12-31");
        assert_eq!(
            old_timestamp_text(&[500_000_000, 0, 2_440_589]),
            "1970-01-02T00:00:00.5"
        );
        for value in [i64::MIN, i64::MAX] {
            assert!(timestamp_text(value, 1_000, true).ends_with('Z'));
        }
        assert!(!date_text(i32::MIN).is_empty() && !old_timestamp_text(&[u32::MAX; 3]).is_empty());
        assert_eq!(uuid_text(&[0xab; 16]).len(), 36);
    }
}
