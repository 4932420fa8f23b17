//! `relrv show`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Outcome;
use crate::files::workplace::Workplace;
use crate::report::one_star::{self, Shown};
use crate::{Arm, Result, tell};

/// Tell what a finished run found of one star: its velocities, what their flags say, and what to do about them.
///
/// STAR is a name (designation, desig, objname, uqid, gaia_source_id), the beginning of a designation, an obsid, or a position within 3
/// arcsec: "16:03:05.1 +37:12:00" or "240.7712 37.2".
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Directory of the run.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Which star.
    #[arg(value_name = "STAR")]
    star: String,
    /// One arm alone.
    #[arg(long, value_enum)]
    arm: Option<Which>,
    /// One exposure alone, by its minute.
    #[arg(long, value_name = "LMJM")]
    exposure: Option<i64>,
}

/// An arm.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// The red one.
    Red,
    /// The blue one.
    Blue,
}

impl ShowArgs {
    /// Prints it.
    pub fn run(self) -> Result<Outcome> {
        // The products must not change meanwhile.
        let _lock = Workplace::open_if_kept(&self.dir, "run")?;
        let arm = self.arm.map(|arm| match arm {
            Which::Red => Arm::Red,
            Which::Blue => Arm::Blue,
        });
        let shown = Shown {
            star: &self.star,
            arm,
            lmjm: self.exposure,
        };
        tell::product(one_star::text(&self.dir, &shown)?.as_bytes())?;
        Ok(Outcome::Done)
    }
}
