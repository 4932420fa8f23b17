//! Figure 8: precision against SNR by type, and how near it is to the bound and to the quoted error.

use plotters::prelude::*;

use crate::Arm;
use crate::lab::validate::cell::Cell;
use crate::lab::validate::section::SERIES;
use crate::lab::validate::types::TYPES;
use crate::report::plot::{CAPTION, Drawn, Figure, LABEL, Panel, linear_axes, log_axes, svg};

/// Width of the strip that holds the key.
const KEY_WIDTH: u32 = 150;

/// Scatter of each type against SNR: points; lines for the quoted error and the bound.
pub fn scatter(cells: &[&Cell], n: u32) -> Drawn<Figure> {
    let svg = svg((1200, 560), |root| {
        let (panels, key) = root.split_horizontally(1200 - KEY_WIDTH);
        for (area, arm) in panels
            .split_evenly((1, 2))
            .iter()
            .zip([Arm::Red, Arm::Blue])
        {
            scatter_panel(area, cells, arm)?;
        }
        type_key(
            &key,
            &["scatter", "mostly flagged", "quoted error", "bound"],
        )
    })?;
    Ok(Figure {
        name: "figure8",
        title: "Precision by spectral type",
        caption: format!(
            "Scatter of {n} simulated velocities of each type and signal-to-noise ratio (points) with the quoted error (solid) and the \
            Cramer-Rao bound (dashed). Open points: more than half are flagged or missing, and half the range that holds 68 % is \
            shown (paper, figure 8)."
        ),
        svg,
    })
}

fn scatter_panel(area: &Panel, cells: &[&Cell], arm: Arm) -> Drawn {
    let of_arm = || cells.iter().filter(|c| c.arm == arm);
    let values = of_arm().flat_map(|c| [c.scatter_km_s(), c.bound_km_s]);
    let (low, high) = values
        .filter(|v| v.is_finite() && *v > 0.0)
        .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if low < high {
        (0.7 * low, 1.5 * high)
    } else {
        (0.1, 10.0)
    };
    let mut chart = log_axes(
        area,
        &format!("{arm} arm"),
        (snr_range(cells), "signal-to-noise ratio per pixel"),
        (low..high, "scatter of RV (km/s)"),
    )?;
    for (of_type, colour) in TYPES.iter().zip(SERIES) {
        let line = |value: fn(&Cell) -> f64| -> Vec<(f64, f64)> {
            let points = of_arm().filter(|c| c.name == of_type.name);
            let points = points.map(|c| (c.snr, value(c)));
            points.filter(|p| p.1 >= low && p.1 <= high).collect()
        };
        let quoted = line(Cell::quoted_km_s);
        chart.draw_series(LineSeries::new(quoted, colour.stroke_width(2)))?;
        let bound = line(|c| c.bound_km_s);
        chart.draw_series(DashedLineSeries::new(bound, 6, 4, colour.stroke_width(1)))?;
        for c in of_arm().filter(|c| c.name == of_type.name) {
            let value = c.scatter_km_s();
            if !(value >= low && value <= high) {
                continue;
            }
            let place = (c.snr, value);
            if c.is_clean() {
                chart.draw_series([Circle::new(place, 4, colour.filled())])?;
            } else {
                chart.draw_series([Circle::new(place, 4, WHITE.filled())])?;
                chart.draw_series([Circle::new(place, 4, colour.stroke_width(2))])?;
            }
        }
    }
    Ok(())
}

fn snr_range(cells: &[&Cell]) -> std::ops::Range<f64> {
    let snrs = cells.iter().map(|c| c.snr);
    let (low, high) = snrs.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    0.87 * low..1.15 * high
}

/// Scatter over bound, and quoted error over scatter.
pub fn ratios(cells: &[&Cell]) -> Drawn<Figure> {
    let svg = svg((1200, 860), |root| {
        let (panels, key) = root.split_horizontally(1200 - KEY_WIDTH);
        let areas = panels.split_evenly((2, 2));
        let arms = [Arm::Red, Arm::Blue];
        for (area, arm) in areas[..2].iter().zip(arms) {
            let value = |c: &Cell| c.scatter_km_s() / c.bound_km_s;
            ratio_panel(area, cells, arm, "scatter / bound", 0.8..2.4, value)?;
        }
        for (area, arm) in areas[2..].iter().zip(arms) {
            let value = |c: &Cell| c.quoted_km_s() / c.scatter_km_s();
            ratio_panel(area, cells, arm, "quoted error / scatter", 0.4..1.8, value)?;
        }
        type_key(&key, &["value", "mostly flagged"])
    })?;
    Ok(Figure {
        name: "figure8_ratios",
        title: "Precision against the bound, and errors against the precision",
        caption: "The scatter of the figure before over the Cramer-Rao bound, and the quoted error over the scatter. Grey: within 15 % of 1. Points at \
            an edge lie beyond it."
            .to_owned(),
        svg,
    })
}

fn ratio_panel(
    area: &Panel,
    cells: &[&Cell],
    arm: Arm,
    what: &str,
    range: std::ops::Range<f64>,
    value: fn(&Cell) -> f64,
) -> Drawn {
    let x = 0.0..snr_range(cells).end;
    let mut chart = linear_axes(
        area,
        &format!("{arm} arm"),
        (x.clone(), "signal-to-noise ratio per pixel"),
        (range.clone(), what),
    )?;
    let band = Rectangle::new([(0.0, 1.0 / 1.15), (x.end, 1.15)], BLACK.mix(0.08).filled());
    chart.draw_series([band])?;
    chart.draw_series(LineSeries::new([(0.0, 1.0), (x.end, 1.0)], BLACK.mix(0.5)))?;
    for (of_type, colour) in TYPES.iter().zip(SERIES) {
        let of = || {
            cells
                .iter()
                .filter(|c| c.arm == arm && c.name == of_type.name)
        };
        let place = |c: &&Cell| (c.snr, value(c).clamp(range.start, range.end));
        let line: Vec<(f64, f64)> = of().map(place).filter(|p| p.1.is_finite()).collect();
        chart.draw_series(LineSeries::new(line, colour.mix(0.6)))?;
        for c in of().filter(|c| value(c).is_finite()) {
            if c.is_clean() {
                chart.draw_series([Circle::new(place(c), 4, colour.filled())])?;
            } else {
                chart.draw_series([Circle::new(place(c), 4, WHITE.filled())])?;
                chart.draw_series([Circle::new(place(c), 4, colour.stroke_width(2))])?;
            }
        }
    }
    Ok(())
}

/// Types by colour, then `marks`: point, open point, solid line, dashed line.
fn type_key(area: &Panel, marks: &[&str]) -> Drawn {
    let text = |words: &str, y: i32| Text::new(words.to_owned(), (40, y - 9), LABEL.into_font());
    let mut y = 60;
    area.draw(&Text::new("type", (8, y - 12), CAPTION.into_font()))?;
    for (of_type, colour) in TYPES.iter().zip(SERIES) {
        y += 28;
        area.draw(&Rectangle::new([(8, y - 6), (30, y + 6)], colour.filled()))?;
        area.draw(&text(of_type.name, y))?;
    }
    y += 24;
    let grey = BLACK.mix(0.75);
    for (i, words) in marks.iter().enumerate() {
        y += 28;
        match i {
            0 => area.draw(&Circle::new((19, y), 4, grey.filled()))?,
            1 => area.draw(&Circle::new((19, y), 4, grey.stroke_width(2)))?,
            2 => area.draw(&PathElement::new([(8, y), (30, y)], grey.stroke_width(2)))?,
            _ => {
                for x in [8, 18, 28] {
                    area.draw(&PathElement::new([(x, y), (x + 6, y)], grey))?;
                }
            }
        }
        area.draw(&text(words, y))?;
    }
    Ok(())
}
