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
    /// Slopes of the zero points along the slit: standard deviation, km/s from the middle to an end
    #[arg(long, value_name = "KM_S", default_value_t = 0.0, value_parser = slope)]
    fibre_slope: f64,
}

fn slope(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(slope) if (0.0..=100.0).contains(&slope) => Ok(slope),
        _ => Err("expected 0 to 100 km/s".to_owned()),
    }
}

fn plates(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(n) if (1..=1000).contains(&n) => Ok(n),
        _ => Err("expected 1 to 1000".to_owned()),
    }
}

impl SurveyArgs {
    pub fn run(self) -> Result<()> {
        let config = SurveyConfig {
            n_plates: self.plates,
            slope_km_s: self.fibre_slope,
            ..SurveyConfig::default()
        };
        run(&config, &self.out, &mut Told).map(drop)
    }
}
