//! Text of unknown origin as a terminal may show it.
//!
//! Names of files, headers and tables can hold escape sequences, line ends and marks that turn the direction of text: shown raw,
//! they recolour a terminal, rewrite what stands on it, or pass for lines of our own. They are written as `\u{1b}` instead.

use std::borrow::Cow;
use std::path::Path;

/// Controls (C0, DEL, C1), ends of lines and paragraphs, and what turns the direction of text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes all that a terminal would act on, line ends too: for what stands within a line.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// Escapes all that a terminal would act on but line ends: for whole messages.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| c != '\n' && is_unsafe(c))
}

/// The name of a file within a line.
pub(crate) fn path(path: &Path) -> String {
    line(&path.to_string_lossy()).into_owned()
}

/// Whether it holds nothing that a terminal would act on.
#[cfg(any(test, feature = "cli"))]
pub(crate) fn is_plain(text: &str) -> bool {
    !text.contains(is_unsafe)
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        let evil = "a\u{1b}[2J\u{7}\r\t\u{7f}\u{9b}31m\u{202e}\u{2066}\u{2028}b\nerror: c";
        let shown = "a\\u{1b}[2J\\u{7}\\u{d}\\u{9}\\u{7f}\\u{9b}31m\\u{202e}\\u{2066}\\u{2028}b";
        assert_eq!(line(evil), format!("{shown}\\u{{a}}error: c"));
        assert_eq!(lines(evil), format!("{shown}\nerror: c"));
        assert!(!is_plain(evil) && is_plain(&line(evil)));
        assert_eq!(path(Path::new("x\n.fits")), "x\\u{a}.fits");
        // Letters of all languages, and our own backslashes, stay.
        let fine = "C:\\données\\星.fits \u{1f52d}";
        assert!(matches!(line(fine), Cow::Borrowed(same) if same == fine));
    }
}
