//! Error against signal-to-noise ratio (paper, figure 4).

use plotters::prelude::*;

use super::plot::*;
use super::products::Products;
use crate::Arm;

pub fn figure(products: &Products) -> Drawn<Figure> {
    let svg = svg((1100, 480), |root| {
        for (area, arm) in root.split_evenly((1, 2)).iter().zip([Arm::Red, Arm::Blue]) {
            panel(area, products, arm)?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "errors",
        title: "Error against signal-to-noise ratio",
        caption: "Quoted 1-sigma error of each velocity (difference of two exposures) against the exposure's signal-to-noise \
            ratio per pixel; the line is the running median (paper, figure 4)."
            .to_owned(),
        svg,
    })
}

fn panel(area: &Panel, products: &Products, arm: Arm) -> Drawn {
    let columns = products.catalogue.arm(arm);
    let points: Vec<(f64, f64)> = columns
        .snr
        .iter()
        .zip(&columns.rv_err_km_s)
        .map(|(x, y)| (*x, *y))
        .filter(|(x, y)| x.is_finite() && y.is_finite() && *x > 0.0 && *y > 0.0)
        .collect();
    let title = format!("{arm} arm");
    if points.is_empty() {
        return nothing(area, &title, "no velocities");
    }
    let ends = |value: fn(&(f64, f64)) -> f64, tail: f64| {
        let mut values: Vec<f64> = points.iter().map(value).collect();
        (
            0.8 * quantile(&mut values, tail),
            1.25 * quantile(&mut values, 1.0 - tail),
        )
    };
    let (x, y) = (ends(|p| p.0, 0.0), ends(|p| p.1, 0.002));
    let line = running_median(&points, 14);
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d((x.0..x.1).log_scale(), (y.0..y.1).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(BLACK.mix(0.12))
        .x_labels(LOG_TICKS)
        .y_labels(LOG_TICKS)
        .x_label_formatter(&log_ticks())
        .y_label_formatter(&log_ticks())
        .label_style(LABEL)
        .x_desc("signal-to-noise ratio")
        .y_desc("RV error (km/s)")
        .draw()?;
    let inside = points
        .into_iter()
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
