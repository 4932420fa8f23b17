//! What a cell of text says: a number, a truth value, or that there is nothing. One reading for every format.

/// Whether a cell of a column of numbers or truth values says that there is no value: blank, or one of the words of
/// pandas, numpy, astropy, R and spreadsheets. Letter case does not count.
pub fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    // Most cells are numbers, which are told by their first character without comparing words.
    if cell.len() > 6 || cell.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    if cell.bytes().all(|b| b == b'-') {
        return cell.len() <= 3;
    }
    const WORDS: [&str; 11] = [
        "nan", "+nan", "-nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none", "masked",
    ];
    WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// The number in a cell, NaN where the cell says that there is none; None if it is no number. Leading zeros and a plus are allowed here:
/// the column is known to be one of numbers.
pub fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    if is_missing(cell) {
        return Some(f64::NAN);
    }
    cell.parse().ok()
}

/// The fewest digits that read back the same; the empty text for NaN.
pub(super) fn float_text<T: Into<f64> + std::fmt::Debug + Copy>(x: T) -> String {
    let wide: f64 = x.into();
    if wide.is_nan() {
        String::new()
    } else if wide.is_infinite() {
        if wide > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else {
        // Debug, not Display: it changes to exponents where plain digits would run to hundreds.
        format!("{x:?}")
    }
}

/// A truth value in the spelling of Rust, Python or R.
pub(super) fn parse_bool(cell: &str) -> Option<bool> {
    match cell {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// An integer in its usual spelling. `007` and `+7` are names, not numbers: as numbers they would not come back.
pub(super) fn parse_int(cell: &str) -> Option<i64> {
    let value: i64 = cell.parse().ok()?;
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let is_usual = digits.starts_with(|c: char| c.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    (is_usual && cell != "-0").then_some(value)
}

/// A float of a column whose type must be guessed. Bare digits are an integer or a name: `00012` and `+7` are none, and
/// neither is an integer that a float would round.
pub(super) fn parse_float(cell: &str) -> Option<f64> {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        let has_zeros = digits.len() > 1 && digits.starts_with('0');
        if has_zeros || cell.starts_with('+') {
            return None;
        }
        let value: f64 = cell.parse().ok()?;
        // Beyond 2^53 a float cannot hold every integer: it is only taken for one if it is the one that was written.
        let exact = cell
            .parse::<i128>()
            .is_ok_and(|n| value.abs() < 1e38 && value as i128 == n);
        return exact.then_some(value);
    }
    cell.parse().ok().filter(|x: &f64| !x.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_says_nothing_is_known_in_every_spelling() {
        for cell in [
            "", " ", "-", "--", "---", "nan", "NaN", "NAN", "-nan", "NA", "N/A", "n/a", "null",
            "NULL", "None", "<NA>", " NA ", "#N/A", "NaT",
        ] {
            assert!(is_missing(cell), "{cell:?}");
            assert!(number(cell).is_some_and(f64::is_nan), "{cell:?}");
        }
        for cell in ["----", "Nancy", "0", "n/a?", "- 1", "nil"] {
            assert!(!is_missing(cell), "{cell:?}");
        }
    }

    #[test]
    fn names_made_of_digits_are_no_numbers_unless_a_number_is_asked_for() {
        for (cell, int, float, asked) in [
            ("0", Some(0), Some(0.0), Some(0.0)),
            ("-12", Some(-12), Some(-12.0), Some(-12.0)),
            ("00012", None, None, Some(12.0)),
            ("-012", None, None, Some(-12.0)),
            ("+7", None, None, Some(7.0)),
            ("-0", None, Some(0.0), Some(0.0)),
            ("00.5", None, Some(0.5), Some(0.5)),
            ("+1.5", None, Some(1.5), Some(1.5)),
            (
                "4315949800534220001",
                Some(4_315_949_800_534_220_001),
                None,
                Some(4_315_949_800_534_220_001.0),
            ),
            (
                "9223372036854775808",
                None,
                Some(9_223_372_036_854_775_808.0),
                Some(9_223_372_036_854_775_808.0),
            ),
            (
                "18446744073709551615",
                None,
                None,
                Some(18_446_744_073_709_551_615.0),
            ),
            ("1e5", None, Some(1e5), Some(1e5)),
            ("inf", None, Some(f64::INFINITY), Some(f64::INFINITY)),
            ("1_000", None, None, None),
            ("x", None, None, None),
        ] {
            assert_eq!(
                (parse_int(cell), parse_float(cell), number(cell)),
                (int, float, asked),
                "{cell}"
            );
        }
    }
}
