//! `relrv validate phase`: bias of the velocity against where between pixels it falls.

use std::io::Write;
use std::path::Path;

use plotters::prelude::*;

use crate::lab::validate::monte_carlo;
use crate::lab::validate::phase::{self, PER_REFERENCE, PhaseCurve, RATIO};
use crate::lab::validate::progress::{Progress, Steps};
use crate::lab::validate::section::{Grid, SERIES, Section, drawn, write_numbers};
use crate::likelihood::VelocityGrid;
use crate::report::plot::{Drawn, Figure, Panel, legend, linear_axes, svg};
use crate::table::Table;
use crate::{Arm, Result};

/// Signal-to-noise ratios of the exposures.
pub const SNRS: [f64; 4] = [10.0, 20.0, 50.0, 100.0];

/// Departure of a tenth from the mean that the tests allow, quoted errors.
const LIMIT: f64 = 0.15;

/// How much is drawn.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Spectra of each arm and signal-to-noise ratio.
    pub n: u32,
    /// Random seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { n: 7000, seed: 1 }
    }
}

/// One arm and SNR.
type Row = (Arm, f64, PhaseCurve);

/// Runs the Monte Carlo, writes `phase.csv`, `phase.json`, `phase.svg` and `tables.md` in `out`, and tells the biases.
///
/// # Errors
/// [`crate::Error::Io`] when a product cannot be written.
pub fn run(
    settings: &Settings,
    out: &Path,
    progress: &dyn Progress,
    told: &mut dyn Write,
) -> Result<Section> {
    let curves = curves(settings, progress)?;
    write_numbers(out, "phase", &table(&curves), Default::default())?;
    let command = format!(
        "relrv validate phase --n {} --seed {}",
        settings.n, settings.seed
    );
    let mut section = Section::new("phase", command);
    section.grids.push(grid(&curves));
    section.figures.push(drawn(out, figure(&curves))?);
    let worst = curves.iter().map(|c| c.2.pull()).fold(0.0, f64::max);
    let mean = curves.iter().map(|c| c.2.all.abs()).fold(0.0, f64::max);
    section.facts.push((
        "phase",
        format!("Largest departure of a tenth of a pixel from the mean: {worst:.3} of the quoted error; largest mean: {mean:.3}."),
    ));
    section.write(out)?;
    // What was found is written; a closed output is no error.
    let _ = write!(told, "{}", section.markdown());
    Ok(section)
}

fn curves(settings: &Settings, progress: &dyn Progress) -> Result<Vec<Row>> {
    let velocities = VelocityGrid::default();
    let mut steps = Steps::new(progress, "phase", Arm::ALL.len() * SNRS.len());
    let mut rows = Vec::new();
    for arm in [Arm::Red, Arm::Blue] {
        for snr in SNRS {
            let n_references = (settings.n as usize).div_ceil(PER_REFERENCE);
            let seed = settings
                .seed
                .wrapping_mul(1_000_003)
                .wrapping_add(rows.len() as u64);
            let case = phase::case(arm, snr, n_references, seed);
            let samples = monte_carlo::run(&case, &velocities)?;
            rows.push((arm, snr, PhaseCurve::of(&samples, arm)));
            steps.step(&format!("{arm}, SNR {snr}"));
        }
    }
    Ok(rows)
}

/// A row per arm, SNR and tenth of a pixel.
fn table(curves: &[Row]) -> Table {
    let mut cells: Vec<(&Row, usize)> = Vec::new();
    for row in curves {
        cells.extend((0..10).map(|tenth| (row, tenth)));
    }
    let f = |value: &dyn Fn(&Row, usize) -> f64| -> Vec<f64> {
        cells
            .iter()
            .map(|(row, tenth)| value(row, *tenth))
            .collect()
    };
    let arms = cells.iter().map(|(row, _)| row.0.name().to_owned());
    let counts = cells
        .iter()
        .map(|(row, tenth)| row.2.n_by_tenth[*tenth] as i32);
    let mut t = Table::new();
    t.push_text("arm", "", "blue or red", arms.collect());
    t.push_f64("snr", "", "signal-to-noise ratio per pixel", f(&|r, _| r.1));
    t.push_f64(
        "phase",
        "",
        "middle of the tenth of a pixel",
        f(&|_, i| 0.1 * i as f64 + 0.05),
    );
    t.push_i32("n", "", "velocities", counts.collect());
    t.push_f64(
        "bias",
        "km/s",
        "mean of measured less true velocity",
        f(&|r, i| r.2.by_tenth[i] * r.2.quoted_km_s),
    );
    t.push_f64(
        "quoted",
        "km/s",
        "mean quoted error of arm and SNR",
        f(&|r, _| r.2.quoted_km_s),
    );
    t.push_f64(
        "bias_over_quoted",
        "",
        "bias over quoted error",
        f(&|r, i| r.2.by_tenth[i]),
    );
    t.push_f64(
        "mean_over_quoted",
        "",
        "mean of all phases over quoted error",
        f(&|r, _| r.2.all),
    );
    t
}

fn grid(curves: &[Row]) -> Grid {
    let headers = [
        "arm",
        "SNR",
        "quoted error (km/s)",
        "mean bias / quoted",
        "largest departure of a tenth / quoted",
        "expected of noise",
    ];
    let rows = curves.iter().map(|(arm, snr, c)| {
        let least = c.n_by_tenth.iter().copied().min().unwrap_or(0);
        vec![
            arm.name().to_owned(),
            snr.to_string(),
            format!("{:.3}", c.quoted_km_s),
            format!("{:+.3}", c.all),
            format!("{:.3}", c.pull()),
            format!("{:.3}", LARGEST_OF_TEN / (least.max(1) as f64).sqrt()),
        ]
    });
    Grid {
        title: "Bias by tenth of a pixel".to_owned(),
        headers: headers.map(str::to_owned).to_vec(),
        rows: rows.collect(),
        note: format!(
            "5800 K dwarf, references of {RATIO} times the SNR, {PER_REFERENCE} exposures each. The last column is the mean of the largest of ten means \
            of independent noise; exposures of one reference share its error, which moves all tenths alike, so a little less is expected."
        ),
    }
}

/// Expectation of the largest departure of ten normal numbers from their mean, in their standard deviations.
const LARGEST_OF_TEN: f64 = 1.77;

fn figure(curves: &[Row]) -> Drawn<Figure> {
    let svg = svg((1100, 480), |root| {
        for (area, arm) in root.split_evenly((1, 2)).iter().zip([Arm::Red, Arm::Blue]) {
            panel(area, curves, arm)?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "phase",
        title: "Bias by sub-pixel phase",
        caption: format!(
            "Mean error of the velocity in every tenth of a pixel, over the quoted error; bars are the error of the mean. Grey: within {LIMIT} of the quoted \
            error. Eq. 3 of the paper word for word has departures of several quoted errors (docs/method.md, section 9)."
        ),
        svg,
    })
}

fn panel(area: &Panel, curves: &[Row], arm: Arm) -> Drawn {
    let of_arm = || curves.iter().filter(|c| c.0 == arm);
    let values = of_arm().flat_map(|c| c.2.by_tenth);
    let limit = 1.25
        * values
            .filter(|v| v.is_finite())
            .fold(0.2, |l: f64, v| l.max(v.abs()));
    let mut chart = linear_axes(
        area,
        &format!("{arm} arm"),
        (0.0..1.0, "phase (pixels)"),
        (-limit..1.5 * limit, "mean error / quoted error"),
    )?;
    let band = Rectangle::new([(0.0, -LIMIT), (1.0, LIMIT)], BLACK.mix(0.08).filled());
    chart.draw_series([band])?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 0.0)], BLACK.mix(0.5)))?;
    // Every other colour: neighbours are easier to tell apart.
    let colours = [SERIES[1], SERIES[3], SERIES[4], SERIES[6]];
    for ((i, (_, snr, c)), colour) in of_arm().enumerate().zip(colours) {
        let at = |tenth: usize| 0.1 * tenth as f64 + 0.05 + 0.012 * (i as f64 - 1.5);
        let known: Vec<usize> = (0..10).filter(|t| c.by_tenth[*t].is_finite()).collect();
        let bars = known.iter().map(|&t| {
            let err = 1.0 / (c.n_by_tenth[t].max(1) as f64).sqrt();
            let ends = [(at(t), c.by_tenth[t] - err), (at(t), c.by_tenth[t] + err)];
            PathElement::new(ends, colour)
        });
        chart.draw_series(bars)?;
        let line = known.iter().map(|&t| (at(t), c.by_tenth[t]));
        chart.draw_series(LineSeries::new(line.clone(), colour.mix(0.6)))?;
        chart
            .draw_series(line.map(|p| Circle::new(p, 4, colour.filled())))?
            .label(format!("SNR {snr}"))
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    legend(&mut chart)
}
