//! Scatter of the constants before and after calibration, and against signal-to-noise ratio (paper, figure 5).

use std::collections::HashMap;

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use crate::Arm;
use crate::numbers::statistics::{median, quantile};
use crate::text::count::count;

/// One constant star: (median SNR, scatter before, scatter after).
type Star = (f64, f64, f64);

const TITLE: &str = "Constant stars before and after calibration";

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let arms = of_arms(|arm| constants(products, arm));
    if arms.is_empty() {
        return Ok(Shown::Nothing(TITLE, NO_CONSTANTS));
    }
    let svg = svg((1100, 450 * arms.len() as u32), |root| {
        let areas = root.split_evenly((arms.len(), 1));
        for (area, (arm, stars)) in areas.iter().zip(&arms) {
            let halves = area.split_evenly((1, 2));
            histogram(&halves[0], stars, *arm)?;
            against_snr(&halves[1], stars, *arm)?;
        }
        Ok(())
    })?;
    Ok(Shown::Figure(Figure {
        name: "scatter",
        title: TITLE,
        caption: "Standard deviation of each constant star's velocities over its exposures, before (grey) and after (colour) the \
            zero points are removed; left its distribution, right against the star's median signal-to-noise ratio (paper, figure 5). \
            Where noise is what remains, it falls with the signal. The last bin holds all beyond."
            .to_owned()
            + &absent(&arms, NO_CONSTANTS),
        svg,
    }))
}

fn constants(products: &Finished, arm: Arm) -> Option<Vec<Star>> {
    let catalogue = &products.catalogue;
    let snr_of: HashMap<&str, f64> = products
        .constant_rows(arm)
        .into_iter()
        .map(|(star, rows)| {
            let mut snr: Vec<f64> = rows.iter().map(|r| catalogue.arm(arm, *r).snr).collect();
            (&*catalogue.stars[star], median(&mut snr))
        })
        .collect();
    let stars = products
        .stars
        .iter()
        .filter(|s| s.arm == arm && s.found.n_used >= 2);
    let stars: Vec<Star> = stars
        .filter_map(|s| {
            let snr = *snr_of.get(&*s.designation)?;
            Some((snr, s.found.scatter_before, s.found.scatter_after))
        })
        .filter(|s| s.0 > 0.0 && s.1.is_finite() && s.2.is_finite())
        .collect();
    (!stars.is_empty()).then_some(stars)
}

fn histogram(area: &Panel, stars: &[Star], arm: Arm) -> Drawn {
    const BINS: usize = 30;
    let title = format!("{arm} arm, {}", count(stars.len(), "constant star"));
    let mut both: Vec<f64> = stars.iter().flat_map(|s| [s.1, s.2]).collect();
    let high = (1.15 * quantile(&mut both, 0.98)).max(1e-3);
    let count = |value: fn(&Star) -> f64| {
        let mut bins = [0usize; BINS];
        for star in stars {
            let bin = BINS as f64 * value(star) / high;
            bins[(bin as usize).min(BINS - 1)] += 1;
        }
        bins
    };
    let (before, after) = (count(|s| s.1), count(|s| s.2));
    let top = before
        .iter()
        .chain(&after)
        .copied()
        .max()
        .unwrap_or(1)
        .max(1);
    let mut chart = count_axes(
        area,
        &title,
        (0.0..high, "scatter of the star's velocities (km/s)"),
        (0.0..1.35 * top as f64, "stars"),
    )?;
    let width = high / BINS as f64;
    for (bins, colour, name) in [
        (before, BEFORE, "before"),
        (after, arm_colour(arm), "after"),
    ] {
        let bars = bins.iter().enumerate().filter(|(_, n)| **n > 0);
        let bars = bars.map(|(i, n)| {
            let x = i as f64 * width;
            Rectangle::new(
                [(x, 0.0), (x + width, *n as f64)],
                colour.mix(0.55).filled(),
            )
        });
        let mut values: Vec<f64> = stars
            .iter()
            .map(|s| if name == "before" { s.1 } else { s.2 })
            .collect();
        let label = format!("{name}, median {:.3}", median(&mut values));
        chart.draw_series(bars)?.label(label).legend(move |(x, y)| {
            Rectangle::new([(x, y - 6), (x + 14, y + 6)], colour.mix(0.55).filled())
        });
    }
    let last = before[BINS - 1].max(after[BINS - 1]);
    name_last_bin(&mut chart, high, last, "all beyond")?;
    legend(&mut chart)
}

fn against_snr(area: &Panel, stars: &[Star], arm: Arm) -> Drawn {
    let title = format!("{arm} arm");
    let mut snr: Vec<f64> = stars.iter().map(|s| s.0).collect();
    let x = (
        0.85 * quantile(&mut snr, 0.0),
        1.2 * quantile(&mut snr, 1.0),
    );
    let mut both: Vec<f64> = stars
        .iter()
        .flat_map(|s| [s.1, s.2])
        .filter(|v| *v > 0.0)
        .collect();
    let y = (
        0.7 * quantile(&mut both, 0.0),
        1.4 * quantile(&mut both, 1.0),
    );
    if !(y.0 > 0.0 && y.1 > y.0) {
        return nothing(area, &title, "no scatter");
    }
    let mut chart = log_axes(
        area,
        &title,
        (x.0..x.1, "median signal-to-noise ratio of the star"),
        (y.0..y.1, "scatter (km/s)"),
    )?;
    let stars = thin(stars.to_vec());
    let before = stars.iter().filter(|s| s.1 > 0.0).map(|s| (s.0, s.1));
    chart.draw_series(before.map(|p| Circle::new(p, 3, BEFORE.filled())))?;
    let after = stars.iter().filter(|s| s.2 > 0.0).map(|s| (s.0, s.2));
    chart.draw_series(after.map(|p| TriangleMarker::new(p, 5, arm_colour(arm).filled())))?;
    Ok(())
}
