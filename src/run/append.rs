//! New files in a directory that holds a run: more inputs are welcome, other ones are not.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::config::PLACES;
use super::directory::RunDir;
use super::kept_plan;
use crate::lamost::content::Content;
use crate::measure::Plan;
use crate::{Error, Result};

/// Refuses inputs that lack what the run in the directory was made of: its products would lose it. The inputs of that run and others
/// beside them are no other inputs, however they are spelled; nor are its files when they lie elsewhere.
///
/// # Errors
/// [`Error::Occupied`] naming the first file that is lacking.
pub fn refuse_other_inputs(dir: &RunDir, settings: &Map<String, Value>, plan: &Plan) -> Result<()> {
    let Some(before) = dir.before() else {
        return Ok(());
    };
    let (old, new) = (places(&before.settings), places(settings));
    // A list may have become shorter by a slip; a directory is what it is.
    let is_given = |place: &&str| !place.starts_with('@') && new.contains(place);
    if old.iter().all(is_given) {
        return Ok(());
    }
    let out = dir.dir();
    let advice = "choose another directory, give these inputs too, or start anew with --overwrite";
    // A plan that is damaged tells as little as none.
    let files = kept_plan::read(out).ok().flatten();
    let files = files.and_then(|head| head.files(out).ok());
    let Some(files) = files else {
        if old.iter().all(|place| new.contains(place)) {
            return Ok(());
        }
        return Err(Error::Occupied(format!(
            "{} holds a run of other inputs:\n  inputs were {} and are {}\n{advice}",
            out.display(),
            in_words(&old),
            in_words(&new)
        )));
    };
    let now: HashSet<Content> = plan.contents.iter().copied().collect();
    let mut lacking = files.iter().filter(|(content, _)| !now.contains(content));
    let Some((_, first)) = lacking.next() else {
        return Ok(());
    };
    Err(Error::Occupied(format!(
        "{} holds a run of other inputs: {} of its {} files are not among those that were given now, {} the first of them\n  inputs were {} and are {}\n{advice}",
        out.display(),
        1 + lacking.count(),
        files.len(),
        first.display(),
        in_words(&old),
        in_words(&new)
    )))
}

/// Where inputs lie.
fn places(settings: &Map<String, Value>) -> Vec<&str> {
    let list = settings.get(PLACES).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn in_words(places: &[&str]) -> String {
    places.join(",")
}
