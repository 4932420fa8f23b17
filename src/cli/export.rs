//! `relrv export`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Outcome;
use super::which_star::{Which, meant, unnamed};
use crate::files::workplace::{self, Workplace};
use crate::files::{regular, whole};
use crate::report::one_star::{Exported, OneStar, OrbitFormat, Shown};
use crate::text::count::count;
use crate::text::plain;
use crate::{Error, Result, tell};

/// At the end of the help.
const EXAMPLES: &str = "Examples:
  relrv export plate J044105
      plate/export/NAME-red.ecsv and -blue.ecsv, for thejoker
  relrv export plate J044105 --format exostriker --arm blue --out orbits
      orbits/NAME-blue.vels, for Exo-Striker";

/// Folder of the files within the directory of a run.
const EXPORT_DIR: &str = "export";

/// Write one star's velocities as programs that fit orbits read them.
///
/// Each arm counts from a reference of its own, so each has a file of its own: an instrument with an offset to such a program. The
/// velocities are those less the zero points, with the errors of a curve; where no exposure of the star has a zero point, those that were
/// measured. Velocities that are flagged as none of the star are left out, and counted.
///
/// STAR is a name (designation, desig, objname, uqid, gaia_source_id), the beginning of a designation, an obsid, a position within 3
/// arcsec ("16:03:05.1 +37:12:00" or "240.7712 37.2"), or one of the star's files.
#[derive(Debug, clap::Args)]
#[command(override_usage = "relrv export [OPTIONS] DIR STAR", after_help = EXAMPLES)]
pub struct ExportArgs {
    /// Directory of a finished run.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Which of its stars.
    #[arg(value_name = "STAR", num_args = 0..)]
    star: Vec<OsString>,
    /// Program that the files are for.
    #[arg(long, value_enum, default_value_t = Program::Thejoker)]
    format: Program,
    /// One arm alone.
    #[arg(long, value_enum)]
    arm: Option<Which>,
    /// Directory for the files [default: DIR/export].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace files of these names that hold something else.
    #[arg(long)]
    overwrite: bool,
}

/// A program that fits orbits.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Program {
    /// A table for thejoker.RVData.guess_from_table, .ecsv: bjd (TDB), rv, rv_err in km/s.
    Thejoker,
    /// Text for Exo-Striker, .vels: BJD (TDB), velocity and error in m/s.
    Exostriker,
}

impl From<Program> for OrbitFormat {
    fn from(program: Program) -> Self {
        match program {
            Program::Thejoker => OrbitFormat::TheJoker,
            Program::Exostriker => OrbitFormat::ExoStriker,
        }
    }
}

impl ExportArgs {
    /// Writes the files, and tells what is in them.
    pub fn run(self) -> Result<Outcome> {
        if self.star.is_empty() {
            return Err(unnamed("export", &self.dir));
        }
        // The products must not change meanwhile.
        let _lock = Workplace::open_if_kept(&self.dir, "run")?;
        let star = meant(&self.dir, &self.star, |dir, star| {
            let arm = self.arm.map(Into::into);
            OneStar::find(
                dir,
                &Shown {
                    star,
                    arm,
                    lmjm: None,
                },
            )
        })?;
        let made = star.exports(self.format.into());
        if made.iter().all(|one| one.n == 0) {
            let why: Vec<String> = made.iter().map(left_out).collect();
            return Err(Error::NothingUsable(format!(
                "{} has no velocity to export: {}",
                plain::line(star.designation()),
                why.join("; ")
            )));
        }
        let usual = self.dir.join(EXPORT_DIR);
        let folder = self.out.as_deref().unwrap_or(&usual);
        workplace::refuse_no_directory(folder)?;
        let files = made.iter().filter(|one| one.n > 0);
        let files: Vec<(PathBuf, &Exported)> =
            files.map(|one| (folder.join(&one.name), one)).collect();
        for (path, one) in &files {
            self.refuse_other(path, one)?;
        }
        for (path, one) in &files {
            whole::write_bytes(path, one.text.as_bytes())?;
        }
        tell::say!("{}", plain::line(star.designation()));
        for one in &made {
            told(one, folder);
        }
        Ok(Outcome::Done)
    }

    /// Refuses to take the place of a file with another content.
    fn refuse_other(&self, path: &Path, one: &Exported) -> Result<()> {
        let is_there = std::fs::symlink_metadata(path).is_ok();
        let is_same = || regular::read(path).is_ok_and(|bytes| bytes == one.text.as_bytes());
        match is_there && !self.overwrite && !is_same() {
            false => Ok(()),
            true => Err(Error::Occupied(format!(
                "{} is there already and holds something else: choose another directory with --out, or replace it with --overwrite",
                path.display()
            ))),
        }
    }
}

/// A line about an arm, and what is not in its file.
fn told(one: &Exported, folder: &Path) {
    let arm = one.arm.name();
    let which = match one.is_corrected {
        true => "corrected for the zero points",
        false => "as measured, without zero points",
    };
    if one.n > 0 {
        let n = count(one.n, "velocity");
        let path = plain::path(&folder.join(&one.name));
        tell::say!("  {arm:<5} {n}, {which}: {path}");
    }
    if !one.left_out.is_empty() {
        tell::say!("  {}", left_out(one));
    }
}

fn left_out(one: &Exported) -> String {
    let words = one.left_out.iter().map(|(n, why)| format!("{n} {why}"));
    let words: Vec<String> = words.collect();
    format!("{:<5} left out: {}", one.arm.name(), words.join(", "))
}
