//! Names of unknown origin in addresses.

/// A name as it stands in a link.
pub fn percent(name: &str) -> String {
    let byte = |b: u8| match b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_links_are_percent_encoded() {
        assert_eq!(percent("J1+2.0_a"), "J1%2B2.0_a");
        assert_eq!(percent("a\" onclick=\u{e9}/"), "a%22%20onclick%3D%C3%A9%2F");
    }
}
