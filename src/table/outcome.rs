//! What reading a table gives, whatever its format.

use std::collections::HashMap;

use super::{Table, free_name};

/// A column of a file that has no place in a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Name of the column.
    pub column: String,
    /// What was expected and what was found.
    pub reason: String,
}

/// A table as it was read, with the columns that could not be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadTable {
    /// The table.
    pub table: Table,
    /// Columns that are not in it: vectors, complex numbers, nested ones.
    pub skipped: Vec<Skipped>,
    /// Columns that have another name in it, and what else the user should know, in sentences.
    pub notes: Vec<String>,
}

impl ReadTable {
    pub(super) fn new(table: Table, skipped: Vec<Skipped>) -> Self {
        ReadTable {
            table,
            skipped,
            notes: Vec::new(),
        }
    }

    /// Names that differ in letter case alone (magnitudes `B` and `b`) are one in FITS: the later column gets another.
    /// Two columns of exactly the same name are left for [`Table::check`] to refuse, because it is not known which of them is meant.
    pub(super) fn part_names(&mut self) {
        let mut seen: HashMap<String, String> = HashMap::new();
        for i in 0..self.table.columns.len() {
            let name = self.table.columns[i].name.clone();
            let lower = name.to_ascii_lowercase();
            match seen.get(&lower) {
                Some(first) if *first != name => {
                    let new = free_name(&format!("{name}_2"), |new| {
                        let mut names = self.table.columns.iter().map(|c| &c.name);
                        names.any(|n| n.eq_ignore_ascii_case(new))
                    });
                    self.notes.push(format!(
                        "column {name}: kept as {new}, because it differs from {first} in letter case alone"
                    ));
                    self.table.columns[i].name = new;
                }
                Some(_) => {}
                None => {
                    seen.insert(lower, name);
                }
            }
        }
    }
}
