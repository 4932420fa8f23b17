//! Zero points (paper, figure 3): how the constants' velocities move together, by spectrograph and by exposure.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::finished::Finished;
use super::plot::*;
use super::tick::tick;
use super::violin::Violin;
use crate::Arm;
use crate::catalogue::zero_point::ZeroPointRow;
use crate::numbers::statistics::quantile;
use crate::text::count::count;

/// Exposures that one panel can show.
const MAX_EXPOSURES: usize = 80;

/// Least number of stars of a violin.
const MIN_VIOLIN: usize = 5;

/// Heights of the panels by spectrograph, and of one by exposure, pixels.
const UPPER: u32 = 500;
const LOWER: u32 = 340;

const TITLE: &str = "Zero points";

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let arms = of_arms(|arm| spectrographs(products, arm));
    let busiest = busiest(&products.zero_points);
    let (false, Some(busiest)) = (arms.is_empty(), busiest) else {
        return Ok(Shown::Nothing(TITLE, NO_CONSTANTS));
    };
    let svg = svg((1100, UPPER + LOWER * arms.len() as u32), |root| {
        let (top, bottom) = root.split_vertically(UPPER);
        let areas = top.split_evenly((1, arms.len()));
        for (area, (arm, groups)) in areas.iter().zip(&arms) {
            by_spectrograph(area, groups, *arm)?;
        }
        let areas = bottom.split_evenly((arms.len(), 1));
        for (area, (arm, _)) in areas.iter().zip(&arms) {
            by_exposure(area, products, *arm, &busiest)?;
        }
        Ok(())
    })?;
    Ok(Shown::Figure(Figure {
        name: "zero_points",
        title: TITLE,
        caption: "Velocities of the constant stars before calibration. Top: relative to the star's reference, by spectrograph, \
            with their mean. Bottom: less the star's mean, by exposure of the plate and spectrograph with most exposures, in the order of time; \
            black points are the zero points with their errors, vertical lines part the nights (paper, figure 3). Small points are velocities \
            more than 5 robust standard deviations from the median; they are no part of the outlines, and a triangle at the edge stands for \
            those that lie outside."
            .to_owned()
            + &absent(&arms, NO_CONSTANTS),
        svg,
    }))
}

/// Plate and spectrograph with most exposures.
fn busiest(zero_points: &[ZeroPointRow]) -> Option<(String, i32)> {
    let mut counts: BTreeMap<(&str, i32), usize> = BTreeMap::new();
    for z in zero_points {
        *counts.entry((&z.planid, z.spid)).or_default() += 1;
    }
    let best = counts
        .into_iter()
        .max_by_key(|(key, n)| (*n, std::cmp::Reverse(*key)));
    best.map(|((planid, spid), _)| (planid.to_owned(), spid))
}

/// Velocity of each row of the constants less the mean of the star.
fn moves(products: &Finished, arm: Arm) -> Vec<(usize, f64)> {
    let rv = |row: usize| products.catalogue.arm(arm, row).rv_km_s;
    let mut out = Vec::new();
    for rows in products
        .constant_rows(arm)
        .values()
        .filter(|rows| rows.len() > 1)
    {
        let mean = rows.iter().map(|r| rv(*r)).sum::<f64>() / rows.len() as f64;
        out.extend(rows.iter().map(|r| (*r, rv(*r) - mean)));
    }
    out
}

/// Half range that holds all outlines and nearly all other values.
fn range(groups: &[Group], others: impl Iterator<Item = f64>) -> f64 {
    let single = groups.iter().flat_map(|g| match g {
        Group::Points(values) => values.as_slice(),
        Group::Violin(_) => &[],
    });
    let sizes = single.copied().chain(others).map(f64::abs);
    let mut sizes: Vec<f64> = sizes.filter(|v| v.is_finite()).collect();
    let outlines = groups.iter().filter_map(|g| match g {
        Group::Violin(violin) => Some(violin.ends()),
        Group::Points(_) => None,
    });
    let widest = outlines.fold(1.2 * quantile(&mut sizes, 0.99), |widest, (low, high)| {
        widest.max(1.05 * high.max(-low))
    });
    if widest > 0.0 { widest } else { 1.0 }
}

/// Velocities that are drawn together.
enum Group {
    Violin(Violin),
    /// Too few for an outline.
    Points(Vec<f64>),
}

impl Group {
    fn of(values: Vec<f64>) -> Group {
        match Violin::of(&values) {
            Some(violin) if values.len() >= MIN_VIOLIN => Group::Violin(violin),
            _ => Group::Points(values),
        }
    }
}

/// Velocities of the constant stars by spectrograph.
fn spectrographs(products: &Finished, arm: Arm) -> Option<BTreeMap<i32, Vec<f64>>> {
    let mut groups: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
    let c = &products.catalogue;
    for row in products.constant_rows(arm).into_values().flatten() {
        let of_spectrograph = groups.entry(c.exposure(row).spid).or_default();
        of_spectrograph.push(c.arm(arm, row).rv_km_s);
    }
    (!groups.is_empty()).then_some(groups)
}

fn by_spectrograph(area: &Panel, groups: &BTreeMap<i32, Vec<f64>>, arm: Arm) -> Drawn {
    let title = format!("{arm} arm, by spectrograph");
    let n = groups.len();
    let names: Vec<i32> = groups.keys().copied().collect();
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let means: Vec<f64> = groups.values().map(mean).collect();
    let groups: Vec<Group> = groups.values().cloned().map(Group::of).collect();
    let limit = range(&groups, means.iter().copied());
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(66)
        .build_cartesian_2d(axis(-0.6..n as f64 - 0.4), axis(-limit..limit))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_labels(2 * n + 1)
        .x_label_formatter(&|x| spectrograph_name(*x, &names))
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc("spectrograph (spid)")
        .y_desc("relative RV (km/s)")
        .draw()?;
    for (i, (group, mean)) in groups.iter().zip(means).enumerate() {
        draw_group(&mut chart, group, (i as f64, 0.4), limit, arm)?;
        chart.draw_series([Circle::new((i as f64, mean), 4, WHITE.filled())])?;
        chart.draw_series([Circle::new((i as f64, mean), 4, BLACK)])?;
    }
    Ok(())
}

/// Name of the spectrograph at a tick; empty between them.
fn spectrograph_name(x: f64, names: &[i32]) -> String {
    let nearest = x.round();
    if (x - nearest).abs() > 0.01 || nearest < 0.0 {
        return String::new();
    }
    names
        .get(nearest as usize)
        .map_or(String::new(), i32::to_string)
}

/// A violin, or points where there are few.
fn draw_group(
    chart: &mut LinearChart,
    group: &Group,
    (x, half_width): (f64, f64),
    limit: f64,
    arm: Arm,
) -> Drawn {
    let colour = arm_colour(arm);
    let points = match group {
        Group::Violin(violin) => {
            let outline = violin.outline(x, half_width);
            chart.draw_series([Polygon::new(outline.clone(), colour.mix(0.35))])?;
            chart.draw_series([PathElement::new(outline, colour)])?;
            &violin.far
        }
        Group::Points(values) => values,
    };
    let inside = points.iter().filter(|v| v.abs() <= limit);
    chart.draw_series(inside.map(|v| Circle::new((x, *v), 2, colour.filled())))?;
    for (sign, edge) in [(1.0, 0.98 * limit), (-1.0, -0.98 * limit)] {
        if points.iter().any(|v| sign * v > limit) {
            let size = if sign > 0.0 { 5 } else { -5 };
            chart.draw_series([TriangleMarker::new((x, edge), size, colour.filled())])?;
        }
    }
    Ok(())
}

fn by_exposure(
    area: &Panel,
    products: &Finished,
    arm: Arm,
    (planid, spid): &(String, i32),
) -> Drawn {
    let mut points: Vec<&ZeroPointRow> = products
        .zero_points
        .iter()
        .filter(|z| z.arm == arm && *z.planid == **planid && z.spid == *spid)
        .collect();
    points.sort_by_key(|z| z.lmjm);
    let all = points.len();
    points.truncate(MAX_EXPOSURES);
    let first = if all > points.len() {
        format!(", first {} of {}", points.len(), count(all, "exposure"))
    } else {
        String::new()
    };
    let title = format!("{arm} arm, {planid}, spectrograph {spid}{first}");
    if points.is_empty() {
        return nothing(area, &title, "no zero points");
    }
    let place: BTreeMap<i64, usize> = points
        .iter()
        .enumerate()
        .map(|(i, z)| (z.lmjm, i))
        .collect();
    let mut groups = vec![Vec::new(); points.len()];
    for (row, rv) in moves(products, arm) {
        let exposure = products.catalogue.exposure(row);
        if *exposure.planid == **planid
            && exposure.spid == *spid
            && let Some(i) = place.get(&exposure.lmjm)
        {
            groups[*i].push(rv);
        }
    }
    let groups: Vec<Group> = groups.into_iter().map(Group::of).collect();
    let limit = range(&groups, points.iter().map(|z| z.found.zp));
    let n = points.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(66)
        .build_cartesian_2d(axis(0.2..n + 0.8), axis(-limit..limit))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_labels(20)
        .x_label_formatter(&count_tick)
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc("exposure, in the order of time")
        .y_desc("RV - star's mean (km/s)")
        .draw()?;
    for x in night_ends(points.iter().map(|z| z.lmjm)) {
        chart.draw_series([PathElement::new([(x, -limit), (x, limit)], BLACK.mix(0.4))])?;
    }
    for (i, group) in groups.iter().enumerate() {
        draw_group(&mut chart, group, (i as f64 + 1.0, 0.38), limit, arm)?;
    }
    let known = points
        .iter()
        .enumerate()
        .filter(|(_, z)| z.found.zp.is_finite());
    for (i, z) in known {
        let (x, err) = (i as f64 + 1.0, z.found.zp_err);
        if err.is_finite() {
            let bar = [(x, z.found.zp - err), (x, z.found.zp + err)];
            chart.draw_series([PathElement::new(bar, BLACK.stroke_width(2))])?;
        }
        chart.draw_series([Circle::new((x, z.found.zp), 4, BLACK.filled())])?;
    }
    Ok(())
}
