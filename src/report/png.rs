//! What a page's figures are saved with: a script that makes a PNG of one when asked to, and the browser's leave to run it.

/// Makes a figure a PNG, 17 cm wide at 300 dots an inch, or an SVG, both dark on white. It is for the buttons `png` and `svg` within a `figure`;
/// where the page's figures take their colours from a style of its own, that has the name `fig`.
pub const SCRIPT: &str = include_str!("png.js");
/// Its SHA-256, by which a browser knows it.
const SCRIPT_HASH: &str = "ZkMB8lNWf6dTHUzgxHgkC7wPlS0eneb64P3dOUOyo4A=";

/// The rule by which a page runs this script alone, and loads nothing.
pub fn rule() -> String {
    format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src blob:; script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">"
    )
}

/// The button that saves a figure under a name, without its ending. A page without scripts does not show it.
pub fn button(name: &str) -> String {
    format!(
        "<button class=\"png\" data-name=\"{name}\" title=\"17 cm wide, 300 dots an inch\" hidden>PNG</button>"
    )
}

/// The same as an SVG, for a page without files beside it.
#[cfg(feature = "cli")]
pub fn svg_button(name: &str) -> String {
    format!("<button class=\"svg\" data-name=\"{name}\" hidden>SVG</button>")
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn base64(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for three in bytes.chunks(3) {
            let word = (0..3).fold(0, |w, i| {
                w << 8 | u32::from(three.get(i).copied().unwrap_or(0))
            });
            for i in 0..4 {
                out.push(match i <= three.len() {
                    true => char::from(LETTERS[(word >> (18 - 6 * i) & 63) as usize]),
                    false => '=',
                });
            }
        }
        out
    }

    #[test]
    fn the_pages_script_alone_may_run() {
        assert_eq!(base64(b"any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
        assert_eq!(SCRIPT_HASH, base64(&Sha256::digest(SCRIPT)));
        assert!(rule().contains(&format!("script-src 'sha256-{SCRIPT_HASH}'")));
    }
}
