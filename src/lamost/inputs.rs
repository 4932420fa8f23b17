//! From what the user names to a list of files: files, directories and `@list` files.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use super::raw::{RejectReason, Rejection};
use crate::files::regular;
use crate::text::encoding::to_utf8;

/// Longest `@list` file that is read, bytes: ten million paths.
const MAX_LIST_BYTES: u64 = 1 << 30;

/// Expands inputs into files, sorted and each once, and the inputs that give none.
///
/// - a directory is searched, with everything below it, for `med-*.fits` and `med-*.fits.gz`; links are followed, once;
/// - `@list.txt` (UTF-8 or UTF-16) names one file or directory a line; blank lines and lines that start with `#` are left out; a relative path is
///   sought beside the list, then in the current directory;
/// - anything else is a file, whatever its name.
///
/// A file that is named in several ways comes once, by the name that sorts first.
pub fn expand<P: AsRef<Path>>(inputs: &[P]) -> (Vec<PathBuf>, Vec<Rejection>) {
    let mut found = Found::default();
    for input in inputs {
        let input = input.as_ref();
        match list_name(input) {
            Some(list) => found.add_list(&list),
            None => found.add_path(input),
        }
    }
    found.finish()
}

/// Whether any of these inputs is a file, or holds one: nothing is looked at behind the first that is found. A list counts as a file.
#[cfg(feature = "cli")]
pub fn is_any_there<P: AsRef<Path>>(inputs: &[P]) -> bool {
    inputs.iter().any(|input| {
        let input = input.as_ref();
        match list_name(input) {
            Some(list) => list.is_file(),
            None => input.is_file() || holds_spectrum(input),
        }
    })
}

/// Whether a directory, or one below it, has an entry that is taken for a spectrum.
#[cfg(feature = "cli")]
fn holds_spectrum(dir: &Path) -> bool {
    let mut searched = HashSet::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        // Links may lead back up.
        if !fs::canonicalize(&dir).is_ok_and(|real| searched.insert(real)) {
            continue;
        }
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if is_mrs_name(path.file_name()) {
                return true;
            }
        }
    }
    false
}

/// Path of the list if an input is `@list`.
pub fn list_name(input: &Path) -> Option<PathBuf> {
    let text = input.as_os_str().to_str()?;
    text.strip_prefix('@').map(PathBuf::from)
}

#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    rejected: Vec<Rejection>,
    /// Canonical directories that were searched.
    searched: HashSet<PathBuf>,
    /// Canonical path of directories that hold files.
    canonical_dir: HashMap<PathBuf, PathBuf>,
}

impl Found {
    fn reject(&mut self, path: &Path, reason: RejectReason, detail: impl Into<String>) {
        self.rejected.push(Rejection::file(path, reason, detail));
    }

    fn add_path(&mut self, path: &Path) {
        match fs::metadata(path) {
            Err(e) => self.rejected.push(Rejection::unreadable(path, &e)),
            Ok(meta) if meta.is_dir() => self.add_dir(path),
            Ok(meta) if meta.is_file() => self.files.push(path.to_owned()),
            Ok(_) => self.reject(path, RejectReason::Unreadable, "not a regular file"),
        }
    }

    fn add_list(&mut self, list: &Path) {
        let bytes = match read_list(list) {
            Ok(bytes) => bytes,
            Err(e) => return self.rejected.push(Rejection::unreadable(list, &e)),
        };
        let folder = list.parent().unwrap_or(Path::new(""));
        let mut n_lines = 0;
        for line in bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii) {
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            n_lines += 1;
            let path = path_of(line);
            let beside = folder.join(&path);
            if beside == path || beside.exists() {
                self.add_path(&beside);
            } else if path.exists() {
                self.add_path(&path);
            } else {
                let detail = format!(
                    "named in {}, found neither there nor in the current directory",
                    list.display()
                );
                self.reject(&path, RejectReason::Unreadable, detail);
            }
        }
        if n_lines == 0 {
            self.reject(list, RejectReason::NoExposures, "the list names no file");
        }
    }

    fn add_dir(&mut self, dir: &Path) {
        let (n_files, n_rejected) = (self.files.len(), self.rejected.len());
        let (mut was_searched, mut n_low_resolution) = (false, 0);
        let mut open = vec![dir.to_owned()];
        // A list of open directories and no recursion, so that a deep tree cannot overflow the stack.
        while let Some(dir) = open.pop() {
            let entries = fs::canonicalize(&dir).and_then(|real| {
                // The directory was searched before: a link leads back up, or it lies below another input.
                if !self.searched.insert(real) {
                    return Ok(None);
                }
                regular::patient(|| fs::read_dir(&dir)).map(Some)
            });
            let entries = match entries {
                Ok(None) => {
                    was_searched = true;
                    continue;
                }
                Ok(Some(entries)) => entries,
                Err(e) => {
                    self.rejected.push(Rejection::unreadable(&dir, &e));
                    continue;
                }
            };
            for entry in entries {
                let kind = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
                match kind {
                    Err(e) => self.rejected.push(Rejection::unreadable(&dir, &e)),
                    Ok((path, kind)) if kind.is_dir() => open.push(path),
                    Ok((path, kind)) if kind.is_symlink() && path.is_dir() => open.push(path),
                    Ok((path, _)) if is_mrs_name(path.file_name()) => self.files.push(path),
                    Ok((path, _)) => {
                        n_low_resolution += usize::from(is_lrs_name(path.file_name()));
                    }
                }
            }
        }
        if !was_searched && (n_files, n_rejected) == (self.files.len(), self.rejected.len()) {
            let mut detail =
                "no med-*.fits or med-*.fits.gz in this directory or below it".to_owned();
            if n_low_resolution > 0 {
                detail += "; spectra of low resolution (spec-*.fits) are there, which are not measured: relrv needs single exposures of medium resolution";
            }
            self.reject(dir, RejectReason::NoExposures, detail);
        }
    }

    /// Sorted files, each once.
    fn finish(mut self) -> (Vec<PathBuf>, Vec<Rejection>) {
        let mut files = std::mem::take(&mut self.files);
        files.sort_unstable();
        files.dedup();
        let mut seen = HashSet::with_capacity(files.len());
        files.retain(|path| seen.insert(self.identity(path)));
        self.rejected.sort_by(|a, b| a.path.cmp(&b.path));
        self.rejected.dedup();
        (files, self.rejected)
    }

    /// What two names of one file have in common. Asks the system once a directory, and for links.
    fn identity(&mut self, path: &Path) -> PathBuf {
        let is_link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
        if is_link && let Ok(real) = fs::canonicalize(path) {
            return real;
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return path.to_owned();
        };
        if let Some(real) = self.canonical_dir.get(parent) {
            return real.join(name);
        }
        let dir = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let real = fs::canonicalize(dir).unwrap_or_else(|_| parent.to_owned());
        let identity = real.join(name);
        self.canonical_dir.insert(parent.to_owned(), real);
        identity
    }
}

/// Whether a directory's entry is taken for a spectrum.
fn is_mrs_name(name: Option<&OsStr>) -> bool {
    is_named(name, b"med-")
}

/// Whether a directory's entry is taken for one of the survey's spectra of low resolution.
fn is_lrs_name(name: Option<&OsStr>) -> bool {
    is_named(name, b"spec-")
}

fn is_named(name: Option<&OsStr>, start: &[u8]) -> bool {
    let name = name.unwrap_or_default().as_encoded_bytes();
    name.starts_with(start) && (name.ends_with(b".fits") || name.ends_with(b".fits.gz"))
}

fn read_list(list: &Path) -> Result<Vec<u8>> {
    let meta = fs::metadata(list)?;
    if !meta.is_file() {
        return Err(Error::other("the list is not a regular file"));
    }
    if meta.len() > MAX_LIST_BYTES {
        return Err(Error::other(format!(
            "the list is larger than {MAX_LIST_BYTES} bytes"
        )));
    }
    // Windows writes lists in UTF-16.
    to_utf8(regular::read(list)?).map_err(Error::other)
}

/// Path of a line's bytes, whatever they are.
#[cfg(unix)]
fn path_of(line: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(line))
}

/// Path of a line's bytes; what is not UTF-8 becomes a name that does not exist, and is reported.
#[cfg(not(unix))]
fn path_of(line: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folder with these (empty) files.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn names(folder: &tempfile::TempDir, files: &[PathBuf]) -> Vec<String> {
        let name = |path: &PathBuf| {
            path.strip_prefix(folder.path())
                .unwrap()
                .display()
                .to_string()
        };
        files.iter().map(name).collect()
    }

    #[test]
    fn directories_are_searched_to_the_bottom() {
        let folder = folder(&[
            "b/med-2.fits.gz",
            "b/c/d/med-1.fits",
            "med-3.fits",
            "spec-4.fits",
            "med-5.txt",
            "med-6.fits.bz2",
        ]);
        let (files, rejected) = expand(&[folder.path()]);
        assert_eq!(
            names(&folder, &files),
            ["b/c/d/med-1.fits", "b/med-2.fits.gz", "med-3.fits"]
        );
        assert_eq!(rejected, []);
    }

    #[test]
    fn a_file_comes_once_whatever_its_names() {
        let folder = folder(&["a/med-1.fits", "a/med-2.fits"]);
        let a = folder.path().join("a");
        let inputs = [
            a.join("med-1.fits"),
            a.clone(),
            folder.path().join("a/../a/med-1.fits"),
            folder.path().to_owned(),
        ];
        let (files, rejected) = expand(&inputs);
        assert_eq!(names(&folder, &files).len(), 2);
        assert_eq!(rejected, []);
        let reversed: Vec<_> = inputs.iter().rev().collect();
        assert_eq!(expand(&reversed).0, files);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_without_loops() {
        use std::os::unix::fs::symlink;
        let folder = folder(&["a/med-1.fits", "other/med-2.fits"]);
        let at = |name: &str| folder.path().join(name);
        symlink(at("a"), at("a/loop")).unwrap();
        symlink(folder.path(), at("a/up")).unwrap();
        symlink(at("a/med-1.fits"), at("a/med-9.fits")).unwrap();
        symlink(at("nowhere"), at("a/med-8.fits")).unwrap();
        let (files, rejected) = expand(&[at("a")]);
        // `a/up` leads to `other`. The broken link is kept: reading it says what is wrong.
        let mut names = names(&folder, &files);
        names.retain(|name| !name.ends_with("other/med-2.fits"));
        assert_eq!(
            (files.len(), names),
            (
                3,
                vec!["a/med-1.fits".to_owned(), "a/med-8.fits".to_owned()]
            )
        );
        assert_eq!(rejected, []);
    }

    #[test]
    fn lists() {
        let folder = folder(&["data/med-1.fits", "data/any-name.fits", "more/med-2.fits"]);
        let list = folder.path().join("list.txt");
        let absolute = folder.path().join("data/any-name.fits");
        let text = format!(
            "\u{feff}# a comment\r\n\r\n  data/med-1.fits \r\n{}\nmore\nmissing.fits\n",
            absolute.display()
        );
        fs::write(&list, &text).unwrap();
        let input = format!("@{}", list.display());
        let (files, rejected) = expand(&[&input]);
        assert_eq!(
            names(&folder, &files),
            ["data/any-name.fits", "data/med-1.fits", "more/med-2.fits"]
        );
        assert_eq!(rejected.len(), 1);
        assert_eq!(rejected[0].path, Path::new("missing.fits"));
        assert_eq!(rejected[0].reason, RejectReason::Unreadable);
        assert!(
            rejected[0].detail.contains("list.txt"),
            "{}",
            rejected[0].detail
        );

        // As Notepad and PowerShell write it.
        for (mark, unit) in [
            ("\u{feff}", u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ("\u{feff}", u16::to_be_bytes),
            ("", u16::to_le_bytes),
        ] {
            let text = text.trim_start_matches('\u{feff}');
            let wide = format!("{mark}{text}");
            let bytes: Vec<u8> = wide.encode_utf16().flat_map(unit).collect();
            fs::write(&list, bytes).unwrap();
            assert_eq!(expand(&[&input]), (files.clone(), rejected.clone()));
        }
        fs::write(&list, b"\xff\xfeodd").unwrap();
        let detail = &expand(&[&input]).1[0].detail;
        assert!(detail.contains("UTF-16"), "{detail}");

        fs::write(&list, "# nothing\n").unwrap();
        assert_eq!(expand(&[&input]).1[0].reason, RejectReason::NoExposures);
    }

    #[test]
    fn a_directory_of_low_resolution_says_what_it_is() {
        let detail_of = |files: &[&str]| {
            let folder = folder(files);
            let (found, rejected) = expand(&[folder.path()]);
            assert_eq!((found.len(), rejected.len()), (0, 1));
            rejected[0].detail.clone()
        };
        let low = detail_of(&["a/spec-55859-F5902_sp01-001.fits.gz", "readme.txt"]);
        assert!(
            low.starts_with("no med-*.fits") && low.contains("low resolution"),
            "{low}"
        );
        let none = detail_of(&["spec.txt", "readme.txt"]);
        assert!(!none.contains("low resolution"), "{none}");
    }

    #[cfg(feature = "cli")]
    #[test]
    fn the_first_file_is_enough() {
        let folder = folder(&[
            "empty/readme.txt",
            "plates/a/b/med-1-p_sp01-001.fits",
            "list.txt",
        ]);
        let at = |name: &str| folder.path().join(name);
        let list = PathBuf::from(format!("@{}", at("list.txt").display()));
        let no_list = PathBuf::from(format!("@{}", at("none.txt").display()));
        for there in [at("plates"), at("empty/readme.txt"), list] {
            assert!(
                is_any_there(&[at("missing.fits"), there.clone()]),
                "{there:?}"
            );
        }
        assert!(!is_any_there(&[at("missing.fits"), at("empty"), no_list]));
    }

    #[test]
    fn what_gives_no_file_is_named() {
        let folder = folder(&["empty/readme.txt"]);
        let missing = folder.path().join("missing.fits");
        let no_list = PathBuf::from(format!("@{}/none.txt", folder.path().display()));
        let no_file = PathBuf::from(format!("@{}", folder.path().display()));
        let empty = folder.path().join("empty");
        let (files, rejected) = expand(&[&missing, &no_list, &no_file, &empty]);
        assert_eq!(files, Vec::<PathBuf>::new());
        let mut reasons: Vec<_> = rejected
            .iter()
            .map(|r| (r.reason, r.path.clone()))
            .collect();
        reasons.sort();
        assert_eq!(
            reasons,
            [
                (RejectReason::Unreadable, folder.path().to_owned()),
                (RejectReason::Unreadable, missing),
                (RejectReason::Unreadable, folder.path().join("none.txt")),
                (RejectReason::NoExposures, empty),
            ]
        );
    }
}
