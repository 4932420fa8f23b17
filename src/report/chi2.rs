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

const TITLE: &str = "Reduced chi-squared";

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let arms = of_arms(|arm| values(products, arm));
    if arms.is_empty() {
        return Ok(Shown::Nothing(TITLE, NO_VELOCITIES));
    }
    let svg = svg((1100, 440), |root| {
        let areas = root.split_evenly((1, arms.len()));
        for (area, (arm, values)) in areas.iter().zip(&arms) {
            panel(area, values, *arm)?;
        }
        Ok(())
    })?;
    Ok(Shown::Figure(Figure {
        name: "chi2",
        title: TITLE,
        caption: format!(
            "Distribution of the reduced chi-squared of each exposure against its reference; dashed: {CHI2_HIGH_LIMIT}, above which \
            an exposure in which noise hides all else is no shifted copy of its reference. The last bin holds everything beyond."
        ) + &absent(&arms, NO_VELOCITIES),
        svg,
    }))
}

fn values(products: &Finished, arm: Arm) -> Option<Vec<f64>> {
    let rows = products.catalogue.rows.iter();
    let values = rows.map(|row| row.arm(arm).chi2_red);
    let values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    (!values.is_empty()).then_some(values)
}

fn panel(area: &Panel, values: &[f64], arm: Arm) -> Drawn {
    let title = format!("{arm} arm, median {:.2}", median(&mut values.to_vec()));
    let width = (RANGE.1 - RANGE.0) / BINS as f64;
    let mut bins = [0usize; BINS];
    for value in values {
        let bin = ((value - RANGE.0) / width).max(0.0) as usize;
        bins[bin.min(BINS - 1)] += 1;
    }
    let top = 1.1 * bins.iter().copied().max().unwrap_or(1) as f64;
    let mut chart = count_axes(
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
