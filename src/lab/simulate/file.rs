//! One simulated file, byte for byte: a star's exposures of one night in the survey's format.

use super::config::Layout;
use super::mrs_tables::{ColumnValues, write_table};
use super::plate::{EXPTIME_S, Exposure, LOCAL_MINUS_UTC_S, Plate, Star};
use super::sky::{SITE_LATITUDE_DEG, SITE_LONGITUDE_DEG, galactic_deg};
use super::spectrum::Simulated;
use crate::Arm;
use crate::fits::header_text::HeaderText;
use crate::lamost::raw::StoredWave;
use crate::text::date::iso_of_mjd;

/// What the file is about.
pub struct FileContent<'a> {
    /// Plate.
    pub plate: &'a Plate,
    /// Star.
    pub star: &'a Star,
    /// Index of the night.
    pub night: usize,
    /// Unique number of the observation.
    pub obsid: i64,
    /// Table layout.
    pub layout: Layout,
    /// Whether coadded spectra are written.
    pub coadds: bool,
    /// Correction of the first exposure to the Sun, km/s.
    pub heliocentric_km_s: f64,
    /// Exposures with their spectra, arms in the order of [`Arm::ALL`], in order of time; at least one.
    pub exposures: Vec<(Exposure, [Simulated; 2])>,
}

impl FileContent<'_> {
    /// Name of the file without the ending `.gz`.
    pub fn name(&self) -> String {
        format!(
            "med-{}-{}_sp{:02}-{:03}.fits",
            self.plate.nights[self.night].lmjd,
            self.plate.planid,
            self.plate.spectrographs[self.star.spectrograph].spid,
            self.star.fiberid
        )
    }

    /// The FITS file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.primary().finish());
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

    fn primary(&self) -> HeaderText {
        let star = self.star;
        let spectrograph = &self.plate.spectrographs[star.spectrograph];
        let n = self.exposures.len() as i64;
        let hdus = 1 + 2 * n + if self.coadds { 2 } else { 0 };
        let start = self.exposures.first().map_or(0, |e| e.0.start_local_s());
        let (gl, gb) = galactic_deg(star.ra_deg, star.dec_deg);
        let (release, made_s) = match self.layout {
            Layout::Dr7 => ("LAMOST DR7", start + 3 * 86_400),
            Layout::Dr9 => ("LAMOST DR9", start + 500 * 86_400),
        };
        // Focal plane: 350 mm to a degree.
        let x_mm =
            350.0 * (star.ra_deg - self.plate.ra_deg + 180.0).rem_euclid(360.0) - 350.0 * 180.0;
        let y_mm = 350.0 * (star.dec_deg - self.plate.dec_deg);
        let magnitude = 15.5 - 5.0 * (star.snr / 10.0).log10() / 2.0;

        let mut h = HeaderText::aligned();
        h.logical("SIMPLE", true, "Primary Header created by relrv simulate")
            .integer("BITPIX", 16, "")
            .integer("NAXIS", 0, "")
            .logical("EXTEND", true, "Extensions may be present")
            .blank()
            .comment("--------FILE INFORMATION")
            .text("FILENAME", &self.name(), "")
            .integer("OBSID", self.obsid, "Unique number ID of this spectrum")
            .text("AUTHOR", "relrv simulate", "Who compiled the information")
            .text("DATA_V", release, "Data release version imitated")
            .integer("N_EXTEN", hdus, "The extension number")
            .text("EXTNAME", "Information", "The extension name")
            .text(
                "ORIGIN",
                "SIMULATED",
                "Organization responsible for creating this file",
            )
            .text(
                "DATE",
                &iso_of_mjd(made_s),
                "Time when this HDU is created (UTC)",
            )
            .comment("--------TELESCOPE PARAMETERS")
            .text("TELESCOP", "LAMOST", "GuoShouJing Telescope")
            .real("LONGITUD", SITE_LONGITUDE_DEG, 2, "[deg] Longitude of site")
            .real("LATITUDE", SITE_LATITUDE_DEG, 2, "[deg] Latitude of site")
            .integer("FOCUS", 19964, "[mm] Telescope focus")
            .text("CAMPRO", "NEWCAM", "Camera program name")
            .text("CAMVER", "v2.0", "Camera program version")
            .comment("--------OBSERVATION PARAMETERS");
        let median_utc = (start - LOCAL_MINUS_UTC_S + EXPTIME_S / 2) / 60 * 60;
        let night = &self.plate.nights[self.night];
        h.text(
            "DATE-OBS",
            &iso_of_mjd(median_utc),
            "The observation median UTC",
        )
        .text(
            "DATE-BEG",
            &format!("{}.0", iso_of_mjd(start)),
            "The observation start local time",
        )
        .text(
            "DATE-END",
            &format!("{}.0", iso_of_mjd(start + EXPTIME_S)),
            "The observation end local time",
        )
        .integer("LMJD", night.lmjd, "Local Modified Julian Day")
        .integer(
            "MJD",
            (start - LOCAL_MINUS_UTC_S).div_euclid(86_400),
            "Modified Julian Day",
        )
        .text("PLANID", &self.plate.planid, "Plan ID in use")
        .real("RA", star.ra_deg, 6, "[deg] Right ascension of object")
        .real("DEC", star.dec_deg, 6, "[deg] Declination of object")
        .real(
            "RA_OBS",
            star.ra_deg,
            6,
            "[deg] Right ascension during observing",
        )
        .real(
            "DEC_OBS",
            star.dec_deg,
            6,
            "[deg] Declination during observing",
        )
        .logical("OFFSET", false, "Whether there's a offset during observing")
        .real("OFFSET_V", 0.0, 2, "Offset value in arcsecond")
        .real("GL", gl, 6, "[deg] Galactic longitude of object")
        .real("GB", gb, 6, "[deg] Galactic latitude of object")
        .text(
            "DESIG",
            &format!("LAMOST {}", star.designation),
            "Designation of LAMOST target",
        )
        .integer("FIBERID", star.fiberid, "Fiber ID of Object")
        .text(
            "CELL_ID",
            &format!("G{:04}", 1800 + star.fiberid),
            "Fiber Unit ID on the focal plane",
        )
        .real(
            "X_VALUE",
            x_mm,
            3,
            "[mm] X coordinate of object on the focal plane",
        )
        .real(
            "Y_VALUE",
            y_mm,
            3,
            "[mm] Y coordinate of object on the focal plane",
        )
        .text("OBJNAME", &star.object_name, "Name of object")
        .text("OBJTYPE", "Star", "Object type from input catalog")
        .text("TSOURCE", "SIMULATED", "Name of input catalog")
        .text("TCOMMENT", "", "Target information")
        .text("TFROM", "", "Target catalog")
        .text("FIBERTYP", "Obj", "Fiber type of object")
        .integer(
            "FIBERMAS",
            0,
            "Bitmask of warning values, 0 means all is well",
        )
        .text("MAGTYPE", "G", "Magnitude type of object")
        .real("MAG1", magnitude, 2, "[mag] Mag1 of object");
        for i in 2..=7 {
            h.real(
                &format!("MAG{i}"),
                99.0,
                2,
                &format!("[mag] Mag{i} of object"),
            );
        }
        h.text(
            "OBS_TYPE",
            "OBJ",
            "The type of target (OBJ, FLAT, ARC or BIAS)",
        )
        .text("OBSCOMM", "Science", "Science or Test")
        .text("RADECSYS", "FK5", "Equatorial coordinate system")
        .real("EQUINOX", 2000.0, 2, "Equinox in years")
        .text("SKYLIST", "skylines.dat", "Sky emission line list")
        .integer("NEXP_B", n, "Number of valid blue exposures")
        .logical(
            "COMBIN_B",
            self.coadds,
            "Whether the combined data of B band exists",
        )
        .integer("NEXP_R", n, "Number of valid red exposures")
        .logical(
            "COMBIN_R",
            self.coadds,
            "Whether the combined data of R band exists",
        )
        .real("SCAMEAN", 20.0, 2, "[ADU] Mean level of scatter light")
        .comment("--------SPECTROGRAPH PARAMETERS")
        .integer("SPID", spectrograph.spid, "Spectrograph ID")
        .real(
            "SPRA",
            spectrograph.ra_deg,
            7,
            "[deg] Average RA of this spectrograph",
        )
        .real(
            "SPDEC",
            spectrograph.dec_deg,
            7,
            "[deg] Average DEC of this spectrograph",
        )
        .text("SLIT_MOD", "x2/3", "Slit mode, x1, x2/3 or x1/2")
        .comment("--------WEATHER CONDITION")
        .real("SEEING", 2.84, 2, "[arcsec] Seeing during exposure")
        .real(
            "MOONPHA",
            13.42,
            2,
            "[day] Moon phase for a 29.53 days period",
        )
        .real("TEMP_AIR", 18.43, 2, "[deg] Temperature outside dome")
        .real(
            "TEMP_FP",
            0.0,
            2,
            "[degree celsius] Temprature of the focalplane",
        )
        .real("DEWPOINT", 7.88, 2, "[deg]")
        .text("DUST", "", "Reservation")
        .real("HUMIDITY", 50.17, 2, "")
        .real("WINDD", 138.29, 2, "[deg] Wind direction")
        .real("WINDS", 0.56, 2, "[m/s] Wind speed")
        .text("SKYLEVEL", "", "Reservation")
        .comment("--------DATA REDUCTION PARAMETERS")
        .text("EXTRACT", "aperture", "Extraction method")
        .logical("SFLATTEN", true, "Super flat has been applied")
        .logical("PCASKYSB", true, "PCA sky-subtraction has been applied")
        .integer("NSKIES", 18, "Sky fiber number")
        .real("SKYCHI2", 2.0, 1, "Mean chi^2 of sky-subtraction")
        .logical("HELIO", true, "Heliocentric correction")
        // The sign of the public files: the telescope's velocity away from the star.
        .real(
            "HELIO_RV",
            -self.heliocentric_km_s,
            5,
            "[km/s] Heliocentric correction",
        )
        .logical("VACUUM", true, "Wavelengths are in vacuum");
        h
    }

    fn write_exposure(&self, exposure: &Exposure, spectrum: &Simulated, out: &mut Vec<u8>) {
        let raw = &spectrum.raw;
        let dr9 = self.layout == Layout::Dr9;
        let mut wave: Vec<f32> = match (&raw.wave, dr9) {
            (StoredWave::Log10(log), false) => log.clone(),
            _ => spectrum
                .log10_wave
                .iter()
                .map(|l| 10f64.powf(*l) as f32)
                .collect(),
        };
        let mut flux = raw.flux.clone();
        let mut ivar = raw.ivar.clone();
        let mut mask: Vec<i16> = raw.masked.iter().map(|m| i16::from(*m)).collect();
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
                let ivar = mix(&s.raw.ivar);
                weighted[i] += ivar * mix(&s.raw.flux);
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
        let middle = snr.len() / 2;
        let snr = match snr.is_empty() {
            true => 0.0,
            false => *snr.select_nth_unstable_by(middle, f64::total_cmp).1,
        };
        Coadd {
            log10_wave,
            flux,
            ivar: weight.iter().map(|w| *w as f32).collect(),
            snr,
        }
    }
}
