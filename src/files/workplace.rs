//! A directory that belongs to the command that writes there.
//!
//! `DIR/.relrv` holds a lock and a note of the command and its settings. No two programs write to a directory at a time, and no
//! command replaces what another one made. Everything below `.relrv` is reached without following symbolic links: what lies
//! there and is not of the expected kind is somebody's, and is named and left alone.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::files::whole;
use crate::{Error, Result};

/// Where a command keeps what it needs to go on, and whose the directory is.
pub const STATE_DIR: &str = ".relrv";

/// Commands that note themselves.
const COMMANDS: [&str; 3] = ["run", "calibrate", "simulate"];
/// What a directory is known by where nothing is noted: the file that the command writes last.
const LAST_FILES: [(&str, &str); 2] = [("run", "run.json"), ("calibrate", "calibration.json")];

/// What a command notes of itself in its directory.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// Its name.
    pub command: String,
    /// Everything that its products depend on beside the content of the inputs.
    pub settings: Map<String, Value>,
    /// Tells a start that was told to begin anew from all others; empty for a usual one.
    #[serde(default)]
    pub attempt: String,
    /// Inputs that could not be found.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Tables that it has written, or was about to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
}

/// What a note's file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Noted {
    /// It is not there.
    Nothing,
    /// A note.
    Note(Note),
    /// Something else, and what is wrong with it.
    Damaged(String),
}

/// Which note is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The note of what the directory holds.
    Config,
    /// The note of what is to take its place, and has not done so yet.
    Next,
}

impl Which {
    fn path(self, dir: &Path) -> PathBuf {
        dir.join(STATE_DIR).join(match self {
            Which::Config => "config.json",
            Which::Next => "next.json",
        })
    }
}

/// Reads a note of a directory; nothing is made or changed.
///
/// # Errors
/// [`Error::InTheWay`] for what is neither a file nor missing, [`Error::Io`].
pub fn read_note(dir: &Path, which: Which) -> Result<Noted> {
    let path = which.path(dir);
    if !is_folder(&dir.join(STATE_DIR))? || !is_file(&path)? {
        return Ok(Noted::Nothing);
    }
    let bytes = fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let damaged = |what: String| Noted::Damaged(format!("{} is damaged: {what}", path.display()));
    Ok(match serde_json::from_slice::<Note>(&bytes) {
        Ok(note) if COMMANDS.contains(&&*note.command) => Noted::Note(note),
        Ok(note) => damaged(format!("{:?} is no command", note.command)),
        Err(e) => damaged(e.to_string()),
    })
}

/// The command that a directory belongs to, as far as anything tells.
///
/// # Errors
/// As [`read_note`].
pub fn owner(dir: &Path) -> Result<Option<String>> {
    if let Noted::Note(note) = read_note(dir, Which::Config)? {
        return Ok(Some(note.command));
    }
    let last = LAST_FILES.iter().find(|(_, file)| dir.join(file).exists());
    Ok(last.map(|(command, _)| (*command).to_owned()))
}

/// Refuses a directory that belongs to another command.
///
/// # Errors
/// [`Error::Occupied`] naming it; those of [`owner`].
pub fn refuse_others(dir: &Path, command: &str) -> Result<()> {
    match owner(dir)? {
        Some(owner) if owner != command => Err(Error::Occupied(format!(
            "{} belongs to relrv {owner}, and relrv {command} would mix its files with it: choose another directory",
            dir.display()
        ))),
        _ => Ok(()),
    }
}

/// A directory that this program alone writes to, as long as the value lives.
#[derive(Debug)]
pub struct Workplace {
    dir: PathBuf,
    _lock: Lock,
}

/// A file that is locked as long as the value lives.
///
/// A process that this one started has the same open file until it runs another program, and one that was forked (as Python does) for as long
/// as it lives; closing the file here alone would leave the lock with them. So it is given back.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Without locks there is none to give back; closing the file does what can be done.
        let _ = self.0.unlock();
    }
}

impl Workplace {
    /// Takes the directory for a command, making it and these folders of its state if missing, and removes what killed programs
    /// left there half written.
    ///
    /// # Errors
    /// [`Error::Occupied`] if it belongs to another command or another program works in it, [`Error::InTheWay`] for anything in
    /// `.relrv` that is not what it should be, [`Error::Io`].
    pub fn open(dir: &Path, command: &str, folders: &[&str]) -> Result<Self> {
        refuse_no_directory(dir)?;
        refuse_others(dir, command)?;
        let state = dir.join(STATE_DIR);
        let folders: Vec<PathBuf> = std::iter::once(state.clone())
            .chain(folders.iter().map(|name| state.join(name)))
            .collect();
        for folder in &folders {
            is_folder(folder)?;
        }
        for folder in &folders {
            fs::create_dir_all(folder).map_err(|e| at_fault(dir, folder, e))?;
        }
        let lock = lock(dir, command, true)?;
        for dir in std::iter::once(dir).chain(folders.iter().map(PathBuf::as_path)) {
            whole::remove_parts(dir)?;
        }
        // Again, now that nobody else can change it.
        refuse_others(dir, command)?;
        Ok(Workplace {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// Takes a directory whose state somebody may have removed: `None` then, and nothing is made.
    ///
    /// # Errors
    /// As [`Workplace::open`].
    #[cfg(feature = "report")]
    pub fn open_if_kept(dir: &Path, command: &str) -> Result<Option<Self>> {
        let state = dir.join(STATE_DIR);
        if !is_folder(&state)? || !is_file(&state.join("lock"))? {
            return Ok(None);
        }
        let lock = lock(dir, command, false)?;
        Ok(Some(Workplace {
            dir: dir.to_owned(),
            _lock: lock,
        }))
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where its state is.
    pub fn state(&self) -> PathBuf {
        self.dir.join(STATE_DIR)
    }

    /// Writes a note.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_note(&self, which: Which, note: &Note) -> Result<()> {
        let path = which.path(&self.dir);
        let text =
            serde_json::to_vec(note).map_err(|e| Error::io(&path, std::io::Error::other(e)))?;
        whole::write_bytes(&path, &text)
    }

    /// The note of what is to take the place of the old becomes the note of what the directory holds.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn promote(&self) -> Result<()> {
        let (next, config) = (Which::Next.path(&self.dir), Which::Config.path(&self.dir));
        fs::rename(&next, &config).map_err(|e| Error::io(&next, e))?;
        whole::moment();
        Ok(())
    }

    /// Forgets what was to take the place of the old, if anything.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn forget_next(&self) -> Result<()> {
        remove(&Which::Next.path(&self.dir))
    }

    /// Leaves the directory without a trace of the state but files that others put there.
    #[cfg(feature = "lab")]
    pub fn dissolve(self) {
        // Errors do not matter: what stays is removed or used by the next start.
        let _ = remove(&Which::Config.path(&self.dir));
        let _ = remove(&self.state().join("lock"));
        let _ = fs::remove_dir(self.state());
    }
}

/// Removes what killed programs left half written in a directory, unless a program that it belongs to works there now.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_parts(dir: &Path) -> Result<()> {
    let lock = dir.join(STATE_DIR).join("lock");
    let lock = whole::open_without_links(&lock, File::options().write(true));
    let is_held = |lock: File| {
        let lock = Lock(lock);
        matches!(lock.0.try_lock(), Err(TryLockError::WouldBlock))
    };
    match lock.is_ok_and(is_held) {
        true => Ok(()),
        false => whole::remove_parts(dir),
    }
}

/// Takes the lock of a directory.
fn lock(dir: &Path, command: &str, create: bool) -> Result<Lock> {
    let path = dir.join(STATE_DIR).join("lock");
    is_file(&path)?;
    // The lock file is never emptied: if it should be somebody else's file after all, it keeps its content.
    let mut options = File::options();
    options.write(true).create(create).truncate(false);
    let file = whole::open_without_links(&path, &mut options).map_err(|e| Error::io(&path, e))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Occupied(format!(
            "another relrv {command} works in {}",
            dir.display()
        ))),
        // Some network file systems have no locks; there it is left to the user that two programs do not write to one directory.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Lock(file)),
    }
}

/// Whether a folder is there; a symbolic link to one is none.
///
/// # Errors
/// [`Error::InTheWay`] for anything else.
pub fn is_folder(path: &Path) -> Result<bool> {
    is_kind(path, fs::FileType::is_dir, "a folder")
}

/// Whether a regular file is there; a symbolic link to one is none.
///
/// # Errors
/// [`Error::InTheWay`] for anything else.
pub fn is_file(path: &Path) -> Result<bool> {
    is_kind(path, fs::FileType::is_file, "a file")
}

fn is_kind(path: &Path, wanted: fn(&fs::FileType) -> bool, name: &str) -> Result<bool> {
    // What cannot be looked at counts as missing: whoever wants to use it will get the system's error.
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(false);
    };
    let kind = meta.file_type();
    if wanted(&kind) {
        return Ok(true);
    }
    let found = if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_file() {
        "a file"
    } else {
        "a special file"
    };
    Err(Error::in_the_way(
        path,
        format!("is {found}, where relrv keeps {name} of its own"),
    ))
}

/// Refuses outputs where a folder has the name: a file cannot take its place. Everything else is replaced by name, a symbolic
/// link too, and never what it leads to.
///
/// # Errors
/// [`Error::InTheWay`].
pub fn refuse_folders<P: AsRef<Path>>(outputs: impl IntoIterator<Item = P>) -> Result<()> {
    for path in outputs {
        let path = path.as_ref();
        if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
            return Err(Error::in_the_way(
                path,
                "is a folder, where a file is to go",
            ));
        }
    }
    Ok(())
}

/// Refuses a directory for outputs that can be none: a file has its name, or that of a folder which it is to be in. Nothing is made.
///
/// # Errors
/// [`Error::InTheWay`] naming the file.
pub fn refuse_no_directory(dir: &Path) -> Result<()> {
    let nearest = dir.ancestors().find_map(|path| {
        let meta = fs::metadata(path).ok()?;
        Some((path, meta.is_dir()))
    });
    match nearest {
        Some((path, false)) => Err(Error::in_the_way(
            path,
            match path == dir {
                true => "is a file, and a directory for the products was expected".to_owned(),
                false => format!("is a file, and {} would have to be in it", dir.display()),
            },
        )),
        _ => Ok(()),
    }
}

/// Content of a file if it is one: no link is followed, and no pipe waited for.
pub fn read_regular(path: &Path) -> Option<Vec<u8>> {
    let meta = fs::symlink_metadata(path).ok()?;
    meta.is_file().then(|| fs::read(path).ok()).flatten()
}

/// Removes a file if it is there.
///
/// # Errors
/// [`Error::Io`].
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

/// The error names the nearest directory or file that exists, as that is the one to blame.
fn at_fault(dir: &Path, folder: &Path, e: std::io::Error) -> Error {
    let file = folder.ancestors().find(|p| p.exists());
    Error::io(file.unwrap_or(dir), e)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(command: &str) -> Note {
        Note {
            command: command.to_owned(),
            ..Note::default()
        }
    }

    #[test]
    fn a_lock_goes_although_another_process_has_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let place = Workplace::open(dir.path(), "run", &[]).unwrap();
        // The same open file, as in a forked process.
        let _forked = place._lock.0.try_clone().unwrap();
        assert!(Workplace::open(dir.path(), "run", &[]).is_err());
        drop(place);
        Workplace::open(dir.path(), "run", &[]).unwrap();
        remove_parts(dir.path()).unwrap();
        Workplace::open(dir.path(), "run", &[]).unwrap();
    }

    #[test]
    fn a_directory_belongs_to_its_command_and_to_one_program_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("made");
        let place = Workplace::open(&dir, "run", &["units"]).unwrap();
        let refused = Workplace::open(&dir, "run", &["units"]).unwrap_err();
        assert!(refused.to_string().contains("another relrv run works in"));
        assert_eq!(read_note(&dir, Which::Config).unwrap(), Noted::Nothing);
        place.write_note(Which::Config, &note("run")).unwrap();
        drop(place);
        let refused = Workplace::open(&dir, "calibrate", &[]).unwrap_err();
        assert!(refused.to_string().contains("belongs to relrv run"));
        Workplace::open(&dir, "run", &["units"]).unwrap();
        // Without a note, the file that comes last tells.
        fs::remove_file(dir.join(STATE_DIR).join("config.json")).unwrap();
        fs::write(dir.join("calibration.json"), "{}").unwrap();
        assert_eq!(owner(&dir).unwrap().as_deref(), Some("calibrate"));
    }

    #[test]
    fn a_file_is_no_directory_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rv.fits");
        fs::write(&file, "mine").unwrap();
        for (dir, says) in [
            (
                file.clone(),
                "rv.fits: is a file, and a directory for the products was expected",
            ),
            (file.join("deep/er"), "rv.fits: is a file, and "),
        ] {
            let error = Workplace::open(&dir, "run", &[]).unwrap_err();
            let told = error.to_string();
            assert!(matches!(error, Error::InTheWay { .. }), "{told}");
            assert!(
                told.contains(says) && told.contains("another directory"),
                "{told}"
            );
        }
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        refuse_no_directory(&folder.path().join("not/yet/there")).unwrap();
        refuse_no_directory(Path::new("not-there-either")).unwrap();
    }

    #[test]
    fn a_note_that_is_none_is_told_and_no_text_is_expected() {
        let dir = tempfile::tempdir().unwrap();
        Workplace::open(dir.path(), "run", &[]).unwrap();
        let path = Which::Config.path(dir.path());
        let other = br#"{"command": "rvn", "settings": {}}"#;
        for bytes in [&b"\xff\xfe"[..], b"", b"{", b"[1]", other] {
            fs::write(&path, bytes).unwrap();
            let found = read_note(dir.path(), Which::Config).unwrap();
            assert!(matches!(found, Noted::Damaged(text) if text.contains("config.json")));
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let error = read_note(dir.path(), Which::Config).unwrap_err();
        assert!(error.to_string().contains("move it away"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_in_the_state_are_named_and_lead_nowhere() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let (canary, folder) = (dir.path().join("canary"), dir.path().join("folder"));
        fs::write(&canary, "mine").unwrap();
        fs::create_dir(&folder).unwrap();
        for (name, target) in [
            (".relrv", &folder),
            (".relrv/units", &folder),
            (".relrv/lock", &canary),
            (".relrv/config.json", &canary),
        ] {
            let out = dir.path().join("out");
            let path = out.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, &path).unwrap();
            let error = Workplace::open(&out, "run", &["units"])
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(name) && error.contains("symbolic link"),
                "{error}"
            );
            assert_eq!(fs::read(&canary).unwrap(), b"mine");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
            fs::remove_dir_all(&out).unwrap();
        }
    }
}
