//! Whether two names are of one file, so that an output never takes the place of an input.
//!
//! Nothing is opened: a pipe would block, and there may be more inputs than a program may have open.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// What all names of a file have in common: device and number of the file.
#[cfg(unix)]
type Identity = (u64, u64);

/// What all names of a file have in common: its path without links. Hard links are not seen through.
#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    std::fs::canonicalize(path).ok()
}

/// Refuses outputs that are inputs, under whatever names and through whatever links. What does not exist is no file.
///
/// # Errors
/// [`Error::OutputIsInput`].
pub fn refuse_inputs<O, I>(
    outputs: impl IntoIterator<Item = O>,
    inputs: impl IntoIterator<Item = I>,
) -> Result<()>
where
    O: AsRef<Path>,
    I: AsRef<Path>,
{
    let found = outputs.into_iter().filter_map(|output| {
        let output = output.as_ref();
        Some((identity(output)?, output.to_owned()))
    });
    let outputs: HashMap<Identity, PathBuf> = found.collect();
    // Usually no output exists yet, and then no input need be looked at.
    if outputs.is_empty() {
        return Ok(());
    }
    for input in inputs {
        let input = input.as_ref();
        if let Some(output) = identity(input).and_then(|id| outputs.get(&id)) {
            return Err(Error::OutputIsInput {
                output: output.clone(),
                input: input.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_under_all_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("input"), "x").unwrap();
        std::fs::write(at("other"), "x").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let mut names = vec![at("input"), at("folder/../input")];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("input"), at("link")).unwrap();
            std::fs::hard_link(at("input"), at("hard")).unwrap();
            names.extend([at("link"), at("hard")]);
        }
        for name in names {
            let refused = refuse_inputs([&name], [at("other"), at("input")]).unwrap_err();
            let text = refused.to_string();
            for path in [&name, &at("input")] {
                assert!(text.contains(path.to_str().unwrap()), "{text}");
            }
        }
        assert!(refuse_inputs([at("other"), at("missing")], [at("input")]).is_ok());
        assert!(refuse_inputs([at("missing")], [at("missing")]).is_ok());
    }
}
