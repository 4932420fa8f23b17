//! A unit's result on disk: `NAME.parquet` with its rows, and `NAME.json` with everything else, written last.
//!
//! The record tells length and CRC-32 of the rows and ends in its own CRC-32, so that a torn or damaged pair is found out and
//! the unit is measured again.

use std::path::{Path, PathBuf};

use super::fingerprint;
use crate::io::raw::{RejectReason, Rejection};
use crate::pipeline::{MeasuredUnit, RvRow, Unit, rv_read, rv_table};
use crate::table::Table;
use crate::{Error, Result, regular, whole};

/// What a unit's files hold beside its rows.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UnitHeader {
    /// Plate.
    pub planid: String,
    /// Spectrograph.
    pub spid: i32,
    /// What the rows depend on.
    pub fingerprint: String,
    /// Files of the unit.
    pub n_files: usize,
    /// Stars of the unit.
    pub n_stars: usize,
    /// Exposures of single arms found in its files.
    pub n_spectra: usize,
    /// Rows.
    pub n_rows: usize,
    /// A file could not be read, or changed: good for the run that wrote it only.
    pub try_again: bool,
    /// What was not measured: file, HDU, reason, detail.
    rejected: Vec<(String, String, String, String)>,
    rows_len: u64,
    rows_crc32: u32,
}

impl UnitHeader {
    /// Takes out what was not measured.
    pub fn take_rejections(&mut self) -> impl Iterator<Item = Rejection> + use<> {
        let rejected = std::mem::take(&mut self.rejected);
        rejected.into_iter().map(|(path, hdu, reason, detail)| {
            let known = RejectReason::ALL.into_iter().find(|r| r.name() == reason);
            Rejection {
                path: path.into(),
                hdu,
                reason: known.unwrap_or(RejectReason::Unreadable),
                detail,
            }
        })
    }
}

/// The files of a unit.
#[derive(Clone, Debug)]
pub struct UnitFile {
    rows: PathBuf,
    header: PathBuf,
}

impl UnitFile {
    /// Of a unit in a directory. The name tells plate and spectrograph, whatever letters they have.
    pub fn new(dir: &Path, unit: &Unit) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let plate: String = unit
            .planid
            .chars()
            .map(|c| if plain(c) { c } else { '_' })
            .collect();
        let plate: String = plate.chars().take(60).collect();
        let exact = format!("{}\n{}", unit.planid, unit.spid);
        let hash = fingerprint::of_bytes(exact.as_bytes()) as u32;
        let name = format!("{plate}_sp{:02}-{hash:08x}", unit.spid);
        UnitFile {
            rows: dir.join(format!("{name}.parquet")),
            header: dir.join(format!("{name}.json")),
        }
    }

    /// Paths of both files.
    pub fn paths(&self) -> [&Path; 2] {
        [&self.rows, &self.header]
    }

    /// There is a record, whatever it is worth.
    pub fn exists(&self) -> bool {
        self.header.exists()
    }

    /// Writes a unit: the rows, then the record that makes them count.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, unit: &Unit, fingerprint: u64, measured: &MeasuredUnit) -> Result<()> {
        rv_table::to_table(&measured.rows).write(&self.rows)?;
        let bytes = regular::read(&self.rows).map_err(|e| Error::io(&self.rows, e))?;
        let unreadable = |r: &Rejection| r.reason == RejectReason::Unreadable;
        let header = UnitHeader {
            planid: unit.planid.clone(),
            spid: unit.spid,
            fingerprint: hex(fingerprint),
            n_files: unit.n_files(),
            n_stars: unit.stars.len(),
            n_spectra: measured.n_spectra,
            n_rows: measured.rows.len(),
            try_again: measured.rejected.iter().any(unreadable),
            rejected: measured
                .rejected
                .iter()
                .map(|r| {
                    let path = r.path.display().to_string();
                    (
                        path,
                        r.hdu.clone(),
                        r.reason.name().to_owned(),
                        r.detail.clone(),
                    )
                })
                .collect(),
            rows_len: bytes.len() as u64,
            rows_crc32: crc32(&bytes),
        };
        let failed = |e| Error::io(&self.header, std::io::Error::other(e));
        let mut text = serde_json::to_string(&header).map_err(failed)?;
        text.push_str(&format!("\ncrc32 {:08x}\n", crc32(text.as_bytes())));
        whole::write_bytes(&self.header, text.as_bytes())
    }

    /// The record, if it is whole and of this fingerprint; `None` where the unit is to be measured (again).
    pub fn header(&self, fingerprint: u64) -> Option<UnitHeader> {
        let text = regular::read_to_string(&self.header).ok()?;
        let (json, end) = text.split_once('\n')?;
        if end != format!("crc32 {:08x}\n", crc32(json.as_bytes())) {
            return None;
        }
        let header: UnitHeader = serde_json::from_str(json).ok()?;
        (header.fingerprint == hex(fingerprint)).then_some(header)
    }

    /// The record of a unit that need not be measured again: rows whole, and every file was read.
    pub fn usable(&self, fingerprint: u64) -> Option<UnitHeader> {
        let header = self.header(fingerprint)?;
        let bytes = regular::read(&self.rows).ok()?;
        let is_whole = bytes.len() as u64 == header.rows_len && crc32(&bytes) == header.rows_crc32;
        (is_whole && !header.try_again).then_some(header)
    }

    /// The rows.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`].
    pub fn rows(&self) -> Result<Vec<RvRow>> {
        let table = Table::read(&self.rows)?;
        rv_read::from_table(&table).map_err(|e| Error::format(&self.rows, e.to_string()))
    }
}

fn hex(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

fn crc32(bytes: &[u8]) -> u32 {
    libdeflater::crc32(bytes)
}
