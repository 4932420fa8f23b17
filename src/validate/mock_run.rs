//! `relrv validate mock`: the paper's section 3.3, with its figures 1 and 2 and a table of numbers.

use std::io::Write;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::prelude::*;
use rayon::prelude::*;

use super::mock::{Kind, Mock, MockConfig, TABLE_1};
use super::mock_score::{self, Score};
use super::statistics::rms;
use crate::selfcal::calibrate::Method;
use crate::selfcal::joint::{self, JointConfig};
use crate::selfcal::paper::{self, PaperConfig};
use crate::table::Table;
use crate::{Error, Result};

/// Options of `relrv validate mock`.
#[derive(Clone, Debug, clap::Args)]
pub struct MockArgs {
    /// Directory for figures and numbers
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Mocks of each kind
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
}

/// Fractions of missing observations.
const MISSING: [f64; 3] = [0.0, 0.3, 0.6];
/// Numbers of binaries: the paper's, and many.
const BINARIES: [usize; 2] = [40, 150];

/// Runs all mocks, writes `mock.csv`, `mock.json`, `figure1.svg`, `figure2.svg`, and tells the numbers.
///
/// # Errors
/// [`Error::Io`] when a product cannot be written.
pub fn run(args: &MockArgs, told: &mut dyn Write) -> Result<Table> {
    std::fs::create_dir_all(&args.out).map_err(|e| Error::io(&args.out, e))?;
    let table = numbers(args.seeds)?;
    table.write(&args.out.join("mock.csv"))?;
    write_json(&table, &args.out.join("mock.json"))?;
    tell(&table, told).map_err(|e| Error::io(&args.out, e))?;
    let mock = Mock::new(&MockConfig::default());
    let graph = mock_score::graph(&mock);
    let joint = joint::solve(&graph, &vec![0; graph.n_zp], None, &JointConfig::default())?;
    let paper = paper::solve(&graph, &vec![0; graph.n_zp], None, &PaperConfig::default());
    let panels = [
        ("before correction", None),
        ("corrected, paper's method", Some(paper.zp.as_slice())),
        ("corrected, joint method", Some(joint.zp.as_slice())),
    ];
    figure_1(&mock, &panels, &args.out.join("figure1.svg"))?;
    figure_2(&mock, &joint.zp, &args.out.join("figure2.svg"))?;
    Ok(table)
}

fn numbers(seeds: u64) -> Result<Table> {
    let mut cases = Vec::new();
    for n_binaries in BINARIES {
        for missing in MISSING {
            for method in [Method::Joint, Method::Paper] {
                cases.push((n_binaries, missing, method));
            }
        }
    }
    let scores: Vec<Vec<Score>> = cases
        .iter()
        .map(|&(n_binaries, missing, method)| {
            (1..=seeds)
                .into_par_iter()
                .map(|seed| {
                    let mock = Mock::new(&MockConfig {
                        seed,
                        missing,
                        n_binaries,
                        ..MockConfig::default()
                    });
                    match method {
                        Method::Joint => mock_score::joint(&mock, &JointConfig::default()),
                        Method::Paper => mock_score::paper(&mock, &PaperConfig::default()),
                    }
                })
                .collect()
        })
        .collect::<Result<_>>()?;
    let column = |f: &dyn Fn(&[Score]) -> f64| scores.iter().map(|s| f(s)).collect::<Vec<f64>>();
    let over = |s: &[Score], f: fn(&Score) -> f64| rms(&s.iter().map(f).collect::<Vec<_>>());
    let count = |s: &[Score], f: fn(&Score) -> usize| s.iter().map(f).sum::<usize>() as f64;
    let mut t = Table::new();
    let name = |m: Method| if m == Method::Joint { "joint" } else { "paper" };
    t.push_text(
        "method",
        "",
        "method",
        cases.iter().map(|c| name(c.2).to_owned()).collect(),
    );
    t.push_i32(
        "binaries",
        "",
        "binaries beside 200 constants and 10 variables",
        cases.iter().map(|c| c.0 as i32).collect(),
    );
    t.push_f64(
        "missing",
        "",
        "fraction of observations that are missing",
        cases.iter().map(|c| c.1).collect(),
    );
    t.push_i32("seeds", "", "mocks", vec![seeds as i32; cases.len()]);
    t.push_f64(
        "zp_rms",
        "km/s",
        "rms error of the zero points",
        column(&|s| over(s, |s| s.zp_rms_km_s)),
    );
    t.push_f64(
        "bound",
        "km/s",
        "its Cramer-Rao bound",
        column(&|s| over(s, |s| s.bound_km_s)),
    );
    t.push_f64(
        "pull",
        "",
        "rms of error / quoted error",
        column(&|s| {
            rms(&s
                .iter()
                .flat_map(|s| s.pulls.iter().copied())
                .filter(|p| p.is_finite())
                .collect::<Vec<_>>())
        }),
    );
    t.push_f64(
        "contamination",
        "",
        "part of the chosen constants that vary",
        column(&|s| count(s, |s| s.n_wrong) / count(s, |s| s.n_chosen)),
    );
    t.push_f64(
        "completeness",
        "",
        "part of the true constants that were chosen",
        column(&|s| (count(s, |s| s.n_chosen) - count(s, |s| s.n_wrong)) / count(s, |s| s.n_true)),
    );
    t.push_f64(
        "steps",
        "",
        "mean number of steps",
        column(&|s| count(s, |s| s.steps) / s.len() as f64),
    );
    Ok(t)
}

/// The numbers with what the paper says beside them.
fn write_json(table: &Table, path: &Path) -> Result<()> {
    let rows: Vec<serde_json::Value> = (0..table.n_rows())
        .map(|i| {
            let cells = table.columns.iter().map(|c| {
                let text = c.data.text_at(i);
                let value = text
                    .parse::<f64>()
                    .map_or(serde_json::Value::from(text), serde_json::Value::from);
                (c.name.clone(), value)
            });
            serde_json::Value::Object(cells.collect())
        })
        .collect();
    let json = serde_json::json!({
        "rows": rows,
        "paper": {
            "zp_precision_km_s": "below 0.5 (abstract, section 3.3: mean residual between -0.5 and 0.5)",
            "table_1_period_d_amplitude_km_s_inclination_deg": TABLE_1,
        },
    });
    let bytes =
        serde_json::to_vec_pretty(&json).map_err(|e| Error::io(path, std::io::Error::other(e)))?;
    std::fs::write(path, bytes).map_err(|e| Error::io(path, e))
}

fn tell(table: &Table, told: &mut dyn Write) -> std::io::Result<()> {
    let names = [
        "method",
        "binaries",
        "missing",
        "zp_rms",
        "bound",
        "pull",
        "contamination",
        "completeness",
    ];
    for name in names {
        write!(told, "{name:>14}")?;
    }
    writeln!(told)?;
    for i in 0..table.n_rows() {
        for name in names {
            let text = table
                .column(name)
                .map_or_else(String::new, |c| match &c.data {
                    crate::table::ColumnData::F64(v) => format!("{:.4}", v[i]),
                    data => data.text_at(i),
                });
            write!(told, "{text:>14}")?;
        }
        writeln!(told)?;
    }
    writeln!(
        told,
        "zp_rms and bound in km/s; the paper states a zero-point precision below 0.5 km/s"
    )
}

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn drawn<E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
    r: std::result::Result<(), DrawingAreaErrorKind<E>>,
) -> Result<()> {
    r.map_err(|e| Error::io(path, std::io::Error::other(e)))
}

/// Figure 1: RV less true velocity of the constants in each exposure, before and after.
fn figure_1(mock: &Mock, panels: &[(&str, Option<&[f64]>)], path: &Path) -> Result<()> {
    let root = SVGBackend::new(path, (900, 900)).into_drawing_area();
    drawn(path, root.fill(&WHITE))?;
    for (area, (title, zp)) in root.split_evenly((panels.len(), 1)).iter().zip(panels) {
        // Differences carry the star's offset (its reference exposure): its mean over the star is removed.
        let mut residual: Vec<(usize, f64)> = Vec::new();
        for star in (0..mock.kinds.len()).filter(|&s| mock.is_constant(s)) {
            let of: Vec<(usize, f64)> = mock
                .rows
                .iter()
                .filter(|r| r.star as usize == star)
                .map(|r| {
                    let zp = zp.map_or(0.0, |z| z[r.exposure as usize]);
                    (r.exposure as usize, r.rv_km_s - zp - r.true_km_s)
                })
                .collect();
            let mean = of.iter().map(|v| v.1).sum::<f64>() / of.len() as f64;
            residual.extend(of.into_iter().map(|(t, v)| (t, v - mean)));
        }
        drawn(
            path,
            constants_panel(area, title, &residual, mock.time_d.len()),
        )?;
    }
    drawn(path, root.present())
}

fn constants_panel<'a>(
    area: &Panel<'a>,
    title: &str,
    residual: &[(usize, f64)],
    n: usize,
) -> std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let limit = residual.iter().map(|r| r.1.abs()).fold(1.0, f64::max) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(8)
        .x_label_area_size(38)
        .y_label_area_size(58)
        .build_cartesian_2d(-1.0..n as f64, -limit..limit)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc("exposure")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_desc("RV - true RV (km/s)")
        .draw()?;
    chart.draw_series(residual.iter().enumerate().map(|(i, &(t, v))| {
        // Spread a little, so that 200 stars can be told apart.
        let x = t as f64 + 0.6 * ((i * 37 % 101) as f64 / 101.0 - 0.5);
        Circle::new((x, v), 1.5, RGBColor(110, 140, 190).mix(0.5).filled())
    }))?;
    let means = (0..n).map(|t| {
        let of: Vec<f64> = residual.iter().filter(|r| r.0 == t).map(|r| r.1).collect();
        (t as f64, of.iter().sum::<f64>() / of.len() as f64)
    });
    chart.draw_series(means.map(|p| Circle::new(p, 4, BLACK.filled())))?;
    chart.draw_series(LineSeries::new([(-1.0, 0.0), (n as f64, 0.0)], &BLACK))?;
    Ok(())
}

/// Figure 2: Table 1's binaries, folded: true curve, measured and corrected RVs, residuals below.
fn figure_2(mock: &Mock, zp: &[f64], path: &Path) -> Result<()> {
    let root = SVGBackend::new(path, (1200, 600)).into_drawing_area();
    drawn(path, root.fill(&WHITE))?;
    for (star, area) in root.split_evenly((1, TABLE_1.len())).iter().enumerate() {
        drawn(path, binary_panel(area, mock, star, zp))?;
    }
    drawn(path, root.present())
}

fn binary_panel<'a>(
    area: &Panel<'a>,
    mock: &Mock,
    star: usize,
    zp: &[f64],
) -> std::result::Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let Kind::Periodic(amplitude, period, _) = mock.kinds[star] else {
        return Ok(());
    };
    let rows: Vec<_> = mock
        .rows
        .iter()
        .filter(|r| r.star as usize == star)
        .collect();
    // The star's offset is not known to the method; the mean difference from the true curve is taken off.
    let place = |value: &dyn Fn(&super::mock::MockRow) -> f64| -> Vec<(f64, f64, f64)> {
        let offset = rows.iter().map(|r| value(r) - r.true_km_s).sum::<f64>() / rows.len() as f64;
        rows.iter()
            .map(|r| {
                let phase = (mock.time_d[r.exposure as usize] / period).rem_euclid(1.0);
                (phase, value(r) - offset, value(r) - offset - r.true_km_s)
            })
            .collect()
    };
    let measured = place(&|r| r.rv_km_s);
    let corrected = place(&|r| r.rv_km_s - zp[r.exposure as usize]);
    let (top, bottom) = area.split_vertically(390);
    let title = format!("P = {period} d, K = {amplitude} km/s");
    let all = || measured.iter().chain(&corrected);
    let limit = all().map(|p| p.1.abs()).fold(amplitude, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(&top)
        .caption(title, ("sans-serif", 18))
        .margin(8)
        .x_label_area_size(8)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..1.0, -limit..limit)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .y_desc("RV (km/s)")
        .x_labels(0)
        .draw()?;
    let curve = (0..=200).map(|i| {
        let phase = f64::from(i) / 200.0;
        (phase, mock.kinds[star].velocity_km_s(phase * period))
    });
    chart
        .draw_series(LineSeries::new(curve, &BLACK))?
        .label("true")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], BLACK));
    chart
        .draw_series(measured.iter().map(|p| Circle::new((p.0, p.1), 3, RED)))?
        .label("measured")
        .legend(|(x, y)| Circle::new((x + 7, y), 3, RED));
    chart
        .draw_series(
            corrected
                .iter()
                .map(|p| TriangleMarker::new((p.0, p.1), 4, BLUE.filled())),
        )?
        .label("corrected")
        .legend(|(x, y)| TriangleMarker::new((x + 7, y), 4, BLUE.filled()));
    if star == 0 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperMiddle)
            .border_style(BLACK.mix(0.3))
            .background_style(WHITE.mix(0.8))
            .draw()?;
    }
    let limit = all().map(|p| p.2.abs()).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(&bottom)
        .margin(8)
        .x_label_area_size(38)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..1.0, -limit..limit)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc("phase")
        .y_desc("residual (km/s)")
        .y_labels(5)
        .draw()?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 0.0)], &BLACK))?;
    chart.draw_series(measured.iter().map(|p| Circle::new((p.0, p.2), 3, RED)))?;
    chart.draw_series(
        corrected
            .iter()
            .map(|p| TriangleMarker::new((p.0, p.2), 4, BLUE.filled())),
    )?;
    Ok(())
}
