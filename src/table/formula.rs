//! Text in CSV files that a spreadsheet would take for a formula.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@` or a control, and names in our tables come from files of others. A
//! single quote before the cell makes it text. Only text is treated so: numbers stay numbers. A text that has such quotes already gets
//! one more, so that reading takes off what writing has put on, and nothing else.

use std::borrow::Cow;

/// Whether a spreadsheet would run the cell, were it not for the quotes before it.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

/// A cell of text as it is written.
pub(crate) fn guard(text: &str) -> Cow<'_, str> {
    match is_formula(text) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// The text that [`guard`] was given.
pub(crate) fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_shown_and_come_back() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+7", "'+7"),
            ("-12", "'-12"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("\r\n", "'\r\n"),
            ("'=1", "''=1"),
            ("''-", "'''-"),
            ("'tis", "'tis"),
            ("J0123+45", "J0123+45"),
            ("", ""),
            ("'", "'"),
        ] {
            assert_eq!(guard(text), cell);
            assert_eq!(unguard(cell), text);
        }
        // In a file that relrv has not written, such a cell has no quote before it.
        assert_eq!(unguard("=1+1"), "=1+1");
    }
}
