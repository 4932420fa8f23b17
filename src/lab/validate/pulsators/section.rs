//! `relrv validate pulsators`: exposures of a star that has become hotter than its reference (paper, section 5 and figure 9).

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;

use crate::lab::simulate::{SpectrumOptions, StellarParams};
use crate::lab::validate::cell::{self, Cell, PER_REFERENCE, SPREAD_KM_S};
use crate::lab::validate::monte_carlo::Case;
use crate::lab::validate::progress::{Progress, Steps};
use crate::lab::validate::section::{Grid, SERIES, Section, by_snr, drawn, write_numbers};
use crate::likelihood::{RvFlags, VelocityGrid, flags};
use crate::report::plot::{
    Drawn, Figure, LinearChart, LogChart, Panel, legend, linear_axes, log_axes, svg,
};
use crate::{Arm, Result};

/// Signal-to-noise ratios of exposures and references.
const SNRS: [f64; 9] = [10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0];

/// Temperatures of the exposures, K; the reference has the first.
pub const TEFF_K: [(&str, f64); 3] = [("6000 K", 6000.0), ("6500 K", 6500.0), ("7000 K", 7000.0)];

/// An RR Lyrae star, of the paper's metallicity and gravity; it turns slowly.
fn star(teff_k: f64) -> StellarParams {
    StellarParams {
        teff_k,
        logg: 2.5,
        feh: -1.0,
        vsini_km_s: 10.0,
    }
}

/// How much is drawn.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Spectra of each temperature, arm and signal-to-noise ratio (the paper has 1000).
    pub n: u32,
    /// Random seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { n: 1000, seed: 1 }
    }
}

/// Runs the Monte Carlo, writes `pulsators.csv`, `pulsators.json`, `figure9.svg` and `tables.md` in `out`, and tells the biases.
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
    write_numbers(out, "pulsators", &cell::table(&cells), Default::default())?;
    let command = format!(
        "relrv validate pulsators --n {} --seed {}",
        settings.n, settings.seed
    );
    let mut section = Section::new("pulsators", command);
    section.grids = grids(&cells.iter().collect::<Vec<_>>());
    section.figures.push(drawn(out, figure(&cells))?);
    section.facts.push(("figure9", fact(&cells)));
    section.write(out)?;
    // What was found is written; a closed output is no error.
    let _ = write!(told, "{}", section.markdown());
    Ok(section)
}

fn cells(settings: &Settings, progress: &dyn Progress) -> Result<Vec<Cell>> {
    let grid = VelocityGrid::default();
    let total = Arm::ALL.len() * TEFF_K.len() * SNRS.len();
    let mut steps = Steps::new(progress, "pulsators", total);
    let mut cells = Vec::with_capacity(total);
    for arm in [Arm::Red, Arm::Blue] {
        for (name, teff_k) in TEFF_K {
            for snr in SNRS {
                let case = Case {
                    arm,
                    star: star(teff_k),
                    snr,
                    reference_snr: snr,
                    n_references: (settings.n as usize).div_ceil(PER_REFERENCE),
                    n_per_reference: PER_REFERENCE,
                    spread_km_s: SPREAD_KM_S,
                    options: SpectrumOptions::clean(),
                    seed: settings
                        .seed
                        .wrapping_mul(1_000_003)
                        .wrapping_add(500 + cells.len() as u64),
                };
                cells.push(Cell::measure(name, &case, &star(TEFF_K[0].1), &grid)?);
                steps.step(&format!("{name} {arm}, SNR {snr}"));
            }
        }
    }
    Ok(cells)
}

/// Error of a bias, km/s: exposures of one reference share a part of theirs, so that fewer are independent.
fn bias_err_km_s(c: &Cell) -> f64 {
    c.all.scatter_km_s / (c.n as f64 / PER_REFERENCE as f64).sqrt()
}

fn grids(cells: &[&Cell]) -> Vec<Grid> {
    type Value = fn(&Cell) -> String;
    let kinds: [(&str, Value); 5] = [
        ("Bias (km/s)", |c| format!("{:+.2}", c.all.bias_km_s)),
        ("Scatter about the bias (km/s)", |c| {
            format!("{:.2}", c.all.scatter_km_s)
        }),
        (
            "Scatter / Cramer-Rao bound of the exposure's temperature",
            |c| format!("{:.2}", c.all.scatter_km_s / c.bound_km_s),
        ),
        ("Quoted error / scatter", |c| {
            format!("{:.2}", c.all.quoted_km_s / c.all.scatter_km_s)
        }),
        ("Velocities with chi2_high, per cent", |c| {
            let high = flags::ALL.iter().position(|f| f.0 == RvFlags::CHI2_HIGH);
            let n = high.map_or(0, |i| c.n_by_flag[i]);
            format!("{:.0}", 100.0 * n as f64 / c.n.max(1) as f64)
        }),
    ];
    kinds
        .into_iter()
        .map(|(title, value)| Grid {
            title: format!("{title}, reference of 6000 K and the same SNR"),
            note: "[Fe/H] = -1, log g = 2.5, v sin i = 10 km/s. All velocities, flagged or not."
                .to_owned(),
            ..by_snr(cells, &SNRS, value)
        })
        .collect()
}

fn fact(cells: &[Cell]) -> String {
    let at = |name: &str, arm: Arm, snr: f64| {
        let found = cells
            .iter()
            .find(|c| c.name == name && c.arm == arm && (c.snr - snr).abs() < 1e-9);
        found.map_or_else(String::new, |c| {
            format!("{:.2} ({:+.2})", c.all.scatter_km_s, c.all.bias_km_s)
        })
    };
    let of = |arm: Arm, snr: f64| {
        let values = TEFF_K.map(|(name, _)| at(name, arm, snr));
        values.join(", ")
    };
    format!(
        "Scatter (and bias), km/s, of exposures of 6000, 6500 and 7000 K against 6000 K: red arm at SNR 20 {}, at SNR 100 {}; blue arm at SNR 20 {}, \
        at SNR 100 {}.",
        of(Arm::Red, 20.0),
        of(Arm::Red, 100.0),
        of(Arm::Blue, 20.0),
        of(Arm::Blue, 100.0)
    )
}

const COLOURS: [RGBColor; 3] = [SERIES[3], SERIES[1], SERIES[5]];

fn figure(cells: &[Cell]) -> Drawn<Figure> {
    let svg = svg((1100, 860), |root| {
        let areas = root.split_evenly((2, 2));
        for (i, arm) in [Arm::Red, Arm::Blue].into_iter().enumerate() {
            let of_arm: Vec<&Cell> = cells.iter().filter(|c| c.arm == arm).collect();
            scatter_panel(&areas[i], &of_arm, arm)?;
            bias_panel(&areas[i + 2], &of_arm, arm)?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "figure9",
        title: "Stars that change their temperature",
        caption: "Exposures of 6000, 6500 and 7000 K against a reference of 6000 K: scatter with the quoted error (lines), and bias with its error \
            (paper, figure 9; [Fe/H] = -1, log g = 2.5)."
            .to_owned(),
        svg,
    })
}

fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    if low <= high { low..high } else { 0.1..1.0 }
}

fn scatter_panel(area: &Panel, cells: &[&Cell], arm: Arm) -> Drawn {
    let y = range(
        cells
            .iter()
            .flat_map(|c| [c.all.scatter_km_s, c.all.quoted_km_s]),
    );
    let mut chart: LogChart = log_axes(
        area,
        &format!("{arm} arm"),
        (8.7..115.0, "signal-to-noise ratio per pixel"),
        (0.75 * y.start..1.35 * y.end, "scatter of RV (km/s)"),
    )?;
    for ((name, _), colour) in TEFF_K.into_iter().zip(COLOURS) {
        let of = || cells.iter().filter(|c| c.name == name);
        let quoted = of().map(|c| (c.snr, c.all.quoted_km_s));
        chart.draw_series(LineSeries::new(quoted, colour.stroke_width(2)))?;
        let points = of().map(|c| Circle::new((c.snr, c.all.scatter_km_s), 4, colour.filled()));
        chart
            .draw_series(points)?
            .label(name)
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    legend(&mut chart)
}

fn bias_panel(area: &Panel, cells: &[&Cell], arm: Arm) -> Drawn {
    let ends = cells.iter().flat_map(|c| {
        let err = bias_err_km_s(c);
        [c.all.bias_km_s - err, c.all.bias_km_s + err]
    });
    let y = range(ends.chain([0.0]));
    let margin = 0.1 * (y.end - y.start).max(0.1);
    let mut chart: LinearChart = linear_axes(
        area,
        &format!("{arm} arm"),
        (0.0..110.0, "signal-to-noise ratio per pixel"),
        (y.start - margin..y.end + margin, "bias of RV (km/s)"),
    )?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (110.0, 0.0)], BLACK.mix(0.5)))?;
    for (i, ((name, _), colour)) in TEFF_K.into_iter().zip(COLOURS).enumerate() {
        let of: Vec<(f64, f64, f64)> = cells
            .iter()
            .filter(|c| c.name == name)
            .map(|c| {
                (
                    c.snr + 0.6 * (i as f64 - 1.0),
                    c.all.bias_km_s,
                    bias_err_km_s(c),
                )
            })
            .collect();
        let bars = of
            .iter()
            .map(|&(x, y, e)| PathElement::new([(x, y - e), (x, y + e)], colour));
        chart.draw_series(bars)?;
        let line = of.iter().map(|p| (p.0, p.1));
        chart.draw_series(LineSeries::new(line.clone(), colour.mix(0.6)))?;
        chart.draw_series(line.map(|p| Circle::new(p, 4, colour.filled())))?;
    }
    Ok(())
}
