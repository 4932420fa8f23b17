//! Makes a whole plate on disk.

use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Map;

use super::config::Config;
use super::content::FileContent;
use super::effects::{Above, Sky, SkyRow};
use super::observe::{Observer, Truth};
use super::plate::Plate;
use super::sky::velocity_towards_km_s;
use super::truth_row::TruthRow;
use crate::files::whole;
use crate::files::workplace::{self, Note, Noted, STATE_DIR, Which, Workplace};
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

/// Makes the plate that `config` describes: its files and `truth.csv`. The bytes depend on nothing but `config`, so where an
/// earlier call was ended (a kill, a full disk), the same one makes everything again.
pub fn run(config: &Config) -> Result<Summary> {
    config.check()?;
    write_plate(config, &Plate::new(config))
}

/// Makes the files and `truth.csv` of `plate`: [`Plate::new`] of the same `config`, with stars as the caller wants them.
pub fn write_plate(config: &Config, plate: &Plate) -> Result<Summary> {
    config.check()?;
    let place = prepare(config)?;
    let above = (config.sky != Sky::KIND).then(|| Above::new(config.seed, config.sky));
    let made: Vec<(Vec<Truth>, usize, u64)> = (0..plate.stars.len())
        .into_par_iter()
        .map(|star| write_star(config, plate, above.as_ref(), star))
        .collect::<Result<_>>()?;

    let truth = config.out.join("truth.csv");
    let csv_error = |e: csv::Error| Error::io(&truth, std::io::Error::other(e));
    whole::write(&truth, |out| {
        let mut writer = csv::Writer::from_writer(out);
        for (row, sky) in made.iter().flat_map(|m| &m.0) {
            let done = match sky {
                Some(sky) => writer.serialize::<(&TruthRow, &SkyRow)>((row, sky)),
                None => writer.serialize(row),
            };
            done.map_err(csv_error)?;
        }
        writer.flush().map_err(|e| Error::io(&truth, e))
    })?;
    place.dissolve();
    Ok(Summary {
        files: made.iter().map(|m| m.1).sum(),
        spectra: made.iter().map(|m| m.0.len()).sum(),
        stars: made.iter().filter(|m| m.1 > 0).count(),
        bytes: made.iter().map(|m| m.2).sum(),
        truth,
    })
}

const COMMAND: &str = "simulate";

/// Makes the directory, or takes up one in which the same plate was begun. Files of another plate beside the new truth would be
/// a trap, so it must be empty otherwise.
fn prepare(config: &Config) -> Result<Workplace> {
    let out = &config.out;
    let note = Note {
        command: COMMAND.to_owned(),
        settings: settings(config),
        ..Note::default()
    };
    workplace::refuse_no_directory(out)?;
    if is_begun(out, &note)? {
        return Workplace::open(out, COMMAND, &[]);
    }
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    for entry in std::fs::read_dir(out).map_err(|e| Error::io(out, e))? {
        // A directory with nothing but `.relrv` is that of a call that ended before its first file.
        if entry.map_err(|e| Error::io(out, e))?.file_name() != STATE_DIR {
            return Err(Error::Config(format!(
                "{} is not empty: choose another directory or empty it",
                out.display()
            )));
        }
    }
    let place = Workplace::open(out, COMMAND, &[])?;
    place.write_note(Which::Config, &note)?;
    Ok(place)
}

fn is_begun(out: &Path, note: &Note) -> Result<bool> {
    match workplace::read_note(out, Which::Config)? {
        Noted::Note(begun) if begun.command != COMMAND => Ok(false),
        Noted::Note(begun) if begun == *note => Ok(true),
        Noted::Note(_) => Err(Error::Config(format!(
            "{} holds a plate of other settings that was begun and not finished: choose another directory or empty it",
            out.display()
        ))),
        Noted::Damaged(what) => Err(Error::Config(format!(
            "{what}: choose another directory or empty {}",
            out.display()
        ))),
        Noted::Nothing => Ok(false),
    }
}

/// Everything that the files depend on.
fn settings(config: &Config) -> Map<String, serde_json::Value> {
    let config = Config {
        out: PathBuf::new(),
        ..config.clone()
    };
    let version = env!("CARGO_PKG_VERSION");
    [("relrv", version.into()), ("plate", format!("{config:?}"))]
        .map(|(name, text): (&str, String)| (name.to_owned(), text.into()))
        .into_iter()
        .collect()
}

/// Forgets that a plate was begun in a directory, for who removes its files.
///
/// # Errors
/// [`Error::Occupied`] if another program works there, [`Error::Io`].
pub fn forget(out: &Path) -> Result<()> {
    let is_plate = |note| matches!(note, Noted::Note(Note { command, .. }) if command == COMMAND);
    if is_plate(workplace::read_note(out, Which::Config)?) {
        Workplace::open(out, COMMAND, &[])?.dissolve();
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
    // What an earlier, ended call left is removed first, so that a symbolic link of this name is not followed.
    workplace::remove(path)?;
    std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(&packed[..size]))
        .map_err(|e| Error::io(path, e))?;
    whole::moment();
    Ok(size as u64)
}
