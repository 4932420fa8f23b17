//! Public LAMOST files, where `RELRV_REAL_DATA` names a folder of them.

use std::path::PathBuf;

use fitsio::FitsFile;

use crate::Arm;
use crate::lamost::inflate::Inflater;
use crate::lamost::inputs;
use crate::lamost::mrs::{read_file, read_header};
use crate::lamost::raw::StoredWave;

/// The real files; empty, with a line on stderr, where there are none.
fn real_files() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("RELRV_REAL_DATA") else {
        eprintln!("skipped: RELRV_REAL_DATA names no folder of LAMOST files");
        return Vec::new();
    };
    let (files, rejected) = inputs::expand(&[PathBuf::from(folder)]);
    assert_eq!(rejected, []);
    assert!(!files.is_empty());
    files
}

#[test]
fn every_exposure_is_read() {
    let mut inflater = Inflater::new();
    for path in real_files() {
        let file = read_file(&path, &mut inflater).unwrap();
        assert_eq!(file.rejected, []);
        assert_eq!(read_header(&path, &mut inflater).unwrap(), file.header);
        assert!((0.0..360.0).contains(&file.header.ra_deg));
        assert!(file.header.obsid > 0 && file.header.spid > 0 && file.header.fiberid > 0);
        let name = path.to_string_lossy();
        assert!(name.contains(&format!(
            "med-{}-{}_sp",
            file.header.lmjd, file.header.planid
        )));
        let n_blue = file.spectra.iter().filter(|s| s.arm == Arm::Blue).count();
        let n_red = file.spectra.iter().filter(|s| s.arm == Arm::Red).count();
        assert_eq!(n_blue, n_red);
        assert!((3..=4).contains(&n_blue), "{n_blue} exposures");
        for s in &file.spectra {
            assert_eq!(s.pixels.flux.len(), 4136);
            assert!(!s.time_uncertain && !s.frame_doubtful);
            assert_eq!(s.helio_rv_km_s, file.header.frame.helio_rv_km_s);
            // Half of 600 or 1200 s, and seconds where the header has them (astropy: 15 and 52 s after the minute at least).
            let has_seconds = file.header.lmjd == 58149;
            match has_seconds {
                true => assert!((300.0..360.0).contains(&s.mid_s), "{}", s.mid_s),
                false => assert_eq!(s.mid_s, 600.0),
            }
            assert!(s.snr > 3.0);
            assert_eq!(s.hdu, format!("{}-{}", s.arm.letter(), s.lmjm));
            let wave_aa: Vec<f64> = match &s.pixels.wave {
                StoredWave::Log10(wave) => wave.iter().map(|w| 10f64.powf(f64::from(*w))).collect(),
                StoredWave::Linear(wave) => wave.clone(),
            };
            assert!(wave_aa.is_sorted());
            let (low, high) = s.arm.window_aa();
            assert!(wave_aa[0] < low && wave_aa[4135] > high);
        }
    }
}

#[test]
fn cfitsio_reads_the_same() {
    let mut inflater = Inflater::new();
    for path in real_files() {
        let file = read_file(&path, &mut inflater).unwrap();
        // One row of vectors is read by `layouts`.
        if matches!(file.spectra[0].pixels.wave, StoredWave::Linear(_)) {
            continue;
        }
        let mut other = FitsFile::open(&path).unwrap();
        for s in &file.spectra {
            let hdu = other.hdu(s.hdu.as_str()).unwrap();
            let column = |other: &mut FitsFile, name: &str| -> Vec<f32> {
                let mut x: Vec<f32> = hdu.read_col(other, name).unwrap();
                if s.arm == Arm::Red {
                    x.reverse();
                }
                x
            };
            assert_eq!(
                bits(&column(&mut other, "FLUX")),
                bits(&s.pixels.flux),
                "{}",
                s.hdu
            );
            assert_eq!(
                bits(&column(&mut other, "IVAR")),
                bits(&s.pixels.ivar),
                "{}",
                s.hdu
            );
            let StoredWave::Log10(wave) = &s.pixels.wave else {
                panic!("files with rows have LOGLAM")
            };
            assert_eq!(bits(&column(&mut other, "LOGLAM")), bits(wave), "{}", s.hdu);
            let mask = column(&mut other, "PIXMASK")
                .iter()
                .map(|&m| m != 0.0)
                .collect::<Vec<_>>();
            assert_eq!(mask, s.pixels.masked, "{}", s.hdu);
            assert_eq!(
                hdu.read_key::<String>(&mut other, "LMJM").unwrap(),
                s.lmjm.to_string()
            );
            assert_eq!(hdu.read_key::<f64>(&mut other, "SNR").unwrap(), s.snr);
        }
    }
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}
