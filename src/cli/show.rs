//! `relrv show`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use super::Outcome;
use super::which_star::{Which, meant, unnamed};
use crate::files::workplace::Workplace;
use crate::measure::seen::{SeenSpectrum, SeenStar};
use crate::report::one_star::{self, OneStar, Shown, Spectra, Spectrum, Whose};
use crate::run::{self, Which as WhichStar};
use crate::text::plain;
use crate::{Arm, Error, Result, RunOptions, tell};

/// Show one star: its velocities, what their flags say and what to do about them, as text and as a page with its spectra.
///
/// The page has both arms' velocities before and after calibration, the curve folded with the star's period where one was found, the
/// numbers, and of each exposure the spectrum over its reference, residuals, what does not count and why, the water lines that were divided
/// out, and the likelihood. Its figures lie beside it as SVG. The products of a run keep no spectra: they are measured again from the files,
/// which takes a second or two.
///
/// STAR is a name (designation, desig, objname, uqid, gaia_source_id), the beginning of a designation, an obsid, a position within 3
/// arcsec ("16:03:05.1 +37:12:00" or "240.7712 37.2"), or one of the star's files.
#[derive(Debug, Args)]
#[command(
    override_usage = "relrv show [OPTIONS] DIR STAR\n       relrv show [OPTIONS] FILE...",
    after_help = "Examples:\n  relrv show out J044947.29+370610.1 --open\n  relrv show out \"16:03:05.1 +37:12:00\" --exposure 84420148 --arm red\n  \
                  relrv show med-58630-TD*_sp01-012.fits.gz\n\nThe page is DIR/show/NAME.html, its figures are in DIR/show/NAME; with FILE... show/NAME.html here."
)]
pub struct ShowArgs {
    /// Directory of a finished run and which of its stars; or files of a star, which are measured first.
    #[arg(value_name = "DIR STAR | FILE", required = true, num_args = 1..)]
    what: Vec<OsString>,
    /// One arm alone.
    #[arg(long, value_enum)]
    arm: Option<Which>,
    /// One exposure alone, by its minute. Without it spectra of 12 exposures are shown at most.
    #[arg(long, value_name = "LMJM")]
    exposure: Option<i64>,
    /// Where the page goes: a file that ends with .html, or a directory.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Open the page when it is written.
    #[arg(long)]
    open: bool,
    /// Print the text and write no page.
    #[arg(long, conflicts_with_all = ["open", "out"])]
    text: bool,
}

impl ShowArgs {
    /// Prints the text, and writes the page.
    pub fn run(self) -> Result<Outcome> {
        let (first, rest) = match self.what.split_first() {
            Some((first, rest)) => (Path::new(first), rest),
            // The command line lets none pass.
            None => return Ok(Outcome::Done),
        };
        if first.is_file() {
            return self.measured_now();
        }
        if rest.is_empty() {
            return Err(no_star(first));
        }
        // The products must not change meanwhile.
        let _lock = Workplace::open_if_kept(first, "run")?;
        meant(first, rest, |dir, star| self.one(dir, star, dir))
    }

    /// Measures files and shows their stars.
    fn measured_now(&self) -> Result<Outcome> {
        let folder =
            tempfile::tempdir().map_err(|e| Error::io(Path::new("a temporary directory"), e))?;
        let dir = folder.path().join("out");
        let summary = crate::run(&RunOptions::new(self.what.iter().map(PathBuf::from), &dir))?;
        for line in &summary.rejected {
            tell::alert!("not used: {line}");
        }
        if summary.n_measured == 0 {
            let why = "nothing could be measured of these files";
            return Err(Error::NothingUsable(why.to_owned()));
        }
        for star in one_star::stars(&dir)? {
            self.one(&dir, Whose::Called(&star), Path::new(""))?;
        }
        Ok(Outcome::Done)
    }

    /// Shows a star of the run in `dir`; its page goes below `place` if nobody says where.
    fn one(&self, dir: &Path, star: Whose<'_>, place: &Path) -> Result<Outcome> {
        let shown = Shown {
            star,
            arm: self.arm.map(Into::into),
            lmjm: self.exposure,
        };
        let star = OneStar::find(dir, &shown)?;
        tell::product(star.text().as_bytes())?;
        if self.text {
            return Ok(Outcome::Done);
        }
        let (name, lmjm) = (star.designation(), star.lmjm());
        let path = match &self.out {
            Some(out) => one_star::path_in(out, name, lmjm),
            None => one_star::usual_path(place, name, lmjm),
        };
        let spectra = spectra(dir, &star);
        if let Spectra::Missing(why) = &spectra {
            tell::alert!("the page has no spectra: {why}");
        }
        star.write_page(&path, &spectra)?;
        tell::say!("\npage    {}", plain::path(&path));
        if self.open {
            open(&path);
        }
        Ok(Outcome::Done)
    }
}

/// Says what is expected of the words after the command.
fn no_star(dir: &Path) -> Error {
    match dir.is_dir() {
        true => unnamed("show", dir),
        false => Error::NoRun(format!(
            "{}: expected the directory of a finished run and a star, or files of spectra",
            plain::path(dir)
        )),
    }
}

/// The spectra of a star, measured again.
fn spectra(dir: &Path, star: &OneStar) -> Spectra {
    let (minutes, arms) = star.wanted();
    let which = WhichStar {
        designation: star.designation(),
        units: star.units(),
    };
    match run::see(dir, &which, |lmjm| minutes.contains(&lmjm)) {
        Ok(seen) => shown(seen, arms),
        Err(error) => Spectra::Missing(error.to_string()),
    }
}

fn shown(seen: SeenStar, arms: &[Arm]) -> Spectra {
    let line = |r: &crate::lamost::raw::Rejection| r.to_string();
    let rejected = seen.rejected.iter().map(line).collect();
    let spectra = seen.spectra.into_iter().filter(|s| arms.contains(&s.arm));
    Spectra::Seen {
        spectra: spectra.map(spectrum).collect(),
        rejected,
    }
}

fn spectrum(s: SeenSpectrum) -> Spectrum {
    Spectrum {
        arm: s.arm,
        place: format!("{} [{}]", s.path.display(), s.hdu),
        lmjm: s.lmjm,
        fibre: (s.spid, s.fiberid),
        rv_km_s: s.measurement.rv_km_s,
        rv_err_km_s: s.measurement.rv_err_own_km_s,
        chi2_red: s.measurement.chi2_red,
        n_pix: s.measurement.n_pix,
        n_reference: s.n_reference,
        compared: s.compared,
        stored: s.stored,
        water: s.water,
        water_mm: s.water_mm,
        curves: s.curves,
    }
}

/// Program that opens a page, and the words before it.
fn opener() -> (&'static str, &'static [&'static str]) {
    match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    }
}

/// Opens a page. Where that fails the page is there all the same, so it is only said.
fn open(path: &Path) {
    let (program, words) = opener();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let status = Command::new(program)
        .args(words)
        .arg::<&OsStr>(absolute.as_ref())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let why = match status {
        Ok(status) if status.success() => return,
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    tell::alert!("{program} did not open the page ({why}): open it in a browser");
}
