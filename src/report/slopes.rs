//! How zero points change along the slit, from exposure to exposure.

use std::collections::BTreeMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::finished::Finished;
use super::plot::*;
use super::tick::tick;
use crate::Arm;
use crate::catalogue::zero_point::ZeroPointRow;
use crate::numbers::statistics::quantile;

/// Colours of spectrographs, which colour-blind readers can tell apart (Okabe & Ito). The ninth spectrograph has the first colour again,
/// in circles that are open.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x66, 0x66, 0x66),
    RGBColor(0x33, 0x22, 0x88),
];

/// Nights that are parted by lines at most: of more the lines would hide the points.
const MOST_NIGHTS: usize = 40;

/// Height of the row that names the spectrographs, pixels.
const NAMES_HEIGHT: u32 = 44;

/// Height of a panel, pixels.
const PANEL_HEIGHT: u32 = 380;

const TITLE: &str = "Zero points along the slit";

/// Why slopes of an arm are not there.
pub const NO_SLOPE: &str = "its zero points are the same for all fibres";

pub fn figure(products: &Finished) -> Drawn<Shown> {
    let arms = of_arms(|arm| with_slope(products, arm));
    if arms.is_empty() {
        let has_zero_point = |z: &ZeroPointRow| z.found.zp.is_finite();
        let why = match products.zero_points.iter().any(has_zero_point) {
            true => "zero points are the same for all fibres",
            false => "there are no zero points",
        };
        return Ok(Shown::Nothing(TITLE, why));
    }
    let of_all = arms.iter().flat_map(|(_, points)| points);
    let mut names: Vec<i32> = of_all.map(|z| z.spid).collect();
    names.sort_unstable();
    names.dedup();
    let height = NAMES_HEIGHT + PANEL_HEIGHT * arms.len() as u32;
    let svg = svg((1100, height), |root| {
        let (top, panels) = root.split_vertically(NAMES_HEIGHT);
        name_spectrographs(&top, &names)?;
        let areas = panels.split_evenly((arms.len(), 1));
        for (area, (arm, points)) in areas.iter().zip(&arms) {
            panel(area, points, *arm, &names)?;
        }
        Ok(())
    })?;
    Ok(Shown::Figure(Figure {
        name: "slopes",
        title: TITLE,
        caption: "Slope of each zero point along the slit, with its error: how much it rises from the middle of the slit to the last fibre. \
            By exposure, in the order of time; each colour is a spectrograph, and vertical lines part the nights."
            .to_owned()
            + &absent(&arms, NO_SLOPE),
        svg,
    }))
}

/// Zero points of an arm that have a slope.
fn with_slope(products: &Finished, arm: Arm) -> Option<Vec<&ZeroPointRow>> {
    let is_shown =
        |z: &&ZeroPointRow| z.arm == arm && z.found.zp.is_finite() && z.found.slope.is_finite();
    let found: Vec<&ZeroPointRow> = products.zero_points.iter().filter(is_shown).collect();
    (!found.is_empty()).then_some(found)
}

/// Colour of the spectrograph that is number `i` of those shown, filled or open.
fn style(i: usize) -> ShapeStyle {
    let colour = COLOURS[i % COLOURS.len()];
    match (i / COLOURS.len()).is_multiple_of(2) {
        true => colour.filled(),
        false => colour.stroke_width(2),
    }
}

/// Which colour is which spectrograph, in one row.
fn name_spectrographs(area: &Panel, names: &[i32]) -> Drawn {
    let middle = NAMES_HEIGHT as i32 / 2;
    let text = LABEL
        .into_font()
        .color(&BLACK)
        .pos(Pos::new(HPos::Left, VPos::Center));
    area.draw(&Text::new("spectrograph", (82, middle), text.clone()))?;
    for (i, name) in names.iter().enumerate() {
        let x = 210 + 54 * i as i32;
        area.draw(&Circle::new((x, middle), 5, style(i)))?;
        area.draw(&Text::new(name.to_string(), (x + 12, middle), text.clone()))?;
    }
    Ok(())
}

/// Minutes of the exposures in order, each with its number from 0.
fn order_of_time(points: &[&ZeroPointRow]) -> BTreeMap<i64, usize> {
    let minutes: BTreeMap<i64, usize> = points.iter().map(|z| (z.lmjm, 0)).collect();
    (0..)
        .zip(minutes)
        .map(|(i, (minute, _))| (minute, i))
        .collect()
}

fn panel(area: &Panel, points: &[&ZeroPointRow], arm: Arm, names: &[i32]) -> Drawn {
    let title = format!("{arm} arm");
    let place = order_of_time(points);
    // Spectrographs stand side by side within an exposure.
    let x_of = |z: &ZeroPointRow| {
        let i = names.iter().position(|n| *n == z.spid).unwrap_or(0);
        let aside = (i as f64 + 0.5) / names.len() as f64 - 0.5;
        (i, place[&z.lmjm] as f64 + 1.0 + 0.7 * aside)
    };
    let error = |z: &ZeroPointRow| Some(z.found.slope_err).filter(|e| e.is_finite());
    let mut sizes: Vec<f64> = points
        .iter()
        .map(|z| z.found.slope.abs() + error(z).unwrap_or(0.0))
        .collect();
    let limit = (1.2 * quantile(&mut sizes, 0.99)).max(1e-3);
    let n = place.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(title, CAPTION)
        .margin(10)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(axis(0.4..n + 0.6), axis(-limit..limit))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE.mix(0.0))
        .x_labels(20)
        .x_label_formatter(&count_tick)
        .y_label_formatter(&tick)
        .label_style(LABEL)
        .x_desc("exposure, in the order of time")
        .y_desc("slope (km/s)")
        .draw()?;
    let zero = [(0.4, 0.0), (n + 0.6, 0.0)];
    chart.draw_series([PathElement::new(zero, BLACK.mix(0.4))])?;
    let ends = night_ends(place.keys().copied());
    if ends.len() <= MOST_NIGHTS {
        for x in ends {
            chart.draw_series([PathElement::new([(x, -limit), (x, limit)], BLACK.mix(0.4))])?;
        }
    }
    for z in thin(points.to_vec()) {
        let (i, x) = x_of(z);
        let y = z.found.slope;
        if let Some(err) = error(z) {
            let bar = [(x, (y - err).max(-limit)), (x, (y + err).min(limit))];
            let colour = COLOURS[i % COLOURS.len()];
            chart.draw_series([PathElement::new(bar, colour.stroke_width(2))])?;
        }
        let at = (x, y.clamp(-limit, limit));
        chart.draw_series([Circle::new(at, 4, style(i))])?;
    }
    Ok(())
}
