//! A unit's result on disk: `NAME.parquet` with its rows, and `NAME.json` with everything else, written last.
//!
//! The record tells whose the rows are and what they depend on, their length and CRC-32, and ends in its own CRC-32, so that
//! a torn or damaged pair, and one of another unit, of other settings or of other files, is found out and the unit is
//! measured again. The names differ where any of this does: an older result stays until it is no longer needed.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::cost::Cost;
use super::fingerprint;
use super::rejected::Rejected;
use super::sealed::{self, Seal};
use crate::catalogue::measured as measured_table;
use crate::files::regular;
use crate::files::workplace::read_regular;
use crate::lamost::raw::{RejectReason, Rejection};
use crate::measure::{MeasuredUnit, Plan, RvRow, Unit};
use crate::table::Table;
use crate::{Error, Result};

/// What a unit's files hold beside its rows.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UnitHeader {
    /// Plate.
    pub planid: String,
    /// Spectrograph.
    pub spid: i32,
    /// Hash of the settings that it was measured with.
    pub settings: String,
    /// Hash of its stars and files.
    pub fingerprint: String,
    /// Files of the unit.
    pub n_files: usize,
    /// Stars of the unit.
    pub n_stars: usize,
    /// Exposures of single arms found in its files.
    pub n_spectra: usize,
    /// Rows.
    pub n_rows: usize,
    /// Stars that have a row.
    pub n_stars_measured: usize,
    /// A file could not be read, or changed between header and reading. The run that measured the unit uses it; later ones measure it
    /// again.
    pub try_again: bool,
    /// What was not measured.
    rejected: Vec<Rejected>,
    /// Where its files lay, star by star. They may lie elsewhere now.
    files: Vec<String>,
    /// Files whose gzip stream is damaged, with the times of their last change, nanoseconds after 1970: nothing else tells when such a
    /// file has been replaced by a sound one.
    damaged: Vec<(String, u64)>,
    /// What measuring it took.
    #[serde(default)]
    pub cost: Cost,
    #[serde(flatten)]
    rows_are: Seal,
}

impl UnitHeader {
    /// Takes out what was not measured.
    pub fn take_rejections(
        &mut self,
        plan: &Plan,
        unit: &Unit,
    ) -> impl Iterator<Item = Rejection> + use<> {
        let rejected = std::mem::take(&mut self.rejected);
        let moved = self.moved(plan, unit);
        let moved: HashMap<String, String> = moved
            .into_iter()
            .map(|(before, now)| (before.to_owned(), now))
            .collect();
        rejected.into_iter().map(move |mut rejected| {
            if let Some(now) = moved.get(&rejected.0) {
                rejected.0.clone_from(now);
            }
            rejected.into()
        })
    }
}

impl UnitHeader {
    /// Why the unit is to be measured again, where that is so: the first file that could not be read.
    pub fn why_again(&mut self, plan: &Plan, unit: &Unit) -> Option<String> {
        if !self.try_again {
            return None;
        }
        let mut rejected = self.take_rejections(plan, unit);
        let first = rejected.find(|r| r.reason == RejectReason::Unreadable)?;
        let more = rejected.filter(|r| r.reason == RejectReason::Unreadable);
        let more = match more.count() {
            0 => String::new(),
            n => format!(", and {n} more"),
        };
        Some(format!("{}: {}{more}", first.path.display(), first.detail))
    }

    /// Files that lie elsewhere than when the unit was measured: where they lay, and where they lie.
    fn moved(&self, plan: &Plan, unit: &Unit) -> HashMap<&str, String> {
        let both = self.files.iter().zip(places(plan, unit));
        both.filter(|(before, now)| *before != now)
            .map(|(before, now)| (before.as_str(), now))
            .collect()
    }
}

/// Where the files of a unit lie, star by star.
fn places(plan: &Plan, unit: &Unit) -> impl Iterator<Item = String> {
    let members = unit.stars.iter().flat_map(|(_, star)| &star.members);
    members.map(|member| plan.paths[*member].display().to_string())
}

/// Files whose gzip stream is damaged, and the times of their last change.
fn damaged(rejected: &[Rejection]) -> Vec<(String, u64)> {
    let files = rejected
        .iter()
        .filter(|r| r.reason == RejectReason::BadGzip);
    let place = |r: &Rejection| {
        // From whatever folder it is looked at later.
        let path = std::path::absolute(&r.path).unwrap_or_else(|_| r.path.clone());
        (path.display().to_string(), time_of(&path))
    };
    files.map(place).collect()
}

/// Time of a file's last change, nanoseconds after 1970; 0 where there is none.
fn time_of(path: &Path) -> u64 {
    let time = fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let since_1970 = time.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    since_1970.map_or(0, |t| u64::try_from(t.as_nanos()).unwrap_or(0))
}

/// The files of a unit that was measured with certain settings, of certain files.
#[derive(Clone, Debug)]
pub struct UnitFile {
    rows: PathBuf,
    header: PathBuf,
    planid: String,
    spid: i32,
    settings: String,
    fingerprint: String,
}

/// Most letters of a plate that are in the name of a file.
const MAX_LETTERS: usize = 60;

/// What the names of a unit's files begin with, whatever it was measured with. Readable, and of one unit only.
fn stem((planid, spid): (&str, i32)) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let plate: String = planid
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(MAX_LETTERS)
        .collect();
    let exact = fingerprint::of_texts(&[planid, &spid.to_string()]);
    format!("{plate}_sp{spid:02}-{exact}-")
}

impl UnitFile {
    /// The files of a unit in a directory; their names hold the hashes of the settings and of its input files.
    pub fn new(dir: &Path, unit: &Unit, settings: &str, fingerprint: &str) -> Self {
        Self::of(dir, (&unit.planid, unit.spid), settings, fingerprint)
    }

    /// The same by plate and spectrograph.
    pub fn of(dir: &Path, unit: (&str, i32), settings: &str, fingerprint: &str) -> Self {
        let of = fingerprint::of_texts(&[settings, fingerprint]);
        let name = format!("{}{of}", stem(unit));
        UnitFile {
            rows: dir.join(format!("{name}.parquet")),
            header: dir.join(format!("{name}.json")),
            planid: unit.0.to_owned(),
            spid: unit.1,
            settings: settings.to_owned(),
            fingerprint: fingerprint.to_owned(),
        }
    }

    /// A name that no other unit, and no other settings or files of this one, have.
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.rows.file_stem().unwrap_or_default().to_string_lossy()
    }

    /// Paths of both files.
    pub fn paths(&self) -> [&Path; 2] {
        [&self.rows, &self.header]
    }

    /// Writes a unit: the rows, then the record that makes them count.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(
        &self,
        plan: &Plan,
        unit: &Unit,
        measured: &MeasuredUnit,
        cost: Cost,
    ) -> Result<()> {
        measured_table::to_table(&measured.rows).write(&self.rows)?;
        let bytes = regular::read(&self.rows).map_err(|e| Error::io(&self.rows, e))?;
        let unreadable = |r: &Rejection| r.reason == RejectReason::Unreadable;
        let header = UnitHeader {
            planid: self.planid.clone(),
            spid: self.spid,
            settings: self.settings.clone(),
            fingerprint: self.fingerprint.clone(),
            n_files: unit.n_files(),
            n_stars: unit.stars.len(),
            n_spectra: measured.n_spectra,
            n_rows: measured.rows.len(),
            n_stars_measured: n_stars(&measured.rows),
            try_again: measured.rejected.iter().any(unreadable),
            rejected: measured.rejected.iter().map(Rejected::from).collect(),
            files: places(plan, unit).collect(),
            damaged: damaged(&measured.rejected),
            cost,
            rows_are: Seal::of(&bytes),
        };
        sealed::write(&self.header, &header)
    }

    /// The record, if it is whole and of this unit, these settings and these files; `None` where the unit is to be measured
    /// (again).
    pub fn header(&self) -> Option<UnitHeader> {
        let header: UnitHeader = sealed::read(&self.header)?;
        let is_this = header.planid == self.planid
            && header.spid == self.spid
            && header.settings == self.settings
            && header.fingerprint == self.fingerprint;
        is_this.then_some(header)
    }

    /// The record of a unit that need not be measured again: rows whole, and every file was read.
    pub fn usable(&self) -> Option<UnitHeader> {
        let header = self.header()?;
        let bytes = read_regular(&self.rows)?;
        let is_as_it_was = |(path, time_ns): &(String, u64)| time_of(Path::new(path)) == *time_ns;
        let is_same = !header.try_again && header.damaged.iter().all(is_as_it_was);
        (header.are_rows(&bytes) && is_same).then_some(header)
    }

    /// The rows, held against the record and the unit.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] for rows that are not those that were written.
    pub fn rows(&self, header: &UnitHeader, plan: &Plan, unit: &Unit) -> Result<Vec<RvRow>> {
        let wrong = |what: String| Error::format(&self.rows, what);
        let bytes = fs::read(&self.rows).map_err(|e| Error::io(&self.rows, e))?;
        if !header.are_rows(&bytes) {
            let what = "expected the rows that were written, found other bytes";
            let advice = "the same command measures this unit again";
            return Err(wrong(format!("{what}; {advice}")));
        }
        let advice = "remove this file, or start anew with --overwrite";
        let table = Table::read(&self.rows)?;
        let mut rows = measured_table::from_table(&table)
            .map_err(|e| Error::format(&self.rows, e.to_string()))?;
        let moved = header.moved(plan, unit).into_iter();
        // One path for all rows of a file: there are millions of them.
        let moved: HashMap<&str, Arc<PathBuf>> = moved
            .map(|(before, now)| (before, Arc::new(now.into())))
            .collect();
        for row in &mut rows {
            if let Some(now) = row.path.to_str().and_then(|before| moved.get(before)) {
                row.path = now.clone();
            }
        }
        let found = (rows.len(), n_stars(&rows));
        let expected = (header.n_rows, header.n_stars_measured);
        if found != expected {
            return Err(wrong(format!(
                "expected {} rows of {} stars, found {} of {}; {advice}",
                expected.0, expected.1, found.0, found.1
            )));
        }
        let stars: HashSet<&str> = unit.stars.iter().map(|(_, s)| &*s.designation).collect();
        match rows.iter().find(|row| !stars.contains(&*row.designation)) {
            Some(row) => Err(wrong(format!(
                "expected stars of plate {:?}, spectrograph {}, found {}; {advice}",
                self.planid, self.spid, row.designation
            ))),
            None => Ok(rows),
        }
    }
}

impl UnitHeader {
    fn are_rows(&self, bytes: &[u8]) -> bool {
        Seal::of(bytes) == self.rows_are
    }
}

fn n_stars(rows: &[RvRow]) -> usize {
    let stars: HashSet<&str> = rows.iter().map(|row| &*row.designation).collect();
    stars.len()
}

/// Paths of all units' files in a directory, of whatever start. Known by the very form of their names; anything else that lies
/// there is somebody's.
///
/// # Errors
/// [`Error::Io`]; a directory that is not there has none.
pub fn all(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| Error::io(dir, e))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(dir, e))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && is_units_name(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// `PLATE_spNN-HASH-HASH.json` or `.parquet`.
fn is_units_name(name: &str) -> bool {
    let stem = name
        .strip_suffix(".json")
        .or_else(|| name.strip_suffix(".parquet"));
    let is_hash = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut parts = stem.unwrap_or_default().rsplitn(3, '-');
    let hashes = [parts.next(), parts.next()];
    hashes.into_iter().all(|part| part.is_some_and(is_hash))
        && parts.next().is_some_and(|head| head.contains("_sp"))
}

/// Paths of the files of all units in a directory that were measured with these settings.
///
/// # Errors
/// As [`all`].
pub fn of_settings(dir: &Path, settings: &str) -> Result<HashSet<PathBuf>> {
    let is_of = |header: UnitHeader| header.settings == settings;
    let headers = all(dir)?
        .into_iter()
        .filter(|path| sealed::read(path).is_some_and(is_of));
    Ok(headers
        .flat_map(|header| [header.with_extension("parquet"), header])
        .collect())
}

/// For each of these units, whether the directory holds a record of it, usable or not.
///
/// # Errors
/// As [`all`].
pub fn known(dir: &Path, units: &[Unit]) -> Result<Vec<bool>> {
    let hash_length = 32 + ".json".len();
    let stems: HashSet<String> = all(dir)?
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .filter(|name| name.ends_with(".json"))
        .map(|name| name[..name.len() - hash_length].to_owned())
        .collect();
    Ok(units
        .iter()
        .map(|unit| stems.contains(&stem((&unit.planid, unit.spid))))
        .collect())
}

#[cfg(test)]
pub(in crate::run) mod tests;
