//! The page of a star as files: the page itself, and its figures in a folder of the same name beside it.

use std::path::{Path, PathBuf};

use super::svg::Drawing;
use crate::files::page_files::{MARK, refuse_unmarked};
use crate::files::{whole, workplace};
use crate::{Error, Result};

/// Folder of the pages within the directory of a run.
const SHOW_DIR: &str = "show";
/// Bytes of a file's name that come from that of the star, at most.
const LONGEST: usize = 80;

/// Where the page of a star is if nobody says where: below `dir`, under the star's name.
pub fn usual_path(dir: &Path, star: &str, lmjm: Option<i64>) -> PathBuf {
    let exposure = lmjm.map_or(String::new(), |lmjm| format!("-{lmjm}"));
    dir.join(SHOW_DIR)
        .join(format!("{}{exposure}.html", safe(star)))
}

/// Where the page of a star is if `out` says where: a file if it ends like a page, else a folder.
pub fn path_in(out: &Path, star: &str, lmjm: Option<i64>) -> PathBuf {
    let ending = out.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let is_page = ["html", "htm"]
        .iter()
        .any(|e| ending.eq_ignore_ascii_case(e));
    match is_page && !out.is_dir() {
        true => out.to_owned(),
        false => {
            let usual = usual_path(Path::new(""), star, lmjm);
            out.join(usual.file_name().unwrap_or_default())
        }
    }
}

/// A name of a file from that of a star. One that had to be changed ends with a number made of the whole, so that two stars do not share
/// a page.
pub fn safe(star: &str) -> String {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    let mut name: String = star
        .chars()
        .map(|c| if is_fine(c) { c } else { '_' })
        .collect();
    name.truncate(LONGEST);
    if name.starts_with(['.', '-']) || name.is_empty() {
        name.insert(0, '_');
    }
    if name == star {
        return name;
    }
    // FNV-1a.
    let hash = star.bytes().fold(0x811c_9dc5_u32, |h, b| {
        (h ^ u32::from(b)).wrapping_mul(0x0100_0193)
    });
    format!("{name}-{hash:08x}")
}

/// Folder of the figures of a page.
pub fn figures_of(page: &Path) -> PathBuf {
    match page.extension() {
        Some(_) => page.with_extension(""),
        None => page.with_extension("figures"),
    }
}

/// Writes the page and its figures. Older figures of that page go.
///
/// # Errors
/// [`Error::InTheWay`] for a file in one of these places that relrv did not make, [`Error::Io`].
pub fn write(page: &Path, html: &str, figures: &[Drawing]) -> Result<()> {
    let folder = figures_of(page);
    workplace::refuse_no_directory(&folder)?;
    refuse_unmarked(page)?;
    let older = match workplace::is_folder(&folder)? {
        true => svgs(&folder)?,
        false => Vec::new(),
    };
    let paths: Vec<PathBuf> = figures
        .iter()
        .map(|f| folder.join(format!("{}.svg", f.name)))
        .collect();
    for path in &paths {
        refuse_unmarked(path)?;
    }
    for (path, figure) in paths.iter().zip(figures) {
        whole::write_bytes(path, figure.file(MARK).as_bytes())?;
    }
    whole::write_bytes(page, html.as_bytes())?;
    for path in older.iter().filter(|path| !paths.contains(path)) {
        // Somebody's own figure stays.
        if refuse_unmarked(path).is_ok() {
            workplace::remove(path)?;
        }
    }
    Ok(())
}

fn svgs(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::io(folder, e);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let paths = entries.map(|entry| entry.map(|e| e.path()).map_err(failed));
    let paths = paths.collect::<Result<Vec<PathBuf>>>()?;
    let is_svg = |path: &PathBuf| path.extension().is_some_and(|e| e == "svg");
    Ok(paths.into_iter().filter(is_svg).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pages_are_safe_and_differ_where_stars_do() {
        assert_eq!(safe("J160305.10+371200.0"), "J160305.10+371200.0");
        for evil in [
            "../../etc/passwd",
            "a/b",
            "-rf",
            ".hidden",
            "",
            "a\u{202e}b",
            "\u{661f}",
            "a\nb",
            "a&b<c>",
        ] {
            let name = safe(evil);
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b)),
                "{name}"
            );
            assert!(!name.starts_with(['.', '-']) && name.len() > 8, "{name}");
        }
        assert_ne!(safe("a/b"), safe("a:b"));
        assert!(safe(&"x".repeat(1000)).len() < 100);
        let path = path_in(Path::new("here/mine.html"), "J1", None);
        assert_eq!(path, Path::new("here/mine.html"));
        assert_eq!(
            path_in(Path::new("here"), "J1", Some(5)),
            Path::new("here/J1-5.html")
        );
        assert_eq!(
            usual_path(Path::new("out"), "J1", None),
            Path::new("out/show/J1.html")
        );
    }

    #[test]
    fn foreign_files_stay_and_older_figures_go() {
        let dir = tempfile::tempdir().unwrap();
        let page = dir.path().join("show/J1.html");
        let figures = |names: &[&str]| -> Vec<Drawing> {
            names.iter().map(|n| Drawing::new(*n, "t", 10.0)).collect()
        };
        let html = format!("<!-- {MARK} -->");
        write(&page, &html, &figures(&["a", "b"])).unwrap();
        let own = dir.path().join("show/J1/own.svg");
        std::fs::write(&own, "mine").unwrap();
        write(&page, &html, &figures(&["a", "c"])).unwrap();
        let there = |name: &str| dir.path().join("show/J1").join(name).exists();
        assert!(there("a.svg") && !there("b.svg") && there("c.svg"));
        assert_eq!(std::fs::read(&own).unwrap(), b"mine");
        let refused = write(&page, &html, &figures(&["own"])).unwrap_err();
        assert!(matches!(refused, Error::InTheWay { .. }), "{refused}");
        std::fs::write(&page, "my page").unwrap();
        let refused = write(&page, &html, &figures(&["a"])).unwrap_err();
        assert!(refused.to_string().contains("J1.html"), "{refused}");
        assert_eq!(std::fs::read(&page).unwrap(), b"my page");
        let within = page.join("J2.html");
        let refused = write(&within, &html, &figures(&["a"])).unwrap_err();
        assert!(
            refused.to_string().contains("J1.html: is a file"),
            "{refused}"
        );
    }
}
