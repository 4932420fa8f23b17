//! Opening files to read: regular ones alone, and with patience where the system is short of descriptors.
//!
//! Opening a pipe waits for ever if nobody writes to it, reading a device never ends, and some files of the kernel say that they are
//! regular and block like pipes. So a file is looked at before and after it is opened, and no more of it is read than its size says.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Take};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest time to wait for a descriptor. Other threads hold theirs for the time of a read.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Opens a regular file; links are followed.
///
/// # Errors
/// What the system says, and [`ErrorKind::InvalidInput`] for what is not a regular file.
pub(crate) fn open(path: &Path) -> Result<File> {
    // First the name: opening a pipe waits for a writer. Then what was opened, which may be another file by now.
    checked(std::fs::metadata(path)?.is_file())?;
    let file = patient(|| File::open(path))?;
    checked(file.metadata()?.is_file())?;
    Ok(file)
}

fn checked(is_file: bool) -> Result<()> {
    match is_file {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Opens a regular file; what is read ends where the file ended when it was opened.
///
/// # Errors
/// As [`open`].
pub(crate) fn reader(path: &Path) -> Result<Take<File>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    Ok(file.take(length))
}

/// Content of a regular file.
///
/// # Errors
/// As [`open`], and those of reading.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut reader = reader(path)?;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Content of a regular file of UTF-8 text.
///
/// # Errors
/// As [`read`], and [`ErrorKind::InvalidData`] for other bytes.
#[cfg(feature = "cli")]
pub(crate) fn read_to_string(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|_| {
        Error::new(
            ErrorKind::InvalidData,
            "expected UTF-8 text, found other bytes",
        )
    })
}

/// Does what takes a descriptor, again and again while there is none, for some seconds.
///
/// # Errors
/// Those of `work`.
pub(crate) fn patient<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match work() {
            Err(e) if is_out_of_descriptors(&e) && start.elapsed() < PATIENCE => {
                std::thread::sleep(pause);
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
            other => return other,
        }
    }
}

/// Whether the system had no descriptor left, for the program (EMFILE) or at all (ENFILE): nothing is wrong with the file then.
pub(crate) fn is_out_of_descriptors(error: &Error) -> bool {
    #[cfg(unix)]
    const CODES: [i32; 2] = [24, 23];
    #[cfg(not(unix))]
    const CODES: [i32; 1] = [4];
    match error.raw_os_error() {
        Some(code) => CODES.contains(&code),
        // A crate that adds the path to the message has wrapped the system's error; then only the text tells.
        None => {
            let text = error.to_string();
            CODES
                .iter()
                .any(|code| text.contains(&format!("(os error {code})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_to_string(&path).unwrap(), "text");
        assert_eq!(
            open(dir.path()).unwrap_err().to_string(),
            "not a regular file"
        );
        assert_eq!(
            open(&dir.path().join("none")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(
            read_to_string(&path).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_and_files_of_the_kernel_end() {
        assert!(open(Path::new("/dev/zero")).is_err());
        // Says that it is regular and empty, and is not.
        assert_eq!(read(Path::new("/proc/self/status")).unwrap(), b"");
    }

    #[cfg(unix)]
    #[test]
    fn want_of_descriptors_is_waited_out() {
        let starved = || Error::from_raw_os_error(24);
        assert!(is_out_of_descriptors(&starved()));
        assert!(is_out_of_descriptors(&Error::other(format!(
            "{} at path \"x\"",
            starved()
        ))));
        assert!(!is_out_of_descriptors(&Error::from_raw_os_error(2)));
        let mut left = 3;
        let done = patient(|| match left {
            0 => Ok("done"),
            _ => {
                left -= 1;
                Err(starved())
            }
        });
        assert_eq!(done.unwrap(), "done");
    }
}
