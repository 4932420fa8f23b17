//! How a run begins in a directory that may hold another one, or a part of itself.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::config::{differences, of_rows};
use super::fingerprint;
use crate::files::workplace::{Note, Noted, Which};

/// What a run does with what it finds.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// It goes on with units of this attempt, or begins it if nothing is noted yet.
    With {
        /// Which of its starts from the beginning this one belongs to.
        attempt: String,
        /// Where that is noted until the products are replaced.
        noted: Which,
        /// What an earlier start noted; `None` for a beginning.
        before: Option<Note>,
    },
    /// It does not: the directory holds a run whose rows are of other settings. The differences, one line each.
    Refused(Vec<String>),
}

/// Decides whether a run goes on with what is in its directory, starts anew, or is refused. Only those settings count that the rows of
/// units depend on: what else has changed is made again from the rows.
///
/// A run that was told to overwrite leaves everything as it is until its own products are there, and is noted as the next one
/// until then; so the same command goes on with it. `finished`: `run.json` is there. `empty`: there is nothing that it could
/// replace.
pub fn decide(
    config: &Noted,
    next: &Noted,
    settings: &Map<String, Value>,
    overwrite: bool,
    finished: bool,
    empty: bool,
) -> Start {
    let go_on = |note: &Note, noted| Start::With {
        attempt: note.attempt.clone(),
        noted,
        before: Some(note.clone()),
    };
    let begin = |attempt, noted| Start::With {
        attempt,
        noted,
        before: None,
    };
    let rows = of_rows(settings);
    let are_mine = |note: &Note| of_rows(&note.settings) == rows;
    if overwrite {
        return match (config, next) {
            (_, Noted::Note(next)) if are_mine(next) => go_on(next, Which::Next),
            (Noted::Note(old), _) if are_mine(old) && !old.attempt.is_empty() && !finished => {
                go_on(old, Which::Config)
            }
            (Noted::Nothing, _) if empty => begin(new_attempt(), Which::Config),
            _ => begin(new_attempt(), Which::Next),
        };
    }
    match config {
        Noted::Nothing => begin(String::new(), Which::Config),
        Noted::Note(old) if are_mine(old) => go_on(old, Which::Config),
        Noted::Note(old) => Start::Refused(differences(&of_rows(&old.settings), &rows)),
        Noted::Damaged(what) => Start::Refused(vec![what.clone()]),
    }
}

/// A name for a run that starts anew, which no other start has.
fn new_attempt() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos().to_string();
    fingerprint::of_texts(&[&now, &std::process::id().to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(vmax: i32) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("vmax".to_owned(), vmax.into());
        map
    }

    fn noted(vmax: i32, attempt: &str) -> Noted {
        Noted::Note(Note {
            command: "run".to_owned(),
            settings: settings(vmax),
            attempt: attempt.to_owned(),
            ..Note::default()
        })
    }

    fn attempt(start: &Start) -> (&str, Which, bool) {
        match start {
            Start::With {
                attempt,
                noted,
                before,
            } => (attempt, *noted, before.is_some()),
            Start::Refused(lines) => panic!("{lines:?}"),
        }
    }

    #[test]
    fn the_same_settings_go_on_and_others_are_refused() {
        let (none, s) = (Noted::Nothing, settings(500));
        let plain = |config: &Noted, next: &Noted| decide(config, next, &s, false, false, true);
        assert_eq!(attempt(&plain(&none, &none)), ("", Which::Config, false));
        let start = plain(&noted(500, "x"), &noted(500, "y"));
        assert_eq!(attempt(&start), ("x", Which::Config, true));
        let refused = Start::Refused(vec!["vmax was 300 and is 500".to_owned()]);
        assert_eq!(plain(&noted(300, ""), &none), refused);
        let damaged = Noted::Damaged("what".to_owned());
        assert_eq!(plain(&damaged, &none), Start::Refused(vec!["what".into()]));
    }

    #[test]
    fn an_overwriting_run_goes_on_until_it_is_finished_and_begins_anew_then() {
        let (none, s) = (Noted::Nothing, settings(500));
        let over = |config: &Noted, next: &Noted, finished| {
            decide(config, next, &s, true, finished, false)
        };
        // In the directory of a usual run, finished or not, of a damaged note, and of files that are not relrv's.
        for config in [
            noted(500, ""),
            noted(300, ""),
            Noted::Damaged(String::new()),
            none.clone(),
        ] {
            let start = over(&config, &none, false);
            let (word, noted_as, goes_on) = attempt(&start);
            assert!(!word.is_empty() && noted_as == Which::Next && !goes_on);
            // It was stopped and goes on; what a run of other settings has begun is not used.
            let start = over(&config, &noted(500, "x"), true);
            assert_eq!(attempt(&start), ("x", Which::Next, true));
            let start = over(&config, &noted(300, "x"), false);
            assert!(!attempt(&start).2);
        }
        // Stopped while the products were replaced; finished.
        let start = over(&noted(500, "x"), &none, false);
        assert_eq!(attempt(&start), ("x", Which::Config, true));
        let start = over(&noted(500, "x"), &none, true);
        let (word, noted_as, goes_on) = attempt(&start);
        assert!(word != "x" && noted_as == Which::Next && !goes_on);
        // In an empty directory there is nothing to replace, so it is noted as a usual run.
        let start = decide(&none, &none, &s, true, false, true);
        let (word, noted_as, goes_on) = attempt(&start);
        assert!(!word.is_empty() && noted_as == Which::Config && !goes_on);
    }
}
