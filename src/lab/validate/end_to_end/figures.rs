//! The run on a simulated plate against the truth, as pictures.

use plotters::prelude::*;

use crate::Arm;
use crate::lab::validate::end_to_end::score::{ARMS, Comparison, ZeroPointError};
use crate::numbers::statistics::quantile;
use crate::report::plot::{
    CAPTION, Drawn, Figure, LABEL, Panel, arm_colour, axis, linear_axes, nothing, svg,
};
use crate::report::tick::tick;

/// Error of every zero point, by spectrograph and exposure.
pub fn zero_point_errors(comparison: &Comparison) -> Drawn<Figure> {
    let svg = svg((1100, 760), |root| {
        for (area, arm) in root.split_evenly((2, 1)).iter().zip(ARMS) {
            errors_panel(area, comparison, arm)?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "zero_point_errors",
        title: "Zero points against the truth",
        caption: "Zero point found less zero point injected, with its quoted error, for every exposure in the order of time, spectrograph by \
            spectrograph; the mean of each component, which cannot be known, is taken off."
            .to_owned(),
        svg,
    })
}

fn errors_panel(area: &Panel, comparison: &Comparison, arm: Arm) -> Drawn {
    let of: Vec<&ZeroPointError> = comparison
        .zero_points
        .iter()
        .filter(|z| z.arm == arm)
        .collect();
    let title = format!("{arm} arm");
    if of.is_empty() {
        return nothing(area, &title, "no zero points");
    }
    let mut sizes: Vec<f64> = of
        .iter()
        .map(|z| z.error_km_s.abs() + z.quoted_km_s)
        .collect();
    let limit = (1.1 * quantile(&mut sizes, 1.0)).max(1e-3);
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(axis(-1.0..of.len() as f64), axis(-1.25 * limit..limit))?;
    // The number of a spectrograph in the middle of its points.
    let mut places: Vec<(i64, usize, usize)> = Vec::new();
    for (i, z) in of.iter().enumerate() {
        match places.last_mut() {
            Some(last) if last.0 == z.spid => last.2 = i,
            _ => places.push((z.spid, i, i)),
        }
    }
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(0)
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc("spectrograph (spid), its exposures in the order of time")
        .y_desc("zero point - truth (km/s)")
        .draw()?;
    for (spid, first, last) in &places {
        let edge = *last as f64 + 0.5;
        chart.draw_series([PathElement::new(
            [(edge, -1.25 * limit), (edge, limit)],
            BLACK.mix(0.12),
        )])?;
        let middle = 0.5 * (first + last) as f64;
        let style = LABEL.into_font().color(&BLACK.mix(0.8));
        let centred = plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Center,
            plotters::style::text_anchor::VPos::Bottom,
        );
        let place = (middle, -1.22 * limit);
        chart.draw_series([Text::new(spid.to_string(), place, style.pos(centred))])?;
    }
    chart.draw_series(LineSeries::new(
        [(-1.0, 0.0), (of.len() as f64, 0.0)],
        BLACK.mix(0.5),
    ))?;
    let colour = arm_colour(arm);
    let bars = of.iter().enumerate().map(|(i, z)| {
        let (x, y, e) = (i as f64, z.error_km_s, z.quoted_km_s);
        PathElement::new([(x, y - e), (x, y + e)], colour.mix(0.6))
    });
    chart.draw_series(bars)?;
    let points = of.iter().enumerate();
    chart.draw_series(
        points.map(|(i, z)| Circle::new((i as f64, z.error_km_s), 2, colour.filled())),
    )?;
    Ok(())
}

/// Errors over quoted errors, of zero points and of velocities, with the Gaussian that they should have.
pub fn pulls(comparison: &Comparison) -> Drawn<Figure> {
    let svg = svg((1100, 760), |root| {
        let areas = root.split_evenly((2, 2));
        for (i, arm) in ARMS.into_iter().enumerate() {
            let of_arm = comparison.zero_points.iter().filter(|z| z.arm == arm);
            let zero_points: Vec<f64> = of_arm.map(|z| z.error_km_s / z.quoted_km_s).collect();
            histogram(
                &areas[i],
                &format!("{arm} arm, zero points"),
                &zero_points,
                arm,
            )?;
            let of_arm = comparison.velocities.iter().filter(|v| v.arm == arm);
            let velocities: Vec<f64> = of_arm.flat_map(|v| v.pulls.iter().copied()).collect();
            histogram(
                &areas[i + 2],
                &format!("{arm} arm, velocities"),
                &velocities,
                arm,
            )?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "pulls",
        title: "Errors over quoted errors",
        caption: "Error over quoted error of the zero points, and of the corrected velocities of all single stars (constant, single-lined, pulsating) \
            without a flag about their star's mean; the line is the Gaussian of width 1. The outermost bins hold everything beyond."
            .to_owned(),
        svg,
    })
}

fn histogram(area: &Panel, title: &str, pulls: &[f64], arm: Arm) -> Drawn {
    const LIMIT: f64 = 5.0;
    const BINS: usize = 40;
    let known: Vec<f64> = pulls.iter().copied().filter(|p| p.is_finite()).collect();
    if known.is_empty() {
        return nothing(area, title, "nothing to compare");
    }
    let width = 2.0 * LIMIT / BINS as f64;
    let mut bins = [0usize; BINS];
    for pull in &known {
        let bin = ((pull + LIMIT) / width).max(0.0) as usize;
        bins[bin.min(BINS - 1)] += 1;
    }
    let gauss =
        |x: f64| known.len() as f64 * width * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let top = bins.iter().map(|n| *n as f64).fold(gauss(0.0), f64::max);
    let title = format!("{title} ({})", known.len());
    let mut chart = linear_axes(
        area,
        &title,
        (-LIMIT..LIMIT, "error / quoted error"),
        (0.0..1.1 * top, "number"),
    )?;
    let bars = bins
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0)
        .map(|(i, n)| {
            let x = -LIMIT + i as f64 * width;
            Rectangle::new(
                [(x, 0.0), (x + width, *n as f64)],
                arm_colour(arm).mix(0.6).filled(),
            )
        });
    chart.draw_series(bars)?;
    let curve = (0..=200).map(|i| {
        let x = -LIMIT + 2.0 * LIMIT * f64::from(i) / 200.0;
        (x, gauss(x))
    });
    chart.draw_series(LineSeries::new(curve, BLACK.stroke_width(2)))?;
    Ok(())
}
