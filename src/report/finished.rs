//! What the report is made from: the products of a run, as they were made or read back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::catalogue::Products;
use crate::catalogue::exposure::Exposure;
use crate::catalogue::row::{self, ArmVelocity, CatalogueRow};
use crate::catalogue::star::{self, StarRow};
use crate::catalogue::zero_point::{self, ZeroPointRow};
use crate::files::regular;
use crate::table::Table;
use crate::table::formula::unguard;
use crate::{Arm, Error, Result};

/// Endings of tables that can be read, in the order they are tried.
const ENDINGS: [&str; 3] = ["fits", "parquet", "csv"];

/// `catalogue`: a row per star and exposure, and its stars by number.
pub struct Catalogue {
    /// The rows.
    pub rows: Vec<CatalogueRow>,
    /// Star of each row, as a number into [`Catalogue::stars`].
    pub star: Vec<usize>,
    /// Names of the stars, in the order of their first rows.
    pub stars: Vec<Arc<str>>,
}

impl Catalogue {
    /// Numbers the stars of the rows.
    pub fn new(rows: Vec<CatalogueRow>) -> Self {
        let mut numbers: HashMap<Arc<str>, usize> = HashMap::new();
        let mut stars: Vec<Arc<str>> = Vec::new();
        let star = rows.iter().map(|row| {
            let name = &row.exposure.designation;
            *numbers.entry(name.clone()).or_insert_with(|| {
                stars.push(name.clone());
                stars.len() - 1
            })
        });
        let star = star.collect();
        Catalogue { rows, star, stars }
    }

    /// Which exposure a row is of.
    pub fn exposure(&self, row: usize) -> &Exposure {
        &self.rows[row].exposure
    }

    /// What an arm says in a row.
    pub fn arm(&self, arm: Arm, row: usize) -> &ArmVelocity {
        self.rows[row].arm(arm)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Rows of the catalogue, of the stars and of the zero points.
type Tables = (Vec<CatalogueRow>, Vec<StarRow>, Vec<ZeroPointRow>);

/// Everything.
pub struct Finished {
    pub catalogue: Catalogue,
    pub stars: Vec<StarRow>,
    pub zero_points: Vec<ZeroPointRow>,
    /// (star, arm) of the constant stars.
    pub constants: HashSet<(usize, Arm)>,
    /// Rejected inputs by reason: how many, and an example (file, HDU, detail).
    pub rejected: BTreeMap<String, (usize, [String; 3])>,
    /// `run.json`.
    pub record: Value,
    /// Numbers that no star has, taken for missing: velocities beyond that of light, places off the sky.
    pub n_absurd: usize,
}

impl Finished {
    /// Reads the tables of the run in `dir`.
    pub fn read(dir: &Path) -> Result<Self> {
        // The record first: without one there is no finished run, and nothing else is worth a word.
        let record = record(dir)?;
        let (rows, absurd_rows) = read(dir, "catalogue", row::from_table)?;
        let (stars, absurd_stars) = read(dir, "stars", star::from_table)?;
        let (zero_points, absurd_zero_points) = read(dir, "zeropoints", zero_point::from_table)?;
        let n_absurd = absurd_rows + absurd_stars + absurd_zero_points;
        Finished::new(dir, record, (rows, stars, zero_points), n_absurd)
    }

    /// Of tables that are in memory; what else the page tells is read from `dir`.
    pub fn of(dir: &Path, made: Products) -> Result<Self> {
        let tables = (made.catalogue, made.stars, made.zero_points);
        Finished::new(dir, record(dir)?, tables, 0)
    }

    fn new(dir: &Path, record: Value, tables: Tables, n_absurd: usize) -> Result<Self> {
        let (rows, stars, zero_points) = tables;
        let catalogue = Catalogue::new(rows);
        let numbers: HashMap<&str, usize> = (0..)
            .zip(&catalogue.stars)
            .map(|(i, s)| (&**s, i))
            .collect();
        let constants = stars
            .iter()
            .filter(|s| s.found.is_constant == Some(true))
            .filter_map(|s| Some((*numbers.get(&*s.designation)?, s.arm)))
            .collect();
        Ok(Finished {
            constants,
            stars,
            zero_points,
            rejected: rejected(dir)?,
            catalogue,
            record,
            n_absurd,
        })
    }

    /// Rows of the constants of an arm that have a velocity there, by star.
    pub fn constant_rows(&self, arm: Arm) -> BTreeMap<usize, Vec<usize>> {
        let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let c = &self.catalogue;
        for (row, &star) in c.star.iter().enumerate() {
            if self.constants.contains(&(star, arm)) && c.arm(arm, row).rv_km_s.is_finite() {
                rows.entry(star).or_default().push(row);
            }
        }
        rows
    }
}

/// The rows of a product, in whichever format it is there.
fn read<R>(dir: &Path, name: &str, from_table: impl Fn(&Table) -> Result<R>) -> Result<R> {
    let paths = ENDINGS.map(|ending| dir.join(format!("{name}.{ending}")));
    let found = paths.into_iter().find(|path| path.exists());
    let path = found.ok_or_else(|| {
        Error::NoRun(format!(
            "{} holds no {name}.fits, .parquet or .csv: a report needs one of them",
            dir.display()
        ))
    })?;
    from_table(&Table::read(&path)?).map_err(|e| match e {
        Error::Table(message) => Error::format(&path, message),
        other => other,
    })
}

fn record(dir: &Path) -> Result<Value> {
    let path = dir.join("run.json");
    let bytes = regular::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoRun(format!(
            "{} holds no finished run: run.json is missing",
            dir.display()
        )),
        std::io::ErrorKind::NotADirectory => Error::NoRun(format!(
            "{} is a file: expected the directory of a finished run",
            dir.display()
        )),
        _ => Error::io(&path, e),
    })?;
    serde_json::from_slice(&bytes).map_err(|e| Error::format(&path, e.to_string()))
}

fn rejected(dir: &Path) -> Result<BTreeMap<String, (usize, [String; 3])>> {
    let path = dir.join("rejected.csv");
    let bad = |e: csv::Error| Error::format(&path, e.to_string());
    let mut by_reason: BTreeMap<String, (usize, [String; 3])> = BTreeMap::new();
    let mut reader =
        csv::Reader::from_reader(regular::reader(&path).map_err(|e| Error::io(&path, e))?);
    for line in reader.records() {
        let line = line.map_err(bad)?;
        let cell = |i: usize| unguard(line.get(i).unwrap_or_default()).to_owned();
        let new = || (0, [cell(0), cell(1), cell(3)]);
        by_reason.entry(cell(2)).or_insert_with(new).0 += 1;
    }
    Ok(by_reason)
}
