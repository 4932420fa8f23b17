//! `relrv validate precision`: scatter of simulated velocities by type and SNR, beside the bound and the quoted errors
//! (paper, section 5 and figure 8).

use std::io::Write;
use std::path::Path;

use crate::lab::simulate::SpectrumOptions;
use crate::lab::validate::cell::{self, Cell, PER_REFERENCE, SPREAD_KM_S};
use crate::lab::validate::monte_carlo::Case;
use crate::lab::validate::precision::figure;
use crate::lab::validate::progress::{Progress, Steps};
use crate::lab::validate::section::{Grid, Section, by_snr, drawn, write_numbers};
use crate::lab::validate::statistics::quantile;
use crate::lab::validate::types::{SpectralType, TYPES};
use crate::likelihood::VelocityGrid;
use crate::{Arm, Result};

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Spectra of each type, arm and signal-to-noise ratio (the paper has 1000).
    pub n: u32,
    /// Signal-to-noise ratios of the references over that of the exposures; the figure shows the first.
    pub ratios: Vec<f64>,
    /// Signal-to-noise ratios of the exposures.
    pub snrs: Vec<f64>,
    /// Names of the spectral types; others than those of [`TYPES`] name none.
    pub types: Vec<String>,
    /// Random seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            n: 1000,
            ratios: vec![1.0, 2.0],
            snrs: vec![10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0],
            types: TYPES.iter().map(|t| t.name.to_owned()).collect(),
            seed: 1,
        }
    }
}

/// Runs the Monte Carlo, writes `precision.csv`, `precision.json`, `figure8.svg`, `figure8_ratios.svg` and `tables.md` in
/// `out`, and tells the ratios.
///
/// # Errors
/// [`crate::Error::Io`] when a product cannot be written.
pub fn run(
    settings: &Settings,
    out: &Path,
    progress: &dyn Progress,
    told: &mut dyn Write,
) -> Result<Section> {
    let cells = cells(settings, progress)?;
    let table = cell::table(&cells);
    write_numbers(out, "precision", &table, Default::default())?;
    let mut section = Section::new("precision", command(settings));
    section.grids.push(stars());
    let kept = |ratio: f64| -> Vec<&Cell> {
        cells
            .iter()
            .filter(|c| (c.ratio - ratio).abs() < 1e-9)
            .collect()
    };
    for &ratio in &settings.ratios {
        section
            .grids
            .extend(grids(&kept(ratio), ratio, &settings.snrs));
    }
    if let Some(&first) = settings.ratios.first() {
        let shown = kept(first);
        section.facts.push(("figure8", fact(&shown)));
        let figures = [figure::scatter(&shown, settings.n), figure::ratios(&shown)];
        for figure in figures {
            section.figures.push(drawn(out, figure)?);
        }
    }
    section.write(out)?;
    // What was found is written; a closed output is no error.
    let _ = write!(told, "{}", section.markdown());
    Ok(section)
}

fn command(settings: &Settings) -> String {
    let list = |values: &[f64]| {
        values
            .iter()
            .map(f64::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut text = format!(
        "relrv validate precision --n {} --ratio {} --seed {}",
        settings.n,
        list(&settings.ratios),
        settings.seed
    );
    if settings.snrs != Settings::default().snrs {
        text += &format!(" --snr {}", list(&settings.snrs));
    }
    if settings.types.len() != TYPES.len() {
        text += &format!(" --types {}", settings.types.join(","));
    }
    text
}

fn cells(settings: &Settings, progress: &dyn Progress) -> Result<Vec<Cell>> {
    // What the main job uses.
    let grid = VelocityGrid::default();
    let asked = |t: &&SpectralType| settings.types.iter().any(|name| name == t.name);
    let types: Vec<&SpectralType> = TYPES.iter().filter(asked).collect();
    let total = settings.ratios.len() * Arm::ALL.len() * types.len() * settings.snrs.len();
    let mut steps = Steps::new(progress, "precision", total);
    let mut cells = Vec::with_capacity(total);
    for &ratio in &settings.ratios {
        for arm in [Arm::Red, Arm::Blue] {
            for of_type in &types {
                for &snr in &settings.snrs {
                    let star = of_type.star();
                    let case = Case {
                        arm,
                        star,
                        snr,
                        reference_snr: ratio * snr,
                        n_references: (settings.n as usize).div_ceil(PER_REFERENCE),
                        n_per_reference: PER_REFERENCE,
                        spread_km_s: SPREAD_KM_S,
                        options: SpectrumOptions::clean(),
                        // Other noise in every cell.
                        seed: settings
                            .seed
                            .wrapping_mul(1_000_003)
                            .wrapping_add(cells.len() as u64),
                    };
                    cells.push(Cell::measure(of_type.name, &case, &star, &grid)?);
                    steps.step(&format!("{} {arm}, SNR {snr}", of_type.name));
                }
            }
        }
    }
    Ok(cells)
}

/// What was simulated.
fn stars() -> Grid {
    let headers = ["type", "Teff (K)", "log g", "[Fe/H]", "v sin i (km/s)"];
    let rows = TYPES.iter().map(|t| {
        let s = t.star();
        vec![
            t.name.to_owned(),
            s.teff_k.to_string(),
            s.logg.to_string(),
            s.feh.to_string(),
            format!("{:.1}", s.vsini_km_s),
        ]
    });
    Grid {
        title: "Simulated stars".to_owned(),
        headers: headers.map(str::to_owned).to_vec(),
        rows: rows.collect(),
        note: "Noise alone: no cosmic rays, and inverse variances that are exact. True velocities are uniform within 6 km/s.".to_owned(),
    }
}

/// Tables by type, arm and SNR, of the cells of one ratio.
fn grids(cells: &[&Cell], ratio: f64, snrs: &[f64]) -> Vec<Grid> {
    let against = match ratio {
        1.0 => "references of the same SNR".to_owned(),
        _ => format!("references of {ratio} times the SNR"),
    };
    type Value = fn(&Cell) -> String;
    // What is mostly flagged is told apart.
    fn cell(c: &Cell, value: f64) -> String {
        match (value.is_finite(), c.is_clean()) {
            (false, _) => "-".to_owned(),
            (true, true) => format!("{value:.2}"),
            (true, false) => format!("({value:.2})"),
        }
    }
    let marked = "In parentheses: more than half of the velocities are flagged or missing (in practice `low_information`); there, half the range that holds 68.3 % of all velocities is the scatter.";
    let kinds: [(&str, Value, &str); 5] = [
        ("Scatter (km/s)", |c| cell(c, c.scatter_km_s()), marked),
        (
            "Scatter / Cramer-Rao bound",
            |c| cell(c, c.scatter_km_s() / c.bound_km_s),
            marked,
        ),
        (
            "Quoted error / scatter",
            |c| cell(c, c.quoted_km_s() / c.scatter_km_s()),
            marked,
        ),
        (
            "Pull width (half the range that holds 68.3 % of error / quoted error)",
            |c| cell(c, c.pull()),
            marked,
        ),
        (
            "Velocities that are flagged or missing, per cent",
            |c| {
                format!(
                    "{:.0}",
                    100.0 * (c.n_flagged + c.n_failed) as f64 / c.n.max(1) as f64
                )
            },
            "",
        ),
    ];
    kinds
        .into_iter()
        .map(|(title, value, note)| Grid {
            title: format!("{title}, {against}"),
            note: note.to_owned(),
            ..by_snr(cells, snrs, value)
        })
        .collect()
}

/// What figure 8 shows, in words.
fn fact(cells: &[&Cell]) -> String {
    let says = |names: &[&str], arm: Arm, snr: f64| {
        let of = cells
            .iter()
            .filter(|c| names.contains(&c.name) && c.arm == arm && (c.snr - snr).abs() < 1e-9);
        let (low, high) = of
            .map(|c| c.scatter_km_s())
            .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        format!("{low:.2}-{high:.2}")
    };
    let (hot, cool) = (["O", "B", "A"], ["F", "G", "K", "M"]);
    let clean: Vec<&&Cell> = cells.iter().filter(|c| c.is_clean()).collect();
    let pulls: Vec<f64> = clean.iter().map(|c| c.pull()).collect();
    let within = clean
        .iter()
        .filter(|c| c.scatter_km_s() <= 1.15 * c.bound_km_s)
        .count();
    format!(
        "Scatter at SNR 20: F to M {} km/s (red) and {} km/s (blue), O to A {} and {} km/s; at SNR 50 F to M {} and {}, O to A {} and {}. \
        Of {} type-SNR points {} are mostly flagged or missing (low_information), all of them at SNR {} or less; of the other {}, {} are within 15 % of the \
        Cramer-Rao bound, and their pull widths are {:.2}-{:.2}, median {:.2}.",
        says(&cool, Arm::Red, 20.0),
        says(&cool, Arm::Blue, 20.0),
        says(&hot, Arm::Red, 20.0),
        says(&hot, Arm::Blue, 20.0),
        says(&cool, Arm::Red, 50.0),
        says(&cool, Arm::Blue, 50.0),
        says(&hot, Arm::Red, 50.0),
        says(&hot, Arm::Blue, 50.0),
        cells.len(),
        cells.len() - clean.len(),
        cells
            .iter()
            .filter(|c| !c.is_clean())
            .map(|c| c.snr)
            .fold(0.0, f64::max),
        clean.len(),
        within,
        quantile(&pulls, 0.0),
        quantile(&pulls, 1.0),
        quantile(&pulls, 0.5),
    )
}
