//! Text for formats that allow printable ASCII alone.

/// Printable ASCII stays as it is, everything else becomes `\u{...}`. So does a backslash that would look like the beginning of such an
/// escape, so that [`restore`] gives the text back.
pub fn ascii(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        if (' '..='~').contains(&c) && !text[at..].starts_with("\\u{") {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// Whether [`ascii`] leaves the text as it is.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.contains("\\u{")
}

/// The text that [`ascii`] was given.
pub fn restore(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\u{") {
        let (before, piece) = rest.split_at(at);
        out.push_str(before);
        let escaped = piece[3..].split_once('}').and_then(|(hex, after)| {
            let c = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)?;
            Some((c, after))
        });
        match escaped {
            Some((c, after)) => {
                out.push(c);
                rest = after;
            }
            None => {
                out.push_str(&piece[..3]);
                rest = &piece[3..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        for text in [
            "",
            "a b",
            "\u{3b1} Ori",
            "\\u{3b1} Ori",
            "\\\\u{}\u{1f600}\n\0",
            "\\u{",
            "back\\slash",
        ] {
            let plain = ascii(text);
            assert!(plain.bytes().all(|b| (b' '..=b'~').contains(&b)), "{plain}");
            assert_eq!(restore(&plain), text);
            assert_eq!(is_plain(text), plain == text);
        }
        assert_eq!(restore("\\u{zz} \\u{110000}"), "\\u{zz} \\u{110000}");
    }
}
