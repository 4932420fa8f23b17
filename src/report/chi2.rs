//! How well exposures are copies of their references: the distribution of reduced chi^2.

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use crate::Arm;
use crate::likelihood::flags::CHI2_HIGH_LIMIT;
use crate::numbers::statistics::median;

/// Range of reduced chi^2 shown; what is beyond is counted in the last bin.
const RANGE: (f64, f64) = (0.4, 4.0);
const BINS: usize = 60;

pub fn figure(products: &Finished) -> Drawn<Figure> {
    let svg = svg((1100, 440), |root| {
        for (area, arm) in root.split_evenly((1, 2)).iter().zip([Arm::Red, Arm::Blue]) {
            panel(area, products, arm)?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "chi2",
        title: "Reduced chi-squared",
        caption: format!(
            "Distribution of the reduced chi-squared of each exposure against its reference; dashed: {CHI2_HIGH_LIMIT}, above which \
            an exposure in which noise hides all else is no shifted copy of its reference. The last bin holds everything beyond."
        ),
        svg,
    })
}

fn panel(area: &Panel, products: &Finished, arm: Arm) -> Drawn {
    let rows = products.catalogue.rows.iter();
    let values = rows.map(|row| row.arm(arm).chi2_red);
    let mut values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    let title = format!("{arm} arm");
    if values.is_empty() {
        return nothing(area, &title, "no velocities");
    }
    let title = format!("{title}, median {:.2}", median(&mut values));
    let width = (RANGE.1 - RANGE.0) / BINS as f64;
    let mut bins = [0usize; BINS];
    for value in values {
        let bin = ((value - RANGE.0) / width).max(0.0) as usize;
        bins[bin.min(BINS - 1)] += 1;
    }
    let top = 1.1 * bins.iter().copied().max().unwrap_or(1) as f64;
    let mut chart = linear_axes(
        area,
        &title,
        (RANGE.0..RANGE.1, "reduced chi-squared"),
        (0.0..top, "exposures"),
    )?;
    let bars = bins
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(i, n)| {
            let x = RANGE.0 + i as f64 * width;
            Rectangle::new(
                [(x, 0.0), (x + width, *n as f64)],
                arm_colour(arm).mix(0.6).filled(),
            )
        });
    chart.draw_series(bars)?;
    name_last_bin(&mut chart, RANGE.1, bins[BINS - 1], "all beyond")?;
    let limit = [(CHI2_HIGH_LIMIT, 0.0), (CHI2_HIGH_LIMIT, top)];
    chart.draw_series(DashedLineSeries::new(limit, 6, 4, BLACK.into()))?;
    Ok(())
}
