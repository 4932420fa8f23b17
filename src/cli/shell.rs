//! `relrv completions` and `relrv man`: for the shell and the manual.

use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::{Cli, Outcome};
use crate::{Error, Result, tell};

/// Print the completions of a shell.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// Shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl CompletionsArgs {
    /// Prints them.
    pub fn run(self) -> Result<Outcome> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "relrv", &mut text);
        tell::product(&text)?;
        Ok(Outcome::Done)
    }
}

/// Print the manual page, or write one per command to a directory.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write relrv.1 and a page per command here, in place of printing relrv.1.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl ManArgs {
    /// Prints or writes.
    pub fn run(self) -> Result<Outcome> {
        let here = Path::new("relrv.1");
        match self.out {
            None => {
                let mut text = Vec::new();
                clap_mangen::Man::new(Cli::command())
                    .render(&mut text)
                    .map_err(|e| Error::io(here, e))?;
                tell::product(&text)?;
            }
            Some(dir) => {
                std::fs::create_dir_all(&dir).map_err(|e| Error::io(&dir, e))?;
                clap_mangen::generate_to(Cli::command(), &dir).map_err(|e| Error::io(&dir, e))?;
            }
        }
        Ok(Outcome::Done)
    }
}
