//! The plan of a run on disk, so that units can be measured one by one, by several programs and on several machines.
//!
//! `plan.json` has the settings and a line about every unit, `plan-HASH.units` a line of JSON for each unit with its stars and files:
//! whoever measures one unit reads no more than that. Both are sealed with CRC-32.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::fingerprint::{self, Hash};
use super::place::Place;
use crate::files::whole::{self, Prepared};
use crate::files::workplace::{STATE_DIR, is_file, is_folder, remove};
use crate::lamost::content::Content;
use crate::lamost::raw::{RejectReason, Rejection};
use crate::lamost::stars::Star;
use crate::measure::{Plan, Unit};
use crate::{Error, Result};

/// Name of the first file.
const HEAD: &str = "plan.json";
/// Name of the other one.
const UNITS: (&str, &str) = ("plan-", ".units");

/// All of a plan but the stars and files of its units.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlanHead {
    /// Every setting of the run.
    pub settings: Map<String, Value>,
    /// Name of its start from the beginning.
    pub attempt: String,
    /// The folder that relative paths begin in, if there are any.
    pub from: Option<Place>,
    /// The units, by plate and spectrograph.
    pub units: Vec<UnitLine>,
    n_files: usize,
    n_without_helio_rv: usize,
    n_moved: usize,
    rejected: Vec<(Place, String, String, String)>,
    missing: Vec<(Place, String, String, String)>,
    /// Name of the file with the units.
    body: String,
}

/// What the head of a plan tells of a unit.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UnitLine {
    /// Plate.
    pub planid: String,
    /// Spectrograph.
    pub spid: i32,
    /// Stars.
    pub n_stars: usize,
    /// Files of its stars.
    pub n_files: usize,
    /// Size of these files.
    pub bytes: u64,
    /// Hash of its stars and files.
    pub fingerprint: String,
    /// Where its line lies: first byte, length, CRC-32.
    line: (u64, u64, u32),
}

/// The stars and files of a unit.
#[derive(serde::Serialize, serde::Deserialize)]
struct UnitBody {
    /// [`Star::members`] are indices of `files`.
    stars: Vec<(i64, Star)>,
    files: Vec<(Place, Content)>,
}

/// Keeps the plan of a run in a directory. Nothing is written where the very same is kept already.
///
/// # Errors
/// [`Error::Io`].
pub fn write(
    dir: &Path,
    plan: &Plan,
    settings: &Map<String, Value>,
    attempt: &str,
) -> Result<PlanHead> {
    let state = dir.join(STATE_DIR);
    let head_path = state.join(HEAD);
    let failed = |e| Error::io(&head_path, std::io::Error::other(e));
    // A line is made twice, so that no more than one of them need be in memory.
    let line_of = |unit: &Unit| -> Result<Vec<u8>> {
        let mut line = serde_json::to_vec(&body_of(plan, unit)).map_err(failed)?;
        line.push(b'\n');
        Ok(line)
    };
    let mut lines = Vec::with_capacity(plan.units.len());
    let mut hash = Hash::new();
    let mut at = 0;
    for unit in &plan.units {
        let line = line_of(unit)?;
        hash.add(&line);
        lines.push(UnitLine {
            planid: unit.planid.clone(),
            spid: unit.spid,
            n_stars: unit.stars.len(),
            n_files: unit.n_files(),
            bytes: bytes_of(plan, unit),
            fingerprint: fingerprint::of_unit(plan, unit),
            line: (at, line.len() as u64, libdeflater::crc32(&line)),
        });
        at += line.len() as u64;
    }
    let head = PlanHead {
        settings: settings.clone(),
        attempt: attempt.to_owned(),
        from: match plan.paths.iter().any(|path| path.is_relative()) {
            true => std::env::current_dir().ok().map(Place),
            false => None,
        },
        n_files: plan.n_files,
        n_without_helio_rv: plan.n_without_helio_rv,
        n_moved: plan.n_moved,
        rejected: plan.rejected.iter().map(told).collect(),
        missing: plan.missing.iter().map(told).collect(),
        units: lines,
        body: format!("{}{}{}", UNITS.0, hash.finish(), UNITS.1),
    };
    let is_kept = read(dir).is_ok_and(|kept| kept.as_ref() == Some(&head));
    if !is_kept || head.plan(dir, |_| true).is_err() {
        let path = state.join(&head.body);
        let fill = |out: &mut (dyn Write + Send)| {
            plan.units.iter().try_for_each(|unit| {
                let line = line_of(unit)?;
                out.write_all(&line).map_err(|e| Error::io(&path, e))
            })
        };
        Prepared::new(&path, fill)?.persist()?;
        write_head(&head_path, &head)?;
        forget_older(&state, &head.body)?;
    }
    Ok(head)
}

fn write_head(path: &Path, head: &PlanHead) -> Result<()> {
    let failed = |e| Error::io(path, std::io::Error::other(e));
    let json = serde_json::to_string(head).map_err(failed)?;
    let sealed = format!("{json}\n{}", seal(&json));
    whole::write_bytes(path, sealed.as_bytes())
}

/// Keeps the plan with other settings, those that no unit depends on. Nothing is written where they are the same.
///
/// # Errors
/// [`Error::Io`].
pub fn change_settings(dir: &Path, head: PlanHead, settings: Map<String, Value>) -> Result<()> {
    if head.settings == settings {
        return Ok(());
    }
    let path = dir.join(STATE_DIR).join(HEAD);
    write_head(&path, &PlanHead { settings, ..head })
}

/// Bytes of the files of a unit.
pub fn bytes_of(plan: &Plan, unit: &Unit) -> u64 {
    let members = unit.stars.iter().flat_map(|(_, star)| &star.members);
    members.map(|&m| plan.contents[m].len).sum()
}

fn body_of(plan: &Plan, unit: &Unit) -> UnitBody {
    let mut files = Vec::with_capacity(unit.n_files());
    let stars = unit.stars.iter().map(|(number, star)| {
        let first = files.len();
        let members = star.members.iter();
        files.extend(members.map(|&m| (Place(plan.paths[m].clone()), plan.contents[m])));
        let star = Star {
            members: (first..files.len()).collect(),
            ..star.clone()
        };
        (*number, star)
    });
    UnitBody {
        stars: stars.collect(),
        files,
    }
}

/// The head of the plan that a directory holds; `None` where it holds none.
///
/// # Errors
/// [`Error::Format`] for one that is damaged, [`Error::InTheWay`], [`Error::Io`].
pub fn read(dir: &Path) -> Result<Option<PlanHead>> {
    let path = dir.join(STATE_DIR).join(HEAD);
    if !is_folder(&dir.join(STATE_DIR))? || !is_file(&path)? {
        return Ok(None);
    }
    let text = fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let text = String::from_utf8(text).map_err(|_| damaged(&path))?;
    let (json, end) = text.split_once('\n').ok_or_else(|| damaged(&path))?;
    if end != seal(json) {
        return Err(damaged(&path));
    }
    let head = serde_json::from_str(json).map_err(|_| damaged(&path))?;
    Ok(Some(head))
}

/// The head of the plan that a directory must hold.
///
/// # Errors
/// As [`read`]; [`Error::NothingUsable`] where it holds none.
pub fn expect(dir: &Path) -> Result<PlanHead> {
    read(dir)?.ok_or_else(|| {
        Error::NothingUsable(format!(
            "{} holds no plan: relrv plan INPUT... --out {} makes one",
            dir.display(),
            dir.display()
        ))
    })
}

impl PlanHead {
    /// The plan with the stars and files of some of its units, by their numbers from 0; those that are not `wanted` have none.
    ///
    /// # Errors
    /// [`Error::Format`] for files that are not what was written, [`Error::Io`].
    pub fn plan(&self, dir: &Path, wanted: impl Fn(usize) -> bool) -> Result<Plan> {
        let path = dir.join(STATE_DIR).join(&self.body);
        let mut file = File::open(&path).map_err(|e| Error::io(&path, e))?;
        let mut plan = Plan {
            n_files: self.n_files,
            n_without_helio_rv: self.n_without_helio_rv,
            n_moved: self.n_moved,
            rejected: self.rejected.iter().map(rejection).collect(),
            missing: self.missing.iter().map(rejection).collect(),
            ..Plan::default()
        };
        for (i, line) in self.units.iter().enumerate() {
            let mut unit = Unit {
                planid: line.planid.clone(),
                spid: line.spid,
                stars: Vec::new(),
            };
            if wanted(i) {
                unit.stars = line.stars(&path, &mut file, &mut plan)?;
                if fingerprint::of_unit(&plan, &unit) != line.fingerprint {
                    return Err(damaged(&path));
                }
            }
            plan.units.push(unit);
        }
        Ok(plan)
    }

    /// What no other plan is called.
    pub fn hash(&self) -> &str {
        let hash = self.body.strip_prefix(UNITS.0).unwrap_or(&self.body);
        hash.strip_suffix(UNITS.1).unwrap_or(hash)
    }

    /// Inputs that could not be used.
    pub fn rejected(&self) -> Vec<Rejection> {
        self.rejected.iter().map(rejection).collect()
    }

    /// What tells the content of the files, and where each lies.
    ///
    /// # Errors
    /// As [`PlanHead::plan`].
    pub fn files(&self, dir: &Path) -> Result<Vec<(Content, PathBuf)>> {
        let plan = self.plan(dir, |_| true)?;
        Ok(plan.contents.into_iter().zip(plan.paths).collect())
    }
}

impl UnitLine {
    /// The unit in words; `i` is its number from 0.
    pub fn called(&self, i: usize) -> String {
        format!(
            "unit {} (plate {}, spectrograph {})",
            i + 1,
            self.planid,
            self.spid
        )
    }

    /// Reads the stars, and adds their files to the plan.
    fn stars(&self, path: &Path, file: &mut File, plan: &mut Plan) -> Result<Vec<(i64, Star)>> {
        let (at, len, crc) = self.line;
        let mut line = Vec::new();
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.take(len).read_to_end(&mut line))
            .map_err(|e| Error::io(path, e))?;
        if libdeflater::crc32(&line) != crc {
            return Err(damaged(path));
        }
        let body: UnitBody = serde_json::from_slice(&line).map_err(|_| damaged(path))?;
        let first = plan.paths.len();
        for (place, content) in body.files {
            plan.paths.push(place.0);
            plan.contents.push(content);
        }
        let n = plan.paths.len();
        let mut stars = body.stars;
        for (_, star) in &mut stars {
            star.members.iter_mut().for_each(|m| *m += first);
            if star.members.iter().any(|m| *m >= n) {
                return Err(damaged(path));
            }
        }
        Ok(stars)
    }
}

fn damaged(path: &Path) -> Error {
    Error::format(
        path,
        "expected the plan of a run, found something else; relrv plan makes it again",
    )
}

fn told(r: &Rejection) -> (Place, String, String, String) {
    let reason = r.reason.name().to_owned();
    (
        Place(r.path.clone()),
        r.hdu.clone(),
        reason,
        r.detail.clone(),
    )
}

fn rejection(told: &(Place, String, String, String)) -> Rejection {
    let (place, hdu, reason, detail) = told;
    Rejection {
        path: place.0.clone(),
        hdu: hdu.clone(),
        reason: RejectReason::of_name(reason),
        detail: detail.clone(),
    }
}

/// Last line of the head: what tells a damaged one.
fn seal(json: &str) -> String {
    format!("crc32 {:08x}\n", libdeflater::crc32(json.as_bytes()))
}

/// Removes the units of older plans.
fn forget_older(state: &Path, keep: &str) -> Result<()> {
    let entries = fs::read_dir(state).map_err(|e| Error::io(state, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(state, e))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let hash = name
            .strip_prefix(UNITS.0)
            .and_then(|rest| rest.strip_suffix(UNITS.1));
        let is_hash = |h: &str| h.len() == 32 && h.bytes().all(|b| b.is_ascii_hexdigit());
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && hash.is_some_and(is_hash) && name != keep {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
