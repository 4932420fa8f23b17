//! Figures 1 and 2 of the paper, from a mock.

use plotters::prelude::*;

use crate::lab::validate::mock::{Kind, Mock, MockRow, TABLE_1};
use crate::lab::validate::statistics::mean;
use crate::report::plot::{
    BEFORE, BLUE_ARM, CAPTION, Drawn, Figure, LABEL, Panel, RED_ARM, axis, legend, linear_axes, svg,
};
use crate::report::tick::tick;

/// Exposure, and RV less zero point less true RV, of every observation of a constant. RVs are relative to the star's
/// reference exposure: the star's mean is taken off.
pub fn residuals(mock: &Mock, zp: Option<&[f64]>) -> Vec<(usize, f64)> {
    let mut residual = Vec::new();
    for star in (0..mock.kinds.len()).filter(|&s| mock.is_constant(s)) {
        let rows = mock.rows.iter().filter(|r| r.star as usize == star);
        let of: Vec<(usize, f64)> = rows
            .map(|r| {
                let zp = zp.map_or(0.0, |z| z[r.exposure as usize]);
                (r.exposure as usize, r.rv_km_s - zp - r.true_km_s)
            })
            .collect();
        let middle = mean(&of.iter().map(|v| v.1).collect::<Vec<_>>());
        residual.extend(of.into_iter().map(|(t, v)| (t, v - middle)));
    }
    residual
}

/// Mean residual of each of `n` exposures.
pub fn exposure_means(residual: &[(usize, f64)], n: usize) -> Vec<f64> {
    let of = |t: usize| residual.iter().filter(move |r| r.0 == t).map(|r| r.1);
    (0..n).map(|t| mean(&of(t).collect::<Vec<_>>())).collect()
}

/// Figure 1: RV less true velocity of the constants in each exposure; a panel for each (title, zero points).
pub fn figure_1(mock: &Mock, panels: &[(&str, Option<&[f64]>)]) -> Drawn<Figure> {
    let height = 320 * panels.len() as u32;
    let svg = svg((1000, height), |root| {
        for (area, (title, zp)) in root.split_evenly((panels.len(), 1)).iter().zip(panels) {
            constants_panel(area, title, &residuals(mock, *zp), mock.time_d.len())?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "figure1",
        title: "Mock constant stars",
        caption: "RV less true velocity of 200 mock constant stars in 30 exposures, less each star's mean; black: mean of the exposure (paper, figure 1). \
            What is left after the correction is the measurement error of 0 to 2 km/s."
            .to_owned(),
        svg,
    })
}

fn constants_panel(area: &Panel, title: &str, residual: &[(usize, f64)], n: usize) -> Drawn {
    let limit = residual.iter().map(|r| r.1.abs()).fold(1.0, f64::max) * 1.05;
    let mut chart = linear_axes(
        area,
        title,
        (-1.0..n as f64, "exposure"),
        (-limit..limit, "RV - true RV (km/s)"),
    )?;
    chart.draw_series(residual.iter().enumerate().map(|(i, &(t, v))| {
        // Spread a little, so that 200 stars can be told apart.
        let x = t as f64 + 0.6 * ((i * 37 % 101) as f64 / 101.0 - 0.5);
        Circle::new((x, v), 2, BLUE_ARM.mix(0.35).filled())
    }))?;
    let means = exposure_means(residual, n).into_iter().enumerate();
    chart.draw_series(means.map(|(t, v)| Circle::new((t as f64, v), 5, BLACK.filled())))?;
    chart.draw_series(LineSeries::new([(-1.0, 0.0), (n as f64, 0.0)], &BLACK))?;
    Ok(())
}

/// A velocity of a folded curve: phase, RV (km/s), RV less true RV (km/s).
type Folded = (f64, f64, f64);

/// Table 1's binary number `star`, folded: velocities as measured, and corrected by `zp`. The star's offset is not known to the
/// method; the mean difference from the true curve is taken off.
pub fn folded(mock: &Mock, star: usize, zp: &[f64]) -> (Vec<Folded>, Vec<Folded>) {
    let Kind::Periodic(_, period, _) = mock.kinds[star] else {
        return Default::default();
    };
    let of_star = |r: &&MockRow| r.star as usize == star;
    let rows: Vec<&MockRow> = mock.rows.iter().filter(of_star).collect();
    let place = |value: &dyn Fn(&MockRow) -> f64| -> Vec<Folded> {
        let offsets: Vec<f64> = rows.iter().map(|r| value(r) - r.true_km_s).collect();
        let offset = mean(&offsets);
        let at = |r: &&MockRow| {
            let phase = (mock.time_d[r.exposure as usize] / period).rem_euclid(1.0);
            (phase, value(r) - offset, value(r) - offset - r.true_km_s)
        };
        rows.iter().map(at).collect()
    };
    let corrected = |r: &MockRow| r.rv_km_s - zp[r.exposure as usize];
    (place(&|r| r.rv_km_s), place(&corrected))
}

/// Figure 2: Table 1's binaries, folded: true curve, measured and corrected RVs, residuals below.
pub fn figure_2(mock: &Mock, zp: &[f64]) -> Drawn<Figure> {
    let svg = svg((1200, 620), |root| {
        for (star, area) in root.split_evenly((1, TABLE_1.len())).iter().enumerate() {
            binary_panel(area, mock, star, zp)?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "figure2",
        title: "Mock binaries",
        caption: "The binaries of the paper's table 1: true curve, RVs as measured (grey circles) and corrected (triangles); below, what is left after \
            the true curve is taken off (paper, figure 2)."
            .to_owned(),
        svg,
    })
}

fn binary_panel(area: &Panel, mock: &Mock, star: usize, zp: &[f64]) -> Drawn {
    let (top, bottom) = area.split_vertically(390);
    let (measured, corrected) = folded(mock, star, zp);
    binary_curve(&top, mock, star, &measured, &corrected)?;
    binary_residuals(&bottom, &measured, &corrected)
}

/// Folded velocities over the true curve; points are phase, velocity and residual.
fn binary_curve(
    area: &Panel,
    mock: &Mock,
    star: usize,
    measured: &[(f64, f64, f64)],
    corrected: &[(f64, f64, f64)],
) -> Drawn {
    let Kind::Periodic(amplitude, period, _) = mock.kinds[star] else {
        return Ok(());
    };
    let title = format!("P = {period} d, K = {amplitude} km/s");
    let all = measured.iter().chain(corrected);
    let limit = all.map(|p| p.1.abs()).fold(amplitude, f64::max) * 1.1;
    // Room for the key.
    let high = if star == 0 { 1.45 * limit } else { limit };
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(8)
        .x_label_area_size(8)
        .y_label_area_size(60)
        .build_cartesian_2d(axis(0.0..1.0), axis(-limit..high))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .y_desc("RV (km/s)")
        .x_labels(0)
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .draw()?;
    let curve = (0..=200).map(|i| {
        let phase = f64::from(i) / 200.0;
        (phase, mock.kinds[star].velocity_km_s(phase * period))
    });
    chart
        .draw_series(LineSeries::new(curve, &BLACK))?
        .label("true")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], BLACK));
    let measured = measured.iter().map(|p| (p.0, p.1));
    chart
        .draw_series(measured.map(|p| Circle::new(p, 4, BEFORE.filled())))?
        .label("measured")
        .legend(|(x, y)| Circle::new((x + 7, y), 4, BEFORE.filled()));
    let corrected = corrected.iter().map(|p| (p.0, p.1));
    chart
        .draw_series(corrected.map(|p| TriangleMarker::new(p, 6, RED_ARM.filled())))?
        .label("corrected")
        .legend(|(x, y)| TriangleMarker::new((x + 7, y), 6, RED_ARM.filled()));
    if star == 0 {
        legend(&mut chart)?;
    }
    Ok(())
}

/// What is left of them without the true curve.
fn binary_residuals(
    area: &Panel,
    measured: &[(f64, f64, f64)],
    corrected: &[(f64, f64, f64)],
) -> Drawn {
    let all = measured.iter().chain(corrected);
    let limit = all.map(|p| p.2.abs()).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(axis(0.0..1.0), axis(-limit..limit))?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(6)
        .y_labels(5)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc("phase")
        .y_desc("residual (km/s)")
        .draw()?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 0.0)], &BLACK))?;
    let measured = measured.iter().map(|p| (p.0, p.2));
    chart.draw_series(measured.map(|p| Circle::new(p, 4, BEFORE.filled())))?;
    let corrected = corrected.iter().map(|p| (p.0, p.2));
    chart.draw_series(corrected.map(|p| TriangleMarker::new(p, 6, RED_ARM.filled())))?;
    Ok(())
}
