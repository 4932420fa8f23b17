//! `relrv validate end-to-end`: a simulated plate through the main job, against its truth; and from its products the
//! counterparts of the paper's figures 3 to 7 and table 2.

use std::io::Write;
use std::path::Path;

use crate::calibrate::arms::CalibrateOptions;
use crate::files::whole;
use crate::lab::simulate::{self, Config};
use crate::lab::validate::end_to_end::figures;
use crate::lab::validate::end_to_end::score::{Comparison, compare};
use crate::lab::validate::end_to_end::tables::{facts, grids, table};
use crate::lab::validate::progress::{Progress, Steps};
use crate::lab::validate::section::{Section, drawn, write_numbers};
use crate::likelihood::{Cpu, Likelihood};
use crate::measure::MeasureConfig;
use crate::report::finished::Finished;
use crate::report::{self, plot::Figure};
use crate::run::{self, ProductFormat, RunConfig};
use crate::{Error, Result};

/// The plate that is made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Spectrographs (1-16).
    pub spectrographs: usize,
    /// Stars in each spectrograph (1-250).
    pub stars: usize,
    /// Nights.
    pub nights: usize,
    /// Exposures in each night (1-25).
    pub exposures: usize,
    /// Random seed.
    pub seed: u64,
    /// The simulated spectra (50 kB each) are kept.
    pub keep_spectra: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            spectrographs: 16,
            stars: 20,
            nights: 6,
            exposures: 4,
            seed: 1,
            keep_spectra: false,
        }
    }
}

/// Range of signal-to-noise ratios: from the paper's least to bright stars.
const SNR: (f64, f64) = (6.0, 120.0);

/// Figures of the run's report that stand for the paper's, with the names they get here.
const OF_PAPER: [(&str, &str); 4] = [
    ("zero_points", "figure3"),
    ("errors", "figure4"),
    ("scatter", "figure5"),
    ("fibres", "figure6_7"),
];

/// Makes the plate in `out/plate`, runs it in `out/run`, compares; writes `end-to-end.csv`, `end-to-end.json`,
/// `zero-points.csv`, figures and `tables.md` in `out`, and tells the numbers.
///
/// # Errors
/// Those of the simulation and of the run; products that cannot be written.
pub fn run(
    settings: &Settings,
    out: &Path,
    progress: &dyn Progress,
    told: &mut dyn Write,
) -> Result<Section> {
    let (plate, products_dir) = (out.join("plate"), out.join("run"));
    let mut steps = Steps::new(progress, "end-to-end", 4);
    let again = start_anew(out)?;
    simulate::run(&Config {
        out: plate.clone(),
        seed: settings.seed,
        stars: settings.stars,
        nights: settings.nights,
        exposures: settings.exposures,
        spectrographs: settings.spectrographs,
        snr: SNR,
        ..Config::default()
    })?;
    steps.step("plate made");
    let config = RunConfig {
        inputs: vec![plate.clone()],
        out: products_dir.clone(),
        measure: MeasureConfig::default(),
        calibrate: CalibrateOptions::default(),
        formats: vec![ProductFormat::Fits],
        flags_text: false,
        overwrite: again,
        backend: Cpu.name(),
    };
    let done = run::run(&config, &Cpu, &())?;
    if done.record.counts.measured == 0 {
        return Err(Error::NothingUsable(
            "no simulated spectrum could be measured".to_owned(),
        ));
    }
    steps.step("measured and calibrated");
    report::write(&products_dir)?;
    steps.step("report written");
    let comparison = compare(&plate, &products_dir)?;
    let products = Finished::read(&products_dir)?;
    let section = section(settings, out, &comparison, &products)?;
    if !settings.keep_spectra {
        remove_spectra(&plate, false)?;
    }
    steps.step("compared");
    // What was found is written; a closed output is no error.
    let _ = write!(told, "{}", section.markdown());
    Ok(section)
}

fn section(
    settings: &Settings,
    out: &Path,
    comparison: &Comparison,
    products: &Finished,
) -> Result<Section> {
    let command = format!(
        "relrv validate end-to-end --spectrographs {} --stars {} --nights {} --exposures {} --seed {}",
        settings.spectrographs, settings.stars, settings.nights, settings.exposures, settings.seed
    );
    let mut section = Section::new("end-to-end", command);
    write_numbers(out, "end-to-end", &table(comparison), Default::default())?;
    write_zero_points(comparison, &out.join("zero-points.csv"))?;
    section.grids = grids(comparison, products);
    section.facts = facts(comparison, products);
    let drawings = report::shown(products, out)?;
    for (of_report, name) in OF_PAPER {
        let figure = report::drawn(&drawings).find(|f| f.name == of_report);
        section.figures.extend(figure.map(|f| Figure {
            name,
            title: f.title,
            caption: f.caption.clone(),
            svg: f.svg.clone(),
        }));
    }
    for figure in [
        figures::zero_point_errors(comparison),
        figures::pulls(comparison),
    ] {
        section.figures.push(drawn(out, figure)?);
    }
    section.write(out)?;
    Ok(section)
}

fn write_zero_points(comparison: &Comparison, path: &Path) -> Result<()> {
    let all = &comparison.zero_points;
    let mut t = crate::table::Table::new();
    t.push_text(
        "arm",
        "",
        "blue or red",
        all.iter().map(|z| z.arm.name().to_owned()).collect(),
    );
    t.push_i64(
        "spid",
        "",
        "spectrograph",
        all.iter().map(|z| z.spid).collect(),
    );
    t.push_i64(
        "lmjm",
        "min",
        "local Modified Julian Minute",
        all.iter().map(|z| z.lmjm).collect(),
    );
    t.push_f64(
        "zp_true",
        "km/s",
        "injected, less the component's mean",
        all.iter().map(|z| z.true_km_s).collect(),
    );
    t.push_f64(
        "zp_error",
        "km/s",
        "found less injected, less the component's mean",
        all.iter().map(|z| z.error_km_s).collect(),
    );
    t.push_f64(
        "zp_err",
        "km/s",
        "quoted error",
        all.iter().map(|z| z.quoted_km_s).collect(),
    );
    t.write(path)
}

/// Name of a file that is put into the output directory by the first call. Where it is, `plate` and `run` beside it were made by this
/// test, and may be replaced.
const MARK: &str = "made-by-end-to-end";

/// Whether an earlier call made what is there; then its plate is removed. Without its mark nothing is removed: what lies there
/// is somebody's, and the simulation and the run refuse to mix with it.
fn start_anew(out: &Path) -> Result<bool> {
    let mark = out.join(MARK);
    let again = mark.is_file();
    if again {
        remove_spectra(&out.join("plate"), true)?;
        simulate::forget(&out.join("plate"))?;
    } else {
        std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
        for name in ["plate", "run"] {
            let dir = out.join(name);
            if std::fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(Error::Config(format!(
                    "{}: is not empty, and was not made by this test; name another --out",
                    dir.display()
                )));
            }
        }
        whole::write_bytes(
            &mark,
            b"relrv validate end-to-end made plate and run, and makes them anew\n",
        )?;
    }
    Ok(again)
}

/// Removes the simulated spectra of an earlier call, and its truth if `truth`; nothing else.
fn remove_spectra(plate: &Path, truth: bool) -> Result<()> {
    let entries = match std::fs::read_dir(plate) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| Error::io(plate, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(plate, e))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let spectra = name.starts_with("med-") && name.ends_with(".fits.gz");
        if spectra || (truth && name == "truth.csv") {
            let path = entry.path();
            std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
        }
    }
    Ok(())
}
