//! What a unit means, whatever its spelling: `km/s`, `km s-1`, `km.s**-1` and `km s^{-1}` are one.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// A product of powers: the symbols that are known as multiples of metre and second, the others as they are.
#[derive(Debug, PartialEq)]
struct Unit {
    scale: f64,
    powers: BTreeMap<String, i32>,
}

/// What values in the unit `from` must be multiplied by to be in `to`; None if that cannot be, or the spelling of a unit
/// is unknown.
pub fn factor(from: &str, to: &str) -> Option<f64> {
    if from.trim() == to.trim() {
        return Some(1.0);
    }
    let (from, to) = (parse(from)?, parse(to)?);
    (from.powers == to.powers).then(|| from.scale / to.scale)
}

/// Largest power taken for one.
const MAX_POWER: i32 = 20;

fn parse(text: &str) -> Option<Unit> {
    let mut unit = Unit {
        scale: 1.0,
        powers: BTreeMap::new(),
    };
    let mut sign = 1;
    let mut chars = text.trim().chars().peekable();
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() || matches!(c, '.' | '*' | '\u{b7}') {
            chars.next();
        } else if c == '/' && sign > 0 {
            chars.next();
            sign = -1;
        } else {
            // A slash stands for the next symbol alone.
            let power = sign * symbol(&mut unit, &mut chars, sign)?;
            sign = 1;
            if power.abs() > MAX_POWER {
                return None;
            }
        }
    }
    unit.powers.retain(|_, power| *power != 0);
    (sign > 0).then_some(unit)
}

/// Takes a symbol with its power, which it gives back.
fn symbol(unit: &mut Unit, chars: &mut Peekable<Chars<'_>>, sign: i32) -> Option<i32> {
    let mut name = String::new();
    while let Some(c) = chars.next_if(|c| c.is_alphabetic() || matches!(c, '%' | '_')) {
        name.push(c);
    }
    if name.is_empty() {
        // The one of 1/s.
        chars.next_if_eq(&'1')?;
        return Some(0);
    }
    let power = power(chars)?;
    let (base, scale) = match name.as_str() {
        "m" => ("m", 1.0),
        "km" => ("m", 1e3),
        "cm" => ("m", 1e-2),
        "mm" => ("m", 1e-3),
        "s" | "sec" => ("s", 1.0),
        "ms" => ("s", 1e-3),
        "min" => ("s", 60.0),
        "h" | "hr" => ("s", 3600.0),
        "d" | "day" => ("s", 86_400.0),
        other => (other, 1.0),
    };
    *unit.powers.entry(base.to_owned()).or_default() += sign * power;
    unit.scale *= f64::powi(scale, sign * power);
    Some(power)
}

/// The power behind a symbol: `-1`, `**-1`, `^-1`, `^{-1}`, `**(-1)`, or nothing, which is 1.
fn power(chars: &mut Peekable<Chars<'_>>) -> Option<i32> {
    let mut ahead = chars.clone();
    let is_marked = if ahead.next_if_eq(&'^').is_some() {
        true
    } else {
        ahead.next_if_eq(&'*').is_some() && ahead.next_if_eq(&'*').is_some()
    };
    if !is_marked {
        ahead = chars.clone();
    }
    let close = match ahead.next_if(|c| matches!(c, '(' | '{')) {
        Some('(') => Some(')'),
        Some(_) => Some('}'),
        None => None,
    };
    let mut digits = String::new();
    while let Some(c) =
        ahead.next_if(|c| c.is_ascii_digit() || (digits.is_empty() && matches!(c, '-' | '+')))
    {
        digits.push(c);
    }
    if digits.is_empty() {
        return (!is_marked && close.is_none()).then_some(1);
    }
    if let Some(close) = close {
        ahead.next_if_eq(&close)?;
    }
    *chars = ahead;
    digits
        .parse()
        .ok()
        .filter(|power: &i32| power.abs() <= MAX_POWER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_unit_are_equal() {
        let spellings = [
            "km/s",
            "km s-1",
            "km s**-1",
            "km s^-1",
            "km.s-1",
            "km*s**-1",
            "km s^{-1}",
            "km s**(-1)",
            "km / s",
            "s-1 km",
            "km/sec",
            "km\u{b7}s-1",
            " km/s ",
        ];
        for a in spellings {
            for b in spellings {
                assert_eq!(factor(a, b), Some(1.0), "{a} {b}");
            }
            assert_eq!(factor(a, "m/s"), Some(1000.0), "{a}");
            assert_eq!(factor("m.s-1", a), Some(0.001), "{a}");
        }
        assert_eq!(factor("km/h", "m/s").map(|f| (f * 3.6).round()), Some(1.0));
        assert_eq!(factor("1/s", "s-1"), Some(1.0));
        assert_eq!(factor("km/s/Mpc", "km s-1 Mpc-1"), Some(1.0));
        assert_eq!(factor("[odd]", "[odd]"), Some(1.0));
    }

    #[test]
    fn other_units_and_unknown_spellings_have_no_factor() {
        for (from, to) in [
            ("km/s", "km"),
            ("km/s", "km s"),
            ("mag", "km/s"),
            ("km/s", ""),
            ("km//s", "km/s"),
            ("km/(s)", "km/s"),
            ("km/s/", "km/s"),
            ("km s^", "km/s"),
            ("km s^{-1", "km/s"),
            ("m99999999999", "m"),
            ("10 m/s", "m/s"),
        ] {
            assert_eq!(factor(from, to), None, "{from} {to}");
        }
    }
}
