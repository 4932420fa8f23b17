//! The directory of a run: whose it is, what of an older run is used again, what is removed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::config::{PLACES, ProductFormat, RunConfig, differences};
use super::start::{Start, decide};
use super::{fingerprint, unit_file};
use crate::files::page_files::{self, REPORT_DIR};
use crate::files::whole::{self, Prepared};
use crate::files::workplace::{self, Note, Noted, Which, Workplace};
use crate::lamost::raw::Rejection;
use crate::{Error, Result};

/// Tables of a run, without their endings.
pub const PRODUCTS: [&str; 5] = [
    "catalogue",
    "stars",
    "constants",
    "zeropoints",
    "components",
];
/// The list of inputs that were not used.
const REJECTED: &str = "rejected.csv";
/// The record of the run. It is written last, so where it is all other products are whole.
const RECORD: &str = "run.json";
/// Folders of the units within the state, and of what was measured of units that are not whole.
const UNITS: &str = "units";
const BEGUN: &str = "begun";
const COMMAND: &str = "run";

/// A directory that this run alone writes to, as long as the value lives.
///
/// What it holds of an older run stays until [`RunDir::replace`].
#[derive(Debug)]
pub struct RunDir {
    place: Workplace,
    settings: Map<String, Value>,
    attempt: String,
    noted: Which,
    /// What an earlier start of the run noted; `None` if it begins now.
    before: Option<Note>,
    /// Tables that the directory may hold.
    older: Vec<String>,
}

impl RunDir {
    /// Takes the directory for a run of these settings, making it if missing. Products stay as they are.
    ///
    /// # Errors
    /// [`Error::Occupied`] if another run works in it, if it belongs to another command, or if it holds a run of other settings or
    /// files of a run's names and `overwrite` is not set; [`Error::InTheWay`] for what is in the place of the program's own files
    /// and is not; [`Error::Io`] if it cannot be written.
    pub fn open(config: &RunConfig, identity: &Map<String, Value>) -> Result<Self> {
        let dir = &config.out;
        // What can be refused is refused before anything is made, and decided again when nobody else can change it.
        refuse_strangers(config)?;
        start(config, identity)?;
        let place = Workplace::open(dir, COMMAND, &[UNITS, BEGUN])?;
        let (attempt, noted, before) = start(config, identity)?;
        let report = dir.join(REPORT_DIR);
        if fs::symlink_metadata(&report).is_ok_and(|meta| meta.is_dir()) {
            whole::remove_parts(&report)?;
        }
        Ok(RunDir {
            older: older_tables(dir)?,
            place,
            settings: identity.clone(),
            attempt,
            noted,
            before,
        })
    }

    /// Name of this start from the beginning.
    pub fn attempt(&self) -> &str {
        &self.attempt
    }

    /// Which of the settings that the rows do not depend on differ from those of an earlier start, one line each.
    pub fn changes(&self) -> Vec<String> {
        let before = self.before.as_ref();
        let mut lines =
            before.map_or_else(Vec::new, |note| differences(&note.settings, &self.settings));
        lines.retain(|line| !line.starts_with(PLACES));
        lines
    }

    /// What an earlier start of this run noted.
    pub fn before(&self) -> Option<&Note> {
        self.before.as_ref()
    }

    /// Where units are kept.
    pub fn units(&self) -> PathBuf {
        self.place.state().join(UNITS)
    }

    /// Where the measured stars of units are kept that are not whole.
    pub fn begun(&self) -> PathBuf {
        self.place.state().join(BEGUN)
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        self.place.dir()
    }

    /// Path of a product.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.dir().join(name)
    }

    /// Where inputs that were not used are listed.
    pub fn rejected_path(&self) -> PathBuf {
        self.path(REJECTED)
    }

    /// Path of the record of the run, `run.json`.
    pub fn record_path(&self) -> PathBuf {
        self.path(RECORD)
    }

    /// Hash of what a unit's rows depend on beside its files: the settings, and the attempt (a run that was told to start anew does not
    /// use what was measured before).
    pub fn settings_hash(&self) -> String {
        fingerprint::of_settings(&self.settings, &self.attempt)
    }

    /// Whether the directory holds a finished run, or one that this run is to take the place of.
    pub fn holds_another(&self) -> bool {
        self.is_finished() || self.noted == Which::Next
    }

    fn is_finished(&self) -> bool {
        self.record_path().exists()
    }

    /// Refuses to go on where inputs cannot be found that were there when what is kept was measured, as with a directory that is
    /// not mounted.
    ///
    /// # Errors
    /// [`Error::Gone`] naming the first of them.
    pub fn refuse_vanished(&self, missing: &[Rejection], used: &HashSet<PathBuf>) -> Result<()> {
        let before = self.before.as_ref().map_or(&[][..], |note| &note.missing);
        let is_new = |r: &&Rejection| !before.contains(&r.path.display().to_string());
        let Some(gone) = missing.iter().find(is_new) else {
            return Ok(());
        };
        let kept = unit_file::of_settings(&self.units(), &self.settings_hash())?;
        if !self.is_finished() && kept.is_subset(used) {
            return Ok(());
        }
        Err(Error::Gone(format!(
            "{}: {}\n{} holds what was measured before, and nothing of it was changed: bring the input back, choose another directory, or go on without it by --overwrite",
            gone.path.display(),
            gone.detail,
            self.place.dir().display()
        )))
    }

    /// Writes the note of the run, unless this start only goes on with an earlier one and nothing has changed. Inputs that were missing
    /// then and are there now are taken out of the note.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin(&self, missing: &[Rejection]) -> Result<()> {
        let note = self.note(missing);
        let is_noted = |before: &Note| {
            before.missing.iter().all(|p| note.missing.contains(p))
                && (&before.settings, &before.tables) == (&note.settings, &note.tables)
        };
        match self.before.as_ref().is_some_and(is_noted) {
            true => Ok(()),
            false => self.place.write_note(self.noted, &note),
        }
    }

    fn note(&self, missing: &[Rejection]) -> Note {
        Note {
            tables: self.older.clone(),
            command: COMMAND.to_owned(),
            settings: self.settings.clone(),
            attempt: self.attempt.clone(),
            missing: missing
                .iter()
                .map(|r| r.path.display().to_string())
                .collect(),
        }
    }

    /// Puts products in the place of those that are there, with the record last: where it is, everything is. Tables of an older
    /// run in other formats go.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn replace(
        &self,
        products: Vec<(String, Prepared)>,
        record: Prepared,
        missing: &[Rejection],
    ) -> Result<()> {
        // From here on products are replaced: the old record and page would no longer be true, so they go first.
        workplace::remove(&self.record_path())?;
        page_files::remove(self.place.dir())?;
        whole::moment();
        let names: HashSet<&String> = products.iter().map(|(name, _)| name).collect();
        for name in self.older.iter().filter(|name| !names.contains(name)) {
            workplace::remove(&self.path(name))?;
        }
        match self.noted {
            Which::Next => self.place.promote()?,
            Which::Config => {}
        }
        // Noted before the first of them has its name: nothing else may be taken for a table of the run later.
        let note = Note {
            tables: tables_among(|name| names.contains(name)),
            ..self.note(missing)
        };
        if workplace::read_note(self.place.dir(), Which::Config)? != Noted::Note(note.clone()) {
            self.place.write_note(Which::Config, &note)?;
        }
        for (_, product) in products {
            product.persist()?;
        }
        record.persist()
    }

    /// Removes units of an older start; other files stay. Only after [`RunDir::replace`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn forget_older(&self, keep: &HashSet<PathBuf>) -> Result<()> {
        let older = unit_file::all(&self.units())?.into_iter();
        let begun = unit_file::all(&self.begun())?;
        for path in older.filter(|path| !keep.contains(path)).chain(begun) {
            workplace::remove(&path)?;
        }
        self.place.forget_next()
    }
}

/// Refuses a directory of another command, and things that a run would have to replace and does not.
///
/// # Errors
/// [`Error::Occupied`], [`Error::InTheWay`], [`Error::Io`].
pub fn refuse_strangers(config: &RunConfig) -> Result<()> {
    workplace::refuse_others(&config.out, COMMAND)?;
    if config.has_page() {
        page_files::refuse_foreign(&config.out)?;
    }
    workplace::refuse_folders(all_paths(&config.out))
}

/// Which attempt it is, where it is noted, and what an earlier start of it noted.
type Begun = (String, Which, Option<Note>);

/// What a run would do in its directory as it is now.
///
/// # Errors
/// [`Error::Occupied`] where it would be refused.
pub fn start(config: &RunConfig, identity: &Map<String, Value>) -> Result<Begun> {
    let dir = &config.out;
    match look(config, identity)? {
        Start::Refused(lines) => Err(Error::Occupied(format!(
            "{} holds a run of other settings:\n  {}\nchoose another directory, or start anew with --overwrite",
            dir.display(),
            lines.join("\n  ")
        ))),
        Start::With {
            attempt,
            noted,
            before,
        } => {
            let knows_nothing = before.is_none() && noted == Which::Config;
            let asked: Vec<PathBuf> = match (knows_nothing, noted) {
                (true, _) => all_paths(dir),
                (false, Which::Next) => Vec::new(),
                // Tables that are asked for now, and that no run has written here.
                (false, Which::Config) => {
                    let written = older_tables(dir)?;
                    let asked = table_names(&config.formats).into_iter();
                    asked
                        .filter(|name| !written.contains(name))
                        .map(|name| dir.join(name))
                        .collect()
                }
            };
            match asked.into_iter().find(|path| path.exists()) {
                Some(path) if !config.overwrite => Err(Error::Occupied(format!(
                    "{} is there already, and nothing tells that this run wrote it: choose another directory, or replace it with --overwrite",
                    path.display()
                ))),
                _ => Ok((attempt, noted, before)),
            }
        }
    }
}

/// The same, with other settings as a case.
///
/// # Errors
/// [`Error::InTheWay`], [`Error::Io`].
pub fn look(config: &RunConfig, identity: &Map<String, Value>) -> Result<Start> {
    let dir = &config.out;
    let noted = |which| workplace::read_note(dir, which);
    let is_empty = !all_paths(dir).iter().any(|path| path.exists());
    Ok(decide(
        &noted(Which::Config)?,
        &noted(Which::Next)?,
        identity,
        config.overwrite,
        dir.join(RECORD).exists(),
        is_empty,
    ))
}

/// Whether a run that was told to start anew is noted under this name, and has not taken the place of the old one.
///
/// # Errors
/// [`Error::InTheWay`], [`Error::Io`].
pub fn is_next(dir: &Path, attempt: &str) -> Result<bool> {
    let next = workplace::read_note(dir, Which::Next)?;
    Ok(matches!(next, Noted::Note(note) if note.attempt == attempt))
}

/// Folder of the units of a run in `dir`.
pub fn units_of(dir: &Path) -> PathBuf {
    dir.join(workplace::STATE_DIR).join(UNITS)
}

/// Folder of the measured stars of units that are not whole, of a run in `dir`.
pub fn begun_of(dir: &Path) -> PathBuf {
    dir.join(workplace::STATE_DIR).join(BEGUN)
}

fn table_names(formats: &[ProductFormat]) -> Vec<String> {
    let names = |table: &str| -> Vec<String> {
        let formats = formats.iter();
        formats.map(|f| format!("{table}.{}", f.ending())).collect()
    };
    PRODUCTS.into_iter().flat_map(names).collect()
}

/// Every file beside the report that a run may write under a final name.
fn all_paths(dir: &Path) -> Vec<PathBuf> {
    let tables = table_names(&ProductFormat::ALL);
    let others = [REJECTED, RECORD].map(str::to_owned);
    let all = tables.into_iter().chain(others);
    all.map(|name| dir.join(name)).collect()
}

/// Every file that a run in `dir` may write under a final name.
pub fn outputs(dir: &Path) -> Vec<PathBuf> {
    let mut all = all_paths(dir);
    all.extend(page_files::paths(dir));
    all
}

/// Those names of tables, in whatever format.
fn tables_among(is_wanted: impl Fn(&String) -> bool) -> Vec<String> {
    let all = table_names(&ProductFormat::ALL).into_iter();
    all.filter(is_wanted).collect()
}

/// Names of the tables that a run has written into a directory, by its note or its record. Other files with names of a run's tables
/// are not the program's, and are left alone.
fn older_tables(dir: &Path) -> Result<Vec<String>> {
    let record = workplace::read_regular(&dir.join(RECORD)).unwrap_or_default();
    let record: Value = serde_json::from_slice(&record).unwrap_or_default();
    let mut named = texts(record.get("products"));
    if let Noted::Note(note) = workplace::read_note(dir, Which::Config)? {
        named.extend(note.tables);
    }
    Ok(tables_among(|name| named.contains(name)))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|v| v.as_str().map(str::to_owned)).collect()
}
