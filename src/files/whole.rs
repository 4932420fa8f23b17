//! Files that have their name only when they are whole.
//!
//! Whatever happens while one is written (a full disk, a kill), the name shows the old content or the new one, and never
//! a part of it. What a killed program leaves is a file named `.relrv-XXXXXX.part`, which [`remove_parts`] takes away.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::files::regular;
use crate::{Error, Result};

/// A file that is being written has a name of the first text, [`N_RANDOM`] letters or digits, and the second text.
const PART: (&str, &str) = (".relrv-", ".part");
const N_RANDOM: usize = 6;

/// Lets `fill` write a temporary file in `path`'s directory, which is made if missing, then gives it its name.
///
/// # Errors
/// [`Error::Io`], or what `fill` says; nothing is left behind then.
#[cfg(feature = "lab")]
pub fn write(path: &Path, fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>) -> Result<()> {
    Prepared::new(path, fill)?.persist()
}

/// Writes bytes.
///
/// # Errors
/// [`Error::Io`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    Prepared::of_bytes(path, bytes)?.persist()
}

/// A file that is whole and on the disk, and has not got its name yet. Dropped, it is gone.
///
/// So several files that belong together can all be written before the first of them takes the place of an older one.
#[derive(Debug)]
pub struct Prepared {
    part: Part,
    path: PathBuf,
}

/// A file under its temporary name.
#[derive(Debug)]
enum Part {
    Open(tempfile::NamedTempFile),
    Closed(tempfile::TempPath),
}

impl Prepared {
    /// Lets `fill` write it, beside the place that it will have.
    ///
    /// # Errors
    /// [`Error::Io`], or what `fill` says; nothing is left behind then.
    pub fn new(
        path: &Path,
        fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
    ) -> Result<Self> {
        let dir = directory_of(path);
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        let file = regular::patient(|| part(dir)).map_err(|e| Error::io(dir, e))?;
        moment();
        let mut out = BufWriter::with_capacity(1 << 20, file);
        fill(&mut out)?;
        let file = out
            .into_inner()
            .map_err(|e| Error::io(path, e.into_error()))?;
        // Some file systems report a full disk only here. And after a power cut the file must not have its name without its content.
        file.as_file().sync_all().map_err(|e| Error::io(path, e))?;
        moment();
        Ok(Prepared {
            part: Part::Open(file),
            path: path.to_owned(),
        })
    }

    /// Closes the file, as a program may have few open ones. It is no longer locked then, so the caller must make sure in another way
    /// that nobody calls [`remove_parts`] in its directory.
    pub fn closed(self) -> Self {
        let part = match self.part {
            Part::Open(file) => Part::Closed(file.into_temp_path()),
            closed => closed,
        };
        Prepared { part, ..self }
    }

    /// A file with these bytes.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        Self::new(path, |out| {
            out.write_all(bytes).map_err(|e| Error::io(path, e))
        })
    }

    /// Gives it its name, in place of what had it. A symbolic link of that name is replaced, and not followed.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn persist(self) -> Result<()> {
        let path = self.path;
        let named = match self.part {
            Part::Open(file) => file.persist(&path).map(drop).map_err(|e| e.error),
            Part::Closed(part) => part.persist(&path).map_err(|e| e.error),
        };
        named.map_err(|e| Error::io(&path, e))?;
        moment();
        Ok(())
    }
}

/// A new part, locked for as long as it is open: so that others can tell it from what a killed program left.
fn part(dir: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PART.0).suffix(PART.1).rand_bytes(N_RANDOM);
    // Temporary files are private by default; a product is as readable as the user's umask says.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    loop {
        let file = builder.tempfile_in(dir)?;
        // Where there are no locks, nobody removes parts either.
        let is_locked = file.as_file().lock().is_ok();
        // Somebody may have taken it for a left-over before it was locked.
        if !is_locked || fs::symlink_metadata(file.path()).is_ok() {
            return Ok(file);
        }
    }
}

/// Removes what killed programs left in a directory: parts that no living program holds. A directory that is not there
/// has none, and what is no regular file of the very form of a part's name stays.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_parts(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| Error::io(dir, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(dir, e))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !is_part(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        // Gone meanwhile, or not ours to open: nothing to be done, and no reason to stop.
        let Ok(file) = open_without_links(&path, File::options().write(true)) else {
            continue;
        };
        if file.try_lock().is_ok() {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io(&path, e));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn is_part(name: &str) -> bool {
    let random = name
        .strip_prefix(PART.0)
        .and_then(|rest| rest.strip_suffix(PART.1));
    random.is_some_and(|r| r.len() == N_RANDOM && r.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Opens a file that is no symbolic link.
///
/// # Errors
/// What the system says, also of a link.
pub fn open_without_links(path: &Path, options: &mut fs::OpenOptions) -> std::io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    #[cfg(not(unix))]
    if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink()) {
        return Err(std::io::Error::other("is a symbolic link"));
    }
    options.open(path)
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
pub(crate) fn moment() {
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

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

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
        assert_eq!(names(path.parent().unwrap()), ["file"]);
    }

    #[test]
    fn what_is_prepared_has_its_name_only_when_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_bytes(&path, b"old").unwrap();
        drop(Prepared::of_bytes(&path, b"dropped").unwrap());
        assert_eq!(names(dir.path()), ["file"]);
        drop(Prepared::of_bytes(&path, b"dropped").unwrap().closed());
        assert_eq!(names(dir.path()), ["file"]);
        for closed in [false, true] {
            write_bytes(&path, b"old").unwrap();
            let prepared = Prepared::of_bytes(&path, b"new").unwrap();
            let prepared = if closed { prepared.closed() } else { prepared };
            assert_eq!(fs::read(&path).unwrap(), b"old");
            prepared.persist().unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(names(dir.path()), ["file"]);
        }
    }

    #[test]
    fn only_parts_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let kept = [
            ".relrv-1234567.part",
            ".relrv-12345.part",
            ".relrv-1a2b3-.part",
            ".relrv-keep",
            "a.part",
        ];
        for name in kept.into_iter().chain([".relrv-1a2b3C.part"]) {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join(".relrv-folder.part")).unwrap();
        remove_parts(dir.path()).unwrap();
        remove_parts(&dir.path().join("missing")).unwrap();
        let mut expected = kept.to_vec();
        expected.push(".relrv-folder.part");
        expected.sort_unstable();
        assert_eq!(names(dir.path()), expected);
    }

    #[test]
    fn a_part_that_is_being_written_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write(&path, |out| {
            out.write_all(b"half").unwrap();
            remove_parts(dir.path())?;
            out.write_all(b" and half").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"half and half");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_of_a_parts_name_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("canary");
        fs::write(&target, "mine").unwrap();
        std::os::unix::fs::symlink(&target, dir.path().join(".relrv-abcdef.part")).unwrap();
        remove_parts(dir.path()).unwrap();
        assert_eq!(names(dir.path()), [".relrv-abcdef.part", "canary"]);
        assert_eq!(fs::read(&target).unwrap(), b"mine");
    }
}
