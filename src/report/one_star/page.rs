//! A page that grows: text, and figures with their captions.

use std::fmt::Write;
use std::path::Path;

use super::svg::Drawing;
use crate::report::link::percent;
use crate::report::page::escape;
use crate::report::png;

/// A page that grows, and its figures.
pub struct Page {
    /// What is written of it.
    pub out: String,
    /// The figures that are in it, to be files too.
    pub figures: Vec<Drawing>,
    /// Folder of the figures, as links call it.
    folder: String,
}

impl Page {
    /// One that begins with this text; its figures are to be files in `folder` beside it.
    pub fn new(out: String, folder: &Path) -> Self {
        let folder = folder.file_name().unwrap_or_default().to_string_lossy();
        Page {
            out,
            figures: Vec::new(),
            folder: percent(&folder),
        }
    }
}

/// Adds a figure with its caption, and keeps it to be a file.
pub fn figure(page: &mut Page, mut drawing: Drawing, caption: &str) {
    // Two figures of one name would be one file.
    while page.figures.iter().any(|other| other.name == drawing.name) {
        drawing.name += "-more";
    }
    // Writing to a String cannot fail.
    let _ = write!(
        page.out,
        "<figure id=\"{0}\"><div class=\"scroll\" tabindex=\"0\">{1}</div><figcaption>{2} <a href=\"{3}/{0}.svg\">SVG</a> {4}</figcaption></figure>",
        drawing.name,
        drawing.inline(),
        escape(caption),
        page.folder,
        png::button(&drawing.name)
    );
    page.figures.push(drawing);
}
