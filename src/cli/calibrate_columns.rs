//! `relrv calibrate`: which columns of a table are meant, in which unit, and which stars are known to be constant.

use super::headings::COLUMNS;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::files::regular;
use crate::table::Table;
use crate::text::encoding::to_utf8;
use crate::velocity_table::{KnownConstants, Roles};
use crate::{Error, Result};

/// Columns, unit and known constants of a table.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ColumnArgs {
    /// Column of the stars' names
    #[arg(long, value_name = "COLUMN", help_heading = COLUMNS)]
    pub star: Option<String>,
    /// Column that tells which exposure it is, the same for all stars of an exposure
    #[arg(long, value_name = "COLUMN", help_heading = COLUMNS)]
    pub exposure: Option<String>,
    /// Column of the velocities; their errors are then looked for under names like RV_err and e_RV
    #[arg(long, value_name = "COLUMN", help_heading = COLUMNS)]
    pub rv: Option<String>,
    /// Column of their errors
    #[arg(long, value_name = "COLUMN", help_heading = COLUMNS)]
    pub rv_err: Option<String>,
    /// Column of their errors within the star's series; the weights go by it
    #[arg(long, value_name = "COLUMN", help_heading = COLUMNS, hide_short_help = true)]
    pub rv_err_own: Option<String>,
    /// Column of the groups (instruments, fields): an exposure of two groups has two zero points
    #[arg(long, value_name = "COLUMN", help_heading = COLUMNS, hide_short_help = true)]
    pub group: Option<String>,
    /// Column of the arms (channels), which are calibrated one by one
    #[arg(long = "arm-column", value_name = "COLUMN", help_heading = COLUMNS, hide_short_help = true)]
    pub arm: Option<String>,
    /// Column of the place along the slit
    #[arg(long, value_name = "COLUMN", help_heading = COLUMNS, hide_short_help = true)]
    pub position: Option<String>,
    /// Unit of the velocities where the table tells none, such as m/s; where it tells another they are converted
    #[arg(long, value_name = "UNIT", help_heading = COLUMNS)]
    pub unit: Option<String>,
    /// Stars that are known to be constant, on which alone zero points then rest: a list with a name a line, or a table with a column star
    #[arg(long, value_name = "FILE", help_heading = COLUMNS)]
    pub constants: Option<PathBuf>,
}

impl ColumnArgs {
    fn given<'a>(&'a self) -> impl Iterator<Item = (&'static str, &'a String)> {
        let all = [
            ("star", &self.star),
            ("exposure", &self.exposure),
            ("rv", &self.rv),
            ("rv_err", &self.rv_err),
            ("rv_err_own", &self.rv_err_own),
            ("group", &self.group),
            ("arm", &self.arm),
            ("position", &self.position),
        ];
        let given = |(part, name): (&'static str, &'a Option<String>)| Some((part, name.as_ref()?));
        all.into_iter().filter_map(given)
    }

    /// Whether any is given.
    pub fn is_any(&self) -> bool {
        self.given().next().is_some() || self.unit.is_some() || self.constants.is_some()
    }

    /// The parts of the columns.
    pub fn roles(&self) -> Roles {
        let named = self.given().map(|(part, name)| (part, name.clone()));
        Roles {
            named: named.collect(),
            unit: self.unit.clone(),
        }
    }

    /// Those of them that are given, by the names under which a directory notes them.
    pub fn settings(&self) -> Map<String, Value> {
        let mut all = Map::new();
        for (part, name) in self.given() {
            all.insert(format!("column of {part}"), name.clone().into());
        }
        if let Some(unit) = &self.unit {
            all.insert("unit".to_owned(), unit.clone().into());
        }
        if let Some(file) = &self.constants {
            let place = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            all.insert("constants".to_owned(), place.display().to_string().into());
        }
        all
    }

    /// The stars that are known to be constant.
    ///
    /// # Errors
    /// Files that cannot be read, tables without a column of stars.
    pub fn known_constants(&self) -> Result<Option<KnownConstants>> {
        self.constants.as_deref().map(known).transpose()
    }
}

fn known(file: &Path) -> Result<KnownConstants> {
    if Table::is_table(file) {
        return KnownConstants::of_table(file, &Table::read(file)?);
    }
    let bytes = regular::read(file).map_err(|e| Error::io(file, e))?;
    let bytes = to_utf8(bytes).map_err(|e| Error::format(file, e))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::format(
            file,
            "expected a list of stars, a name a line, found no text",
        )
    })?;
    Ok(KnownConstants::of_list(file, &text))
}
