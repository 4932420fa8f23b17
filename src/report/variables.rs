//! The most variable stars and their velocity curves.

use std::collections::HashMap;

use plotters::prelude::*;

use super::plot::*;
use super::products::Products;
use crate::Arm;

/// Curves shown: rows and columns.
const GRID: (usize, usize) = (4, 3);

/// Fewest velocities of a curve.
const MIN_POINTS: f64 = 4.0;

pub fn figure(products: &Products) -> Drawn<Figure> {
    let stars = most_variable(products);
    let svg = svg((1100, 1160), |root| {
        if stars.is_empty() {
            return nothing(root, "", "no variable stars with 4 velocities or more");
        }
        for (area, star) in root.split_evenly(GRID).iter().zip(&stars) {
            curve(area, products, *star)?;
        }
        Ok(())
    })?;
    Ok(Figure {
        name: "variables",
        title: "The most variable stars",
        caption: format!(
            "Corrected velocities of the {} variable stars whose chi^2 about a constant is largest, against heliocentric time; \
            orange circles red arm, blue triangles blue arm, open symbols flagged velocities. Each arm's velocities are less their median, since the two have different references.",
            stars.len()
        ),
        svg,
    })
}

/// Numbers of the stars, the most variable first.
fn most_variable(products: &Products) -> Vec<usize> {
    let number: HashMap<&str, usize> = (0..)
        .zip(&products.catalogue.stars)
        .map(|(i, s)| (s.as_str(), i))
        .collect();
    let mut best: HashMap<usize, f64> = HashMap::new();
    for star in &products.stars {
        let reduced = star.chi2 / star.dof;
        if star.variable
            && star.n_used >= MIN_POINTS
            && reduced.is_finite()
            && let Some(number) = number.get(star.source_id.as_str())
        {
            let known = best.entry(*number).or_insert(reduced);
            *known = known.max(reduced);
        }
    }
    let mut ranked: Vec<(usize, f64)> = best.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
        .into_iter()
        .take(GRID.0 * GRID.1)
        .map(|(star, _)| star)
        .collect()
}

/// A velocity of a curve.
struct Point {
    time_d: f64,
    rv_km_s: f64,
    err_km_s: f64,
    flagged: bool,
}

/// Velocities of a star in one arm, less their median.
fn velocities(products: &Products, rows: &[usize], arm: Arm, start_d: f64) -> Vec<Point> {
    let c = &products.catalogue;
    let columns = c.arm(arm);
    let known = rows
        .iter()
        .copied()
        .filter(|r| columns.rv_corr_km_s[*r].is_finite() && c.hjd[*r].is_finite());
    let mut points: Vec<Point> = known
        .map(|r| Point {
            time_d: c.hjd[r] - start_d,
            rv_km_s: columns.rv_corr_km_s[r],
            err_km_s: columns.rv_corr_err_km_s[r],
            flagged: columns.flags[r] != 0,
        })
        .collect();
    let good = points.iter().filter(|p| !p.flagged).count();
    let used = points
        .iter()
        .filter(|p| !p.flagged || 2 * good < points.len());
    let mut rv: Vec<f64> = used.map(|p| p.rv_km_s).collect();
    let middle = median(&mut rv);
    points.iter_mut().for_each(|p| p.rv_km_s -= middle);
    points
}

fn curve(area: &Panel, products: &Products, star: usize) -> Drawn {
    let c = &products.catalogue;
    let rows: Vec<usize> = (0..c.len()).filter(|r| c.star[*r] == star).collect();
    let start = rows
        .iter()
        .map(|r| c.hjd[*r])
        .fold(f64::MAX, f64::min)
        .floor();
    let (red, blue) = (
        velocities(products, &rows, Arm::Red, start),
        velocities(products, &rows, Arm::Blue, start),
    );
    let all = || red.iter().chain(&blue);
    let title = c.stars[star].clone();
    if all().next().is_none() {
        return nothing(area, &title, "no corrected velocities");
    }
    // What is flagged may lie anywhere and does not set the range, unless most is.
    let mostly_flagged = 2 * all().filter(|p| p.flagged).count() > all().count();
    let ends = |value: fn(&Point) -> f64, used: &dyn Fn(&&Point) -> bool| {
        let values = all().filter(used).map(value);
        values.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    let x = ends(|p| p.time_d, &|_| true);
    let y = ends(|p| p.rv_km_s, &|p| !p.flagged || mostly_flagged);
    let pad = |(low, high): (f64, f64), least: f64| {
        let margin = (0.1 * (high - low)).max(least);
        (low - margin)..(high + margin)
    };
    let (x, y) = (pad(x, 0.02), pad(y, 0.05));
    let mut chart = ChartBuilder::on(area)
        .caption(title, LABEL)
        .margin(8)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(x, y.clone())?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style(("sans-serif", 15))
        .x_desc(format!("HJD - {start:.0} (d)"))
        .y_desc("RV (km/s)")
        .draw()?;
    for (points, arm) in [(&red, Arm::Red), (&blue, Arm::Blue)] {
        let colour = arm_colour(arm);
        let inside = || points.iter().filter(|p| y.contains(&p.rv_km_s));
        let bars = inside().filter(|p| p.err_km_s.is_finite()).map(|p| {
            let (low, high) = (p.rv_km_s - p.err_km_s, p.rv_km_s + p.err_km_s);
            PathElement::new([(p.time_d, low), (p.time_d, high)], colour)
        });
        chart.draw_series(bars)?;
        let style = |p: &Point| {
            if p.flagged {
                colour.stroke_width(1)
            } else {
                colour.filled()
            }
        };
        match arm {
            Arm::Red => chart
                .draw_series(inside().map(|p| Circle::new((p.time_d, p.rv_km_s), 4, style(p))))?,
            Arm::Blue => chart.draw_series(
                inside().map(|p| TriangleMarker::new((p.time_d, p.rv_km_s), 6, style(p))),
            )?,
        };
    }
    Ok(())
}
