//! Who works on a unit, where several programs and machines share a directory.
//!
//! A claim is a file that its maker alone can make, and touches while it lives. There are no locks in it, as a machine that died would
//! hold them, and not every file system has them. Of a program that was killed on this machine the claim is void at once; of one
//! on another machine when it was not touched for some minutes. Should two programs work on the same unit all the same, they
//! write the same bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::files::workplace::read_regular;
use crate::{Error, Result};

/// A claim is touched so often.
const BEAT: Duration = Duration::from_secs(30);

/// A claim of another machine that has not been touched for this time is void. Network file systems may show changes a minute late.
const VOID_AFTER: Duration = Duration::from_secs(600);

/// How often a claim is tried to be made, as others may make and remove it meanwhile, and the pause between two tries.
const TRIES: usize = 8;
const PAUSE: Duration = Duration::from_millis(20);

/// A unit that this program alone works on, as long as the value lives.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    mine: String,
    /// Dropped, it ends the thread that touches the file.
    alive: Option<Sender<()>>,
    beat: Option<JoinHandle<()>>,
}

impl Claim {
    /// Claims what the file of this path stands for; its folder is made if missing. `Err` in the result: who has claimed it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn take(path: &Path) -> Result<std::result::Result<Claim, String>> {
        let failed = |e| Error::io(path, e);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mine = me();
        for _ in 0..TRIES {
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(mut file) => {
                    file.write_all(mine.as_bytes()).map_err(failed)?;
                    return Ok(Ok(Claim::begun(path, mine, file)));
                }
                Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(failed(e)),
                Err(_) => {}
            }
            if let Some(other) = holder(path) {
                return Ok(Err(other));
            }
            match take_over(path, &mine) {
                Ok(Some(file)) => return Ok(Ok(Claim::begun(path, mine, file))),
                Ok(None) => std::thread::sleep(PAUSE),
                Err(e) => return Err(failed(e)),
            }
        }
        Ok(Err("another program".to_owned()))
    }

    fn begun(path: &Path, mine: String, mut file: File) -> Self {
        let (alive, ended) = channel::<()>();
        let text = mine.clone();
        let beat = std::thread::spawn(move || {
            while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                // Written and not only touched, so that the time is that of the file system and not of this machine's clock.
                let again = std::io::Seek::rewind(&mut file);
                let _ = again.and_then(|()| file.write_all(text.as_bytes()));
            }
        });
        Claim {
            path: path.to_owned(),
            mine,
            alive: Some(alive),
            beat: Some(beat),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(beat) = self.beat.take() {
            let _ = beat.join();
        }
        // Somebody may have taken it for void.
        if read_regular(&self.path).is_some_and(|text| text == self.mine.as_bytes()) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Who has claimed what the file of this path stands for: machine and process; `None` where nobody has, or the claim is void.
pub fn holder(path: &Path) -> Option<String> {
    let text = String::from_utf8(read_regular(path)?).ok()?;
    let mut words = text.split_whitespace();
    let (host, pid, machine, start) = (words.next(), words.next(), words.next(), words.next());
    // Its maker has made the file and not yet written it.
    let (Some(host), Some(pid), Some(machine), Some(start)) = (host, pid, machine, start) else {
        return is_fresh(path).then(|| "another program".to_owned());
    };
    let lives = match machine == this_machine() {
        true => start_of(pid).is_some_and(|now| now == start),
        false => is_fresh(path),
    };
    lives.then(|| format!("process {pid} on {host}"))
}

/// Whether a file was touched within [`VOID_AFTER`], by the clock of its file system.
fn is_fresh(path: &Path) -> bool {
    let touched = fs::metadata(path).and_then(|meta| meta.modified());
    let folder = path.parent().unwrap_or(Path::new("."));
    let probe = tempfile::Builder::new()
        .prefix(".now-")
        .tempfile_in(folder)
        .and_then(|mut file| file.write_all(b"now").map(|()| file));
    let now = probe.and_then(|file| file.as_file().metadata()?.modified());
    match (touched, now) {
        (Ok(touched), Ok(now)) => {
            now.duration_since(touched)
                .is_ok_and(|age| age < VOID_AFTER)
                || touched > now
        }
        // What cannot be told is left alone.
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    }
}

/// Puts a claim in the place of one that is void; `None` where somebody else does, or the old one is gone.
///
/// The new claim is made under another name first, which one program alone can have at a time, and then takes the place of the old one,
/// if that is still there and void: so nobody takes over from one who has just taken over himself.
fn take_over(path: &Path, mine: &str) -> std::io::Result<Option<File>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let next = path.with_file_name(format!("{name}.next"));
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&next) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            if !is_fresh(&next) {
                let _ = fs::remove_file(&next);
            }
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    file.write_all(mine.as_bytes())?;
    if path.exists() && holder(path).is_none() {
        fs::rename(&next, path)?;
        return Ok(Some(file));
    }
    fs::remove_file(&next)?;
    Ok(None)
}

/// What this program writes into its claims.
fn me() -> String {
    let pid = std::process::id().to_string();
    let start = start_of(&pid).unwrap_or_else(|| "0".to_owned());
    format!("{} {pid} {} {start}\n", host_name(), this_machine())
}

/// Name of this machine.
pub fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| std::env::var("HOSTNAME").ok());
    let name = name.unwrap_or_default();
    match name.split_whitespace().next() {
        Some(name) => name.to_owned(),
        None => "unknown".to_owned(),
    }
}

/// What no other machine has, nor this one after its next start, nor a container in which numbers of processes mean others.
fn this_machine() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let text = format!("{}{}", boot.trim(), space.display());
    match text.is_empty() {
        // Then no claim is ever taken for one of this machine, and its age decides.
        true => format!("process-{}", std::process::id()),
        false => text,
    }
}

/// When a process of this machine was started, in its own unit; `None` if it does not live.
fn start_of(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).ok()?;
    // The name of the program, in brackets, may hold spaces and brackets. After it: the state, and 19 fields later the start.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let is_gone = matches!(state, "Z" | "X");
    (!is_gone)
        .then(|| fields.nth(18).map(str::to_owned))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_has_a_claim_until_it_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claims/unit");
        let claim = Claim::take(&path).unwrap().unwrap();
        let other = Claim::take(&path).unwrap().unwrap_err();
        assert!(other.contains(&std::process::id().to_string()), "{other}");
        drop(claim);
        assert!(!path.exists());
        drop(Claim::take(&path).unwrap().unwrap());
    }

    #[test]
    fn claims_of_the_dead_are_void() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("unit");
        let (host, machine) = (host_name(), this_machine());
        let old = |path: &Path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            let time = std::time::SystemTime::now() - 2 * VOID_AFTER;
            file.set_modified(time).unwrap();
        };
        // On this machine: a process that does not live, and one of that number that was started later.
        let me = std::process::id();
        for text in [
            format!("{host} 4194999 {machine} 12\n"),
            format!("{host} {me} {machine} 0\n"),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(holder(&path), None);
            drop(Claim::take(&path).unwrap().unwrap());
        }
        // On another one: by its age.
        fs::write(&path, "elsewhere 7 other-machine 12\n").unwrap();
        let other = Claim::take(&path).unwrap().unwrap_err();
        assert_eq!(other, "process 7 on elsewhere");
        old(&path);
        drop(Claim::take(&path).unwrap().unwrap());
        // Made and not yet written.
        fs::write(&path, "").unwrap();
        assert!(Claim::take(&path).unwrap().is_err());
        old(&path);
        drop(Claim::take(&path).unwrap().unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn of_many_that_want_it_one_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("unit");
        fs::write(
            &path,
            format!("{} 4194999 {} 1\n", host_name(), this_machine()),
        )
        .unwrap();
        let taken: Vec<_> = std::thread::scope(|s| {
            let threads: Vec<_> = (0..8)
                .map(|_| s.spawn(|| Claim::take(&path).unwrap()))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(taken.iter().filter(|t| t.is_ok()).count(), 1);
    }
}
