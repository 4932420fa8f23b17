//! `relrv validate end-to-end`.

use std::path::PathBuf;

use super::listeners;
use crate::Result;
use crate::lab::validate::end_to_end::section::{Settings, run};

/// Options of `relrv validate end-to-end`.
#[derive(Clone, Debug, clap::Args)]
pub struct EndToEndArgs {
    /// Directory for figures and numbers; the plate is made in DIR/plate, the run in DIR/run
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Spectrographs (1-16)
    #[arg(long, value_name = "N", default_value_t = Settings::default().spectrographs)]
    spectrographs: usize,
    /// Stars in each spectrograph (1-250)
    #[arg(long, value_name = "N", default_value_t = Settings::default().stars)]
    stars: usize,
    /// Nights
    #[arg(long, value_name = "N", default_value_t = Settings::default().nights)]
    nights: usize,
    /// Exposures in each night (1-25)
    #[arg(long, value_name = "N", default_value_t = Settings::default().exposures)]
    exposures: usize,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    seed: u64,
    /// Keep the simulated spectra (50 kB each)
    #[arg(long)]
    keep_spectra: bool,
    /// Print nothing but errors
    #[arg(long)]
    quiet: bool,
}

impl EndToEndArgs {
    pub fn run(self) -> Result<()> {
        let settings = Settings {
            spectrographs: self.spectrographs,
            stars: self.stars,
            nights: self.nights,
            exposures: self.exposures,
            seed: self.seed,
            keep_spectra: self.keep_spectra,
        };
        let (mut told, bar) = listeners(self.quiet);
        run(&settings, &self.out, &bar, &mut told).map(drop)
    }
}
