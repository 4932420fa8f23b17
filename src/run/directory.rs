//! The directory of a run: whose it is, what of an older run counts, what goes.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::config::{ProductFormat, differences};
use crate::{Error, Result, whole};

/// Tables of a run, without their endings.
pub const PRODUCTS: [&str; 4] = ["catalogue", "stars", "constants", "zeropoints"];
/// What is written beside the tables.
const OTHERS: [&str; 2] = ["rejected.csv", "run.json"];
/// Where a run keeps what it needs to go on.
pub const STATE_DIR: &str = ".relrv";

/// A directory that this run alone writes to, as long as the value lives.
#[derive(Debug)]
pub struct RunDir {
    dir: PathBuf,
    _lock: File,
}

impl RunDir {
    /// Takes the directory for a run of these settings, making it if missing.
    ///
    /// # Errors
    /// [`Error::Config`] if another run works in it, or if it holds a run of other settings and `overwrite` is not set;
    /// [`Error::Io`] if it cannot be written.
    pub fn open(dir: &Path, identity: &Map<String, Value>, overwrite: bool) -> Result<Self> {
        let state = dir.join(STATE_DIR);
        let config = state.join("config.json");
        if !overwrite && !config.exists() {
            refuse_strangers(dir)?;
        }
        let units = state.join("units");
        fs::create_dir_all(&units).map_err(|e| at_fault(dir, &units, e))?;
        let lock = state.join("lock");
        let file = File::create(&lock).map_err(|e| Error::io(&lock, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Config(format!(
                    "another relrv run works in {}",
                    dir.display()
                )));
            }
            // Some network file systems know no locks; then the user has to see to it.
            Err(TryLockError::Error(_)) => {}
        }
        let out = RunDir {
            dir: dir.to_owned(),
            _lock: file,
        };
        for dir in [dir, &state, &units] {
            whole::remove_parts(dir)?;
        }
        if overwrite {
            out.clear()?;
        } else if let Some(lines) = older(&config, identity)? {
            return Err(Error::Config(format!(
                "{} holds a run of other settings:\n  {}\nchoose another directory, or start anew with --overwrite",
                dir.display(),
                lines.join("\n  ")
            )));
        }
        let text = Value::Object(identity.clone()).to_string();
        whole::write_bytes(&config, text.as_bytes())?;
        Ok(out)
    }

    /// Where units are kept.
    pub fn units(&self) -> PathBuf {
        self.dir.join(STATE_DIR).join("units")
    }

    /// Path of a product.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// From here on the products change: `run.json` vouches for them no more.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open_products(&self) -> Result<()> {
        remove(&self.path("run.json"))
    }

    /// Removes all units' files but these.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep_units(&self, keep: &std::collections::HashSet<PathBuf>) -> Result<()> {
        let units = self.units();
        for entry in fs::read_dir(&units).map_err(|e| Error::io(&units, e))? {
            let path = entry.map_err(|e| Error::io(&units, e))?.path();
            if !keep.contains(&path) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Removes everything that a run writes, `run.json` first; nothing else.
    fn clear(&self) -> Result<()> {
        self.open_products()?;
        self.keep_units(&Default::default())?;
        for path in product_paths(&self.dir) {
            remove(&path)?;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

/// Every file that a run may write under a final name.
fn product_paths(dir: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    let tables = PRODUCTS
        .into_iter()
        .flat_map(|name| ProductFormat::ALL.map(|format| format!("{name}.{}", format.ending())));
    let others = OTHERS.into_iter().map(str::to_owned);
    tables.chain(others).map(|name| dir.join(name))
}

/// Files of these names that no run of ours wrote are not ours to replace.
fn refuse_strangers(dir: &Path) -> Result<()> {
    match product_paths(dir).find(|path| path.exists()) {
        None => Ok(()),
        Some(path) => Err(Error::Config(format!(
            "{} is there already, and nothing tells that this run wrote it: choose another directory, or replace it with --overwrite",
            path.display()
        ))),
    }
}

/// What differs from the run that the directory holds, if it holds one that does.
fn older(config: &Path, identity: &Map<String, Value>) -> Result<Option<Vec<String>>> {
    let text = match fs::read_to_string(config) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(config, e)),
    };
    match serde_json::from_str::<Map<String, Value>>(&text) {
        Ok(old) if old == *identity => Ok(None),
        Ok(old) => Ok(Some(differences(&old, identity))),
        Err(e) => Ok(Some(vec![format!("{}: {e}", config.display())])),
    }
}

/// The nearest existing place is the one to blame.
fn at_fault(dir: &Path, units: &Path, e: std::io::Error) -> Error {
    let file = units.ancestors().find(|p| p.exists());
    Error::io(file.unwrap_or(dir), e)
}
