//! Numbers of things in words.

/// `1 file`, `2 files`, `0 files`: a number with the word for one of them.
pub fn count(n: usize, one: &str) -> String {
    format!("{n} {}", noun(n, one))
}

/// The word alone, for where the number stands elsewhere.
pub fn noun(n: usize, one: &str) -> String {
    if n == 1 {
        return one.to_owned();
    }
    if let Some(stem) = one.strip_suffix("um") {
        return format!("{stem}a");
    }
    if one.ends_with("ch") {
        return format!("{one}es");
    }
    let before_y = one
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match before_y {
        Some(stem) => format!("{stem}ies"),
        None => format!("{one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_many() {
        for (n, one, text) in [
            (1, "file", "1 file"),
            (0, "file", "0 files"),
            (2, "usable RV", "2 usable RVs"),
            (1, "spectrum", "1 spectrum"),
            (12, "spectrum", "12 spectra"),
            (3, "velocity", "3 velocities"),
            (3, "key", "3 keys"),
            (2, "dispatch", "2 dispatches"),
        ] {
            assert_eq!(count(n, one), text);
        }
    }
}
