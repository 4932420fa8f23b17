//! What the report is made from: the products of a run, read back.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::regular;
use crate::table::formula::unguard;
use crate::table::{ColumnData, Table};
use crate::{Arm, C_KM_S, Error, Result};

/// Endings of tables that can be read, in the order they are tried.
const ENDINGS: [&str; 3] = ["fits", "parquet", "csv"];

/// Largest ratios and chi^2 that are believed.
const LARGEST: f64 = 1e12;
/// Largest Julian date: far in the future.
const LARGEST_DATE_D: f64 = 1e8;

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
    pub designation: String,
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
    /// Numbers that no star has, taken for missing: velocities beyond that of light, places off the sky.
    pub n_absurd: usize,
}

impl Products {
    pub fn read(dir: &Path) -> Result<Self> {
        let record = record(dir)?;
        let source = Source::open(dir, "catalogue")?;
        let catalogue = catalogue(&source)?;
        let mut n_absurd = source.n_absurd.get();
        let numbers: HashMap<&str, usize> = (0..)
            .zip(&catalogue.stars)
            .map(|(i, s)| (s.as_str(), i))
            .collect();
        let constants = Source::open(dir, "constants")?;
        let constants = constants
            .text("designation")?
            .iter()
            .zip(constants.arms()?)
            .filter_map(|(name, arm)| Some((*numbers.get(name.as_str())?, arm)))
            .collect();
        let source = Source::open(dir, "stars")?;
        let stars = stars(&source)?;
        n_absurd += source.n_absurd.get();
        let source = Source::open(dir, "zeropoints")?;
        let zero_points = zero_points(&source)?;
        n_absurd += source.n_absurd.get();
        Ok(Products {
            stars,
            zero_points,
            constants,
            rejected: rejected(dir)?,
            catalogue,
            record,
            n_absurd,
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
    /// Numbers beyond what [`Source::within`] allows.
    n_absurd: Cell<usize>,
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
            n_absurd: Cell::new(0),
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

    /// Numbers up to `largest` in size; NaN in place of others.
    fn within(&self, name: &str, largest: f64) -> Result<Vec<f64>> {
        let mut values = self.floats(name)?;
        for value in values.iter_mut().filter(|v| v.abs() > largest) {
            self.n_absurd
                .set(self.n_absurd.get() + usize::from(value.is_finite()));
            *value = f64::NAN;
        }
        Ok(values)
    }

    /// Integers, those of absurd size cut so that sums of a few have a place in memory.
    pub fn integers(&self, name: &str) -> Result<Vec<i64>> {
        const LARGEST: f64 = 1e12;
        let values = self.floats(name)?.into_iter();
        Ok(values.map(|x| x.clamp(-LARGEST, LARGEST) as i64).collect())
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
        let name_of = |name: &str| name.replace('x', &letter.to_string());
        let of = |name: &str| source.within(&name_of(name), C_KM_S);
        Ok(ArmColumns {
            snr: source.within(&name_of("snr_x"), LARGEST)?,
            rv_km_s: of("drv_x")?,
            rv_err_km_s: of("drv_x_err")?,
            rv_corr_km_s: of("drv_x_corr")?,
            rv_corr_err_km_s: of("drv_x_corr_err")?,
            chi2_red: source.within(&name_of("chi2_x"), LARGEST)?,
            flags: source.integers(&name_of("flags_x"))?,
        })
    };
    let mut numbers = HashMap::new();
    let mut stars = Vec::new();
    let star = source
        .text("designation")?
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
        ra_deg: source.within("ra", 360.0)?,
        dec_deg: source.within("dec", 90.0)?,
        planid: source.text("planid")?,
        spid: source.integers("spid")?,
        fiberid: source.integers("fiberid")?,
        lmjm: source.integers("lmjm")?,
        hjd: source.within("hjd", LARGEST_DATE_D)?,
        arms: [first?, second?],
    })
}

fn stars(source: &Source) -> Result<Vec<StarRow>> {
    let (names, arms) = (source.text("designation")?, source.arms()?);
    let (before, after) = (
        source.within("scatter_before", C_KM_S)?,
        source.within("scatter_after", C_KM_S)?,
    );
    let (chi2, dof) = (
        source.within("chi2", LARGEST)?,
        source.within("dof", LARGEST)?,
    );
    let (n_used, variable) = (source.floats("n_used")?, source.truths("variable")?);
    let sb2_candidate = source.truths("sb2_candidate")?;
    let rows = names
        .into_iter()
        .enumerate()
        .map(|(i, designation)| StarRow {
            designation,
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
        source.within("zp", C_KM_S)?,
        source.within("zp_err", C_KM_S)?,
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
    let bytes = regular::read(&path).map_err(|e| match e.kind() {
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
