//! Makes a whole plate on disk.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::config::Config;
use super::effects::{Above, Sky, SkyRow};
use super::file::FileContent;
use super::observe::{Observer, Truth};
use super::plate::Plate;
use super::sky::velocity_towards_km_s;
use crate::{Arm, Error, Result};

/// Effort of the compression; the survey's files are about as small.
const GZIP_LEVEL: i32 = 6;

/// What was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Files of spectra.
    pub files: usize,
    /// Spectra of single exposures in them.
    pub spectra: usize,
    /// Stars with at least one file.
    pub stars: usize,
    /// Bytes of all files of spectra.
    pub bytes: u64,
    /// The truth table.
    pub truth: PathBuf,
}

/// One row of `truth.csv`: one spectrum. Velocities in km/s, positive away from us; empty where there is none. Where the
/// sky is not the kind one, the columns of [`SkyRow`] follow.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TruthRow {
    /// Name of the file.
    pub file: String,
    /// `blue` or `red`.
    pub arm: String,
    /// Local Modified Julian Minute of the exposure's start.
    pub lmjm: i64,
    /// Spectrograph.
    pub spid: i32,
    /// Fibre.
    pub fiberid: i32,
    /// Designation of the star, the same in all its files.
    pub star: String,
    /// `constant`, `pulsator`, `sb1` or `sb2`.
    pub kind: String,
    /// Effective temperature at this exposure, K (the primary's).
    pub teff: f64,
    /// Signal-to-noise ratio per pixel asked for (median over 5000-5300 A or 6400-6700 A).
    pub snr: f64,
    /// Velocity at the middle of the exposure, km/s (the primary's).
    pub rv_true: f64,
    /// Error of the wavelength calibration, km/s: what is measured is `rv_true + zp_true`.
    pub zp_true: f64,
    /// Metallicity \[Fe/H\], dex.
    pub feh: f64,
    /// log10 of the surface gravity, cm/s^2.
    pub logg: f64,
    /// Projected rotational velocity, km/s.
    pub vsini: f64,
    /// Velocity of the secondary of a double-lined binary, km/s.
    pub rv2_true: Option<f64>,
    /// Light of the secondary over that of the primary.
    pub flux_ratio: Option<f64>,
}

/// Makes the plate that `config` describes: its files and `truth.csv`. The bytes depend on nothing but `config`.
pub fn run(config: &Config) -> Result<Summary> {
    config.check()?;
    write_plate(config, &Plate::new(config))
}

/// Makes the files and `truth.csv` of `plate`: [`Plate::new`] of the same `config`, with stars as the caller wants them.
pub fn write_plate(config: &Config, plate: &Plate) -> Result<Summary> {
    config.check()?;
    prepare(&config.out)?;
    let above = (config.sky != Sky::KIND).then(|| Above::new(config.seed, config.sky));
    let made: Vec<(Vec<Truth>, usize, u64)> = (0..plate.stars.len())
        .into_par_iter()
        .map(|star| write_star(config, plate, above.as_ref(), star))
        .collect::<Result<_>>()?;

    let truth = config.out.join("truth.csv");
    let csv_error = |e: csv::Error| Error::io(&truth, std::io::Error::other(e));
    let mut writer = csv::Writer::from_path(&truth).map_err(csv_error)?;
    for (row, sky) in made.iter().flat_map(|m| &m.0) {
        let done = match sky {
            Some(sky) => writer.serialize::<(&TruthRow, &SkyRow)>((row, sky)),
            None => writer.serialize(row),
        };
        done.map_err(csv_error)?;
    }
    writer.flush().map_err(|e| Error::io(&truth, e))?;
    Ok(Summary {
        files: made.iter().map(|m| m.1).sum(),
        spectra: made.iter().map(|m| m.0.len()).sum(),
        stars: made.iter().filter(|m| m.1 > 0).count(),
        bytes: made.iter().map(|m| m.2).sum(),
        truth,
    })
}

/// Makes the directory; files of an older run beside the new truth would be a trap, so it must be empty.
fn prepare(out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let mut entries = std::fs::read_dir(out).map_err(|e| Error::io(out, e))?;
    if entries.next().is_some() {
        return Err(Error::Config(format!(
            "{} is not empty: choose another directory or empty it",
            out.display()
        )));
    }
    Ok(())
}

/// Writes all files of one star. Returns its truth, the number of files and their bytes.
fn write_star(
    config: &Config,
    plate: &Plate,
    above: Option<&Above>,
    index: usize,
) -> Result<(Vec<Truth>, usize, u64)> {
    let star = &plate.stars[index];
    let observer = Observer::new(config, plate, above, index);
    let damaged = observer.damaged();
    let (mut truth, mut files, mut bytes) = (Vec::new(), 0, 0);
    for (night_index, night) in plate.nights.iter().enumerate() {
        let mut exposures = Vec::new();
        let mut rows = Vec::new();
        for (exposure_index, snr) in observer.present(night_index) {
            let indices = [night_index, exposure_index];
            let (spectra, truths) = observer.observe(indices, snr, damaged.at(indices));
            exposures.push((night.exposures[exposure_index], spectra));
            rows.push(truths);
        }
        let Some((first, _)) = exposures.first() else {
            continue;
        };
        let content = FileContent {
            plate,
            star,
            night: night_index,
            obsid: 900_000_000 + (night_index * plate.stars.len() + index) as i64,
            layout: config.layout,
            coadds: config.coadds,
            heliocentric_km_s: velocity_towards_km_s(
                star.ra_deg,
                star.dec_deg,
                first.mid_mjd_utc(),
            ),
            exposures,
        };
        let name = format!("{}.gz", content.name());
        bytes += write_gzip(&config.out.join(&name), &content.bytes())?;
        files += 1;
        // Blue first, as the file's HDUs are.
        for arm in Arm::ALL {
            truth.extend(rows.iter().map(|r| {
                let (row, sky) = r[arm as usize].clone();
                let file = name.clone();
                (TruthRow { file, ..row }, sky)
            }));
        }
    }
    Ok((truth, files, bytes))
}

/// Writes `bytes` compressed, with neither name nor time in the gzip header. Returns the size.
fn write_gzip(path: &Path, bytes: &[u8]) -> Result<u64> {
    // The level is one that the library has.
    let level = libdeflater::CompressionLvl::new(GZIP_LEVEL).unwrap_or_default();
    let mut compressor = libdeflater::Compressor::new(level);
    let mut packed = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let size = compressor
        .gzip_compress(bytes, &mut packed)
        .map_err(|e| Error::io(path, std::io::Error::other(e)))?;
    std::fs::write(path, &packed[..size]).map_err(|e| Error::io(path, e))?;
    Ok(size as u64)
}
