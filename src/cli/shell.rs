//! `relrv completions` and `relrv man`: for the shell and the manual.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::{Cli, Outcome};
use crate::{Error, Result};

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
        print(&text)
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
                print(&text)
            }
            Some(dir) => {
                std::fs::create_dir_all(&dir).map_err(|e| Error::io(&dir, e))?;
                clap_mangen::generate_to(Cli::command(), &dir).map_err(|e| Error::io(&dir, e))?;
                Ok(Outcome::Done)
            }
        }
    }
}

/// A reader that has seen enough is no error.
fn print(text: &[u8]) -> Result<Outcome> {
    let _ = std::io::stdout().write_all(text);
    Ok(Outcome::Done)
}
