//! Which column of somebody's table plays which part: the one that the user names, the one of the part's own name, or one of a name that
//! many tables use.

use super::cells::Found;
use super::roles::{errors_of, well_known};
use crate::table::Column;
use crate::text::nearest::did_you_mean;
use crate::{Error, Result};

impl<'a> Found<'a> {
    /// The column that plays this part, if there is one.
    ///
    /// # Errors
    /// [`Error::Table`] for one that the user names and that is not there, and for one that could not be read.
    pub fn part(&self, part: &str) -> Result<Option<&'a Column>> {
        if let Some(name) = self.roles.of(part) {
            return match self.get(name)? {
                Some(column) => Ok(Some(column)),
                None => Err(Error::Table(format!(
                    "expected a column {name}, as --{} says, found {}{}",
                    part.replace('_', "-"),
                    self.all_names(),
                    did_you_mean(name, self.table.columns.iter().map(|c| c.name.as_str()))
                ))),
            };
        }
        // Errors are those of the velocities that were taken, and not of others beside them.
        if let "rv_err" | "rv_err_own" = part
            && let Some(rv) = self.part("rv")?
            && rv.name != "rv"
        {
            let own = format!("{}_err_own", rv.name);
            return Ok(match part {
                "rv_err" => self.first_of(&errors_of(&rv.name)).or(self.known(part)),
                _ => self.first_of(&[own]),
            });
        }
        match self.get(part)? {
            Some(column) => Ok(Some(column)),
            None => Ok(self.known(part)),
        }
    }

    /// The first of these names that the table has, in small letters or large ones.
    fn first_of(&self, names: &[impl AsRef<str>]) -> Option<&'a Column> {
        let columns = &self.table.columns;
        let of = |name: &str| columns.iter().find(|c| c.name.eq_ignore_ascii_case(name));
        names.iter().find_map(|name| of(name.as_ref()))
    }

    /// A column of a well-known name for this part.
    fn known(&self, part: &str) -> Option<&'a Column> {
        self.first_of(&[part]).or(self.first_of(well_known(part)))
    }

    /// The column that plays this part.
    ///
    /// # Errors
    /// [`Error::Table`] where there is none, with what was found and how to name another.
    pub fn needed(&self, part: &str) -> Result<&'a Column> {
        match self.part(part)? {
            Some(column) => Ok(column),
            None => self.need(part),
        }
    }

    /// What columns of other names were taken for, in sentences.
    pub fn told_parts(&self, parts: &[&str]) -> Result<Vec<String>> {
        let mut told = Vec::new();
        for part in parts {
            if let Some(column) = self.part(part)?
                && column.name != *part
            {
                told.push(format!("column {}: taken for {part}", column.name));
            }
        }
        Ok(told)
    }
}
