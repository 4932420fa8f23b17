//! Stars that somebody knows to be constant, from a list of their names.

use std::collections::HashSet;
use std::path::Path;

use super::cells::{Found, name_texts};
use super::input::Input;
use super::roles::Roles;
use crate::table::Table;
use crate::text::count::count;
use crate::{Error, Result};

/// Names of stars that are known to be constant.
#[derive(Clone, Debug)]
pub struct KnownConstants {
    names: HashSet<String>,
    file: String,
}

impl KnownConstants {
    /// Of a list with a name a line; what follows a `#` at the start of a line is a comment.
    pub fn of_list(file: &Path, text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let names = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        KnownConstants {
            names: names.map(str::to_owned).collect(),
            file: file.display().to_string(),
        }
    }

    /// Of a table, by its column of stars.
    ///
    /// # Errors
    /// [`Error::Format`] naming the file where it has no such column.
    pub fn of_table(file: &Path, table: &Table) -> Result<Self> {
        let found = Found {
            table,
            skipped: &[],
            roles: &Roles::default(),
        };
        let names = found.needed("star").and_then(name_texts);
        let names = names.map_err(|e| Error::format(file, e.to_string()))?;
        Ok(KnownConstants {
            names: names.into_iter().filter(|name| !name.is_empty()).collect(),
            file: file.display().to_string(),
        })
    }

    /// Whether each star of `input` is none of them, and a sentence about how many are.
    ///
    /// # Errors
    /// [`Error::NothingUsable`] where no star of the table is among them.
    pub fn others(&self, input: &Input) -> Result<(Vec<bool>, String)> {
        let stars = input.stars.names.iter();
        let others: Vec<bool> = stars.map(|name| !self.names.contains(name)).collect();
        let n_known = others.iter().filter(|is_other| !**is_other).count();
        match n_known {
            0 => Err(Error::NothingUsable(format!(
                "{} names {}, and none of them is a star of the table, such as {}",
                self.file,
                count(self.names.len(), "star"),
                input.stars.names.first().map_or("none", |name| name)
            ))),
            _ => Ok((
                others,
                format!(
                    "zero points rest on known constants alone: {} of the {} in {}",
                    n_known,
                    count(self.names.len(), "name"),
                    self.file
                ),
            )),
        }
    }
}
