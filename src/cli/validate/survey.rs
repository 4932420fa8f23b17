//! `relrv validate survey`.

use std::path::PathBuf;

use crate::Result;
use crate::lab::validate::survey::SurveyConfig;
use crate::lab::validate::survey::section::run;
use crate::tell::Told;

/// Options of `relrv validate survey`.
#[derive(Clone, Debug, clap::Args)]
pub struct SurveyArgs {
    /// Directory for the numbers
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Plates, each of 16 spectrographs; three in a row share stars
    #[arg(long, value_name = "N", default_value_t = SurveyConfig::default().n_plates, value_parser = plates)]
    plates: usize,
}

fn plates(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=1000).contains(&n) => Ok(n),
        _ => Err("expected 1 to 1000".to_owned()),
    }
}

impl SurveyArgs {
    pub fn run(self) -> Result<()> {
        run(self.plates, &self.out, &mut Told).map(drop)
    }
}
