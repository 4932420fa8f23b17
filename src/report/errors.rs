//! Error against signal-to-noise ratio (paper, figure 4).

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use crate::Arm;
use crate::numbers::statistics::quantile;

const TITLE: &str = "Error against signal-to-noise ratio";

/// (Signal-to-noise ratio, error in km/s) of each velocity.
type Points = Vec<(f64, f64)>;

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let arms = of_arms(|arm| points(products, arm));
    if arms.is_empty() {
        return Ok(Shown::Nothing(TITLE, NO_VELOCITIES));
    }
    let svg = svg((1100, 480), |root| {
        let areas = root.split_evenly((1, arms.len()));
        for (area, (arm, points)) in areas.iter().zip(&arms) {
            panel(area, points, *arm)?;
        }
        Ok(())
    })?;
    Ok(Shown::Figure(Figure {
        name: "errors",
        title: TITLE,
        caption: "Quoted 1-sigma error of each velocity (difference of two exposures) against the exposure's signal-to-noise \
            ratio per pixel; the line is the median where 20 velocities or more lie in a step (paper, figure 4)."
            .to_owned()
            + &absent(&arms, NO_VELOCITIES),
        svg,
    }))
}

fn points(products: &Finished, arm: Arm) -> Option<Points> {
    let velocities = products.catalogue.rows.iter().map(|row| row.arm(arm));
    let points: Points = velocities
        .map(|v| (v.snr, v.rv_err_km_s))
        .filter(|(x, y)| x.is_finite() && y.is_finite() && *x > 0.0 && *y > 0.0)
        .collect();
    (!points.is_empty()).then_some(points)
}

fn panel(area: &Panel, points: &[(f64, f64)], arm: Arm) -> Drawn {
    let title = format!("{arm} arm");
    let ends = |value: fn(&(f64, f64)) -> f64, tail: f64| {
        let mut values: Vec<f64> = points.iter().map(value).collect();
        (
            0.8 * quantile(&mut values, tail),
            1.25 * quantile(&mut values, 1.0 - tail),
        )
    };
    let (x, y) = (ends(|p| p.0, 0.0), ends(|p| p.1, 0.002));
    let line = running_median(points);
    let mut chart = log_axes(
        area,
        &title,
        (x.0..x.1, "signal-to-noise ratio"),
        (y.0..y.1, "RV error (km/s)"),
    )?;
    let inside = points
        .iter()
        .copied()
        .filter(|p| p.1 >= y.0 && p.1 <= y.1)
        .collect();
    let dots = thin::<(f64, f64)>(inside);
    chart.draw_series(
        dots.into_iter()
            .map(|p| Circle::new(p, 2, arm_colour(arm).mix(0.45).filled())),
    )?;
    chart.draw_series(LineSeries::new(line, BLACK.stroke_width(2)))?;
    Ok(())
}
