//! Files that have their name only when they are whole.
//!
//! Whatever happens while one is written (a full disk, a kill), the name shows the old content or the new one, and never
//! a part of it. What a killed program leaves is a file named `.relrv-*.part`, which [`remove_parts`] takes away.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::{Error, Result, regular};

/// Names of files that are being written.
const PART: (&str, &str) = (".relrv-", ".part");

/// Lets `fill` write a temporary file in `path`'s directory, which is made if missing, then gives it its name.
///
/// # Errors
/// [`Error::Io`], or what `fill` says; nothing is left behind then.
pub fn write(path: &Path, fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Result<()> {
    let dir = directory_of(path);
    fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PART.0).suffix(PART.1);
    // Temporary files are private by default; a product is as readable as the user's umask says.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = regular::patient(|| builder.tempfile_in(dir)).map_err(|e| Error::io(dir, e))?;
    moment();
    let mut out = BufWriter::with_capacity(1 << 20, file);
    fill(&mut out)?;
    let file = out
        .into_inner()
        .map_err(|e| Error::io(path, e.into_error()))?;
    // Some file systems tell of a full disk only here; and a name must not survive a power cut that its content does not.
    file.as_file().sync_all().map_err(|e| Error::io(path, e))?;
    moment();
    file.persist(path).map_err(|e| Error::io(path, e.error))?;
    moment();
    Ok(())
}

/// Writes bytes.
///
/// # Errors
/// As [`write()`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, |out| {
        out.write_all(bytes).map_err(|e| Error::io(path, e))
    })
}

/// Removes what killed programs left in a directory. Only for who knows that no other program writes there now.
///
/// # Errors
/// [`Error::Io`]; a directory that is not there has no parts.
pub fn remove_parts(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| Error::io(dir, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(dir, e))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PART.0) && name.ends_with(PART.1) {
            let path = entry.path();
            fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
        }
    }
    Ok(())
}

/// Directory that a file is in.
pub fn directory_of(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(Path::new("")))
}

/// The current directory in place of an empty path.
pub fn or_here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    }
}

/// Ends the program as a kill would, if the variable `RELRV_ABORT_AT` names this call (they are counted from 1). Tests
/// kill a run at each of them; builds without debug assertions do not have it.
fn moment() {
    #[cfg(debug_assertions)]
    {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        if std::env::var("RELRV_ABORT_AT").is_ok_and(|at| at == count.to_string()) {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_fails_leaves_the_old_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made/here/file");
        write_bytes(&path, b"old").unwrap();
        let failed = write(&path, |out| {
            out.write_all(b"new").unwrap();
            Err(Error::Config("no".to_owned()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write_bytes(&path, b"newer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newer");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn only_parts_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".relrv-1a.part", ".relrv-keep", "a.part"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        remove_parts(dir.path()).unwrap();
        remove_parts(&dir.path().join("missing")).unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".relrv-keep", "a.part"]);
    }
}
