//! The primary header of a simulated file: the survey's keys in the survey's sections.

use super::config::Layout;
use super::content::FileContent;
use super::plate::{EXPTIME_S, LOCAL_MINUS_UTC_S, Star};
use super::sky::{SITE_LATITUDE_DEG, SITE_LONGITUDE_DEG, galactic_deg};
use crate::fits::header_text::HeaderText;
use crate::text::date::iso_of_mjd;

/// Scale of the focal plane, mm to a degree.
const MM_PER_DEG: f64 = 350.0;

/// Adds all keys of the primary header to `h`.
pub fn write(file: &FileContent<'_>, h: &mut HeaderText) {
    // Of the first exposure.
    let start = file.exposures.first().map_or(0, |e| e.0.start_local_s());
    file_information(file, start, h);
    telescope(h);
    times(file, start, h);
    position(file, h);
    fibre(file, h);
    magnitudes(file.star, h);
    exposures(file, h);
    spectrograph(file, h);
    weather(h);
    reduction(file, h);
}

fn file_information(file: &FileContent<'_>, start: i64, h: &mut HeaderText) {
    let hdus = 1 + 2 * file.exposures.len() as i64 + if file.coadds { 2 } else { 0 };
    let (release, made_s) = match file.layout {
        Layout::Dr7 => ("LAMOST DR7", start + 3 * 86_400),
        Layout::Dr9 => ("LAMOST DR9", start + 500 * 86_400),
    };
    let made = iso_of_mjd(made_s);
    let by = "Organization responsible for creating this file";
    h.logical("SIMPLE", true, "Primary Header created by relrv simulate")
        .integer("BITPIX", 16, "")
        .integer("NAXIS", 0, "")
        .logical("EXTEND", true, "Extensions may be present")
        .blank()
        .comment("--------FILE INFORMATION")
        .text("FILENAME", &file.name(), "")
        .integer("OBSID", file.obsid, "Unique number ID of this spectrum")
        .text("AUTHOR", "relrv simulate", "Who compiled the information")
        .text("DATA_V", release, "Data release version imitated")
        .integer("N_EXTEN", hdus, "The extension number")
        .text("EXTNAME", "Information", "The extension name")
        .text("ORIGIN", "SIMULATED", by)
        .text("DATE", &made, "Time when this HDU is created (UTC)");
}

fn telescope(h: &mut HeaderText) {
    h.comment("--------TELESCOPE PARAMETERS")
        .text("TELESCOP", "LAMOST", "GuoShouJing Telescope")
        .real("LONGITUD", SITE_LONGITUDE_DEG, 2, "[deg] Longitude of site")
        .real("LATITUDE", SITE_LATITUDE_DEG, 2, "[deg] Latitude of site")
        .integer("FOCUS", 19964, "[mm] Telescope focus")
        .text("CAMPRO", "NEWCAM", "Camera program name")
        .text("CAMVER", "v2.0", "Camera program version");
}

/// The observation's section begins here and ends with [`exposures`].
fn times(file: &FileContent<'_>, start: i64, h: &mut HeaderText) {
    let start_utc = start - LOCAL_MINUS_UTC_S;
    let median = iso_of_mjd((start_utc + EXPTIME_S / 2) / 60 * 60);
    let local = |s: i64| format!("{}.0", iso_of_mjd(s));
    let (begin, end) = (local(start), local(start + EXPTIME_S));
    let lmjd = file.plate.nights[file.night].lmjd;
    h.comment("--------OBSERVATION PARAMETERS")
        .text("DATE-OBS", &median, "The observation median UTC")
        .text("DATE-BEG", &begin, "The observation start local time")
        .text("DATE-END", &end, "The observation end local time")
        .integer("LMJD", lmjd, "Local Modified Julian Day")
        .integer("MJD", start_utc.div_euclid(86_400), "Modified Julian Day");
}

fn position(file: &FileContent<'_>, h: &mut HeaderText) {
    let (ra, dec) = (file.star.ra_deg, file.star.dec_deg);
    let (gl, gb) = galactic_deg(ra, dec);
    let moved = "Whether there's a offset during observing";
    h.text("PLANID", &file.plate.planid, "Plan ID in use")
        .real("RA", ra, 6, "[deg] Right ascension of object")
        .real("DEC", dec, 6, "[deg] Declination of object")
        .real("RA_OBS", ra, 6, "[deg] Right ascension during observing")
        .real("DEC_OBS", dec, 6, "[deg] Declination during observing")
        .logical("OFFSET", false, moved)
        .real("OFFSET_V", 0.0, 2, "Offset value in arcsecond")
        .real("GL", gl, 6, "[deg] Galactic longitude of object")
        .real("GB", gb, 6, "[deg] Galactic latitude of object");
}

fn fibre(file: &FileContent<'_>, h: &mut HeaderText) {
    let star = file.star;
    let designation = format!("LAMOST {}", star.designation);
    let cell = format!("G{:04}", 1800 + star.fiberid);
    let from_centre_deg = (star.ra_deg - file.plate.ra_deg + 180.0).rem_euclid(360.0);
    let x_mm = MM_PER_DEG * from_centre_deg - MM_PER_DEG * 180.0;
    let y_mm = MM_PER_DEG * (star.dec_deg - file.plate.dec_deg);
    let x_is = "[mm] X coordinate of object on the focal plane";
    let y_is = "[mm] Y coordinate of object on the focal plane";
    let mask_is = "Bitmask of warning values, 0 means all is well";
    h.text("DESIG", &designation, "Designation of LAMOST target")
        .integer("FIBERID", i64::from(star.fiberid), "Fiber ID of Object")
        .text("CELL_ID", &cell, "Fiber Unit ID on the focal plane")
        .real("X_VALUE", x_mm, 3, x_is)
        .real("Y_VALUE", y_mm, 3, y_is)
        .text("OBJNAME", &star.object_name, "Name of object")
        .text("OBJTYPE", "Star", "Object type from input catalog")
        .text("TSOURCE", "SIMULATED", "Name of input catalog")
        .text("TCOMMENT", "", "Target information")
        .text("TFROM", "", "Target catalog")
        .text("FIBERTYP", "Obj", "Fiber type of object")
        .integer("FIBERMAS", 0, mask_is);
}

fn magnitudes(star: &Star, h: &mut HeaderText) {
    let magnitude = 15.5 - 5.0 * (star.snr / 10.0).log10() / 2.0;
    h.text("MAGTYPE", "G", "Magnitude type of object").real(
        "MAG1",
        magnitude,
        2,
        "[mag] Mag1 of object",
    );
    for i in 2..=7 {
        let (key, about) = (format!("MAG{i}"), format!("[mag] Mag{i} of object"));
        h.real(&key, 99.0, 2, &about);
    }
}

fn exposures(file: &FileContent<'_>, h: &mut HeaderText) {
    let n = file.exposures.len() as i64;
    let kind = "The type of target (OBJ, FLAT, ARC or BIAS)";
    let has_blue = "Whether the combined data of B band exists";
    let has_red = "Whether the combined data of R band exists";
    h.text("OBS_TYPE", "OBJ", kind)
        .text("OBSCOMM", "Science", "Science or Test")
        .text("RADECSYS", "FK5", "Equatorial coordinate system")
        .real("EQUINOX", 2000.0, 2, "Equinox in years")
        .text("SKYLIST", "skylines.dat", "Sky emission line list")
        .integer("NEXP_B", n, "Number of valid blue exposures")
        .logical("COMBIN_B", file.coadds, has_blue)
        .integer("NEXP_R", n, "Number of valid red exposures")
        .logical("COMBIN_R", file.coadds, has_red)
        .real("SCAMEAN", 20.0, 2, "[ADU] Mean level of scatter light");
}

fn spectrograph(file: &FileContent<'_>, h: &mut HeaderText) {
    let this = &file.plate.spectrographs[file.star.spectrograph];
    let (ra, dec) = (this.ra_deg, this.dec_deg);
    h.comment("--------SPECTROGRAPH PARAMETERS")
        .integer("SPID", i64::from(this.spid), "Spectrograph ID")
        .real("SPRA", ra, 7, "[deg] Average RA of this spectrograph")
        .real("SPDEC", dec, 7, "[deg] Average DEC of this spectrograph")
        .text("SLIT_MOD", "x2/3", "Slit mode, x1, x2/3 or x1/2");
}

fn weather(h: &mut HeaderText) {
    let moon = "[day] Moon phase for a 29.53 days period";
    let plane = "[degree celsius] Temprature of the focalplane";
    h.comment("--------WEATHER CONDITION")
        .real("SEEING", 2.84, 2, "[arcsec] Seeing during exposure")
        .real("MOONPHA", 13.42, 2, moon)
        .real("TEMP_AIR", 18.43, 2, "[deg] Temperature outside dome")
        .real("TEMP_FP", 0.0, 2, plane)
        .real("DEWPOINT", 7.88, 2, "[deg]")
        .text("DUST", "", "Reservation")
        .real("HUMIDITY", 50.17, 2, "")
        .real("WINDD", 138.29, 2, "[deg] Wind direction")
        .real("WINDS", 0.56, 2, "[m/s] Wind speed")
        .text("SKYLEVEL", "", "Reservation");
}

fn reduction(file: &FileContent<'_>, h: &mut HeaderText) {
    // The sign of the public files: the telescope's velocity away from the star.
    let helio_rv = -file.heliocentric_km_s;
    h.comment("--------DATA REDUCTION PARAMETERS")
        .text("EXTRACT", "aperture", "Extraction method")
        .logical("SFLATTEN", true, "Super flat has been applied")
        .logical("PCASKYSB", true, "PCA sky-subtraction has been applied")
        .integer("NSKIES", 18, "Sky fiber number")
        .real("SKYCHI2", 2.0, 1, "Mean chi^2 of sky-subtraction")
        .logical("HELIO", true, "Heliocentric correction")
        .real("HELIO_RV", helio_rv, 5, "[km/s] Heliocentric correction")
        .logical("VACUUM", true, "Wavelengths are in vacuum");
}
