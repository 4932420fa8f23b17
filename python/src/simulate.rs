//! Simulated plates.

use std::path::PathBuf;

use pyo3::prelude::*;
use relrv::Error;
use relrv::simulate::{Config, KindShares, Layout, Sky};

use super::watch::watched;

/// What to simulate: a dictionary with all of these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    seed: u64,
    stars: usize,
    nights: usize,
    exposures: usize,
    spectrographs: usize,
    snr: (f64, f64),
    layout: String,
    missing: f64,
    cosmics: f64,
    kinds: (f64, f64, f64),
    teff: Option<(f64, f64)>,
    sky: String,
}

impl Options {
    fn config(&self, out: PathBuf) -> relrv::Result<Config> {
        let wrong = |text: String| Error::Config(text);
        let (pulsator, sb1, sb2) = self.kinds;
        Ok(Config {
            out,
            seed: self.seed,
            stars: self.stars,
            nights: self.nights,
            exposures: self.exposures,
            spectrographs: self.spectrographs,
            snr: self.snr,
            layout: match self.layout.as_str() {
                "dr7" => Layout::Dr7,
                "dr9" => Layout::Dr9,
                other => return Err(wrong(format!("layout is {other}, expected dr7 or dr9"))),
            },
            missing: self.missing,
            cosmics_per_spectrum: self.cosmics,
            kinds: KindShares { pulsator, sb1, sb2 },
            teff_k: self.teff,
            sky: match self.sky.as_str() {
                "kind" => Sky::KIND,
                "hard" => Sky::HARD,
                other => return Err(wrong(format!("sky is {other}, expected kind or hard"))),
            },
            ..Config::default()
        })
    }
}

/// Makes a plate: numbers of files, spectra and stars, and the path of the truth.
#[pyfunction]
pub fn simulate(
    py: Python<'_>,
    out: PathBuf,
    options: Options,
    threads: usize,
) -> PyResult<(usize, usize, usize, PathBuf)> {
    let made = watched(py, threads, None, |_| {
        Ok(relrv::simulate::run(&options.config(out)?)?)
    })?;
    Ok((made.files, made.spectra, made.stars, made.truth))
}
