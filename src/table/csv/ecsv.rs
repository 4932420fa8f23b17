//! The comments above the names of a CSV table, and what those of an ECSV file (astropy's) tell.

use std::io::BufRead;
use std::path::Path;

use crate::table::yaml_meta::{self, TableMeta};
use crate::{Error, Result};

/// Longest run of comments, bytes.
const MAX_COMMENTS: usize = 16 << 20;

/// What stands above the rows.
#[derive(Debug)]
pub(in crate::table) struct Head {
    /// Number of lines taken.
    pub(in crate::table) n_lines: u64,
    /// Character between cells.
    pub(in crate::table) delimiter: u8,
    /// The ECSV header's words, nothing in other files.
    pub(in crate::table) meta: TableMeta,
    /// Names of the columns where they stand in a comment: numpy writes them so.
    pub(in crate::table) names: Option<Vec<String>>,
}

/// Takes the lines that begin with `#` off the input.
pub(in crate::table) fn take_head(input: &mut dyn BufRead, path: &Path) -> Result<Head> {
    let failed = |e| Error::io(path, e);
    let mut comments: Vec<String> = Vec::new();
    let mut n_bytes = 0;
    while input.fill_buf().map_err(failed)?.first() == Some(&b'#') {
        let mut line = Vec::new();
        n_bytes += std::io::Read::take(&mut *input, (MAX_COMMENTS - n_bytes) as u64)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if n_bytes >= MAX_COMMENTS {
            return Err(Error::format(
                path,
                format!(
                    "expected names of columns, found more than {MAX_COMMENTS} bytes of comments"
                ),
            ));
        }
        let line = String::from_utf8_lossy(&line[1..]).trim_end().to_owned();
        comments.push(line.strip_prefix(' ').unwrap_or(&line).to_owned());
    }
    let next = first_line(input.fill_buf().map_err(failed)?);
    let mut head = Head {
        n_lines: comments.len() as u64,
        delimiter: b',',
        meta: TableMeta::default(),
        names: None,
    };
    if comments
        .first()
        .is_some_and(|line| line.starts_with("%ECSV"))
    {
        let yaml: String = comments[1..]
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        head.meta = yaml_meta::parse(&yaml).map_err(|message| Error::format(path, message))?;
        head.delimiter = match head.meta.delimiter.as_deref() {
            Some(",") => b',',
            Some(" ") => b' ',
            // The standard says that a space is the delimiter if the header names none. If the line has commas, these are it.
            None if next.contains(',') => b',',
            None => b' ',
            Some(other) => {
                return Err(Error::format(
                    path,
                    format!(
                        "expected a comma or a space as the delimiter of ECSV, found {other:?}"
                    ),
                ));
            }
        };
    } else {
        head.delimiter = delimiter_of(&next);
        if let Some(last) = comments.last() {
            head.names = names_in_comment(last, &next, char::from(head.delimiter));
        }
    }
    Ok(head)
}

/// A comma; a semicolon or a tab, which spreadsheets write in some countries, where a line has no comma.
fn delimiter_of(line: &str) -> u8 {
    match line {
        line if line.contains(',') => b',',
        line if line.contains(';') => b';',
        line if line.contains('\t') => b'\t',
        _ => b',',
    }
}

/// The names in the last comment, if a row of numbers follows that has as many cells.
fn names_in_comment(comment: &str, next: &str, delimiter: char) -> Option<Vec<String>> {
    let names: Vec<&str> = comment.split(delimiter).map(str::trim).collect();
    let cells: Vec<&str> = next.split(delimiter).map(str::trim).collect();
    let is_number = |cell: &&str| cell.parse::<f64>().is_ok();
    let fits = names.len() > 1
        && names.len() == cells.len()
        && !names.iter().any(is_number)
        && cells.iter().any(is_number);
    fits.then(|| names.into_iter().map(str::to_owned).collect())
}

fn first_line(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == b'\n');
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}
