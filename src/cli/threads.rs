//! `--threads`: for every command that computes much.

use super::numbers::whole;
use crate::text::count::count;
use crate::{Error, Result};

/// Most threads that can be asked for. More than there are cores gain nothing, and thousands only wait for each other.
const MOST: u16 = 1024;

/// How many threads work.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Threads {
    /// Threads, at most 1024; 0 for one per core.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u16>(0..=u64::from(MOST)))]
    threads: u16,
}

impl Threads {
    /// The threads.
    ///
    /// # Errors
    /// [`Error::Config`] where the system has not so many.
    pub fn pool(self) -> Result<rayon::ThreadPool> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(self.threads))
            .build()
            .map_err(|e| {
                Error::Config(format!(
                    "--threads: the system does not give {}: {e}",
                    count(usize::from(self.threads), "thread")
                ))
            })
    }
}
