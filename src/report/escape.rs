//! Text of unknown origin on a page.

/// Text of unknown origin as HTML shows it, without controls and what turns the direction of text.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c => out.push(c),
        }
    }
    crate::text::plain::lines(&out).into_owned()
}
