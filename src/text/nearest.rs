//! Which of the words that are known somebody may have meant.

/// The known word that is nearest to `word`, if it is near enough to have been meant: at most a third of its letters are wrong, missing,
/// too many or in each other's place. Letter case, `-` and `_` do not count. Of equally near ones the first.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    // Nobody mistypes a word of hundreds of letters, and the work goes with the square of their number.
    if word.len() > MOST_LETTERS {
        return None;
    }
    known
        .into_iter()
        .map(|name| (edits(&word, &plain(name)), name))
        .filter(|(n_edits, name)| 3 * n_edits <= word.len().max(plain(name).len()))
        .min_by_key(|(n_edits, _)| *n_edits)
        .map(|(_, name)| name)
}

/// `; did you mean NAME?`, or nothing where no known word is near.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or(String::new(), |name| format!("; did you mean {name}?"))
}

const MOST_LETTERS: usize = 64;

fn plain(word: &str) -> Vec<char> {
    let letters = word.chars().filter(|c| !['-', '_', ' '].contains(c));
    letters.flat_map(char::to_lowercase).collect()
}

/// Letters to change, add, remove or swap with their neighbour to make one word of the other.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let changed = above[j] + usize::from(x != y);
            let mut least = changed.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        (before, above) = (above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["snr-min", "vmax", "vstep", "threads", "memory"];

    #[test]
    fn a_slip_of_the_hand_is_understood_and_other_words_are_not() {
        for (word, meant) in [
            ("snr_min", "snr-min"),
            ("snrmin", "snr-min"),
            ("SNR-MNI", "snr-min"),
            ("thread", "threads"),
            ("vmxa", "vmax"),
            ("v-steps", "vstep"),
        ] {
            assert_eq!(nearest(word, KNOWN), Some(meant), "{word}");
        }
        for word in ["", "x", "colour", "vm", &"memory".repeat(100)] {
            assert_eq!(nearest(word, KNOWN), None, "{word}");
        }
        assert_eq!(did_you_mean("memroy", KNOWN), "; did you mean memory?");
        assert_eq!(did_you_mean("colour", KNOWN), "");
    }

    #[test]
    fn edits_are_counted() {
        let of = |a: &str, b: &str| edits(&plain(a), &plain(b));
        for (a, b, n) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!((of(a, b), of(b, a)), (n, n), "{a} {b}");
        }
    }
}
