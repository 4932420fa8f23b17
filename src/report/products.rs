//! What the report is made from: the products of a run, read back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::table::formula::unguard;
use crate::table::{ColumnData, Table};
use crate::{Arm, Error, Result};

/// Endings of tables that can be read, in the order they are tried.
const ENDINGS: [&str; 3] = ["fits", "parquet", "csv"];

/// The columns of one arm in the catalogue; NaN where there is no velocity.
pub struct ArmColumns {
    pub snr: Vec<f64>,
    pub rv_km_s: Vec<f64>,
    pub rv_err_km_s: Vec<f64>,
    pub rv_corr_km_s: Vec<f64>,
    pub rv_corr_err_km_s: Vec<f64>,
    pub chi2_red: Vec<f64>,
    pub flags: Vec<i64>,
}

/// `catalogue`: a row per star and exposure.
pub struct Catalogue {
    /// Star of each row, as a number into [`Catalogue::stars`].
    pub star: Vec<usize>,
    /// Names of the stars.
    pub stars: Vec<String>,
    pub ra_deg: Vec<f64>,
    pub dec_deg: Vec<f64>,
    pub planid: Vec<String>,
    pub spid: Vec<i64>,
    pub fiberid: Vec<i64>,
    pub lmjm: Vec<i64>,
    pub hjd: Vec<f64>,
    arms: [ArmColumns; 2],
}

impl Catalogue {
    pub fn arm(&self, arm: Arm) -> &ArmColumns {
        &self.arms[arm as usize]
    }

    pub fn len(&self) -> usize {
        self.star.len()
    }
}

/// A row of `stars`.
pub struct StarRow {
    pub source_id: String,
    pub arm: Arm,
    pub n_used: f64,
    pub scatter_before_km_s: f64,
    pub scatter_after_km_s: f64,
    pub chi2: f64,
    pub dof: f64,
    pub variable: bool,
    pub sb2_candidate: bool,
}

/// A row of `zeropoints`.
pub struct ZeroPoint {
    pub planid: String,
    pub spid: i64,
    pub lmjm: i64,
    pub arm: Arm,
    pub zp_km_s: f64,
    pub zp_err_km_s: f64,
}

/// Everything.
pub struct Products {
    pub catalogue: Catalogue,
    pub stars: Vec<StarRow>,
    pub zero_points: Vec<ZeroPoint>,
    /// (star, arm) of the constant stars.
    pub constants: HashSet<(usize, Arm)>,
    /// Rejected inputs by reason: how many, and an example (file, HDU, detail).
    pub rejected: BTreeMap<String, (usize, [String; 3])>,
    /// `run.json`.
    pub record: Value,
}

impl Products {
    pub fn read(dir: &Path) -> Result<Self> {
        let record = record(dir)?;
        let catalogue = catalogue(&Source::open(dir, "catalogue")?)?;
        let numbers: HashMap<&str, usize> = (0..)
            .zip(&catalogue.stars)
            .map(|(i, s)| (s.as_str(), i))
            .collect();
        let constants = Source::open(dir, "constants")?;
        let constants = constants
            .text("source_id")?
            .iter()
            .zip(constants.arms()?)
            .filter_map(|(name, arm)| Some((*numbers.get(name.as_str())?, arm)))
            .collect();
        let stars = stars(&Source::open(dir, "stars")?)?;
        let zero_points = zero_points(&Source::open(dir, "zeropoints")?)?;
        Ok(Products {
            stars,
            zero_points,
            constants,
            rejected: rejected(dir)?,
            catalogue,
            record,
        })
    }

    /// Rows of the constants of an arm that have a velocity there, by star.
    pub fn constant_rows(&self, arm: Arm) -> BTreeMap<usize, Vec<usize>> {
        let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let columns = self.catalogue.arm(arm);
        for (row, &star) in self.catalogue.star.iter().enumerate() {
            if self.constants.contains(&(star, arm)) && columns.rv_km_s[row].is_finite() {
                rows.entry(star).or_default().push(row);
            }
        }
        rows
    }
}

/// One table and where it came from.
pub(crate) struct Source {
    path: PathBuf,
    table: Table,
}

impl Source {
    pub fn open(dir: &Path, name: &str) -> Result<Self> {
        let paths = ENDINGS.map(|ending| dir.join(format!("{name}.{ending}")));
        let path = paths
            .into_iter()
            .find(|path| path.exists())
            .ok_or_else(|| {
                Error::Config(format!(
                    "{} holds no {name}.fits, .parquet or .csv: a report needs one of them",
                    dir.display()
                ))
            })?;
        Ok(Source {
            table: Table::read(&path)?,
            path,
        })
    }

    fn data(&self, name: &str) -> Result<&ColumnData> {
        let column = self.table.column(name);
        let missing = || Error::format(&self.path, format!("no column {name}"));
        Ok(&column.ok_or_else(missing)?.data)
    }

    fn wrong(&self, name: &str, expected: &str, data: &ColumnData) -> Error {
        let found = data.type_name();
        Error::format(
            &self.path,
            format!("column {name}: expected {expected}, found {found}"),
        )
    }

    pub fn floats(&self, name: &str) -> Result<Vec<f64>> {
        let data = self.data(name)?;
        // A CSV column without any value is text.
        if let ColumnData::Text(values) = data
            && values.iter().all(String::is_empty)
        {
            return Ok(vec![f64::NAN; values.len()]);
        }
        data.to_f64()
            .ok_or_else(|| self.wrong(name, "numbers", data))
    }

    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        Ok(self.floats(name)?.into_iter().map(|x| x as i64).collect())
    }

    pub fn text(&self, name: &str) -> Result<Vec<String>> {
        let data = self.data(name)?;
        Ok((0..data.len()).map(|i| data.text_at(i)).collect())
    }

    pub fn truths(&self, name: &str) -> Result<Vec<bool>> {
        match self.data(name)? {
            ColumnData::Bool(values) => Ok(values.clone()),
            data => Err(self.wrong(name, "truth values", data)),
        }
    }

    pub fn arms(&self) -> Result<Vec<Arm>> {
        let names = self.text("arm")?;
        let arm = |name: &String| {
            let found = Arm::ALL.into_iter().find(|arm| arm.name() == name);
            found.ok_or_else(|| {
                Error::format(
                    &self.path,
                    format!("column arm: expected red or blue, found {name:?}"),
                )
            })
        };
        names.iter().map(arm).collect()
    }
}

fn catalogue(source: &Source) -> Result<Catalogue> {
    let columns = |letter: char| -> Result<ArmColumns> {
        let of = |name: &str| source.floats(&name.replace('x', &letter.to_string()));
        Ok(ArmColumns {
            snr: of("snr_x")?,
            rv_km_s: of("drv_x")?,
            rv_err_km_s: of("drv_x_err")?,
            rv_corr_km_s: of("drv_x_corr")?,
            rv_corr_err_km_s: of("drv_x_corr_err")?,
            chi2_red: of("chi2_x")?,
            flags: of("flags_x")?.into_iter().map(|f| f as i64).collect(),
        })
    };
    let mut numbers = HashMap::new();
    let mut stars = Vec::new();
    let star = source
        .text("source_id")?
        .into_iter()
        .map(|name| {
            *numbers.entry(name).or_insert_with_key(|name| {
                stars.push(name.clone());
                stars.len() - 1
            })
        })
        .collect();
    let [first, second] = Arm::ALL.map(|arm| columns(arm.letter().to_ascii_lowercase()));
    Ok(Catalogue {
        star,
        stars,
        ra_deg: source.floats("ra")?,
        dec_deg: source.floats("dec")?,
        planid: source.text("planid")?,
        spid: source.integers("spid")?,
        fiberid: source.integers("fiberid")?,
        lmjm: source.integers("lmjm")?,
        hjd: source.floats("hjd")?,
        arms: [first?, second?],
    })
}

fn stars(source: &Source) -> Result<Vec<StarRow>> {
    let (names, arms) = (source.text("source_id")?, source.arms()?);
    let (before, after) = (
        source.floats("scatter_before")?,
        source.floats("scatter_after")?,
    );
    let (chi2, dof) = (source.floats("chi2")?, source.floats("dof")?);
    let (n_used, variable) = (source.floats("n_used")?, source.truths("variable")?);
    let sb2_candidate = source.truths("sb2_candidate")?;
    let rows = names.into_iter().enumerate().map(|(i, source_id)| StarRow {
        source_id,
        arm: arms[i],
        n_used: n_used[i],
        scatter_before_km_s: before[i],
        scatter_after_km_s: after[i],
        chi2: chi2[i],
        dof: dof[i],
        variable: variable[i],
        sb2_candidate: sb2_candidate[i],
    });
    Ok(rows.collect())
}

fn zero_points(source: &Source) -> Result<Vec<ZeroPoint>> {
    let (arms, planid, spid) = (
        source.arms()?,
        source.text("planid")?,
        source.integers("spid")?,
    );
    let (lmjm, zp, zp_err) = (
        source.integers("lmjm")?,
        source.floats("zp")?,
        source.floats("zp_err")?,
    );
    let rows = planid.into_iter().enumerate().map(|(i, planid)| ZeroPoint {
        planid,
        spid: spid[i],
        lmjm: lmjm[i],
        arm: arms[i],
        zp_km_s: zp[i],
        zp_err_km_s: zp_err[i],
    });
    Ok(rows.collect())
}

fn record(dir: &Path) -> Result<Value> {
    let path = dir.join("run.json");
    let bytes = std::fs::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::Config(format!(
            "{} holds no finished run: run.json is missing",
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
    let mut reader = csv::Reader::from_path(&path).map_err(bad)?;
    for line in reader.records() {
        let line = line.map_err(bad)?;
        let cell = |i: usize| unguard(line.get(i).unwrap_or_default()).to_owned();
        let new = || (0, [cell(0), cell(1), cell(3)]);
        by_reason.entry(cell(2)).or_insert_with(new).0 += 1;
    }
    Ok(by_reason)
}
