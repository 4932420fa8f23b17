//! `relrv validate end-to-end`: a simulated plate through the main job, against its truth; and from its products the
//! counterparts of the paper's figures 3 to 7 and table 2.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::calibrate::arms::CalibrateConfig;
use crate::files::whole;
use crate::lab::simulate::{self, Config};
use crate::lab::validate::end_to_end::figures;
use crate::lab::validate::end_to_end::score::{Comparison, compare};
use crate::lab::validate::end_to_end::tables::{facts, grids, table};
use crate::lab::validate::progress::Progress;
use crate::lab::validate::section::{Section, drawn, write_numbers};
use crate::likelihood::{Cpu, Likelihood};
use crate::measure::MeasureConfig;
use crate::report::products::Products;
use crate::report::{self, plot::Figure};
use crate::run::{self, ProductFormat, RunConfig};
use crate::{Error, Result};

/// Options of `relrv validate end-to-end`.
#[derive(Clone, Debug, clap::Args)]
pub struct EndToEndArgs {
    /// Directory for figures and numbers; the plate is made in DIR/plate, the run in DIR/run
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Spectrographs (1-16)
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub spectrographs: usize,
    /// Stars in each spectrograph (1-250)
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub stars: usize,
    /// Nights
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub nights: usize,
    /// Exposures in each night (1-25)
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub exposures: usize,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Keep the simulated spectra (50 kB each)
    #[arg(long)]
    pub keep_spectra: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
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

/// Simulates, runs, compares; writes `end-to-end.csv`, `end-to-end.json`, `zero-points.csv`, figures and `tables.md`, and
/// tells the numbers.
///
/// # Errors
/// Those of the simulation and of the run; products that cannot be written.
pub fn run(args: &EndToEndArgs, told: &mut dyn Write) -> Result<Section> {
    let (plate, products_dir) = (args.out.join("plate"), args.out.join("run"));
    let mut progress = Progress::new("end-to-end", 4, args.quiet);
    let again = start_anew(&args.out)?;
    simulate::run(&Config {
        out: plate.clone(),
        seed: args.seed,
        stars: args.stars,
        nights: args.nights,
        exposures: args.exposures,
        spectrographs: args.spectrographs,
        snr: SNR,
        ..Config::default()
    })?;
    progress.step("plate made");
    let config = RunConfig {
        inputs: vec![plate.clone()],
        out: products_dir.clone(),
        measure: MeasureConfig::usual()?,
        calibrate: CalibrateConfig::default(),
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
    progress.step("measured and calibrated");
    report::write(&products_dir)?;
    progress.step("report written");
    let comparison = compare(&plate, &products_dir)?;
    let products = Products::read(&products_dir)?;
    let section = section(args, &comparison, &products)?;
    if !args.keep_spectra {
        remove_spectra(&plate, false)?;
    }
    progress.step("compared");
    drop(progress);
    if !args.quiet {
        // What was found is written; a closed output is no error.
        let _ = write!(told, "{}", section.markdown());
    }
    Ok(section)
}

fn section(args: &EndToEndArgs, comparison: &Comparison, products: &Products) -> Result<Section> {
    let command = format!(
        "relrv validate end-to-end --spectrographs {} --stars {} --nights {} --exposures {} --seed {}",
        args.spectrographs, args.stars, args.nights, args.exposures, args.seed
    );
    let mut section = Section::new("end-to-end", command);
    write_numbers(
        &args.out,
        "end-to-end",
        &table(comparison),
        Default::default(),
    )?;
    write_zero_points(comparison, &args.out.join("zero-points.csv"))?;
    section.grids = grids(comparison, products);
    section.facts = facts(comparison, products);
    let drawings = report::figures(products, &args.out)?;
    for (of_report, name) in OF_PAPER {
        let figure = drawings.iter().find(|f| f.name == of_report);
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
        section.figures.push(drawn(&args.out, figure)?);
    }
    section.write(&args.out)?;
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

/// Lies in the output directory from the first call on: what is in `plate` and `run` beside it was made here.
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
