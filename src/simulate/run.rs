//! Makes a whole plate on disk.

use std::path::{Path, PathBuf};

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::config::Config;
use super::continuum::Continuum;
use super::file::FileContent;
use super::grid::GridShift;
use super::noise::Defects;
use super::plate::{EXPTIME_S, Exposure, Motion, Plate, Purpose, Star, stream};
use super::sky::velocity_towards_km_s;
use super::spectrum::{Component, Simulated, SpectrumOptions, spectrum_with_truth};
use super::template::{StellarParams, Template};
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

/// One row of `truth.csv`: one spectrum. Velocities in km/s, positive away from us; empty where there is none.
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
    let made: Vec<(Vec<TruthRow>, usize, u64)> = (0..plate.stars.len())
        .into_par_iter()
        .map(|star| write_star(config, plate, star))
        .collect::<Result<_>>()?;

    let truth = config.out.join("truth.csv");
    let csv_error = |e: csv::Error| Error::io(&truth, std::io::Error::other(e));
    let mut writer = csv::Writer::from_path(&truth).map_err(csv_error)?;
    for row in made.iter().flat_map(|m| &m.0) {
        writer.serialize(row).map_err(csv_error)?;
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

/// The spectra of a star and its companion, one per arm; none where they change from exposure to exposure.
struct Templates {
    primary: Option<[Template; 2]>,
    secondary: Option<[Template; 2]>,
}

impl Templates {
    fn new(star: &Star) -> Self {
        let pair = |params: &StellarParams| Arm::ALL.map(|arm| Template::new(params, arm));
        match &star.motion {
            Motion::Pulsator(_) => Templates {
                primary: None,
                secondary: None,
            },
            Motion::Sb2 { companion, .. } => Templates {
                primary: Some(pair(&star.params)),
                secondary: Some(pair(companion)),
            },
            Motion::Constant | Motion::Sb1(_) => Templates {
                primary: Some(pair(&star.params)),
                secondary: None,
            },
        }
    }
}

/// Writes all files of one star. Returns its truth, the number of files and their bytes.
fn write_star(config: &Config, plate: &Plate, index: usize) -> Result<(Vec<TruthRow>, usize, u64)> {
    let star = &plate.stars[index];
    let templates = Templates::new(star);
    let continua = Arm::ALL.map(|arm| {
        let rng = &mut stream(config.seed, Purpose::Star, [0xFFFF, index, arm as usize]);
        Continuum::blaze(arm)
            .with_slope_of(star.params.teff_k)
            .varied(rng, 0.07)
    });
    let (mut truth, mut files, mut bytes) = (Vec::new(), 0, 0);
    for (night_index, night) in plate.nights.iter().enumerate() {
        let rng = &mut stream(config.seed, Purpose::Presence, [index, night_index, 0]);
        let mut exposures = Vec::new();
        let mut rows = Vec::new();
        for (exposure_index, exposure) in night.exposures.iter().enumerate() {
            let own: f64 = StandardNormal.sample(rng);
            if rng.random::<f64>() < config.missing {
                continue;
            }
            let snr = star.snr * exposure.throughput * (0.06 * own).exp();
            let context = ExposureContext {
                config,
                plate,
                star,
                templates: &templates,
                continua: &continua,
                indices: [index, night_index, exposure_index],
            };
            let (spectra, truths) = context.observe(exposure, snr);
            exposures.push((*exposure, spectra));
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
            truth.extend(rows.iter().map(|r| TruthRow {
                file: name.clone(),
                ..r[arm as usize].clone()
            }));
        }
    }
    Ok((truth, files, bytes))
}

/// Everything that one star's exposure needs.
struct ExposureContext<'a> {
    config: &'a Config,
    plate: &'a Plate,
    star: &'a Star,
    templates: &'a Templates,
    continua: &'a [Continuum; 2],
    /// Star, night, exposure.
    indices: [usize; 3],
}

impl ExposureContext<'_> {
    fn observe(&self, exposure: &Exposure, snr_red: f64) -> ([Simulated; 2], [TruthRow; 2]) {
        let star = self.star;
        let [_, night, index] = self.indices;
        let spectrograph = &self.plate.spectrographs[star.spectrograph];
        let mjd = exposure.mid_mjd_utc();
        let (rv_km_s, rv2_km_s) = star.rv_km_s(mjd);
        let params = star.params_at(mjd);
        let flux_ratio = match star.motion {
            Motion::Sb2 { flux_ratio, .. } => Some(flux_ratio),
            _ => None,
        };
        let rng = &mut stream(self.config.seed, Purpose::Noise, self.indices);
        let drift: f64 = StandardNormal.sample(rng);
        let shift = GridShift {
            // Exposures of a night share their pixels to 0.2 km/s, a thirtieth of a pixel.
            pixels: star.pixels + spectrograph.pixels[night] + 0.02 * drift,
            heliocentric_km_s: velocity_towards_km_s(star.ra_deg, star.dec_deg, mjd),
        };
        let (low, high) = self.config.snr;
        let both = Arm::ALL.map(|arm| {
            let a = arm as usize;
            let factor = if arm == Arm::Blue {
                star.blue_snr_factor()
            } else {
                1.0
            };
            let snr = (snr_red * factor).clamp(low, high);
            let zp_km_s = spectrograph.zero_points_km_s[night][index][a];
            let options = SpectrumOptions {
                lmjm: exposure.lmjm,
                exptime_s: EXPTIME_S as f64,
                shift,
                continuum: Some(self.continua[a]),
                continuum_rms: 0.05,
                defects: Defects {
                    cosmics_per_spectrum: self.config.cosmics_per_spectrum,
                    ..Defects::default()
                },
            };
            let changing;
            let primary = match &self.templates.primary {
                Some(pair) => &pair[a],
                None => {
                    changing = Template::new(&params, arm);
                    &changing
                }
            };
            let ratio = flux_ratio.unwrap_or(0.0);
            let mut components = vec![Component {
                template: primary,
                rv_km_s,
                light: 1.0 / (1.0 + ratio),
            }];
            if let (Some(pair), Some(rv_km_s)) = (&self.templates.secondary, rv2_km_s) {
                components.push(Component {
                    template: &pair[a],
                    rv_km_s,
                    light: ratio / (1.0 + ratio),
                });
            }
            let simulated = spectrum_with_truth(rng, arm, &components, zp_km_s, snr, &options);
            let truth = TruthRow {
                file: String::new(),
                arm: arm.name().to_owned(),
                lmjm: exposure.lmjm,
                spid: spectrograph.spid,
                fiberid: star.fiberid,
                star: star.designation.clone(),
                kind: star.motion.name().to_owned(),
                teff: round(params.teff_k, 1),
                snr: round(snr, 3),
                rv_true: round(rv_km_s, 6),
                zp_true: round(zp_km_s, 6),
                feh: round(params.feh, 3),
                logg: params.logg,
                vsini: round(params.vsini_km_s, 2),
                rv2_true: rv2_km_s.map(|v| round(v, 6)),
                flux_ratio: flux_ratio.map(|v| round(v, 4)),
            };
            (simulated, truth)
        });
        let [(blue, blue_truth), (red, red_truth)] = both;
        ([blue, red], [blue_truth, red_truth])
    }
}

fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
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
