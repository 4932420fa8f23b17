//! One simulated file, byte for byte: a star's exposures of one night in the survey's format.

use super::config::Layout;
use super::content::FileContent;
use super::mrs_tables::{ColumnValues, write_table};
use super::plate::{EXPTIME_S, Exposure};
use super::primary;
use super::spectrum::Simulated;
use crate::Arm;
use crate::fits::header_text::HeaderText;
use crate::lamost::raw::StoredWave;
use crate::numbers::statistics::median_high;
use crate::text::date::iso_of_mjd;

impl FileContent<'_> {
    /// The FITS file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut primary = HeaderText::aligned();
        primary::write(self, &mut primary);
        out.extend(primary.finish());
        if self.coadds {
            for arm in Arm::ALL {
                self.write_coadd(arm, &mut out);
            }
        }
        for arm in Arm::ALL {
            for (exposure, spectra) in &self.exposures {
                self.write_exposure(exposure, &spectra[arm as usize], &mut out);
            }
        }
        out
    }

    fn write_exposure(&self, exposure: &Exposure, spectrum: &Simulated, out: &mut Vec<u8>) {
        let raw = &spectrum.raw;
        let dr9 = self.layout == Layout::Dr9;
        let mut wave: Vec<f32> = match (&raw.pixels.wave, dr9) {
            (StoredWave::Log10(log), false) => log.clone(),
            _ => spectrum
                .log10_wave
                .iter()
                .map(|l| 10f64.powf(*l) as f32)
                .collect(),
        };
        let mut flux = raw.pixels.flux.clone();
        let mut ivar = raw.pixels.ivar.clone();
        let mut mask: Vec<i16> = raw.pixels.masked.iter().map(|m| i16::from(*m)).collect();
        // The red arm is read out towards the blue.
        if raw.arm == Arm::Red {
            wave.reverse();
            flux.reverse();
            ivar.reverse();
            mask.reverse();
        }
        let keys = |h: &mut HeaderText| {
            h.text("EXTNAME", &raw.hdu, "The extension name").text(
                "LMJM",
                &raw.lmjm.to_string(),
                "Local Modified Julian Minute",
            );
            if dr9 {
                let start = exposure.start_local_s();
                h.text(
                    "DATE-BEG",
                    &format!("{}.0", iso_of_mjd(start)),
                    "The exposure start local time",
                )
                .text(
                    "DATE-END",
                    &format!("{}.0", iso_of_mjd(start + EXPTIME_S)),
                    "The exposure end local time",
                );
            }
            h.integer(
                "EXPTIME",
                (2.0 * raw.mid_s) as i64,
                "[s] Exposure duration time",
            )
            .real("SNR", raw.snr, 2, "Signal to noise ratio")
            .text("LAMPLIST", "lampthar.dat", "Arc lamp emission line list");
        };
        let columns = [
            ("FLUX", ColumnValues::F32(&flux)),
            ("IVAR", ColumnValues::F32(&ivar)),
            (
                if dr9 { "WAVELENGTH" } else { "LOGLAM" },
                ColumnValues::F32(&wave),
            ),
            ("PIXMASK", ColumnValues::I16(&mask)),
        ];
        write_table(out, keys, &columns, dr9);
    }

    fn write_coadd(&self, arm: Arm, out: &mut Vec<u8>) {
        let spectra: Vec<&Simulated> = self.exposures.iter().map(|e| &e.1[arm as usize]).collect();
        let coadd = Coadd::new(&spectra);
        let dr9 = self.layout == Layout::Dr9;
        let wave: Vec<f32> = coadd
            .log10_wave
            .iter()
            .map(|l| {
                if dr9 {
                    10f64.powf(*l) as f32
                } else {
                    *l as f32
                }
            })
            .collect();
        let minutes: Vec<String> = spectra.iter().map(|s| s.raw.lmjm.to_string()).collect();
        let keys = |h: &mut HeaderText| {
            h.text(
                "EXTNAME",
                &format!("COADD_{}", arm.letter()),
                "The extension name",
            );
            // Three to a card, numbered when there are more.
            let lists: Vec<String> = minutes.chunks(3).map(|c| c.join("-")).collect();
            for (i, list) in lists.iter().enumerate() {
                let key = if lists.len() == 1 {
                    "LMJMLIST".to_owned()
                } else {
                    format!("LMJMLIS{i}")
                };
                h.text(&key, list, "Local Modified Julian Minute list");
            }
            h.real("SNR", coadd.snr, 2, "Signal to noise ratio").text(
                "LAMPLIST",
                "lampthar.dat",
                "Arc lamp emission line list",
            );
        };
        let no_mask = vec![0i16; wave.len()];
        let columns = [
            ("FLUX", ColumnValues::F32(&coadd.flux)),
            ("IVAR", ColumnValues::F32(&coadd.ivar)),
            (
                if dr9 { "WAVELENGTH" } else { "LOGLAM" },
                ColumnValues::F32(&wave),
            ),
            ("ANDMASK", ColumnValues::I16(&no_mask)),
            ("ORMASK", ColumnValues::I16(&no_mask)),
        ];
        write_table(out, keys, &columns, dr9);
    }
}

/// Mean of exposures, weighted by ivar, on a common grid of 1e-5 in log10(lambda), ascending.
struct Coadd {
    log10_wave: Vec<f64>,
    flux: Vec<f32>,
    ivar: Vec<f32>,
    snr: f64,
}

impl Coadd {
    fn new(spectra: &[&Simulated]) -> Coadd {
        const STEP: f64 = 1e-5;
        let end = |pick: fn(&Vec<f64>) -> Option<&f64>, fold: fn(f64, f64) -> f64, start: f64| {
            spectra
                .iter()
                .filter_map(|s| pick(&s.log10_wave))
                .copied()
                .fold(start, fold)
        };
        let first = (end(|w| w.first(), f64::max, 0.0) / STEP).ceil() as i64;
        let last = (end(|w| w.last(), f64::min, 9.0) / STEP).floor() as i64;
        let log10_wave: Vec<f64> = (first..=last).map(|i| i as f64 * STEP).collect();
        let mut weighted = vec![0.0f64; log10_wave.len()];
        let mut weight = vec![0.0f64; log10_wave.len()];
        for s in spectra {
            let mut pixel = 0;
            for (i, wave) in log10_wave.iter().enumerate() {
                while pixel + 2 < s.log10_wave.len() && s.log10_wave[pixel + 1] < *wave {
                    pixel += 1;
                }
                let t =
                    (wave - s.log10_wave[pixel]) / (s.log10_wave[pixel + 1] - s.log10_wave[pixel]);
                let mix = |v: &[f32]| f64::from(v[pixel]) * (1.0 - t) + f64::from(v[pixel + 1]) * t;
                let ivar = mix(&s.raw.pixels.ivar);
                weighted[i] += ivar * mix(&s.raw.pixels.flux);
                weight[i] += ivar;
            }
        }
        let flux: Vec<f32> = weighted
            .iter()
            .zip(&weight)
            .map(|(f, w)| if *w > 0.0 { (f / w) as f32 } else { 0.0 })
            .collect();
        let mut snr: Vec<f64> = flux
            .iter()
            .zip(&weight)
            .map(|(f, w)| f64::from(*f) * w.sqrt())
            .collect();
        let snr = median_high(&mut snr).unwrap_or(0.0);
        Coadd {
            log10_wave,
            flux,
            ivar: weight.iter().map(|w| *w as f32).collect(),
            snr,
        }
    }
}
