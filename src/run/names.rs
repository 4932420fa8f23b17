//! Names of the stars of a directory, kept from run to run: a file of an earlier night that is added later renames no star.

use std::path::{Path, PathBuf};

use crate::files::whole;
use crate::files::workplace::{STATE_DIR, is_file, is_folder};
use crate::lamost::stars::{KnownStar, KnownStars, Star};
use crate::{Error, Result};

/// Where they are kept.
fn path(dir: &Path) -> PathBuf {
    dir.join(STATE_DIR).join("stars.json")
}

/// Names that earlier runs in this directory gave. If the file with them is damaged, a run that was told to overwrite begins without
/// names.
///
/// # Errors
/// [`Error::Format`] for a file that is damaged: without it stars may get other names, which the user has to want;
/// [`Error::InTheWay`] for what is no file; [`Error::Io`].
pub fn read(dir: &Path, overwrite: bool) -> Result<KnownStars> {
    match read_whole(dir) {
        Err(Error::Format { .. }) if overwrite => Ok(KnownStars::default()),
        other => other,
    }
}

fn read_whole(dir: &Path) -> Result<KnownStars> {
    let path = path(dir);
    if !is_folder(&dir.join(STATE_DIR))? || !is_file(&path)? {
        return Ok(KnownStars::default());
    }
    let text = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let damaged = || {
        Error::format(
            &path,
            "expected the names of the stars of earlier runs, found something else; with --overwrite stars are named anew, which changes \
             a name only where files of earlier nights have come",
        )
    };
    let text = String::from_utf8(text).map_err(|_| damaged())?;
    let (json, end) = text.split_once('\n').ok_or_else(damaged)?;
    if end != seal(json) {
        return Err(damaged());
    }
    let stars: Vec<KnownStar> = serde_json::from_str(json).map_err(|_| damaged())?;
    Ok(KnownStars::new(stars))
}

/// Keeps the names of these stars, and of all that were known before.
///
/// # Errors
/// [`Error::Io`].
pub fn write<'a>(
    dir: &Path,
    known: &KnownStars,
    stars: impl IntoIterator<Item = &'a Star>,
) -> Result<()> {
    let all = known.with(stars);
    if all == *known {
        return Ok(());
    }
    let path = path(dir);
    let json = serde_json::to_string(all.stars())
        .map_err(|e| Error::io(&path, std::io::Error::other(e)))?;
    whole::write_bytes(&path, format!("{json}\n{}", seal(&json)).as_bytes())
}

/// Last line of the file: what tells a damaged one.
fn seal(json: &str) -> String {
    format!("crc32 {:08x}\n", libdeflater::crc32(json.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let none = read(dir.path(), false).unwrap();
        assert!(none.stars().is_empty());
        let star = Star {
            designation: "J000000.00-003000.0".to_owned(),
            ra_deg: 1.0 / 3.0,
            dec_deg: -0.5,
            names: Default::default(),
            members: vec![0],
        };
        write(dir.path(), &none, [&star]).unwrap();
        let known = read(dir.path(), false).unwrap();
        assert_eq!(known, none.with([&star]));
        let path = path(dir.path());
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            std::fs::write(&path, &bad).unwrap();
            let error = read(dir.path(), false).unwrap_err().to_string();
            assert_eq!(read(dir.path(), true).unwrap(), none);
            assert!(error.contains("stars.json"), "{error}");
        }
        for end in 0..good.len() {
            std::fs::write(&path, &good[..end]).unwrap();
            assert!(read(dir.path(), false).is_err(), "{end}");
        }
    }
}
